"""Signing in: client credentials and JWT bearer; who am I; signing out."""

import base64
import binascii
import hmac
from hashlib import sha256

import jwt

from tests.salesforce_org.org import SalesforceOrg
from tests.salesforce_org.web import Request, Response

TOKEN, REVOKE, USER_INFO = "/services/oauth2/token", "/services/oauth2/revoke", "/services/oauth2/userinfo"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class SignInError(Exception):
    """A refused sign-in: an error and its description."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.body = {"error": error, "error_description": description}


def token(org: SalesforceOrg, request: Request) -> Response:
    """Give out an access token; refusals are a 400 with one object, not the list of the REST API."""
    try:
        user_id = _user(org, request)
    except SignInError as error:
        return Response(400, error.body)
    return Response(200, _granted(org, user_id), {"Cache-Control": "no-cache, no-store"})


def _user(org: SalesforceOrg, request: Request) -> str:
    grants = {"client_credentials": client_credentials, JWT_BEARER: jwt_bearer}
    grant = grants.get(request.form.get("grant_type", ""))
    if request.method != "POST" or grant is None:
        raise SignInError("unsupported_grant_type", "grant type not supported")
    user_id = grant(org, request)
    user = org.store.row("User", user_id)
    if not user or not user["IsActive"]:
        raise SignInError("inactive_user", "user is inactive")
    return user_id


def _granted(org: SalesforceOrg, user_id: str) -> dict[str, str]:
    session = org.sessions.start(user_id, org.organization_id)
    identity = f"{org.url}/id/{org.organization_id}/{user_id}"
    issued_at = str(int(org.clock.time() * 1000))
    digest = hmac.new(org.sessions.app.client_secret.encode(), (identity + issued_at).encode(), sha256).digest()
    return {
        "access_token": session.token,
        "signature": base64.b64encode(digest).decode(),
        "token_format": "opaque",
        "scope": "api",
        "instance_url": org.settings.instance_url or org.url,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
    }


def client_credentials(org: SalesforceOrg, request: Request) -> str:
    """Return the user that the app runs as; its key and secret come in the form or as HTTP Basic."""
    app = org.sessions.app
    client_id, secret = _basic(request) or (request.form.get("client_id"), request.form.get("client_secret"))
    if client_id != app.client_id:
        raise SignInError("invalid_client_id", "client identifier invalid")
    if secret != app.client_secret:
        raise SignInError("invalid_client", "invalid client credentials")
    if app.run_as is None:
        raise SignInError("invalid_grant", "no client credentials user enabled")
    return app.run_as


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise SignInError("invalid_client", "invalid client credentials") from None
    return client_id, secret


def jwt_bearer(org: SalesforceOrg, request: Request) -> str:
    """Return the user that a signed assertion names, when the app and the user allow it."""
    app, assertion = org.sessions.app, request.form.get("assertion", "")
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
        if claims.get("iss") != app.client_id:
            raise SignInError("invalid_client_id", "client identifier invalid")
        # The times are checked below, by the org's clock.
        options = {
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
            "require": ["iss", "sub", "aud", "exp"],
        }
        audiences = [*app.audiences, org.url]
        jwt.decode(assertion, app.public_key or "", algorithms=["RS256"], audience=audiences, options=options)
    except jwt.InvalidAudienceError:
        raise SignInError("invalid_grant", "audience is invalid") from None
    except (jwt.PyJWTError, ValueError):
        raise SignInError("invalid_grant", "invalid assertion") from None
    if int(claims["exp"]) <= org.clock.time():
        raise SignInError("invalid_grant", "expired assertion")
    if claims["sub"] not in app.approved:
        raise SignInError("invalid_grant", "user hasn't approved this consumer")
    return org.people.user_id(claims["sub"])


def bearer(request: Request) -> str:
    """Return the token that a request carries."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value if scheme.lower() in {"bearer", "oauth"} else ""


def revoke(org: SalesforceOrg, request: Request) -> Response:
    """End a session."""
    ended = org.sessions.end(request.form.get("token") or request.query.get("token") or "-")
    body = {"error": "unsupported_token_type", "error_description": "this token type is not supported"}
    return Response(200, "") if ended else Response(400, body)


def user_info(org: SalesforceOrg, request: Request) -> Response:
    """Tell who the token's user is and which org this is."""
    session = org.sessions.find(bearer(request))
    if session is None:
        return Response(403, "Bad_OAuth_Token", {"Content-Type": "text/html"})
    user = org.store.row("User", session.user_id) or {}
    identity = {
        "sub": f"{org.url}/id/{org.organization_id}/{session.user_id}",
        "user_id": session.user_id,
        "organization_id": org.organization_id,
        "preferred_username": user["Username"],
        "name": user["Name"],
        "email": user["Email"] or user["Username"],
        "active": bool(user["IsActive"]),
        "urls": {"rest": f"{org.url}/services/data/v{{version}}/"},
    }
    return Response(200, identity)
