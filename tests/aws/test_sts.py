"""The exact requests and each kind of answer, on the wire and checked against AWS's own model."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ConnectTimeoutError

from onboarding.aws import AwsUnavailable, clients, signed, sts
from onboarding.aws.clients import Identity
from onboarding.aws.sts import ControlOrder, ProbeOrder
from onboarding.core.arns import RoleArn
from onboarding.core.probes import CONTROLS_MUST, WRONG, OurPolicy, Outcome, ProbeKind
from tests.aws.wire import ANYTHING, aws_on_the_wire

ROLE = RoleArn.parse("arn:aws:iam::222233334444:role/Reader")
WORKER = Identity("ap-northeast-1")
VALIDATOR = Identity("ap-northeast-1", "arn:aws:iam::111122223333:role/tobiishi-validator")
STRANGER = Identity("ap-northeast-1", "arn:aws:iam::111122223333:role/tobiishi-stranger")
CONTROL, ASKING = (RoleArn.parse(f"arn:aws:iam::444455556666:role/control-{name}") for name in ("open", "asking"))
# The worker is the validator role itself, which saves a step where it is not what is tested.
ORDER = ProbeOrder(identity=WORKER, role_arn=ROLE, external_id="tbi-right")
THEIRS = "arn:aws:sts::222233334444:assumed-role/Reader/tobiishi-validator"
WORKER_ARN = "arn:aws:sts::111122223333:assumed-role/tobiishi-worker/i-0a1b"
VALIDATOR_ARN = "arn:aws:sts::111122223333:assumed-role/tobiishi-validator/tobiishi-validator"
KEYS = ("ASIAEXAMPLEEXAMPLE00", "the-secret", "the-token")
TRIES = len(signed._PAUSES_SECONDS) + 1
NOTHING_ALLOWED = {"Effect": "Deny", "Action": "*", "Resource": "*"}
DENY_ALL = json.dumps({"Version": "2012-10-17", "Statement": [NOTHING_ALLOWED]})
ONLY_GET_ROLE = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "iam:GetRole", "Resource": str(ROLE)},
            {"Effect": "Deny", "NotAction": "iam:GetRole", "Resource": "*"},
        ],
    }
)


@pytest.fixture
def wire(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE00")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "worker-secret")
    monkeypatch.setattr(signed, "sleep", lambda _seconds: None)
    clients.forget()
    with aws_on_the_wire(monkeypatch) as wire:
        yield wire
    clients.forget()


def session(arn=THEIRS, keys=KEYS):
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    return (
        f"<AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser><Credentials>"
        f"<AccessKeyId>{keys[0]}</AccessKeyId><SecretAccessKey>{keys[1]}</SecretAccessKey>"
        f"<SessionToken>{keys[2]}</SessionToken><Expiration>{until}</Expiration></Credentials>"
    )


def assume(**override):
    return {"RoleArn": str(ROLE), "RoleSessionName": "tobiishi-validator", "DurationSeconds": 900} | override


RIGHT = assume(ExternalId="tbi-right", Policy=ONLY_GET_ROLE)


def expect_negative(wire):
    """All of them denied; the first wrong external ID is random."""
    wire.refuse("AssumeRole", **assume(Policy=DENY_ALL))
    for wrong in (ANYTHING, "TBI-RIGHT", "xtbi-right", "tbi-rightx"):
        wire.refuse("AssumeRole", **assume(Policy=DENY_ALL, ExternalId=wrong))


def expect_all(wire, answer=f"<Arn>{THEIRS}</Arn>"):
    wire.expect("AssumeRole", session(), **RIGHT)
    expect_negative(wire)
    if answer:
        wire.expect("GetCallerIdentity", answer)


def expect_own_role(wire, identity):
    request = {"RoleArn": identity.role_arn, "RoleSessionName": "tobiishi-validator", "DurationSeconds": 3600}
    wire.expect(
        "AssumeRole", session(keys=("ASIAOURS000000000000", "ours", f"token of {identity.role_arn}")), **request
    )


def refuse_own_role(wire, identity, code="AccessDenied"):
    request = {"RoleArn": identity.role_arn, "RoleSessionName": "tobiishi-validator", "DurationSeconds": 3600}
    wire.refuse("AssumeRole", code, **request)


def test_the_probes_ask_for_the_shortest_session_and_give_its_power_up(wire):
    expect_all(wire)
    probes = sts.probe_role(ORDER).probes
    assert [probe.kind for probe in probes] == [
        ProbeKind.WITH_EXTERNAL_ID,
        ProbeKind.WITHOUT_EXTERNAL_ID,
        *WRONG,
        ProbeKind.ANSWERING_ACCOUNT,
    ]
    assert [probe.outcome for probe in probes] == [Outcome.ENTERED, *[Outcome.DENIED] * 5, Outcome.ENTERED]
    assert [probe.request_id for probe in probes] == ["AssumeRole-1", *["AssumeRole-2"] * 5, "GetCallerIdentity-1"]
    assert probes[-1].answered_arn == THEIRS
    assert all(datetime.fromisoformat(probe.at).tzinfo for probe in probes)
    assert wire.header(0, "User-Agent").startswith("tobiishi")
    assert wire.header(-1, "X-Amz-Security-Token") == "the-token"


def test_no_key_leaves_the_room(wire):
    expect_all(wire)
    told = json.dumps([probe.to_json() for probe in sts.probe_role(ORDER).probes])
    assert not any(key in told for key in KEYS)


def test_who_we_are_is_the_worker_and_the_validator_role(wire):
    wire.expect("GetCallerIdentity", f"<Arn>{WORKER_ARN}</Arn>")
    expect_own_role(wire, VALIDATOR)
    wire.expect("GetCallerIdentity", f"<Arn>{VALIDATOR_ARN}</Arn>")
    own, validator = sts.who_we_are(VALIDATOR)
    assert (own.kind, own.answered_arn) == (ProbeKind.OWN_IDENTITY, WORKER_ARN)
    assert (validator.kind, validator.answered_arn) == (ProbeKind.VALIDATOR_ROLE, VALIDATOR_ARN)


def test_a_worker_that_is_the_validator_role_is_asked_once(wire):
    wire.expect("GetCallerIdentity", f"<Arn>{VALIDATOR_ARN}</Arn>")
    assert [probe.answered_arn for probe in sts.who_we_are(WORKER)] == [VALIDATOR_ARN] * 2


def test_the_probes_are_made_as_the_validator_role(wire):
    expect_own_role(wire, VALIDATOR)
    expect_all(wire)
    sts.probe_role(replace(ORDER, identity=VALIDATOR))
    tokens = {wire.header(number, "X-Amz-Security-Token") for number in range(1, 7)}
    assert tokens == {f"token of {VALIDATOR.role_arn}"}


def test_after_a_refusal_no_negative_probe_is_made(wire):
    wire.refuse("AssumeRole", **RIGHT)
    (probe,) = sts.probe_role(ORDER).probes
    assert (probe.kind, probe.error_code) == (ProbeKind.WITH_EXTERNAL_ID, "AccessDenied")


def test_a_door_that_must_be_shut_is_tried_without_the_external_id_too(wire):
    wire.refuse("AssumeRole", **RIGHT)
    wire.refuse("AssumeRole", **assume(Policy=DENY_ALL))
    probes = sts.probe_role(replace(ORDER, is_retiring=True)).probes
    assert [probe.kind for probe in probes] == [ProbeKind.WITH_EXTERNAL_ID, ProbeKind.WITHOUT_EXTERNAL_ID]


def test_a_region_that_is_switched_off_is_an_answer_and_no_denial(wire):
    wire.refuse("AssumeRole", "RegionDisabledException", **RIGHT)
    assert sts.probe_role(ORDER).probes[0].outcome is Outcome.REFUSED_OTHERWISE


REASONS = {
    "because no service control policy allows the sts:AssumeRole action": OurPolicy.SERVICE_CONTROL,
    "with an explicit deny in a service control policy": OurPolicy.SERVICE_CONTROL,
    "with an explicit deny in an identity-based policy": OurPolicy.IDENTITY,
    "because no permissions boundary allows the sts:AssumeRole action": OurPolicy.PERMISSIONS_BOUNDARY,
    "because no session policy allows the sts:AssumeRole action": OurPolicy.SESSION,
    "with an explicit deny in a VPC endpoint policy": OurPolicy.ENDPOINT,
    "because no identity-based policy allows the sts:AssumeRole action": OurPolicy.NO_IDENTITY,
    "with an explicit deny in a resource control policy": "",
    "because no role trust policy allows the sts:AssumeRole action": "",
    "": "",
}


@pytest.mark.parametrize(("reason", "policy"), REASONS.items())
def test_a_policy_of_our_own_that_aws_blames_is_told(wire, reason, policy):
    message = f"User: {VALIDATOR_ARN} is not authorized to perform: sts:AssumeRole on resource: {ROLE} {reason}"
    wire.refuse("AssumeRole", message=message, **RIGHT)
    assert sts.probe_role(ORDER).probes[0].our_policy == policy


@pytest.mark.parametrize(
    "code", ["ExpiredToken", "SignatureDoesNotMatch", "InvalidClientTokenId", "MalformedSomething"]
)
def test_an_answer_about_ourselves_is_an_exception_that_says_where(wire, code):
    wire.refuse("AssumeRole", code, **RIGHT)
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ORDER)
    assert (outage.value.code, outage.value.where) == (code, "with_external_id")


@pytest.mark.parametrize("code", ["Throttling", "ThrottlingException", "ServiceUnavailable"])
def test_an_outage_is_tried_again_a_few_times(wire, code):
    for _ in range(TRIES - 1):
        wire.refuse("AssumeRole", code, **RIGHT)
    expect_all(wire)
    assert len(sts.probe_role(ORDER).probes) == 7
    for _ in range(TRIES):
        wire.refuse("AssumeRole", code, **RIGHT)
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ORDER)
    assert (outage.value.code, outage.value.where) == (code, "with_external_id")


def test_a_time_out_is_an_outage(wire):
    for _ in range(TRIES):
        wire.fail(ConnectTimeoutError(endpoint_url="https://sts"))
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ORDER)
    assert outage.value.code == "ConnectTimeoutError"


GARBAGE = [b"<html>", b"", b"{}", b"<AssumeRoleResponse/>", b"<a><b>1</b></a>", b"\xff" * 100]


@pytest.mark.parametrize("body", GARBAGE)
@pytest.mark.parametrize("status", [200, 403, 502])
def test_garbage_in_place_of_an_answer_is_an_outage_and_no_denial(wire, body, status):
    for _ in range(TRIES):
        wire.answer_anything("AssumeRole", body, status)
    with pytest.raises(AwsUnavailable):
        sts.probe_role(ORDER)
    wire._expected.clear()


@pytest.mark.parametrize(
    "answer",
    [
        "<AssumedRoleUser/>",
        f"<AssumedRoleUser><Arn>{THEIRS}</Arn></AssumedRoleUser>",
        f"<AssumedRoleUser><Arn>{THEIRS}</Arn></AssumedRoleUser><Credentials><AccessKeyId>A</AccessKeyId></Credentials>",
    ],
)
def test_an_answer_without_its_parts_is_an_outage(wire, answer):
    wire.expect("AssumeRole", answer, **RIGHT)
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ORDER)
    assert outage.value.code == "MalformedAnswer"


def test_what_only_looks_like_an_answer_is_asked_again(wire):
    """A box on the way that answers 200 for AWS does so for a moment, as one that answers 502 does."""
    wire.answer_anything("AssumeRole", b"<html><body>Please sign in to the network</body></html>")
    wire.refuse("AssumeRole", **RIGHT)
    (tried,) = sts.probe_role(ORDER).probes
    assert tried.outcome is Outcome.DENIED


def test_credentials_that_expired_are_our_own_trouble_and_are_read_anew(wire):
    wire.refuse("GetCallerIdentity", "ExpiredToken")
    before = clients.sts(WORKER)
    with pytest.raises(AwsUnavailable) as outage:
        sts.who_we_are(WORKER)
    assert outage.value.where == "own_identity"
    assert clients.sts(WORKER) is not before


def test_a_worker_without_keys_is_our_own_trouble(wire, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    for ask in (lambda: sts.who_we_are(WORKER), lambda: sts.probe_role(ORDER)):
        with pytest.raises(AwsUnavailable) as outage:
            ask()
        assert (outage.value.code, outage.value.where) == ("NoCredentialsError", "own_identity")


def test_an_account_that_does_not_tell_its_name_is_told_as_a_denial(wire):
    expect_all(wire, answer="")
    wire.refuse("GetCallerIdentity")
    probe = sts.probe_role(ORDER).probes[-1]
    assert (probe.outcome, probe.error_code) == (Outcome.DENIED, "AccessDenied")


def test_trouble_while_asking_for_the_account_is_an_outage(wire):
    expect_all(wire, answer="")
    wire.refuse("GetCallerIdentity", "ExpiredToken")
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ORDER)
    assert outage.value.where == "answering_account"


def test_the_saved_trust_policy_is_read_where_the_role_may_read_itself(wire):
    expect_all(wire)
    policy = "<AssumeRolePolicyDocument>%7B%22Version%22%3A%20%222012-10-17%22%7D</AssumeRolePolicyDocument>"
    wire.expect("GetRole", f"<Role><RoleName>Reader</RoleName>{policy}</Role>", RoleName="Reader")
    assert sts.probe_role(replace(ORDER, reads_policy=True)).trust_policy == '{"Version": "2012-10-17"}'
    assert "/us-east-1/iam/aws4_request" in wire.header(-1, "Authorization")


@pytest.mark.parametrize(("code", "tries"), [("AccessDenied", 1), ("ServiceUnavailable", TRIES)])
def test_a_policy_that_cannot_be_read_spoils_no_probe(wire, code, tries):
    expect_all(wire)
    for _ in range(tries):
        wire.refuse("GetRole", code, RoleName="Reader")
    tried = sts.probe_role(replace(ORDER, reads_policy=True))
    assert (tried.trust_policy, len(tried.probes)) == ("", 7)


def test_a_role_whose_answers_are_all_slow_is_let_go(wire, monkeypatch):
    monkeypatch.setattr(sts, "_PATIENCE_SECONDS", -1)
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ORDER)
    assert outage.value.code == "TooSlow"


@pytest.mark.parametrize("code", ["AccessDenied", "RegionDisabledException"])
def test_a_refused_validator_role_is_not_taken_for_the_partners_refusal(wire, code):
    wire.expect("GetCallerIdentity", f"<Arn>{WORKER_ARN}</Arn>")
    refuse_own_role(wire, VALIDATOR, code)
    refuse_own_role(wire, VALIDATOR, code)
    for ask in (lambda: sts.who_we_are(VALIDATOR), lambda: sts.probe_role(replace(ORDER, identity=VALIDATOR))):
        with pytest.raises(AwsUnavailable) as outage:
            ask()
        assert (outage.value.code, outage.value.where) == (code, "validator_role")


def test_the_stranger_tries_with_the_right_external_id(wire):
    wire.expect("AssumeRole", session(), **RIGHT)
    expect_negative(wire)
    expect_own_role(wire, STRANGER)
    wire.refuse("AssumeRole", **assume(Policy=DENY_ALL, ExternalId="tbi-right"))
    wire.expect("GetCallerIdentity", f"<Arn>{THEIRS}</Arn>")
    probes = sts.probe_role(replace(ORDER, stranger=STRANGER)).probes
    assert [probe.outcome for probe in probes if probe.kind is ProbeKind.AS_STRANGER] == [Outcome.DENIED]
    assert wire.header(-2, "X-Amz-Security-Token") == f"token of {STRANGER.role_arn}"


def test_a_stranger_that_may_not_be_a_stranger_has_tried_nothing(wire):
    wire.expect("AssumeRole", session(), **RIGHT)
    expect_negative(wire)
    refuse_own_role(wire, STRANGER)
    wire.expect("GetCallerIdentity", f"<Arn>{THEIRS}</Arn>")
    probe = sts.probe_role(replace(ORDER, stranger=STRANGER)).probes[-2]
    assert (probe.kind, probe.outcome) == (ProbeKind.AS_STRANGER, Outcome.REFUSED_OTHERWISE)
    assert probe.error_code == "StrangerRoleDenied"


def test_the_control_roles_are_tried_as_validator_and_as_stranger(wire):
    wire.expect("AssumeRole", session(), **assume(RoleArn=str(CONTROL), Policy=DENY_ALL))
    wire.expect("AssumeRole", session(), **assume(RoleArn=str(ASKING), ExternalId="tbi-c", Policy=DENY_ALL))
    wire.refuse("AssumeRole", **assume(RoleArn=str(ASKING), Policy=DENY_ALL))
    expect_own_role(wire, STRANGER)
    wire.expect("AssumeRole", session(), **assume(RoleArn=str(CONTROL), Policy=DENY_ALL))
    order = ControlOrder(identity=WORKER, opens=CONTROL, asks=ASKING, external_id="tbi-c", stranger=STRANGER)
    assert {probe.kind: probe.outcome for probe in sts.try_controls(order)} == CONTROLS_MUST


ENDPOINTS = {
    "ap-northeast-1": "https://sts.ap-northeast-1.amazonaws.com",
    "us-east-1": "https://sts.us-east-1.amazonaws.com",
    "cn-north-1": "https://sts.cn-north-1.amazonaws.com.cn",
    "us-gov-west-1": "https://sts.us-gov-west-1.amazonaws.com",
    "eusc-de-east-1": "https://sts.eusc-de-east-1.amazonaws.eu",
}


@pytest.mark.parametrize(("region", "endpoint"), ENDPOINTS.items())
def test_sts_is_asked_in_its_region_and_partition_whatever_the_machine_says(wire, monkeypatch, region, endpoint):
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    wire.refuse("AssumeRole", **RIGHT)
    sts.probe_role(replace(ORDER, identity=Identity(region)))
    assert wire.sent[0].url.rstrip("/") == endpoint
    assert f"/{region}/sts/aws4_request" in wire.header(0, "Authorization")
