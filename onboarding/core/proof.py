"""The proof of the employee path: a token of `aws eks get-token`, taken apart, and STS's answer to it, judged.

The token is a presigned GetCallerIdentity. Its signature covers the nonce, which travels in a header, not in the URL:
https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import quote, unquote_to_bytes

from onboarding.core.arns import RoleArn
from onboarding.core.errors import OnboardingError

NONCE_LIFETIME = timedelta(minutes=5)
NONCE_HEADER = "x-k8s-aws-id"
MAX_PASTED = 32_768
_OLDEST = timedelta(seconds=120)
# A laptop's clock may be ahead of ours; STS itself takes five minutes.
_CLOCKS_APART = timedelta(seconds=60)

_TOKEN = re.compile(r"k8s-aws-v1\.([A-Za-z0-9_-]+)")
_URL = re.compile(r"([a-z]+://[^/?#]*)/\?([^#]*)")
_PAIR = re.compile(r"([A-Za-z0-9-]+)=((?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})*)")
_CREDENTIAL = re.compile(r"ASIA[A-Z0-9]{12,124}/([0-9]{8})/([a-z0-9-]{1,32})/sts/aws4_request")
_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_PARAMETERS = {
    "Action": re.compile("GetCallerIdentity"),
    "Version": re.compile("2011-06-15"),
    "X-Amz-Algorithm": re.compile("AWS4-HMAC-SHA256"),
    "X-Amz-Credential": _CREDENTIAL,
    "X-Amz-Date": _DATE,
    "X-Amz-Expires": re.compile("[1-9][0-9]{0,2}"),
    "X-Amz-SignedHeaders": re.compile(f"host;{NONCE_HEADER}"),
    "X-Amz-Security-Token": re.compile("[A-Za-z0-9+/=_-]{16,8192}"),
    "X-Amz-Signature": re.compile("[0-9a-f]{64}"),
}
_NOT_IN_A_HOST = re.compile(r"[^a-z0-9.-]")
_NAME = r"[A-Za-z0-9_+=,.@-]"
_SESSION_ARN = re.compile(rf"arn:([a-z-]+):sts::([0-9]{{12}}):assumed-role/({_NAME}{{1,64}})/({_NAME}{{2,64}})")


class Refusal(StrEnum):
    """Why a token proves nothing."""

    # Before anybody is asked
    NO_TOKEN = "no_token"
    ALTERED = "altered"
    ELSEWHERE = "elsewhere"
    LONG_TERM_KEY = "long_term_key"
    STALE = "stale"
    AHEAD = "ahead"
    # Of the nonce
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REPLAYED = "replayed"
    # After STS was asked
    NOT_SIGNED_SO = "not_signed_so"
    NOT_ACCEPTED = "not_accepted"
    REDIRECTED = "redirected"
    OTHER_ROLE = "other_role"
    OTHER_PERSON = "other_person"


class ProofRefused(OnboardingError):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What a token asks of whom; `query` is made anew from parts that were looked at one by one."""

    origin: str
    query: str


@dataclass(frozen=True, slots=True)
class StsAnswer:
    """What came back: the session's ARN, or AWS's error code, or neither."""

    status: int
    arn: str = ""
    error_code: str = ""


def new_nonce(host: str) -> str:
    """Dots cannot stand in the name of an EKS cluster, so what is signed for this opens none."""
    return f"tobiishi.{_NOT_IN_A_HOST.sub('-', host)}.{secrets.token_hex(16)}"


def command(nonce: str, *, profile: str) -> str:
    return f"aws eks get-token --cluster-name {nonce} --profile {profile}"


def take_apart(pasted: str, *, origins: Mapping[str, str], at: datetime) -> SignedRequest:
    """`pasted` is what the command printed, whole or the token alone.

    `origins` are the addresses of STS where the role lives, each with its region; an empty region stands for any.
    Raises `ProofRefused`.
    """
    parts = _URL.fullmatch(_signed_url(pasted))
    if not parts:
        raise ProofRefused(Refusal.ALTERED)
    origin, query = parts.groups()
    if origin not in origins:
        raise ProofRefused(Refusal.ELSEWHERE)
    parameters = _parameters(query)
    _check_scope(parameters, region=origins[origin])
    _check_age(parameters["X-Amz-Date"], at=at)
    return SignedRequest(origin, "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items()))


def judge(answer: StsAnswer, *, role_arn: RoleArn, session_name: str) -> str:
    """The ARN of the session that STS named, if it is this role's and this person's. Raises `ProofRefused`."""
    if 300 <= answer.status < 400:
        raise ProofRefused(Refusal.REDIRECTED)
    if answer.error_code == "SignatureDoesNotMatch":
        raise ProofRefused(Refusal.NOT_SIGNED_SO)
    session = _SESSION_ARN.fullmatch(answer.arn)
    if answer.status != 200 or not session:
        raise ProofRefused(Refusal.NOT_ACCEPTED)
    if session.groups()[:3] != (role_arn.partition, role_arn.account_id, role_arn.name):
        raise ProofRefused(Refusal.OTHER_ROLE)
    if session[4] != session_name:
        raise ProofRefused(Refusal.OTHER_PERSON)
    return answer.arn


def _signed_url(pasted: str) -> str:
    found = set(_TOKEN.findall(pasted)) if len(pasted) <= MAX_PASTED else set()
    if len(found) != 1:
        raise ProofRefused(Refusal.NO_TOKEN)
    text = found.pop()
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ProofRefused(Refusal.ALTERED) from error


def _parameters(query: str) -> dict[str, str]:
    """Exactly those that are known, each once; no two readers of the URL can then understand it differently."""
    found: dict[str, str] = {}
    for text in query.split("&"):
        pair = _PAIR.fullmatch(text)
        if not pair or pair[1] not in _PARAMETERS or pair[1] in found:
            raise ProofRefused(Refusal.ALTERED)
        found[pair[1]] = unquote_to_bytes(pair[2]).decode("latin-1")
    if found.get("X-Amz-Credential", "").startswith("AKIA"):
        raise ProofRefused(Refusal.LONG_TERM_KEY)
    if found.keys() != _PARAMETERS.keys():
        raise ProofRefused(Refusal.ALTERED)
    if not all(_PARAMETERS[name].fullmatch(value) for name, value in found.items()):
        raise ProofRefused(Refusal.ALTERED)
    return found


def _check_scope(parameters: Mapping[str, str], *, region: str) -> None:
    """The signature must be for the day that it names, and for the region whose STS is asked."""
    scope = _CREDENTIAL.fullmatch(parameters["X-Amz-Credential"])
    if not scope or scope[1] != parameters["X-Amz-Date"][:8]:
        raise ProofRefused(Refusal.ALTERED)
    if region and scope[2] != region:
        raise ProofRefused(Refusal.ELSEWHERE)


def _check_age(date: str, *, at: datetime) -> None:
    try:
        signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise ProofRefused(Refusal.ALTERED) from error
    if at - signed_at > _OLDEST:
        raise ProofRefused(Refusal.STALE)
    if signed_at - at > _CLOCKS_APART:
        raise ProofRefused(Refusal.AHEAD)
