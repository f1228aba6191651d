import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.core import identifiers
from onboarding.core.errors import IllegalName, InvalidTags


def test_external_ids_are_random_legal_and_hold_a_letter():
    made = {identifiers.new_external_id() for _ in range(200)}
    assert len(made) == 200
    for external_id in made:
        assert identifiers.parse_external_id(external_id) == external_id
        assert external_id.removeprefix("tbi-").upper() != external_id.removeprefix("tbi-")


def test_a_link_token_has_256_bits_and_only_its_digest_can_be_stored():
    token = identifiers.new_link_token()
    assert len(token) == 43
    assert re.fullmatch(r"[0-9a-f]{64}", identifiers.token_digest(token))


@given(st.text(min_size=1, max_size=120))
def test_a_session_name_is_legal_whatever_the_address(address):
    assert re.fullmatch(r"[A-Za-z0-9_+=,.@-]{2,64}", identifiers.role_session_name(address))


def test_a_plain_address_is_its_own_session_name():
    assert identifiers.role_session_name("carol.chen+aws@hoshino.example") == "carol.chen+aws@hoshino.example"


def test_addresses_that_become_alike_stay_apart():
    names = {identifiers.role_session_name(f"carol{sign}x@hoshino.example") for sign in "/!&'"}
    assert len(names) == 4


@pytest.mark.parametrize(
    ("text", "slug"), [("Cedar & Pine", "cedar-pine"), ("Ōstrava", "ostrava"), ("星野商事", ""), ("--a--", "a")]
)
def test_slugs_keep_what_ascii_can_say(text, slug):
    assert identifiers.slug(text) == slug


def test_suggestions_are_legal():
    assert identifiers.suggested_role_name("Hoshino Trading", "Willow Logistics") == "HoshinoWillow"
    assert identifiers.suggested_role_name("星野商事", "楓") == "PartnerAccess"


@pytest.mark.parametrize(
    ("parse", "bad"),
    [
        (identifiers.parse_name_prefix, ["", "-a", "_a", "a b", "a]", "a\nb", "ä", "x" * 17]),
        (identifiers.parse_profile_name, ["", "a b", "a]", "a\nb", "ä", "x" * 65]),
        (identifiers.parse_permission_set_name, ["", "a/b", "x" * 33]),
        (identifiers.parse_region, ["", "Tokyo", "ap-northeast-1; rm", "ap-northeast-１"]),
        (identifiers.parse_external_id, ["x", "a b", "a\nb", "ä" * 3]),
    ],
)
def test_what_a_grammar_does_not_know_is_refused(parse, bad):
    for text in bad:
        with pytest.raises(IllegalName):
            parse(text)


@pytest.mark.parametrize(
    ("typed", "tags"),
    [
        ("", {}),
        ("team=data", {"team": "data"}),
        ("\n team = Data and ML \r\n\r\ncost-center=a=b\n", {"team": "Data and ML", "cost-center": "a=b"}),
        ("empty=", {"empty": ""}),
    ],
)
def test_tags_stand_one_on_a_line(typed, tags):
    assert identifiers.parse_tags(typed) == tags
    assert identifiers.parse_tags("\n".join(identifiers.tag_lines(tags))) == tags


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("team", "no_equals_sign"),
        ("=x", "key"),
        ("aws:x=y", "key"),
        ("AWS:x=y", "key"),
        ("a'b=c", "key"),
        ("a,b=c", "key"),
        ("x" * 129 + "=y", "key"),
        ("a=$(id)", "value"),
        ("a=${b}", "value"),
        ("a=b\0c", "value"),
        ("a=\u202ec", "value"),
        ("a=\x0bc", "value"),
        ("a=" + "x" * 257, "value"),
        ("Team=a\nteam=b", "twice"),
        ("\n".join(f"t{number}=x" for number in range(51)), "too_many"),
    ],
)
def test_what_is_no_tag_is_refused_with_the_reason(typed, reason):
    with pytest.raises(InvalidTags) as refused:
        identifiers.parse_tags(typed)
    assert refused.value.reason == reason
