"""Every code has its sentence."""

import pytest

from onboarding import messages
from onboarding.core.arns import RoleArn
from onboarding.core.errors import InvalidRoleArn, OnboardingError
from onboarding.core.probes import VerdictCode
from onboarding.core.states import State
from onboarding.models import Validation
from tests.factories import make_returned_role, make_role


def leaves(error=OnboardingError):
    return {error, *(leaf for child in error.__subclasses__() for leaf in leaves(child))} - {OnboardingError}


def test_every_error_has_its_sentence():
    assert leaves() == set(messages._SENTENCES)


@pytest.mark.parametrize("reason", sorted(messages._ARN_REASONS))
def test_every_reason_to_refuse_an_arn_has_its_own_sentence(reason):
    sentence = messages.sentence(InvalidRoleArn(reason, "x"))
    assert sentence.endswith(".")
    assert sum(str(other) == sentence for other in messages._ARN_REASONS.values()) == 1


def test_the_reasons_are_those_that_the_parser_gives():
    told = RoleArn.parse.__doc__.split("one of:")[1].split(".")[0]
    documented = {word.strip(" `\n,") for word in told.split(",")}
    assert documented | {"not_an_sso_role"} == set(messages._ARN_REASONS)


@pytest.mark.django_db
@pytest.mark.parametrize("code", VerdictCode)
@pytest.mark.parametrize("state", State)
def test_every_verdict_is_explained_in_every_state(code, state):
    role = make_returned_role()
    role.state = state
    told = messages.explain(role, Validation(external_role=role, verdict=code, detail="999999999999"))
    assert told.happened.endswith(".")
    assert told.tone in {"ok", "warn", "bad", "wait"}


@pytest.mark.django_db
def test_a_role_without_a_verdict_waits_for_us():
    assert messages.explain(make_returned_role(), None).turn is messages.Turn.US
    assert messages.explain(make_role(), None).turn is messages.Turn.US
