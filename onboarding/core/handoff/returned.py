"""What a partner pastes as the answer: the ARN, CloudShell's reply, a stack's outputs, or what get-role printed."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from onboarding.core import policy_text
from onboarding.core.arns import RoleArn
from onboarding.core.errors import InvalidReply, InvalidRoleArn
from onboarding.core.policy_text import Path, Reading

BEGIN = "-----BEGIN TOBIISHI REPLY-----"
END = "-----END TOBIISHI REPLY-----"
# A trust policy has 4,096 characters at most; the outputs of a large stack come to some thousands.
LONGEST = 20_000

_CHECKSUM = re.compile(r"sha256\s+([0-9a-f]{64})\s*\Z")
_WHITE_SPACE = re.compile(r"[ \t\r\n\v\f]+")
# What stands between the cells of a table, the words of a line, and around a value in YAML or HCL.
_BETWEEN = re.compile(r"[\s|\u2502\"'`;<>()\[\]{}]+")
_ROLE = re.compile(r"arn:[a-z0-9-]+:iam::[0-9]+:role/.+")
_POLICY = "AssumeRolePolicyDocument"
# Under these names AWS and our own forms print the ARN of the role itself; a policy names others under other names.
_HOLDERS = frozenset({"arn", "rolearn", "outputvalue", "value"})
_LABELS = frozenset({"arn", "rolearn", "role"})


@dataclass(frozen=True, slots=True)
class Returned:
    """The role; and its trust policy as IAM has it, where that was pasted along."""

    arn: RoleArn
    trust_policy: str = ""


def parse(text: str) -> Returned:
    """Raises `InvalidRoleArn`, and `InvalidReply` whose reason is one of: `too_long`, `cut_short`, `damaged`,
    `no_role`, `several_roles`."""
    if len(text) > LONGEST:
        raise InvalidReply("too_long")
    if BEGIN in text or END in text:
        return _reply(text)
    trimmed = text.strip("\ufeff \t\r\n")
    if trimmed.startswith(("{", "[")):
        return _json(trimmed)
    words = [word for word in _BETWEEN.split(trimmed) if any(map(str.isalnum, word))]
    # A broken ARN is nothing to guess at.
    if len(words) < 2 or trimmed.lstrip("\"'`").startswith("arn:"):
        return Returned(RoleArn.parse(text))
    return Returned(_role_in_words(words, text))


def _reply(text: str) -> Returned:
    _, begin, rest = text.rpartition(BEGIN)
    body, end, _ = rest.partition(END)
    checksum = _CHECKSUM.search(body)
    if not (begin and end and checksum):
        raise InvalidReply("cut_short")
    said = body[: checksum.start()]
    if hashlib.sha256(_WHITE_SPACE.sub("", said).encode()).hexdigest() != checksum[1]:
        raise InvalidReply("damaged")
    return _json(said)


def _json(text: str) -> Returned:
    reading = policy_text.read(text)
    if reading.problem:
        raise InvalidReply("cut_short")
    policy = next((path for path in reading.spans if path and path[-1] == _POLICY), None)
    return Returned(_role_in(reading), policy_text.indented(reading.source(policy)) if policy else "")


def _role_in(reading: Reading) -> RoleArn:
    """Of a stack's outputs the one that our template names, where it has other roles too."""
    held = {path: found for path in reading.spans if path and _is_role(found := _value(reading, path), path)}
    ours = {path: found for path, found in held.items() if _label(reading, path) == "rolearn"}
    return _only((ours or held).values())


def _is_role(found: object, path: Path) -> bool:
    return str(path[-1]).lower() in _HOLDERS and isinstance(found, str) and bool(_ROLE.fullmatch(found))


def _label(reading: Reading, path: Path) -> str:
    holder = _value(reading, path[:-1])
    key = holder.get("OutputKey", path[-1]) if isinstance(holder, dict) else path[-1]
    return str(key).lower()


def _value(reading: Reading, path: Path) -> object:
    found = reading.value
    for step in path:
        found = found[step]  # type: ignore[index]  # the reader made both the path and the containers
    return found


def _role_in_words(words: list[str], text: str) -> RoleArn:
    before = ["", *(word.rstrip(":=").lower() for word in words)]
    roles = {index: word for index, word in enumerate(words) if _ROLE.fullmatch(word)}
    if not roles:
        # What else was pasted has its own sentence, where it is an ARN.
        raise _refusal(next((word for word in words if word.startswith("arn:")), text))
    labelled = [word for index, word in roles.items() if before[index] in _LABELS or before[index].endswith("role_arn")]
    return _only(labelled or roles.values())


def _refusal(text: str) -> InvalidRoleArn | InvalidReply:
    try:
        RoleArn.parse(text)
    except InvalidRoleArn as error:
        return error
    return InvalidReply("no_role")


def _only(found: Iterable[object]) -> RoleArn:
    arns = {str(arn) for arn in found}
    if len(arns) != 1:
        raise InvalidReply("several_roles" if arns else "no_role")
    return RoleArn.parse(arns.pop())
