"""Tokens: who gets one, who does not, and what the refusals look like."""

import time

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.salesforce_org_tests.conftest import SECONDS, error

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def trusted(org, key):
    """Let the org trust the key, and return a function that signs claims with it."""
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    org.app(public_key=public.decode())

    def sign(signer=key, **claims):
        standard = {"iss": org.client_id, "sub": org.username, "aud": "https://login.salesforce.com"}
        return jwt.encode({**standard, "exp": int(time.time()) + 180, **claims}, signer, algorithm="RS256")

    return sign


def token(org, basic=None, **form):
    return requests.post(f"{org.url}/services/oauth2/token", data=form, auth=basic, timeout=SECONDS)


def by_secret(org, **changes):
    form = {"grant_type": "client_credentials", "client_id": org.client_id, "client_secret": org.client_secret}
    return token(org, **{**form, **changes})


def by_jwt(org, assertion):
    return token(org, grant_type=JWT_BEARER, assertion=assertion)


def refusal(response):
    assert response.status_code == 400
    return response.json()["error"], response.json()["error_description"]


def test_a_secret_in_the_form_gives_a_token_of_the_documented_shape(org):
    answer = by_secret(org).json()
    assert answer.keys() == {
        "access_token", "signature", "token_format", "scope", "instance_url", "id", "token_type", "issued_at",
    }  # fmt: skip
    assert answer["access_token"].startswith("00D")
    assert answer["instance_url"] == org.url
    assert answer["issued_at"].isdigit()
    assert len(answer["issued_at"]) == 13


def test_a_secret_as_http_basic_gives_a_token(org):
    response = token(org, basic=(org.client_id, org.client_secret), grant_type="client_credentials")
    assert response.status_code == 200


def test_a_signed_assertion_gives_a_token(org, trusted):
    assert by_jwt(org, trusted()).status_code == 200


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"client_secret": "wrong"}, ("invalid_client", "invalid client credentials")),
        ({"client_id": "unknown"}, ("invalid_client_id", "client identifier invalid")),
        ({"grant_type": "password"}, ("unsupported_grant_type", "grant type not supported")),
    ],
)
def test_wrong_credentials_are_refused_with_one_object(org, changes, expected):
    assert refusal(by_secret(org, **changes)) == expected


def test_an_app_without_a_user_to_run_as_is_refused(org):
    org.app(run_as=None)
    assert refusal(by_secret(org)) == ("invalid_grant", "no client credentials user enabled")


def test_an_inactive_user_is_refused_and_signed_out(org, api):
    org.user("integration", active=False)
    assert refusal(by_secret(org)) == ("inactive_user", "user is inactive")
    assert error(api.get("/limits")) == (401, "INVALID_SESSION_ID")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"iss": "unknown"}, ("invalid_client_id", "client identifier invalid")),
        ({"aud": "https://example.com"}, ("invalid_grant", "audience is invalid")),
        ({"exp": 1_600_000_000}, ("invalid_grant", "expired assertion")),
        ({"sub": "sally@acme.example"}, ("invalid_grant", "user hasn't approved this consumer")),
    ],
)
def test_a_wrong_claim_is_refused(org, trusted, claims, expected):
    assert refusal(by_jwt(org, trusted(**claims))) == expected


def test_an_assertion_signed_with_another_key_is_refused(org, trusted):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert refusal(by_jwt(org, trusted(signer=other))) == ("invalid_grant", "invalid assertion")


def test_an_unsigned_assertion_is_refused(org, trusted):
    claims = {"iss": org.client_id, "sub": org.username, "aud": org.url, "exp": time.time() + 60}
    assert refusal(by_jwt(org, jwt.encode(claims, None, algorithm="none"))) == ("invalid_grant", "invalid assertion")


def test_an_assertion_expires_by_the_clock_of_the_org(org, trusted):
    org.clock(advance=600)
    assert refusal(by_jwt(org, trusted())) == ("invalid_grant", "expired assertion")


def test_user_info_names_the_user_and_the_org(org, api):
    body = api.get("/services/oauth2/userinfo").json()
    assert body["user_id"] == org.user_ids()["integration"]
    assert body["organization_id"] == org.organization_id


def test_a_revoked_token_is_no_longer_taken(org, api):
    token_text = api.session.headers["Authorization"].removeprefix("Bearer ")
    assert api.request("POST", "/services/oauth2/revoke", data={"token": token_text}).status_code == 200
    assert error(api.get("/limits")) == (401, "INVALID_SESSION_ID")


def test_a_token_ends_when_its_time_is_over_or_when_it_is_ended(org, api):
    org.clock(advance=7300)
    assert error(api.get("/limits")) == (401, "INVALID_SESSION_ID")
    api.sign_in()
    assert api.get("/limits").status_code == 200
    assert org.expire_tokens() == 2
    assert error(api.get("/limits")) == (401, "INVALID_SESSION_ID")


def test_the_journal_holds_no_token_and_no_secret(org, api):
    by_secret(org)
    api.get("/limits")
    text = str(org.journal())
    assert org.client_secret not in text
    assert api.session.headers["Authorization"] not in text
