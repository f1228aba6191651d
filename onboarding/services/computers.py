"""Computers on which `portal-config` is signed in: approving one, giving it a token, ending it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from onboarding.core import client_access, identifiers
from onboarding.core.errors import OnboardingError
from onboarding.models import ClientCode, ClientToken, Person
from onboarding.services import audit

# Between two notes that a token was used, so that asking for an unchanged config costs no write.
_NOTED_EVERY = timedelta(hours=1)
_CODES_KEPT = timedelta(days=1)


class CodeRefused(OnboardingError):
    """`error` is the code of RFC 6749 or RFC 8628 that the client understands."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopbackRequest:
    """What a browser brings from a computer that waits for it."""

    computer: str
    loopback: str
    state: str
    challenge: str


@dataclass(frozen=True, slots=True)
class DeviceCodes:
    """Both exist here and on the computer alone."""

    device_code: str
    user_code: str


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """It cannot be shown a second time."""

    token: ClientToken
    text: str


def approve_loopback(person: Person, asked: LoopbackRequest) -> str:
    """The code that the browser takes to the computer; worth nothing without the verifier that stayed there."""
    code, now = client_access.new_code(), timezone.now()
    _forget_old_codes(now)
    ClientCode.objects.create(
        code_digest=identifiers.token_digest(code),
        challenge=asked.challenge,
        loopback=asked.loopback,
        computer=asked.computer,
        person=person,
        asked_at=now,
        expires_at=now + client_access.CODE_LIFETIME,
    )
    return code


def ask_by_device_code(computer: str) -> DeviceCodes:
    codes, now = DeviceCodes(client_access.new_code(), client_access.new_user_code()), timezone.now()
    _forget_old_codes(now)
    ClientCode.objects.create(
        code_digest=identifiers.token_digest(codes.device_code),
        user_code_digest=_user_code_digest(client_access.parse_user_code(codes.user_code)),
        computer=computer,
        asked_at=now,
        expires_at=now + client_access.DEVICE_CODE_LIFETIME,
    )
    return codes


def find_waiting(user_code: str) -> ClientCode | None:
    """By the code as `parse_user_code` gives it; unknown, decided and expired look alike."""
    waiting = ClientCode.objects.waiting(timezone.now())
    return waiting.filter(user_code_digest=_user_code_digest(user_code)).first()


def decide(code: ClientCode, person: Person, *, allowed: bool) -> bool:
    """False where somebody has decided meanwhile, or the time is over."""
    now = timezone.now()
    waiting = ClientCode.objects.waiting(now).filter(pk=code.pk)
    return bool(waiting.update(person=person) if allowed else waiting.update(denied_at=now))


def exchange_code(code: str, *, verifier: str, loopback: str) -> IssuedToken:
    """A code from the browser for a token; any try uses the code up. Raises `CodeRefused`."""
    row = _used_up(code, client_access.challenge_of(verifier), loopback)
    if row is None:
        raise CodeRefused("invalid_grant")
    return _issue(row)


def exchange_device_code(device_code: str) -> IssuedToken:
    """A device code for a token, once a person has approved. Raises `CodeRefused`."""
    now = timezone.now()
    row = (
        ClientCode.objects.filter(code_digest=identifiers.token_digest(device_code))
        .exclude(user_code_digest=None)
        .first()
    )
    if row is None or row.used_at:
        _end_token_of(device_code)
        raise CodeRefused("invalid_grant")
    if row.denied_at:
        raise CodeRefused("access_denied")
    if row.expires_at <= now:
        raise CodeRefused("expired_token")
    if row.person_id is None:
        raise CodeRefused(_pace(row, now))
    if not ClientCode.objects.usable(now).filter(pk=row.pk).update(used_at=now):
        raise CodeRefused("invalid_grant")
    return _issue(row)


def find_token(text: str) -> ClientToken | None:
    """Of a live token, whose it is; notes once in a while that it was used."""
    if not client_access.is_token(text):
        return None
    now = timezone.now()
    found = ClientToken.objects.live(now).select_related("person")
    token = found.filter(token_digest=identifiers.token_digest(text)).first()
    if token and token.last_used_at < now - _NOTED_EVERY:
        ClientToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


@transaction.atomic
def end_token(token: ClientToken) -> None:
    """By its owner, on the page or from the computer itself."""
    now = timezone.now()
    if ClientToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        facts = {"computer": token.computer}
        audit.append("computer_disconnected", token.person, at=now, by=token.person, facts=facts)


def end_tokens_of(person: Person, *, at: datetime) -> None:
    """Nobody inactive is let in anyhow; this keeps old tokens and codes from waking up with the account."""
    person.client_tokens.filter(revoked_at=None).update(revoked_at=at)
    ClientCode.objects.filter(person=person, used_at=None).update(used_at=at)


def _used_up(code: str, challenge: str, loopback: str) -> ClientCode | None:
    digest, now = identifiers.token_digest(code), timezone.now()
    of_browser = ClientCode.objects.filter(code_digest=digest, user_code_digest=None)
    if not of_browser.usable(now).update(used_at=now):
        _end_token_of(code)
        return None
    return of_browser.filter(challenge=challenge, loopback=loopback).first()


@transaction.atomic
def _issue(code: ClientCode) -> IssuedToken:
    person, text, now = code.person, client_access.new_token(), timezone.now()
    if person is None or not person.is_active:
        raise CodeRefused("access_denied")
    token = ClientToken.objects.create(
        person=person,
        token_digest=identifiers.token_digest(text),
        code_digest=code.code_digest,
        computer=code.computer,
        issued_at=now,
        expires_at=now + client_access.TOKEN_LIFETIME,
        last_used_at=now,
    )
    audit.append("computer_connected", person, at=now, by=person, facts={"computer": code.computer})
    return IssuedToken(token, text)


def _pace(row: ClientCode, now: datetime) -> str:
    """What a computer hears that still waits: to go on, or to ask less often."""
    early = row.polled_at is not None and now - row.polled_at < client_access.POLL_INTERVAL
    ClientCode.objects.filter(pk=row.pk).update(polled_at=now)
    return "slow_down" if early else "authorization_pending"


def _end_token_of(code: str) -> None:
    token = ClientToken.objects.filter(code_digest=identifiers.token_digest(code)).select_related("person").first()
    if token:
        end_token(token)


def _forget_old_codes(now: datetime) -> None:
    ClientCode.objects.filter(expires_at__lt=now - _CODES_KEPT).delete()


def _user_code_digest(user_code: str) -> str:
    return identifiers.token_digest(user_code)
