"""What the page behind the link shows: the request, and a card for each role of the account."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from onboarding.core.errors import OnboardingError
from onboarding.core.handoff import WantedRole, console, removal, shell
from onboarding.core.states import State
from onboarding.forms.partners import ReturnForm
from onboarding.models import ExternalRole, Invitation
from onboarding.services import diagnosis, invitations, retirement
from onboarding.views.partners import asking, standing, trust
from onboarding.views.partners.standing import Standing
from onboarding.views.partners.trust import TrustCheck

_KEEPS_OTHERS_OUT = '"sts:ExternalId"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    role: ExternalRole
    form: ReturnForm
    standing: Standing | None
    trust: TrustCheck
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


def page(
    invitation: Invitation,
    *,
    of: ExternalRole | None,
    form: ReturnForm | None,
    notice: str,
    pasted: TrustCheck | None,
) -> dict[str, Any]:
    """`form`, `notice` and `pasted` belong to the role `of`."""
    roles = invitations.roles_of(invitation)
    policies = diagnosis.latest_of(roles)
    standings = standing.of_all(roles, policies=policies, notices={of.pk: notice} if of else {})
    # Nothing is asked for any more: then there is nothing to read first, and the first step is to remove.
    is_ending = all(role.state == State.RETIRING for role in roles)
    numbers = count(1 if is_ending else 2)
    cards = [
        _card(
            role,
            invitation,
            standing=standings[role.pk],
            form=form if form and role == of else ReturnForm(role),
            check=pasted if pasted and role == of else trust.read_last(role, policies.get(role.pk), standings[role.pk]),
            steps=_steps(role, numbers),
        )
        for role in roles
    ]
    return {
        **asking.of(invitation, roles),
        "cards": cards,
        "is_ending": is_ending,
        "shut": [retirement.door_of(role) for role in invitations.retired_since(invitation)],
        "is_read": invitation.copied_at is not None or any(card.is_returned for card in cards),
    }


def wanted(role: ExternalRole, invitation: Invitation) -> WantedRole:
    """Where the role was returned, under the name and path that it has. Raises `SsoRoleUnknown`, `PolicyTooLong`."""
    return WantedRole(
        arn=asking.arn_of(role),
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
    check: TrustCheck,
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
        trust=check,
        step_make=steps[0],
        step_return=steps[1],
        console_steps=console.steps(exists=bool(role.role_arn)),
        wanted=made,
    )
