"""Proving the employee path: a nonce for a person and a role, a token signed over it, and what STS says to that."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from onboarding.aws import presigned
from onboarding.core import identifiers, proof, states
from onboarding.core.arns import Partition, RoleArn
from onboarding.core.errors import OnboardingError
from onboarding.core.proof import ProofRefused, Refusal, SignedRequest, StsAnswer
from onboarding.models import ExternalRole, Person, Proof
from onboarding.services import access, audit


class Ask(Protocol):
    def __call__(self, request: SignedRequest, *, nonce: str) -> StsAnswer: ...


class NothingToProve(OnboardingError):
    """The role is not handed out, so nobody has a profile for it."""


def begin_proof(person: Person, role: ExternalRole) -> Proof:
    """A new nonce; an earlier one that was not used is forgotten. Raises `NothingToProve`."""
    if not role.is_handed_out:
        raise NothingToProve
    now = timezone.now()
    begun, _ = Proof.objects.update_or_create(
        external_role=role,
        person=person,
        consumed_at=None,
        defaults={
            "nonce": proof.new_nonce(urlsplit(settings.PUBLIC_URL).hostname or ""),
            "asked_at": now,
            "expires_at": now + proof.NONCE_LIFETIME,
        },
    )
    return begun


def open_proof(person: Person, role: ExternalRole) -> Proof | None:
    return Proof.objects.open(timezone.now()).filter(person=person, external_role=role).first()


def complete_proof(person: Person, *, nonce: str, pasted: str, ask: Ask = presigned.ask_caller) -> Proof:
    """Raises `ProofRefused`, and `AwsUnavailable` where STS could not be asked; `pasted` is kept nowhere."""
    now = timezone.now()
    begun = _usable_proof(person, nonce, at=now)
    request = proof.take_apart(pasted, origins=_origins(begun.external_role), at=now)
    # Before the call: of two who send the same token, one gets as far as STS.
    if not Proof.objects.open(now).filter(pk=begun.pk).update(consumed_at=now):
        raise ProofRefused(Refusal.REPLAYED)
    return _judged(begun, ask(request, nonce=nonce))


def _usable_proof(person: Person, nonce: str, *, at: datetime) -> Proof:
    mine = Proof.objects.filter(person=person, external_role__in=access.entitled_roles(person, at=at))
    begun = mine.filter(nonce=nonce).select_related("person", "external_role__account").first()
    if begun is None:
        raise ProofRefused(Refusal.UNKNOWN)
    if begun.consumed_at:
        raise ProofRefused(Refusal.REPLAYED)
    if begun.expires_at <= at:
        raise ProofRefused(Refusal.EXPIRED)
    return begun


def _origins(role: ExternalRole) -> Mapping[str, str]:
    """In the sandbox the one configured endpoint, and only there."""
    if settings.SANDBOX:
        return {settings.AWS_ENDPOINT_URL.rstrip("/"): ""}
    return presigned.sts_origins(Partition(role.account.partition))


def _judged(begun: Proof, answer: StsAnswer) -> Proof:
    role, name = begun.external_role, identifiers.role_session_name(begun.person.email)
    try:
        session_arn = proof.judge(answer, role_arn=RoleArn.parse(role.role_arn), session_name=name)
    except ProofRefused as error:
        Proof.objects.filter(pk=begun.pk).update(refusal=error.refusal)
        raise
    return _record(begun, role, session_arn)


@transaction.atomic
def _record(begun: Proof, role: ExternalRole, session_arn: str) -> Proof:
    """The role is in use from now on, if it was not before."""
    now = timezone.now()
    begun.proven_at, begun.role_arn, begun.session_arn = now, role.role_arn, session_arn
    begun.save(update_fields=["proven_at", "role_arn", "session_arn"])
    unused = ExternalRole.objects.filter(pk=role.pk, first_used_at=None, state__in=states.HANDED_OUT)
    unused.update(first_used_at=now)
    facts = {"profile_name": role.profile_name, "session_arn": session_arn}
    audit.append("employee_path_proven", role, at=now, by=begun.person, facts=facts)
    return begun
