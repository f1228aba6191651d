"""What IAM takes and refuses, in AWS's words; and that nothing but STS and IAM answers."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.sandbox.conftest import KESTREL, REGION, WILLOW, Sandbox, allow, policy, refusal, trust

BIRCH = "616172728383"
ROOT = f"arn:aws:iam::{KESTREL}:root"
SHUT = {"Effect": "Allow", "Principal": {"AWS": ROOT}}


@pytest.fixture
def iam(sandbox: Sandbox) -> Iterator[Any]:
    client = sandbox.iam(BIRCH)
    yield client
    for role in client.list_roles()["Roles"]:
        for name in client.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            client.delete_role_policy(RoleName=role["RoleName"], PolicyName=name)
        client.delete_role(RoleName=role["RoleName"])


MALFORMED = [
    ("{", "This policy contains invalid Json"),
    ("[]", "This policy contains invalid Json"),
    (trust(allow(ROOT), version="2012-10-18"), "The policy must contain a valid version string"),
    (trust(), "Could not parse the policy: Statement is empty!"),
    (trust({"Effect": "Allow", "Action": "sts:AssumeRole"}), "Missing required field Principal"),
    (trust({**allow(ROOT), "Principal": {}}), "Missing required field Principal cannot be empty!"),
    (trust({**allow(ROOT), "Principal": "*"}), 'AssumeRolepolicy contained an invalid principal: "STAR".'),
    (trust({**allow(ROOT), "NotPrincipal": {"AWS": ROOT}}), "AssumeRole policy must not contain NotPrincipal field."),
    (trust({**allow(ROOT), "Resource": "*"}), "Has prohibited field Resource"),
    (trust({**allow(ROOT), "Effect": "allow"}), "Invalid effect: allow"),
    (trust({"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}), "Missing required field Effect"),
    (trust(SHUT), "Missing required field Action"),
    (trust({**SHUT, "Action": "s3:GetObject"}), "AssumeRole policy may only specify STS AssumeRole actions."),
    (trust({**SHUT, "Action": "*"}), "AssumeRole policy may only specify STS AssumeRole actions."),
    (trust({**allow(ROOT), "Conditions": {}}), "Unknown field Conditions"),
    (trust(allow(ROOT, Condition={"StringEqual": {"sts:ExternalId": "x"}})), "Invalid Condition type : StringEqual"),
    (trust(allow(ROOT, Sid="A"), allow(ROOT, Sid="A")), "The Statement Ids in the policy are not unique"),
    (
        trust(allow(f"arn:aws:iam::{KESTREL}:role/Nobody")),
        f'Invalid principal in policy: "AWS":"arn:aws:iam::{KESTREL}:role/Nobody"',
    ),
    (trust(allow(f"arn:aws:iam::{KESTREL}:user/other/admin")), "Invalid principal in policy"),
    (trust(allow("arn:aws:iam::22223333444:root")), "Invalid principal in policy"),
    (trust(allow(f"arn:aws:iam::{KESTREL}:role/*")), "Invalid principal in policy"),
    (trust(allow("AROA0123456789ABCDEFG")), 'Invalid principal in policy: "AWS":"AROA0123456789ABCDEFG"'),
    (trust({**allow(ROOT), "Principal": {"Aws": ROOT}}), 'Invalid principal in policy: "Aws"'),
    (trust({**allow(ROOT), "Principal": {"Service": "nobody"}}), 'Invalid principal in policy: "SERVICE":"nobody"'),
]


@pytest.mark.parametrize(("document", "message"), MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_trust_policy_is_refused_in_aws_words(iam: Any, document: str, message: str) -> None:
    code, said = refusal(iam.create_role, RoleName="Refused", AssumeRolePolicyDocument=document)
    assert code == "MalformedPolicyDocument"
    assert said.startswith(message)
    assert iam.list_roles()["Roles"] == []


def test_a_refused_edit_leaves_the_old_trust_policy(iam: Any) -> None:
    iam.create_role(RoleName="Kept", AssumeRolePolicyDocument=trust(allow(ROOT)))
    code, _ = refusal(iam.update_assume_role_policy, RoleName="Kept", PolicyDocument=trust())
    assert code == "MalformedPolicyDocument"
    assert iam.get_role(RoleName="Kept")["Role"]["AssumeRolePolicyDocument"] == json.loads(trust(allow(ROOT)))


def test_a_trust_policy_has_2048_characters_at_most(iam: Any) -> None:
    arns = [f"arn:aws:iam::{number:012d}:root" for number in range(60)]
    assert refusal(iam.create_role, RoleName="Long", AssumeRolePolicyDocument=trust(allow(arns))) == (
        "LimitExceeded",
        "Cannot exceed quota for ACLSizePerRole: 2048",
    )


def test_white_space_does_not_count_for_the_quota(iam: Any) -> None:
    document = json.dumps(json.loads(trust(allow(ROOT))), indent=400)
    assert len(document) > 2048
    assert iam.create_role(RoleName="Wide", AssumeRolePolicyDocument=document)


def test_a_bare_account_number_shows_as_its_root(iam: Any) -> None:
    iam.create_role(RoleName="Bare", AssumeRolePolicyDocument=trust(allow(KESTREL)))
    shown = iam.get_role(RoleName="Bare")["Role"]["AssumeRolePolicyDocument"]
    assert shown["Statement"][0]["Principal"]["AWS"] == ROOT


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"RoleName": "a b"}, "ValidationError"),
        ({"RoleName": "x" * 65}, "ValidationError"),
        ({"Path": "partners/"}, "ValidationError"),
        ({"Path": "/part<ners/"}, "ValidationError"),
        ({"MaxSessionDuration": 3599}, "ValidationError"),
        ({"MaxSessionDuration": 43201}, "ValidationError"),
    ],
)
def test_a_role_out_of_bounds_is_refused(iam: Any, options: dict[str, Any], code: str) -> None:
    asked = {"RoleName": "Bounds", "AssumeRolePolicyDocument": trust(allow(ROOT)), **options}
    assert refusal(iam.create_role, **asked)[0] == code


def test_role_names_differ_in_more_than_their_case(iam: Any) -> None:
    iam.create_role(RoleName="Telemetry", AssumeRolePolicyDocument=trust(allow(ROOT)))
    code, _ = refusal(iam.create_role, RoleName="TELEMETRY", AssumeRolePolicyDocument=trust(allow(ROOT)))
    assert code == "EntityAlreadyExists"


def test_a_description_may_hold_any_sign(iam: Any) -> None:
    said = "Reads <telemetry> & more"
    iam.create_role(RoleName="Described", AssumeRolePolicyDocument=trust(allow(ROOT)), Description=said)
    assert iam.get_role(RoleName="Described")["Role"]["Description"] == said


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "Syntax errors in policy."),
        (
            trust({**policy("Allow", "s3:*"), "Principal": {"AWS": ROOT}}),
            "Policy document should not specify a principal.",
        ),
        (trust({"Effect": "Allow", "Action": "s3:*"}), "Policy statement must contain resources."),
        (trust({"Effect": "Allow", "Resource": "*"}), "Policy statement must contain actions."),
        (trust(policy("Allow", "GetObject")), "Actions/Conditions must be prefaced by a vendor"),
        (trust(policy("Allow", "s3:*", "bucket")), 'Resource bucket must be in ARN format or "*".'),
        (
            trust(policy("Allow", "s3:*", Sid="A"), policy("Allow", "s3:*", Sid="A")),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
    ],
)
def test_a_malformed_permissions_policy_is_refused(iam: Any, document: str, message: str) -> None:
    iam.create_role(RoleName="Permitted", AssumeRolePolicyDocument=trust(allow(ROOT)))
    code, said = refusal(iam.put_role_policy, RoleName="Permitted", PolicyName="p", PolicyDocument=document)
    assert code == "MalformedPolicyDocument"
    assert said.startswith(message)


# -- The gate


@pytest.mark.parametrize(
    ("key", "secret"), [("303040405050", "test"), ("test", "test"), ("AKIA0123456789ABCDEF", "guessed")]
)
def test_no_key_opens_an_account_that_did_not_issue_it(sandbox: Sandbox, key: str, secret: str) -> None:
    sts = sandbox.client("sts", {"access_key_id": key, "secret_access_key": secret})
    assert refusal(sts.get_caller_identity)[0] == "InvalidClientTokenId"


def test_a_wrong_secret_is_a_wrong_signature(sandbox: Sandbox) -> None:
    keys = {**sandbox.partner(WILLOW), "secret_access_key": "x" * 40}
    assert refusal(sandbox.client("sts", keys).get_caller_identity)[0] == "SignatureDoesNotMatch"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "AWS4-HMAC-SHA256 x"}])
def test_an_unsigned_request_is_refused(sandbox: Sandbox, headers: dict[str, str]) -> None:
    form = {"Action": "ListUsers", "Version": "2010-05-08"}
    answer = requests.post(sandbox.url, data=form, headers=headers, timeout=5)
    assert answer.status_code == 403
    assert "MissingAuthenticationToken" in answer.text


@pytest.mark.parametrize(
    ("service", "call"), [("dynamodb", "list_tables"), ("sqs", "list_queues"), ("secretsmanager", "list_secrets")]
)
def test_other_services_say_that_they_are_not_here(sandbox: Sandbox, service: str, call: str) -> None:
    client = sandbox.client(service, sandbox.partner(WILLOW))
    code, message = refusal(getattr(client, call))
    assert code == "UnknownOperationException"
    assert f"The sandbox has no {service}." in message


def send_instead(sandbox: Sandbox, body: str) -> tuple[str, str]:
    """Sign a body that no client writes by itself."""
    keys = sandbox.partner(WILLOW)
    credentials = Credentials(keys["access_key_id"], keys["secret_access_key"])
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    request = AWSRequest("POST", f"{sandbox.url}/", data=body, headers=headers)
    SigV4Auth(credentials, "sts", REGION).add_auth(request)
    answer = requests.post(request.url, data=body, headers=dict(request.headers), timeout=5)
    found = re.search("<Code>(.+)</Code>.*<Message>(.+)</Message>", answer.text)
    assert found, answer.text
    return found[1], found[2]


def test_an_action_of_another_service_does_not_slip_through(sandbox: Sandbox) -> None:
    assert send_instead(sandbox, "Action=CreateQueue&QueueName=q&Version=2011-06-15")[0] == "InvalidAction"


def test_a_parameter_given_twice_is_refused(sandbox: Sandbox) -> None:
    twice = "Action=GetCallerIdentity&Action=AssumeRole&Version=2011-06-15"
    assert send_instead(sandbox, twice)[0] == "MalformedInput"


def test_an_empty_external_id_is_not_a_missing_one(sandbox: Sandbox) -> None:
    role = f"arn:aws:iam::{WILLOW}:role/any"
    body = f"Action=AssumeRole&Version=2011-06-15&RoleArn={role}&RoleSessionName=mio&ExternalId="
    code, message = send_instead(sandbox, body)
    assert code == "ValidationError"
    assert message.endswith(
        "Value '' at 'externalId' failed to satisfy constraint: Member must have length greater than or equal to 2"
    )


def test_a_web_identity_nobody_checked_enters_nothing(sandbox: Sandbox) -> None:
    sts = sandbox.client("sts", sandbox.partner(WILLOW))
    ask = {"RoleArn": f"arn:aws:iam::{WILLOW}:role/any", "RoleSessionName": "mio", "WebIdentityToken": "a.b.c.d"}
    assert refusal(sts.assume_role_with_web_identity, **ask)[0] in ("MissingAuthenticationToken", "InvalidAction")
