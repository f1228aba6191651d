"""The forms for one role, as its card shows them: for a new role, or for one that is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from onboarding.core.arns import RoleArn
from onboarding.core.errors import OnboardingError
from onboarding.core.handoff import Form, FormText, WantedRole, Way, console, text_of
from onboarding.forms.partners import FormsChoice
from onboarding.models import ExternalRole, Invitation
from onboarding.services import quick_create

_KEEPS_OTHERS_OUT = '"sts:ExternalId"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    way: Way
    wanted: WantedRole
    # Links to the other way, as `chips` takes them.
    ways: list[dict[str, object]]
    # Asks which role it is that is there; None where that is known.
    choice: FormsChoice | None
    console_steps: tuple[console.Step, ...]
    # The form whose panel is open.
    first: str
    texts: list[tuple[FormText, str]]
    offers_quick_create: bool
    # Why a click on quick-create came to nothing.
    trouble: str = ""

    @property
    def is_change(self) -> bool:
        return self.way is Way.CHANGE

    @property
    def has_path(self) -> bool:
        """The console makes no role with a path."""
        return not self.is_change and not console.makes(self.wanted)

    @property
    def leaves_permissions_open(self) -> bool:
        permissions = self.wanted.permissions
        return not self.is_change and not permissions.managed_policy and not permissions.document

    @property
    def marks(self) -> Mapping[int, str]:
        lines = enumerate(self.wanted.policy_text.splitlines(), start=1)
        return {number: "live" for number, line in lines if _KEEPS_OTHERS_OUT in line}


def wanted(role: ExternalRole, invitation: Invitation, way: Way, existing: RoleArn | None) -> WantedRole:
    """For a new role as it was asked for, else of the name that it has. Raises `SsoRoleUnknown`, `PolicyTooLong`."""
    arn = role.asked_arn if way is Way.CREATE else existing or role.arn or role.asked_arn
    return WantedRole(
        arn=arn,
        description=f"Made for the request {invitation.reference}",
        trust_policy=role.trust_policy,
        permissions=role.permissions,
        tags=dict(sorted(role.tags.items())),
    )


def of(role: ExternalRole, invitation: Invitation, asked: QueryDict, *, trouble: str = "") -> Making | None:
    """None where we cannot ask yet, for a reason on our own side."""
    choice = FormsChoice(asked, role.account)
    choice.is_valid()
    chosen: dict[str, Any] = choice.cleaned_data if choice.cleaned_data.get("of") == role.uuid else {}
    way = Way(chosen.get("way") or (Way.CHANGE if role.role_arn else Way.CREATE))
    existing: RoleArn | None = chosen.get("existing")
    try:
        made = wanted(role, invitation, way, existing)
    except OnboardingError:
        return None
    query = f"?{urlencode({'existing': str(existing)})}" if existing else ""
    return Making(
        way=way,
        wanted=made,
        ways=_ways(role, invitation, way),
        choice=_question(role, choice if chosen else None, way),
        console_steps=console.steps(made, way),
        first=_first(made, way, trouble),
        texts=[(text_of(form, made, way), f"{_address(role, invitation, form, way)}{query}") for form in Form],
        offers_quick_create=way is Way.CREATE and quick_create.is_offered(role.account),
        trouble=trouble,
    )


def _ways(role: ExternalRole, invitation: Invitation, shown: Way) -> list[dict[str, object]]:
    page = reverse("onboarding:partners:handoff", args=[invitation.uuid])
    labels = {Way.CREATE: _("The role is new"), Way.CHANGE: _("The role exists already")}
    return [
        {
            "label": label,
            "url": f"{page}?{urlencode({'of': role.uuid, 'way': way})}#make-{role.uuid}",
            "current": way is shown,
            "count": None,
        }
        for way, label in labels.items()
    ]


def _question(role: ExternalRole, choice: FormsChoice | None, way: Way) -> FormsChoice | None:
    if way is Way.CREATE or role.role_arn:
        return None
    return choice or FormsChoice(QueryDict(), role.account)


def _first(made: WantedRole, way: Way, trouble: str) -> str:
    if trouble:
        return Form.CLOUDFORMATION
    return "console" if way is Way.CHANGE or console.makes(made) else Form.CLOUDSHELL


def _address(role: ExternalRole, invitation: Invitation, form: Form, way: Way) -> str:
    return reverse("onboarding:partners:form", args=[invitation.uuid, role.uuid, form, way])
