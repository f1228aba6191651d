"""The verdict as it arrives: what is told while the check runs, after it, and when it could not run."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from kombu.exceptions import OperationalError

from onboarding.core.probes import Outcome
from onboarding.core.states import State
from onboarding.models import ExternalRole, Trigger, Validation
from onboarding.services import offboarding, validation
from tests.factories import Door, check, give_up, make_checked_role, make_returned_role, make_role
from tests.views.partner_pages import arn_of, of_role, open_link, page, paste

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def fragment(client, invitation, role, seen: str = ""):
    return client.get(of_role("verdict", invitation, role), {"seen": seen}, headers=HTMX)


def seen_in(html: str) -> str:
    found = re.search(r"\?seen=([^\"]+)\"", html)
    assert found
    return found[1]


def test_before_anything_is_returned_there_is_no_verdict(client):
    role = make_role()
    assert "verdict-" not in client.get(page(open_link(client, role))).text


def test_while_the_check_runs_the_page_looks_again_by_itself_and_stops_with_the_verdict(client):
    role = make_returned_role()
    invitation = open_link(client, role)
    waiting = client.get(page(invitation)).text
    assert "Saved. The check waits for its turn." in words(waiting)
    assert 'hx-trigger="every 2s"' in waiting
    assert fragment(client, invitation, role, seen_in(waiting)).status_code == 204
    Validation.objects.update(started_at=timezone.now())
    trying = fragment(client, invitation, role, seen_in(waiting)).text
    assert "Trying the door now." in words(trying)
    Validation.objects.update(started_at=None)
    check(role, Door())
    told = fragment(client, invitation, role, seen_in(trying)).text
    assert "It opens for Hoshino Trading, and only with the external ID." in words(told)
    assert "hx-get" not in told


def test_a_check_that_ends_while_the_page_is_made_is_shown_or_still_looked_for(client):
    role = make_returned_role()
    invitation = open_link(client, role)
    told = after_the_first_read_of_validations(
        lambda: client.get(page(invitation)).text, meanwhile=lambda: check(role, Door())
    )
    assert "It opens for Hoshino Trading, and only with the external ID." in words(told) or "hx-get" in told


def after_the_first_read_of_validations(make, *, meanwhile):
    """What `make` gives where `meanwhile` happens right after its first read of that table."""
    happened = []

    def wrapper(execute, sql, *arguments):
        answer = execute(sql, *arguments)
        if sql.startswith("SELECT") and 'FROM "onboarding_validation"' in sql and not happened:
            happened.append(True)
            meanwhile()
        return answer

    with connection.execute_wrapper(wrapper):
        made = make()
    assert happened
    return made


def test_a_proven_role_is_shown_with_its_probes_and_thanks(client):
    role = make_checked_role()
    text = words(client.get(page(open_link(client, role))).text)
    for told in (
        "It opens for us with the external ID entered, 100 ms",
        f"The role is in your account {role.account.number.grouped}",
        "It stays shut without the external ID refused, 100 ms",
        "It stays shut with a wrong one refused, 100 ms",
        "Nothing more to do. Thank you.",
        "6f1c0d52-8a3e-4b7f-9c21-0e5d7b1a44f0",
    ):
        assert told in text
    assert text.count("Thank you") == 1


@pytest.mark.parametrize(
    ("door", "told"),
    [
        (Door(without=Outcome.ENTERED), "The role opens without the external ID"),
        (Door(with_wrong=Outcome.ENTERED), "The role opens with a wrong external ID"),
        (Door(account="999999999999"), "Another account answered"),
    ],
)
def test_a_role_that_does_not_hold_says_why_whose_turn_it_is_and_what_to_do(client, door, told):
    role = make_checked_role(door=door)
    html = client.get(page(open_link(client, role))).text
    assert told in words(html)
    assert "Whose turn Yours" in words(html)
    assert "is-bad" in html
    assert 'class="rem' in html or "Return the ARN" in html


def test_a_denial_is_not_yet_there_and_looked_at_again_more_slowly(client):
    role = make_checked_role(door=Door(with_external_id=Outcome.DENIED))
    assert role.state == State.NOT_YET
    html = client.get(page(open_link(client, role))).text
    assert "AWS does not let us in yet" in words(html)
    assert 'hx-trigger="every 6s"' in html
    assert "is-bad" not in html


def test_a_denial_that_lasts_lists_likely_causes(client):
    role = make_checked_role(door=Door(with_external_id=Outcome.DENIED))
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        check(role, Door(with_external_id=Outcome.DENIED))
        html = client.get(page(open_link(client, role))).text
    assert "AWS denied us the role, with the right external ID." in words(html)
    assert f"Compare the external ID in the trust policy with {role.external_id}" in words(html)


def test_trouble_on_our_side_tells_no_stranger_what_it_was(client):
    role = make_returned_role()
    give_up(role)
    text = words(client.get(page(open_link(client, role))).text)
    assert "We could not check, for a reason on our own side." in text
    assert "ExpiredToken" not in text
    assert "Whose turn Hoshino Trading" in text


def test_an_earlier_verdict_stays_while_a_new_check_runs(client):
    role = make_checked_role()
    validation.request_validation(role, trigger=Trigger.SCHEDULE)
    html = client.get(page(open_link(client, role))).text
    assert "Checking again." in words(html)
    assert "It opens for Hoshino Trading" in words(html)


def test_a_broker_that_is_down_loses_nothing_and_the_page_says_that_the_check_waits(
    client, monkeypatch, django_capture_on_commit_callbacks
):
    def unreachable(*_arguments, **_options):
        raise OperationalError

    role = make_role()
    invitation = open_link(client, role)
    monkeypatch.setattr("celery.current_app.send_task", unreachable)
    with django_capture_on_commit_callbacks(execute=True) as queued:
        assert paste(client, invitation, role, arn_of(role)).status_code == 302
    assert len(queued) == 1
    assert ExternalRole.objects.get().role_arn == arn_of(role)
    assert "The check waits for its turn" in words(client.get(page(invitation)).text)
    with time_machine.travel(timezone.now() + timedelta(seconds=11)):
        assert "takes longer than usual. Your ARN is saved" in words(client.get(page(invitation)).text)


def test_the_partner_asks_for_a_check_at_most_once_in_ten_seconds(client):
    role = make_checked_role()
    invitation = open_link(client, role)
    again = of_role("check", invitation, role)
    refused = client.post(again)
    assert "This was checked a moment ago" in words(refused.text)
    assert "This was checked a moment ago" in words(client.post(again, headers=HTMX).text)
    with time_machine.travel(timezone.now() + timedelta(seconds=11)):
        assert client.post(again).status_code == 302
        assert client.post(again).status_code == 302
    assert [row.trigger for row in Validation.objects.filter(finished_at=None)] == [Trigger.PARTNER]
    assert Validation.objects.count() == 2


def test_a_role_that_was_not_returned_cannot_be_checked(client):
    role = make_role()
    invitation = open_link(client, role)
    assert client.post(of_role("check", invitation, role)).status_code == 200
    assert client.post(of_role("check", invitation, role), headers=HTMX).status_code == 204
    assert fragment(client, invitation, role).status_code == 204
    assert not Validation.objects.exists()


def test_without_script_a_link_leads_back_to_the_verdict(client):
    role = make_returned_role()
    invitation = open_link(client, role)
    address = of_role("verdict", invitation, role)
    assert f'<noscript><p class="small"><a href="{address}">' in client.get(page(invitation)).text
    assert client.get(address)["Location"] == f"{page(invitation)}#return-{role.uuid}"


def test_when_the_work_has_ended_the_partner_is_told_to_shut_the_door(client, alice):
    role = make_checked_role()
    invitation = open_link(client, role)
    offboarding.retire_role(role, by=alice)
    text = words(client.get(page(invitation)).text)
    assert f"Please remove {role.role_name}" in text
    assert "Choose Delete and confirm." in text
    assert "Paste the role ARN" not in text


def test_a_suspended_role_is_said_to_be_paused(client, alice):
    role = make_checked_role()
    invitation = open_link(client, role)
    offboarding.suspend_role(role, by=alice)
    html = client.get(page(invitation)).text
    assert "We have paused this role." in words(html)
    assert "Check again" not in html


def test_while_the_first_check_runs_the_page_says_what_is_tried(client):
    role = make_returned_role()
    text = words(client.get(page(open_link(client, role))).text)
    for told in (
        "With the external ID: it has to open",
        "Whose account answers: it has to be yours",
        "Without the external ID: it has to stay shut",
        "With a wrong external ID: it has to stay shut",
    ):
        assert told in text


def test_while_iam_propagates_the_page_says_since_when_it_is_tried_and_when_it_is_again(client):
    role = make_checked_role(door=Door(with_external_id=Outcome.DENIED))
    invitation = open_link(client, role)
    text = words(client.get(page(invitation)).text)
    assert "AWS does not let us in yet." in text
    assert "Whose turn Nobody’s" in text
    assert "Tried since just now" in text
    assert "by itself" in text
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        check(role, Door(with_external_id=Outcome.DENIED))
        assert "Tried since 1 min ago" in words(client.get(page(invitation)).text)
