from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.core import probes
from onboarding.core.arns import AccountId, RoleArn
from onboarding.core.identifiers import new_external_id
from onboarding.core.probes import (
    CONTROLS_MUST,
    NEGATIVE,
    Expected,
    OurPolicy,
    Outcome,
    Probe,
    ProbeKind,
    VerdictCode,
    failing_controls,
    judge,
    judge_shut,
    wrong_external_ids,
)

ACCOUNT = AccountId("222233334444")
VALIDATOR = RoleArn.parse("arn:aws:iam::111122223333:role/checks/tobiishi-validator")
ROLE = RoleArn.parse(f"arn:aws:iam::{ACCOUNT}:role/partners/Reader")
OURSELVES = "arn:aws:sts::111122223333:assumed-role/tobiishi-validator/tobiishi-validator"
THEIRS = f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/tobiishi-validator"
EXPECTED = Expected(validator_role=VALIDATOR, role=ROLE, account_id=ACCOUNT)

WELL = {
    ProbeKind.OWN_IDENTITY: (Outcome.ENTERED, "arn:aws:sts::111122223333:assumed-role/worker/i-0a1b"),
    ProbeKind.VALIDATOR_ROLE: (Outcome.ENTERED, OURSELVES),
    ProbeKind.WITH_EXTERNAL_ID: (Outcome.ENTERED, THEIRS),
    **dict.fromkeys(sorted(NEGATIVE - {ProbeKind.AS_STRANGER}), (Outcome.DENIED, "")),
    ProbeKind.ANSWERING_ACCOUNT: (Outcome.ENTERED, THEIRS),
}
SHUT = {ProbeKind.WITH_EXTERNAL_ID: (Outcome.DENIED, "")}


def tried(changes=None, *, without=(), our_policy=None):
    told = {kind: told for kind, told in ({**WELL, **(changes or {})}).items() if kind not in without}
    return [
        Probe(
            kind=kind,
            outcome=outcome,
            answered_arn=arn,
            duration_ms=1,
            error_code="Code" if not arn else "",
            our_policy=(our_policy or {}).get(kind, ""),
        )
        for kind, (outcome, arn) in told.items()
    ]


def judged(changes=None, *, without=(), our_policy=None, **expected):
    return judge(tried(changes, without=without, our_policy=our_policy), replace(EXPECTED, **expected))


def test_open_with_the_id_and_shut_without_it_is_proven():
    assert judged().code is VerdictCode.PROVEN


@pytest.mark.parametrize(
    ("kind", "outcome", "arn", "code"),
    [
        (ProbeKind.VALIDATOR_ROLE, Outcome.ENTERED, "arn:aws:iam::111122223333:user/worker", VerdictCode.OUR_TROUBLE),
        (
            ProbeKind.VALIDATOR_ROLE,
            Outcome.ENTERED,
            OURSELVES.replace("validator/", "validator2/"),
            VerdictCode.OUR_TROUBLE,
        ),
        (ProbeKind.WITH_EXTERNAL_ID, Outcome.DENIED, "", VerdictCode.DENIED),
        (ProbeKind.WITH_EXTERNAL_ID, Outcome.REFUSED_OTHERWISE, "", VerdictCode.REFUSED_OTHERWISE),
        (ProbeKind.ANSWERING_ACCOUNT, Outcome.DENIED, "", VerdictCode.INCONCLUSIVE),
        (ProbeKind.ANSWERING_ACCOUNT, Outcome.ENTERED, THEIRS.replace(ACCOUNT, "9" * 12), VerdictCode.WRONG_ACCOUNT),
        (ProbeKind.ANSWERING_ACCOUNT, Outcome.ENTERED, THEIRS.replace("Reader", "Writer"), VerdictCode.WRONG_ROLE),
        (ProbeKind.ANSWERING_ACCOUNT, Outcome.ENTERED, f"arn:aws:iam::{ACCOUNT}:user/x", VerdictCode.WRONG_ROLE),
        (ProbeKind.WITHOUT_EXTERNAL_ID, Outcome.ENTERED, THEIRS, VerdictCode.OPENS_WITHOUT_EXTERNAL_ID),
        (ProbeKind.WITH_WRONG_EXTERNAL_ID, Outcome.ENTERED, THEIRS, VerdictCode.OPENS_WITH_WRONG_EXTERNAL_ID),
        (ProbeKind.IN_OTHER_CASE, Outcome.ENTERED, THEIRS, VerdictCode.OPENS_WITH_SIMILAR_EXTERNAL_ID),
        (ProbeKind.WITH_PREFIX, Outcome.ENTERED, THEIRS, VerdictCode.OPENS_WITH_SIMILAR_EXTERNAL_ID),
        (ProbeKind.WITH_SUFFIX, Outcome.ENTERED, THEIRS, VerdictCode.OPENS_WITH_SIMILAR_EXTERNAL_ID),
        (ProbeKind.AS_STRANGER, Outcome.ENTERED, THEIRS, VerdictCode.OPENS_TO_STRANGER),
    ],
)
def test_each_deviation_has_its_verdict(kind, outcome, arn, code):
    assert judged({kind: (outcome, arn)}).code is code


@pytest.mark.parametrize("kind", sorted(NEGATIVE))
def test_anything_but_a_denial_of_a_negative_probe_is_inconclusive(kind):
    refused = {kind: (Outcome.REFUSED_OTHERWISE, "")}
    assert judged(refused, has_stranger=True).code is VerdictCode.INCONCLUSIVE


