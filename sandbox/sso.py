"""Identity Center as its clients see it: registration, tokens, assignments, role credentials. No pages."""

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.engine import Engine
from sandbox.organization import BASTION_ID, BASTION_NAME, START_URL, Organization
from sandbox.state import Record
from sandbox.tickets import Tickets

_HOUR = 3600
_CLIENT_LIFE = 90 * 24 * _HOUR
_SIGN_IN_LIFE = 8 * _HOUR
_DEVICE_LIFE = 600
_CODE_LIFE = 60
_ROLE_LIFE = _HOUR
_REFRESH_SCOPE = "sso:account:access"
_USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True)
class Refusal(Exception):
    """An OAuth error as Identity Center words it."""

    kind: str
    error: str
    description: str
    status: int = 400


def _invalid(description: str) -> Refusal:
    return Refusal("InvalidRequestException", "invalid_request", description)


_INVALID_GRANT = Refusal("InvalidGrantException", "invalid_grant", "Invalid grant provided")
_UNKNOWN_CLIENT = Refusal("InvalidClientException", "invalid_client", "Invalid client provided", 401)
_PENDING = Refusal("AuthorizationPendingException", "authorization_pending", "The person has not approved yet")
_DENIED = Refusal("AccessDeniedException", "access_denied", "The person denied the request")
_EXPIRED = Refusal("ExpiredTokenException", "expired_token", "The device code has expired")


