"""The doctor beyond its table: what we generate is healthy, and no input is too strange or too large."""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.core.arns import AccountId, Partition, RoleArn, SsoRoleArn
from onboarding.core.doctor import Caller, Code, Question, Severity, diagnose
from onboarding.core.policy_text import MOST_ELEMENTS
from onboarding.core.trust import MAX_LENGTH, Callers, TrustStyle, minified, policy_text, trust_policy
from tests.core.test_iam import ANY_JSON

BASTION = "111122223333"
SSO_ROLE = (
    f"arn:aws:iam::{BASTION}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Bastion_0123456789abcdef"
)
VALIDATOR = f"arn:aws:iam::{BASTION}:role/tobiishi-validator"
EXTERNAL_ID = "tbi-7k2p-x9q4-m3r8-w5t1-z6y0"
CALLERS = (Caller("employees", SSO_ROLE, "jane@example.com"), Caller("validator", VALIDATOR, "probe"))


def ask(document: object, **facts: Any) -> Any:
    text = document if isinstance(document, str) else json.dumps(document)
    return diagnose(Question(**{"text": text, "callers": CALLERS, "external_id": EXTERNAL_ID, **facts}))


_LEGAL = string.ascii_letters + string.digits + "_+=,.@-"
_PERMISSION_SET = st.text(_LEGAL, min_size=1, max_size=32)
_ROLE_NAME = st.text(_LEGAL, min_size=1, max_size=64)
_PATHS = st.sampled_from(["/", "/portal/", "/a/b+c/"])
_EXTERNAL_ID = st.text(f"{_LEGAL}:/", min_size=16, max_size=64)
_REGIONS = ["us-east-1", "eu-west-1", "ap-northeast-1", "us-gov-west-1", "cn-north-1"]


@st.composite
def callers_of_a_bastion(draw: st.DrawFn) -> Callers:
    partition, account = (
        draw(st.sampled_from(Partition)),
        AccountId(draw(st.from_regex(r"[1-9][0-9]{11}", fullmatch=True))),
    )
    region, permission_set = draw(st.sampled_from(_REGIONS)), draw(_PERMISSION_SET)
    suffix = draw(st.text("0123456789abcdef", min_size=16, max_size=16))
    return Callers(
        partition=partition,
        bastion_account_id=account,
        permission_set=permission_set,
        identity_center_region=region,
        validator_role=RoleArn(partition, account, draw(_PATHS), draw(_ROLE_NAME)),
        sso_role=SsoRoleArn(partition, account, None if region == "us-east-1" else region, permission_set, suffix),
    )


@given(
    callers=callers_of_a_bastion(),
    external_id=_EXTERNAL_ID,
    style=st.sampled_from(TrustStyle),
    console_access=st.booleans(),
)
def test_what_we_generate_is_healthy(
    callers: Callers, external_id: str, style: TrustStyle, console_access: bool
) -> None:
    document = trust_policy(callers, external_id=external_id, style=style, console_access=console_access)
    diagnosis = diagnose(
        Question(
            text=policy_text(document),
            callers=(
                Caller("e", str(callers.sso_role), "jane@example.com"),
                Caller("v", str(callers.validator_role), "probe"),
            ),
            external_id=external_id,
            role_arn=f"arn:{callers.partition}:iam::444455556666:role/R",
            console_access=console_access,
        )
    )

    assert len(minified(document)) <= MAX_LENGTH
    assert set(diagnosis.outcomes) == {"allowed"}
    assert diagnosis.is_healthy
    expected = {Code.ROLE_ARN_AS_PRINCIPAL} if style is TrustStyle.EXACT_ROLE else set()
    assert {finding.code for finding in diagnosis.findings} == expected


def test_what_we_generate_before_the_sso_role_is_known_fits_the_role_that_identity_center_makes() -> None:
    facts: dict[str, Any] = {
        "partition": Partition.AWS,
        "bastion_account_id": AccountId(BASTION),
        "permission_set": "Bastion",
        "identity_center_region": "eu-west-1",
        "validator_role": RoleArn.parse(VALIDATOR),
    }
    document = trust_policy(Callers(**facts), external_id=EXTERNAL_ID)

    assert ask(document).findings == ()
    assert ask(trust_policy(Callers(**facts, sso_role=SsoRoleArn.parse(SSO_ROLE)), external_id=EXTERNAL_ID)) == ask(
        document
    )


