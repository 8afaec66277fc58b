"""The settings of `make dev`: errors with their traceback, templates and static files as they stand in the tree."""

from salesconnect.settings import *

DEBUG = True

# Templates are read again for each page, static files from where they are edited. `collectstatic` goes elsewhere, so
# that `make run` in the same tree keeps its own.
_PLAIN = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]
TEMPLATES = [{**TEMPLATES[0], "APP_DIRS": False, "OPTIONS": {**TEMPLATES[0]["OPTIONS"], "loaders": _PLAIN}}]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
STATIC_ROOT = DATA_DIR / "static"
