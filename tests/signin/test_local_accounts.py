"""Accounts of the portal's own: signing in and out, forgetting the password, guessing it, the second step."""

import re
import time
from types import SimpleNamespace
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.auth import get_user
from django.core.cache import caches
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertRedirects

from onboarding.models import Person
from portal.cache import SharedOrOwnCache
from tests.embedded import free_port
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
LOGIN, LOGOUT = reverse("account_login"), reverse("account_logout")
ACCESS = reverse("onboarding:employees:access")
EMAIL = "carol@hoshino.example"


@pytest.fixture(autouse=True)
def fresh_limits(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Limits of another test do not count here: the names under which they are kept are this test's own."""
    shared = caches["default"]
    monkeypatch.setattr(shared, "key_prefix", f"{shared.key_prefix}-{request.node.name}")


def sign_in(client: Client, email: str = EMAIL, password: str = PASSWORD, **more: str):
    return client.post(LOGIN, {"login": email, "password": password, **more})


def is_signed_in(client: Client) -> bool:
    return get_user(client).is_authenticated


def test_a_person_signs_in_and_comes_to_where_they_wanted_to_go(client, carol):
    asked = client.get(ACCESS)
    assertRedirects(asked, f"{LOGIN}?next={ACCESS}")
    assertRedirects(sign_in(client, next=ACCESS), ACCESS)
    assert is_signed_in(client)


def test_the_address_is_taken_in_any_case(client, carol):
    sign_in(client, email="Carol@Hoshino.EXAMPLE")
    assert is_signed_in(client)


def test_sign_in_leads_to_no_other_host(client, carol):
    assert sign_in(client, next="https://evil.example/").url == "/"


def test_signing_out_needs_a_post(client, carol):
    client.force_login(carol)
    client.get(LOGOUT)
    assert is_signed_in(client)
    client.post(LOGOUT)
    assert not is_signed_in(client)


def test_a_wrong_password_and_an_unknown_person_look_alike(client, carol):
    wrong, unknown = sign_in(client, password="wrong"), sign_in(client, email="nobody@hoshino.example")
    assert wrong.status_code == unknown.status_code == 200
    errors = [page.context["form"].errors for page in (wrong, unknown)]
    assert errors[0] == errors[1]
    assert not is_signed_in(client)


def test_an_inactive_person_is_refused_and_their_session_ends(client, carol):
    client.force_login(carol)
    Person.objects.filter(pk=carol.pk).update(is_active=False)
    assert not is_signed_in(client)
    answer = sign_in(Client())
    assertRedirects(answer, reverse("account_inactive"))
    assert not is_signed_in(client)


def test_nobody_signs_up(client, db):
    page = client.get(reverse("account_signup"))
    assert "Nobody can register here" in page.text
    client.post(
        reverse("account_signup"), {"email": "new@hoshino.example", "password1": PASSWORD, "password2": PASSWORD}
    )
    assert not Person.objects.exists()


def test_nobody_adds_an_address_to_their_account(client, carol):
    client.force_login(carol)
    address = reverse("account_email")
    assert client.get(address).status_code == 404
    assert client.post(address, {"email": "boss@hoshino.example", "action_add": ""}).status_code == 404
    assert not EmailAddress.objects.exists()


def test_where_local_accounts_are_off_no_password_opens(client, carol, settings):
    settings.LOCAL_ACCOUNTS = False
    sign_in(client)
    assert not is_signed_in(client)


def test_guessing_a_password_is_stopped(client, carol):
    for _ in range(5):
        assert sign_in(client, password="wrong").status_code == 200
    told = sign_in(client)
    assert not is_signed_in(client)
    assert "Too many failed login attempts" in told.text


def test_trying_many_addresses_from_one_place_is_stopped(client, db):
    answers = {sign_in(client, email=f"person{n}@hoshino.example").status_code for n in range(31)}
    assert answers == {200, 429}
    assert "Too many tries" in sign_in(client).text


def test_a_forgotten_password_is_replaced_by_mail(client, carol, mailoutbox):
    client.post(reverse("account_reset_password"), {"email": EMAIL})
    mail = mailoutbox[0]
    assert mail.to == [EMAIL]
    link = re.search(r"http://testserver(/\S+)", mail.body)[1]
    form = client.get(link, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": "other-stones-2026", "password2": "other-stones-2026"})
    sign_in(client, password="other-stones-2026")
    assert is_signed_in(client)
    assert not is_signed_in_with(PASSWORD)
    again = Client().get(link, follow=True)
    assert "password1" not in again.text


def test_asking_for_an_unknown_persons_password_tells_the_page_nothing(client, carol, mailoutbox):
    reset = reverse("account_reset_password")
    known = client.post(reset, {"email": EMAIL}, follow=True)
    unknown = client.post(reset, {"email": "nobody@hoshino.example"}, follow=True)
    assert known.redirect_chain == unknown.redirect_chain
    assert PASSWORD not in "".join(mail.body for mail in mailoutbox)


def is_signed_in_with(password: str) -> bool:
    another = Client()
    sign_in(another, password=password)
    return is_signed_in(another)


def test_the_second_step_is_reachable_from_settings(client, carol):
    sign_in(client)
    assert reverse("mfa_index") in client.get(reverse("onboarding:settings")).text
    assert client.get(reverse("mfa_index")).status_code == 200
    asked = client.get(reverse("mfa_activate_totp"))
    assert asked.url.startswith(reverse("account_reauthenticate"))
    answer = client.post(asked.url, {"password": PASSWORD}, follow=True)
    assertRedirects(answer, reverse("mfa_activate_totp"))


def test_who_has_a_second_step_is_asked_for_it(client, carol):
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(carol, secret)
    answer = sign_in(client)
    assertRedirects(answer, reverse("mfa_authenticate"))
    assert not is_signed_in(client)
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert is_signed_in(client)


@pytest.fixture
def redis_away(monkeypatch: pytest.MonkeyPatch) -> SharedOrOwnCache:
    """The cache of this thread asks at a port where nobody listens."""
    away = SharedOrOwnCache(f"redis://127.0.0.1:{free_port()}/0", {"KEY_PREFIX": str(uuid4())})
    monkeypatch.setattr(caches._connections, "default", away)
    return away


def test_people_sign_in_while_redis_is_away(client, carol, redis_away, caplog):
    assertRedirects(sign_in(client, next=ACCESS), ACCESS)
    assert is_signed_in(client)
    assert "cache_unreachable" in caplog.text


def test_guessing_is_stopped_also_while_redis_is_away(client, carol, redis_away):
    for _ in range(5):
        sign_in(client, password="wrong")
    sign_in(client)
    assert not is_signed_in(client)


def test_a_redis_that_is_away_is_left_alone_for_a_while_and_then_asked_again(redis_away, settings, monkeypatch):
    now = time.monotonic()
    monkeypatch.setattr("portal.cache.time", SimpleNamespace(monotonic=lambda: now))
    redis_away.set("before", "own")
    redis_away._servers = [settings.REDIS_URL]
    del redis_away._cache
    assert redis_away.get("before") == "own"
    now += 5
    assert redis_away.get("before") is None
    redis_away.set("after", "shared")
    assert redis_away.get("after") == "shared"
    assert redis_away.delete("after")
