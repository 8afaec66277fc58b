"""What an act asks for: one declaration, from which the form of the page and the body of the API are made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from contacts.models import User
from salesconnect.lib.errors import Invalid
from salesconnect.lib.text import Text

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TextParameter:
    name: str
    label: Text
    help_text: Text
    limit: int

    def stored(self, values: Values) -> dict[str, Any]:
        text = str(values.get(self.name) or "").strip()
        if len(text) > self.limit:
            raise Invalid({self.name: [_("Use at most %(limit)d characters.") % {"limit": self.limit}]})
        return {self.name: text}


@dataclass(frozen=True, slots=True)
class FlagParameter:
    name: str
    label: Text

    def stored(self, values: Values) -> dict[str, Any]:
        return {self.name: bool(values.get(self.name))}


@dataclass(frozen=True, slots=True)
class UserParameter:
    name: str
    label: Text
    nobody: Text

    def stored(self, values: Values) -> dict[str, Any]:
        """Return the user's number as an order stores it, and the name for its headline; null for nobody."""
        user: User | None = values[self.name]
        if user is not None and not user.is_active:
            raise Invalid({self.name: [_("This account is closed.")]})
        return {self.name: user.pk if user else None, f"{self.name}_name": str(user) if user else None}


Parameter = TextParameter | FlagParameter | UserParameter
