"""Who acts, through which door, and what each role may do: the one list of rights."""

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from salesconnect.lib.doors import Door

AUDITOR_RIGHTS = frozenset({"view_people", "export_people", "verify_history"})
MEMBER_RIGHTS = AUDITOR_RIGHTS | {
    "create_people",
    "edit_people",
    "import_people",
    "delete_people",
    "mail_people",
    "unsubscribe_people",
    "merge_people",
    "restrict_people",
    "handle_requests",
}
ALL_RIGHTS = MEMBER_RIGHTS | {
    "reconsent_people",
    "edit_policy",
    "edit_retention",
    "import_suppressions",
    "manage_salesforce",
    "edit_team",
    "manage_users",
    "manage_tasks",
}


class Role(TextChoices):
    """What a user is in the team; `RIGHTS` says what each role may do."""

    ADMINISTRATOR = "administrator", _("Administrator")
    MEMBER = "member", _("Member")
    AUDITOR = "auditor", _("Auditor")


RIGHTS: dict[str, frozenset[str]] = {
    Role.ADMINISTRATOR: ALL_RIGHTS,
    Role.MEMBER: MEMBER_RIGHTS,
    Role.AUDITOR: AUDITOR_RIGHTS,
}


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
