"""Names and numbers that the portal makes: external IDs, link tokens, session names, profile names."""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Mapping

from onboarding.core.errors import IllegalName, InvalidTags

# As which the portal's own checks enter; partners read it in their CloudTrail.
VALIDATOR_SESSION_NAME = "tobiishi-validator"
# Crockford's alphabet without i, l, o and u: nothing here is misread when somebody types it.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
_SESSION_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")
_PROFILE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,15}")
_PERMISSION_SET_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,32}")
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}")
_SCOPES = re.compile(r"[a-z]+(?::[a-z]+)+(?:,[a-z]+(?::[a-z]+)+)*")
_HOST_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_START_URL = re.compile(rf"https://{_HOST_LABEL}(?:\.{_HOST_LABEL})+(?:/[A-Za-z0-9._~-]*)*")
_RECIPIENT_CODE = re.compile(r"[0-9]{8}")
_MAX_START_URL = 300
_MAX_SESSION_NAME = 64
# IAM takes letters of every script in tags; these are the ones that no shell or template has to quote.
_TAG_KEY = re.compile(r"(?!aws:)[A-Za-z0-9_.:/+@ -]{1,128}", re.IGNORECASE)
_TAG_VALUE = re.compile(r"[A-Za-z0-9_.:/=+@ -]{0,256}")
_MOST_TAGS = 50


def new_external_id() -> str:
    """`tbi-` and 100 random bits; always with a letter after the prefix, so that upper case differs from it."""
    while True:
        groups = ["".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(5)]
        external_id = "-".join(["tbi", *groups])
        if any(character.isalpha() for character in "".join(groups)):
            return external_id


def new_link_token() -> str:
    """256 random bits for an invitation's address; only its digest is stored."""
    return secrets.token_urlsafe(32)


def token_digest(link_token: str) -> str:
    # A fast hash is right here: the token is 256 random bits, so there is nothing to guess.
    return hashlib.sha256(link_token.encode()).hexdigest()


def new_recipient_code() -> str:
    """Eight digits, which a phone can type; short-lived, and few tries are taken."""
    return f"{secrets.randbelow(10**8):08d}"


def role_session_name(email: str) -> str:
    """The e-mail address as STS takes it (2-64 of `\\w+=,.@-`); unique, since what was changed gets a digest."""
    legal = re.sub(r"[^A-Za-z0-9_+=,.@-]", "-", email)
    if legal == email and _SESSION_NAME.fullmatch(email):
        return email
    digest = hashlib.sha256(email.encode()).hexdigest()[:8]
    return f"{legal[: _MAX_SESSION_NAME - 9]}-{digest}"


def slug(text: str) -> str:
    """ASCII letters, digits and hyphens, lower case; empty where nothing of the text can be kept."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")


def suggested_role_name(organization: str, partner: str) -> str:
    """`HoshinoWillow`-like: the first word of each, in camel case, as IAM's role grammar takes it."""
    words = [word for name in (organization, partner) for word in slug(name).split("-")[:1]]
    return "".join(word.capitalize() for word in words) or "PartnerAccess"


def parse_profile_name(text: str) -> str:
    """Also for SSO sessions. `default` is what every other profile falls back to, so it can be nobody's name."""
    name = _parse("profile_name", _PROFILE_NAME, text)
    if name.lower() == "default":
        raise IllegalName("profile_name", text)
    return name


def parse_name_prefix(text: str) -> str:
    """What a person puts before all profile names of the portal, to tell them from their own."""
    return _parse("name_prefix", _NAME_PREFIX, text)


def parse_session_name(text: str) -> str:
    return _parse("role_session_name", _SESSION_NAME, text)


def parse_start_url(text: str) -> str:
    """Identity Center's start URL, without the `#/` that browsers show behind it."""
    address = text.strip(" \t\r\n").removesuffix("#/")
    if len(address) > _MAX_START_URL:
        raise IllegalName("start_url", text)
    return _parse("start_url", _START_URL, address)


def parse_registration_scopes(text: str) -> str:
    return _parse("registration_scopes", _SCOPES, text)


def parse_permission_set_name(text: str) -> str:
    return _parse("permission_set", _PERMISSION_SET_NAME, text)


def parse_region(text: str) -> str:
    return _parse("region", _REGION, text)


def parse_external_id(text: str) -> str:
    return _parse("external_id", _EXTERNAL_ID, text)


def parse_recipient_code(text: str) -> str:
    """As people type it: with the gap of the mail, or a hyphen."""
    return _parse("recipient_code", _RECIPIENT_CODE, re.sub(r"[ \u3000-]", "", text))


def parse_tags(text: str) -> dict[str, str]:
    """Tags of a role, one `key=value` a line. Raises `InvalidTags`."""
    tags: dict[str, str] = {}
    for line in filter(None, (line.strip(" \t\r") for line in text.split("\n"))):
        key, equals, value = (part.strip(" \t") for part in line.partition("="))
        if not equals:
            raise InvalidTags("no_equals_sign", line)
        check_tag(key, value)
        # IAM tells keys apart without regard to case.
        if key.lower() in map(str.lower, tags):
            raise InvalidTags("twice", line)
        tags[key] = value
    if len(tags) > _MOST_TAGS:
        raise InvalidTags("too_many", text)
    return tags


def check_tag(key: str, value: str) -> None:
    """Raises `InvalidTags`."""
    if not _TAG_KEY.fullmatch(key):
        raise InvalidTags("key", key)
    if not _TAG_VALUE.fullmatch(value):
        raise InvalidTags("value", value)


def tag_lines(tags: Mapping[str, str]) -> list[str]:
    """As `parse_tags` reads them; by key, for PostgreSQL keeps no order of its own."""
    return [f"{key}={value}" for key, value in sorted(tags.items())]


def _parse(kind: str, pattern: re.Pattern[str], text: str) -> str:
    trimmed = text.strip(" \t\r\n")
    if not pattern.fullmatch(trimmed):
        raise IllegalName(kind, text)
    return trimmed
