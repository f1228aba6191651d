import pytest

from onboarding.aws import AwsUnavailable
from onboarding.core.arns import AccountId, Partition, RoleArn, SsoRoleArn
from onboarding.core.bastion import PermissionSetPolicyStyle
from onboarding.core.errors import AlreadyRegistered, WrongAccount
from onboarding.models import AuditEvent, PermissionSet
from onboarding.services import bastions, offboarding
from onboarding.services.bastions import BastionDetails, BastionInUse
from tests.factories import make_bastion, make_checked_role, make_permission_set, make_returned_role, make_role

pytestmark = pytest.mark.django_db


def details_of(bastion, **override):
    kept = {name: getattr(bastion, name) for name in BastionDetails.__dataclass_fields__}
    typed = {
        "partition": Partition(bastion.partition),
        "account_id": AccountId(bastion.account_id),
        "validator_role_arn": bastion.validator_role,
    }
    return BastionDetails(**(kept | typed | override))


def sso_role(suffix: str) -> SsoRoleArn:
    return SsoRoleArn(Partition.AWS, AccountId("111122223333"), "ap-northeast-1", "PartnerAccess", suffix * 16)


def test_the_validator_role_lives_in_the_bastion_account(alice):
    with pytest.raises(WrongAccount):
        make_bastion(validator_role_arn=RoleArn.parse("arn:aws:iam::999988887777:role/tobiishi-validator"))


def test_what_partners_trust_does_not_change_under_them(alice):
    bastion = make_bastion()
    bastions.set_up_bastion(details_of(bastion, sso_region="eu-west-1"), bastion=bastion, by=alice)
    make_returned_role()
    with pytest.raises(BastionInUse):
        bastions.set_up_bastion(details_of(bastion, sso_region="us-east-1"), bastion=bastion, by=alice)
    bastions.set_up_bastion(details_of(bastion, name="Renamed"), bastion=bastion, by=alice)


def test_a_permission_set_is_added_once(alice):
    permission_set = make_permission_set()
    with pytest.raises(AlreadyRegistered):
        bastions.add_permission_set(
            permission_set.bastion, permission_set.name, style=PermissionSetPolicyStyle.EXACT, by=alice
        )


def test_the_exact_policy_names_returned_roles_until_they_are_being_retired(alice):
    proven, gone = make_checked_role(), make_checked_role()
    make_role()
    offboarding.retire_role(gone, by=alice)
    policy = bastions.permission_set_policy(make_permission_set())
    assert policy.document["Statement"][0]["Resource"] == [proven.role_arn]


def test_the_simple_policy_is_a_choice_that_is_told(alice):
    permission_set = make_permission_set()
    bastions.choose_policy_style(permission_set, PermissionSetPolicyStyle.SIMPLE, by=alice)
    bastions.choose_policy_style(permission_set, PermissionSetPolicyStyle.SIMPLE, by=alice)
    assert bastions.permission_set_policy(permission_set).document["Statement"][0]["Resource"] == "*"
    assert AuditEvent.objects.filter(action="permission_set_policy_chosen").count() == 1


def test_a_recreated_sso_role_is_noticed_and_told(monkeypatch):
    permission_set = make_permission_set()
    for suffix in "aab":
        monkeypatch.setattr("onboarding.aws.iam.find_sso_role", lambda *_, suffix=suffix: sso_role(suffix))
        assert bastions.find_sso_role(permission_set)
    assert PermissionSet.objects.get().sso_role_arn == str(sso_role("b"))
    assert AuditEvent.objects.filter(action="sso_role_changed").count() == 2


def test_an_outage_leaves_the_known_sso_role_alone(monkeypatch):
    permission_set = make_permission_set()
    PermissionSet.objects.update(sso_role_arn=str(sso_role("a")))

    def away(*_):
        raise AwsUnavailable("Throttling", where="list_roles")

    monkeypatch.setattr("onboarding.aws.iam.find_sso_role", away)
    bastions.find_all_sso_roles()
    permission_set.refresh_from_db()
    assert permission_set.sso_role_arn == str(sso_role("a"))
