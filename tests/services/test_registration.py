import pytest
from django.db import IntegrityError, transaction

from onboarding.core import permissions_policy
from onboarding.core.arns import AccountId, Partition, PolicyArn
from onboarding.core.errors import AlreadyRegistered, BastionsOwnAccount, ForeignPolicy, WrongPartition
from onboarding.core.handoff import Permissions
from onboarding.core.trust import SsoRoleUnknown, TrustStyle
from onboarding.models import AuditEvent, ExternalRole, Partner
from onboarding.services import offboarding, registration
from onboarding.services.registration import NoLongerCorrectable, PartnerDetails, RoleDetails
from tests.factories import make_account, make_bastion, make_partner, make_returned_role, make_role

pytestmark = pytest.mark.django_db


def details_of(role: ExternalRole, **override: object) -> RoleDetails:
    kept = {name: getattr(role, name) for name in RoleDetails.__dataclass_fields__}
    return RoleDetails(**(kept | override))


def test_what_is_registered_is_told_with_its_external_id():
    role = make_role()
    event = AuditEvent.objects.get(action="role_registered")
    assert event.facts["external_id"] == role.external_id
    assert event.actor_label == "alice@hoshino.example"


def test_two_partners_cannot_share_a_name_in_any_case():
    make_partner("Willow Logistics")
    with pytest.raises(AlreadyRegistered) as refused:
        make_partner("willow logistics")
    assert refused.value.what == "partner"
    assert Partner.objects.count() == 1


def test_partners_whose_names_become_alike_get_different_slugs():
    slugs = [make_partner(name).slug for name in ("Cedar & Pine", "Cedar Pine", "星野", "月野")]
    assert slugs == ["cedar-pine", "cedar-pine-2", "partner", "partner-2"]


def test_an_account_is_registered_once_until_it_is_retired(alice):
    account = make_account(account_id="222233334444")
    with pytest.raises(AlreadyRegistered):
        make_account(account_id="222233334444")
    offboarding.retire_account(account, by=alice)
    assert make_account(account_id="222233334444").pk != account.pk


def test_the_bastion_account_is_no_partners_account():
    make_bastion(account_id="111122223333")
    with pytest.raises(BastionsOwnAccount):
        make_account(account_id="111122223333")


def test_a_profile_name_belongs_to_one_live_role():
    make_role(profile_name="willow")
    with pytest.raises(AlreadyRegistered) as refused:
        make_role(profile_name="willow")
    assert refused.value.what == "profile_name"


def test_what_cannot_be_asked_for_is_not_registered():
    with pytest.raises(SsoRoleUnknown):
        make_role(trust_style=TrustStyle.EXACT_ROLE)
    assert not ExternalRole.objects.exists()


def test_a_role_is_corrected_until_it_is_returned(alice):
    role = make_role()
    registration.correct_role(role, details_of(role, purpose="Other work."), by=alice)
    assert ExternalRole.objects.get().purpose == "Other work."
    returned = make_returned_role(role)
    with pytest.raises(NoLongerCorrectable):
        registration.correct_role(returned, details_of(returned, purpose="Again."), by=alice)


def test_a_correction_that_cannot_be_asked_for_leaves_the_role_as_it_was(alice):
    role = make_role()
    with pytest.raises(SsoRoleUnknown):
        registration.correct_role(role, details_of(role, trust_style=TrustStyle.EXACT_ROLE), by=alice)
    assert ExternalRole.objects.get().trust_style == TrustStyle.ACCOUNT_AND_CONDITION


def test_the_external_id_outlives_a_correction(alice):
    role = make_role()
    registration.correct_role(role, details_of(role, purpose="Other work."), by=alice)
    assert ExternalRole.objects.get().external_id == role.external_id


def test_an_accounts_number_is_corrected_until_a_role_is_returned(alice):
    role = make_role()
    registration.correct_account(role.account, AccountId("999900001111"), label="Prod", by=alice)
    assert make_returned_role(role).account.account_id == "999900001111"
    with pytest.raises(NoLongerCorrectable):
        registration.correct_account(role.account, AccountId("999900002222"), label="Prod", by=alice)


