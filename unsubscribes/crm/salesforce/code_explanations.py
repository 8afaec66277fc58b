"""Salesforce's codes, and those of the sync that are about Salesforce, in plain words with what to do."""

from django.utils.translation import gettext_lazy as _

from unsubscribes.crm.values import Explanation

_SIGN_IN = _("Check consumer key, secret or key, and that the app has a user to run as.")
_RULE = _("Change the rule or the record in Salesforce, then press Retry. It is also tried again once a day.")
_ACCESS = _("Give the user of the app edit access to the object and to the field, then press Retry.")
_BY_ITSELF = _("Nothing: it is tried again by itself.")
_SEEMS_GONE = _("Salesforce answers as if there were no such record, but does not say that it was deleted")
_SEE = _(
    "Let the user of the app see the record and use its record type, or correct the Salesforce ID; then press Retry."
)

CODES: dict[str, Explanation] = {
    "INVALID_FIELD": (
        _("The opt-out field is hidden"),
        _("Make the field visible to the user of the app (field-level security). The other object goes on meanwhile."),
    ),
    "INVALID_TYPE": (_("The object is hidden"), _("Give the user of the app access to the object.")),
    "UNABLE_TO_LOCK_ROW": (_("Somebody else was writing the record"), _BY_ITSELF),
    "ENTITY_IS_LOCKED": (_("The record is locked by an approval"), _("Nothing: it is tried again every hour.")),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": (_("A validation rule refuses the record"), _RULE),
    "FIELD_FILTER_VALIDATION_EXCEPTION": (_("A lookup filter refuses the record"), _RULE),
    "REQUIRED_FIELD_MISSING": (_("A required field of the record is empty"), _RULE),
    "STRING_TOO_LONG": (_("A text of the record is too long"), _RULE),
    "DUPLICATES_DETECTED": (_("A duplicate rule refuses the record"), _RULE),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": (_("A trigger refuses the record"), _RULE),
    "INSUFFICIENT_ACCESS_OR_READONLY": (_("The record may only be read"), _ACCESS),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": (_("The record may not be seen"), _ACCESS),
    "INVALID_FIELD_FOR_INSERT_UPDATE": (_("The opt-out field may only be read"), _ACCESS),
    "MALFORMED_ID": (_("There is no such Salesforce ID"), _("Correct the Salesforce ID of the person.")),
    "CANNOT_EXECUTE_FLOW_TRIGGER": (_("A flow refuses the record"), _RULE),
    "INVALID_CROSS_REFERENCE_KEY": (_SEEMS_GONE, _SEE),
    "ENTITY_IS_DELETED": (_SEEMS_GONE, _SEE),
    "UNPROCESSED": (_("Salesforce ended the job before this record"), _BY_ITSELF),
    "REQUEST_LIMIT_EXCEEDED": (
        _("The org's API calls of the day are used up"),
        _("Nothing: it goes on when calls are free again. What waits is kept."),
    ),
    "ORG_LIMIT_NEAR": (
        _("The org's API calls of the day are nearly used up"),
        _("Nothing: reading waits, opt-outs are still written."),
    ),
    "invalid_client": (_("Salesforce does not know the app or its secret"), _SIGN_IN),
    "invalid_client_id": (_("Salesforce does not know the app"), _SIGN_IN),
    "invalid_grant": (_("Salesforce refuses the sign-in"), _SIGN_IN),
    "INVALID_SESSION_ID": (_("Salesforce ends every session at once"), _SIGN_IN),
    "BAD_PRIVATE_KEY": (_("The private key cannot be used"), _("Give the private key anew.")),
    "OTHER_ORG": (
        _("The app opens another org than before"),
        _("Check the login URL; to move to the other org, disconnect first."),
    ),
    "INSTANCE_MOVED": (
        _("Salesforce sends us to another address"),
        _("Check the login URL: the My Domain of the org may have been renamed. It is also tried again once an hour."),
    ),
    "LOGIN_URL_MOVED": (
        _("The login URL sends us to another address"),
        _("Give the new login URL of the org: its My Domain may have been renamed."),
    ),
    "NOT_SALESFORCE": (_("Something else than Salesforce answers, or Salesforce is down for maintenance"), _BY_ITSELF),
    "UNSAFE_INSTANCE_URL": (_("Salesforce names an address that is none of its own"), _("Check the login URL.")),
    "UNSAFE_LOGIN_URL": (
        _("The login URL is no address of Salesforce's"),
        _("Give the org's address at Salesforce, with https, in the settings."),
    ),
    "API_DISABLED_FOR_ORG": (_("The org or the user may not use the API"), _("Let the user of the app use the API.")),
    "NO_ANSWER": (_("Salesforce cannot be reached"), _BY_ITSELF),
    "BAD_BODY": (_("Salesforce's answer could not be read"), _BY_ITSELF),
    "UNCONDITIONAL_WRITES": (
        _("Salesforce writes a record though it has changed meanwhile"),
        _(
            "No new consent is written to Salesforce until that is mended: look for a proxy that removes the header "
            "If-Unmodified-Since, then test the connection."
        ),
    ),
    "INVALID_QUERY_LOCATOR": (_("Salesforce forgot a list while it was read"), _BY_ITSELF),
}
