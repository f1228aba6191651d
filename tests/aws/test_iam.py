import pytest
from botocore.stub import Stubber

from onboarding.aws import AwsUnavailable, clients
from onboarding.aws.clients import Identity
from onboarding.aws.iam import find_sso_role

WORKER = Identity(region="ap-northeast-1")
PREFIX = "/aws-reserved/sso.amazonaws.com/"


def role(name):
    arn = f"arn:aws:iam::111122223333:role{PREFIX}ap-northeast-1/{name}"
    return {"Path": PREFIX, "RoleName": name, "RoleId": "AROAEXAMPLEEXAMPLE00", "Arn": arn, "CreateDate": "2026-01-01"}


@pytest.fixture
def stub(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE00")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "worker-secret")
    clients.forget()
    with Stubber(clients.iam(WORKER)) as stubber:
        yield stubber
    clients.forget()


def test_the_sso_role_of_exactly_this_permission_set_is_found_on_any_page(stub):
    names = [f"AWSReservedSSO_{name}_{'0' * 16}" for name in ("Bastion_Admin", "Bastion")]
    stub.add_response(
        "list_roles", {"Roles": [role(names[0])], "IsTruncated": True, "Marker": "m"}, {"PathPrefix": PREFIX}
    )
    stub.add_response("list_roles", {"Roles": [role(names[1])]}, {"PathPrefix": PREFIX, "Marker": "m"})
    found = find_sso_role(WORKER, "Bastion")
    assert found is not None
    assert found.permission_set == "Bastion"


def test_a_permission_set_without_a_role_is_not_found(stub):
    stub.add_response("list_roles", {"Roles": [role("SomethingElse")]}, {"PathPrefix": PREFIX})
    assert find_sso_role(WORKER, "Bastion") is None


def test_a_refusal_is_our_own_trouble(stub):
    stub.add_client_error("list_roles", "AccessDenied", http_status_code=403)
    with pytest.raises(AwsUnavailable):
        find_sso_role(WORKER, "Bastion")
