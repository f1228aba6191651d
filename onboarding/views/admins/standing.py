"""What a role's page shows: where it stands, why, on what evidence, and what to write to the partner."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from onboarding import attention, evidence, letters, paging, verdicts
from onboarding.core import states, trust
from onboarding.core.errors import OnboardingError
from onboarding.core.states import State
from onboarding.core.trust import minified, policy_text
from onboarding.forms.admins.people import GrantForm
from onboarding.messages import Explanation, Turn, sentence
from onboarding.models import ExternalRole, Validation
from onboarding.services import access, diagnosis, history, retirement
from onboarding.services.diagnosis import ReadPolicy
from onboarding.views.admins import lists, reading

_HISTORY = 12
# Without a worker's hand on it for this long, a check is said to wait.
_PATIENCE = timedelta(seconds=10)


def of(role: ExternalRole, *, language: str = "") -> dict[str, Any]:
    """The part that a verdict changes."""
    now = timezone.now()
    running = role.validations.open().first()
    # Read anew, after what is open: of a check that ends meanwhile the page would else show neither, and wait for ever.
    role = ExternalRole.objects.with_owner().get(pk=role.pk)
    last = role.validations.finished().order_by("-requested_at", "-id").first()
    speaks = last if last and last.speaks_of(role) else None
    policy = diagnosis.latest(role)
    told = verdicts.explain(role, speaks, policy)
    return {
        "now": now,
        "role": role,
        "last": last,
        "evidence": evidence.rows(last, role) if last else [],
        "running": running,
        "waits": bool(running and not running.started_at and running.requested_at < now - _PATIENCE),
        "told": told,
        "needs_remedy": told.tone == "bad" or bool(told.remedy),
        "turn": attention.turn_name(told.turn, role),
        "turn_is_partners": told.turn is Turn.PARTNER,
        "meanwhile": _meanwhile(role),
        "letter": _letter(role, speaks, told, policy, language),
        "read": reading.show(role, policy) if policy else None,
        "walk_facts": _walk_facts(role, now),
        "door": retirement.door_of(role),
    }


def page(request: HttpRequest, role: ExternalRole, grant_form: GrantForm) -> dict[str, Any]:
    checks = paging.page(
        role.validations.select_related("requested_by"), by="-requested_at", size=_HISTORY, **lists.cursor(request)
    )
    return {
        **of(role, language=request.GET.get("letter", "")),
        **_policy(role),
        "employee_path": _employee_path(role),
        "grants": role.grants.filter(revoked_at=None).select_related("person", "group", "granted_by"),
        "grant_form": grant_form,
        "history": checks.rows,
        "days": history.days_of(role, zone=timezone.get_current_timezone()),
        **lists.pager(request, checks),
    }


def _employee_path(role: ExternalRole) -> dict[str, Any]:
    """The last proof by an employee, and how many people have made one."""
    proven = role.proofs.proven()
    last = proven.select_related("person").order_by("-proven_at").first()
    return {"last": last, "people": proven.values("person").distinct().count() if last else 0}


def _policy(role: ExternalRole) -> dict[str, Any]:
    try:
        document = role.trust_policy
    except OnboardingError as error:
        return {"policy_trouble": sentence(error)}
    return {"policy": policy_text(document), "policy_length": len(minified(document)), "policy_limit": trust.MAX_LENGTH}


def _letter(
    role: ExternalRole, last: Validation | None, told: Explanation, policy: ReadPolicy | None, language: str
) -> letters.Letter | None:
    """About the last validation where it found something, else about a policy in which something is wrong."""
    chosen = language if language in dict(settings.LANGUAGES) else role.account.partner.mail_language
    if last and told.tone == "bad" and told.turn is Turn.PARTNER:
        return letters.remedy_letter(role, last, language=chosen, policy=policy)
    # Of a role that works only what IAM holds counts, and not an old paste.
    is_about_policy = told.tone == "warn" or role.state in states.FREELY_REPLACEABLE
    return (
        letters.findings_letter(role, policy, language=chosen) if policy and policy.wrong and is_about_policy else None
    )


_HELD_BACK = {
    State.UNSAFE: gettext_lazy("New configs leave the role out. Files already downloaded still work."),
    State.REFUSED: gettext_lazy("Nobody gets the role in a config: it was never proven."),
    State.SUSPECT: gettext_lazy("New configs still hold the role. It is checked again within minutes."),
    State.BROKEN: gettext_lazy("New configs still hold the role, and the employees' page marks it as broken."),
}


def _meanwhile(role: ExternalRole) -> str:
    return str(_HELD_BACK.get(State(role.state), ""))


def _walk_facts(role: ExternalRole, now: datetime) -> list[str]:
    """One line for each stone."""
    link = role.account.invitations.order_by("-issued_at").first()
    opened = _("not opened yet")
    if link and link.times_opened:
        opened = ngettext("opened %(count)d time", "opened %(count)d times", link.times_opened)
        opened %= {"count": link.times_opened}
    return [
        _line(role.created_at, role.created_by.display_name),
        _line(link.issued_at, opened) if link and role.state != State.REGISTERED else "",
        _line(role.returned_at),
        _proven(role),
        _used(role, now),
    ]


def _proven(role: ExternalRole) -> str:
    if role.state in states.NEEDS_ATTENTION:
        return _("not since %(time)s") % {"time": _line(role.failing_since or role.state_since)}
    return _line(role.first_proven_at)


def _used(role: ExternalRole, now: datetime) -> str:
    count = access.entitled_people(role, at=now).count()
    if not count:
        return _line(role.first_used_at, _("granted to nobody"))
    people = ngettext("%(count)d person may use it", "%(count)d people may use it", count) % {"count": count}
    return _line(role.first_used_at, people)


def _line(at: datetime | None, more: str = "") -> str:
    when = date_format(timezone.localtime(at), pgettext("date format", "j M, H:i")) if at else ""
    return ", ".join(filter(None, [when, more]))
