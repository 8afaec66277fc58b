"""Encrypt the secrets of the second step of sign-in that were stored before they were encrypted."""

from typing import Any

from django.db import migrations

from salesconnect.lib.encryption import is_encrypted, encrypt, decrypt


def sealed(text: str) -> str:
    """Return a text encrypted, once."""
    return text if is_encrypted(text) else encrypt(text)


def opened(text: str) -> str:
    """Return a text as it was; what no present key opens stays closed."""
    return (decrypt(text) or text) if is_encrypted(text) else text


def _each(apps: Any, change: Any) -> None:
    for row in apps.get_model("mfa", "Authenticator").objects.filter(type__in=["totp", "recovery_codes"]):
        row.data = {name: _changed(value, change) for name, value in row.data.items()}
        row.save(update_fields=["data"])


def _changed(value: Any, change: Any) -> Any:
    if isinstance(value, list):
        return [_changed(each, change) for each in value]
    return change(value) if isinstance(value, str) else value


def seal_all(apps: Any, _editor: Any) -> None:
    """Encrypt every secret."""
    _each(apps, sealed)


def open_all(apps: Any, _editor: Any) -> None:
    """Store every secret readable again, for the version before."""
    _each(apps, opened)


class Migration(migrations.Migration):
    dependencies = [("contacts", "0009_one_address_each"), ("mfa", "0003_authenticator_type_uniq")]
    operations = [migrations.RunPython(seal_all, open_all)]
