"""What must hold, whatever was done."""

import datetime as dt
import re
from collections.abc import Iterable
from types import SimpleNamespace

from django.http import QueryDict
from django.utils import timezone, translation

from compliance.card import headcounts
from compliance.models import Suppression
from compliance.verdict import policy
from contacts.models import Contact, ContactEvent, Verification
from contacts.people.addresses import address_hash
from contacts.sealing import sealing, verification
from exports.files import rewriting
from exports.integrity.all_checks import CHECKS
from exports.overview import figures
from salesconnect.common.filters import filtered
from salesconnect.lib.actor import system
from salesconnect.pages.compliance.status_items import current_status
from tests.exports.integrity.agreeing import differences
from tests.exports.overview.acts import counted
from tests.exports.overview.numbers import numbers_of
from tests.exports.stored import files_as_text, tables_as_text
from tests.history_machine import seen
from tests.history_machine.world import World
from tests.soak import sized
from unsubscribes.mail import gate
from unsubscribes.models import Message
from unsubscribes.opt_outs import of_person

LATE = {
    "/requests/": "/requests/?view=overdue",
    "/compliance/informing/": "/compliance/informing/?show=overdue",
    "/compliance/review/?show=interests": "",
}
"""The queues of the Compliance page, and where each shows what is late."""
STRIDE = sized(4, 1)
NEVER = {"unsubscribed", "restricted"}
NAMES = ("first_name", "last_name")


class Erased:
    """Who was erased, and the strings that must be nowhere since."""

    def __init__(self) -> None:
        self.names: dict[int, set[str]] = {}
        self.numbers: set[int] = set()
        self.checked: set[int] = set()

    def look(self, now: seen.Seen) -> None:
        """Learn the names of who is here, and who is gone for good; nobody comes back."""
        for number, values in now.items():
            self.names.setdefault(number, set()).update(values[name].lower() for name in NAMES if values[name])
        self.numbers |= set(ContactEvent.objects.filter(action="deleted").values_list("contact_id", flat=True))
        assert not self.numbers & set(now)

    def strings(self) -> set[str]:
        """Return the names of the erased that nobody else has ever borne."""
        gone = set().union(*(self.names.get(number, set()) for number in self.numbers))
        others = set().union(*(names for number, names in self.names.items() if number not in self.numbers))
        return gone - others

    def scrubbed(self) -> set[int]:
        """Return the people out of whose history words went: the erased and those who had heard of them."""
        others = ContactEvent.objects.filter(action="scrubbed").values_list("contact_id", flat=True)
        return self.numbers | set(others)

    def check_new(self) -> None:
        """Look whether those who were erased by the last act are gone from everywhere."""
        if self.numbers - self.checked:
            self.check()

    def check(self) -> None:
        """Look into every table and every file."""
        self.checked = set(self.numbers)
        if strings := self.strings():
            rewriting.delete_pending_files()
            found = re.compile("|".join(sorted(strings)))
            lines = (*tables_as_text().splitlines(), *files_as_text().splitlines())
            assert [line[:300] for line in lines if found.search(line)] == []


def mail_went_only_where_it_may(before: seen.Seen, known: set[int]) -> set[int]:
    """Return the mails that went out by the last act; nobody got one whose verdict was No.

    What the law makes us tell goes out whatever the policy says, but never against the person's own word.
    """
    sent = Message.objects.filter(state="sent").exclude(pk__in=known)
    for message in sent:
        person = before[message.contact_id]
        barred = NEVER & set(person["reasons"]) if message.informs else person["verdict"] == "may_not"
        assert not barred, message.pk
    return {message.pk for message in sent}


def who_said_no_gets_no_mail(said_no: set[str], now: seen.Seen) -> None:
    """Ask the gate about everybody, and the suppressions also about those who are gone."""
    decisions = gate.decide(Contact.objects.all())
    held = {decision.contact.email_key: decision.reason for decision in decisions}
    suppressed = set(Suppression.objects.values_list("address_hash", flat=True))
    for address in said_no:
        assert address_hash(address) in suppressed, address
        assert held.get(address, "unsubscribed") == "unsubscribed", address
    for person in Contact.objects.select_related("card").exclude(email=""):
        assert person.card.unsubscribed == (person.address_hash in suppressed), person.pk
    passed = [decision.contact.pk for decision in decisions if not decision.reason]
    assert [pk for pk in passed if now[pk]["verdict"] == "may_not"] == []


