"""Fills in the sample organization, through the services; each step may have been done by a start that was killed."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from django.contrib.auth.models import Group
from django.utils import timezone

from demo.organization import Account, Employee, Organization, fetch
from demo.sample import partner as partner_side
from demo.sample.story import ADMIN_EMAIL, GROUP, STORIES, Ending, Story
from demo.state import write_private
from onboarding import queue
from onboarding.core import permissions_policy
from onboarding.core.arns import AccountId, Partition, RoleArn
from onboarding.core.bastion import PermissionSetPolicyStyle
from onboarding.core.handoff import Permissions
from onboarding.models import (
    Bastion,
    ExternalAccount,
    ExternalRole,
    Partner,
    PermissionSet,
    Person,
    PortalRole,
    Validation,
)
from onboarding.services import (
    access,
    bastions,
    diagnosis,
    invitations,
    notifications,
    people,
    registration,
    submission,
)
from portal.celery import app

_PATIENCE = 60.0


def prepare(sandbox_port: int, out: Path) -> None:
    """Once filled in, the organization belongs to whoever plays with it: a later start only looks after the link."""
    organization = fetch(sandbox_port)
    _take_up_checks()
    if not out.exists():
        fill_in(organization)
    link = _usable_link(organization, kept=out.with_name("link-token"))
    users = [{"role": _portal_role(e), "email": e.email, "password": e.password} for e in organization.employees]
    _wait("the worker does not answer", lambda: bool(app.control.ping(timeout=0.2)))
    write_private(out, json.dumps({"users": users, "invitation": link}, indent=2))


def fill_in(organization: Organization) -> None:
    for employee in organization.employees:
        _person(employee, entering=organization.bastion.permission_sets[0])
    admin = Person.objects.get(email=ADMIN_EMAIL)
    permission_set = _bastion(organization, by=admin)
    roles = []
    for account, story in _cast(organization):
        role = _role(account, story, permission_set, by=admin)
        roles.append((account, story, role))
        if story.ending.is_returned:
            _return(account, story, role, by=admin)
        if story.is_granted and not role.grants.exists():
            access.grant(role, Group.objects.get(name=GROUP), access.GrantTerms(reason=story.purpose), by=admin)
    _wait("the checks do not end", lambda: not Validation.objects.open().exists())
    for account, story, role in roles:
        _conclude(account, story, role)


def _cast(organization: Organization) -> list[tuple[Account, Story]]:
    """The last account has no story: it is there for whoever registers a partner of their own."""
    return list(zip(organization.partners[:-1], STORIES, strict=True))


def _person(employee: Employee, *, entering: str) -> None:
    """The same password in the portal and at the sandbox's sign-in; access for those who may enter the bastion."""
    first, _, last = employee.name.partition(" ")
    details = people.PersonDetails(
        first_name=first,
        last_name=last,
        portal_role=_portal_role(employee),
        groups=(GROUP,) if entering in employee.permission_sets else (),
    )
    if not Person.objects.filter(email=employee.email).exists():
        people.add_person(employee.email, details, password=employee.password)


def _portal_role(employee: Employee) -> PortalRole:
    return PortalRole.PLATFORM_ADMIN if employee.email == ADMIN_EMAIL else PortalRole.EMPLOYEE


def _bastion(organization: Organization, *, by: Person) -> PermissionSet:
    told = organization.bastion
    details = bastions.BastionDetails(
        name=told.name,
        partition=Partition(told.partition),
        account_id=AccountId(told.account_id),
        validator_role_arn=RoleArn.parse(told.validator_role_arn),
        worker_is_validator=False,
        sso_start_url=told.sso_start_url,
        sso_region=told.sso_region,
        sso_session_name=told.sso_session_name,
        region=told.region,
        open_control_role_arn=RoleArn.parse(told.open_control_role_arn),
        asking_control_role_arn=RoleArn.parse(told.asking_control_role_arn),
        stranger_role_arn=RoleArn.parse(told.stranger_role_arn),
    )
    bastion = Bastion.objects.filter(account_id=told.account_id).first() or bastions.set_up_bastion(details, by=by)
    for name in told.permission_sets:
        known = bastion.permission_sets.filter(name=name).first()
        permission_set = known or bastions.add_permission_set(
            bastion, name, style=PermissionSetPolicyStyle.EXACT, by=by
        )
        if not permission_set.sso_role_arn:
            bastions.find_sso_role(permission_set, by=by)
    return bastion.permission_sets.get(name=told.permission_sets[0])


