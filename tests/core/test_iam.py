"""How IAM decides, held to tables written from its user guide, and to laws that hold for any input."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onboarding.core.iam import Outcome, Request, evaluate, faults
from onboarding.core.iam.conditions import OPERATORS
from onboarding.core.iam.evaluation import statements
from onboarding.core.iam.patterns import matches

VECTORS = Path(__file__).parent.parent / "vectors" / "trust"
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/validator"


def rows(name: str) -> list[Any]:
    return [pytest.param(row, id=row["name"]) for row in json.loads((VECTORS / f"{name}.json").read_text())]


def statement(**elements: object) -> dict[str, object]:
    return {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole", **elements}


def policy(*entries: dict[str, object]) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": list(entries)}


def decide(document: object, **request: Any) -> Outcome:
    return evaluate(document, Request.of_caller(ROLE, **request)).outcome


@pytest.mark.parametrize("row", rows("conditions"))
def test_a_condition_holds_as_the_user_guide_says(row: dict[str, Any]) -> None:
    document = {"Version": row["version"], "Statement": statement(Condition=row["condition"])}

    assert decide(document, context=row["context"]) == row["outcome"]


@pytest.mark.parametrize("row", rows("principals"))
def test_a_principal_names_whom_the_user_guide_says(row: dict[str, Any]) -> None:
    key = "NotPrincipal" if "NotPrincipal" in row else "Principal"
    named = {"Effect": row["effect"], key: row[key], "Action": "sts:AssumeRole"}
    everyone = statement(Principal="*")
    document = policy(named, everyone) if row["effect"] == "Deny" else policy(named)
    request = Request.of_caller(row["caller"], session_name=row["session"])

    assert evaluate(document, request).outcome == row["outcome"]


@pytest.mark.parametrize(
    ("elements", "outcome"),
    [
        ({"Action": "sts:AssumeRole"}, "allowed"),
        ({"Action": ["iam:PassRole", "STS:ASSUMEROLE"]}, "allowed"),
        ({"Action": "sts:*"}, "allowed"),
        ({"Action": "*"}, "allowed"),
        ({"Action": "sts:Assume????"}, "allowed"),
        ({"Action": "sts:Assume???"}, "implicitly_denied"),
        ({"Action": "sts:AssumeRoleWithSAML"}, "implicitly_denied"),
        ({"Action": []}, "implicitly_denied"),
        ({"Effect": "allow"}, "implicitly_denied"),
        ({"Effect": "Deny"}, "explicitly_denied"),
        ({"Condition": {}}, "allowed"),
        ({"Condition": []}, "implicitly_denied"),
        ({"Condition": {"StringEqual": {"a:b": "c"}}}, "implicitly_denied"),
    ],
)
def test_an_element_decides(elements: dict[str, object], outcome: str) -> None:
    assert decide(policy(statement(**elements))) == outcome


def test_not_action_takes_all_but_what_it_names() -> None:
    others = {"Effect": "Allow", "Principal": "*", "NotAction": "iam:*"}

    assert decide(policy(others)) == "allowed"
    assert decide(policy({**others, "NotAction": "sts:Assume*"})) == "implicitly_denied"


def test_all_operators_and_all_keys_must_hold() -> None:
    both = {
        "StringEquals": {"sts:ExternalId": "x", "aws:PrincipalAccount": ACCOUNT},
        "Bool": {"aws:SecureTransport": "true"},
    }

    assert decide(policy(statement(Condition=both)), external_id="x") == "allowed"
    assert (
        decide(policy(statement(Condition={**both, "Null": {"sts:ExternalId": "true"}})), external_id="x")
        == "implicitly_denied"
    )


def test_a_certain_no_outweighs_what_cannot_be_known() -> None:
    condition = {"StringEquals": {"sts:ExternalId": "x"}, "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}

    assert decide(policy(statement(Condition=condition)), external_id="x") == "unknown"
    assert decide(policy(statement(Condition=condition)), external_id="y") == "implicitly_denied"


def test_an_explicit_deny_stands_before_any_allow_wherever_it_is() -> None:
    deny = statement(Effect="Deny")

    assert decide(policy(statement(), deny)) == decide(policy(deny, statement())) == "explicitly_denied"


def test_the_reasons_name_each_element_with_what_was_expected_and_found() -> None:
    document = policy(statement(Condition={"StringEquals": {"sts:ExternalId": "wanted"}}))
    (result,) = evaluate(document, Request.of_caller(ROLE, external_id="sent")).statements

    assert [(check.element, check.holds) for check in result.checks] == [
        ("Principal", True), ("Action", True), ("Condition", False),
    ]  # fmt: skip
    assert result.checks[2].path == ("Statement", 0, "Condition", "StringEquals", "sts:ExternalId")
    assert (list(result.checks[2].wanted), list(result.checks[2].found or ())) == (["wanted"], ["sent"])


def test_a_misspelt_key_of_a_known_kind_is_never_sent_and_a_foreign_one_is_not_known() -> None:
    assert (
        decide(policy(statement(Condition={"StringEquals": {"sts:ExternlId": "x"}})), external_id="x")
        == "implicitly_denied"
    )
    assert decide(policy(statement(Condition={"StringEquals": {"identitystore:UserId": "x"}}))) == "unknown"


# --- Laws -----------------------------------------------------------------------------------------------------------

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(
    ["*", "Allow", "Deny", "sts:AssumeRole", "2012-10-17", ACCOUNT, ROLE, "${aws:PrincipalTag/x}", "${", "a*b?c"]
)  # fmt: skip
_KEYS = st.text(max_size=10) | st.sampled_from(
    ["Version", "Statement", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition", "AWS", "Sid",
     "StringEquals", "ForAllValues:ArnLike", "NotIpAddress", "DateLessThan", "NumericEquals", "BinaryEquals", "Null",
     "sts:ExternalId", "aws:PrincipalArn", "aws:SourceIp"]
)  # fmt: skip
ANY_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=25
)


@given(document=ANY_JSON)
@example(
    document={"Statement": [{"Effect": "Allow", "Principal": {"AWS": 10**5000}, "Condition": {"Bool": {1: 10**5000}}}]}
)
@example(
    document={"Statement": {"Effect": ["Allow"], "Action": {"a": "b"}, "Condition": {"StringEquals": {"a": {"b": 1}}}}}
)
def test_whatever_the_document_there_is_an_answer_with_reasons(document: object) -> None:
    decision = evaluate(
        document, Request.of_caller(ROLE, external_id="x", context={"aws:PrincipalTag/x": [1, None, {}]})
    )

    assert decision.outcome in set(Outcome)
    assert len(decision.statements) == len(list(statements(document)))
    assert all(fault.code for fault in faults(document))


_PATTERN = st.text("ab*?", max_size=8)


@given(value=st.text("ab", max_size=8), pattern=_PATTERN)
def test_wildcards_match_as_their_definition_says(value: str, pattern: str) -> None:
    def by_definition(value: str, pattern: str) -> bool:
        if not pattern:
            return not value
        if pattern[0] == "*":
            return any(by_definition(value[start:], pattern[1:]) for start in range(len(value) + 1))
        return bool(value) and pattern[0] in ("?", value[0]) and by_definition(value[1:], pattern[1:])

    assert matches(value, pattern) == by_definition(value, pattern)


@given(conditions=st.lists(st.sampled_from(["x", "y"]), min_size=1, max_size=4), effects=st.data())
def test_one_more_deny_never_lets_more_in(conditions: list[str], effects: st.DataObject) -> None:
    entries = [
        statement(
            Effect=effects.draw(st.sampled_from(["Allow", "Deny"])), Condition={"StringEquals": {"sts:ExternalId": one}}
        )
        for one in conditions
    ]
    before = decide(policy(*entries), external_id="x")
    after = decide(policy(*entries, statement(Effect="Deny", Principal="*")), external_id="x")

    assert before in {"allowed", "implicitly_denied", "explicitly_denied"}
    assert after == "explicitly_denied"


# --- Every operator -------------------------------------------------------------------------------------------------

_ARN = "arn:aws:iam::111122223333:role/x"
# An operator, a value of the request, a value of the policy for which it holds, and one for which it does not.
_ANSWERS = [
    ("StringEquals", "a", "a", "A"),
    ("StringEqualsIgnoreCase", "a", "A", "b"),
    ("StringLike", "abc", "a?c", "a?"),
    ("StringNotEquals", "a", "A", "a"),
    ("StringNotEqualsIgnoreCase", "a", "b", "A"),
    ("StringNotLike", "abc", "b*", "a*"),
    ("NumericEquals", "7", "7.0", "8"),
    ("NumericNotEquals", "7", "8", "7.0"),
    ("NumericLessThan", "7", "8", "7"),
    ("NumericLessThanEquals", "7", "7", "6"),
    ("NumericGreaterThan", "7", "6", "7"),
    ("NumericGreaterThanEquals", "7", "7", "8"),
    ("DateEquals", "2026-11-24T09:00:00Z", "2026-11-24T10:00:00+01:00", "2026-11-24"),
    ("DateNotEquals", "2026-11-24", "2026-11-25", "2026-11-24T00:00:00Z"),
    ("DateLessThan", "2026-11-24", "2026-11-25", "2026-11-24"),
    ("DateLessThanEquals", "2026-11-24", "2026-11-24", "2026-11-23"),
    ("DateGreaterThan", "2026-11-24", "1700000000", "2026-11-24"),
    ("DateGreaterThanEquals", "2026-11-24", "2026-11-24", "2026-11-25"),
    ("Bool", "true", "TRUE", "false"),
    ("BinaryEquals", "QQ==", "QQ==", "Qg=="),
    ("IpAddress", "192.0.2.7", "192.0.2.0/24", "198.51.100.0/24"),
    ("NotIpAddress", "2001:db8::1", "192.0.2.0/24", "2001:db8::/32"),
    ("ArnEquals", _ARN, "arn:aws:iam::*:role/x", "arn:aws:*:role/x"),
    ("ArnLike", _ARN, "arn:aws:iam::111122223333:role/?", "arn:aws:iam::111122223333:*y"),
    ("ArnNotEquals", _ARN, "arn:aws:iam::111122223333:role/X", _ARN),
    ("ArnNotLike", _ARN, "arn:aws-cn:*:*:*:*", "arn:*:*:*:*:*"),
]
_NEGATED = [name for name in OPERATORS if "Not" in name]


def holds(operator: str, wanted: object, found: object) -> bool:
    condition = {operator: {"aws:PrincipalTag/x": wanted}}
    return decide(policy(statement(Condition=condition)), context={"aws:PrincipalTag/x": found}) == "allowed"


def test_the_table_names_every_operator_but_null() -> None:
    assert {row[0] for row in _ANSWERS} | {"Null"} == set(OPERATORS)


@pytest.mark.parametrize("letters", [str, str.lower, str.upper])
@pytest.mark.parametrize(("operator", "found", "fits", "fits_not"), _ANSWERS, ids=[row[0] for row in _ANSWERS])
def test_an_operator_holds_with_each_prefix_and_suffix_as_its_page_says(
    operator: str, found: str, fits: str, fits_not: str, letters: Any
) -> None:
    for suffix in ("", "IfExists"):
        plain, every, some = (
            letters(f"{prefix}{operator}{suffix}") for prefix in ("", "ForAllValues:", "ForAnyValue:")
        )
        for name in (plain, every, some):
            assert holds(name, fits, found)
            assert holds(name, [fits], [found])
            assert not holds(name, fits_not, found)
        # OR over the values of the policy; a negated operator means none of them.
        assert holds(plain, [fits_not, fits], found) is (operator not in _NEGATED)
        # A key that the request does not carry.
        assert holds(plain, fits, None) is (operator in _NEGATED or bool(suffix))
        assert holds(every, fits, None)
        assert holds(some, fits, None) is bool(suffix)


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "answer"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "d"], False),
        ("ForAllValues:StringNotEquals", ["a"], ["b", "a"], False),
        ("ForAnyValue:StringNotEquals", ["a"], ["b", "a"], True),
        ("ForAllValues:StringEquals", ["a"], [], True),
        ("ForAnyValue:StringEquals", ["a"], [], False),
        ("ForAllValues:StringEquals", ["a"], [""], True),
        ("Null", "true", None, True),
        ("Null", "false", None, False),
        ("Null", True, "x", False),
        ("Null", False, "x", True),
    ],
)
def test_sets_and_absence_are_taken_as_their_pages_say(
    operator: str, wanted: object, found: object, answer: bool
) -> None:
    assert holds(operator, wanted, found) is answer


@pytest.mark.parametrize("operator", OPERATORS)
def test_what_cannot_be_known_is_unknown_under_every_operator(operator: str) -> None:
    assert decide(policy(statement(Condition={operator: {"aws:PrincipalTag/x": "7"}}))) == "unknown"
