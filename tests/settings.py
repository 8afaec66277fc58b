"""The settings under test: the product's own, with data of their own and fast passwords."""

import os
from pathlib import Path

os.environ.setdefault("SALESCONNECT_DATA", str(Path(__file__).resolve().parent.parent / ".data" / "test"))
os.environ.setdefault("SALESCONNECT_URL", "http://testserver")

from salesconnect.settings import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# The names with hashes exist only after collectstatic.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_AUTOREFRESH = True
# A worker that a test starts works on that test's database.
DATABASES["default"]["NAME"] = os.environ.get("SALESCONNECT_TEST_DATABASE", DATABASES["default"]["NAME"])
