"""Proofs with an STS that says what the test wants: once each, for one person and one role, and never without."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from onboarding.aws import AwsUnavailable
from onboarding.core import states
from onboarding.core.proof import ProofRefused, Refusal, SignedRequest, StsAnswer
from onboarding.models import AuditEvent, ExternalRole, Person, Proof
from onboarding.services import proofs
from tests.core.test_proof import TOKYO, query, token
from tests.factories import make_checked_role, make_grant, make_role

pytestmark = pytest.mark.django_db


@pytest.fixture
def role(carol: Person) -> ExternalRole:
    found = make_checked_role(make_role(role_name="HoshinoTelemetry"))
    make_grant(found, carol)
    return found


class Sts:
    """Names this session, or answers as it is told; remembers what it was asked."""

    def __init__(self, answer: StsAnswer, *, first: Callable[[], object] = lambda: None) -> None:
        self.asked: list[tuple[SignedRequest, str]] = []
        self._answer = answer
        self._first = first

    def __call__(self, request: SignedRequest, *, nonce: str) -> StsAnswer:
        self.asked.append((request, nonce))
        self._first()
        return self._answer


def naming(role: ExternalRole, name: str = "carol@hoshino.example") -> Sts:
    return Sts(StsAnswer(200, arn=f"arn:aws:sts::{role.account.account_id}:assumed-role/{role.role_name}/{name}"))


def signed(at: datetime | None = None) -> str:
    date = (at or timezone.now()).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{date[:8]}/ap-northeast-1/sts/aws4_request"
    return token(f"{TOKYO}/?{query(X_Amz_Date=date, X_Amz_Credential=f'ASIAIOSFODNN7EXAMPLE/{scope}')}")


def refused(person: Person, nonce: str, pasted: str, sts: Sts) -> Refusal:
    with pytest.raises(ProofRefused) as found:
        proofs.complete_proof(person, nonce=nonce, pasted=pasted, ask=sts)
    return found.value.refusal


def test_sts_is_asked_what_was_signed_with_the_nonce(role: ExternalRole, carol: Person) -> None:
    begun, sts = proofs.begin_proof(carol, role), naming(role)
    proven = proofs.complete_proof(carol, nonce=begun.nonce, pasted=signed(), ask=sts)
    ((request, nonce),) = sts.asked
    assert request.origin == TOKYO
    assert nonce == begun.nonce
    assert begun.nonce.startswith("tobiishi.testserver.")
    assert proven.session_arn.endswith("/carol@hoshino.example")


def test_the_nonce_is_consumed_before_sts_is_asked(role: ExternalRole, carol: Person) -> None:
    """The second of two who send the same token at once comes while STS still thinks about the first."""
    begun, pasted, second = proofs.begin_proof(carol, role), signed(), naming(role)
    late: list[Refusal] = []
    answer = naming(role)._answer
    first = Sts(answer, first=lambda: late.append(refused(carol, begun.nonce, pasted, second)))
    proofs.complete_proof(carol, nonce=begun.nonce, pasted=pasted, ask=first)
    assert late == [Refusal.REPLAYED]
    assert second.asked == []


def test_an_outage_proves_and_refuses_nothing_but_uses_the_line_up(role: ExternalRole, carol: Person) -> None:
    def away(_request: SignedRequest, *, nonce: str) -> StsAnswer:
        raise AwsUnavailable("Timeout", where="test")

    begun = proofs.begin_proof(carol, role)
    with pytest.raises(AwsUnavailable):
        proofs.complete_proof(carol, nonce=begun.nonce, pasted=signed(), ask=away)
    begun.refresh_from_db()
    assert begun.consumed_at
    assert not begun.proven_at
    assert not begun.refusal
    assert refused(carol, begun.nonce, signed(), naming(role)) is Refusal.REPLAYED


def test_what_is_no_token_asks_nobody_and_uses_nothing_up(role: ExternalRole, carol: Person) -> None:
    begun, sts = proofs.begin_proof(carol, role), naming(role)
    for pasted in ("", "x", signed(timezone.now() - timedelta(minutes=3)), token("https://evil.example/?x")):
        refused(carol, begun.nonce, pasted, sts)
    assert sts.asked == []
    assert proofs.complete_proof(carol, nonce=begun.nonce, pasted=signed(), ask=sts)


def test_another_person_cannot_use_ones_line_and_another_role_has_another(
    role: ExternalRole, carol: Person, dave: Person
) -> None:
    make_grant(role, dave)
    begun = proofs.begin_proof(carol, role)
    assert refused(dave, begun.nonce, signed(), naming(role, "dave@hoshino.example")) is Refusal.UNKNOWN
    assert refused(carol, "tobiishi.testserver.x", signed(), naming(role)) is Refusal.UNKNOWN


def test_a_line_is_good_for_five_minutes(role: ExternalRole, carol: Person) -> None:
    begun = proofs.begin_proof(carol, role)
    with time_machine.travel(begun.asked_at + timedelta(minutes=5, seconds=1)):
        assert proofs.open_proof(carol, role) is None
        assert refused(carol, begun.nonce, signed(), naming(role)) is Refusal.EXPIRED


def test_a_newer_line_takes_the_place_of_the_older(role: ExternalRole, carol: Person) -> None:
    first, second = proofs.begin_proof(carol, role).nonce, proofs.begin_proof(carol, role).nonce
    assert Proof.objects.count() == 1
    assert refused(carol, first, signed(), naming(role)) is Refusal.UNKNOWN
    assert proofs.complete_proof(carol, nonce=second, pasted=signed(), ask=naming(role))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (StsAnswer(302), Refusal.REDIRECTED),
        (StsAnswer(403, error_code="SignatureDoesNotMatch"), Refusal.NOT_SIGNED_SO),
        (StsAnswer(403, error_code="ExpiredToken"), Refusal.NOT_ACCEPTED),
    ],
)
def test_why_it_was_refused_is_kept_and_the_role_is_not_in_use(
    role: ExternalRole, carol: Person, answer: StsAnswer, why: Refusal
) -> None:
    begun = proofs.begin_proof(carol, role)
    assert refused(carol, begun.nonce, signed(), Sts(answer)) is why
    begun.refresh_from_db()
    assert begun.refusal == why
    assert not ExternalRole.objects.get(pk=role.pk).is_used
    assert not AuditEvent.objects.filter(action="employee_path_proven").exists()


def test_a_grant_that_ended_meanwhile_ends_the_proof(role: ExternalRole, carol: Person) -> None:
    begun = proofs.begin_proof(carol, role)
    role.grants.update(revoked_at=timezone.now())
    assert refused(carol, begun.nonce, signed(), naming(role)) is Refusal.UNKNOWN


def test_a_role_that_nobody_gets_has_nothing_to_prove(role: ExternalRole, carol: Person) -> None:
    for state in set(states.State) - states.HANDED_OUT:
        role.state = state
        with pytest.raises(proofs.NothingToProve):
            proofs.begin_proof(carol, role)


def test_in_another_partition_another_sts_is_asked(role: ExternalRole, carol: Person) -> None:
    type(role.account).objects.filter(pk=role.account.pk).update(partition="aws-cn")
    begun = proofs.begin_proof(carol, role)
    assert refused(carol, begun.nonce, signed(), naming(role)) is Refusal.ELSEWHERE
