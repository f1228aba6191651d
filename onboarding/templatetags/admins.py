"""Tags that only the pages of platform admins need."""

from collections.abc import Sequence
from datetime import datetime

from django import template
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from onboarding import wording
from onboarding.core.history import Day
from onboarding.core.probes import VerdictCode
from onboarding.core.states import State
from onboarding.models import AuditEvent

register = template.Library()

_STEP = 13


@register.simple_tag
def days_chart(days: Sequence[Day]) -> SafeString:
    """A stone for each day, a column for each week, the newest at the right below."""
    lead = days[0].on.weekday() if days else 0
    places = ((divmod(number + lead, 7), day) for number, day in enumerate(days))
    shapes = format_html_join("", "{}", ((_day(week, weekday, day),) for (week, weekday), day in places))
    size = format_html('viewBox="0 0 {} {}"', _STEP * (len(days) + lead + 6) // 7, _STEP * 7)
    return format_html('<svg class="days" {} role="img" aria-label="{}">{}</svg>', size, days_words(days), shapes)


@register.simple_tag
def days_words(days: Sequence[Day]) -> str:
    checks, passed = sum(day.checks for day in days), sum(day.passed for day in days)
    text = ngettext(
        "%(passed)d of %(checks)d check passed in the last thirteen weeks.",
        "%(passed)d of %(checks)d checks passed in the last thirteen weeks.",
        checks,
    )
    return text % {"passed": passed, "checks": checks}


def _day(week: int, weekday: int, day: Day) -> SafeString:
    x, y = week * _STEP + _STEP / 2, weekday * _STEP + _STEP / 2
    told = _("%(day)s: %(passed)d of %(checks)d checks passed") % {
        "day": date_format(day.on, pgettext("date format", "j F Y")),
        "passed": day.passed,
        "checks": day.checks,
    }
    if not day.checks:
        return format_html('<circle class="o" cx="{}" cy="{}" r="1"/>', x, y)
    if day.failed:
        shape = format_html('<path class="r" d="M{} {}h8v9h-8z">', x - 4, y - 4.5)
        return format_html("{}<title>{}</title></path>", shape, told)
    look = "g" if day.passed else "n"
    shape = format_html('<ellipse class="{}" cx="{}" cy="{}" rx="4.6" ry="3.6">', look, x, y)
    return format_html("{}<title>{}</title></ellipse>", shape, told)


@register.filter
def action_words(event: AuditEvent) -> wording.Text:
    return wording.of_action(event.action)


@register.filter
def told_facts(event: AuditEvent) -> list[tuple[wording.Text, str]]:
    """What else the event tells, where it tells anything."""
    facts = event.facts.items()
    return [(wording.of_fact(name), shown) for name, value in facts if (shown := _shown(name, value))]


def _shown(name: str, value: object) -> str:
    if name in {"before", "after"} and value in set(State):
        return str(wording.of_state(str(value)).word)
    if name == "verdict" and value in set(VerdictCode):
        return str(wording.of_verdict(str(value)).word)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    if isinstance(value, str) and (at := _moment(value)):
        return date_format(localtime(at), pgettext("date format", "j F Y, H:i"))
    return str(value or "")


def _moment(text: str) -> datetime | None:
    try:
        at = parse_datetime(text) if len(text) > 20 else None
    except ValueError:
        return None
    return at if at and at.tzinfo else None
