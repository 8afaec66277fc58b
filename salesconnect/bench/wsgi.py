"""The product with the bench's own addresses added."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salesconnect.settings")
settings.ROOT_URLCONF = "salesconnect.bench.urls"
application = get_wsgi_application()
