"""The Celery application; its settings are Django's, prefixed CELERY_."""

import os
import sys

from celery import Celery
from celery.signals import beat_init, worker_init

from salesconnect.operations import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salesconnect.settings")

broker.install()
app = Celery("salesconnect")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["salesconnect.operations"], related_name="heartbeat")


@worker_init.connect
@beat_init.connect
def check_keys(**_: object) -> None:
    """Exit if a key does not fit the database."""
    from salesconnect.operations import key_fit  # noqa: PLC0415 (it needs the apps, which are set up by now)

    if problem := key_fit.problem_at_start():
        sys.stderr.write(f"{problem}\n")
        sys.exit(2)
