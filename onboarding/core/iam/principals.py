"""Whom `Principal` and `NotPrincipal` name, and whether a caller is among them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from onboarding.core.iam.logic import Truth, some
from onboarding.core.iam.requests import Request

PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")
_ARN = re.compile(r"arn:(?P<partition>[^:]*):(?P<service>iam|sts)::(?P<account>[^:]*):(?P<resource>.+)", re.DOTALL)
_ACCOUNT = re.compile(r"[0-9]{12}")
_UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")


@dataclass(frozen=True, slots=True)
class Principal:
    """One entry of a `Principal` element, taken apart; what does not apply is empty."""

    type: str
    text: str
    # "everyone", "account", "role", "session", "user", "unique_id" or "other"
    kind: str
    partition: str = ""
    account: str = ""
    # The path and name of a role or user, or a session's `<role name>/<session name>`.
    name: str = ""
    # Where it stands in the policy.
    path: tuple[str | int, ...] = ()

    @property
    def has_wildcard(self) -> bool:
        return self.kind != "everyone" and ("*" in self.text or "?" in self.text)

    def at(self, path: tuple[str | int, ...]) -> Self:
        return type(self)(self.type, self.text, self.kind, self.partition, self.account, self.name, path)

    def is_caller(self, request: Request) -> Truth:
        if self.kind == "everyone":
            return True
        if self.type != "AWS" or self.account != request.account or self.partition not in ("", request.partition):
            return False
        if self.kind == "account":
            return True
        if self.kind in ("role", "user"):
            return self._is_named(request)
        if self.kind == "session":
            role, _, session = self.name.partition("/")
            same_session = session == request.session_name if request.session_name else None
            return same_session if role == request.role_name else False
        return False

    def _is_named(self, request: Request) -> bool:
        if request.principal_arn:
            return self.text == request.principal_arn
        # A session's ARN leaves the path out, but a role's name is unique in its account.
        return self.name.rpartition("/")[2] == request.role_name


def principals(element: object, path: tuple[str | int, ...]) -> Iterator[Principal]:
    """The entries of a `Principal` element, each with its place; what IAM would not take is left out."""
    if element == "*":
        yield parse_principal("AWS", "*").at(path)
    elif isinstance(element, dict):
        for kind, value in element.items():
            for step, entry in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(entry, str):
                    place = (*path, kind) if step is None else (*path, kind, step)
                    yield parse_principal(str(kind), entry).at(place)


@lru_cache(maxsize=1024)
def parse_principal(type_: str, text: str) -> Principal:
    if type_ != "AWS":
        return Principal(type_, text, "other")
    if text == "*":
        return Principal(type_, text, "everyone")
    if _ACCOUNT.fullmatch(text):
        return Principal(type_, text, "account", account=text)
    if _UNIQUE_ID.fullmatch(text):
        return Principal(type_, text, "unique_id")
    parts = _ARN.fullmatch(text)
    if not parts:
        return Principal(type_, text, "other")
    kind, name = _resource(parts["service"], parts["resource"])
    return Principal(type_, text, kind, parts["partition"], parts["account"], name)


def _resource(service: str, resource: str) -> tuple[str, str]:
    kind, _, name = resource.partition("/")
    known = {
        ("iam", "root"): "account",
        ("iam", "role"): "role",
        ("iam", "user"): "user",
        ("sts", "assumed-role"): "session",
    }
    return known.get((service, kind), "other"), name


def principal_holds(element: object, request: Request) -> Truth:
    if element == "*":
        return True
    if not isinstance(element, dict):
        return False
    entries = element.get("AWS")
    if isinstance(entries, str):
        return parse_principal("AWS", entries).is_caller(request)
    names = entries if isinstance(entries, list) else [entries]
    return some(parse_principal("AWS", name).is_caller(request) for name in names if isinstance(name, str))


def not_principal_holds(element: object, request: Request) -> Truth:
    """True where the caller is none of those left out.

    AWS wants the account and the role (and perhaps the session) to be named: "Otherwise, the policy might deny access
    to the entire account containing the principal". With only some of them, what happens cannot be known.
    """
    named = [entry for entry in principals(element, ()) if entry.is_caller(request) is not False]
    if not named:
        return True
    kinds = {entry.kind for entry in named}
    return False if "everyone" in kinds or {"account", "role"} <= kinds else None
