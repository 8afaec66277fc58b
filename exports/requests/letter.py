"""The letter about an extension: that the answer takes longer, why, until when, and where to complain.

GDPR art. 12(3) requires it within one month of receipt, with the reasons; art. 12(4) the possibility of a complaint and
of a judicial remedy. It is in the language of the last mail to the person, unless another is asked for.
"""

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from contacts.models import Contact
from exports.models import DataRequest
from salesconnect.lib.errors import Missing
from unsubscribes.mail import team
from unsubscribes.models import Message

Kind = DataRequest.Kind
ASKED = {
    Kind.ACCESS: _("On %(day)s we received your request for access to your personal data (GDPR article 15)."),
    Kind.RECTIFICATION: _(
        "On %(day)s we received your request to have your personal data corrected (GDPR article 16)."
    ),
    Kind.ERASURE: _("On %(day)s we received your request to have your personal data erased (GDPR article 17)."),
    Kind.RESTRICTION: _(
        "On %(day)s we received your request to restrict the processing of your personal data (GDPR article 18)."
    ),
    Kind.PORTABILITY: _(
        "On %(day)s we received your request to have your personal data handed over (GDPR article 20)."
    ),
    Kind.OBJECTION: _(
        "On %(day)s we received your objection to the processing of your personal data (GDPR article 21)."
    ),
}


@dataclass(frozen=True, slots=True)
class Letter:
    language: str
    sender: str
    day: str
    subject: str
    paragraphs: list[str]

    @property
    def text(self) -> str:
        return "\n\n".join(self.paragraphs)


def language_of(contact: Contact) -> str | None:
    """Return the language of the last mail to a person; None if there was none."""
    return Message.objects.filter(contact=contact).order_by("-pk").values_list("language", flat=True).first()


def of_extension(row: DataRequest, language: str) -> Letter:
    """Return the letter about a request's extension. Raises `Missing` without an extension or without the person."""
    if row.extended_on is None or row.contact is None:
        raise Missing
    ours = team.current()
    with override(language):
        received, due = date_format(row.received), date_format(row.due)
        paragraphs = [
            _t("Dear %(name)s,") % {"name": row.contact},
            str(ASKED[Kind(row.kind)]) % {"day": received},
            _t("We cannot answer it within one month. The reason is:") + "\n" + row.extension_reason,
            _t("The law gives us two further months for this (GDPR article 12(3)). You get our answer by %(day)s.")
            % {"day": due},
            _t(
                "If you do not agree, you may lodge a complaint with the data protection authority where you live or"
                " work, and you may go to court (GDPR articles 12(4), 77 and 79). In Sweden the authority is"
                " Integritetsskyddsmyndigheten, imy.se."
            ),
            _t("Questions? Write to %(address)s.") % {"address": ours.contact_address} if ours.contact_address else "",
            "\n".join(filter(None, [_t("Kind regards"), str(row.handler or ""), team.name(ours)])),
        ]
        subject = _t("Your request of %(day)s: we need more time") % {"day": received}
        return Letter(
            language, team.name(ours), date_format(row.told_on or row.extended_on), subject, [*filter(None, paragraphs)]
        )
