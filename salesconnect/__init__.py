"""The project package: wiring on top, helpers that know no app in `lib`."""

from salesconnect.celery import app as celery_app

__all__ = ["celery_app"]
