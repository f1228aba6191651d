"""Valid things by default, made through the services; override one thing."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count

from django.test import Client
from django.utils import timezone

from onboarding.aws import AwsUnavailable
from onboarding.aws.clients import Identity
from onboarding.aws.sts import ProbeOrder, Tried
from onboarding.core import trust
from onboarding.core.arns import AccountId, Partition, RoleArn
from onboarding.core.bastion import PermissionSetPolicyStyle
from onboarding.core.probes import NEGATIVE, WRONG, Outcome, Probe, ProbeKind
from onboarding.models import (
    Bastion,
    ClientToken,
    ExternalAccount,
    ExternalRole,
    Grant,
    Partner,
    PermissionSet,
    Person,
    PortalRole,
    Trigger,
    Validation,
)
from onboarding.services import (
    access,
    bastions,
    claims,
    computers,
    invitations,
    people,
    registration,
    submission,
    validation,
)
from onboarding.services.access import GrantTerms
from onboarding.services.bastions import BastionDetails
from onboarding.services.invitations import IssuedInvitation
from onboarding.services.people import PersonDetails
from onboarding.services.registration import PartnerDetails, RoleDetails

PASSWORD = "stepping-stones-2026"
_numbers = count(1)


def make_person(
    email: str = "", *, admin: bool = False, groups: tuple[str, ...] = (), name: tuple[str, str] = ("", "")
) -> Person:
    email = email or f"person{next(_numbers)}@hoshino.example"
    found = Person.objects.filter(email=email).first()
    role = PortalRole.PLATFORM_ADMIN if admin else PortalRole.EMPLOYEE
    details = PersonDetails(first_name=name[0], last_name=name[1], portal_role=role, groups=groups)
    return found or people.add_person(email, details, password=PASSWORD)


def an_admin() -> Person:
    return make_person("alice@hoshino.example", admin=True, name=("Alice", "Admin"))


def make_bastion(*, account_id: str = "111122223333", **override: object) -> Bastion:
    found = Bastion.objects.filter(account_id=account_id).first()
    details = {
        "name": "Hoshino bastion" if account_id == "111122223333" else f"Bastion {account_id}",
        "partition": Partition.AWS,
        "account_id": AccountId(account_id),
        "validator_role_arn": RoleArn.parse(f"arn:aws:iam::{account_id}:role/tobiishi-validator"),
        "worker_is_validator": False,
        "sso_start_url": "https://d-9067f0e1a2.awsapps.com/start",
        "sso_region": "ap-northeast-1",
        "sso_session_name": "hoshino",
        "region": "ap-northeast-1",
    } | override
    return found or bastions.set_up_bastion(BastionDetails(**details), by=an_admin())  # type: ignore[arg-type]


def make_permission_set(name: str = "PartnerAccess", *, bastion: Bastion | None = None) -> PermissionSet:
    bastion = bastion or make_bastion()
    found = bastion.permission_sets.filter(name=name).first()
    return found or bastions.add_permission_set(bastion, name, style=PermissionSetPolicyStyle.EXACT, by=an_admin())


def make_partner(name: str = "", **override: object) -> Partner:
    name = name or f"Partner {next(_numbers)}"
    details = {
        "name": name,
        "language": "en",
        "contact_name": "Bob Builder",
        "contact_email": "bob@partner.example",
    } | override
    return registration.register_partner(PartnerDetails(**details), by=an_admin())  # type: ignore[arg-type]


def make_account(
    partner: Partner | None = None, *, account_id: str = "", label: str = "", bastion: Bastion | None = None
) -> ExternalAccount:
    number = AccountId(account_id or f"{222200000000 + next(_numbers)}")
    return registration.register_account(
        partner or make_partner(), number, bastion=bastion or make_bastion(), label=label, by=an_admin()
    )


def make_role(account: ExternalAccount | None = None, **override: object) -> ExternalRole:
    """Registered, and nothing more."""
    number = next(_numbers)
    details = {
        "permission_set": make_permission_set(),
        "role_name": f"HoshinoReader{number}",
        "profile_name": f"partner-reader-{number}",
        "region": "ap-northeast-1",
        "purpose": "Reading the weekly reports.",
        "trust_style": trust.TrustStyle.ACCOUNT_AND_CONDITION,
    } | override
    return registration.register_role(account or make_account(), RoleDetails(**details), by=an_admin())  # type: ignore[arg-type]


def make_invitation(role: ExternalRole | None = None) -> IssuedInvitation:
    role = role or make_role()
    return invitations.issue_invitation(role.account, by=an_admin())


def make_returned_role(role: ExternalRole | None = None, *, arn: str = "") -> ExternalRole:
    """Returned by the partner; its first validation is open."""
    role = role or make_role()
    invitation = make_invitation(role).invitation
    role_arn = RoleArn.parse(arn or f"arn:aws:iam::{role.account.account_id}:role/{role.role_name}")
    return submission.return_role(invitation, role, role_arn)


def make_checked_role(role: ExternalRole | None = None, *, door: "Door | None" = None) -> ExternalRole:
    """Returned and validated once, against a door that does as it should unless told otherwise."""
    role = make_returned_role(role)
    check(role, door or Door())
    return ExternalRole.objects.with_owner().get(pk=role.pk)


def check(role: ExternalRole, door: "Door", *, trigger: Trigger = Trigger.ADMIN) -> Validation:
    """Ask for a validation, or take the open one, and do it."""
    asked = validation.request_validation(role, trigger=trigger)
    validation.run_validation(asked.pk, probe=door)
    return Validation.objects.get(pk=asked.pk)


def give_up(role: ExternalRole, code: str = "ExpiredToken") -> Validation:
    """The role's check meets our own trouble until nobody tries any more."""
    asked = validation.request_validation(role, trigger=Trigger.ADMIN)
    Validation.objects.filter(pk=asked.pk).update(outages=claims.MOST_OUTAGES - 1)
    return check(role, Door(outage=code))


