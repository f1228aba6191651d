"""What needs somebody: each matter says what happened, whose turn it is since when, and offers one step."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from django.db.models import Min
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from onboarding import messages, wording
from onboarding.core.probes import VerdictCode
from onboarding.core.retirement import OPEN_TOO_LONG
from onboarding.core.states import State, concern
from onboarding.models import (
    Bastion,
    Delivery,
    ExternalAccount,
    ExternalRole,
    Invitation,
    Mail,
    PermissionSet,
    Validation,
)
from onboarding.services import bastions

# A page that names more than this of one kind helps nobody; the list of roles has them all.
MOST_OF_A_KIND = 25
_SOON = timedelta(days=3)
_LONG = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """`route` and `uuid` say on which page it is looked at."""

    tone: str
    icon: str
    word: wording.Text
    title: str
    sentence: str
    step: str
    route: str
    uuid: object = None
    # Empty where it is ours.
    turn: str = ""
    since: datetime | None = None
    until: datetime | None = None
    # A link that one press extends.
    extends: object = None


def matters(*, now: datetime) -> list[Matter]:
    """In the order in which they should be looked at; a constant number of queries."""
    found = chain(
        _our_trouble(now),
        _undelivered(),
        _roles(),
        _open_doors(now),
        _offers(),
        _withdrawn(),
        _mails(now),
        _links(now),
        _not_invited(),
        _permission_sets(),
    )
    return list(found)


def turn_name(turn: messages.Turn, role: ExternalRole) -> str:
    """Whose turn it is, as an admin reads it."""
    if role.offered_arn:
        return _("You")
    if role.state in {State.RETURNED, State.NOT_YET} and turn is not messages.Turn.PARTNER:
        return "Tobiishi"
    names = {messages.Turn.PARTNER: role.account.partner.name, messages.Turn.US: _("You")}
    return names.get(turn, _("Nobody"))


def role_title(role: ExternalRole) -> str:
    return f"{role.account.partner.name} · {role.role_name}"


def _our_trouble(now: datetime) -> Iterator[Matter]:
    last = Validation.objects.finished().order_by("-requested_at", "-id").first()
    if last and last.verdict == VerdictCode.OUR_TROUBLE:
        yield Matter(
            tone="bad",
            icon="again",
            word=_("Not checking"),
            title=_("Our own side cannot check"),
            sentence=_("The newest check ended with %(answer)s. Nothing was learnt about any partner.")
            % {"answer": last.detail},
            step=_("See the checks"),
            route="validations",
            since=last.finished_at,
        )
    for bastion in Bastion.objects.exclude(open_control_role_arn="").filter(controls_hold=False):
        yield Matter(
            tone="bad",
            icon="ask",
            word=_("Not certain"),
            title=_("Control roles of %(bastion)s") % {"bastion": bastion.name},
            sentence=_("They do not answer as they must, so no denial counts, and no role can become proven."),
            step=_("See the control roles"),
            route="bastion",
            uuid=bastion.uuid,
            since=bastion.controls_tried_at,
        )
    waiting = Validation.objects.claimable(now).filter(requested_at__lt=now - _LONG)
    count = waiting.count()
    if count:
        yield Matter(
            tone="warn",
            icon="clock",
            word=_("Waiting"),
            title=_("No worker takes the checks"),
            sentence=ngettext(
                "%(count)d check waits. It is kept, and sent again by itself once broker and worker are back.",
                "%(count)d checks wait. They are kept, and sent again by themselves once broker and worker are back.",
                count,
            )
            % {"count": count},
            step=_("See the checks"),
            route="validations",
            since=waiting.aggregate(oldest=Min("requested_at"))["oldest"],
        )


def _roles() -> Iterator[Matter]:
    roles = list(ExternalRole.objects.needing_attention().with_owner().order_by("state", "role_name")[:MOST_OF_A_KIND])
    last = Validation.objects.latest_of(roles)
    for role in sorted(roles, key=lambda role: concern(State(role.state), used=role.is_used)):
        told = messages.explain(role, last.get(role.pk))
        looks = wording.of_state(role.state)
        yield Matter(
            tone=looks.tone,
            icon=looks.icon,
            word=looks.word,
            title=role_title(role),
            sentence=told.happened,
            turn="" if told.turn is messages.Turn.US else turn_name(told.turn, role),
            since=role.failing_since or role.state_since,
            step=_("See remedy"),
            route="role",
            uuid=role.uuid,
        )


def _undelivered() -> Iterator[Matter]:
    """Who does not get alerts cannot be told so by an alert."""
    troubled = Delivery.objects.troubled()
    first = troubled.order_by("asked_at").first()
    if first:
        yield Matter(
            tone="bad",
            icon="mail",
            word=_("Not heard"),
            title=_("Alerts do not arrive"),
            sentence=_("What was sent to %(place)s was not taken: %(trouble)s.")
            % {"place": first.place, "trouble": first.trouble},
            step=_("See deliveries"),
            route="alerts",
            since=first.asked_at,
        )


def _open_doors(now: datetime) -> Iterator[Matter]:
    roles = ExternalRole.objects.open_too_long(now - OPEN_TOO_LONG).with_owner()
    for role in roles.order_by("retirement_begun_at")[:MOST_OF_A_KIND]:
        yield Matter(
            tone="bad",
            icon="open",
            word=_("Still open"),
            title=role_title(role),
            sentence=_("The work has ended, and the partner's door still opens for us."),
            turn=role.account.partner.name,
            since=role.retirement_begun_at,
            step=_("See the door"),
            route="role",
            uuid=role.uuid,
        )


def _offers() -> Iterator[Matter]:
    for role in ExternalRole.objects.offered().with_owner().order_by("offered_at")[:MOST_OF_A_KIND]:
        yield Matter(
            tone="warn",
            icon="again",
            word=_("Offered"),
            title=role_title(role),
            sentence=_("The partner offers another ARN for a role that was proven before."),
            step=_("Compare"),
            route="role",
            uuid=role.uuid,
            since=role.offered_at,
        )


def _withdrawn() -> Iterator[Matter]:
    roles = ExternalRole.objects.filter(state=State.RETIRING).exclude(withdrawn_at=None).with_owner()
    for role in roles.order_by("-withdrawn_at")[:MOST_OF_A_KIND]:
        yield Matter(
            tone="warn",
            icon="pause",
            word=_("Withdrawn"),
            title=role_title(role),
            sentence=_("The partner has ended it. We try the door until it is shut; tell those who worked with it."),
            turn=role.account.partner.name,
            step=_("See role"),
            route="role",
            uuid=role.uuid,
            since=role.withdrawn_at,
        )


def _mails(now: datetime) -> Iterator[Matter]:
    stuck = Mail.objects.stuck(asked_before=now - _LONG)
    for mail in stuck.select_related("invitation__account__partner")[:MOST_OF_A_KIND]:
        account = mail.invitation.account
        yield Matter(
            tone="bad" if mail.is_given_up else "warn",
            icon="mail",
            word=_("Not mailed"),
            title=_("%(partner)s · hand-off link") % {"partner": account.partner.name},
            sentence=_("The mail server does not take it: %(trouble)s.") % {"trouble": mail.trouble},
            step=_("See link"),
            route="account",
            uuid=account.uuid,
            since=mail.asked_at,
        )


def _links(now: datetime) -> Iterator[Matter]:
    links = Invitation.objects.waiting_for_partner().filter(expires_at__lt=now + _SOON)
    for link in links.select_related("account__partner").order_by("expires_at")[:MOST_OF_A_KIND]:
        partner = link.account.partner.name
        expired = link.is_expired(at=now)
        ours = expired or link.opened_at is None
        yield Matter(
            tone="bad" if expired else "warn",
            icon="clock",
            word=_("Expired") if expired else _("Expiring"),
            title=_("%(partner)s · hand-off link") % {"partner": partner},
            sentence=_link_sentence(link, expired=expired),
            turn="" if ours else partner,
            since=link.expires_at if expired else None,
            until=None if expired else link.expires_at,
            step=_("Extend"),
            route="account",
            uuid=link.account.uuid,
            extends=link.uuid,
        )


def _link_sentence(link: Invitation, *, expired: bool) -> str:
    if link.opened_at is None:
        return _("It was not opened before it expired.") if expired else _("It has not been opened yet.")
    return ngettext(
        "Opened once, nothing returned.", "Opened %(count)d times, nothing returned.", link.times_opened
    ) % {"count": link.times_opened}


def _not_invited() -> Iterator[Matter]:
    accounts = ExternalAccount.objects.live().with_role_in(State.REGISTERED).select_related("partner")
    for account in accounts.order_by("created_at")[:MOST_OF_A_KIND]:
        yield Matter(
            tone="wait",
            icon="link",
            word=_("Not sent"),
            title=_("%(partner)s · account %(account)s")
            % {"partner": account.partner.name, "account": account.number.grouped},
            sentence=_("A role is registered here, and nobody outside has been asked for it yet."),
            step=_("Make the link"),
            route="account",
            uuid=account.uuid,
            since=account.created_at,
        )


def _permission_sets() -> Iterator[Matter]:
    for permission_set in bastions.outdated_permission_sets():
        yield Matter(
            tone="warn",
            icon="edit",
            word=_("To update"),
            title=_("Permission set %(name)s") % {"name": permission_set.name},
            sentence=_("Its policy in IAM Identity Center is not known to hold exactly the roles that are wanted now."),
            step=_("See policy"),
            route="permission_set",
            uuid=permission_set.uuid,
            since=permission_set.put_policy_at,
        )
    for permission_set in PermissionSet.objects.exclude(sso_role_found_at=None).filter(sso_role_arn=""):
        yield Matter(
            tone="bad",
            icon="ask",
            word=_("Missing"),
            title=_("Permission set %(name)s") % {"name": permission_set.name},
            sentence=_("Its SSO role is not in the bastion account. Is the permission set assigned there?"),
            step=_("Look again"),
            route="permission_set",
            uuid=permission_set.uuid,
            since=permission_set.sso_role_found_at,
        )
