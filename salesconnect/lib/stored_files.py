"""Files that are written before the rows that name them: gone again when the act fails.

A process that is killed in between leaves its file; the sweep of files without a row removes that one later.
"""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar
from uuid import uuid4

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db.models.fields.files import FieldFile

P = ParamSpec("P")
R = TypeVar("R")

_written: ContextVar[list[str] | None] = ContextVar("files_of_this_act", default=None)
logger = logging.getLogger(__name__)


def remove_files_on_failure(act: Callable[P, R]) -> Callable[P, R]:
    """Remove the files that `act` saved when it raises; within what repeats the act, so that each try cleans up."""

    @wraps(act)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if _written.get() is not None:
            return act(*args, **kwargs)
        names: list[str] = []
        token = _written.set(names)
        try:
            return act(*args, **kwargs)
        except BaseException:
            _remove(names)
            raise
        finally:
            _written.reset(token)

    return call


def save(field: FieldFile, name: str, content: File) -> None:
    """Store a file under a row that is to be saved after it, under a name of its own with the ending of `name`.

    On a full disk there is a file already when its content does not fit, and it goes too: its name is nobody else's.
    """
    unique = f"{uuid4().hex}{Path(name).suffix}"
    path = field.field.generate_filename(field.instance, unique)
    try:
        field.save(unique, content, save=False)
    except BaseException:
        _remove([path])
        raise
    names = _written.get()
    if names is not None:
        names.append(str(field.name))


def _remove(names: list[str]) -> None:
    for name in names:
        try:
            default_storage.delete(name)
        except OSError:
            logger.exception("The file %s of an act that failed cannot be removed", name)
