"""Every address of the site is one that the product means, those of included libraries too."""

from collections.abc import Iterator

import pytest
from django.urls import URLPattern, get_resolver

OURS = {"salesconnect", "contacts", "compliance", "unsubscribes", "exports"}
OF_LIBRARIES = {
    "": "home",
    "accounts/login/": "account_login",
    "accounts/logout/": "account_logout",
    "accounts/inactive/": "account_inactive",
    "accounts/reauthenticate/": "account_reauthenticate",
    "accounts/password/change/": "account_change_password",
    "accounts/password/reset/": "account_reset_password",
    "accounts/password/reset/done/": "account_reset_password_done",
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "account_reset_password_from_key",
    "accounts/password/reset/key/done/": "account_reset_password_from_key_done",
    "accounts/2fa/": "mfa_index",
    "accounts/2fa/authenticate/": "mfa_authenticate",
    "accounts/2fa/reauthenticate/": "mfa_reauthenticate",
    "accounts/2fa/totp/activate/": "mfa_activate_totp",
    "accounts/2fa/totp/deactivate/": "mfa_deactivate_totp",
    "accounts/2fa/recovery-codes/": "mfa_view_recovery_codes",
    "accounts/2fa/recovery-codes/generate/": "mfa_generate_recovery_codes",
    "accounts/2fa/recovery-codes/download/": "mfa_download_recovery_codes",
    "api/v1/schema/": "schema",
}
NOT_MEANT = [
    "email/",
    "confirm-email/",
    "confirm-email/MQ:1vX/",
    "signup/",
    "password/set/",
    "login/code/",
    "login/code/confirm/",
    "2fa/webauthn/",
    "2fa/trust/",
    "3rdparty/",
    "sessions/",
    "",
]


def of_libraries(patterns=None, prefix: str = "") -> Iterator[tuple[str, str | None]]:
    """Yield address and name of everything that is answered by code that is not ours."""
    for pattern in patterns or get_resolver().url_patterns:
        address = prefix + str(pattern.pattern)
        if not isinstance(pattern, URLPattern):
            yield from of_libraries(pattern.url_patterns, address)
            continue
        view = getattr(pattern.callback, "view_class", None) or getattr(pattern.callback, "cls", pattern.callback)
        if view.__module__.partition(".")[0] not in OURS:
            yield address, pattern.name


def test_every_address_of_a_library_is_meant():
    assert dict(of_libraries()) == OF_LIBRARIES


@pytest.mark.parametrize("path", NOT_MEANT)
def test_what_allauth_would_add_is_not_there(signed_in, path):
    for method in ("get", "post"):
        assert getattr(signed_in, method)(f"/accounts/{path}").status_code == 404


def test_every_page_of_signing_in_opens(client, signed_in, db):
    for path in ("login/", "inactive/", "password/reset/", "password/reset/done/", "password/reset/key/done/"):
        assert client.get(f"/accounts/{path}").status_code == 200
    assert client.get("/accounts/password/reset/key/1-x/").status_code == 200
    for path in ("logout/", "reauthenticate/", "password/change/", "2fa/"):
        assert signed_in.get(f"/accounts/{path}").status_code == 200
