"""The frame around every page, sign-in, and what people see when something is refused."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.core import mail
from django.template.loader import get_template
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django.asserts import assertTemplateUsed

from onboarding.context import portal
from onboarding.models import Person
from onboarding.views import errors
from tests.factories import PASSWORD

pytestmark = [
    pytest.mark.urls("tests.front.urls"),
    pytest.mark.django_db,
    pytest.mark.usefixtures("empty_cache"),
]


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def navigation(client: Client, address: str = "/sheet/") -> str:
    html = client.get(address).content.decode()
    return html[html.index('<nav aria-label="Main">') : html.index("</nav>")]


def test_an_admin_reaches_every_page_for_admins_and_my_access(client: Client, alice: Person) -> None:
    client.force_login(alice)
    assert text_of(navigation(client)) == (
        "Overview Partners Roles Validations Alerts Audit log People Bastion My access Settings"
    )


def test_an_employee_sees_only_an_employees_pages(client: Client, carol: Person) -> None:
    client.force_login(carol)
    assert text_of(navigation(client)) == "My access Help Settings"


def test_the_navigation_marks_the_page_and_the_part_of_the_portal(client: Client, alice: Person) -> None:
    client.force_login(alice)
    assert "aria-current" not in navigation(client)
    assert '<a href="/admin/roles/" aria-current="page">' in navigation(client, "/admin/roles/")
    assert '<a href="/admin/roles/" aria-current="true">' in navigation(client, "/admin/roles/one/")


def test_the_skip_link_comes_first(client: Client, alice: Person) -> None:
    client.force_login(alice)
    html = client.get("/sheet/").content.decode()
    assert re.search(r'<body>\s*<a class="skip" href="#main">Skip to content</a>', html)
    assert html.count("<h1") == 1


def test_the_page_follows_the_theme_that_the_person_chose(client: Client, alice: Person) -> None:
    alice.theme = "dark"
    alice.save()
    client.force_login(alice)
    assert '<html lang="en" data-theme="dark">' in client.get("/sheet/").content.decode()


def test_the_language_switch_keeps_the_page(client: Client, alice: Person) -> None:
    client.force_login(alice)
    assert '<input type="hidden" name="next" value="/sheet/?q=a&amp;b">' in client.get("/sheet/?q=a&b").content.decode()
    answer = client.post(reverse("set_language"), {"language": "ja", "next": "/sheet/?q=a&b"})
    assert answer["Location"] == "/sheet/?q=a&b"
    assert '<html lang="ja">' in client.get("/sheet/").content.decode()


def test_the_sandbox_says_so_on_every_page(client: Client, settings) -> None:
    settings.SANDBOX, settings.SANDBOX_CONSOLE_URL = True, "http://127.0.0.1:4566/"
    html = client.get(reverse("account_login")).content.decode()
    assert 'class="sandbox"' in html
    assert 'href="http://127.0.0.1:4566/"' in html
    settings.SANDBOX = False
    assert 'class="sandbox"' not in client.get(reverse("account_login")).content.decode()


def test_a_partner_sees_who_asks_and_no_navigation(client: Client) -> None:
    html = client.get("/stranger/").content.decode()
    assert "Request TB-2026-0147" in html
    assert "Sent with Tobiishi, run by Hoshino Trading on its own servers" in html
    assert '<nav aria-label="Main">' not in html


def test_the_footer_names_the_readers_zone(client: Client, alice: Person) -> None:
    alice.time_zone = "Asia/Tokyo"
    alice.save()
    client.force_login(alice)
    assert "Times are Asia/Tokyo (UTC+09:00)" in client.get("/sheet/").content.decode()


def test_the_portal_says_who_runs_it() -> None:
    told = portal(RequestFactory().get("/"))["portal"]
    assert (told.organization, told.contact_email) == ("Hoshino Trading", "cloud@hoshino.example")
    assert (told.local_accounts, told.oidc_name, told.time_zone) == (True, "", "UTC")


# --- Sign-in ------------------------------------------------------------------------------------------------------

STRANGERS = [
    "account_login",
    "account_signup",
    "account_inactive",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
    "socialaccount_login_cancelled",
    "socialaccount_login_error",
]
PEOPLE = [
    "account_logout",
    "account_change_password",
    "account_reauthenticate",
    "socialaccount_connections",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
]


@pytest.mark.parametrize("name", STRANGERS)
def test_every_page_of_sign_in_is_ours_for_strangers(client: Client, name: str) -> None:
    answer = client.get(reverse(name))
    assert answer.status_code in {200, 401}
    assertTemplateUsed(answer, "base.html")
    assert "allauth/elements" not in {template.name for template in answer.templates}


@pytest.mark.parametrize("name", PEOPLE)
def test_every_page_of_sign_in_is_ours_for_people(client: Client, alice: Person, name: str) -> None:
    sign_in(client, alice)
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    assertTemplateUsed(answer, "base.html")
    assert not any((template.name or "").startswith("allauth/elements") for template in answer.templates)


def sign_in(client: Client, person: Person) -> None:
    client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def test_a_second_step_can_be_set_up_and_taken_away(client: Client, alice: Person) -> None:
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    sign_in(client, alice)
    page = client.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    assert client.post(reverse("mfa_activate_totp"), {"code": code}).status_code == 302
    for name in ("mfa_index", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_deactivate_totp"):
        answer = client.get(reverse(name))
        assert answer.status_code == 200, name
        assertTemplateUsed(answer, "base_settings.html")
    client.post(reverse("account_logout"))
    answer = client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD}, follow=True)
    assertTemplateUsed(answer, "mfa/authenticate.html")


def test_a_wrong_password_is_told_in_a_summary(client: Client, alice: Person) -> None:
    html = client.post(reverse("account_login"), {"login": alice.email, "password": "wrong"}).content.decode()
    assert '<div class="errors" role="alert"' in html
    assert "You are not signed in" in html


def test_where_local_accounts_are_off_no_password_is_asked_for(client: Client, settings) -> None:
    settings.LOCAL_ACCOUNTS = False
    assert 'type="password"' not in client.get(reverse("account_login")).content.decode()


def test_the_organizations_provider_has_a_button_that_posts(client: Client, settings) -> None:
    app = {"provider_id": "sso", "name": "IAM Identity Center", "client_id": "a", "secret": "b"}
    app["settings"] = {"server_url": "https://idp.example"}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    html = client.get(reverse("account_login") + "?next=/settings/").content.decode()
    assert re.search(r'method="post" action="/sign-in/oidc/sso/login/\?[^"]*next=%2Fsettings%2F', html)
    assert "Sign in with IAM Identity Center" in html


def test_the_mail_with_a_new_password_link_is_in_our_words(client: Client, alice: Person) -> None:
    client.post(reverse("account_reset_password"), {"email": alice.email})
    [sent] = mail.outbox
    assert sent.subject.endswith("Choose a new password")
    assert "Somebody, most likely you" in sent.body
    assert sent.body.endswith("-- \nTobiishi at Hoshino Trading\ncloud@hoshino.example")
    link = re.search(r"https?://[^/]+(/\S+)", sent.body)
    assert link
    page = client.get(link[1], follow=True)
    assertTemplateUsed(page, "account/password_reset_from_key.html")


def test_a_change_of_password_is_told_by_mail_with_its_place(client: Client, alice: Person) -> None:
    EmailAddress.objects.get_or_create(user=alice, email=alice.email, defaults={"primary": True, "verified": True})
    sign_in(client, alice)
    new = "other-stepping-stones-2026"
    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new})
    [sent] = mail.outbox
    assert "The password of your Tobiishi account was changed." in sent.body
    assert "From address: 127.0.0.1" in sent.body


# --- Refused, missing, broken -------------------------------------------------------------------------------------


def test_a_missing_page_offers_the_way_home(client: Client) -> None:
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.content.decode()


def test_who_guesses_passwords_is_stopped_in_our_words(client: Client, alice: Person) -> None:
    limited = [client.post(reverse("account_reset_password"), {"email": alice.email}) for _try in range(25)]
    assert limited[-1].status_code == 429
    assertTemplateUsed(limited[-1], "429.html")


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (errors.bad_request, "This request makes no sense to us"),
        (errors.forbidden, "This page is not for you"),
        (errors.csrf_failure, "This form was open too long"),
    ],
)
def test_a_refusal_says_that_nothing_changed(client: Client, view, words: str) -> None:
    request = RequestFactory().get("/")
    html = view(request).content.decode()
    assert words in html
    assert re.search("Nothing (changed|was saved)", html)


def test_the_page_for_our_own_faults_needs_nothing(django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        html = get_template("500.html").render()
    assert "The trouble is on our side" in html
    assert "csrfmiddlewaretoken" not in html
    assert Session.objects.count() == 0
