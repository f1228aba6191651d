"""A person's choices: what they change in the config, and what they leave alone."""

import pytest
from django.utils import timezone

from onboarding.core.awsconfig import OutputFormat
from onboarding.models import ExternalRole, Person, ProfileChoice
from onboarding.services import access
from onboarding.services.choices import Choices, Wish, choices_of, choose
from onboarding.services.config import ConfigSnippet, config_snippet
from tests.factories import make_checked_role, make_grant, make_role

pytestmark = pytest.mark.django_db


@pytest.fixture
def willow(carol: Person) -> ExternalRole:
    return granted(carol, "willow")


@pytest.fixture
def cedar(carol: Person) -> ExternalRole:
    return granted(carol, "cedar")


def granted(person: Person, profile_name: str) -> ExternalRole:
    role = make_checked_role(make_role(profile_name=profile_name))
    make_grant(role, person)
    return role


def snippet_of(person: Person) -> ConfigSnippet:
    return config_snippet(person, access.entitled_roles(person, at=timezone.now()))


def names(person: Person) -> list[str]:
    return [profile.name for profile in snippet_of(person).config.partners]


def test_without_choices_everything_is_as_the_admins_set_it(carol, willow):
    assert choices_of(carol) == Choices()
    (profile,) = snippet_of(carol).config.partners
    assert (profile.name, profile.region) == ("willow", "ap-northeast-1")


def test_what_is_chosen_is_kept_and_stands_in_the_config(carol, willow, cedar):
    wishes = {willow.pk: Wish(is_taken=True, region="eu-west-1"), cedar.pk: Wish(is_taken=False)}
    chosen = Choices(output=OutputFormat.YAML, name_prefix="ht-", is_short_set=True, wishes=wishes)
    choose(carol, chosen, seen=[willow, cedar])
    assert choices_of(carol) == chosen
    snippet = snippet_of(carol)
    assert list(snippet.section_texts) == ["sso-session hoshino", "profile ht-hoshino-bastion", "profile ht-willow"]
    assert snippet.config.partners[0].region == "eu-west-1"
    assert snippet.config.partners[0].source_profile == "ht-hoshino-bastion"
    assert snippet.text.count("output = yaml\n") == 2


def test_a_full_set_takes_in_what_is_granted_later(carol, willow):
    choose(carol, Choices(), seen=[willow])
    granted(carol, "cedar")
    assert names(carol) == ["cedar", "willow"]


def test_a_short_set_waits_for_a_tick_and_keeps_what_it_held(carol, willow, cedar):
    choose(carol, Choices(is_short_set=True), seen=[willow, cedar])
    granted(carol, "birch")
    assert names(carol) == ["cedar", "willow"]


def test_what_was_left_out_stays_out_in_the_full_set_too(carol, willow, cedar):
    choose(carol, Choices(wishes={willow.pk: Wish(is_taken=False)}), seen=[willow, cedar])
    choose(carol, Choices(name_prefix="x"), seen=[willow, cedar])
    assert names(carol) == ["xcedar"]


def test_a_region_that_is_the_roles_own_follows_it(carol, willow):
    choose(carol, Choices(wishes={willow.pk: Wish(is_taken=True, region=willow.region)}), seen=[willow])
    ExternalRole.objects.filter(pk=willow.pk).update(region="us-east-1")
    assert snippet_of(carol).config.partners[0].region == "us-east-1"


def test_choices_are_each_persons_own(carol, dave, willow):
    make_grant(willow, dave)
    choose(carol, Choices(name_prefix="mine-", wishes={willow.pk: Wish(is_taken=False)}), seen=[willow])
    assert names(dave) == ["willow"]
    assert ProfileChoice.objects.filter(person=dave).count() == 0


def test_a_prefix_that_makes_a_name_too_long_keeps_the_names_apart(carol):
    for ending in "ab":
        granted(carol, "x" * 63 + ending)
    choose(carol, Choices(name_prefix="hoshino-"), seen=[])
    assert len(set(names(carol))) == 2
    assert all(len(name) == 64 for name in names(carol))


def test_the_config_costs_as_many_queries_for_many_roles_as_for_few(carol, willow, django_assert_num_queries):
    def ask() -> None:
        with django_assert_num_queries(4):
            snippet_of(carol)

    ask()
    for number in range(3):
        granted(carol, f"more-{number}")
    ask()
