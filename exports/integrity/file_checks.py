"""Compares stored files with the rows that name them, for every `FileField`."""

import datetime as dt
from collections.abc import Iterator

from django.apps import apps
from django.core.files.storage import default_storage
from django.db.models import FileField, Model
from django.utils import timezone

from exports.integrity.check import DifferenceCount, pieces
from exports.models import PendingFileDeletion
from salesconnect.lib.actor import Actor

GRACE = dt.timedelta(hours=1)
"""The row of a younger file may not be committed yet."""
PIECE = 1_000


def fields() -> list[tuple[type[Model], str]]:
    return [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, FileField)
    ]


def folders() -> list[str]:
    found = {str(model._meta.get_field(name).upload_to).split("/")[0] for model, name in fields()}  # type: ignore[union-attr]
    return sorted(folder for folder in found if folder and "%" not in folder)


def missing() -> DifferenceCount:
    """Count the rows that name a file which is not there."""
    found = DifferenceCount()
    for model, name in fields():
        rows = model._base_manager.exclude(**{name: ""}).order_by("pk").values_list("pk", name)
        for piece in pieces(rows.iterator(chunk_size=PIECE), PIECE):
            absent = [pk for pk, file in piece if not default_storage.exists(file)]
            # Look again: row and file may have been deleted together since the row was read.
            still = list(model._base_manager.filter(pk__in=absent).exclude(**{name: ""}).values_list("pk", name))
            gone = [pk for pk, file in still if not default_storage.exists(file)]
            found += DifferenceCount(len(gone), f"{model._meta.model_name} {gone[0]}" if gone else "")
    return found


def without_row() -> DifferenceCount:
    """Count the files that no row names; files waiting for their deletion have a row."""
    found = DifferenceCount()
    for name in strays():
        found += DifferenceCount(1, name)
    return found


def strays() -> Iterator[str]:
    before = timezone.now() - GRACE
    for folder in folders():
        for piece in pieces(_names(folder), PIECE):
            named = set(PendingFileDeletion.objects.filter(name__in=piece).values_list("name", flat=True))
            for model, field in fields():
                named |= set(model._base_manager.filter(**{f"{field}__in": piece}).values_list(field, flat=True))
            for name in sorted({*piece} - named):
                if default_storage.exists(name) and default_storage.get_modified_time(name) < before:
                    yield name


def remove_strays(actor: Actor) -> int:
    """Delete files without a row. Whose data they hold is unknown, so no event can be written."""
    actor.require("delete_people")
    removed = 0
    for name in list(strays()):
        default_storage.delete(name)
        removed += 1
    return removed


def _names(folder: str) -> Iterator[str]:
    if not default_storage.exists(folder):
        return
    within, names = default_storage.listdir(folder)
    for name in names:
        yield f"{folder}/{name}"
    for each in within:
        yield from _names(f"{folder}/{each}")
