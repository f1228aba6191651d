"""How a person reads the portal, the front door, and what stands where a page is missing."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from pytest_django.asserts import assertRedirects

from onboarding.models import Person

pytestmark = pytest.mark.django_db
SETTINGS, HOME, HELP = (reverse(f"onboarding:{name}") for name in ("settings", "home", "help"))
LANGUAGE = reverse("set_language")


@pytest.fixture(autouse=True)
def the_tests_own_language():
    """A request activates the language of its reader, and leaves it so."""
    with translation.override("en"):
        yield


def language_of(page) -> str:
    return page.text[page.text.index('<html lang="') + 12 :][:2]


def test_settings_are_saved_and_hold_at_once(client, carol):
    client.force_login(carol)
    answer = client.post(SETTINGS, {"language": "ja", "time_zone": "Asia/Tokyo", "theme": "dark"}, follow=True)
    assertRedirects(answer, SETTINGS)
    assert language_of(answer) == "ja"
    assert 'data-theme="dark"' in answer.text
    assert "Asia/Tokyo (UTC+09:00)" in answer.text
    carol.refresh_from_db()
    assert (carol.language, carol.time_zone, carol.theme) == ("ja", "Asia/Tokyo", "dark")


@pytest.mark.parametrize("wrong", [{"language": "xx"}, {"time_zone": "Mars/Olympus"}, {"theme": "pink"}])
def test_a_choice_that_does_not_exist_is_not_saved(client, carol, wrong):
    client.force_login(carol)
    answer = client.post(SETTINGS, {"language": "ja", "time_zone": "", "theme": "", **wrong})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    carol.refresh_from_db()
    assert carol.language == ""


def test_settings_show_what_a_person_may_and_how_they_sign_in(client, carol):
    client.force_login(carol)
    page = client.get(SETTINGS)
    assert reverse("account_change_password") in page.text
    assert reverse("mfa_index") in page.text
    assert "carol@hoshino.example" in page.text
    assert "Employee" in page.text


def test_settings_offer_no_password_where_there_are_no_local_accounts(client, carol, settings):
    settings.LOCAL_ACCOUNTS = False
    client.force_login(carol)
    assert reverse("account_change_password") not in client.get(SETTINGS).text


def test_the_language_switch_is_remembered_by_the_browser_of_a_stranger(client):
    answer = client.post(LANGUAGE, {"language": "ja", "next": HELP})
    assertRedirects(answer, HELP)
    assert language_of(client.get(HELP)) == "ja"


def test_the_language_switch_is_remembered_for_a_person(client, carol):
    client.force_login(carol)
    client.post(LANGUAGE, {"language": "ja", "next": SETTINGS})
    carol.refresh_from_db()
    assert carol.language == "ja"
    another_browser = Client()
    another_browser.force_login(carol)
    assert language_of(another_browser.get(SETTINGS)) == "ja"


def test_the_language_switch_knows_two_languages_and_leads_to_no_other_host(client, carol):
    client.force_login(carol)
    answer = client.post(LANGUAGE, {"language": "xx", "next": "https://evil.example/"})
    assert answer.url == "/"
    carol.refresh_from_db()
    assert carol.language == ""
    assert client.get(LANGUAGE).status_code == 405


def test_what_a_person_chose_goes_before_what_the_browser_asks_for(client, carol):
    carol.language = "ja"
    carol.save()
    assert language_of(client.get(HELP, headers={"Accept-Language": "en"})) == "en"
    client.force_login(carol)
    assert language_of(client.get(HELP, headers={"Accept-Language": "en"})) == "ja"


def test_the_time_zone_ends_with_the_request(client, carol):
    carol.time_zone = "Pacific/Auckland"
    carol.save()
    client.force_login(carol)
    with time_machine.travel(datetime(2026, 1, 2, tzinfo=UTC)):
        assert "Pacific/Auckland (UTC+13:00)" in client.get(SETTINGS).text
    assert timezone.get_current_timezone() == ZoneInfo("UTC")
    assert "Pacific/Auckland" not in Client().get(HELP).text


def test_an_employee_begins_at_their_access(client, carol):
    client.force_login(carol)
    assertRedirects(client.get(HOME), reverse("onboarding:employees:access"))


def test_a_platform_admin_begins_at_the_overview(client, alice):
    client.force_login(alice)
    assertRedirects(client.get(HOME), reverse("onboarding:admins:overview"), fetch_redirect_response=False)


def test_a_page_that_is_not_for_somebody_says_so(client, carol):
    client.force_login(carol)
    answer = client.get(reverse("onboarding:admins:overview"))
    assert answer.status_code == 403
    assert "This page is not for you" in answer.text


def test_a_stranger_begins_at_sign_in(client):
    assertRedirects(client.get(HOME), f"{reverse('account_login')}?next=/")


@pytest.mark.parametrize("name", ["help", "genuine"])
def test_help_is_open_to_strangers_and_to_people(client, carol, name):
    address = reverse(f"onboarding:{name}")
    assert "Sign out" not in client.get(address).text
    client.force_login(carol)
    page = client.get(address)
    assert "Sign out" in page.text
    assert "Hoshino Trading" in page.text


def test_help_says_that_a_grant_does_not_decide_who_enters(client):
    assert "everyone who is assigned to the role’s permission set" in client.get(HELP).text


def test_partners_read_whom_to_ask_and_what_is_never_asked_for(client):
    page = client.get(reverse("onboarding:genuine")).text
    assert "Mio Tanabe" in page
    assert "mailto:cloud@hoshino.example" in page
    assert "An access key, a password, or a one-time code" in page
    assert "request number" in page


def test_help_without_a_contact_names_none(client, settings):
    settings.CONTACT_EMAIL = ""
    page = client.get(reverse("onboarding:genuine"))
    assert page.status_code == 200
    assert "mailto:" not in page.text


def test_a_missing_page_is_ours(client):
    answer = client.get("/no/such/page/")
    assert answer.status_code == 404
    assert "Tobiishi" in answer.text


def test_a_form_without_its_token_is_refused_with_a_page_of_ours(carol):
    client = Client(enforce_csrf_checks=True)
    client.force_login(carol)
    answer = client.post(SETTINGS, {"language": "ja"})
    assert answer.status_code == 403
    assert "Tobiishi" in answer.text
    assert Person.objects.get(pk=carol.pk).language == ""


def test_a_page_that_breaks_shows_ours_even_without_a_database(client, monkeypatch, carol):
    client.force_login(carol)
    client.raise_request_exception = False
    monkeypatch.setattr("onboarding.forms.preferences.zoneinfo.available_timezones", broken)
    answer = client.get(SETTINGS)
    assert answer.status_code == 500
    assert "Tobiishi" in answer.text


def broken() -> set[str]:
    raise RuntimeError("broken on purpose")
