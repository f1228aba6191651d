"""Thousands of random trust policies, decided by `core/iam` and by the sandbox's ministack, which share no code.

The part of the language is that in which ministack is documented to be right; where the two differ outside of it, the
last test says how and why.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from onboarding.core.iam import Outcome, Request, evaluate, faults
from sandbox.grammar import MAX_TRUST_POLICY

BASTION, OTHER = "111122223333", "999988887777"
VALIDATOR = f"arn:aws:iam::{BASTION}:role/portal/validator"
SSO_ROLE = (
    f"arn:aws:iam::{BASTION}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Bastion_0123456789abcdef"
)
STRANGER = f"arn:aws:iam::{OTHER}:role/validator"
ROLES = [VALIDATOR, SSO_ROLE, STRANGER]
SESSION_NAMES = ["jane@example.com", "check"]
EXTERNAL_ID = "tbi-7k2p-x9q4"
SOURCE_IP = "192.0.2.17"
# Beside what the caller and the call themselves tell.
KEYS = {
    "aws:multifactorauthpresent": "false",
    "aws:tokenissuetime": "2026-11-24T09:00:00Z",
    "aws:principaltag/team": "data",
    "aws:principaltag/level": "7",
}

Decide = Callable[[dict[str, Any]], str]


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decide]:
    command = [sys.executable, "-m", "tests.sandbox.decider", str(tmp_path_factory.mktemp("decider")), *ROLES]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout

        def decide(question: dict[str, Any]) -> str:
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            return str(json.loads(process.stdout.readline()))

        yield decide
        process.stdin.close()


def ours(question: dict[str, Any]) -> Outcome:
    # A tag that nobody carries; all else that is absent is known to be so.
    context = {**question["keys"], "aws:SourceIp": question["source_ip"], "aws:PrincipalTag/none": None}
    request = Request.of_caller(
        question["caller"],
        session_name=question["session_name"],
        external_id=question["external_id"],
        context=context,
    )
    return evaluate(question["document"], request).outcome


# --- Random policies ------------------------------------------------------------------------------------------------

_ROOT = f"arn:aws:iam::{BASTION}:root"
# What opens stands there more than once, or hardly a policy would come to its conditions.
_PRINCIPAL = st.sampled_from(
    [
        BASTION, BASTION, _ROOT, _ROOT, OTHER, f"arn:aws:iam::{OTHER}:root", "*", VALIDATOR, SSO_ROLE, STRANGER,
        f"arn:aws:sts::{BASTION}:assumed-role/validator/check",
        f"arn:aws:sts::{BASTION}:assumed-role/validator/another",
    ]
)  # fmt: skip
_PRINCIPALS = st.one_of(
    _PRINCIPAL.map(lambda one: {"AWS": one}),
    st.lists(_PRINCIPAL, min_size=1, max_size=3, unique=True).map(lambda some: {"AWS": some}),
    _PRINCIPAL.map(lambda one: {"AWS": one, "Service": "ec2.amazonaws.com"}),
    st.just({"Service": "ec2.amazonaws.com"}),
)
_ACTION = st.sampled_from(
    ["sts:AssumeRole", "sts:AssumeRole", "sts:AssumeRole", "STS:assumerole", "sts:*", "sts:Assume*", "sts:Assume????",
     "sts:TagSession", "sts:AssumeRoleWithSAML", "sts:AssumeRole?"]
)  # fmt: skip
_ACTIONS = st.one_of(
    _ACTION.map(lambda one: {"Action": one}),
    st.lists(_ACTION, min_size=1, max_size=3).map(lambda some: {"Action": some}),
    _ACTION.map(lambda one: {"NotAction": one}),
)
_TEXTS = {
    "sts:ExternalId": [EXTERNAL_ID, EXTERNAL_ID.upper(), "tbi-*", "tbi-????-x9q4", "*", "", "another"],
    "aws:PrincipalArn": [
        VALIDATOR, SSO_ROLE, SSO_ROLE[:-16] + "?" * 16, SSO_ROLE[:-16] + "*", f"arn:aws:iam::{BASTION}:role/*",
        f"arn:aws:iam::{BASTION}:role/validator", "arn:aws:iam::*:role/portal/*", "*",
        "arn:aws:iam::${aws:PrincipalAccount}:role/portal/validator", "arn:aws:sts:*",
    ],
    "sts:RoleSessionName": ["jane@example.com", "*@example.com", "check", "CHECK", "ch?ck", "${aws:PrincipalTag/team}"],
    "aws:PrincipalAccount": [BASTION, OTHER, "1111*", "${aws:PrincipalAccount}"],
    "aws:PrincipalTag/team": ["data", "DATA", "d*", "sales", "${*}", "${aws:PrincipalTag/none, 'data'}"],
    "aws:PrincipalTag/none": ["data", "*", "${aws:PrincipalTag/none, 'x'}"],
    "sts:SourceIdentity": ["jane", "*"],
}  # fmt: skip
_NUMBERS = ["7", "6", "8", "7.0", "07"]
_DATES = ["2026-11-24T09:00:00Z", "2026-11-24T10:00:00+01:00", "2026-11-23", "2027-01-01T00:00:00Z", "1763974800"]
_NETWORKS = [SOURCE_IP, "192.0.2.0/24", "192.0.2.16/31", "198.51.100.0/24", "::/0", "0.0.0.0/0"]
_STRINGS = ["Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"]
_ORDERS = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
_ARNS = ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"]


def _kind(operators: list[str], keys: dict[str, list[Any]]) -> st.SearchStrategy[tuple[str, str, Any]]:
    """An operator, a key, and values that may fit."""

    def of_key(key: str) -> st.SearchStrategy[Any]:
        value = st.sampled_from(keys[key])
        values = value | st.lists(value, min_size=1, max_size=3)
        return st.tuples(st.sampled_from(operators), st.sampled_from([key, key.lower(), key.upper()]), values)

    return st.sampled_from(sorted(keys)).flatmap(of_key)


_CONDITION = st.one_of(
    _kind([f"String{name}" for name in _STRINGS], _TEXTS),
    _kind(_ARNS, {"aws:PrincipalArn": _TEXTS["aws:PrincipalArn"]}),
    _kind([f"Numeric{name}" for name in _ORDERS], {"aws:PrincipalTag/level": _NUMBERS, "aws:PrincipalTag/none": ["1"]}),
    _kind([f"Date{name}" for name in _ORDERS], {"aws:TokenIssueTime": _DATES}),
    _kind(["Bool"], {"aws:SecureTransport": ["true", True, "false"], "aws:MultiFactorAuthPresent": ["true", "false"]}),
    _kind(["IpAddress", "NotIpAddress"], {"aws:SourceIp": _NETWORKS}),
)
_PREFIXES = st.sampled_from(["", "", "", "ForAllValues:", "ForAnyValue:"])
_SUFFIXES = st.sampled_from(["", "", "IfExists"])
_NULL = st.tuples(st.just("Null"), st.sampled_from(sorted(_TEXTS)), st.sampled_from(["true", "false", True, False]))


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    block: dict[str, dict[str, Any]] = {}
    for _ in range(draw(st.integers(0, 3))):
        if draw(st.integers(0, 5)):
            operator, key, values = draw(_CONDITION)
            operator = f"{draw(_PREFIXES)}{operator}{draw(_SUFFIXES)}"
        else:
            operator, key, values = draw(_NULL)
        block.setdefault(operator, {})[key] = values
    return block


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    effect = draw(st.sampled_from(["Allow", "Allow", "Allow", "Deny"]))
    found = {"Effect": effect, "Principal": draw(_PRINCIPALS), **draw(_ACTIONS)}
    block = draw(conditions())
    return {**found, "Condition": block} if block else found


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    version = draw(st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17"]))
    entries = draw(st.lists(statements(), min_size=1, max_size=3))
    # IAM takes no longer ones.
    assume(len(json.dumps(entries, separators=(",", ":"))) < MAX_TRUST_POLICY - 100)
    return {
        "document": {"Version": version, "Statement": entries},
        "caller": draw(st.sampled_from(ROLES)),
        "session_name": draw(st.sampled_from(SESSION_NAMES)),
        "external_id": draw(st.sampled_from([EXTERNAL_ID, "another", None])),
        "source_ip": SOURCE_IP,
        "keys": KEYS,
    }


def disagreement(question: dict[str, Any], theirs: str) -> str:
    mine = ours(question)
    if mine is Outcome.UNKNOWN:
        return f"core/iam cannot know: {question}"
    expected = "allowed" if mine is Outcome.ALLOWED else "denied"
    return "" if theirs == expected else f"core/iam: {mine}, ministack: {theirs}: {json.dumps(question)}"


def thoroughly(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


@given(question=questions())
@thoroughly(2_000)
@pytest.mark.timeout(600)
def test_both_decide_alike(ministack: Decide, question: dict[str, Any]) -> None:
    assert not list(faults(question["document"]))
    assert disagreement(question, ministack(question)) == ""


@given(question=questions())
@thoroughly(10_000)
@pytest.mark.fuzz
@pytest.mark.timeout(3600)
def test_both_decide_alike_for_a_long_time(ministack: Decide, question: dict[str, Any]) -> None:
    assert disagreement(question, ministack(question)) == ""


def _deciding(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": BASTION}, "Action": "sts:AssumeRole", **elements}


@pytest.mark.parametrize(
    ("statement", "keys", "mine", "theirs"),
    [
        pytest.param(
            _deciding(Condition={"BinaryEquals": {"aws:PrincipalTag/b": "QR=="}}),
            {"aws:principaltag/b": "QQ=="},
            "allowed",
            "denied",
            id="BinaryEquals is about the bytes behind the text (both are one A); ministack compares the text",
        ),
        pytest.param(
            _deciding(Condition={"Null": {"aws:PrincipalTag/empty": "true"}}),
            {"aws:principaltag/empty": ""},
            "allowed",
            "denied",
            id="An empty string counts as an absent key; ministack takes it for a value",
        ),
        pytest.param(
            _deciding(Condition={"StringNotEquals": {"sts:RoleSessionName": "${aws:PrincipalTag/none}"}}),
            {},
            "unknown",
            "denied",
            id="A variable without a value might make a negated condition fail, says AWS; ministack is sure of it",
        ),
        pytest.param(
            _deciding(Condition={"NumericEquals": {"aws:PrincipalTag/n": "1e1"}}),
            {"aws:principaltag/n": "10"},
            "implicitly_denied",
            "allowed",
            id="AWS documents integers and decimals only; ministack takes whatever Python takes for a number",
        ),
        pytest.param(
            {"Effect": "Allow", "NotPrincipal": {"AWS": OTHER}, "Action": "sts:AssumeRole"},
            {},
            "allowed",
            "MalformedPolicyDocument: AssumeRole policy must not contain NotPrincipal field.",
            id="core/iam decides also what IAM does not save in a trust policy; the sandbox refuses it",
        ),
        pytest.param(
            _deciding(Principal="*"),
            {},
            "allowed",
            'MalformedPolicyDocument: AssumeRolepolicy contained an invalid principal: "STAR".',
            id="The same for the bare star",
        ),
    ],
)
def test_where_they_differ_it_is_for_a_reason(
    ministack: Decide, statement: dict[str, Any], keys: dict[str, str], mine: str, theirs: str
) -> None:
    question = {
        "document": {"Version": "2012-10-17", "Statement": [statement]}, "caller": VALIDATOR, "session_name": "check",
        "external_id": None, "source_ip": SOURCE_IP, "keys": keys,
    }  # fmt: skip

    assert (ours(question), ministack(question)) == (mine, theirs)
