"""Static files under names that change with their content."""

from functools import cache

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestFilesMixin
from django.core.files.storage import Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage  # type: ignore[import-untyped]

SAMPLE = "css/base.css"


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Whitenoise's storage with cached URLs: a page needs thirty, and they do not change while the process runs."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.url = cache(super().url)


def are_there(storage: Storage) -> bool:
    """Tell whether a page's stylesheet exists under the URL that the page would use."""
    try:
        storage.url(SAMPLE)
    except ValueError:
        return False
    if isinstance(storage, ManifestFilesMixin):
        return storage.exists(storage.stored_name(SAMPLE))
    return finders.find(SAMPLE) is not None
