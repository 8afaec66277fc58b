"""Where the roots of seals go: set by administrators, and how it stands with each way."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from contacts.models import RootDelivery, RootPlaces
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Invalid
from salesconnect.lib.outcome import Outcome
from salesconnect.lib.web import outgoing

MAIL, WEBHOOK, TIMESTAMP = "mail", "webhook", "timestamp"
FIELDS = {"mail_to": MAIL, "webhook_url": WEBHOOK, "timestamp_url": TIMESTAMP}
SCHEMES = {"webhook_url": ("https",), "timestamp_url": ("https", "http")}
"""A timestamp is signed by itself, and most authorities know nothing but plain HTTP."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One way that is set: where to, and how far it is."""

    way: str
    target: str
    delivery: RootDelivery | None

    @property
    def shown(self) -> str:
        """Return the target as those see it who do not set it: of an address the host, for the rest may be a secret."""
        parts = urlsplit(self.target)
        if self.way == MAIL or not parts.hostname:
            return self.target
        host = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"
        return host if self.target in (host, host[:-1]) else f"{host}…"


def current() -> RootPlaces:
    """Return where the roots go; nowhere but into the file before anybody set more."""
    return RootPlaces.objects.filter(pk=1).first() or RootPlaces()


def destinations() -> list[Destination]:
    places, known = current(), RootDelivery.objects.in_bulk()
    ways = ((way, str(getattr(places, field))) for field, way in FIELDS.items())
    return [Destination(way, target, known.get(way)) for way, target in ways if target]


def secret(url: str) -> str:
    """Return the secret that signs what a webhook gets; whoever sets the address is shown it."""
    return hmac.new(
        settings.ENCRYPTION_KEY.partition(",")[0].strip().encode(), f"root webhook {url}".encode(), sha256
    ).hexdigest()


@transaction.atomic
def change(values: Mapping[str, str], *, actor: Actor) -> Outcome:
    """Store where the roots go; a way that is set anew gets the newest root at once. Raises `Invalid`."""
    actor.require_recent("edit_team")
    errors = {name: [message] for name in SCHEMES if (message := _objection(name, values[name]))}
    if errors:
        raise Invalid(errors)
    stored, _created = RootPlaces.objects.select_for_update().get_or_create(pk=1)
    changed = [name for name in FIELDS if getattr(stored, name) != values[name]]
    for name in changed:
        setattr(stored, name, values[name])
    stored.save()
    RootDelivery.objects.filter(way__in=[FIELDS[name] for name in changed]).delete()
    return Outcome(changed=1) if changed else Outcome(unchanged=1)


def _objection(name: str, url: str) -> str:
    if url and urlsplit(url).scheme not in SCHEMES[name]:
        return _("Give an address that begins with https://.")
    try:
        if url:
            outgoing.check(url)
    except outgoing.HostRefused as refusal:
        return str(refusal)
    return ""
