"""The pages where an employee signs in to the sandbox's Identity Center and lets a client in."""

from hmac import compare_digest
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.organization import Organization
from sandbox.pages import page, sent_form, text
from sandbox.sso import Refusal, SsoPortal
from sandbox.state import Record
from sandbox.tickets import Tickets

_COOKIE = "sandbox_employee"
_BROWSER_LIFE = 8 * 3600
_AUTHORIZATION = (
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "code_challenge",
    "code_challenge_method",
)


class SignInPages:
    def __init__(self, tickets: Tickets, organization: Organization, portal: SsoPortal) -> None:
        self._tickets = tickets
        self._organization = organization
        self._portal = portal

    def routes(self) -> list[Route]:
        return [
            Route("/device", self._device, methods=["GET"]),
            Route("/device", self._decide_device, methods=["POST"]),
            Route("/authorize", self._authorize, methods=["GET"]),
            Route("/authorize", self._decide_authorize, methods=["POST"]),
            Route("/sign-in", self._sign_in, methods=["POST"]),
            Route("/sign-out", self._sign_out, methods=["POST"]),
        ]

    async def _device(self, request: Request) -> Response:
        user_code = request.query_params.get("user_code", "")
        device = self._portal.waiting_device(user_code)
        if not device:
            return page(request, "device_code.html", user_code=user_code, unknown=bool(user_code))
        employee = self._employee(request)
        if not employee:
            return self._ask_to_sign_in(request)
        client = self._portal.client_name(device["client_id"])
        action = f"/device?{urlencode({'user_code': user_code})}"
        return page(request, "approve.html", employee=employee, client=client, code=device["user_code"], action=action)

    async def _decide_device(self, request: Request) -> Response:
        form = await sent_form(request)
        employee = self._employee(request)
        user_code = request.query_params.get("user_code", "")
        if not employee:
            return self._ask_to_sign_in(request)
        if not self._portal.waiting_device(user_code):
            return page(request, "device_code.html", 410, user_code=user_code, unknown=True)
        allowed = text(form, "decision") == "allow"
        self._portal.decide_device(user_code, employee["email"], allow=allowed)
        return page(request, "decided.html", allowed=allowed)

    async def _authorize(self, request: Request) -> Response:
        asked = _asked(request)
        try:
            self._portal.check_authorization(asked)
        except Refusal as refusal:
            return page(request, "refused.html", refusal.status, refusal=refusal)
        employee = self._employee(request)
        if not employee:
            return self._ask_to_sign_in(request)
        client = self._portal.client_name(asked["client_id"])
        target = urlsplit(asked["redirect_uri"])
        return page(
            request,
            "approve.html",
            form_target=f"{target.scheme}://{target.netloc}",
            employee=employee,
            client=client,
            code=None,
            action=f"/authorize?{urlencode(asked)}",
        )

    async def _decide_authorize(self, request: Request) -> Response:
        form = await sent_form(request)
        asked = _asked(request)
        try:
            self._portal.check_authorization(asked)
        except Refusal as refusal:
            return page(request, "refused.html", refusal.status, refusal=refusal)
        employee = self._employee(request)
        if not employee:
            return self._ask_to_sign_in(request)
        if text(form, "decision") == "allow":
            answer = {"code": self._portal.issue_code(asked, employee["email"]), "state": asked["state"]}
        else:
            answer = {"error": "access_denied", "state": asked["state"]}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 303)

    async def _sign_in(self, request: Request) -> Response:
        form = await sent_form(request)
        onward, email = _own_path(text(form, "next")), text(form, "email").strip().lower()
        employee = self._organization.employee(email)
        password = employee["password"] if employee else ""
        if not password or not compare_digest(password.encode(), text(form, "password").encode()):
            return self._ask_to_sign_in(request, onward=onward, email=email, wrong=True)
        response = RedirectResponse(onward, 303)
        ticket = self._tickets.issue("sso_browser", _BROWSER_LIFE, {"email": email})
        response.set_cookie(_COOKIE, ticket, httponly=True, samesite="lax")
        return response

    async def _sign_out(self, request: Request) -> Response:
        form = await sent_form(request)
        self._tickets.delete("sso_browser", request.cookies.get(_COOKIE, ""))
        response = RedirectResponse(_own_path(text(form, "next")), 303)
        response.delete_cookie(_COOKIE)
        return response

    def _employee(self, request: Request) -> Record | None:
        session = self._tickets.find("sso_browser", request.cookies.get(_COOKIE, ""))
        return self._organization.employee(session["email"]) if session else None

    def _ask_to_sign_in(
        self, request: Request, *, onward: str | None = None, email: str = "", wrong: bool = False
    ) -> Response:
        onward = onward or f"{request.url.path}?{request.url.query}"
        return page(request, "sign_in.html", 422 if wrong else 200, onward=onward, email=email, wrong=wrong)


def _asked(request: Request) -> dict[str, str]:
    return {name: request.query_params[name] for name in _AUTHORIZATION if name in request.query_params}


def _own_path(path: str) -> str:
    """Only the two pages that lead to sign-in lead back from it."""
    return path if urlsplit(path)[:2] == ("", "") and path.startswith(("/device?", "/authorize?")) else "/device"
