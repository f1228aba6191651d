"""The exact requests and each kind of answer; botocore's Stubber checks them against AWS's own model."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.stub import ANY, Stubber

from onboarding.aws import AwsUnavailable, clients, signed, sts
from onboarding.aws.clients import Identity
from onboarding.aws.sts import ControlOrder, ProbeOrder
from onboarding.core.arns import RoleArn
from onboarding.core.probes import CONTROLS_MUST, WRONG, OurPolicy, Outcome, ProbeKind

ROLE = RoleArn.parse("arn:aws:iam::222233334444:role/Reader")
WORKER = Identity(region="ap-northeast-1")
ORDER = ProbeOrder(identity=WORKER, role_arn=ROLE, external_id="tbi-right")
VALIDATOR = Identity("ap-northeast-1", "arn:aws:iam::111122223333:role/tobiishi-validator")
STRANGER = Identity("ap-northeast-1", "arn:aws:iam::111122223333:role/tobiishi-stranger")
CONTROL = RoleArn.parse("arn:aws:iam::444455556666:role/control-open")
KEYS = {
    "AccessKeyId": "ASIAEXAMPLEEXAMPLE00",
    "SecretAccessKey": "the-secret",
    "SessionToken": "the-token",
    "Expiration": datetime(2026, 11, 24, tzinfo=UTC),
}
SESSION = {
    "Credentials": KEYS,
    "AssumedRoleUser": {
        "AssumedRoleId": "AROAEXAMPLEEXAMPLE00:tobiishi-validator",
        "Arn": "arn:aws:sts::222233334444:assumed-role/Reader/tobiishi-validator",
    },
    "ResponseMetadata": {"RequestId": "request-1"},
}
WORKER_ARN = "arn:aws:sts::111122223333:assumed-role/tobiishi-worker/i-0a1b"
OURSELVES = {"Arn": WORKER_ARN, "Account": "1" * 12, "UserId": "A:x", "ResponseMetadata": {"RequestId": "request-0"}}
IDENTITY_XML = (
    b"<GetCallerIdentityResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><GetCallerIdentityResult>"
    b"<Arn>arn:aws:sts::222233334444:assumed-role/Reader/tobiishi-validator</Arn></GetCallerIdentityResult>"
    b"<ResponseMetadata><RequestId>request-2</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
)
DENIED_XML = (
    b"<ErrorResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><Error><Type>Sender</Type><Code>%s</Code>"
    b"<Message>no</Message></Error><RequestId>request-3</RequestId></ErrorResponse>"
)
ROLE_XML = (
    b"<GetRoleResponse xmlns='https://iam.amazonaws.com/doc/2010-05-08/'><GetRoleResult><Role><RoleName>Reader</RoleName>"
    b"<AssumeRolePolicyDocument>%7B%22Version%22%3A%20%222012-10-17%22%7D</AssumeRolePolicyDocument></Role>"
    b"</GetRoleResult></GetRoleResponse>"
)
NOTHING_ALLOWED = {"Effect": "Deny", "Action": "*", "Resource": "*"}


class Raw:
    def __init__(self, body):
        self._body = body

    def stream(self):
        yield self._body


@pytest.fixture
def stub(monkeypatch):
    """The worker's own client, which is also the validator's in an order that names no role."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE00")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "worker-secret")
    clients.forget()
    with Stubber(clients.sts(WORKER)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
    clients.forget()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(signed, "sleep", lambda _seconds: None)


@pytest.fixture
def answering(monkeypatch):
    """What the raw GetCallerIdentity with the partner's keys is answered, and what was sent."""
    sent = []

    def answer(body, status=200):
        def send(_session, request):
            sent.append(request)
            return AWSResponse(request.url, status, {}, Raw(body))

        monkeypatch.setattr(URLLib3Session, "send", send)
        return sent

    return answer


def assume(**override):
    return {
        "RoleArn": str(ROLE),
        "RoleSessionName": "tobiishi-validator",
        "DurationSeconds": 900,
    } | override


def deny_all():
    return json.dumps({"Version": "2012-10-17", "Statement": [NOTHING_ALLOWED]})


def only_get_role():
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "iam:GetRole", "Resource": str(ROLE)},
                {"Effect": "Deny", "NotAction": "iam:GetRole", "Resource": "*"},
            ],
        }
    )


