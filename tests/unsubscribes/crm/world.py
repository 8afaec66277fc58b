"""What people do in Salesforce and here in random order, and what has to be true whatever they did.

The world keeps its own account of who said "no": `must` are the addresses that have to be opted out in the end, `may`
those that nobody may wonder about if they are. What only the sync could have made up is in neither.
"""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from compliance.card import editing
from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.models import Contact
from exports.erasure import erasure
from salesconnect.lib.actor import system
from unsubscribes.crm.models import OutboxEntry, SyncError, SyncRecord

ACTOR = system("command")
POOL = [f"a{n}@example.com" for n in range(8)]
FAULTS = (
    {"do": "drop_before"},
    {"do": "drop_after"},
    {"do": "truncate"},
    {"do": "status", "status": 401},
    {"do": "status", "status": 503},
    {"do": "html", "status": 503},
    {"do": "status", "status": 301, "body": []},
)
REFUSALS = ("UNABLE_TO_LOCK_ROW", "INVALID_CROSS_REFERENCE_KEY", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "NEW_CODE")


@dataclass
class Theirs:
    """A record in the org, as the world remembers it."""

    sf_id: str
    address: str
    # The addresses that it ever had, and those of the records that were merged into it: whoever may be linked to it.
    aliases: set[str]
    successor: str = ""
    deleted: bool = False
    # Something about it has not been read yet that a second change would hide from every reader.
    unread: bool = False
    held: bool = False

    @property
    def alive(self) -> bool:
        """Whether people can work with it."""
        return not (self.deleted or self.successor or self.held)


@dataclass
class Ours:
    """A person here, with all addresses that the person ever had."""

    pk: int
    address: str
    aliases: set[str]


