"""A template on its way through S3 and CloudFormation's page, as the partner clicks it."""

from html import unescape
from urllib.parse import quote

import pytest
import requests
from botocore.exceptions import ClientError

from onboarding.aws import clients, s3
from onboarding.aws.clients import TemplateIdentity
from onboarding.aws.s3 import TemplateBucket
from onboarding.core.arns import Partition, PolicyArn
from onboarding.core.handoff import Form, Permissions, Way, text_of
from tests.sandbox.browser import Browser
from tests.sandbox.conftest import KESTREL, WILLOW, Sandbox
from tests.sandbox.test_handoff import DOCUMENT, EXTERNAL_ID, saved, wanted

REVIEW = "/console/stacks/create/review"


@pytest.fixture
def bucket(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> TemplateBucket:
    """As the web process has it: its own key for this bucket, and the address of the local AWS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.url)
    clients.s3.cache_clear()
    told = sandbox.organization["templates"]
    identity = TemplateIdentity(
        region=told["region"], access_key_id=told["access_key_id"], secret_access_key=told["secret_access_key"]
    )
    return TemplateBucket(told["bucket"], identity)


def review(template_url: str, name: str, account: str = WILLOW) -> str:
    return f"{REVIEW}?templateURL={quote(template_url, safe='')}&stackName={name}&account={account}"


def test_a_template_becomes_a_role_and_its_arn_an_output(sandbox: Sandbox, bucket: TemplateBucket, unique: str) -> None:
    read = PolicyArn.parse("ReadOnlyAccess", partition=Partition.AWS)
    role = wanted(
        sandbox,
        f"Stacked-{unique}",
        path="/partners/",
        permissions=Permissions(document=DOCUMENT, boundary=read),
        tags={"team": "on", "a": "b=c"},
    )
    template = text_of(Form.CLOUDFORMATION, role, Way.CREATE).text
    browser = Browser(sandbox.url).open(review(s3.put_template(bucket, template), f"Stacked-{unique}"))
    assert template in unescape(browser.page.text)
    browser.send(REVIEW, account=WILLOW, capability="CAPABILITY_NAMED_IAM")
    assert browser.page.status_code == 200
    assert f'<code id="output-1">{role.arn}</code>' in browser.page.text
    made = saved(sandbox, role.arn.name)
    assert made["AssumeRolePolicyDocument"] == role.trust_policy
    assert made["Tags"] == [{"Key": "team", "Value": "on"}, {"Key": "a", "Value": "b=c"}]
    assert made["PermissionsBoundary"]["PermissionsBoundaryArn"] == str(read)  # type: ignore[index]
    inline = sandbox.iam(WILLOW).get_role_policy(RoleName=role.arn.name, PolicyName="permissions")
    assert inline["PolicyDocument"] == DOCUMENT
    session = sandbox.validator().assume_role(RoleArn=str(role.arn), RoleSessionName="it", ExternalId=EXTERNAL_ID)
    assert session["Credentials"]


def test_in_another_account_the_template_makes_nothing(sandbox: Sandbox, bucket: TemplateBucket, unique: str) -> None:
    role = wanted(sandbox, f"Wrong-{unique}")
    address = s3.put_template(bucket, text_of(Form.CLOUDFORMATION, role, Way.CREATE).text)
    browser = Browser(sandbox.url).open(review(address, "Wrong", KESTREL))
    browser.send(REVIEW, account=KESTREL, capability="CAPABILITY_NAMED_IAM")
    assert browser.page.status_code == 422
    assert "no resource is left to create in this account" in browser.page.text
    names = [found["RoleName"] for found in sandbox.iam(KESTREL).list_roles()["Roles"]]
    assert role.arn.name not in names


def test_without_the_acknowledgement_nothing_is_made(sandbox: Sandbox, bucket: TemplateBucket, unique: str) -> None:
    role = wanted(sandbox, f"Unasked-{unique}")
    address = s3.put_template(bucket, text_of(Form.CLOUDFORMATION, role, Way.CREATE).text)
    browser = Browser(sandbox.url).open(review(address, "Unasked"))
    browser.send(REVIEW, account=WILLOW, capability="")
    assert "InsufficientCapabilitiesException" in browser.page.text
    names = [found["RoleName"] for found in sandbox.iam(WILLOW).list_roles()["Roles"]]
    assert role.arn.name not in names


@pytest.mark.parametrize(
    "text", [" ", "- a", "a: [", "Resources:\n  B:\n    Type: AWS::S3::Bucket", "Resources: {}", '{"Resources": 1']
)
def test_a_text_that_is_no_template_of_a_role_is_refused(sandbox: Sandbox, bucket: TemplateBucket, text: str) -> None:
    browser = Browser(sandbox.url).open(review(s3.put_template(bucket, text), "X"))
    browser.send(REVIEW, account=WILLOW, capability="CAPABILITY_NAMED_IAM")
    assert browser.page.status_code == 422
    assert "ValidationError" in browser.page.text


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        "http://127.0.0.1:1/tobiishi-templates/x.yaml",
        "http://example.com/tobiishi-templates/x.yaml",
        "http://[::1/x",
        "file:///etc/passwd",
        "{url}/_sandbox/organization",
        "{url}/tobiishi-templates/../_sandbox/organization",
        "{url}/tobiishi-templates/none.yaml",
    ],
)
def test_only_a_signed_link_to_the_bucket_is_read(sandbox: Sandbox, address: str) -> None:
    browser = Browser(sandbox.url).open(review(address.format(url=sandbox.url), "X"))
    assert browser.page.status_code == 422
    assert "secret_access_key" not in browser.page.text


def test_a_link_that_was_changed_reads_nothing(sandbox: Sandbox, bucket: TemplateBucket) -> None:
    address = s3.put_template(bucket, "Resources: {}")
    assert requests.get(address, timeout=5).text == "Resources: {}"
    for changed in (address[:-1] + ("0" if address[-1] != "0" else "1"), address.replace(".yaml?", "x.yaml?")):
        assert requests.get(changed, timeout=5).status_code == 403
        assert Browser(sandbox.url).open(review(changed, "X")).page.status_code == 422


def test_two_templates_have_addresses_that_nobody_guesses(bucket: TemplateBucket) -> None:
    first, second = (s3.put_template(bucket, "x").split("?")[0].rsplit("/", 1)[1] for _ in range(2))
    assert first != second
    assert len(first) >= len("x" * 32 + ".yaml")


def test_the_link_is_short_enough_for_the_older_limit(bucket: TemplateBucket) -> None:
    assert len(s3.put_template(bucket, "x")) < 1024


def test_the_key_for_templates_opens_nothing_else(sandbox: Sandbox, bucket: TemplateBucket) -> None:
    told = sandbox.organization["templates"]
    with pytest.raises(ClientError, match="AccessDenied"):
        sandbox.client("iam", told).list_roles()
    with pytest.raises(ClientError, match="MethodNotAllowed"):
        sandbox.client("s3", told).delete_object(Bucket=bucket.name, Key="x.yaml")
    with pytest.raises(ClientError, match="AccessDenied"):
        sandbox.client("s3", sandbox.partner(WILLOW)).put_object(Bucket=bucket.name, Key="x.yaml", Body=b"x")
