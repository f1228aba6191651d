"""What the page behind the link shows: the request, and a card for each role of the account."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from django.http import QueryDict
from django.utils import timezone

from onboarding.forms.partners import ReturnForm
from onboarding.models import ExternalRole, Invitation
from onboarding.services import invitations
from onboarding.views.partners import making, standing
from onboarding.views.partners.making import Making
from onboarding.views.partners.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    role: ExternalRole
    form: ReturnForm
    standing: Standing | None
    # The numbers on the stones of its two steps.
    step_make: int
    step_return: int
    # None where we cannot ask yet, for a reason on our own side.
    making: Making | None

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
    trouble: str = "",
) -> dict[str, Any]:
    """`form`, `notice` and `trouble` belong to the role `of`; `asked` says which forms are shown."""
    roles = invitations.roles_of(invitation)
    standings = standing.of_all(roles, notices={of.pk: notice} if of else {})
    numbers = count(2)
    cards = [
        Card(
            role=role,
            form=form if form and role == of else ReturnForm(role),
            standing=standings[role.pk],
            step_make=next(numbers),
            step_return=next(numbers),
            making=making.of(role, invitation, asked, trouble=trouble if role == of else ""),
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
        "is_read": invitation.copied_at is not None or any(card.is_returned for card in cards),
        "entrances": list({role.permission_set_id: role.permission_set for role in roles}.values()),
        "needs_external_id": [role for role in roles if not role.console_access],
        "by_console": [role for role in roles if role.console_access],
    }
