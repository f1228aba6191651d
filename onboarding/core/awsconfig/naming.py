"""A profile's name from the admin's template; the same for the same role every time."""

import hashlib
import re
from collections.abc import Collection

from onboarding.core.errors import IllegalName
from onboarding.core.identifiers import slug

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


def profile_name_from_template(
    template: str, *, partner: str, role: str, account_id: str, key: str, taken: Collection[str]
) -> str:
    """A name that nobody has. `key` names the role for good (its external ID), so that its name is always the same.

    The caller keeps the name: what people have typed for months must not change when another role comes or goes.
    Names that differ only by case count as one, for they do so to people.
    """
    words = {"partner": slug(partner), "role": slug(role), "account": account_id}
    filled = _FIELD.sub(lambda field: words[field[1]], parse_profile_template(template))
    plain = re.sub(r"-{2,}", "-", filled).strip("-_")[:_MAX_NAME].rstrip("-_")
    others = {name.lower() for name in taken} | {"default", ""}
    candidates = [plain, *(_with_digest(plain, key, length) for length in _DIGEST_LENGTHS)]
    return next(name for name in candidates if name.lower() not in others)


def _with_digest(plain: str, key: str, length: int) -> str:
    digest = hashlib.sha256(key.encode()).hexdigest()[:length]
    return f"{plain[: _MAX_NAME - length - 1].rstrip('-_')}-{digest}".lstrip("-")
