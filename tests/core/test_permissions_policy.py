"""A permissions policy of the admin's own: one strict reading, and what every form can carry."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.core.errors import InvalidPermissionsPolicy
from onboarding.core.permissions_policy import parse

READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::exports/*"}


def policy(*statements: dict, **top: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **top}, ensure_ascii=False)


@pytest.mark.parametrize(
    "statement",
    [
        READ,
        {**READ, "Sid": "Read1"},
        {"Effect": "Deny", "NotAction": ["iam:Get*", "s3:*"], "NotResource": "arn:aws:s3:::x"},
        {**READ, "Resource": ["arn:aws:s3:::home/${aws:username}/*", 'arn:aws:s3:::it\'s "quoted" \\ `x` $(y)']},
        {
            **READ,
            "Condition": {"StringLike": {"s3:prefix": ["a/*", "ä"]}, "ForAllValues:StringEquals": {"aws:TagKeys": "x"}},
        },
        {**READ, "Action": "*", "Resource": "arn:aws:s3:::exports"},
    ],
)
def test_what_iam_takes_is_kept_as_it_is(statement):
    assert parse(policy(statement)) == {"Version": "2012-10-17", "Statement": [statement]}


def test_one_statement_without_a_list_becomes_a_list_of_one():
    assert parse(json.dumps({"Version": "2012-10-17", "Statement": READ}))["Statement"] == [READ]


def test_numbers_and_truth_values_become_text():
    found = parse(
        policy(
            {**READ, "Condition": {"Bool": {"aws:SecureTransport": True}, "NumericEquals": {"s3:max-keys": [5, 2.5]}}}
        )
    )
    assert found["Statement"][0]["Condition"] == {
        "Bool": {"aws:SecureTransport": "true"},
        "NumericEquals": {"s3:max-keys": ["5", "2.5"]},
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not_json"),
        ('{"Version": "2012-10-17",}', "not_json"),
        ('{"Version": "2012-10-17", "Version": "2008-10-17", "Statement": []}', "duplicate_key"),
        ("[]", "not_a_policy"),
        ('"x"', "not_a_policy"),
        (policy(), "not_a_policy"),
        (policy(READ, Extra=1), "not_a_policy"),
        ('{"Statement": [1]}', "not_a_policy"),
        (policy(READ, Version="2024-01-01"), "value"),
        (policy(READ, Version=[]), "value"),
        (policy({**READ, "Principal": "*"}), "trust_policy"),
        (policy({**READ, "Fn::If": []}), "element"),
        (policy({**READ, "NotAction": "s3:Get"}), "element"),
        (policy({"Effect": "Allow", "Action": "s3:GetObject"}), "element"),
        (policy({**READ, "Effect": "allow"}), "value"),
        (policy({**READ, "Effect": None}), "value"),
        (policy({**READ, "Sid": "a b"}), "value"),
        (policy({**READ, "Sid": "A"}, {**READ, "Sid": "A"}), "value"),
        (policy({**READ, "Action": "GetObject"}), "value"),
        (policy({**READ, "Action": []}), "value"),
        (policy({**READ, "Action": [["s3:GetObject"]]}), "value"),
        (policy({**READ, "Action": {"Fn::Sub": "s3:GetObject"}}), "value"),
        (policy({**READ, "Resource": "exports"}), "value"),
        (policy({**READ, "Condition": []}), "value"),
        (policy({**READ, "Condition": {"Ref": {"aws:x": "y"}}}), "value"),
        (policy({**READ, "Condition": {"StringEquals": {"Fn::Sub": "x"}}}), "value"),
        (policy({**READ, "Condition": {"StringEquals": {"fn:x": "x"}}}), "value"),
        (policy({**READ, "Condition": {"StringEquals": {"username": "x"}}}), "value"),
        (policy({**READ, "Condition": {"StringEquals": {"aws:x": None}}}), "value"),
        (policy({**READ, "Condition": {"StringEquals": {"aws:x": [["y"]]}}}), "value"),
        (policy({**READ, "Condition": {"StringEquals": {"aws:x": {"Ref": "y"}}}}), "value"),
        (policy({**READ, "Resource": "arn:aws:s3:::{{resolve:ssm:x}}"}), "braces"),
        (policy({**READ, "Resource": "arn:aws:s3:::$${x}"}), "braces"),
        (policy({**READ, "Resource": "arn:aws:s3:::a\nb"}), "character"),
        (policy({**READ, "Resource": "arn:aws:s3:::a\0b"}), "character"),
        (policy({**READ, "Resource": "arn:aws:s3:::\u202eb"}), "character"),
        (policy({**READ, "Resource": "arn:aws:s3:::\u00a0b"}), "character"),
        (policy({**READ, "Resource": "arn:aws:s3:::" + "x" * 10_240}), "too_long"),
        (policy({**READ, "Action": "*", "Resource": "*"}), "administrator"),
        (policy({**READ, "Action": ["s3:*", "*"], "Resource": ["*"]}), "administrator"),
    ],
)
def test_what_iam_or_a_form_would_not_take_is_refused_with_the_reason(text, reason):
    with pytest.raises(InvalidPermissionsPolicy) as refused:
        parse(text)
    assert refused.value.reason == reason


def test_the_line_of_the_slip_is_told():
    text = json.dumps({"Version": "2012-10-17", "Statement": [{**READ, "Effect": "Permit"}]}, indent=2)
    with pytest.raises(InvalidPermissionsPolicy) as refused:
        parse(text)
    assert (refused.value.line, refused.value.found) == (5, "Effect")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["Allow", "s3:*", "*", "arn:x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Statement", "Effect", "Action", "Resource", "Condition", "Null", "aws:x"]), inner
        )
    ),
)


@given(JSON.map(json.dumps) | st.text(max_size=50))
def test_anything_is_understood_or_refused_and_what_is_kept_stays_the_same(text):
    try:
        found = parse(text)
    except InvalidPermissionsPolicy:
        return
    assert parse(json.dumps(found)) == found
