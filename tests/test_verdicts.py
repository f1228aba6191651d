"""What STS answered and what the trust policy says, told together: each with its own certainty."""

from datetime import timedelta

import pytest
from django.utils import timezone

from onboarding import verdicts
from onboarding.core.probes import Outcome
from onboarding.core.states import State
from onboarding.core.trust import policy_text
from onboarding.messages import explain
from onboarding.models import ExternalRole, TrustReading
from onboarding.services import diagnosis
from tests.factories import Door, make_checked_role

pytestmark = pytest.mark.django_db
DENIED = Door(with_external_id=Outcome.DENIED)
OPEN = Door(without=Outcome.ENTERED)


def refused_role(door: Door = DENIED, state: State = State.REFUSED) -> ExternalRole:
    role = make_checked_role(door=door)
    role.state = state
    return role


def asked_for(role, **replaced: str) -> str:
    text = policy_text(role.trust_policy)
    for old, new in replaced.items():
        text = text.replace(getattr(role, old), new)
    return text


def wrong_id(role) -> str:
    return asked_for(role, external_id="acme-1")


def without_id(role) -> str:
    document = role.trust_policy
    del document["Statement"][0]["Condition"]["StringEquals"]
    return policy_text(document)


def with_network(role) -> str:
    document = role.trust_policy
    document["Statement"][0]["Condition"]["IpAddress"] = {"aws:SourceIp": "192.0.2.0/24"}
    return policy_text(document)


def without_employees(role) -> str:
    document = role.trust_policy
    document["Statement"][0]["Condition"]["ArnLike"]["aws:PrincipalArn"].pop(0)
    return policy_text(document)


def told_of(role, text: str):
    """What is told without the policy, and with it."""
    diagnosis.check_pasted(role, text)
    last = role.validations.get()
    return explain(role, last), verdicts.explain(role, last, diagnosis.latest(role))


def test_a_denial_and_a_policy_together_name_the_cause():
    alone, both = told_of(role := refused_role(), wrong_id(role))
    assert both.happened.startswith(alone.happened)
    assert "acme-1" in both.happened
    assert both.remedy == (f"Set sts:ExternalId to {role.external_id}.",)
    assert "says the trust policy that was pasted" in both.certain


def test_without_a_policy_likely_causes_are_listed_and_none_is_claimed():
    role = refused_role()
    told = verdicts.explain(role, role.validations.get(), diagnosis.latest(role))
    assert "AWS does not say why" in told.certain
    assert len(told.remedy) == 4


def test_a_denial_with_a_policy_that_lets_us_in_points_elsewhere():
    _, both = told_of(role := refused_role(), asked_for(role))
    assert "elsewhere" in both.certain
    assert "saved" in both.remedy[0]


def test_a_condition_that_cannot_be_known_is_called_a_possible_cause():
    _, both = told_of(role := refused_role(), with_network(role))
    assert "why is not" in both.certain
    assert "192.0.2.0/24" in both.happened


def test_a_policy_that_stops_employees_alone_is_not_why_our_check_was_denied():
    alone, both = told_of(role := refused_role(), without_employees(role))
    assert both.happened == alone.happened
    assert "elsewhere" in both.certain
    assert any("AWSReservedSSO" in line for line in both.remedy)


def test_a_fresh_role_need_not_wait_for_a_cause_that_the_policy_tells():
    alone, both = told_of(role := refused_role(state=State.NOT_YET), wrong_id(role))
    assert (alone.tone, both.tone) == ("wait", "bad")
    assert "acme-1" in both.happened


@pytest.mark.parametrize("text", [asked_for, with_network])
def test_a_fresh_role_whose_policy_may_be_right_waits_on(text):
    alone, both = told_of(role := refused_role(state=State.NOT_YET), text(role))
    assert both == alone


def test_an_open_door_and_its_policy_say_the_same():
    alone, both = told_of(role := refused_role(OPEN, State.UNSAFE), without_id(role))
    assert both.happened == alone.happened
    assert "says the same" in both.certain
    assert both.remedy[-1] == "No reply is needed: we check again by ourselves."


def test_an_open_door_whose_policy_says_more_is_told_more_of():
    door = Door(with_wrong=Outcome.ENTERED)
    _, both = told_of(role := refused_role(door, State.UNSAFE), asked_for(role).replace("StringEquals", "StringLike"))
    assert "says the same" not in both.certain
    wide = asked_for(role, external_id="*").replace("StringEquals", "StringLike")
    diagnosis.check_pasted(role, wide)
    both = verdicts.explain(role, role.validations.get(), diagnosis.latest(role))
    assert both.happened.endswith("The condition takes more than one external ID: *.")


def test_an_open_door_with_a_healthy_paste_means_that_another_policy_is_saved():
    alone, both = told_of(role := refused_role(OPEN, State.UNSAFE), asked_for(role))
    assert "another one was saved" in both.certain
    assert both.remedy == alone.remedy


def test_a_proven_role_is_not_explained_by_a_paste():
    alone, both = told_of(role := make_checked_role(), wrong_id(role))
    assert both == alone


def test_a_proven_role_whose_saved_policy_stops_employees_is_said_to():
    role = make_checked_role()
    diagnosis.keep_saved(role, without_employees(role), at=timezone.now())
    told = verdicts.explain(role, role.validations.get(), diagnosis.latest(role))
    assert told.tone == "warn"
    assert "the probes" in told.certain or "probes cannot try" in told.certain


def test_a_proven_role_with_a_healthy_saved_policy_is_simply_proven():
    role = make_checked_role()
    diagnosis.keep_saved(role, asked_for(role), at=timezone.now())
    last = role.validations.get()
    assert verdicts.explain(role, last, diagnosis.latest(role)) == explain(role, last)


def test_a_paste_that_the_door_has_outlived_explains_nothing():
    role = refused_role()
    role.last_proven_at = timezone.now()
    alone, _ = told_of(role, wrong_id(role))
    TrustReading.objects.update(read_at=timezone.now() - timedelta(days=1))
    assert verdicts.explain(role, role.validations.get(), diagnosis.latest(role)) == alone


@pytest.mark.parametrize("state", [State.SUSPENDED, State.RETIRING, State.RETIRED])
def test_a_role_that_is_not_checked_is_told_by_its_state(state):
    alone, both = told_of(role := refused_role(state=state), wrong_id(role))
    assert both == alone