def _role(account: Account, story: Story, permission_set: PermissionSet, *, by: Person) -> ExternalRole:
    external = ExternalAccount.objects.filter(account_id=account.id, retired_at=None).first() or _account(
        account, story, permission_set.bastion, by=by
    )
    known = external.roles.live().filter(role_name=story.role_name).first()
    details = registration.RoleDetails(
        permission_set=permission_set,
        role_name=story.role_name,
        profile_name=story.profile_name,
        region=permission_set.bastion.region,
        purpose=story.purpose,
        permissions_wanted=story.permissions_wanted,
        permissions=Permissions(document=permissions_policy.parse(json.dumps(story.permissions_policy))),
    )
    return known or registration.register_role(external, details, by=by)


def _account(account: Account, story: Story, bastion: Bastion, *, by: Person) -> ExternalAccount:
    details = registration.PartnerDetails(
        name=account.name,
        language=story.language,
        contact_name=story.contact_name,
        contact_email=f"cloud@{account.name.split()[0].lower()}.example",
    )
    partner = Partner.objects.filter(name=account.name).first() or registration.register_partner(details, by=by)
    return registration.register_account(partner, AccountId(account.id), bastion=bastion, label="Production", by=by)


def _return(account: Account, story: Story, role: ExternalRole, *, by: Person) -> None:
    if role.role_arn:
        return
    known = role.account.invitations.filter(revoked_at=None).first()
    invitation = known or invitations.issue_invitation(role.account, by=by).invitation
    role.refresh_from_db()
    partner_side.make_role(account, story, role)
    arn = RoleArn.parse(f"arn:{role.account.partition}:iam::{account.id}:role/{story.role_name}")
    submission.return_role(invitation, role, arn)


def _conclude(account: Account, story: Story, role: ExternalRole) -> None:
    role.refresh_from_db()
    if story.ending.is_returned and role.state != story.ending.state:
        sys.exit(f"{role.role_name} should be {story.ending.state} and is {role.state}")
    if story.ending is Ending.IN_USE and not role.is_used:
        employees = access.entitled_people(role, at=timezone.now()).filter(portal_role=PortalRole.EMPLOYEE)
        access.note_config_taken(employees[0], [role])
    if story.ending is Ending.WRONG_EXTERNAL_ID:
        diagnosis.check_pasted(role, partner_side.saved_policy(account, story))


def _take_up_checks() -> None:
    """No process of an earlier start is alive, so nobody holds what one had claimed when it was killed."""
    unfinished = Validation.objects.open()
    unfinished.update(claimed_until=None)
    for validation in unfinished:
        queue.send(queue.VALIDATE_ROLE, validation.pk)


def _usable_link(organization: Organization, *, kept: Path) -> str:
    """The path of the waiting partner's link; the portal stores its digest alone, so the demo keeps the token."""
    if not (kept.exists() and _is_usable(kept.read_text())):
        admin = Person.objects.get(email=ADMIN_EMAIL)
        account, story = next(pair for pair in _cast(organization) if pair[1].ending is Ending.INVITED)
        permission_set = PermissionSet.objects.get(name=organization.bastion.permission_sets[0])
        role = _role(account, story, permission_set, by=admin)
        write_private(kept, invitations.issue_invitation(role.account, by=admin).link_token)
    return urlsplit(notifications.link_address(kept.read_text())).path


def _is_usable(link_token: str) -> bool:
    invitation = invitations.find_by_token(link_token)
    return invitation is not None and invitation.is_usable(at=timezone.now())


def _wait(trouble: str, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not until():
        if time.monotonic() > deadline:
            sys.exit(trouble)
        time.sleep(0.05)
