"""What people do in a CRM, for the tests that hold for each: one driver for an emulated org, one for the file."""

from pathlib import Path
from typing import Protocol

from tests.salesforce_org.control import Org
from tests.unsubscribes.crm.file_provider import BOX, CLERK, KEY, ROBOT, Cabinet


class Driver(Protocol):
    """A CRM as the people see it who work in it, and as fate does."""

    name: str
    # Codes of a passing refusal, and of one that somebody has to mend.
    passing: str
    lasting: str

    def settings(self) -> dict[str, str]:
        """Return how to connect to it."""

    def create(self, address: str) -> str:
        """Create a record and return its id."""

    def opt_out(self, sf_id: str) -> None:
        """Tick a box."""

    def clear(self, sf_id: str) -> None:
        """Let automation clear a box, which is no consent."""

    def delete(self, sf_id: str) -> None:
        """Delete a record."""

    def merge(self, winner: str, loser: str) -> None:
        """Merge a record into another."""

    def box(self, sf_id: str) -> bool:
        """Tell whether a box is ticked."""

    def refuse(self, sf_id: str, code: str) -> None:
        """Refuse every write of a record, until `mend`."""

    def lock_out(self) -> None:
        """Refuse the sign-in, until `mend`."""

    def mend(self) -> None:
        """Let everything work again."""

    def lose_the_answer(self) -> None:
        """Do what the next write asks for, and answer nothing."""

    def break_reading(self) -> None:
        """Fail in the middle of the next read."""


class OrgDriver:
    """An emulated Salesforce org."""

    name, passing, lasting = "Salesforce", "UNABLE_TO_LOCK_ROW", "FIELD_CUSTOM_VALIDATION_EXCEPTION"

    def __init__(self, org: Org) -> None:
        self.org = org

    def settings(self) -> dict[str, str]:
        """Sign in with client credentials."""
        return {"login_url": self.org.url, "client_id": self.org.client_id, "secret": self.org.client_secret}

    def create(self, address: str) -> str:
        """Create a Contact."""
        [sf_id] = self.org.create("Contact", {"LastName": "X", "Email": address})
        return sf_id

    def opt_out(self, sf_id: str) -> None:
        """Tick the box a little later than anything that happened before: stamps are whole seconds."""
        self.org.clock(advance=10)
        self.org.opt_out(sf_id)

    def clear(self, sf_id: str) -> None:
        """Let a flow clear the box."""
        self.org.opt_out(sf_id, False, by="automated")

    def delete(self, sf_id: str) -> None:
        """Delete the record."""
        self.org.delete(sf_id)

    def merge(self, winner: str, loser: str) -> None:
        """Merge two records."""
        self.org.merge(winner, loser)

    def box(self, sf_id: str) -> bool:
        """Look at the box."""
        return self.org.record(sf_id)["HasOptedOutOfEmail"]

    def refuse(self, sf_id: str, code: str) -> None:
        """Refuse the record."""
        self.org.record_error(code, "refused", ids=[sf_id], times=0)

    def lock_out(self) -> None:
        """Give the app another secret, and end all sessions."""
        self.org.app(client_secret="another")
        self.org.expire_tokens()

    def mend(self) -> None:
        """Give the app its secret back, and refuse nothing."""
        self.org.app(client_secret=self.org.client_secret)
        self.org.clear_faults()

    def lose_the_answer(self) -> None:
        """Drop the connection after the work."""
        self.org.fault("drop_after", match={"path": "composite/sobjects", "times": 20})

    def break_reading(self) -> None:
        """Drop every read."""
        self.org.fault("drop_before", match={"path": "composite$|queryAll", "times": 20})


class CabinetDriver:
    """The file."""

    name, passing, lasting = "Cabinet", "LOCKED_DRAWER", "HOUSE_RULE"

    def __init__(self, path: Path) -> None:
        self.cabinet = Cabinet(path)
        self.cabinet.found()

    def settings(self) -> dict[str, str]:
        """Sign in with the key."""
        return {"provider": "file", "login_url": str(self.cabinet.path), "client_id": "us", "secret": KEY}

    def create(self, address: str) -> str:
        """File a person."""
        return self.cabinet.create(address)

    def opt_out(self, sf_id: str) -> None:
        """Let the clerk tick the box."""
        self.cabinet.change(sf_id, CLERK, **{BOX: True})

    def clear(self, sf_id: str) -> None:
        """Let the robot clear the box."""
        self.cabinet.change(sf_id, ROBOT, **{BOX: False})

    def delete(self, sf_id: str) -> None:
        """Mark the record as deleted."""
        self.cabinet.change(sf_id, CLERK, deleted=True)

    def merge(self, winner: str, loser: str) -> None:
        """Name the successor."""
        self.cabinet.change(loser, CLERK, deleted=True, successor=winner)
        self.cabinet.change(winner, CLERK)

    def box(self, sf_id: str) -> bool:
        """Look at the box."""
        return self.cabinet.read()["records"][sf_id][BOX]

    def refuse(self, sf_id: str, code: str) -> None:
        """Refuse the record."""
        self.cabinet.set(refusals={sf_id: code})

    def lock_out(self) -> None:
        """Change the lock."""
        self.cabinet.set(key="another")

    def mend(self) -> None:
        """Put the old lock back, and refuse nothing."""
        self.cabinet.set(key=KEY, refusals={}, failures=[])

    def lose_the_answer(self) -> None:
        """Fail when the work is done."""
        self.cabinet.set(failures=["", "lost"])

    def break_reading(self) -> None:
        """Fail at the second call of the read."""
        self.cabinet.set(failures=["", "down"])