@pytest.mark.parametrize("missing", sorted(NEGATIVE))
def test_a_negative_probe_that_was_not_made_proves_nothing(missing):
    assert judged(without=[missing], has_stranger=True).code is VerdictCode.INCONCLUSIVE


def test_an_opening_is_certain_whatever_else_is_not():
    opened = {
        ProbeKind.WITHOUT_EXTERNAL_ID: (Outcome.ENTERED, THEIRS),
        ProbeKind.WITH_SUFFIX: (Outcome.REFUSED_OTHERWISE, ""),
        ProbeKind.ANSWERING_ACCOUNT: (Outcome.DENIED, ""),
    }
    assert judged(opened, denials_count=False).is_unsafe


def test_while_the_control_roles_do_not_hold_a_denial_shows_nothing():
    verdict = judged(denials_count=False)
    assert (verdict.code, verdict.detail) == (VerdictCode.INCONCLUSIVE, probes.CONTROLS)


def test_a_denial_is_our_own_trouble_where_our_control_role_does_not_open_either():
    assert judged(SHUT, we_can_enter=True).code is VerdictCode.DENIED
    assert judged(SHUT, we_can_enter=False).code is VerdictCode.OUR_TROUBLE


@pytest.mark.parametrize("policy", sorted(set(OurPolicy) - {OurPolicy.NO_IDENTITY}))
@pytest.mark.parametrize("we_can_enter", [None, True])
def test_a_policy_of_our_own_that_denies_is_our_own_trouble(policy, we_can_enter):
    blamed = {ProbeKind.WITH_EXTERNAL_ID: policy}
    verdict = judged(SHUT, our_policy=blamed, we_can_enter=we_can_enter)
    assert (verdict.code, verdict.detail) == (VerdictCode.OUR_TROUBLE, policy)


def test_the_hint_of_a_missing_policy_counts_until_our_control_role_shows_otherwise():
    blamed = {ProbeKind.WITH_EXTERNAL_ID: OurPolicy.NO_IDENTITY}
    assert judged(SHUT, our_policy=blamed).code is VerdictCode.OUR_TROUBLE
    assert judged(SHUT, our_policy=blamed, we_can_enter=True).code is VerdictCode.DENIED


def test_a_negative_probe_that_our_own_policy_denied_is_inconclusive():
    blamed = {ProbeKind.WITH_SUFFIX: OurPolicy.IDENTITY}
    assert judged(our_policy=blamed).code is VerdictCode.INCONCLUSIVE
    assert judged(our_policy={ProbeKind.WITH_SUFFIX: OurPolicy.NO_IDENTITY}).code is VerdictCode.PROVEN


@pytest.mark.parametrize(
    ("with_id", "without", "code"),
    [
        (Outcome.DENIED, Outcome.DENIED, VerdictCode.DENIED),
        (Outcome.DENIED, Outcome.ENTERED, VerdictCode.OPENS_WITHOUT_EXTERNAL_ID),
        (Outcome.DENIED, Outcome.REFUSED_OTHERWISE, VerdictCode.INCONCLUSIVE),
        (Outcome.ENTERED, Outcome.DENIED, VerdictCode.PROVEN),
        (Outcome.REFUSED_OTHERWISE, Outcome.DENIED, VerdictCode.REFUSED_OTHERWISE),
    ],
)
def test_a_door_is_shut_only_where_it_is_denied_with_and_without_the_external_id(with_id, without, code):
    arn = THEIRS if with_id is Outcome.ENTERED else ""
    found = tried({ProbeKind.WITH_EXTERNAL_ID: (with_id, arn), ProbeKind.WITHOUT_EXTERNAL_ID: (without, "")})
    assert judge_shut(found, EXPECTED).code is code


def test_a_door_that_was_not_tried_without_the_external_id_is_not_shown_to_be_shut():
    found = tried(SHUT, without=[ProbeKind.WITHOUT_EXTERNAL_ID])
    assert judge_shut(found, EXPECTED).code is VerdictCode.INCONCLUSIVE


@given(st.builds(new_external_id))
def test_each_wrong_external_id_is_well_formed_differs_from_ours_and_catches_its_mistake(external_id):
    wrong = wrong_external_ids(external_id)
    assert list(wrong) == list(probes.WRONG)
    assert len({external_id, *wrong.values()}) == 5
    another = wrong[ProbeKind.WITH_WRONG_EXTERNAL_ID]
    assert (len(another), another[:4]) == (len(external_id), external_id[:4])
    assert wrong[ProbeKind.IN_OTHER_CASE].lower() == external_id
    assert wrong[ProbeKind.WITH_PREFIX].endswith(external_id)
    assert wrong[ProbeKind.WITH_SUFFIX].startswith(external_id)


@pytest.mark.parametrize("kind", list(CONTROLS_MUST))
def test_a_control_role_that_answers_otherwise_is_named(kind):
    well = [Probe(kind=kind, outcome=outcome, duration_ms=1) for kind, outcome in CONTROLS_MUST.items()]
    assert failing_controls(well) == []
    other = next(outcome for outcome in Outcome if outcome is not CONTROLS_MUST[kind])
    spoilt = [replace(probe, outcome=other) if probe.kind is kind else probe for probe in well]
    assert [probe.kind for probe in failing_controls(spoilt)] == [kind]


def test_a_probe_survives_being_stored():
    probe = Probe(kind=ProbeKind.WITH_EXTERNAL_ID, outcome=Outcome.DENIED, duration_ms=3, error_code="AccessDenied")
    assert Probe.from_json(probe.to_json()) == probe
