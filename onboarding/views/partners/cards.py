"""What the page behind the link shows: the request, and a card for each role of the account."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from django.http import QueryDict

from onboarding.core.handoff import removal
from onboarding.core.states import State
from onboarding.forms.partners import ReturnForm
from onboarding.models import ExternalRole, Invitation
from onboarding.services import diagnosis, invitations, retirement
from onboarding.views.partners import asking, making, standing, trust
from onboarding.views.partners.making import Making
from onboarding.views.partners.standing import Standing
from onboarding.views.partners.trust import TrustCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    role: ExternalRole
    form: ReturnForm
    standing: Standing | None
    trust: TrustCheck
    # The numbers on the stones of its two steps.
    step_make: int
    step_return: int
    # None where we cannot ask yet, for a reason on our own side.
    making: Making | None

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
    asked: QueryDict,
    *,
    of: ExternalRole | None = None,
    form: ReturnForm | None = None,
    notice: str = "",
    pasted: TrustCheck | None = None,
    trouble: str = "",
) -> dict[str, Any]:
    """`form`, `notice`, `pasted` and `trouble` belong to the role `of`; `asked` says which forms are shown."""
    roles = invitations.roles_of(invitation)
    policies = diagnosis.latest_of(roles)
    standings = standing.of_all(roles, policies=policies, notices={of.pk: notice} if of else {})
    # Nothing is asked for any more: then there is nothing to read first, and the first step is to remove.
    is_ending = all(role.state == State.RETIRING for role in roles)
    numbers = count(1 if is_ending else 2)
    cards = [
        Card(
            role=role,
            form=form if form and role == of else ReturnForm(role),
            standing=standings[role.pk],
            trust=pasted if pasted and role == of else trust.read_last(role, policies.get(role.pk), standings[role.pk]),
            step_make=next(numbers),
            # What is to be removed is one step.
            step_return=0 if role.state == State.RETIRING else next(numbers),
            making=making.of(role, invitation, asked, trouble=trouble if role == of else ""),
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
