"""What the page behind the link shows: the request, and a card for each role of the account."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from django.utils import timezone

from onboarding.core.arns import Partition, RoleArn
from onboarding.core.errors import OnboardingError
from onboarding.core.handoff import WantedRole, console, removal, shell
from onboarding.core.states import State
from onboarding.forms.partners import ReturnForm
from onboarding.models import ExternalRole, Invitation
from onboarding.services import invitations, retirement
from onboarding.views.partners import standing
from onboarding.views.partners.standing import Standing

_KEEPS_OTHERS_OUT = '"sts:ExternalId"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    role: ExternalRole
    form: ReturnForm
    standing: Standing | None
    # The numbers on the stones of its two steps.
    step_make: int
    step_return: int
    console_steps: tuple[console.Step, ...]
    # None where we cannot ask yet, for a reason on our own side.
    wanted: WantedRole | None

    @property
    def commands(self) -> str:
        return shell.script(self.wanted) if self.wanted else ""

    @property
    def commands_file(self) -> str:
        return shell.file_name(self.wanted) if self.wanted else ""

    @property
    def marks(self) -> Mapping[int, str]:
        lines = enumerate(self.wanted.policy_text.splitlines() if self.wanted else (), start=1)
        return {number: "live" for number, line in lines if _KEEPS_OTHERS_OUT in line}

    @property
    def is_leaving(self) -> bool:
        """The work has ended, and the door is to be shut."""
        return self.role.state == State.RETIRING

    @property
    def removal(self) -> str:
        return removal.script(self.role.arn) if self.role.arn else ""

    @property
    def removal_file(self) -> str:
        return removal.file_name(self.role.arn) if self.role.arn else ""

    @property
    def is_returned(self) -> bool:
        return bool(self.role.role_arn)

    @property
    def may_return(self) -> bool:
        return self.role.is_correctable or self.role.is_checked

    @property
    def needs_agreement(self) -> bool:
        """Proven once, so that another ARN is an offer and no replacement."""
        return self.role.first_proven_at is not None


def page(invitation: Invitation, *, of: ExternalRole | None, form: ReturnForm | None, notice: str) -> dict[str, Any]:
    """`form` and `notice` belong to the role `of`."""
    roles = invitations.roles_of(invitation)
    standings = standing.of_all(roles, notices={of.pk: notice} if of else {})
    # Nothing is asked for any more: then there is nothing to read first, and the first step is to remove.
    is_ending = all(role.state == State.RETIRING for role in roles)
    numbers = count(1 if is_ending else 2)
    cards = [
        _card(
            role,
            invitation,
            standing=standings[role.pk],
            form=form if form and role == of else ReturnForm(role),
            steps=_steps(role, numbers),
        )
        for role in roles
    ]
    return {
        "invitation": invitation,
        "request_number": invitation.reference,
        "account": invitation.account,
        "partner": invitation.account.partner,
        "asked_by": invitation.issued_by.display_name,
        "left": invitation.expires_at - timezone.now(),
        "cards": cards,
        "is_ending": is_ending,
        "shut": [retirement.door_of(role) for role in invitations.retired_since(invitation)],
        "is_read": invitation.copied_at is not None or any(card.is_returned for card in cards),
        "entrances": list({role.permission_set_id: role.permission_set for role in roles}.values()),
        "needs_external_id": [role for role in roles if not role.console_access],
        "by_console": [role for role in roles if role.console_access],
    }


def wanted(role: ExternalRole, invitation: Invitation) -> WantedRole:
    """Where the role was returned, under the name and path that it has. Raises `SsoRoleUnknown`, `PolicyTooLong`."""
    account = role.account
    asked_for = RoleArn(Partition(account.partition), account.number, "/", role.role_name)
    return WantedRole(
        arn=role.arn or asked_for,
        description=f"Made for the request {invitation.reference}",
        trust_policy=role.trust_policy,
    )


def _steps(role: ExternalRole, numbers: Iterator[int]) -> tuple[int, int]:
    """To make it and to return it; or, where the work has ended, the one to remove it."""
    first = next(numbers)
    return first, first if role.state == State.RETIRING else next(numbers)


def _card(
    role: ExternalRole,
    invitation: Invitation,
    *,
    standing: Standing | None,
    form: ReturnForm,
    steps: tuple[int, int],
) -> Card:
    made: WantedRole | None
    try:
        made = wanted(role, invitation)
    except OnboardingError:
        made = None
    return Card(
        role=role,
        form=form,
        standing=standing,
        step_make=steps[0],
        step_return=steps[1],
        console_steps=console.steps(exists=bool(role.role_arn)),
        wanted=made,
    )
