"""The JSON parser of the API."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from salesconnect.lib.web.parsing import is_storable

DEPTH = 20


class StrictJSONParser(JSONParser):
    """JSON whose texts PostgreSQL can store and whose depth is limited; anything else is a 400."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
        except (RecursionError, json.JSONDecodeError, ValueError) as problem:
            raise ParseError(_("The body is not JSON that can be read.")) from problem
        check(data)
        return data


def check(value: Any, depth: int = 0) -> None:
    """Raise `ParseError` for NUL, lone surrogates, infinite numbers or deep nesting anywhere in a body."""
    if depth > DEPTH:
        raise ParseError(_("The body is nested more than %(depth)d deep.") % {"depth": DEPTH})
    if isinstance(value, str):
        if not is_storable(value):
            words = _("The body contains characters that cannot be stored: NUL or half of a surrogate pair.")
            raise ParseError(words)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ParseError(_("The body contains a number that is too large."))
    elif isinstance(value, dict):
        for key, item in value.items():
            check(key, depth + 1)
            check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            check(item, depth + 1)
