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
    """The actor has no right to this act; `right` names the one that is missing."""

    def __init__(self, right: str) -> None:
        super().__init__(right)
        self.right = right


class SignInAgain(Exception):  # noqa: N818 - reads as the answer it becomes
    """The act needs a sign-in of the last ten minutes: an open session alone does not show who sits there."""


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
        """Tell whether the role holds the right; an unknown right is a programming error."""
        if right not in ALL_RIGHTS:
            raise KeyError(right)
        return right in RIGHTS.get(self.role, frozenset())

    def require(self, right: str) -> None:
        """Raise `Forbidden` unless the role holds the right."""
        if not self.may(right):
            raise Forbidden(right)

    def require_recent(self, right: str) -> None:
        """Raise `Forbidden` unless the role holds the right, and `SignInAgain` unless it was shown who sits there."""
        self.require(right)
        if not self.is_recent:
            raise SignInAgain

    def owns(self, user_id: int | None) -> bool:
        """Tell whether an order that a user gave is the actor's own, or the actor manages those of everybody."""
        return (user_id is not None and user_id == self.user_id) or self.may("manage_tasks")

    def require_own(self, user_id: int | None) -> None:
        """Raise `Forbidden` unless an order is the actor's own, or the actor manages those of everybody."""
        if not self.owns(user_id):
            raise Forbidden("manage_tasks")


def system(door: Door = "task") -> Actor:
    """Return the actor of acts that no user ordered: seeding, sweeps, the sync."""
    return Actor(user_id=None, name="Sales Connect", role="administrator", door=door)
