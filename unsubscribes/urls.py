"""The addresses of mail and of the way out of it."""

from django.urls import re_path

from unsubscribes import public

urlpatterns = [
    # Whatever follows /u/ is a token, damaged or not, with or without the slash that mail programs like to drop.
    re_path(r"^u/(?P<token>[\s\S]*?)/?$", public.unsubscribe, name="unsubscribe-link"),
]
