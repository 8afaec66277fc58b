"""The CRMs that there are, by name. A new one is a folder beside `salesforce/` and a line here."""

from collections.abc import Iterator

from django.utils.module_loading import import_string

from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.provider import Provider

# By name, so that nothing in here depends on any one of them.
PROVIDERS = {
    "salesforce": "unsubscribes.crm.salesforce.provider.Salesforce",
}
DEFAULT = "salesforce"


def of(connection: SyncConnection) -> Provider:
    return named(connection.provider)


def current() -> Provider:
    return named(SyncConnection.objects.values_list("provider", flat=True).first() or DEFAULT)


def named(key: str) -> Provider:
    provider: Provider = import_string(PROVIDERS[key])()
    return provider


def shown() -> Provider:
    """Return the CRM of which texts speak; only where there are several, it is looked up which is connected."""
    return named(DEFAULT) if len(PROVIDERS) == 1 else current()


def spoken_of() -> str:
    return shown().name


def names_of_sources() -> dict[str, str]:
    """Return what the CRM is called from which opt-outs of a source come, where that is one alone."""
    names: dict[str, list[str]] = {}
    for crm in every():
        names.setdefault(crm.source, []).append(crm.name)
    return {source: found[0] for source, found in names.items() if len(found) == 1}


def every() -> Iterator[Provider]:
    return (named(key) for key in PROVIDERS)
