"""Links are opened, and forms sent, only so often; what is too often is told kindly, and changes nothing."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import caches
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from redis import RedisError

from onboarding import limits
from onboarding.models import Invitation
from tests.factories import make_invitation, make_returned_role, make_role
from tests.views.partner_pages import link, of_role, open_link, page

pytestmark = pytest.mark.django_db
TOO_MANY = reverse("onboarding:partners:too_many")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limits, with smaller numbers."""
    for name in ("OPENINGS_OF_ADDRESS", "OPENINGS_OF_LINK", "FORMS_OF_ADDRESS", "FORMS_OF_LINK"):
        most = 5 if name.endswith("ADDRESS") else 3
        monkeypatch.setattr(limits, name, limits.Limit(getattr(limits, name).name, most, 600))


@pytest.fixture(autouse=True)
def one_window() -> object:
    """No test shall run over the edge of a window."""
    with time_machine.travel(timezone.now().replace(minute=1, second=0), tick=True):
        yield


def test_a_link_opens_only_so_often_and_other_links_still_do():
    issued, other = make_invitation(), make_invitation()
    places = [Client().get(link(issued.link_token), REMOTE_ADDR=f"192.0.2.{n}")["Location"] for n in range(5)]
    assert places == [page(issued.invitation)] * 3 + [TOO_MANY] * 2
    assert Client().get(link(other.link_token), REMOTE_ADDR="192.0.2.9")["Location"] == page(other.invitation)
    assert Invitation.objects.get(pk=issued.invitation.pk).times_opened == 3


def test_from_one_address_only_so_many_tokens_are_tried_known_or_not(client):
    issued = make_invitation()
    for number in range(5):
        assert client.get(link(f"guess-{number}"))["Location"] != TOO_MANY
    assert client.get(link(issued.link_token))["Location"] == TOO_MANY
    assert client.get(link("guess"))["Location"] == TOO_MANY
    assert client.get(link(issued.link_token), REMOTE_ADDR="192.0.2.1")["Location"] == page(issued.invitation)


def test_neighbours_in_one_ipv6_network_count_as_one():
    for number in range(5):
        Client().get(link(f"guess-{number}"), REMOTE_ADDR=f"2001:db8:1:2::{number}")
    assert Client().get(link("guess"), REMOTE_ADDR="2001:db8:1:2:ffff::1")["Location"] == TOO_MANY
    assert Client().get(link("guess"), REMOTE_ADDR="2001:db8:1:3::1")["Location"] != TOO_MANY


def test_who_stands_behind_the_proxy_is_counted_and_not_the_proxy(settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(5):
        Client().get(link(f"guess-{number}"), headers={"X-Forwarded-For": f"192.0.2.{number}, 198.51.100.7"})
    forged = {"X-Forwarded-For": "192.0.2.77, 198.51.100.7"}
    assert Client().get(link("guess"), headers=forged)["Location"] == TOO_MANY
    assert Client().get(link("guess"), headers={"X-Forwarded-For": "198.51.100.8"})["Location"] != TOO_MANY


def test_what_is_too_often_is_told_kindly_and_without_the_token(client):
    for _ in range(4):
        answer = client.get(link("some-token"))
    assert answer["Referrer-Policy"] == "no-referrer"
    answer = client.get(answer["Location"])
    assert (answer.status_code, answer["Retry-After"]) == (429, "600")
    assert "Too many tries" in answer.text
    assert "Nothing changed." in answer.text
    assert "no-store" in answer["Cache-Control"]
    assert "some-token" not in answer.text


def test_the_forms_of_a_page_are_sent_only_so_often(client):
    role = make_role()
    invitation = open_link(client, role)
    pasted = {"role_arn": "nonsense"}
    answers = [client.post(of_role("return", invitation, role), pasted).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    assert client.get(page(invitation)).status_code == 200
    copied = reverse("onboarding:partners:copied", args=[invitation.uuid])
    assert client.post(copied).status_code == 429
    assert Invitation.objects.get().copied_at is None


def test_strangers_who_send_forms_are_counted_by_their_address(client):
    for _ in range(5):
        invitation = make_invitation().invitation
        assert client.post(reverse("onboarding:partners:copied", args=[invitation.uuid])).status_code == 404
    invitation = make_invitation().invitation
    assert client.post(reverse("onboarding:partners:copied", args=[invitation.uuid])).status_code == 429
    assert client.post(reverse("onboarding:partners:new_link", args=[invitation.uuid])).status_code == 429


def test_after_its_window_a_link_opens_again(client):
    issued = make_invitation()
    for _ in range(4):
        answer = client.get(link(issued.link_token))
    assert answer["Location"] == TOO_MANY
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert client.get(link(issued.link_token))["Location"] == page(issued.invitation)


def test_while_redis_is_away_this_process_counts_alone(client, monkeypatch):
    def is_away(*_: object, **__: object) -> None:
        raise RedisError

    # Restored afterwards: else the next test would meet a cache that leaves Redis alone.
    monkeypatch.setattr(caches["default"], "_away_until", 0.0)
    for verb in ("add", "incr"):
        monkeypatch.setattr(f"django.core.cache.backends.redis.RedisCache.{verb}", is_away)
    token = "while-redis-is-away"
    places = [client.get(link(token))["Location"] for _ in range(4)]
    assert places.count(TOO_MANY) == 1


def test_a_press_that_wants_a_fragment_is_led_to_the_page_that_says_why(client):
    role = make_returned_role()
    invitation = open_link(client, role)
    for _ in range(4):
        answer = client.post(of_role("check", invitation, role), headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (429, TOO_MANY)
