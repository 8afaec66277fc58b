"""The product with the bench's own addresses added."""

from django.conf import settings

from salesconnect.wsgi import application

__all__ = ["application"]

settings.ROOT_URLCONF = "salesconnect.bench.urls"
