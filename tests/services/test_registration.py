import pytest

from onboarding.core.arns import AccountId
from onboarding.core.errors import AlreadyRegistered, BastionsOwnAccount
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
