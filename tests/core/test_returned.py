"""What a partner pastes as the answer: understood in each of its shapes, and refused in words where it is none."""

import hashlib
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onboarding.core import trust
from onboarding.core.errors import InvalidReply, InvalidRoleArn
from onboarding.core.handoff import returned
from onboarding.core.handoff.returned import BEGIN, END, parse
from tests.core.test_trust import callers

ARN = "arn:aws:iam::303040405050:role/partners/HoshinoTelemetry"
POLICY = trust.trust_policy(callers(), external_id="tbi-7q2m-9xkd-41vn-hc8e-2m4p")
GET_ROLE = json.dumps(
    {
        "Role": {
            "Path": "/partners/",
            "RoleName": "HoshinoTelemetry",
            "RoleId": "AROAEXAMPLEEXAMPLE00",
            "Arn": ARN,
            "AssumeRolePolicyDocument": POLICY,
            "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::303040405050:policy/Limits"},
        }
    },
    indent=4,
)
STACK = "arn:aws:cloudformation:ap-northeast-1:303040405050:stack/HoshinoTelemetry/6f1c0d52"
OUTPUTS = [
    {"OutputKey": "OtherRole", "OutputValue": "arn:aws:iam::303040405050:role/Other"},
    {"OutputKey": "RoleArn", "OutputValue": ARN, "Description": "Return this to who asked for the role."},
]


def reply(said: str = "", *, checksum: str = "") -> str:
    """As CloudShell prints it."""
    said = said or json.dumps({"RoleArn": ARN, "AssumeRolePolicyDocument": POLICY}, indent=4)
    found = checksum or hashlib.sha256("".join(said.split()).encode()).hexdigest()
    return f"{BEGIN}\n{said}\nsha256 {found}\n{END}\n"


@pytest.mark.parametrize(
    "pasted",
    [
        ARN,
        f'  "{ARN}",\r\n',
        f"`{ARN}`",
        GET_ROLE,
        GET_ROLE.replace("\n", "\r\n"),
        json.dumps({"RoleArn": ARN}),
        json.dumps({"Stacks": [{"StackId": STACK, "StackName": "X", "Outputs": OUTPUTS}]}),
        json.dumps(OUTPUTS),
        json.dumps(OUTPUTS[1:]),
        json.dumps({"HoshinoTelemetry_role_arn": {"sensitive": False, "type": "string", "value": ARN}}),
        f'HoshinoTelemetry_role_arn = "{ARN}"\nother = "arn:aws:iam::303040405050:role/Other"',
        f"OUTPUTS\tReturn this to who asked for the role.\tRoleArn\t{ARN}",
        f"RoleArn\t{ARN}\tReturn this to who asked for the role.\t-\n",
        f"Key Value Description Export name\nRoleArn {ARN} Return this to who asked for the role. -",
        f"----------\n| DescribeStacks |\n+-----+-----+\n| OutputKey | RoleArn |\n| OutputValue | {ARN} |\n+----+\n",
        f"- OutputKey: RoleArn\n  OutputValue: {ARN}\n- OutputKey: Bucket\n  OutputValue: {STACK}\n",
        f"Role:\n  Arn: {ARN}\n  AssumeRolePolicyDocument:\n    Principal:\n      AWS: arn:aws:iam::1:role/x",
        f"ROLE\t{ARN}\t2026-11-25T03:00:00Z\t3600\nPRINCIPAL\tarn:aws:iam::111122223333:role/tobiishi-validator",
        f"The ARN is {ARN}",
        reply(),
        reply().replace("\n", "\r\n"),
        f"~ $ {{ tr -d ...\n\n{reply()}~ $ ",
        "".join(f"  {line}  \n" for line in reply().splitlines()),
        reply("first: {}") + reply(),
    ],
)
def test_the_role_is_found_whatever_was_pasted(pasted):
    assert str(parse(pasted).arn) == ARN


@pytest.mark.parametrize("pasted", [GET_ROLE, reply()])
def test_the_saved_policy_comes_along_as_text(pasted):
    assert parse(pasted).trust_policy == json.dumps(POLICY, indent=2)
    assert parse(ARN).trust_policy == ""


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("x" * 20_001, "too_long"),
        (BEGIN, "cut_short"),
        (reply().replace(END, ""), "cut_short"),
        (reply().replace(BEGIN, ""), "cut_short"),
        (reply().replace("sha256", ""), "cut_short"),
        (reply(checksum="0" * 64), "damaged"),
        (reply().replace("HoshinoTelemetry", "HoshinoTelemetri"), "damaged"),
        (reply().replace('"', "\u201d"), "damaged"),
        (reply("{"), "cut_short"),
        (reply(f'["{ARN}"]'), "no_role"),
        (GET_ROLE[:-4], "cut_short"),
        (json.dumps({"Policy": {"Arn": "arn:aws:iam::303040405050:policy/Read"}}), "no_role"),
        (json.dumps(POLICY), "no_role"),
        (json.dumps({"Roles": [{"Arn": ARN}, {"Arn": f"{ARN}2"}]}), "several_roles"),
        (f"either {ARN}2 or {ARN}", "several_roles"),
    ],
)
def test_what_names_no_role_for_certain_is_refused_with_the_reason(pasted, reason):
    with pytest.raises(InvalidReply) as refused:
        parse(pasted)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("", "empty"),
        ("HoshinoTelemetry", "not_an_arn"),
        ("Hoshino Telemetry", "not_an_arn"),
        ("arn:aws:iam::303040405050:role/Hoshino\nTelemetry", "control_character"),
        ("arn:aws:iam::303040405050:role/a b/X", "path"),
        (f"{ARN} and {ARN}2", "path"),
        ("User arn:aws:iam::303040405050:user/mio made it", "user"),
    ],
)
def test_what_is_no_arn_of_a_role_is_refused_as_such(pasted, reason):
    with pytest.raises(InvalidRoleArn) as refused:
        parse(pasted)
    assert refused.value.reason == reason


@given(st.text(max_size=300) | st.builds(lambda a, b: a + ARN + b, st.text(max_size=20), st.text(max_size=20)))
@example("{" * 5000)
@example('{"Role": null}')
@example('{"Arn": ["arn:aws:iam::303040405050:role/x"]}')
@example('{"OutputKey": {}, "OutputValue": "arn:aws:iam::303040405050:role/x"}')
def test_anything_is_understood_or_refused(pasted):
    try:
        found = parse(pasted)
    except (InvalidRoleArn, InvalidReply):
        return
    assert str(found.arn) in pasted


def test_the_longest_answer_is_read_at_once():
    parse(reply(json.dumps({"RoleArn": ARN, "padding": "x" * (returned.LONGEST - 400)})))