@dataclass
class World:
    """An org, the people here, and what was said."""

    org: object
    chance: random.Random
    create_person: object
    consent: object
    records: dict[str, Theirs] = field(default_factory=dict)
    people: list[Ours] = field(default_factory=list)
    must: set[str] = field(default_factory=set)
    may: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)
    kills: int = 0
    flight: str = ""
    in_flight: str = ""

    def found(self) -> None:
        """Create the first people and records: two contacts and a lead for each of four addresses."""
        for number, address in enumerate(POOL[:4]):
            self.be_born(address, number)
            person = {"LastName": f"P{number}", "Email": address}
            ids = self.org.create("Contact", person, person) + self.org.create("Lead", person | {"Company": "X"})
            self.records |= {sf_id: Theirs(sf_id, address, {address}) for sf_id in ids}

    def be_born(self, address: str, number: int) -> None:
        """Create a person here."""
        made = self.create_person(email=address, last_name=f"P{number}")
        self.people.append(Ours(made.pk, address, {address}))

    # What was said.

    def touch(self, record: Theirs) -> bool:
        """Account for somebody who saves a record; who sees a ticked box leaves it there. Tell whether it is ticked."""
        if ticked := self.ticked(record):
            self.no(*record.aliases)
        return ticked

    def tell(self, record: Theirs, words: str = "") -> None:
        """Put into the log whom an act was about."""
        self.log.append(f"  {record.sf_id[:3]}..{record.sf_id[12:15]} {record.address} {words}".rstrip())

    def no(self, *addresses: str) -> None:
        """Account for an opt-out of these addresses, of whoever has them, and of where their records live on."""
        waiting, seen = list(addresses), set()
        while waiting:
            address = waiting.pop()
            if address in seen:
                continue
            seen.add(address)
            waiting += [person.address for person in self.people if address in person.aliases]
            gone = [record for record in self.records.values() if record.successor and address in record.aliases]
            waiting += itertools.chain.from_iterable(self.end(record).aliases for record in gone)
        self.may |= seen

    def end(self, record: Theirs) -> Theirs:
        """Return where a record lives on."""
        while record.successor:
            record = self.records[record.successor]
        return record

    def ticked(self, record: Theirs) -> bool:
        """Tell whether the box of a record is ticked in the org."""
        return self.org.record(record.sf_id)["HasOptedOutOfEmail"]

    def some(self, test: Callable[[Theirs], bool] = bool) -> Theirs | None:
        """Return a record that people can work with."""
        fitting = [record for record in self.records.values() if record.alive and test(record)]
        return self.chance.choice(fitting) if fitting else None

    # What people do in Salesforce.

    def tick(self) -> None:
        """Somebody opts a person out in Salesforce."""
        if record := self.some():
            self.org.opt_out(record.sf_id)
            self.tell(record)
            record.unread = True
            self.must.add(record.address)
            self.no(*record.aliases)

    def tick_in_flight(self) -> None:
        """Somebody opts a person out in a long transaction, which holds the row meanwhile."""
        record = self.some(lambda record: not record.unread)
        if record and not self.flight:
            self.flight, self.in_flight = self.org.begin(), record.sf_id
            self.org.opt_out(record.sf_id, transaction=self.flight)
            self.tell(record)
            record.held = True

    def land(self) -> None:
        """The long transaction is committed."""
        if self.flight:
            self.org.commit(self.flight)
            record = self.records[self.in_flight]
            record.held, record.unread, self.flight = False, True, ""
            self.must.add(record.address)
            self.no(*record.aliases)

    def clear(self) -> None:
        """Automation clears a box, which is no consent."""
        if record := self.some(lambda record: not record.unread):
            self.org.opt_out(record.sf_id, False, by="automated")
            self.tell(record)

    def rename(self) -> None:
        """Somebody changes something else of a record."""
        if record := self.some():
            self.touch(record)
            self.org.edit(record.sf_id, {"Title": "Chief"})

    def readdress(self) -> None:
        """Somebody gives a record another address; who sees a ticked box takes it along."""
        record = self.some(lambda record: not record.unread)
        if record is None:
            return
        carried = self.touch(record)
        self.tell(record, "box ticked" if carried else "box clear")
        record.address = self.chance.choice(POOL)
        record.aliases.add(record.address)
        self.org.edit(record.sf_id, {"Email": record.address})
        self.tell(record)
        record.unread = True
        if carried:
            self.no(record.address)

    def delete(self) -> None:
        """Somebody deletes a record."""
        if record := self.some():
            self.touch(record)
            self.org.delete(record.sf_id)
            self.tell(record)
            record.deleted = True

    def undelete(self) -> None:
        """Somebody takes a record out of the recycle bin, with the box as it was."""
        bin_ = [record for record in self.records.values() if record.deleted and not record.successor]
        if bin_:
            record = self.chance.choice(bin_)
            self.org.undelete(record.sf_id)
            self.tell(record)
            record.deleted = False
            self.touch(record)

    def merge(self) -> None:
        """Somebody merges two records; a "no" of the loser is one of the winner."""
        loser = self.some()
        winner = loser and self.some(lambda record: record.sf_id[:3] == loser.sf_id[:3] and record is not loser)
        if winner:
            self.org.merge(winner.sf_id, loser.sf_id)
            self._live_on(loser, winner)

    def convert(self) -> None:
        """Somebody converts a lead, into a new contact or one that is there."""
        lead = self.some(lambda record: record.sf_id.startswith("00Q"))
        if lead is None:
            return
        known = self.chance.random() < 0.5 and self.some(lambda record: record.sf_id.startswith("003"))
        sf_id = self.org.convert(lead.sf_id, known.sf_id if known else None)
        self.records.setdefault(sf_id, Theirs(sf_id, lead.address, {lead.address}))
        self._live_on(lead, self.records[sf_id])

    def _live_on(self, loser: Theirs, winner: Theirs) -> None:
        self.tell(loser)
        self.tell(winner)
        said = self.must & {loser.address} or (loser.unread and self.ticked(loser))
        may = said or self.touch(loser) or self.touch(winner) or loser.aliases & self.may
        loser.successor = winner.sf_id
        winner.aliases |= loser.aliases
        winner.unread = True
        if said:
            self.must.add(winner.address)
        if may:
            self.no(*winner.aliases)

    # What people do here.

    def unsubscribe(self) -> None:
        """A person opts out here."""
        if self.people:
            person = self.chance.choice(self.people)
            suppression.unsubscribe(Contact.objects.filter(pk=person.pk), actor=ACTOR, source="manual")
            self.must.add(person.address)
            self.log.append(person.address)
            self.no(person.address)

    def consent_again(self) -> None:
        """A person who is opted out consents again; nothing else is in the air."""
        out = [person for person in self.people if _is_out(person)]
        if out:
            person = self.chance.choice(out)
            self.consent(Contact.objects.get(pk=person.pk))
            self.log.append(person.address)
            self.must.discard(person.address)
            self.may.discard(person.address)

    def move(self) -> None:
        """A person gets another address here, and takes the "no" along."""
        free = [address for address in POOL if not Contact.objects.filter(email_key=address).exists()]
        if free and self.people:
            person, address = self.chance.choice(self.people), self.chance.choice(free)
            was_out = _is_out(person)
            self.log.append(f"{person.address} {address} {was_out}")
            person.address = address
            person.aliases.add(address)
            editing.edit(person.pk, {"email": address}, actor=ACTOR)
            if was_out:
                self.must.add(address)
            if was_out or person.aliases & self.may:
                self.no(address)

    def erase(self) -> None:
        """A person is erased here; a "no" of the address stays."""
        if len(self.people) > 2:
            person = self.people.pop(self.chance.randrange(len(self.people)))
            self.log.append(person.address)
            erasure.delete(Contact.objects.filter(pk=person.pk), actor=ACTOR)
            # Records that were merged are forgotten with the person: read again, they are seen for the first time.
            gone = [record for record in self.records.values() if record.aliases & person.aliases and not record.alive]
            if any(self.ticked(record) for record in gone):
                self.no(*person.aliases)
            self.no(*person.aliases & self.may)

    def come(self) -> None:
        """Somebody new comes in with an address of the pool."""
        address = self.chance.choice(POOL)
        self.log.append(address)
        if not Contact.objects.filter(email_key=address).exists():
            self.be_born(address, len(self.log))

    # What fate does.

    def fault(self) -> None:
        """A request meets a misfortune."""
        path = self.chance.choice(["composite$", "composite/sobjects", "queryAll"])
        self.org.fault(**self.chance.choice(FAULTS), match={"path": path})

    def refusal(self) -> None:
        """A record is refused a few times, or until somebody mends it."""
        if record := self.some():
            times = self.chance.choice([1, 3, 0])
            self.org.record_error(self.chance.choice(REFUSALS), "refused", ids=[record.sf_id], times=times)

    # What has to be true.

    def read(self) -> None:
        """Note that all there is has been read."""
        for record in self.records.values():
            record.unread = record.held

    def check_words(self) -> None:
        """No "no" is lost, and none is made up."""
        held = {address for address in POOL if suppression.of_address(address)}
        asked = {self.records[each].address for each in _asked_about() if each in self.records}
        assert self.must - asked <= held, ("lost", self.must - asked - held, self.log)
        assert held <= self.may, ("made up", held - self.may, self.log)
        assert not Suppression.objects.filter(source=Suppression.Source.BOUNCE).exists()

    def check_entries(self) -> None:
        """A box that is not as it should be waits, or is a dead letter with an error that people see."""
        held = {address for address in POOL if suppression.of_address(address)}
        for record in self.records.values():
            if record.alive and record.address in held and not self.ticked(record):
                entries = OutboxEntry.objects.filter(record__sf_id=record.sf_id, desired=True)
                open_ = entries.filter(state__in=("pending", "retry", "leased")).exists()
                dead = entries.filter(state="dead").exists()
                told = SyncError.objects.filter(sf_id=record.sf_id, state="dead").exists()
                assert open_ or (dead and told), ("an entry is missing", record, self.log)

    def check_boxes(self) -> None:
        """Both sides say the same."""
        held = {address for address in POOL if suppression.of_address(address)}
        for record in (record for record in self.records.values() if record.alive):
            ticked = self.ticked(record)
            assert ticked or record.address not in held, ("not written", record, self.log)
            ours = SyncRecord.objects.get(sf_id=record.sf_id).ticked_for_other
            assert not ticked or record.address in held or ours, ("not heard", record, self.log)


def _is_out(person: Ours) -> bool:
    return Contact.objects.get(pk=person.pk).card.unsubscribed


def _asked_about() -> list[str]:
    return list(SyncError.objects.filter(code="OTHER_ADDRESS").values_list("sf_id", flat=True))