class SsoPortal:
    def __init__(self, tickets: Tickets, organization: Organization, engine: Engine) -> None:
        self._tickets = tickets
        self._organization = organization
        self._engine = engine

    def routes(self) -> list[Route]:
        return [
            Route("/client/register", _oauth(self._register), methods=["POST"]),
            Route("/device_authorization", _oauth(self._start_device), methods=["POST"]),
            Route("/token", _oauth(self._token), methods=["POST"]),
            Route("/assignment/accounts", self._accounts, methods=["GET"]),
            Route("/assignment/roles", self._roles, methods=["GET"]),
            Route("/federation/credentials", self._credentials, methods=["GET"]),
            Route("/logout", self._log_out, methods=["POST"]),
        ]

    # -- What the sign-in pages need

    def client_name(self, client_id: str) -> str | None:
        client = self._tickets.find("sso_client", client_id)
        return client["name"] if client else None

    def waiting_device(self, user_code: str) -> Record | None:
        """The device whose code this is, while nobody has decided about it."""
        found = self._tickets.find("sso_user_code", user_code.strip().upper())
        device = self._tickets.find("sso_device", found["device_code"]) if found else None
        return device if device and device["decision"] == "waiting" else None

    def decide_device(self, user_code: str, email: str, *, allow: bool) -> None:
        device = self.waiting_device(user_code)
        if device:
            decision = "allowed" if allow else "denied"
            decided = {**device, "decision": decision, "email": email}
            self._tickets.change("sso_device", device["device_code"], decided)

    def check_authorization(self, asked: dict[str, str]) -> None:
        """Raise `Refusal` unless a client may ask for a code in this way."""
        client = self._tickets.find("sso_client", asked.get("client_id", ""))
        if not client:
            raise _UNKNOWN_CLIENT
        redirect_uri = asked.get("redirect_uri", "")
        if not _is_loopback(redirect_uri) or _without_port(redirect_uri) not in client["redirect_uris"]:
            raise _invalid("redirect_uri is not one that the client registered on this machine")
        if asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256":
            raise _invalid("only response_type=code with code_challenge_method=S256 is served")
        if not asked.get("code_challenge") or not asked.get("state"):
            raise _invalid("code_challenge and state are needed")

    def issue_code(self, asked: dict[str, str], email: str) -> str:
        about = {name: asked[name] for name in ("client_id", "redirect_uri", "code_challenge")}
        return self._tickets.issue("sso_code", _CODE_LIFE, {**about, "email": email})

    # -- OAuth

    def _register(self, asked: Record, base: str) -> Record:
        scopes, redirect_uris = asked.get("scopes") or [], asked.get("redirectUris") or []
        if asked.get("clientType") != "public" or not isinstance(asked.get("clientName"), str):
            raise Refusal("InvalidClientMetadataException", "invalid_client_metadata", "A public client has a name")
        if not all(isinstance(uri, str) and _is_loopback(uri) for uri in redirect_uris):
            raise Refusal("InvalidRedirectUriException", "invalid_redirect_uri", "Only loopback addresses are served")
        secret, now = secrets.token_urlsafe(32), int(time.time())
        about = {
            "secret": secret,
            "name": asked["clientName"],
            "scopes": scopes,
            "redirect_uris": [_without_port(uri) for uri in redirect_uris],
        }
        return {
            "clientId": self._tickets.issue("sso_client", _CLIENT_LIFE, about),
            "clientSecret": secret,
            "clientIdIssuedAt": now,
            "clientSecretExpiresAt": now + _CLIENT_LIFE,
            "authorizationEndpoint": f"{base}/authorize",
            "tokenEndpoint": f"{base}/token",
        }

    def _start_device(self, asked: Record, base: str) -> Record:
        self._client(asked)
        if asked.get("startUrl", "").rstrip("/#") != START_URL:
            raise _invalid("Invalid start URL provided")
        device_code = secrets.token_urlsafe(32)
        user_code = "-".join("".join(secrets.choice(_USER_CODE_LETTERS) for _ in range(4)) for _ in range(2))
        about = {
            "device_code": device_code,
            "user_code": user_code,
            "client_id": asked["clientId"],
            "decision": "waiting",
        }
        self._tickets.issue("sso_device", _DEVICE_LIFE, about, device_code)
        self._tickets.issue("sso_user_code", _DEVICE_LIFE, {"device_code": device_code}, user_code)
        return {
            "deviceCode": device_code,
            "userCode": user_code,
            "verificationUri": f"{base}/device",
            "verificationUriComplete": f"{base}/device?user_code={user_code}",
            "expiresIn": _DEVICE_LIFE,
            "interval": 1,
        }

    def _token(self, asked: Record, _base: str) -> Record:
        client = self._client(asked)
        grants = {
            DEVICE_GRANT: self._device_grant,
            "authorization_code": self._code_grant,
            "refresh_token": self._refresh_grant,
        }
        grant = grants.get(asked.get("grantType", ""))
        if not grant:
            raise Refusal("UnsupportedGrantTypeException", "unsupported_grant_type", "Grant type is not served")
        email, expires = grant(asked)
        about = {"email": email, "client_id": asked["clientId"]}
        left = int(expires - time.time())
        if _REFRESH_SCOPE not in client["scopes"]:
            return _bearer(self._tickets.issue("sso_token", left, about), left)
        refresh_token = self._tickets.issue("sso_refresh", left, {**about, "until": expires})
        short = min(_HOUR, left)
        return {**_bearer(self._tickets.issue("sso_token", short, about), short), "refreshToken": refresh_token}

    def _device_grant(self, asked: Record) -> tuple[str, float]:
        device_code = asked.get("deviceCode", "")
        device = self._tickets.find("sso_device", device_code)
        if not device:
            raise _EXPIRED
        if device["client_id"] != asked["clientId"]:
            raise _INVALID_GRANT
        if device["decision"] == "waiting":
            raise _PENDING
        self._tickets.delete("sso_device", device_code)
        if device["decision"] == "denied":
            raise _DENIED
        return device["email"], time.time() + _SIGN_IN_LIFE

    def _code_grant(self, asked: Record) -> tuple[str, float]:
        code = self._tickets.take("sso_code", asked.get("code", ""))
        digest = hashlib.sha256(asked.get("codeVerifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            not code
            or code["client_id"] != asked["clientId"]
            or code["redirect_uri"] != asked.get("redirectUri")
            or not compare_digest(code["code_challenge"], challenge)
        ):
            raise _INVALID_GRANT
        return code["email"], time.time() + _SIGN_IN_LIFE

    def _refresh_grant(self, asked: Record) -> tuple[str, float]:
        token = self._tickets.take("sso_refresh", asked.get("refreshToken", ""))
        if not token or token["client_id"] != asked["clientId"]:
            raise _INVALID_GRANT
        return token["email"], token["until"]

    def _client(self, asked: Record) -> Record:
        client = self._tickets.find("sso_client", asked.get("clientId", ""))
        if not client or not compare_digest(client["secret"], asked.get("clientSecret", "")):
            raise _UNKNOWN_CLIENT
        return client

    # -- The portal proper

    async def _accounts(self, request: Request) -> Response:
        employee = self._employee(request)
        if not employee:
            return _unauthorized()
        account = {"accountId": BASTION_ID, "accountName": BASTION_NAME, "emailAddress": "aws@hoshino.example"}
        return JSONResponse({"accountList": [account] if employee["permission_sets"] else []})

    async def _roles(self, request: Request) -> Response:
        employee = self._employee(request)
        if not employee:
            return _unauthorized()
        if request.query_params.get("account_id") != BASTION_ID:
            return _portal_error("ForbiddenException", "No access", 403)
        names = employee["permission_sets"]
        return JSONResponse({"roleList": [{"roleName": name, "accountId": BASTION_ID} for name in names]})

    async def _credentials(self, request: Request) -> Response:
        employee = self._employee(request)
        if not employee:
            return _unauthorized()
        asked = request.query_params
        role_name = asked.get("role_name", "")
        if asked.get("account_id") != BASTION_ID or role_name not in employee["permission_sets"]:
            return _portal_error("ForbiddenException", "No access", 403)
        role_arn = self._organization.sso_role_arn(role_name)
        keys = self._engine.enter(role_arn, employee["email"], _ROLE_LIFE)
        credentials = {
            "accessKeyId": keys.access_key_id,
            "secretAccessKey": keys.secret_access_key,
            "sessionToken": keys.session_token,
            "expiration": int(keys.expires * 1000),
        }
        return JSONResponse({"roleCredentials": credentials}, headers={"Cache-Control": "no-store"})

    async def _log_out(self, request: Request) -> Response:
        if not self._employee(request):
            return _unauthorized()
        self._tickets.delete("sso_token", _bearer_token(request))
        return Response(status_code=200)

    def _employee(self, request: Request) -> Record | None:
        token = self._tickets.find("sso_token", _bearer_token(request))
        return self._organization.employee(token["email"]) if token else None


def _oauth(answer: Any) -> Any:
    """Parse the JSON that a client sends, and word a refusal as Identity Center does."""

    async def endpoint(request: Request) -> Response:
        try:
            asked = json.loads(await request.body())
            if not isinstance(asked, dict) or not all(isinstance(asked.get(name, ""), str) for name in _TEXTS):
                raise _invalid("The request is not valid")
            answered = answer(asked, str(request.base_url).rstrip("/"))
        except ValueError:
            return _refused(_invalid("The request is not valid JSON"))
        except Refusal as refusal:
            return _refused(refusal)
        return JSONResponse(answered, headers={"Cache-Control": "no-store"})

    return endpoint


_TEXTS = (
    "clientId",
    "clientSecret",
    "clientName",
    "grantType",
    "deviceCode",
    "code",
    "codeVerifier",
    "redirectUri",
    "refreshToken",
    "startUrl",
)


def _refused(refusal: Refusal) -> Response:
    content = {"error": refusal.error, "error_description": refusal.description}
    return JSONResponse(content, refusal.status, {"x-amzn-ErrorType": refusal.kind, "Cache-Control": "no-store"})


def _unauthorized() -> Response:
    return _portal_error("UnauthorizedException", "Session token not found or invalid", 401)


def _portal_error(kind: str, message: str, status: int) -> Response:
    return JSONResponse({"message": message}, status, {"x-amzn-ErrorType": kind})


def _bearer(token: str, seconds: int) -> Record:
    return {"accessToken": token, "tokenType": "Bearer", "expiresIn": seconds}


def _bearer_token(request: Request) -> str:
    return request.headers.get("x-amz-sso_bearer_token", "")


def _is_loopback(uri: str) -> bool:
    parts = urlsplit(uri)
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost") and not parts.username


def _without_port(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"
