"""The first platform admin, from the command line."""

import io
import re

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from onboarding.models import AuditEvent, Person, PortalRole
from onboarding.services import people
from tests import factories
from tests.factories import PASSWORD, make_checked_role, make_person

pytestmark = pytest.mark.django_db
EMAIL = "alice@hoshino.example"


@pytest.fixture
def bootstrap(capsys, monkeypatch):
    def run(*, email: str = EMAIL, typed: str | None = None) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed or ""))
        call_command("bootstrap", email=email, password_stdin=typed is not None)
        return capsys.readouterr().out

    return run


def test_it_makes_an_admin_who_sets_a_password_by_the_printed_link(bootstrap, client):
    told = bootstrap(email=" Alice@Hoshino.example ")
    alice = Person.objects.get()
    assert (alice.email, alice.portal_role, alice.has_usable_password()) == (EMAIL, PortalRole.PLATFORM_ADMIN, False)
    link = re.search(r"http://testserver(/\S+)", told[told.index("set a password") :])[1]
    form = client.get(link, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
    assert Person.objects.get().check_password(PASSWORD)
    assert "they sign in" not in told


def test_the_password_may_come_from_standard_input(bootstrap):
    told = bootstrap(typed=f"{PASSWORD}\n")
    assert Person.objects.get().check_password(PASSWORD)
    assert "with their password" in told
    assert PASSWORD not in told


@pytest.mark.parametrize("typed", ["", "short\n", "password1234\n", "alice@hoshino.example\n"])
def test_a_weak_password_is_refused_and_nothing_changes(bootstrap, typed):
    with pytest.raises(CommandError, match="The password was not taken"):
        bootstrap(typed=typed)
    assert not Person.objects.exists()


@pytest.mark.parametrize(
    "email", ["", "alice", "alice@", "alice@hoshino.example\nbob@x.example", "a b@hoshino.example"]
)
def test_nonsense_is_no_address(bootstrap, email):
    with pytest.raises(CommandError, match="is not an e-mail address"):
        bootstrap(email=email)
    assert not Person.objects.exists()


def test_running_it_again_changes_nothing(bootstrap):
    bootstrap(typed=PASSWORD)
    before = AuditEvent.objects.count()
    bootstrap()
    assert Person.objects.get().check_password(PASSWORD)
    assert AuditEvent.objects.count() == before


def test_an_existing_person_is_promoted_and_keeps_name_groups_and_password(bootstrap):
    make_person(EMAIL, groups=("analysts",), name=("Alice", "Admin"))
    told = bootstrap(email="ALICE@hoshino.example")
    alice = Person.objects.get()
    assert alice.is_platform_admin
    assert (alice.get_full_name(), alice.groups.get().name) == ("Alice Admin", "analysts")
    assert alice.check_password(PASSWORD)
    assert "password/reset" not in told
    assert AuditEvent.objects.filter(action="person_changed", subject_uuid=alice.uuid).exists()


def test_a_switched_off_person_is_switched_on_again(bootstrap):
    Person.objects.filter(pk=make_person(EMAIL).pk).update(is_active=False)
    bootstrap()
    assert Person.objects.get().is_platform_admin


def test_it_says_what_is_still_to_set_up(bootstrap, settings):
    settings.ORGANIZATION_NAME, settings.CONTACT_EMAIL = "Your organization", ""
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    told = bootstrap()
    for name in ("ORGANIZATION_NAME", "CONTACT_EMAIL", "EMAIL_URL", "PUBLIC_URL", "bastion account"):
        assert name in told
    factories.make_permission_set()
    told = bootstrap()
    assert "The SSO role of PartnerAccess in Hoshino bastion" in told
    assert "The worker's AWS identity" in told


def test_it_says_when_everything_is_set_up(bootstrap, settings):
    settings.PUBLIC_URL = "https://portal.hoshino.example"
    permission_set = make_checked_role().permission_set
    permission_set.sso_role_arn = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/x"
    permission_set.save()
    assert "Everything is set up." in bootstrap()


def test_with_a_provider_it_says_who_decides(bootstrap, settings):
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [{"provider_id": "sso", "name": "Hoshino ID"}]}}
    settings.OIDC_ADMIN_GROUP = "cloud-admins"
    settings.LOCAL_ACCOUNTS = False
    told = bootstrap()
    assert "with Hoshino ID" in told
    assert "the group cloud-admins decides" in told
    assert reverse("account_reset_password") not in told
    with pytest.raises(CommandError, match="LOCAL_ACCOUNTS is off"):
        bootstrap(typed=PASSWORD)


def test_the_last_admin_may_be_replaced_by_another(bootstrap):
    bootstrap()
    bootstrap(email="akira@hoshino.example")
    alice = Person.objects.get(email=EMAIL)
    details = people.PersonDetails(first_name="", last_name="", portal_role=PortalRole.EMPLOYEE)
    assert not people.change_person(alice, details).is_platform_admin
