"""A profile's name from the admin's template; the same for the same role every time."""

import hashlib
import re
from collections.abc import Collection

from onboarding.core.errors import IllegalName
from onboarding.core.identifiers import slug

DEFAULT_TEMPLATE = "{partner}-{role}"
_FIELD = re.compile(r"\{(partner|role|account)\}")
_LITERAL = re.compile(r"[A-Za-z0-9_-]{0,30}")
_MAX_NAME = 64
_DIGEST_LENGTHS = (6, 12, 24, 48)


def parse_profile_template(text: str) -> str:
    """At most 30 letters, digits, `_`, `-`, and one or more of `{partner}`, `{role}`, `{account}`.

    Raises `IllegalName`.
    """
    trimmed = text.strip()
    literal = _FIELD.sub("", trimmed)
    if literal == trimmed or not _LITERAL.fullmatch(literal):
        raise IllegalName("profile_template", text)
    return trimmed


def fill_profile_template(template: str, *, partner: str, role: str, account_id: str) -> str:
    """Of legal characters, but perhaps empty, `default` or somebody else's name. Raises `IllegalName`."""
    words = {"partner": slug(partner), "role": slug(role), "account": account_id}
    filled = _FIELD.sub(lambda field: words[field[1]], parse_profile_template(template))
    return re.sub(r"-{2,}", "-", filled).strip("-_")[:_MAX_NAME].rstrip("-_")


def free_profile_name(plain: str, *, key: str, taken: Collection[str]) -> str:
    """A name that nobody has. `key` names the role for good, so that its name is the same every time.

    The caller keeps the name: what people have typed for months must not change when another role comes or goes.
    Names that differ only by case count as one, for they do so to people.
    """
    others = {name.lower() for name in taken} | {"default", ""}
    candidates = [plain, *(_with_digest(plain, key, length) for length in _DIGEST_LENGTHS)]
    return next(name for name in candidates if name.lower() not in others)


def with_prefix(prefix: str, name: str) -> str:
    """A person's own prefix before a name that the portal gave; names that differed before still differ."""
    whole = f"{prefix}{name}"
    if len(whole) <= _MAX_NAME and whole.lower() != "default":
        return whole
    return _with_digest(whole, whole, _DIGEST_LENGTHS[1])


def _with_digest(plain: str, key: str, length: int) -> str:
    digest = hashlib.sha256(key.encode()).hexdigest()[:length]
    return f"{plain[: _MAX_NAME - length - 1].rstrip('-_')}-{digest}".lstrip("-")
