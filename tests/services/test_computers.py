"""Computers on which portal-config is signed in: codes that work once, tokens that end."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from onboarding.core import client_access
from onboarding.models import AuditEvent, ClientCode, ClientToken, Person, PortalRole
from onboarding.services import computers, people
from onboarding.services.computers import CodeRefused, LoopbackRequest
from onboarding.services.people import PersonDetails

pytestmark = pytest.mark.django_db
VERIFIER = "v" * 43
LOOPBACK = "http://127.0.0.1:40123/signed-in"
ASKED = LoopbackRequest(
    computer="carols-laptop", loopback=LOOPBACK, state="s" * 32, challenge=client_access.challenge_of(VERIFIER)
)


def exchange(code: str, *, verifier: str = VERIFIER, loopback: str = LOOPBACK) -> str:
    return computers.exchange_code(code, verifier=verifier, loopback=loopback).text


def refusal_of(call, *args, **kwargs) -> str:
    with pytest.raises(CodeRefused) as refused:
        call(*args, **kwargs)
    return refused.value.error


def test_a_code_from_the_browser_is_worth_a_token_with_its_verifier(carol: Person) -> None:
    text = exchange(computers.approve_loopback(carol, ASKED))
    token = computers.find_token(text)
    assert token is not None
    assert token.person == carol
    assert token.computer == "carols-laptop"
    assert AuditEvent.objects.get(action="computer_connected").facts == {"computer": "carols-laptop"}


@pytest.mark.parametrize("wrong", [{"verifier": "w" * 43}, {"loopback": "http://127.0.0.1:40124/signed-in"}])
def test_a_stolen_code_is_worth_nothing_and_is_used_up_by_the_try(carol: Person, wrong: dict[str, str]) -> None:
    code = computers.approve_loopback(carol, ASKED)
    assert refusal_of(exchange, code, **wrong) == "invalid_grant"
    assert refusal_of(exchange, code) == "invalid_grant"
    assert not ClientToken.objects.exists()


def test_a_code_that_comes_twice_ends_the_token_that_it_gave(carol: Person) -> None:
    code = computers.approve_loopback(carol, ASKED)
    text = exchange(code)
    assert refusal_of(exchange, code) == "invalid_grant"
    assert computers.find_token(text) is None


def test_a_code_is_good_for_a_minute(carol: Person) -> None:
    code = computers.approve_loopback(carol, ASKED)
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert refusal_of(exchange, code) == "invalid_grant"


def test_only_digests_are_stored(carol: Person) -> None:
    code = computers.approve_loopback(carol, ASKED)
    codes = computers.ask_by_device_code("laptop")
    text = exchange(code)
    stored = repr([*ClientCode.objects.values(), *ClientToken.objects.values(), *AuditEvent.objects.values()])
    for secret in (code, text, codes.device_code, codes.user_code, codes.user_code.replace("-", "")):
        assert secret not in stored


def test_a_computer_that_polls_waits_until_a_person_allows_it(carol: Person) -> None:
    codes = computers.ask_by_device_code("laptop")
    assert refusal_of(computers.exchange_device_code, codes.device_code) == "authorization_pending"
    assert refusal_of(computers.exchange_device_code, codes.device_code) == "slow_down"
    code = waiting(codes)
    assert computers.decide(code, carol, allowed=True)
    text = computers.exchange_device_code(codes.device_code).text
    found = computers.find_token(text)
    assert found is not None
    assert found.person == carol
    assert refusal_of(computers.exchange_device_code, codes.device_code) == "invalid_grant"
    assert computers.find_token(text) is None


def test_a_refused_computer_is_told_so(carol: Person) -> None:
    codes = computers.ask_by_device_code("laptop")
    code = waiting(codes)
    assert computers.decide(code, carol, allowed=False)
    assert not computers.decide(code, carol, allowed=True)
    assert refusal_of(computers.exchange_device_code, codes.device_code) == "access_denied"
    assert computers.find_waiting(codes.user_code.replace("-", "")) is None


def test_a_device_code_is_good_for_ten_minutes(carol: Person) -> None:
    codes = computers.ask_by_device_code("laptop")
    code = waiting(codes)
    with time_machine.travel(timezone.now() + timedelta(minutes=10, seconds=1)):
        assert not computers.decide(code, carol, allowed=True)
        assert computers.find_waiting(codes.user_code.replace("-", "")) is None
        assert refusal_of(computers.exchange_device_code, codes.device_code) == "expired_token"


def test_the_two_kinds_of_code_do_not_stand_for_each_other(carol: Person) -> None:
    codes = computers.ask_by_device_code("laptop")
    computers.decide(waiting(codes), carol, allowed=True)
    assert refusal_of(exchange, codes.device_code) == "invalid_grant"
    code = computers.approve_loopback(carol, ASKED)
    assert refusal_of(computers.exchange_device_code, code) == "invalid_grant"


def test_old_codes_are_forgotten(carol: Person) -> None:
    computers.approve_loopback(carol, ASKED)
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        computers.ask_by_device_code("laptop")
    assert ClientCode.objects.count() == 1


def test_a_token_ends_after_ninety_days_though_it_is_used(carol: Person) -> None:
    token, text = token_of(carol)
    for days in (20, 40, 60, 80):
        with time_machine.travel(token.issued_at + timedelta(days=days)):
            assert computers.find_token(text)
    with time_machine.travel(token.issued_at + timedelta(days=90, seconds=1)):
        assert computers.find_token(text) is None


def test_a_token_that_nobody_uses_ends_after_thirty_days(carol: Person) -> None:
    token, text = token_of(carol)
    with time_machine.travel(token.issued_at + timedelta(days=30, seconds=1)):
        assert computers.find_token(text) is None
        assert not ClientToken.objects.live(timezone.now()).exists()


def test_use_is_noted_once_an_hour(carol: Person, django_assert_num_queries) -> None:
    token, text = token_of(carol)
    with django_assert_num_queries(1):
        computers.find_token(text)
    with time_machine.travel(token.issued_at + timedelta(minutes=61), tick=False):
        computers.find_token(text)
        token.refresh_from_db()
        assert token.last_used_at == timezone.now()


def test_a_token_ends_with_its_person_and_does_not_wake_up_with_them(carol: Person) -> None:
    _, text = token_of(carol)
    code = computers.approve_loopback(carol, ASKED)
    Person.objects.filter(pk=carol.pk).update(is_active=False)
    assert computers.find_token(text) is None
    Person.objects.filter(pk=carol.pk).update(is_active=True)
    carol.refresh_from_db()
    for is_active in (False, True):
        people.change_person(carol, details_of(carol, is_active=is_active))
    assert computers.find_token(text) is None
    assert refusal_of(exchange, code) == "invalid_grant"


def test_who_was_deactivated_meanwhile_gets_no_token(carol: Person) -> None:
    code = computers.approve_loopback(carol, ASKED)
    Person.objects.filter(pk=carol.pk).update(is_active=False)
    assert refusal_of(exchange, code) == "access_denied"


def test_disconnecting_ends_the_token_and_is_told_once(carol: Person) -> None:
    token, text = token_of(carol)
    computers.end_token(token)
    computers.end_token(token)
    assert computers.find_token(text) is None
    assert AuditEvent.objects.filter(action="computer_disconnected").count() == 1


@pytest.mark.parametrize("text", ["", "x", "tbc_", "tbc_" + "a" * 43, "tbc_" + "é" * 43])
def test_what_is_no_token_is_nobodys(text: str) -> None:
    assert computers.find_token(text) is None


def waiting(codes: computers.DeviceCodes) -> ClientCode:
    code = computers.find_waiting(codes.user_code.replace("-", ""))
    assert code is not None
    return code


def token_of(person: Person) -> tuple[ClientToken, str]:
    issued = computers.exchange_code(computers.approve_loopback(person, ASKED), verifier=VERIFIER, loopback=LOOPBACK)
    return issued.token, issued.text


def details_of(person: Person, *, is_active: bool) -> PersonDetails:
    return PersonDetails(
        first_name=person.first_name,
        last_name=person.last_name,
        portal_role=PortalRole(person.portal_role),
        is_active=is_active,
    )
