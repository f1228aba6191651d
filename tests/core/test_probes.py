import pytest

from onboarding.core.arns import AccountId, RoleArn
from onboarding.core.probes import Outcome, Probe, ProbeKind, VerdictCode, judge

ACCOUNT = AccountId("222233334444")
VALIDATOR = RoleArn.parse("arn:aws:iam::111122223333:role/checks/tobiishi-validator")
OURSELVES = "arn:aws:sts::111122223333:assumed-role/tobiishi-validator/tobiishi-validator"
THEIRS = f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/tobiishi-validator"

WELL = {
    ProbeKind.OWN_IDENTITY: (Outcome.ENTERED, OURSELVES),
    ProbeKind.WITH_EXTERNAL_ID: (Outcome.ENTERED, THEIRS),
    ProbeKind.ANSWERING_ACCOUNT: (Outcome.ENTERED, THEIRS),
    ProbeKind.WITHOUT_EXTERNAL_ID: (Outcome.DENIED, ""),
    ProbeKind.WITH_WRONG_EXTERNAL_ID: (Outcome.DENIED, ""),
}


def judged(changes=None, *, without=()):
    told = {kind: told for kind, told in ({**WELL, **(changes or {})}).items() if kind not in without}
    probes = [
        Probe(kind=kind, outcome=outcome, answered_arn=arn, duration_ms=1, error_code="Code" if not arn else "")
        for kind, (outcome, arn) in told.items()
    ]
    return judge(probes, validator_role=VALIDATOR, expected_account=ACCOUNT)


def test_open_with_the_id_and_shut_without_it_is_proven():
    assert judged().code is VerdictCode.PROVEN


@pytest.mark.parametrize(
    ("kind", "outcome", "arn", "code"),
    [
        (ProbeKind.OWN_IDENTITY, Outcome.ENTERED, "arn:aws:iam::111122223333:user/worker", VerdictCode.OUR_TROUBLE),
        (
            ProbeKind.OWN_IDENTITY,
            Outcome.ENTERED,
            OURSELVES.replace("validator/", "validator2/"),
            VerdictCode.OUR_TROUBLE,
        ),
        (ProbeKind.WITH_EXTERNAL_ID, Outcome.DENIED, "", VerdictCode.DENIED),
        (ProbeKind.WITH_EXTERNAL_ID, Outcome.REFUSED_OTHERWISE, "", VerdictCode.REFUSED_OTHERWISE),
        (ProbeKind.ANSWERING_ACCOUNT, Outcome.DENIED, "", VerdictCode.INCONCLUSIVE),
        (ProbeKind.ANSWERING_ACCOUNT, Outcome.ENTERED, THEIRS.replace(ACCOUNT, "9" * 12), VerdictCode.WRONG_ACCOUNT),
        (ProbeKind.WITHOUT_EXTERNAL_ID, Outcome.ENTERED, THEIRS, VerdictCode.OPENS_WITHOUT_EXTERNAL_ID),
        (ProbeKind.WITH_WRONG_EXTERNAL_ID, Outcome.ENTERED, THEIRS, VerdictCode.OPENS_WITH_WRONG_EXTERNAL_ID),
        (ProbeKind.WITHOUT_EXTERNAL_ID, Outcome.REFUSED_OTHERWISE, "", VerdictCode.INCONCLUSIVE),
        (ProbeKind.WITH_WRONG_EXTERNAL_ID, Outcome.REFUSED_OTHERWISE, "", VerdictCode.INCONCLUSIVE),
    ],
)
def test_each_deviation_has_its_verdict(kind, outcome, arn, code):
    assert judged({kind: (outcome, arn)}).code is code


@pytest.mark.parametrize("missing", [ProbeKind.WITHOUT_EXTERNAL_ID, ProbeKind.WITH_WRONG_EXTERNAL_ID])
def test_a_negative_probe_that_was_not_made_proves_nothing(missing):
    assert judged(without=[missing]).code is VerdictCode.INCONCLUSIVE


def test_a_probe_survives_being_stored():
    probe = Probe(kind=ProbeKind.WITH_EXTERNAL_ID, outcome=Outcome.DENIED, duration_ms=3, error_code="AccessDenied")
    assert Probe.from_json(probe.to_json()) == probe
