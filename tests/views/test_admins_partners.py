"""Partners and their accounts: found, registered, corrected, retired."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from onboarding.core import identifiers
from onboarding.core.probes import Outcome
from onboarding.models import ExternalAccount, ExternalRole, Invitation, Mail, Partner
from onboarding.services import delivery, invitations, registration
from tests.factories import (
    Door,
    make_account,
    make_bastion,
    make_checked_role,
    make_invitation,
    make_partner,
    make_permission_set,
    make_returned_role,
    make_role,
)

pytestmark = pytest.mark.django_db
PARTNERS, REGISTER = reverse("onboarding:admins:partners"), reverse("onboarding:admins:register")
PREVIEW = reverse("onboarding:admins:register_preview")


@pytest.fixture(autouse=True)
def as_alice(client, alice):
    client.force_login(alice)


def typed(**override: str) -> dict[str, str]:
    return {
        "name": "Willow Robotics",
        "language": "en",
        "contact_name": "Priya Raman",
        "contact_email": "cloud@willow.example",
        "account_id": "3030 4040 5050",
        "purpose": "Read robot telemetry.",
        "permission_set": str(make_permission_set().uuid),
        "region": "ap-northeast-1",
        "trust_style": "account_and_condition",
        **override,
    }


DOCUMENT = '{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::x/${aws:username}"}}'


def test_the_permissions_are_registered_as_they_are_chosen(client):
    choice = {"permissions_choice": "managed", "managed_policy": "ReadOnlyAccess"}
    shape = {"permissions_boundary": "arn:aws:iam::303040405050:policy/Limits", "role_path": "partners"}
    client.post(REGISTER, typed(**choice, **shape, tags="team=data\r\nitems=x"))
    role = ExternalRole.objects.get()
    assert role.managed_policy == "arn:aws:iam::aws:policy/ReadOnlyAccess"
    assert role.permissions_boundary == "arn:aws:iam::303040405050:policy/Limits"
    assert (role.role_path, role.tags) == ("/partners/", {"team": "data", "items": "x"})
    page = reverse("onboarding:admins:role", args=[role.uuid])
    assertContains(client.get(page), "<code>items=x</code>")


def test_a_policy_of_our_own_comes_back_in_the_form_that_corrects_it(client):
    client.post(REGISTER, typed(permissions_choice="document", permissions_policy=DOCUMENT))
    role = ExternalRole.objects.get()
    assert role.permissions.document["Statement"][0]["Resource"] == "arn:aws:s3:::x/${aws:username}"
    correct = reverse("onboarding:admins:correct_role", args=[role.uuid])
    shown = client.get(correct).context["form"]
    assert shown["permissions_choice"].value() == "document"
    assert shown["permissions_policy"].value() == role.permissions_policy
    again = {name: value for name in shown.fields if (value := shown[name].value()) not in (None, False)}
    assertRedirects(client.post(correct, again), reverse("onboarding:admins:role", args=[role.uuid]))
    before, role = role, ExternalRole.objects.get()
    assert role.permissions_policy == before.permissions_policy


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"permissions_choice": "managed"}, "managed_policy", "Fill this in"),
        ({"permissions_choice": "document"}, "permissions_policy", "Fill this in"),
        ({"managed_policy": "ReadOnlyAccess"}, "managed_policy", "Choose this above"),
        ({"permissions_policy": DOCUMENT}, "permissions_policy", "Choose this above"),
        (
            {"permissions_choice": "managed", "managed_policy": "AdministratorAccess"},
            "managed_policy",
            "promises that we never ask",
        ),
        ({"permissions_choice": "managed", "managed_policy": "$(id)"}, "managed_policy", "names no managed policy"),
        ({"permissions_boundary": "arn:aws-cn:iam::aws:policy/X"}, "permissions_boundary", "another AWS partition"),
        (
            {"permissions_choice": "document", "permissions_policy": "{"},
            "permissions_policy",
            "Line 1: This is not JSON",
        ),
        (
            {"permissions_choice": "document", "permissions_policy": DOCUMENT.replace("x/", "{{x}}")},
            "permissions_policy",
            "holds {{, $${ or %{",
        ),
        ({"role_path": "a b"}, "role_path", "The path in this ARN"),
        ({"tags": "team"}, "tags", "A tag is written key=value"),
        ({"permissions_boundary": "arn:aws:iam::222233334444:policy/Limits"}, "__all__", "account 2222 3333 4444"),
    ],
)
def test_what_the_role_cannot_be_given_is_said_at_the_field(client, wrong, field, words):
    answer = client.post(REGISTER, typed(**wrong))
    assert words in " ".join(answer.context["form"].errors[field])
    assert not ExternalRole.objects.exists()


def test_the_preview_shows_what_the_role_is_to_be_given(client):
    choice = {"permissions_choice": "document", "permissions_policy": DOCUMENT, "role_path": "/partners/"}
    shown = client.post(PREVIEW, typed(**choice, tags="team=data"), headers={"hx-request": "true"})
    for told in ("Permissions policy, preview", "${aws:username}", "/partners/HoshinoWillow", "team=data"):
        assertContains(shown, told)


# --- Registering --------------------------------------------------------------------------------------------------


def test_one_form_registers_partner_account_and_role_and_shows_the_link_once(client):
    answer = client.post(REGISTER, typed())
    role = ExternalRole.objects.get()
    assert (role.role_name, role.profile_name) == ("HoshinoWillow", "willow-robotics-hoshinowillow")
    assert role.account.account_id == "303040405050"
    link = answer.context["link"]
    token = link.rsplit("/", 1)[1]
    assert Invitation.objects.get().token_digest == identifiers.token_digest(token)
    assertContains(answer, link)
    assertContains(answer, Invitation.objects.get().reference)
    assert "no-store" in answer.headers["Cache-Control"]
    assertNotContains(client.get(reverse("onboarding:admins:account", args=[role.account.uuid])), token)


def test_what_the_service_refuses_shows_at_its_field_and_keeps_what_was_typed(client):
    make_account(account_id="303040405050")
    answer = client.post(REGISTER, typed())
    assertContains(answer, "This account is registered already.")
    assert answer.context["form"].errors.keys() == {"account_id"}
    assertContains(answer, "Read robot telemetry.")
    assert not Partner.objects.filter(name="Willow Robotics").exists()


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("account_id", "30304040505"),
        ("account_id", "111122223333"),
        ("role_name", "Hoshino Telemetry"),
        ("profile_name", "a]b"),
        ("region", "tokyo"),
        ("purpose", "turn\u202earound"),
        ("permission_set", "00000000-0000-0000-0000-000000000000"),
        ("trust_style", "exact_role"),
    ],
)
def test_a_wrong_value_is_told_at_its_field(client, field, wrong):
    answer = client.post(REGISTER, typed(**{field: wrong}))
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert not ExternalRole.objects.exists()


def test_a_taken_profile_name_gets_a_digest_of_the_role_itself(client):
    taken = make_role(profile_name="Willow-Robotics-hoshinowillow")
    client.post(REGISTER, typed())
    name = ExternalRole.objects.exclude(pk=taken.pk).get().profile_name
    assert name.startswith("willow-robotics-hoshinowillow-")
    again = {"partner": "Willow Robotics", "account_id": "303040405050", "role_name": "HoshinoWillow"}
    # The same role gets the same name, whenever it is asked for; another one does not.
    ExternalRole.objects.filter(profile_name=name).update(profile_name="renamed")
    assert registration.suggested_profile_name(make_bastion(), **again) == name
    assert registration.suggested_profile_name(make_bastion(), **again | {"account_id": "1" * 12}) != name


def test_the_bastions_template_names_the_profile(client):
    bastion = make_permission_set().bastion
    bastion.profile_template = "p_{account}"
    bastion.save()
    client.post(REGISTER, typed())
    role = ExternalRole.objects.get()
    assert role.profile_name == f"p_{role.account.account_id}"


def test_without_a_permission_set_the_page_says_what_comes_first(client):
    assertContains(client.get(REGISTER), reverse("onboarding:admins:bastions"))


def test_the_preview_shows_the_policy_and_stores_nothing(client):
    answer = client.post(PREVIEW, typed(account_id="3"), headers={"HX-Request": "true"})
    assertContains(answer, "AWSReservedSSO_PartnerAccess_????????????????")
    assertContains(answer, "HoshinoWillow")
    assertContains(answer, "Read robot telemetry.")
    assertNotContains(answer, "<html")
    assert not Partner.objects.exists()


def test_the_preview_works_without_script_and_keeps_what_was_typed(client):
    answer = client.post(PREVIEW, typed(account_id="3"))
    assertContains(answer, "<html")
    assertContains(answer, 'value="Willow Robotics"')
    assertContains(answer, "sts:ExternalId")
    assertNotContains(answer, 'class="errors"')


def test_a_further_account_and_a_further_role_are_registered(client):
    account = make_account()
    client.post(reverse("onboarding:admins:add_account", args=[account.partner.uuid]), typed())
    assert account.partner.accounts.count() == 2
    answer = client.post(reverse("onboarding:admins:add_role", args=[account.uuid]), typed())
    assertRedirects(answer, reverse("onboarding:admins:account", args=[account.uuid]))
    assert account.roles.count() == 1


def test_a_further_role_is_shown_by_the_link_that_the_partner_holds(client):
    account = make_invitation().invitation.account
    client.post(reverse("onboarding:admins:add_role", args=[account.uuid]), typed())
    assert set(account.roles.values_list("state", flat=True)) == {"invited"}


def test_errors_are_listed_in_the_order_of_the_page(client):
    make_permission_set()
    answer = client.post(REGISTER, {"name": ""})
    listed = list(answer.context["form"].errors)
    assert listed == sorted(
        listed, key=lambda name: answer.text.index(f'id="id_{name}"'.replace("trust_style", "trust_style_0"))
    )


# --- Correcting ---------------------------------------------------------------------------------------------------


def test_a_partner_can_be_corrected_at_any_time(client):
    role = make_returned_role()
    partner = role.account.partner
    address = reverse("onboarding:admins:correct_partner", args=[partner.uuid])
    wanted = {"name": "New name", "language": "ja", "contact_name": "A", "contact_email": "a@b.example"}
    assertRedirects(client.post(address, wanted), reverse("onboarding:admins:partner", args=[partner.uuid]))
    partner.refresh_from_db()
    assert (partner.name, partner.language) == ("New name", "ja")


def test_a_partners_name_is_there_only_once(client):
    make_partner("Aozora")
    other = make_partner("Ballard")
    wanted = {"name": "AOZORA", "language": "en", "contact_name": "A", "contact_email": "a@b.example"}
    answer = client.post(reverse("onboarding:admins:correct_partner", args=[other.uuid]), wanted)
    assert list(answer.context["form"].errors) == ["name"]
    assertContains(answer, "Ballard")


def test_an_accounts_number_stays_once_a_role_was_returned(client):
    fresh, fixed = make_role().account, make_returned_role().account
    for account, moves in ((fresh, True), (fixed, False)):
        address = reverse("onboarding:admins:correct_account", args=[account.uuid])
        client.post(address, {"account_id": "999988887777" if moves else "666655554444", "label": "production"})
        account.refresh_from_db()
        assert (account.label == "production") is moves


def test_a_role_is_corrected_until_it_is_returned(client):
    role = make_role()
    address = reverse("onboarding:admins:correct_role", args=[role.uuid])
    assertContains(client.get(address), f'value="{role.role_name}"')
    client.post(address, typed(role_name="Other", profile_name="other"))
    role.refresh_from_db()
    assert (role.role_name, role.profile_name) == ("Other", "other")
    make_returned_role(role)
    answer = client.post(address, typed(role_name="Third", profile_name="third"))
    assertContains(answer, "Not saved: the role was returned meanwhile")
    assertContains(answer, "retire it and register another")


# --- Ending -------------------------------------------------------------------------------------------------------


def test_an_account_with_live_roles_stays(client):
    account = make_role().account
    answer = client.post(reverse("onboarding:admins:retire_account", args=[account.uuid]), follow=True)
    assertContains(answer, "The account still has live roles")


def test_an_account_without_roles_is_retired_and_its_number_is_free(client):
    account = make_account()
    client.post(reverse("onboarding:admins:retire_account", args=[account.uuid]))
    assert not ExternalAccount.objects.live().exists()
    make_account(account_id=account.account_id)


# --- Links --------------------------------------------------------------------------------------------------------


def issue(client, account, current: str = "", **asked: str):
    asked = {"current": current, **asked}
    return client.post(reverse("onboarding:admins:issue_link", args=[account.uuid]), asked, follow=True)


def of_link(client, name: str, invitation: Invitation, **asked: str):
    return client.post(reverse(f"onboarding:admins:{name}", args=[invitation.uuid]), asked, follow=True)


def test_a_new_link_ends_the_one_before(client):
    role = make_role()
    first = make_invitation(role).invitation
    assertContains(issue(client, role.account, str(first.uuid)), "It is shown this once.")
    first.refresh_from_db()
    assert first.revoked_at
    assert role.account.invitations.filter(revoked_at=None).count() == 1


def test_a_reload_or_a_double_click_makes_no_second_link(client):
    role = make_role()
    issue(client, role.account)
    answer = issue(client, role.account)
    assertContains(answer, "No second link was made")
    assert role.account.invitations.count() == 1


def test_a_link_is_extended_and_revoked(client):
    invitation = make_invitation().invitation
    Invitation.objects.update(expires_at=timezone.now())
    client.post(reverse("onboarding:admins:extend_link", args=[invitation.uuid]))
    invitation.refresh_from_db()
    assert invitation.expires_at > timezone.now() + timedelta(days=10)
    client.post(reverse("onboarding:admins:revoke_link", args=[invitation.uuid]))
    answer = client.post(reverse("onboarding:admins:extend_link", args=[invitation.uuid]), follow=True)
    assertContains(answer, "this link was revoked")


def test_opening_is_labelled_as_what_it_may_have_been(client):
    invitation = make_invitation().invitation
    Invitation.objects.update(opened_at=timezone.now(), times_opened=2)
    page = client.get(reverse("onboarding:admins:account", args=[invitation.account.uuid]))
    assertContains(page, "2 times")
    assertContains(page, "it may have been a mail scanner")


def test_the_mail_is_in_the_partners_language_and_for_the_registered_address(client):
    account = make_account(make_partner(language="ja", contact_email="joho@sakura.example"))
    make_role(account)
    letter = issue(client, account).context["letter"]
    assert letter.language == "ja"
    assert letter.mailto.startswith("mailto:joho%40sakura.example?subject=")
    assert "\n" not in letter.mailto


def test_a_link_is_mailed_by_the_portal_and_seen_by_nobody_here(client):
    role = make_role(make_account(make_partner(contact_email="bob@willow.example")))
    answer = issue(client, role.account, mail="on", verify_recipient="on")
    assertContains(answer, "The mail is on its way to bob@willow.example.")
    assertContains(answer, "Types a code that is mailed to the registered address")
    invitation = Invitation.objects.get()
    assert (invitation.token_digest, invitation.verify_recipient) == (None, True)
    assert "/i/" not in answer.text
    delivery.deliver(invitation.mails.get().pk)
    assert [message.to for message in mail.outbox] == [["bob@willow.example"]]


def test_a_link_is_mailed_anew_and_the_page_says_what_became_of_the_mail(client, settings):
    invitation = make_invitation().invitation
    assertContains(of_link(client, "resend_link", invitation), "On its way")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    delivery.deliver(invitation.mails.get().pk)
    page = reverse("onboarding:admins:account", args=[invitation.account.uuid])
    assertContains(client.get(page), "Not taken yet, and tried again")
    Mail.objects.update(given_up_at=timezone.now(), asked_at=timezone.now() - timedelta(days=1))
    assertContains(client.get(page), "The mail server did not take it")
    assertContains(client.get(reverse("onboarding:admins:overview")), "The mail server does not take it")
    Mail.objects.update(trouble="")
    assertContains(client.get(page), "No longer wanted")


def test_a_revoked_link_is_not_mailed_anew(client):
    invitation = make_invitation().invitation
    of_link(client, "revoke_link", invitation)
    assertContains(of_link(client, "resend_link", invitation), "this link was revoked")
    assert not Mail.objects.exists()


def test_whether_the_recipient_is_verified_can_be_chosen_later(client):
    invitation = make_invitation().invitation
    assertContains(of_link(client, "choose_verification", invitation, verify_recipient="on"), "asked for a code")
    assert Invitation.objects.get().verify_recipient
    assertContains(of_link(client, "choose_verification", invitation, verify_recipient="off"), "opens without a code")
    assert not Invitation.objects.get().verify_recipient


def test_what_became_of_a_link_is_told_from_opened_to_returned(client):
    role = make_returned_role()
    invitation = Invitation.objects.get()
    invitations.note_opened(invitation)
    invitations.note_copied(invitation)
    answer = client.get(reverse("onboarding:admins:account", args=[role.account.uuid]))
    for told in ("it may have been a mail scanner", "Copied", "Returned", f"<code>{role.role_name}</code>, "):
        assertContains(answer, told)


# --- Finding ------------------------------------------------------------------------------------------------------


def test_partners_are_found_by_name_contact_account_and_arn(client):
    role = make_returned_role()
    make_partner("Somebody else", contact_email="else@else.example")
    partner = role.account.partner
    for text in (partner.name, partner.contact_email, role.account.account_id[:7], role.role_arn):
        found = client.get(PARTNERS, {"q": text}).context["rows"]
        assert [row.partner for row in found] == [partner], text
    assertContains(client.get(PARTNERS, {"q": "nowhere"}), "No match for “nowhere”")


def test_filters_live_in_the_address_and_count(client):
    unsafe = make_checked_role(door=Door(without=Outcome.ENTERED))
    make_checked_role()
    page = client.get(PARTNERS, {"standing": "unsafe"})
    assert [row.partner for row in page.context["rows"]] == [unsafe.account.partner]
    counts = {chip.url: chip.count for chip in page.context["chips"]}
    assert counts["?standing=unsafe"] == 1
    assert counts["?"] == 2


def test_the_search_keeps_the_filter_and_paging_keeps_both(client):
    for number in range(52):
        make_partner(f"Pager {number:02}")
    first = client.get(PARTNERS, {"q": "Pager"})
    assert len(first.context["rows"]) == 50
    second = client.get(PARTNERS + first.context["next_url"])
    assert [row.partner.name for row in second.context["rows"]] == ["Pager 50", "Pager 51"]
    assert second.context["searched"] == "Pager"


@pytest.mark.parametrize("address", ["partners", "roles", "validations", "audit", "people"])
@pytest.mark.parametrize(
    "query", ["after=!", "before=bnVsbA==", "after=WyJ4IiwgMV0=", "after=WzEsIDFd", "q=%00", "standing=x"]
)
def test_an_address_that_somebody_altered_shows_the_list(client, address, query):
    make_returned_role()
    assert client.get(reverse(f"onboarding:admins:{address}") + f"?{query}").status_code == 200


def test_an_expired_link_is_our_turn(client):
    make_invitation()
    Invitation.objects.update(expires_at=timezone.now())
    page = client.get(PARTNERS)
    assert page.context["rows"][0].turn == "You"
    assertContains(page, "Link expired")


@pytest.mark.parametrize("of", ["partners", "partner", "account"])
def test_a_page_costs_the_same_with_many_accounts(client, of, django_assert_max_num_queries):
    partner = make_partner()
    account = make_account(partner)

    def more(count: int) -> None:
        for _number in range(count):
            make_checked_role(make_role(account))
            make_checked_role(make_role(make_account(partner)))
            make_checked_role()

    more(2)
    arguments = {"partners": [], "partner": [partner.uuid], "account": [account.uuid]}[of]
    address = reverse(f"onboarding:admins:{of}", args=arguments)
    with django_assert_max_num_queries(16) as few:
        client.get(address)
    more(8)
    with django_assert_max_num_queries(len(few)):
        client.get(address)
