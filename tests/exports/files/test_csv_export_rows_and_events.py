"""A file of people and the history agree: whoever is in it has the event, and nobody else."""

import csv
import io

import pytest
from django.utils import timezone

from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact, ContactEvent
from exports.overview import mailed
from exports.overview.mailed import MailedQuery
from unsubscribes.merging.merge import merge
from unsubscribes.models import Message
from unsubscribes.opt_outs import listing, listing_csv


@pytest.fixture
def mail(db):
    """Return a function that stores a mail that was sent just now."""

    def sent(person):
        words = {"actor_name": "bob", "door": "page", "language": "en", "subject": "Hi", "text": "", "html": ""}
        return Message.objects.create(contact=person, state="sent", sent_at=timezone.now(), **words)

    return sent


def exported() -> set[int]:
    return set(ContactEvent.objects.filter(action=history.EXPORTED).values_list("contact_id", flat=True))


def rows(lines) -> set[int]:
    return {int(row["Person ID"]) for row in csv.DictReader(io.StringIO("".join(lines).lstrip("\ufeff")))}


def today(cls):
    return cls(since=timezone.localdate(), until=timezone.localdate())


def test_who_is_mailed_while_the_file_is_made_has_row_and_event_or_neither(person, mail, member, monkeypatch):
    people = [person(email=f"p{number}@example.com") for number in range(4)]
    mail(people[0]), mail(people[1])
    monkeypatch.setattr(mailed, "FILE_PAGE", 1)
    page, late = mailed.page, iter(people[2:])

    def and_one_more(*args, **values):
        found = page(*args, **values)
        if someone := next(late, None):
            mail(someone)
        return found

    monkeypatch.setattr(mailed, "page", and_one_more)
    lines = mailed.export(today(MailedQuery), actor=member)
    mail(person(email="late@example.com"))
    assert rows(lines) == exported()
    assert len(exported()) == 4


def test_the_file_is_whole_before_anything_leaves(person, mail, member):
    anna = person()
    mail(anna)
    lines = mailed.export(today(MailedQuery), actor=member)
    Contact.objects.filter(pk=anna.pk).update(last_name="Changed since")
    assert "Changed since" not in "".join(lines)


def test_the_list_of_unsubscribes_records_whom_it_names_also_after_a_merge(person, member):
    anna, twin = person(email="anna@example.com"), person(email="twin@example.com")
    suppression.unsubscribe(Contact.objects.filter(pk=twin.pk), actor=member, source="manual")
    merge(anna.pk, twin.pk, actor=member)
    assert rows(listing_csv.export(today(listing.OptOutFilter), actor=member)) == exported() == {anna.pk}
