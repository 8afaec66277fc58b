"""How Salesforce is connected: the fields of the form and its words."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from unsubscribes.crm.models import STANDARD_FIELD, SyncConnection
from unsubscribes.crm.setup import Kind, Setup, SetupField

OWN = "own"
Flow = SyncConnection.Flow
BY_SECRET, BY_KEY = f"flow={Flow.CLIENT_CREDENTIALS}", f"flow={Flow.JWT_BEARER}"


class SalesforceSetup(Setup):
    """An app of the org, and the checkbox that holds the opt-out."""

    fields = (
        SetupField("flow", _("How the app signs in"), kind=Kind.CHOICE, choices=Flow.choices),
        SetupField(
            "login_url", _("Login URL"), _("The My Domain address of the org, as in https://exempel.my.salesforce.com.")
        ),
        SetupField(
            "client_id", _("Consumer key"), _("Of the External Client App that was made for this in Salesforce.")
        ),
        SetupField("client_secret", _("Consumer secret"), kind=Kind.SECRET, shown_when=BY_SECRET),
        SetupField("username", _("Username"), _("The Salesforce user in whose name the app acts."), shown_when=BY_KEY),
        SetupField("private_key", _("Private key"), kind=Kind.LONG_SECRET, shown_when=BY_KEY),
        SetupField(
            "field",
            _("Field that holds the opt-out"),
            kind=Kind.CHOICE,
            choices=((STANDARD_FIELD, _("Email Opt Out (HasOptedOutOfEmail)")), (OWN, _("A checkbox of your own"))),
            signs_in=False,
        ),
        SetupField(
            "own_field",
            _("API name of the checkbox"),
            _("The same on Contact and Lead; it ends in __c."),
            shown_when=f"field={OWN}",
            signs_in=False,
        ),
    )
    steps = (
        _(
            "In Salesforce, make an External Client App with the scope api, and let it act as a user who may edit "
            "Contacts and Leads and has View All on both."
        ),
        _("Give its address, key and secret here, and save."),
    )
    dry_run = _("A dry run reads every Contact and Lead and tells what would change on both sides. It changes nothing.")

    def initial(self, connection: SyncConnection) -> dict[str, str]:
        """Return what the fields show: the standard field, or the own one by its name."""
        own = connection.opt_out_field != STANDARD_FIELD
        kept = {name: getattr(connection, name) for name in ("flow", "login_url", "client_id", "username")}
        of_field = {"field": OWN if own else STANDARD_FIELD, "own_field": connection.opt_out_field if own else ""}
        return kept | of_field

    def values(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the columns; the secret is that of the way in which the app signs in."""
        taken = dict(given)
        own, field = taken.pop("own_field", "").strip(), taken.pop("field", "")
        secrets = {name: taken.pop(name, "") for name in ("client_secret", "private_key")}
        taken["secret"] = secrets[_secret(given)]
        taken["opt_out_field"] = own if field == OWN else STANDARD_FIELD
        return taken

    def place_of(self, name: str, given: Mapping[str, str]) -> str:
        """Return the field of a column."""
        return {"secret": _secret(given), "opt_out_field": "own_field"}.get(name, name)


def _secret(given: Mapping[str, str]) -> str:
    return "private_key" if given.get("flow") == Flow.JWT_BEARER else "client_secret"