def history_tells_who_is_unsubscribed(numbers: Iterable[int]) -> None:
    """Compare the marks of these people with the last word that the history has of each."""
    for person in Contact.objects.select_related("card").filter(pk__in=list(numbers)):
        said = of_person.of_person(person)
        assert person.card.unsubscribed == bool(said and said[0].kind == "unsubscribed"), person.pk


def figures_are_counted() -> None:
    """Compare the figures of the overview with the cards, counted one by one."""
    today = timezone.localdate()
    assert figures.now(today) == counted(today)


def every_moment_is_told_as_seen(diary: list[tuple[dt.datetime, seen.Seen]], scrubbed: set[int]) -> None:
    """Ask for everybody at every moment of the diary, also those who are gone; for the details at some of them."""
    numbers = sorted({number for _moment, then in diary for number in then})
    asked = [(number, moment) for moment, _then in diary for number in numbers]
    then = dict(diary)
    for (number, moment), told in zip(asked, seen.told_of_many(asked), strict=True):
        hidden = seen.WORDS if number in scrubbed else seen.OWN
        wanted = seen.without(then[moment].get(number), (*hidden, *seen.OWN))
        assert seen.without(told, hidden) == wanted, (number, moment)
    for contact in Contact.objects.exclude(pk__in=scrubbed):
        for moment, people in diary[contact.pk % STRIDE :: STRIDE]:
            assert seen.told(contact, moment) == people.get(contact.pk), (contact.pk, moment)


def figures_of_every_moment_are_told(diary: list[tuple[dt.datetime, seen.Seen]]) -> None:
    """Compare what the events say of how many there were with what was seen then."""
    for moment, people in diary[::STRIDE]:
        today, rules = timezone.localdate(moment), policy.at(moment)
        told = figures.of_kinds(headcounts.before(moment), today, rules)
        told["restricted"] = {"": headcounts.restricted_before(moment)}
        assert told == counted(today, [SimpleNamespace(**values) for values in people.values()], rules), moment


def numbers_are_as_long_as_their_lists(it: World) -> None:
    """Follow every number of the Compliance page that leads to people, and count them."""
    shown = numbers_of(it.ok(it.member_page.get("/compliance/")).content.decode())
    lists = {url: number for url, number in shown if url.startswith("/people/")}
    assert lists
    for url, number in lists.items():
        assert filtered(it.member, QueryDict(url.partition("?")[2]).dict()).count() == number, url


def queues_are_as_long_as_told(it: World) -> None:
    """Open each queue of the Compliance page, all of it and what is late, and count its rows."""
    with translation.override("en"):
        found = [item for item in current_status().all if item.url in LATE]
    assert len(found) == len(LATE)
    for item in found:
        assert rows_at(it, item.url) == number_in(item.text), item
        assert rows_at(it, LATE[item.url]) == number_in(item.late), item
        assert item.late_url in {"", LATE[item.url]}, item


def rows_at(it: World, url: str) -> int:
    """Return how many rows the list at an address has."""
    return it.ok(it.member_page.get(url)).content.decode().count('class="row-link"') if url else 0


def number_in(words: str) -> int:
    """Return the number that a text begins with, or 0."""
    return int(re.match("[0-9]*", words)[0] or 0)


def records_agree() -> None:
    """Compare the stored records with each other, as the product does every night; no worker runs, so work waits."""
    waits = [check.name for check in CHECKS if check.name.endswith("_waiting")]
    assert differences(leave_out=[*waits, "doomed_files"]) == {}


def history_verifies() -> None:
    """Verify everything, sealed and not sealed yet."""
    sealing.seal_open()
    assert verified() == (True, "", None)


def verified() -> tuple[bool, str, int | None]:
    """Return what a verification of everything says: whether all is good, else what is wrong with which event."""
    row = verification.begin(actor=system("command"))
    while verification.work(row.pk):
        continue
    row = Verification.objects.get(pk=row.pk)
    return bool(row.good), row.problem, row.bad_event
