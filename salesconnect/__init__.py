"""The project package: settings and entry points, the fronts `pages` and `api`, and helpers without apps in `lib`."""

from salesconnect.celery import app as celery_app

__all__ = ["celery_app"]