def make_grant(role: ExternalRole, person: Person, *, for_hours: int | None = None) -> Grant:
    expires_at = timezone.now() + timedelta(hours=for_hours) if for_hours else None
    return access.grant(role, person, GrantTerms(reason="project", expires_at=expires_at), by=an_admin())


def connect_laptop(person: Person, *, computer: str = "laptop") -> tuple[ClientToken, Client]:
    """A token as `portal-config login` gets one, and a client that sends it."""
    codes = computers.ask_by_device_code(computer)
    code = computers.find_waiting(codes.user_code.replace("-", ""))
    assert code is not None
    computers.decide(code, person, allowed=True)
    issued = computers.exchange_device_code(codes.device_code)
    return issued.token, Client(headers={"Authorization": f"Bearer {issued.text}"})


class Door:
    """A partner's role as the probes find it: what opens it, and who answers behind it; and our own side of it."""

    def __init__(
        self,
        *,
        with_external_id: Outcome = Outcome.ENTERED,
        without: Outcome = Outcome.DENIED,
        with_wrong: Outcome = Outcome.DENIED,
        account: str = "",
        as_validator: bool = True,
        first: Callable[[], object] | None = None,
        trust_policy: str = "",
        control: Outcome = Outcome.ENTERED,
        outage: str = "",
        **others: Outcome,
    ) -> None:
        """`others` names further probes, `in_other_case=Outcome.ENTERED`; `outage` is what AWS says to everything."""
        shut = dict.fromkeys(NEGATIVE, Outcome.DENIED)
        self._outcomes = shut | {
            ProbeKind.WITH_EXTERNAL_ID: with_external_id,
            ProbeKind.WITHOUT_EXTERNAL_ID: without,
            ProbeKind.WITH_WRONG_EXTERNAL_ID: with_wrong,
            **{ProbeKind(kind): outcome for kind, outcome in others.items()},
        }
        self._account = account
        self._as_validator = as_validator
        self._first = first
        self._trust_policy = trust_policy
        self._control = control
        self.outage = outage
        self.orders: list[ProbeOrder] = []
        self.times_asked_who = 0

    def who_we_are(self, identity: Identity) -> list[Probe]:
        self.times_asked_who += 1
        if self.outage:
            raise AwsUnavailable(self.outage, where="own_identity")
        validator = RoleArn.parse(identity.role_arn)
        name = validator.name if self._as_validator else "somebody-else"
        session = f"arn:aws:sts::{validator.account_id}:assumed-role/{name}/tobiishi-validator"
        worker = f"arn:aws:sts::{validator.account_id}:assumed-role/tobiishi-worker/i-0a1b"
        return [
            _probe(ProbeKind.OWN_IDENTITY, Outcome.ENTERED, worker),
            _probe(ProbeKind.VALIDATOR_ROLE, Outcome.ENTERED, session),
        ]

    def opens_for_us(self, _identity: Identity, _control: RoleArn) -> Probe:
        return _probe(ProbeKind.CONTROL_OPENS, self._control)

    def probe_role(self, order: ProbeOrder) -> Tried:
        self.orders.append(order)
        if self._first:
            self._first()
        return Tried(self._probes(order), self._trust_policy if order.reads_policy else "")

    def _probes(self, order: ProbeOrder) -> list[Probe]:
        entered = self._tried(ProbeKind.WITH_EXTERNAL_ID)
        if entered.outcome is not Outcome.ENTERED:
            return [entered, *([self._tried(ProbeKind.WITHOUT_EXTERNAL_ID)] if order.is_retiring else [])]
        account = self._account or order.role_arn.account_id
        answered = f"arn:aws:sts::{account}:assumed-role/{order.role_arn.name}/tobiishi-validator"
        strangers = [self._tried(ProbeKind.AS_STRANGER)] if order.stranger else []
        return [
            entered,
            *map(self._tried, (ProbeKind.WITHOUT_EXTERNAL_ID, *WRONG)),
            *strangers,
            _probe(ProbeKind.ANSWERING_ACCOUNT, Outcome.ENTERED, answered),
        ]

    def _tried(self, kind: ProbeKind) -> Probe:
        return _probe(kind, self._outcomes[kind])


def _probe(kind: ProbeKind, outcome: Outcome, answered_arn: str = "") -> Probe:
    refused = {Outcome.DENIED: "AccessDenied", Outcome.REFUSED_OTHERWISE: "RegionDisabledException"}
    return Probe(
        kind=kind,
        outcome=outcome,
        duration_ms=100,
        request_id="6f1c0d52-8a3e-4b7f-9c21-0e5d7b1a44f0",
        error_code=refused.get(outcome, ""),
        answered_arn=answered_arn,
    )
