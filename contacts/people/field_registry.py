"""The fields that describe a person, each declared once; what else there is of a person is in `contacts.models`. Pure.

The table's columns, the forms, the API, imports, the CSV, the evidence pack, the traces that an erasure follows and
the exchange with a CRM are made from this list. A new field is an entry here, a migration and its translations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from django.utils.translation import gettext_lazy as _

from salesconnect.lib.text import Text


class FieldKind(Enum):
    """The type of a field: it decides on the input type of a form, and on how the value is shown."""

    TEXT = ""
    EMAIL = "email"
    PHONE = "tel"
    LINK = "url"
    CODE = "code"


class Trace(Enum):
    """How a field's value is searched for in other texts when the person is erased; see `exports.erasure.traces`."""

    NAME = "name"
    ADDRESS = "address"
    NUMBER = "number"
    WHOLE = "whole"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class PersonField:
    """A field of a person; `place` is where forms and the person page show it, the lowest first.

    `header` is that of a CSV column, part of the interface and never translated. `synonyms` are the headers by which
    an import knows the field, the best first, as `compliance.imports.headers.key` writes them. `crm` are the names of
    the field in the objects of a CRM that brings people in. A field is hidden on the person page while it is empty,
    unless it is `always_shown`.
    """

    name: str
    place: int
    label: Text
    limit: int
    header: str
    synonyms: tuple[str, ...]
    trace: Trace
    kind: FieldKind = FieldKind.TEXT
    always_shown: bool = False
    crm: Mapping[str, str] = field(default_factory=dict)


def _on_contact_and_lead(name: str) -> dict[str, str]:
    return {"Contact": name, "Lead": name}


FIELDS = (
    PersonField(
        "first_name",
        10,
        _("First name"),
        200,
        "First Name",
        ("firstname", "givenname", "förnamn", "tilltalsnamn"),
        Trace.NAME,
        crm=_on_contact_and_lead("FirstName"),
    ),
    PersonField(
        "last_name",
        20,
        _("Last name"),
        200,
        "Last Name",
        ("lastname", "familyname", "surname", "efternamn"),
        Trace.NAME,
        crm=_on_contact_and_lead("LastName"),
    ),
    PersonField(
        "company",
        60,
        _("Company"),
        200,
        "Company",
        ("company", "companyname", "accountname", "companyaccount", "organization1name", "organizationname",
         "associatedcompany", "organization", "företag", "företagsnamn", "kontonamn"),
        Trace.NONE,
        always_shown=True,
        crm={"Lead": "Company"},
    ),
    PersonField(
        "title",
        50,
        _("Title"),
        200,
        "Title",
        ("jobtitle", "organization1title", "organizationtitle", "befattning", "jobbtitel", "yrkestitel", "title",
         "titel"),
        Trace.NONE,
        always_shown=True,
        crm=_on_contact_and_lead("Title"),
    ),
    PersonField(
        "email",
        30,
        _("Email"),
        254,
        "Email ID",
        ("email", "emailid", "emailaddress", "email1value", "primaryemail", "workemail", "epost", "epostadress",
         "epost1värde", "mejl", "mejladress", "mail"),
        Trace.ADDRESS,
        FieldKind.EMAIL,
        always_shown=True,
    ),
    PersonField(
        "phone",
        40,
        _("Phone number"),
        50,
        "Phone Number",
        ("phone", "phonenumber", "phone1value", "businessphone", "primaryphone", "workphone", "mobilephone", "mobile",
         "mobilephonenumber", "telefon", "telefonnummer", "telefonarbete", "arbetstelefon", "mobiltelefon", "mobil",
         "mobilnummer"),
        Trace.NUMBER,
        FieldKind.PHONE,
        always_shown=True,
        crm=_on_contact_and_lead("Phone"),
    ),
    PersonField(
        "website",
        70,
        _("Website"),
        500,
        "Website",
        ("website", "websiteurl", "website1value", "webpage", "webbplats", "webbsida", "hemsida"),
        Trace.WHOLE,
        FieldKind.LINK,
    ),
    PersonField("other", 110, _("Other"), 500, "Other", ("other", "övrigt"), Trace.WHOLE),
    PersonField("facebook", 90, "Facebook", 500, "Facebook", ("facebook", "facebookurl"), Trace.WHOLE, FieldKind.LINK),
    PersonField(
        "twitter",
        100,
        "Twitter",
        500,
        "Twitter",
        ("twitter", "twitterusername", "twitterurl"),
        Trace.WHOLE,
        FieldKind.LINK,
    ),
    PersonField(
        "linkedin",
        80,
        "LinkedIn",
        500,
        "LinkedIn",
        ("linkedin", "linkedinurl", "linkedinprofile"),
        Trace.WHOLE,
        FieldKind.LINK,
    ),
    PersonField(
        "salesforce_id",
        120,
        _("Salesforce ID"),
        18,
        "Salesforce ID",
        ("salesforceid", "contactid18", "leadid18", "contactid", "leadid", "salesforcecontactid", "salesforceleadid",
         "casesafeid"),
        Trace.WHOLE,
        FieldKind.CODE,
    ),
)  # fmt: skip
"""In the order of the API, of the history's sentences and of the page that merges two records."""

PLACED = tuple(sorted(FIELDS, key=lambda field: field.place))
"""In the order in which forms and the person page show them."""

DETAILS = tuple(field.name for field in FIELDS)
BY_NAME = {field.name: field for field in FIELDS}
LIMITS = {field.name: field.limit for field in FIELDS}

# A person is somebody one can name or write to.
IDENTIFYING = ("first_name", "last_name", "email")
# What lists are sorted by, and where the keys for it are stored.
SORTED = {"company": "sort_company", "last_name": "sort_last", "first_name": "sort_first"}
# What a search looks in; the order is that of the stored column.
SEARCHED = ("first_name", "last_name", "company", "email")


def traced_by(*traces: Trace) -> tuple[str, ...]:
    return tuple(field.name for field in FIELDS if field.trace in traces)
