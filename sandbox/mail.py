"""The mail server of the demo: takes every mail, sends none on, and shows them on pages of its own."""

import asyncio
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.pages import page, sent_form
from sandbox.state import Record, Records

_KIND = "mail"
# What a portal sends is small; the oldest make room.
_LARGEST = 1024 * 1024
_MOST_KEPT = 500
_ADDRESS = re.compile(r"https?://[^\s<>\"]+")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it came, for reading. `key` sorts by the time of arrival."""

    key: str
    received: str
    recipients: list[str]
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message.get("Subject", ""))

    @property
    def sender(self) -> str:
        return str(self.message.get("From", ""))

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self.message.items()]

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def pieces(self) -> list[tuple[str, bool]]:
        """The text, cut where an address begins and ends; those are links."""
        pieces: list[tuple[str, bool]] = []
        end = 0
        for found in _ADDRESS.finditer(self.text):
            pieces += [(self.text[end : found.start()], False), (found[0], True)]
            end = found.end()
        return [*pieces, (self.text[end:], False)]

    def _part(self, subtype: str) -> str:
        body = self.message.get_body((subtype,))
        content = body.get_payload(decode=True) if body else b""
        # As the portal writes it; another character set is shown as well as it goes.
        return content.decode(errors="replace") if isinstance(content, bytes) else ""


class Mailbox:
    """Every mail is on disk before the sender is told that it was taken."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's
        now = datetime.now(UTC)
        kept = list(self._records.all(_KIND))
        self._records.delete(_KIND, *kept[: len(kept) + 1 - _MOST_KEPT])
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        # Latin-1 keeps each byte, whatever it means.
        record = {
            "received": now.isoformat(timespec="seconds"),
            "recipients": envelope.rcpt_tos,
            "raw": raw.decode("latin-1"),
        }
        self._records.put(_KIND, f"{now:%Y%m%d%H%M%S%f}-{secrets.token_hex(4)}", record)
        return "250 Taken"

    def newest_first(self) -> list[Mail]:
        return [_mail(key, record) for key, record in reversed(self._records.all(_KIND).items())]

    def find(self, key: str) -> Mail | None:
        record = self._records.get(_KIND, key)
        return _mail(key, record) if record else None

    def empty(self) -> None:
        self._records.delete(_KIND, *self._records.all(_KIND))


async def serve_smtp(mailbox: Mailbox, port: int) -> None:
    """Until the loop ends. Raises `OSError` where the port is taken."""

    def talk() -> SMTP:
        return SMTP(mailbox, hostname="sandbox", data_size_limit=_LARGEST, enable_SMTPUTF8=True)

    await asyncio.get_running_loop().create_server(talk, "127.0.0.1", port)


class MailboxPages:
    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def routes(self) -> list[Route]:
        return [
            Route("/_sandbox/mail/", self._list, methods=["GET"]),
            Route("/_sandbox/mail/empty", self._empty, methods=["POST"]),
            Route("/_sandbox/mail/{key:str}/", self._mail, methods=["GET"]),
            Route("/_sandbox/mail/{key:str}/html", self._html, methods=["GET"]),
        ]

    async def _list(self, request: Request) -> Response:
        return page(request, "mailbox.html", mails=self._mailbox.newest_first())

    async def _empty(self, request: Request) -> Response:
        await sent_form(request)
        self._mailbox.empty()
        return RedirectResponse("/_sandbox/mail/", 303)

    async def _mail(self, request: Request) -> Response:
        return page(request, "mailbox_mail.html", mail=self._found(request))

    async def _html(self, request: Request) -> Response:
        """As a mail program shows it: in a frame that runs no script and loads nothing."""
        html = self._found(request).html
        # A link in it leads the whole window there.
        shown = html.replace("<head>", '<head><base target="_top">', 1)
        policy_text = (
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; "
            "sandbox allow-top-navigation-by-user-activation"
        )
        return HTMLResponse(shown, headers={"Content-Security-Policy": policy_text, "Cache-Control": "no-store"})

    def _found(self, request: Request) -> Mail:
        mail = self._mailbox.find(request.path_params["key"])
        if not mail:
            raise HTTPException(404, "This mail is not here any more.")
        return mail


def _mail(key: str, record: Record) -> Mail:
    message = message_from_bytes(record["raw"].encode("latin-1"), policy=policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - that is what the policy makes
    return Mail(key, record["received"], record["recipients"], message)
