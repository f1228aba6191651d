"""Each row runs, at a tiny size, and has the shape that `--json` prints; nothing here looks at the clock."""

import json

import pytest

from benchmarks import configs, sts_stand_in, sweeps, trust, validations
from benchmarks.__main__ import table
from benchmarks.measure import Row, medians
from benchmarks.servers import postgres_is_there
from onboarding.core.iam import Outcome


@pytest.mark.parametrize(
    "row",
    [
        lambda: configs.rendering(profiles=5, repetitions=1),
        lambda: configs.growth_of_rendering(profiles=2, repetitions=1),
        lambda: configs.growth_of_merging(profiles=2, repetitions=1),
        lambda: configs.writing(profiles=3, repetitions=1),
        lambda: trust.deciding(rounds=1, repetitions=1),
        lambda: trust.one_decision(rounds=1, repetitions=1),
        lambda: validations.validating(validations=2, repetitions=1),
    ],
    ids=["rendering", "growth of rendering", "growth of merging", "writing", "deciding", "one decision", "validating"],
)
def test_a_row_has_its_figures(row) -> None:  # type: ignore[no-untyped-def]
    told = row().to_json()
    assert list(told) == ["name", "ours", "other", "other_is", "ratio", "goal", "holds"]
    assert told["ours"] >= 0
    assert told["other"] > 0
    assert json.loads(json.dumps(told)) == told


def test_both_evaluators_answer_alike_on_what_they_are_measured_with() -> None:
    found = list(trust.policies())
    assert [outcome is Outcome.ALLOWED for outcome in trust.ours(found)] == trust.ministacks(found)


@pytest.mark.skipif(not postgres_is_there(), reason="PostgreSQL's programs are not on this machine")
@pytest.mark.parametrize(
    "rows",
    [
        lambda: sweeps.sweeping(latency_ms=0, roles=4, repetitions=1),
        lambda: [sweeps.queueing(roles=4, repetitions=1)],
        lambda: [sweeps.growing(roles=2, times=2)],
    ],
    ids=["sweeping", "queueing", "growing"],
)
def test_a_row_of_the_sweep_has_its_figures(rows) -> None:  # type: ignore[no-untyped-def]
    for row in rows():
        assert row.ours > 0
        assert row.other > 0


def test_a_goal_holds_up_to_its_ratio() -> None:
    row = Row(name="a", ours=1, other=2, other_is="b", goal=0.5)
    assert row.holds
    assert not Row(name="a", ours=1.01, other=2, other_is="b", goal=0.5).holds


def test_both_sides_run_in_turn_and_their_medians_count() -> None:
    order = []
    figures = {"ours": [3.0, 1.0, 2.0], "other": [9.0, 7.0, 8.0]}

    def take(side: str) -> float:
        order.append(side)
        return figures[side].pop()

    assert medians(lambda: take("ours"), lambda: take("other"), repetitions=3) == {"ours": 2.0, "other": 8.0}
    assert order == ["ours", "other"] * 3


def test_the_table_names_a_goal_that_fails() -> None:
    rows = [
        Row(name="slow", ours=3, other=2, other_is="b", goal=1),
        Row(name="quick", ours=1, other=2, other_is="b", goal=1),
    ]
    slow, quick = table(rows).splitlines()[1:]
    assert "FAILS" in slow
    assert "holds" in quick


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"ExternalId": "bench-Reader"}, "200 OK"),
        ({"ExternalId": "bench-Writer"}, "403 Forbidden"),
        ({}, "403 Forbidden"),
        ({"ExternalId": "bench-Reader", "RoleArn": "arn:aws:iam::1:role/Reader"}, "403 Forbidden"),
    ],
)
def test_the_stand_in_opens_for_the_right_external_id_alone(parameters: dict[str, str], status: str) -> None:
    usual = {"Action": "AssumeRole", "RoleArn": "arn:aws:iam::222233334444:role/Reader", "RoleSessionName": "me"}
    assert sts_stand_in.answer({**usual, **parameters}, "").status == status
