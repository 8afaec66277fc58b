"""Files that are written before the rows that name them, and removed again when the act fails.

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
    """Decorate an act so that the files it saved are removed when it raises.

    It stands inside the decorator that repeats the act, so that every attempt cleans up after itself.
    """

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

    When the disk is full, an incomplete file remains; it is removed too, which is safe because the name is unique.
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
            logger.exception("Cannot remove the file %s of an act that failed", name)
