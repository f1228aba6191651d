"""Signing in through the browser: it comes back to this computer, or a person types a code on another one."""

import base64
import hashlib
import hmac
import secrets
import time
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from client.portal import Portal, Reply
from client.trouble import Trouble, say

_PATIENCE = 300
# As the portal gives them: codes are good for ten minutes, and may be asked about every five seconds.
_CODE_PATIENCE, _POLL_PAUSE = 600, 5.0
_PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>portal-config</title>"
    "<body><p>{}</p><p>You can close this page and go on in your terminal.</p></body></html>"
)


def sign_in_by_browser(portal: Portal, computer: str) -> str:
    """The token. The code that the browser carries is worth nothing without the verifier, which stays here."""
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    with _Listener(state) as listener:
        asked = {"computer": computer, "loopback": listener.address, "state": state, "challenge": _challenge(verifier)}
        page = f"{portal.address}/access/computers/connect/?{urlencode(asked)}"
        say(f"Your browser opens. If it does not, open this address on this computer:\n{page}")
        webbrowser.open(page)
        code = listener.wait_for_code()
    return _token(portal.post("/client/token", code=code, verifier=verifier, loopback=listener.address))


def sign_in_by_device_code(portal: Portal, computer: str) -> str:
    asked = portal.post("/client/device-code", computer=computer)
    if asked.status != 200:
        raise Trouble("The portal takes no more sign-ins at the moment. Try again in a minute.")
    page = asked.text("verification_uri")
    if not page.startswith(f"{portal.address}/"):
        raise Trouble("The portal sends you to another address than its own. Nothing was changed.")
    say(f"On any computer, open {page} and type this code:\n\n    {asked.text('user_code')}\n")
    return _token(_polled(portal, asked.text("device_code")))


def _polled(portal: Portal, device_code: str) -> Reply:
    end, pause = time.monotonic() + _CODE_PATIENCE, _POLL_PAUSE
    while time.monotonic() < end:
        time.sleep(pause)
        answer = portal.post("/client/token", device_code=device_code)
        if answer.error == "slow_down":
            pause += 5
        elif answer.error != "authorization_pending":
            return answer
    raise Trouble("Nobody typed the code in time. Nothing was changed.")


def _token(answer: Reply) -> str:
    if answer.status != 200:
        why = "was refused" if answer.error == "access_denied" else "did not succeed"
        raise Trouble(f"The sign-in {why}. Nothing was changed.")
    return answer.text("access_token")


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class _Listener(HTTPServer):
    """Waits on this computer alone, for the one answer that knows the state."""

    def __init__(self, state: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state = state
        self.answer: dict[str, str] | None = None
        self.address = f"http://127.0.0.1:{self.server_port}/signed-in"

    def wait_for_code(self) -> str:
        end = time.monotonic() + _PATIENCE
        while self.answer is None:
            self.timeout = end - time.monotonic()
            if self.timeout <= 0:
                raise Trouble("Nobody approved in the browser in time. Nothing was changed.")
            self.handle_request()
        if "code" not in self.answer:
            raise Trouble("The sign-in was refused. Nothing was changed.")
        return self.answer["code"]

    def handle_error(self, *_: Any) -> None:
        """A browser that hangs up is no trouble of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    timeout = 10

    def do_GET(self) -> None:
        """Anything else than the awaited answer is refused, and the wait goes on."""
        address = urlsplit(self.path)
        answer = {name: values[0] for name, values in parse_qs(address.query).items()}
        knows = hmac.compare_digest(answer.get("state", "").encode(), self.server.state.encode())
        if address.path != "/signed-in" or not knows:
            self.send_error(404)
            return
        self.server.answer = answer
        self._send(_PAGE.format("This computer is connected." if "code" in answer else "Nothing was connected."))

    def _send(self, page: str) -> None:
        body = page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """The code stands in the address."""