@given(document=ANY_JSON)
def test_whatever_is_pasted_as_json_there_is_a_diagnosis(document: object) -> None:
    diagnosis = ask(document)

    assert len(diagnosis.outcomes) == len(CALLERS)
    diagnosis.whole_correction()
    for finding in diagnosis.findings:
        diagnosis.correction(finding)


@given(text=st.text(max_size=80), callers=st.lists(st.builds(Caller, st.text(), st.text(), st.text()), max_size=3))
def test_whatever_is_pasted_by_whomever_there_is_a_diagnosis(text: str, callers: list[Caller]) -> None:
    diagnosis = diagnose(Question(text=text, callers=tuple(callers), role_arn=text, external_id=text))

    assert diagnosis.findings
    assert len(diagnosis.outcomes) == len(callers)


_ENTRY = {
    "Effect": "Allow", "Principal": {"AWS": BASTION}, "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
}  # fmt: skip


def _with(**elements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{**_ENTRY, **elements}]})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (json.dumps({"Version": "2012-10-17", "Statement": [_ENTRY] * 10_000}), Code.DOCUMENT_TOO_LONG),
        (_with(Principal={"AWS": [f"{n:012}" for n in range(20_000)]}), Code.DOCUMENT_TOO_LONG),
        (_with(Condition={"StringLike": {"sts:ExternalId": "*?" * 1_000_000}}), Code.DOCUMENT_TOO_LONG),
        ("[" * 100_000 + "]" * 100_000, Code.NOT_JSON),
        ('{"Statement":' * 100_000 + "1" + "}" * 100_000, Code.NOT_JSON),
        ('{"Statement": [{"Effect": "Allow", "Sid": "\\ud800"}]}', Code.MALFORMED_ELEMENT),
        ("{" * 1_000_000, Code.NOT_JSON),
        (" " * 1_000_000, Code.NOT_JSON),
        ('{"' + "\\" * 1_000_000, Code.NOT_JSON),
        (f"[{'1,' * MOST_ELEMENTS}1]", Code.DOCUMENT_TOO_LONG),
        ('{"Statement": [' + '{"a":1,"a":1},' * 10_000 + "{}]}", Code.MALFORMED_ELEMENT),
        (_with(Sid="x" * 10_000_000), Code.DOCUMENT_TOO_LONG),
    ],
    ids=[
        "statements",
        "principals",
        "wildcards",
        "lists",
        "objects",
        "surrogate",
        "braces",
        "blanks",
        "backslashes",
        "elements",
        "equal keys",
        "ten megabytes",
    ],
)
@pytest.mark.timeout(30)
def test_a_monstrous_document_is_a_finding(text: str, code: Code) -> None:
    assert ask(text).findings[0].code is code


def test_a_document_too_long_for_iam_is_still_decided() -> None:
    diagnosis = ask({"Version": "2012-10-17", "Statement": [_ENTRY] * 300})

    assert set(diagnosis.outcomes) == {"allowed"}
    assert diagnosis.findings[0].severity is Severity.BLOCKS


def test_with_no_callers_the_document_is_still_judged() -> None:
    diagnosis = ask("{", callers=())

    assert diagnosis.outcomes == ()
    assert diagnosis.findings[0].code is Code.NOT_JSON


def test_each_caller_is_judged_apart_and_the_first_finding_is_the_cause() -> None:
    names_validator = {**_ENTRY, "Principal": {"AWS": [VALIDATOR, "AROAEXAMPLEID12345678"]}}
    diagnosis = ask({"Version": "2012-10-17", "Statement": [names_validator]})

    assert diagnosis.outcomes == ("implicitly_denied", "allowed")
    assert [(finding.code, finding.caller) for finding in diagnosis.findings] == [
        (Code.DELETED_PRINCIPAL, "employees"),
        (Code.VALIDATOR_ONLY, ""),
    ]


def test_a_correction_tells_new_lines_from_those_that_stay() -> None:
    diagnosis = ask(
        json.dumps({"Version": "2012-10-17", "Statement": [{**_ENTRY, "Action": "sts:AssumeRoles"}]}, indent=2)
    )
    correction = diagnosis.correction(diagnosis.findings[0])

    assert correction
    changed = [correction.text.splitlines()[number - 1].strip() for number in correction.changed_lines]
    assert changed == ['"Action": "sts:AssumeRole",']
    assert ("-", '      "Action": "sts:AssumeRoles",') in list(correction.lines)
