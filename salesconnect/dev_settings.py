"""Settings of `make dev`: tracebacks, and templates and static files read from the working tree."""

from salesconnect.settings import *

DEBUG = True

# Templates are read again for each page, static files from where they are edited. `collectstatic` goes elsewhere, so
# that `make run` in the same tree keeps its own.
_PLAIN = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]
TEMPLATES = [{**TEMPLATES[0], "APP_DIRS": False, "OPTIONS": {**TEMPLATES[0]["OPTIONS"], "loaders": _PLAIN}}]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
STATIC_ROOT = DATA_DIR / "static"
