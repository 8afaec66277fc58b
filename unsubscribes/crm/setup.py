"""How a CRM is connected, declared by its provider: the page of the settings is made from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.utils.translation import gettext_lazy as _

from salesconnect.lib.text import Text
from unsubscribes.crm.models import SyncConnection


class Kind(Enum):
    """What a field of the form takes. A secret is never shown again."""

    LINE = "line"
    SECRET = "password"  # noqa: S105 - a kind of field
    LONG_SECRET = "key"  # noqa: S105
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class SetupField:
    """A field of the form; `shown_when` names the answer to which it belongs, as in `flow=jwt_bearer`.

    What `signs_in` is shown and not changed where the environment says how to sign in.
    """

    name: str
    label: Text
    help: Text = ""
    kind: Kind = Kind.LINE
    choices: Sequence[tuple[str, Any]] = ()
    shown_when: str = ""
    signs_in: bool = True

    @property
    def is_secret(self) -> bool:
        return self.kind in (Kind.SECRET, Kind.LONG_SECRET)


class Setup:
    """The form and the words of the page. A field has the name of a column of the connection, or is the `secret`.

    A provider whose form differs from its columns says in `initial`, `values` and `place_of` how they belong together.
    """

    fields: tuple[SetupField, ...] = (
        SetupField("login_url", _("Address")),
        SetupField("secret", _("Key"), kind=Kind.SECRET),
    )
    # What is to be done first, before the connection is tested.
    steps: tuple[Text, ...] = (_("Give its address and key here, and save."),)
    dry_run: Text = _("A dry run reads every record and tells what would change on both sides. It changes nothing.")

    def initial(self, connection: SyncConnection) -> dict[str, str]:
        """Return what the fields show; no secret."""
        return {field.name: getattr(connection, field.name) for field in self.fields if not field.is_secret}

    def values(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the columns of the connection and the `secret`, of what was given in the fields."""
        return dict(given)

    def place_of(self, name: str, given: Mapping[str, str]) -> str:
        """Return beside which field it is said that a column is wrong."""
        return name
