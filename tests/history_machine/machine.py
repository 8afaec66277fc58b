"""The state machine: any act, through any door, at any time, and what must hold whatever was done."""

import datetime as dt
import sys
from collections.abc import Callable

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from compliance.card.creation import create_person
from compliance.card.staging import NewPerson
from contacts.models import ContactEvent, User
from salesconnect.lib.errors import Conflict, Invalid, Missing, Restricted, Stale
from tests.history_machine import checks, fold, seen
from tests.history_machine.acts import ACTS, Act
from tests.history_machine.acts.cards import basis, origin
from tests.history_machine.tampering import TAMPERINGS, tamper
from tests.history_machine.world import ADDRESSES, Refused, World

REFUSALS = (Conflict, Invalid, Missing, Refused, Restricted, Stale)
NUMBERS = st.integers(0, 11)
HOURS = st.sampled_from([1, 26, 24 * 8, 24 * 35, 24 * 100])


class HistoryMachine(RuleBasedStateMachine):
    """People, acts on them, and a diary of what was seen after each; `users` are set by the test."""

    users: tuple[User, User]

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.it = World(*self.users)
        self.diary: list[tuple[dt.datetime, seen.Seen]] = []
        self.sent: set[int] = set()
        self.facts: set[str] = set()
        self.erased = checks.Erased()
        self.tampering: tuple[str, int] = ("", 0)

    @initialize(tampering=st.sampled_from(sorted(TAMPERINGS)), place=st.integers(0, 99))
    def begin(self, tampering: str, place: int) -> None:
        """Begin with three people; how the history will be tampered with at the end is known to nobody yet."""
        self.tampering = (tampering, place)
        for number, address in enumerate(ADDRESSES[:3]):
            person = NewPerson(self.it.name() | {"email": address}, basis(number + 1), origin(number + 1))
            create_person(person, actor=self.it.member)
        self.look()

    @rule(hours=HOURS)
    def let_time_pass(self, hours: int) -> None:
        """Let hours pass, or months; sessions run out."""
        self.it.let_pass(hours=hours)
        self.look()

    def do(self, act: Act, door: str, who: int, how: int) -> None:
        """Do something; what is refused leaves nothing but what it says."""
        before, newest = self.diary[-1][1], self.newest()
        self.it.clock.move()
        try:
            act.do(self.it, door, who, how)
        except REFUSALS:
            assert self.newest() == newest
        self.it.commit()
        self.look()
        self.sent |= checks.mail_went_only_where_it_may(before, self.sent)

    def look(self) -> seen.Seen:
        """Write into the diary what is seen now."""
        moment = self.it.clock.now()
        now = seen.everybody(moment)
        self.erased.look(now)
        self.diary.append((moment, now))
        self.facts = self.it.facts()
        self.it.clock.move()
        return now

    def newest(self) -> int:
        """Return the number of the newest event."""
        return ContactEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0

    @invariant()
    def state_is_the_fold_of_the_events(self) -> None:
        """Fold the events anew."""
        if self.diary:
            assert fold.differences(fold.everybody(), self.diary[-1][1]) == []

    @invariant()
    def who_said_no_gets_no_mail(self) -> None:
        """Ask the gate, the suppressions and the history."""
        if self.diary:
            (_before, old), (_now, new) = self.diary[-2:] if len(self.diary) > 1 else self.diary * 2
            checks.who_said_no_gets_no_mail(self.it.said_no, new)
            checks.history_tells_who_is_unsubscribed(number for number in new if old.get(number) != new[number])

    @invariant()
    def the_figures_are_those_of_the_cards(self) -> None:
        """Count card by card."""
        checks.figures_are_counted()

    @invariant()
    def the_erased_stay_erased(self) -> None:
        """Look for them after each new erasure."""
        self.erased.check_new()

    def teardown(self) -> None:
        """At the end of a run in which nothing was wrong look at all of it once more, then forget it."""
        try:
            if sys.exc_info()[0] is None and self.diary:
                self.erased.check()
                checks.every_moment_is_told_as_seen(self.diary, self.erased.scrubbed())
                checks.history_tells_who_is_unsubscribed(self.diary[-1][1])
                checks.figures_of_every_moment_are_told(self.diary)
                checks.numbers_are_as_long_as_their_lists(self.it)
                checks.queues_are_as_long_as_told(self.it)
                checks.records_agree()
                checks.history_verifies()
                tamper(*self.tampering)
        finally:
            self.it.close()
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)


def _rule_of(act: Act) -> Callable[..., None]:
    def do(self: HistoryMachine, door: str, who: int, how: int) -> None:
        self.do(act, door, who, how)

    do.__name__, do.__doc__ = act.name, act.do.__doc__
    possible = precondition(lambda self: act.needs in self.facts)
    return possible(rule(door=st.sampled_from(act.doors), who=NUMBERS, how=NUMBERS)(do))


for each in ACTS.values():
    setattr(HistoryMachine, each.name, _rule_of(each))