def expect_positive(stub):
    stub.add_response("assume_role", SESSION, assume(ExternalId="tbi-right", Policy=only_get_role()))


def expect_denial(stub, code="AccessDenied", message="", **request):
    stub.add_client_error("assume_role", code, message, expected_params=assume(**request), http_status_code=403)


def expect_negative(stub):
    """All of them denied; the first wrong external ID is random."""
    expect_denial(stub, Policy=deny_all())
    for wrong in (ANY, "TBI-RIGHT", "xtbi-right", "tbi-rightx"):
        expect_denial(stub, Policy=deny_all(), ExternalId=wrong)


def test_the_probes_ask_for_the_shortest_session_and_give_its_power_up(stub, answering):
    sent = answering(IDENTITY_XML)
    expect_positive(stub)
    expect_negative(stub)
    probes = sts.probe_role(ORDER).probes
    assert [probe.kind for probe in probes] == [
        ProbeKind.WITH_EXTERNAL_ID,
        ProbeKind.WITHOUT_EXTERNAL_ID,
        *WRONG,
        ProbeKind.ANSWERING_ACCOUNT,
    ]
    assert [probe.outcome for probe in probes] == [Outcome.ENTERED, *[Outcome.DENIED] * 5, Outcome.ENTERED]
    assert probes[0].request_id == "request-1"
    assert probes[-1].answered_arn == SESSION["AssumedRoleUser"]["Arn"]
    assert all(datetime.fromisoformat(probe.at).tzinfo for probe in probes)
    assert "Action=GetCallerIdentity" in sent[0].body
    assert sent[0].headers["X-Amz-Security-Token"] == "the-token"


def test_who_we_are_is_the_worker_and_the_validator_role(stub):
    stub.add_response("get_caller_identity", OURSELVES, {})
    own, validator = sts.who_we_are(WORKER)
    assert (own.kind, own.answered_arn, own.request_id) == (ProbeKind.OWN_IDENTITY, WORKER_ARN, "request-0")
    assert (validator.kind, validator.answered_arn) == (ProbeKind.VALIDATOR_ROLE, WORKER_ARN)


def test_no_key_leaves_the_room(stub, answering):
    answering(IDENTITY_XML)
    expect_positive(stub)
    expect_negative(stub)
    told = json.dumps([probe.to_json() for probe in sts.probe_role(ORDER).probes])
    assert not any(str(KEYS[name]) in told for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))


def test_after_a_refusal_no_negative_probe_is_made(stub):
    expect_denial(stub, ExternalId="tbi-right", Policy=only_get_role())
    (probe,) = sts.probe_role(ORDER).probes
    assert (probe.kind, probe.error_code) == (ProbeKind.WITH_EXTERNAL_ID, "AccessDenied")


def test_a_door_that_must_be_shut_is_tried_without_the_external_id_too(stub):
    expect_denial(stub, ExternalId="tbi-right", Policy=only_get_role())
    expect_denial(stub, Policy=deny_all())
    probes = sts.probe_role(replace(ORDER, must_be_shut=True)).probes
    assert [probe.kind for probe in probes] == [ProbeKind.WITH_EXTERNAL_ID, ProbeKind.WITHOUT_EXTERNAL_ID]


def test_a_region_that_is_switched_off_is_an_answer_and_no_denial(stub):
    expect_denial(stub, "RegionDisabledException", ExternalId="tbi-right", Policy=only_get_role())
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
def test_a_policy_of_our_own_that_aws_blames_is_told(stub, reason, policy):
    message = f"User: arn:aws:sts::1:assumed-role/v/s is not authorized to perform: sts:AssumeRole on {ROLE} {reason}"
    expect_denial(stub, message=message, ExternalId="tbi-right", Policy=only_get_role())
    assert sts.probe_role(ORDER).probes[0].our_policy == policy


