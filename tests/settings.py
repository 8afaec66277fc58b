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

# Processes that test side by side share the server of Redis, but no part of it: some tests empty theirs.
_PART = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 16
REDIS_URL = REDIS_URL.replace("?db=0", f"?db={_PART}")
CELERY_BROKER_URL = CELERY_BROKER_URL.replace("?virtual_host=0", f"?virtual_host={_PART}")
CACHES = {name: cache | {"LOCATION": REDIS_URL} for name, cache in CACHES.items()}
