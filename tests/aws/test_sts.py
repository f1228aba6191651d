"""The exact requests and each kind of answer; botocore's Stubber checks them against AWS's own model."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.stub import Stubber

from onboarding.aws import AwsUnavailable, clients, sts
from onboarding.aws.clients import Identity
from onboarding.aws.sts import ProbeOrder
from onboarding.core.arns import RoleArn
from onboarding.core.probes import Outcome, ProbeKind

ROLE = RoleArn.parse("arn:aws:iam::222233334444:role/Reader")
WORKER = Identity(region="ap-northeast-1")
ORDER = ProbeOrder(identity=WORKER, role_arn=ROLE, external_id="tbi-right", wrong_external_id="tbi-wrong")
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
OURSELVES = {"Arn": "arn:aws:sts::111122223333:assumed-role/tobiishi-validator/x", "Account": "1" * 12, "UserId": "A:x"}
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
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE00")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "worker-secret")
    for kept in (clients.sts, clients.iam, clients._session):
        kept.cache_clear()
    with Stubber(clients.sts(WORKER)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
    for kept in (clients.sts, clients.iam, clients._session):
        kept.cache_clear()


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
    stub.add_response("get_caller_identity", OURSELVES, {})
    stub.add_response("assume_role", SESSION, assume(ExternalId="tbi-right", Policy=only_get_role()))


def expect_denial(stub, code="AccessDenied", **request):
    stub.add_client_error("assume_role", code, expected_params=assume(**request), http_status_code=403)


def test_the_probes_ask_for_the_shortest_session_and_give_its_power_up(stub, answering):
    sent = answering(IDENTITY_XML)
    expect_positive(stub)
    expect_denial(stub, Policy=deny_all())
    expect_denial(stub, Policy=deny_all(), ExternalId="tbi-wrong")
    probes = sts.probe_role(ORDER).probes
    assert [probe.kind for probe in probes] == list(ProbeKind)
    assert [probe.outcome for probe in probes] == [Outcome.ENTERED] * 3 + [Outcome.DENIED] * 2
    assert probes[1].request_id == "request-1"
    assert probes[2].answered_arn == SESSION["AssumedRoleUser"]["Arn"]
    assert "Action=GetCallerIdentity" in sent[0].body
    assert sent[0].headers["X-Amz-Security-Token"] == "the-token"


def test_no_key_leaves_the_room(stub, answering):
    answering(IDENTITY_XML)
    expect_positive(stub)
    expect_denial(stub, Policy=deny_all())
    expect_denial(stub, Policy=deny_all(), ExternalId="tbi-wrong")
    told = json.dumps([probe.to_json() for probe in sts.probe_role(ORDER).probes])
    assert not any(str(KEYS[name]) in told for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))


def test_after_a_refusal_no_negative_probe_is_made(stub):
    stub.add_response("get_caller_identity", OURSELVES, {})
    expect_denial(stub, ExternalId="tbi-right", Policy=only_get_role())
    probes = sts.probe_role(ORDER).probes
    assert [probe.kind for probe in probes] == [ProbeKind.OWN_IDENTITY, ProbeKind.WITH_EXTERNAL_ID]
    assert probes[1].error_code == "AccessDenied"


def test_a_region_that_the_partner_switched_off_is_an_answer_and_no_denial(stub):
    stub.add_response("get_caller_identity", OURSELVES, {})
    expect_denial(stub, "RegionDisabledException", ExternalId="tbi-right", Policy=only_get_role())
    assert sts.probe_role(ORDER).probes[1].outcome is Outcome.REFUSED_OTHERWISE


@pytest.mark.parametrize("code", ["ExpiredToken", "Throttling", "InternalFailure", "SignatureDoesNotMatch"])
def test_an_outage_is_an_exception_that_says_where(stub, code):
    stub.add_response("get_caller_identity", OURSELVES, {})
    expect_denial(stub, code, ExternalId="tbi-right", Policy=only_get_role())
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ORDER)
    assert (outage.value.code, outage.value.where) == (code, "with_external_id")


def test_credentials_that_expired_are_our_own_trouble(stub):
    stub.add_client_error("get_caller_identity", "ExpiredToken", expected_params={}, http_status_code=403)
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ORDER)
    assert outage.value.where == "own_identity"


def test_an_account_that_does_not_tell_its_name_is_told_as_a_denial(stub, answering):
    answering(DENIED_XML % b"AccessDenied", status=403)
    expect_positive(stub)
    expect_denial(stub, Policy=deny_all())
    expect_denial(stub, Policy=deny_all(), ExternalId="tbi-wrong")
    probe = sts.probe_role(ORDER).probes[2]
    assert (probe.outcome, probe.error_code) == (Outcome.DENIED, "AccessDenied")


def test_the_saved_trust_policy_is_read_where_the_role_may_read_itself(stub, monkeypatch):
    sent = []

    def send(_session, request):
        sent.append(request)
        body = ROLE_XML if "Action=GetRole" in request.body else IDENTITY_XML
        return AWSResponse(request.url, 200, {}, Raw(body))

    monkeypatch.setattr(URLLib3Session, "send", send)
    expect_positive(stub)
    expect_denial(stub, Policy=deny_all())
    expect_denial(stub, Policy=deny_all(), ExternalId="tbi-wrong")
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
    expect_denial(stub, Policy=deny_all())
    expect_denial(stub, Policy=deny_all(), ExternalId="tbi-wrong")
    tried = sts.probe_role(replace(ORDER, reads_policy=True))
    assert (tried.trust_policy, len(tried.probes)) == ("", 5)


def test_trouble_while_asking_for_the_account_is_an_outage(stub, answering):
    answering(DENIED_XML % b"ServiceUnavailable", status=503)
    expect_positive(stub)
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ORDER)
    assert outage.value.where == "answering_account"


def test_a_time_out_is_an_outage(stub, monkeypatch):
    def time_out(_session, _request):
        raise ConnectTimeoutError(endpoint_url="https://sts")

    monkeypatch.setattr(URLLib3Session, "send", time_out)
    expect_positive(stub)
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ORDER)
    assert outage.value.code == "ConnectTimeoutError"


def test_a_refused_validator_role_is_not_taken_for_the_partners_refusal(stub):
    identity = Identity(region="ap-northeast-1", validator_role_arn="arn:aws:iam::111122223333:role/tobiishi-validator")
    stub.add_client_error("assume_role", "AccessDenied", http_status_code=403)
    with pytest.raises(AwsUnavailable) as outage:
        sts.probe_role(ProbeOrder(identity=identity, role_arn=ROLE, external_id="tbi-x1", wrong_external_id="tbi-x2"))
    assert outage.value.where == "validator_role"
