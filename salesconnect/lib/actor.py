"""Who acts, and through which door."""

from dataclasses import dataclass

from salesconnect.lib.door_registry import Door
from salesconnect.lib.role_registry import ALL_RIGHTS, RIGHTS


class Forbidden(Exception):  # noqa: N818 - reads as the answer it becomes
    """The role of the actor lacks `right`."""

    def __init__(self, right: str) -> None:
        super().__init__(right)
        self.right = right


class SignInAgain(Exception):  # noqa: N818 - reads as the answer it becomes
    """The act needs a sign-in within the last ten minutes: an open session does not prove who uses the browser."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A user or the system itself. `user_id` is None for the system and for a person who follows a link.

    `is_recent` is false when the session shows no sign-in of the last ten minutes; programs, workers and commands have
    no session to grow old. `by_token` says that a program calls with a token of the user's.
    """

    user_id: int | None
    name: str
    role: str
    door: Door
    is_recent: bool = True
    by_token: bool = False

    def may(self, right: str) -> bool:
        """Tell whether the role has the right. Raises `KeyError` for a right that does not exist."""
        if right not in ALL_RIGHTS:
            raise KeyError(right)
        return right in RIGHTS.get(self.role, frozenset())

    def require(self, right: str) -> None:
        if not self.may(right):
            raise Forbidden(right)

    def require_recent(self, right: str) -> None:
        """Raise `Forbidden` without the right, and `SignInAgain` without a sign-in within the last ten minutes."""
        self.require(right)
        if not self.is_recent:
            raise SignInAgain

    def owns(self, user_id: int | None) -> bool:
        """Tell whether a job belongs to the actor, or the actor manages the jobs of all users."""
        return (user_id is not None and user_id == self.user_id) or self.may("manage_tasks")

    def require_own(self, user_id: int | None) -> None:
        """Raise `Forbidden` unless `owns` holds."""
        if not self.owns(user_id):
            raise Forbidden("manage_tasks")


def system(door: Door = "task") -> Actor:
    """Return the actor of acts that no user ordered, such as seeding, sweeps and the sync; it has all rights."""
    return Actor(user_id=None, name="Sales Connect", role="administrator", door=door)
