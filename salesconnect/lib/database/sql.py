"""SQL of more than a few lines stands in `.sql` files beside the modules that run it, and is put together only here.

Values are parameters, `%(name)s`. What no parameter can be, such as a list of columns or a query that the ORM has
compiled, stands in the text as `{name}` and is filled in.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_PART = re.compile(r"\{([a-z_]+)\}")


def statement(module: str, name: str, **parts: str) -> str:
    """Return the SQL of the file `name` beside a module, which gives its `__file__`, with its parts filled in."""
    return fill(_read(Path(module).parent / f"{name}.sql"), **parts)


def fill(text: str, **parts: str) -> str:
    """Replace each `{name}` in SQL by the part of that name: SQL too, never a value or anything that a user wrote."""
    if needless := parts.keys() - set(_PART.findall(text)):
        raise TypeError(f"The statement has no part {min(needless)}.")
    return _PART.sub(lambda found: parts[found[1]], text)


def listed(codes: Iterable[int]) -> str:
    """Return codes as the inside of an SQL list: for constants, which need no parameter."""
    return ", ".join(str(int(code)) for code in codes)


@cache
def _read(file: Path) -> str:
    return file.read_text()
