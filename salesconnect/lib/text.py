"""The type of a text that people read."""

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Text: TypeAlias = "str | _StrPromise"
"""A string, or a text that is translated when it is shown (`gettext_lazy`)."""
