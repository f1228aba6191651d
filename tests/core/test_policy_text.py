"""JSON as people paste it: read with positions, its slips named and cured."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.core.policy_text import (
    MAX_DEPTH,
    Slip,
    indented,
    json_path,
    mended,
    minified_length,
    read,
    read_outline,
)

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(value=_JSON, indent=st.sampled_from([None, 0, 2]), ascii_only=st.booleans())
def test_it_reads_what_json_reads(value: object, indent: int | None, ascii_only: bool) -> None:
    reading = read(json.dumps(value, indent=indent, ensure_ascii=ascii_only))

    assert reading.problem is None
    assert reading.value == value


@given(text=st.text('{}[]",:0-9.tfn\\ua\u201c/*# \n', max_size=16))
def test_it_accepts_what_json_accepts_and_nothing_else(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        assert read(text).problem
    else:
        assert read(text).problem is None
        assert read(text).value == expected


@given(text=st.text(max_size=60))
def test_it_never_raises(text: str) -> None:
    reading = read(text)
    assert (reading.problem is None) or reading.value is None
    mended(text)


@pytest.mark.parametrize(
    ("text", "slip", "line", "column"),
    [
        ("", Slip.EMPTY, 1, 1),
        ('{"a": 1,\n}', Slip.TRAILING_COMMA, 1, 8),
        ('{\n "a" : “x”}', Slip.SMART_QUOTES, 2, 8),
        ("{'a': 1}", Slip.SINGLE_QUOTES, 1, 2),
        ('{"a": 1 # x\n}', Slip.COMMENT, 1, 9),
        ('{"a": [1, 2}', Slip.MISSING_BRACE, 1, 12),
        ('{"a": 1', Slip.MISSING_BRACE, 1, 8),
        ('{"a": 1}\n}', Slip.EXTRA_BRACE, 2, 1),
        ('{"a": 1}\n"b"', Slip.TEXT_AFTER_THE_END, 2, 1),
        ('{"a": 1 "b": 2}', Slip.MISSING_COMMA, 1, 9),
        ('{"a": "x\n"}', Slip.BROKEN_STRING, 1, 7),
        ('{"a": tru}', Slip.UNEXPECTED, 1, 7),
        ("]", Slip.EXTRA_BRACE, 1, 1),
    ],
)
def test_a_slip_is_named_where_it_is(text: str, slip: Slip, line: int, column: int) -> None:
    reading = read(text)

    assert reading.problem
    assert reading.problem.slip is slip
    assert reading.line_and_column(reading.problem.offset) == (line, column)


@pytest.mark.parametrize(
    "text",
    ["{“a”: 1}", "{'a': 1}", '{"a": 1,}', '{"a": 1 /* x */}', '{"a": 1', '{"a": [1}', '{"a": 1 // x\n}'],
)
def test_slips_with_one_cure_are_mended(text: str) -> None:
    reading = mended(text)

    assert reading
    assert reading.value in ({"a": 1}, {"a": [1]})


def test_equal_keys_are_told_and_elements_keep_their_lines() -> None:
    reading = read('{\n "a": 1,\n "b": [\n  "x",\n  "y"\n ],\n "a": 2\n}')

    assert reading.duplicates == (("a",),)
    assert [reading.line(path) for path in [("b",), ("b", 1), ("b", 9), ()]] == [3, 5, 3, 1]


def test_what_is_nested_too_deeply_is_left_out_and_the_rest_is_read() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    reading = read_outline(f'{{"deep": {deep}, "after": 1}}')

    assert reading.problem
    assert reading.problem.slip is Slip.TOO_DEEP
    assert isinstance(reading.value, dict)
    assert reading.value["after"] == 1
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH).problem is None


def test_a_lone_surrogate_and_huge_numbers_are_read() -> None:
    reading = read('{"a": "\\ud800", "b": 1e999999999999, "c": ' + "9" * 10_000 + "}")

    assert reading.problem is None
    assert reading.illegal_characters == (("a",),)


@given(value=_JSON)
def test_indented_text_has_the_same_meaning_and_the_lines_of_json_dumps(value: object) -> None:
    assert indented(json.dumps(value)) == json.dumps(value, indent=2)
    assert minified_length(json.dumps(value, indent=2)) == len(json.dumps(value, separators=(",", ":")))


def test_a_path_is_written_as_jsonpath() -> None:
    assert json_path(("Statement", 0, "Condition", "StringEquals", "sts:ExternalId")) == (
        "$.Statement[0].Condition.StringEquals['sts:ExternalId']"
    )
    assert json_path(("it's",)) == "$['it\\'s']"
