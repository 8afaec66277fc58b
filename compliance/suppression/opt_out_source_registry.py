"""The sources of an opt-out, each declared once: its label, its sentence, and whose word it is."""

from dataclasses import dataclass
from enum import Enum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from salesconnect.lib.text import Text


class OptOutSource(TextChoices):
    """By what an address came to be suppressed."""

    CLICKED_LINK = "clicked_link", _("Clicked Link")
    ONE_CLICK = "one_click", _("One-Click")
    MANUAL = "manual", _("Manual")
    SALESFORCE_SYNC = "salesforce_sync", _("Salesforce Sync")
    CRM_SYNC = "crm_sync", _("CRM Sync")
    BOUNCE = "bounce", _("Bounce")
    COMPLAINT = "complaint", _("Complaint")
    IMPORT = "import", _("Import")


class Teller(Enum):
    """Who tells us of an opt-out: it decides on what a repetition means, and on how the history puts it."""

    PERSON = "the person"
    USER = "a user, for the person"
    FILE = "a file that a user handed in"
    PROGRAM = "a program, which says it again and again"


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is said of an unsubscribed person whose opt-out came in so, with its `%(date)s`; and who tells us."""

    sentence: Text
    teller: Teller


FACTS = {
    OptOutSource.CLICKED_LINK: SourceFacts(_("Unsubscribed on %(date)s by link."), Teller.PERSON),
    OptOutSource.ONE_CLICK: SourceFacts(_("Unsubscribed on %(date)s by one click."), Teller.PERSON),
    OptOutSource.MANUAL: SourceFacts(_("Unsubscribed on %(date)s by hand."), Teller.USER),
    OptOutSource.SALESFORCE_SYNC: SourceFacts(_("Unsubscribed on %(date)s by Salesforce."), Teller.PROGRAM),
    OptOutSource.CRM_SYNC: SourceFacts(_("Unsubscribed on %(date)s by the CRM."), Teller.PROGRAM),
    OptOutSource.BOUNCE: SourceFacts(_("Unsubscribed on %(date)s because the address bounced."), Teller.PROGRAM),
    OptOutSource.COMPLAINT: SourceFacts(_("Unsubscribed on %(date)s by a complaint."), Teller.PERSON),
    OptOutSource.IMPORT: SourceFacts(_("Unsubscribed on %(date)s by an import."), Teller.FILE),
}


def told_by(*tellers: Teller) -> tuple[OptOutSource, ...]:
    return tuple(source for source, facts in FACTS.items() if facts.teller in tellers)


# A "no" that is said again is no second entry in the history, but newer than any consent given before it. What
# programs and files repeat is nobody's word; they date it by their reading, too.
REPEATED = told_by(Teller.PROGRAM, Teller.FILE)
SAID_BY_SOMEBODY = told_by(Teller.PERSON, Teller.USER)
# A "no" that a user gave for the person; any other came from the address itself.
GIVEN_BY_USERS = told_by(Teller.USER, Teller.FILE)