@pytest.mark.parametrize("code", ["ExpiredToken", "Throttling", "InternalFailure", "SignatureDoesNotMatch", "503"])
def test_an_outage_is_an_exception_that_says_where(stub, code):
    expect_denial(stub, code, ExternalId="tbi-right", Policy=only_get_role())
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ORDER)
    assert (outage.value.code, outage.value.where) == (code, "with_external_id")


@pytest.mark.parametrize("answer", [{}, {"Credentials": KEYS}, {"AssumedRoleUser": SESSION["AssumedRoleUser"]}])
def test_an_answer_without_its_parts_is_an_outage(stub, answer):
    expect_positive(stub)
    stub._queue[-1]["response"] = (stub._queue[-1]["response"][0], answer)
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ORDER)
    assert outage.value.code == "MalformedAnswer"


def test_credentials_that_expired_are_our_own_trouble_and_are_read_anew(stub):
    stub.add_client_error("get_caller_identity", "ExpiredToken", expected_params={}, http_status_code=403)
    before = clients.sts(WORKER)
    with pytest.raises(AwsUnavailable) as outage:
        sts.who_we_are(WORKER)
    assert outage.value.where == "own_identity"
    assert clients.sts(WORKER) is not before


def test_an_account_that_does_not_tell_its_name_is_told_as_a_denial(stub, answering):
    answering(DENIED_XML % b"AccessDenied", status=403)
    expect_positive(stub)
    expect_negative(stub)
    probe = sts.probe_role(ORDER).probes[-1]
    assert (probe.outcome, probe.error_code) == (Outcome.DENIED, "AccessDenied")


def test_the_saved_trust_policy_is_read_where_the_role_may_read_itself(stub, monkeypatch):
    sent = []

    def send(_session, request):
        sent.append(request)
        body = ROLE_XML if "Action=GetRole" in request.body else IDENTITY_XML
        return AWSResponse(request.url, 200, {}, Raw(body))

    monkeypatch.setattr(URLLib3Session, "send", send)
    expect_positive(stub)
    expect_negative(stub)
    assert sts.probe_role(replace(ORDER, reads_policy=True)).trust_policy == '{"Version": "2012-10-17"}'
    assert "RoleName=Reader" in sent[1].body
    assert "/us-east-1/iam/aws4_request" in sent[1].headers["Authorization"]


@pytest.mark.parametrize("code", [b"AccessDenied", b"ServiceUnavailable"])
def test_a_policy_that_cannot_be_read_spoils_no_probe(stub, monkeypatch, code):
    def send(_session, request):
        denied = "Action=GetRole" in request.body
        return AWSResponse(request.url, 403 if denied else 200, {}, Raw(DENIED_XML % code if denied else IDENTITY_XML))

    monkeypatch.setattr(URLLib3Session, "send", send)
    expect_positive(stub)
    expect_negative(stub)
    tried = sts.probe_role(replace(ORDER, reads_policy=True))
    assert (tried.trust_policy, len(tried.probes)) == ("", 7)


@pytest.mark.parametrize(("code", "status"), [(b"ServiceUnavailable", 503), (b"Throttling", 400)])
def test_trouble_while_asking_for_the_account_is_an_outage_after_a_few_tries(stub, answering, code, status):
    sent = answering(DENIED_XML % code, status=status)
    expect_positive(stub)
    expect_negative(stub)
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ORDER)
    assert outage.value.where == "answering_account"
    assert len(sent) == 4


@pytest.mark.parametrize("body", [b"<html>", b"", b"<GetCallerIdentityResponse/>", b"\xff" * 100])
def test_garbage_in_place_of_the_account_is_an_outage(stub, answering, body):
    answering(body)
    expect_positive(stub)
    expect_negative(stub)
    with pytest.raises(AwsUnavailable):
        sts.probe_role(ORDER)


