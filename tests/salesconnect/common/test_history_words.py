"""Every event as people read it."""

import datetime as dt

import pytest
from django.utils import translation

from compliance.acts.authorization import authorization_params
from compliance.card import card_changes
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.suppression import suppression
from contacts.events import history
from contacts.jobs import batches
from contacts.models import Contact, ContactEvent
from salesconnect.common import history_words
from salesconnect.lib.actor import Actor
from salesconnect.pages.person.history import lines

CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose="newsletter")


def event(action: str, *, door: str = "page", batch: int | None = None, **changes: object) -> ContactEvent:
    return ContactEvent(action=action, actor_name="Anna Berg", door=door, batch_id=batch, changes=changes)


@pytest.mark.parametrize(
    ("happened", "words"),
    [
        (event("created"), "Anna Berg created this person"),
        (
            event("created", file="Mässan 2026.csv", line=7, source_type="import"),
            "Anna Berg created this person from import “Mässan 2026.csv”, row 7. Source: Import",
        ),
        (event("created", line=7), "Anna Berg created this person from an import, row 7"),
        (event("created", suppressed=True), "Anna Berg created this person. Unsubscribed from the first moment"),
        (
            event(
                "created",
                authorization_type="consent",
                consent_date="2026-03-01",
                consent_purpose="newsletter",
                source_type="other",
                source_other="Trade fair",
            ),
            "Anna Berg created this person. Authorization: Consent, given 1 March 2026 for newsletter."
            " Source: Other (Trade fair)",
        ),
        (
            event("edited", title=["", "CEO"], phone=["+46 1", ""], company=["Exempel", "Exempel AB"]),
            "Anna Berg changed Company from “Exempel” to “Exempel AB”, Title from empty to “CEO”"
            " and Phone number from “+46 1” to empty",
        ),
        (event("edited", owner=[None, "bob"]), "Anna Berg changed Owner from empty to “bob”"),
        (event("edited"), "Anna Berg changed details that are no longer held"),
        (
            event("edited", door="import", file="a.csv", line=2, title=["", "CEO"]),
            "Anna Berg changed Title from empty to “CEO” from import “a.csv”, row 2",
        ),
        (
            event("authorization", batch=12, authorization_type=["consent", None], consent_date=["2026-03-01", None]),
            "Anna Berg set Authorization to Not recorded, in bulk change 12",
        ),
        (
            event("authorization", consent_date=["2026-03-01", "2026-04-02"]),
            "Anna Berg changed Date of Consent from “1 March 2026” to “2 April 2026”",
        ),
        (
            event("authorization", authorization_type=["contract", "consent"], consent_date=[None, "2026-03-01"]),
            "Anna Berg set Authorization to Consent, given 1 March 2026 for a purpose that is no longer held",
        ),
        (event("source", source_type=[None, "crm_sync"]), "Anna Berg set Source to CRM Sync"),
        (
            event("source", source_other=["Fair", "Trade fair"]),
            "Anna Berg changed Description of the source from “Fair” to “Trade fair”",
        ),
        (
            event("unsubscribed", source=[None, "manual"], reason=[None, "by phone"]),
            "Anna Berg unsubscribed this person (Manual): by phone",
        ),
        (event("unsubscribed", source=[None, "clicked_link"], reason=[None, ""]), "Unsubscribed (Clicked Link)"),
        (
            event("unsubscribed", source=[None, "bounce"], reason=[None, "address_changed"]),
            "Unsubscribed (Bounce): Address changed",
        ),
        (event("resubscribed"), "Anna Berg removed the unsubscribe, on the ground of a new consent"),
        (event("exported"), "Anna Berg exported this person"),
        (
            event("exported", batch=3, reason=[None, "Letter to customers"]),
            "Anna Berg exported this person: Letter to customers, in bulk export 3",
        ),
        (event("deleted"), "Anna Berg deleted this person"),
        (event("never_heard_of"), "Anna Berg: never_heard_of"),
    ],
)
def test_an_event_in_words(happened, words):
    assert history_words.describe(happened) == words


def test_what_the_services_record_is_what_is_said(person, member):
    anna = person()
    batch = batches.order(Contact.objects.all(), "authorization", actor=member, params=authorization_params(CONSENT))
    newest = history.of_contact(anna.pk).first()
    assert history_words.describe(newest) == (
        f"bob set Authorization to Consent, given 1 March 2026 for newsletter, in bulk change {batch.pk}"
    )
    assert history_words.before(newest) == "Not recorded"


def test_an_undo_names_the_bulk_change_that_it_takes_back():
    words = history_words.describe(event("authorization", batch=13, authorization_type=["consent", None]), 12)
    assert words == "Anna Berg set Authorization to Not recorded, in bulk change 13, which takes back bulk change 12"


def test_what_stood_there_before_is_said_for_authorization_and_source_alone(person, member):
    people = Contact.objects.filter(pk=person(authorization=CONSENT, email="a@example.com").pk)
    card_changes.edit_card(people, Authorization(AuthorizationType.CONTRACT), Source(SourceType.IMPORT), actor=member)
    suppression.unsubscribe(people, actor=member, source="manual")
    assert [history_words.before(happened) for happened in history.of_contact(people.get().pk)] == [
        "",
        "Not recorded",
        "Consent, given 1 March 2026 for newsletter",
        "",
    ]


@pytest.mark.parametrize(
    ("door", "words"),
    [
        ("page", ""),
        ("import", ""),
        ("api", "through the API"),
        ("command", "from the command line"),
        ("sync", "from Salesforce"),
        ("link", "by a link in a mail"),
    ],
)
def test_the_door_is_said_where_it_is_not_what_one_expects(person, door, words):
    anna = person()
    history.record([anna.pk], "viewed", actor=Actor(None, "Berit", "", door))
    newest = lines.of_person(anna.pk).html.partition("</li>")[0]
    said = newest.partition("</time>")[2].partition("<span")[0]
    assert said == (f" · {words}" if words else "")


def test_the_outcome_of_an_edit_is_said_without_its_actor():
    happened = event("authorization", authorization_type=[None, "contract"])
    assert history_words.outcome(happened) == "Authorization is now Performance of a Contract"
    assert history_words.outcome(event("source", source_type=[None, "import"])) == "Source is now Import"
    assert history_words.outcome(event("edited", title=["", "CEO"])) == "Changed: Title from empty to “CEO”"


def test_dates_are_written_in_the_language_of_the_reader():
    with translation.override("sv"):
        words = history_words.authorization_words(
            {"authorization_type": "consent", "consent_date": dt.date(2026, 3, 1)}
        )
    assert "1 mars 2026" in words
