"""How other programs, and we ourselves, head the columns that an import understands. Pure tables.

Headers are compared by `key`: letters and digits alone, casefolded. For each field the synonyms stand in the order
in which they are preferred: a *Title* beside a *Job Title* is Mr or Mrs, a mobile number counts where no other is.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from contacts.people.field_registry import FIELDS as FIELDS_OF_PERSON

_NO_KEY = re.compile(r"[\W_]+")

FULL_NAME = "name"
"""A column with first and last name in one; it is split."""

SYNONYMS: dict[str, tuple[str, ...]] = {
    **{field.name: field.synonyms for field in FIELDS_OF_PERSON},
    FULL_NAME: ("name", "fullname", "contactname", "namn", "fullständigtnamn"),
    "authorization_type": (
        "authorizationtype", "legalbasisforprocessingcontactsdata", "legalbasis", "rättsliggrund",
        "typavrättsliggrund", "auktoriseringstyp", "behörighetstyp",
    ),
    "authorization_other": ("authorizationother", "annanrättsliggrund"),
    "consent_date": ("dateofconsent", "consentdate", "datumförsamtycke", "samtyckesdatum"),
    "consent_purpose": (
        "purposeofprocessing", "consentpurpose", "ändamålmedbehandlingen", "ändamålförbehandlingen",
        "behandlingensändamål", "syftemedbehandlingen",
    ),
    "source_type": ("sourcetype", "källtyp", "typavkälla"),
    "source_other": ("sourceother", "annankälla"),
    "opted_out": (
        "unsubscribed", "emailoptout", "hasoptedoutofemail", "emailoptedout", "optedout", "optout",
        "unsubscribedfromallemail", "optedoutofallemail", "avregistrerad", "avprenumererad", "avanmäld",
    ),
}  # fmt: skip
FIELDS = tuple(SYNONYMS)


class Origin(NamedTuple):
    """A program that exports people: the headers only it has, and what it means by headers others use otherwise."""

    marks: frozenset[str]
    own: Mapping[str, str] = {}


OURS, SALESFORCE, HUBSPOT, GOOGLE, OUTLOOK = "Sales Connect", "Salesforce", "HubSpot", "Google Contacts", "Outlook"
ORIGINS = {
    OURS: Origin(
        frozenset({
            "emailid", "personid", "exportedat", "authorizationtype", "purposeofprocessing", "rättsliggrund",
            "datumförsamtycke", "ändamålmedbehandlingen", "källtyp",
        }),
    ),
    SALESFORCE: Origin(
        frozenset({
            "contactid", "contactid18", "leadid", "leadid18", "accountname", "companyaccount", "accountid",
            "emailoptout", "hasoptedoutofemail", "leadsource",
        }),
        own={"id": "salesforce_id"},
    ),
    HUBSPOT: Origin(
        frozenset({
            "recordid", "recordidcontact", "websiteurl", "associatedcompany", "associatedcompanyids", "contactowner",
            "lifecyclestage", "marketingcontactstatus", "legalbasisforprocessingcontactsdata",
            "unsubscribedfromallemail",
        }),
        own={"contactid": ""},  # HubSpot's number, not Salesforce's id
    ),
    GOOGLE: Origin(
        frozenset({
            "email1value", "email1type", "email1label", "phone1value", "organization1name", "organizationname",
            "groupmembership", "phoneticfirstname", "fileas",
        }),
    ),
    OUTLOOK: Origin(
        frozenset({
            "emaildisplayname", "emailtype", "businessphone", "businessfax", "businessstreet",
            "webpage", "epostadress", "webbsida", "mellannamn", "telefonarbete", "arbetstelefon",
        }),
    ),
}  # fmt: skip


def key(header: str) -> str:
    """Return what two spellings of a header have in common: `E-mail 1 - Value` is `email1value`."""
    return _NO_KEY.sub("", unicodedata.normalize("NFKC", header).casefold())


def origin_of(keys: list[str]) -> str:
    """Return the name of the program whose marks are most among the headers, `""` when no mark is there."""
    found = set(keys)
    name, origin = max(ORIGINS.items(), key=lambda item: len(item[1].marks & found))
    return name if origin.marks & found else ""
