"""The credentials of an org: validates those of the form, and reads those of the environment."""

import re
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.utils.translation import gettext as _

from salesconnect.lib.encryption import decrypt_or_empty
from salesconnect.lib.errors import Invalid
from unsubscribes.crm.models import STANDARD_FIELD, SyncConnection
from unsubscribes.crm.salesforce.api import hosts

Flow = SyncConnection.Flow
# The name goes into queries as it is, so only the standard field or the API name of a custom one is allowed.
FIELD = re.compile(rf"{STANDARD_FIELD}|[A-Za-z]\w{{0,76}}__c", re.ASCII)


def faults(row: SyncConnection, secret: str) -> dict[str, str]:
    found: dict[str, str] = {}
    by_key = row.flow == Flow.JWT_BEARER
    if not hosts.is_safe(row.login_url):
        found["login_url"] = _(
            "Give the org's address at Salesforce: it begins with https:// and ends in %(hosts)s."
        ) % {"hosts": ", ".join(f".{host}" for host in (*hosts.SALESFORCE, *settings.SALESFORCE_HOSTS))}
    if not row.client_id:
        found["client_id"] = _("Give the consumer key of the app.")
    if by_key and not row.username:
        found["username"] = _("Give the user in whose name the app signs in.")
    if not (secret or row.secret):
        found["secret"] = _("Give the consumer secret, or the private key.")
    elif by_key and not _is_key(secret or decrypt_or_empty(row.secret)):
        found["secret"] = _("This is no private key in PEM form, or it has a passphrase.")
    if not FIELD.fullmatch(row.opt_out_field):
        found["opt_out_field"] = _("Give the API name of a custom checkbox, which ends in __c.")
    return found


def _is_key(text: str) -> bool:
    try:
        load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError):
        return False
    return True


def environment() -> dict[str, str] | None:
    """Return how the environment signs in; None when it does not say."""
    if not (settings.SALESFORCE_LOGIN_URL and settings.SALESFORCE_CLIENT_ID):
        return None
    return {
        "flow": str(Flow.JWT_BEARER if settings.SALESFORCE_JWT_KEY_FILE else Flow.CLIENT_CREDENTIALS),
        "login_url": settings.SALESFORCE_LOGIN_URL,
        "client_id": settings.SALESFORCE_CLIENT_ID,
        "username": settings.SALESFORCE_USERNAME,
    }


def environment_secret() -> str:
    """Return the secret or the key. Raises `Invalid` when the file of the key cannot be read."""
    if not settings.SALESFORCE_JWT_KEY_FILE:
        return settings.SALESFORCE_CLIENT_SECRET
    try:
        return Path(settings.SALESFORCE_JWT_KEY_FILE).read_text()
    except (OSError, UnicodeDecodeError):
        raise Invalid({"secret": [_("The file of the private key cannot be read.")]}) from None