def test_a_time_out_is_an_outage(stub, monkeypatch):
    def time_out(_session, _request):
        raise ConnectTimeoutError(endpoint_url="https://sts")

    monkeypatch.setattr(URLLib3Session, "send", time_out)
    expect_positive(stub)
    expect_negative(stub)
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ORDER)
    assert outage.value.code == "ConnectTimeoutError"


def test_a_role_whose_answers_are_all_slow_is_let_go(stub, monkeypatch):
    monkeypatch.setattr(sts, "_PATIENCE_SECONDS", -1)
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ORDER)
    assert outage.value.code == "TooSlow"


def expect_refused_role(stub, identity, code):
    """The worker is not let into a role of ours."""
    request = {"RoleArn": identity.role_arn, "RoleSessionName": "tobiishi-validator", "DurationSeconds": 3600}
    stub.add_client_error("assume_role", code, expected_params=request, http_status_code=403)


@pytest.mark.parametrize("code", ["AccessDenied", "RegionDisabledException", "Throttling"])
def test_a_refused_validator_role_is_not_taken_for_the_partners_refusal(stub, code):
    stub.add_response("get_caller_identity", OURSELVES, {})
    expect_refused_role(stub, VALIDATOR, code)
    with pytest.raises(AwsUnavailable) as outage:
        sts.who_we_are(VALIDATOR)
    assert outage.value.where == "validator_role"


def test_the_stranger_tries_with_the_right_external_id(stub, answering):
    answering(IDENTITY_XML)
    expect_positive(stub)
    expect_negative(stub)
    with Stubber(clients.sts(STRANGER)) as stranger:
        expect_denial(stranger, Policy=deny_all(), ExternalId="tbi-right")
        probes = sts.probe_role(replace(ORDER, stranger=STRANGER)).probes
        stranger.assert_no_pending_responses()
    assert [probe.outcome for probe in probes if probe.kind is ProbeKind.AS_STRANGER] == [Outcome.DENIED]


def test_a_stranger_that_may_not_be_a_stranger_has_tried_nothing(stub, answering):
    answering(IDENTITY_XML)
    expect_positive(stub)
    expect_negative(stub)
    expect_refused_role(stub, STRANGER, "AccessDenied")
    probe = next(p for p in sts.probe_role(replace(ORDER, stranger=STRANGER)).probes if p.kind is ProbeKind.AS_STRANGER)
    assert (probe.outcome, probe.error_code) == (Outcome.REFUSED_OTHERWISE, "StrangerRoleDenied")


def test_the_control_roles_are_tried_as_validator_and_as_stranger(stub):
    asking = RoleArn.parse("arn:aws:iam::444455556666:role/control-asking")
    stub.add_response("assume_role", SESSION, assume(RoleArn=str(CONTROL), Policy=deny_all()))
    stub.add_response("assume_role", SESSION, assume(RoleArn=str(asking), ExternalId="tbi-c", Policy=deny_all()))
    expect_denial(stub, RoleArn=str(asking), Policy=deny_all())
    with Stubber(clients.sts(STRANGER)) as stranger:
        stranger.add_response("assume_role", SESSION, assume(RoleArn=str(CONTROL), Policy=deny_all()))
        order = ControlOrder(identity=WORKER, opens=CONTROL, asks=asking, external_id="tbi-c", stranger=STRANGER)
        probes = sts.try_controls(order)
    assert {probe.kind: probe.outcome for probe in probes} == CONTROLS_MUST


ENDPOINTS = {
    "ap-northeast-1": "https://sts.ap-northeast-1.amazonaws.com",
    "us-east-1": "https://sts.us-east-1.amazonaws.com",
    "cn-north-1": "https://sts.cn-north-1.amazonaws.com.cn",
    "us-gov-west-1": "https://sts.us-gov-west-1.amazonaws.com",
    "eusc-de-east-1": "https://sts.eusc-de-east-1.amazonaws.eu",
}


@pytest.mark.parametrize(("region", "endpoint"), ENDPOINTS.items())
def test_sts_is_asked_in_its_region_and_partition_whatever_the_machine_says(stub, monkeypatch, region, endpoint):
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    assert clients.sts(Identity(region)).meta.endpoint_url == endpoint
