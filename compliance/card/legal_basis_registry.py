"""The legal bases (GDPR art. 6(1)), here and nowhere else: a member of the type and its place in the tables below it.

Pages, API, imports, exports, history and verdict follow from them. The codes are what the database stores.
"""

from django.utils.translation import gettext_lazy as _

from salesconnect.lib.slug_choices import SlugChoices


class AuthorizationType(SlugChoices):
    """The ground for processing, in the order in which it is offered."""

    CONSENT = 1, _("Consent")
    LEGITIMATE_INTEREST = 2, _("Legitimate Interest")
    CONTRACT = 3, _("Performance of a Contract")
    LEGAL_OBLIGATION = 4, _("Compliance with Legal Obligation")
    VITAL_INTERESTS = 5, _("Protection of Vital Interests")
    PUBLIC_INTEREST = 6, _("Public Interest/Official Authority")
    OTHER = 7, _("Other")


# By which words of other programs an import knows a legal basis, beside its slug and its label in every language.
AUTHORIZATION_WORDS: dict[SlugChoices, tuple[str, ...]] = {
    AuthorizationType.CONSENT: ("Freely given consent from contact",),
    AuthorizationType.LEGITIMATE_INTEREST: (
        "Legitimate interest – prospect/lead",
        "Legitimate interest – existing customer",
        "Legitimate interest – other",
    ),
}


# The kinds of consent: each must be demonstrable (GDPR art. 7(1)), so it demands its date and its purpose.
CONSENTS = (AuthorizationType.CONSENT,)


# The letter of GDPR art. 6(1) on which a legal basis rests.
ARTICLES = {
    AuthorizationType.CONSENT: "a",
    AuthorizationType.LEGITIMATE_INTEREST: "f",
    AuthorizationType.CONTRACT: "b",
    AuthorizationType.LEGAL_OBLIGATION: "c",
    AuthorizationType.VITAL_INTERESTS: "d",
    AuthorizationType.PUBLIC_INTEREST: "e",
    AuthorizationType.OTHER: "",
}


# From the strictest: nothing recorded and what is no ground of GDPR art. 6(1); then what the person can end at will
# (consent by art. 7(3), the interests by objection, art. 21); last what holds whatever the person wants.
STRICTEST_FIRST = (
    None,
    AuthorizationType.OTHER,
    AuthorizationType.CONSENT,
    AuthorizationType.LEGITIMATE_INTEREST,
    AuthorizationType.PUBLIC_INTEREST,
    AuthorizationType.CONTRACT,
    AuthorizationType.LEGAL_OBLIGATION,
    AuthorizationType.VITAL_INTERESTS,
)