def test_an_accounts_number_cannot_become_one_that_is_taken(alice):
    account, other = make_account(), make_account()
    with pytest.raises(AlreadyRegistered):
        registration.correct_account(account, other.number, label="", by=alice)
    with pytest.raises(BastionsOwnAccount):
        registration.correct_account(account, AccountId("111122223333"), label="", by=alice)


def test_a_correction_that_changes_nothing_is_no_event(alice):
    partner = make_partner("Willow")
    told = AuditEvent.objects.count()
    same = PartnerDetails(
        name="Willow", language="en", contact_name=partner.contact_name, contact_email=partner.contact_email
    )
    registration.correct_partner(partner, same, by=alice)
    assert AuditEvent.objects.count() == told


def test_a_partner_keeps_its_slug_when_it_is_renamed(alice):
    partner, other = make_partner("Willow"), make_partner("Birch")
    renamed = PartnerDetails(name="Willow Group", language="ja", contact_name="B", contact_email="b@willow.example")
    registration.correct_partner(partner, renamed, by=alice)
    assert Partner.objects.get(pk=partner.pk).slug == "willow"
    with pytest.raises(AlreadyRegistered):
        registration.correct_partner(other, renamed, by=alice)


def policy(arn: str) -> PolicyArn:
    partition = Partition.CHINA if "aws-cn" in arn else Partition.AWS
    return PolicyArn.parse(arn, partition=partition)


def test_what_the_role_is_to_be_given_is_kept_as_it_was_asked_for():
    document = permissions_policy.parse(
        '{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::${aws:username}/*"}}'
    )
    permissions = Permissions(document=document, boundary=policy("ReadOnlyAccess"))
    made = make_role(permissions=permissions, role_path="/partners/", tags={"team": "data"})
    role = ExternalRole.objects.with_owner().get(pk=made.pk)
    assert role.permissions == permissions
    assert role.tags == {"team": "data"}
    assert str(role.asked_arn) == f"arn:aws:iam::{role.account.account_id}:role/partners/{role.role_name}"


def test_a_role_takes_policies_of_aws_and_of_its_own_account_only():
    account = make_account(account_id="303040405050")
    own = policy("arn:aws:iam::303040405050:policy/Limits")
    make_role(account, permissions=Permissions(managed_policy=policy("ReadOnlyAccess"), boundary=own))
    foreign = policy("arn:aws:iam::222233334444:policy/Limits")
    for permissions in (Permissions(managed_policy=foreign), Permissions(boundary=foreign)):
        with pytest.raises(ForeignPolicy) as refused:
            make_role(account, permissions=permissions)
        assert (refused.value.found, refused.value.expected) == ("222233334444", "303040405050")
    with pytest.raises(WrongPartition):
        make_role(account, permissions=Permissions(boundary=policy("arn:aws-cn:iam::aws:policy/ReadOnlyAccess")))
    assert ExternalRole.objects.count() == 1


def test_the_number_of_an_account_stays_while_a_role_is_to_have_a_policy_of_it(alice):
    role = make_role(permissions=Permissions(managed_policy=policy("ReadOnlyAccess")))
    number = role.account.account_id
    boundary = policy(f"arn:aws:iam::{number}:policy/Limits")
    registration.correct_role(role, details_of(role, permissions=Permissions(boundary=boundary)), by=alice)
    with pytest.raises(ForeignPolicy):
        registration.correct_account(role.account, AccountId("999900001111"), label="", by=alice)
    role.refresh_from_db()
    assert role.account.account_id == number
    assert (role.managed_policy, role.permissions_boundary) == ("", str(boundary))


def test_a_correction_of_another_account_is_refused_too(alice):
    role = make_role()
    foreign = Permissions(boundary=policy("arn:aws:iam::222233334444:policy/Limits"))
    with pytest.raises(ForeignPolicy):
        registration.correct_role(role, details_of(role, permissions=foreign), by=alice)


def test_the_database_takes_one_kind_of_permissions_for_a_role():
    role = make_role(permissions=Permissions(managed_policy=policy("ReadOnlyAccess")))
    with pytest.raises(IntegrityError, match="one_kind_of_permissions_per_role"), transaction.atomic():
        ExternalRole.objects.filter(pk=role.pk).update(permissions_policy="{}")
