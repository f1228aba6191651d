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
from onboarding.core.probes import VerdictCode
from onboarding.core.states import State
from onboarding.models import AuditEvent, Validation

register = template.Library()

_STEP = 10.4
_NOTHING_LEARNT = {VerdictCode.OUR_TROUBLE, VerdictCode.INCONCLUSIVE, VerdictCode.SUPERSEDED}


@register.simple_tag
def spark(validations: Sequence[Validation]) -> SafeString:
    """Stones in a row, newest at the right: a stone for what passed, a block for what failed."""
    places = ((place * _STEP + 4, validation) for place, validation in enumerate(validations))
    shapes = format_html_join("", "{}", ((_shape(x, 22 - 3 * (place % 2), v),) for place, (x, v) in enumerate(places)))
    html = (
        '<svg class="spark" viewBox="0 0 {} 32" preserveAspectRatio="xMinYMid meet" role="img" aria-label="{}">{}</svg>'
    )
    return format_html(html, 30 * _STEP, spark_words(validations), shapes)


@register.simple_tag
def spark_words(validations: Sequence[Validation]) -> str:
    passed = sum(validation.verdict == VerdictCode.PROVEN for validation in validations)
    text = ngettext(
        "%(passed)d of the last %(count)d validation passed.",
        "%(passed)d of the last %(count)d validations passed.",
        len(validations),
    )
    return text % {"passed": passed, "count": len(validations)}


def _shape(x: float, y: int, validation: Validation) -> SafeString:
    if validation.verdict == VerdictCode.PROVEN:
        return format_html('<ellipse class="g" cx="{}" cy="{}" rx="3.9" ry="3"/>', round(x, 1), y)
    if validation.verdict in _NOTHING_LEARNT:
        return format_html('<ellipse class="n" cx="{}" cy="{}" rx="3.4" ry="2.5"/>', round(x, 1), y)
    return format_html('<path class="r" d="M{} 10h8v16h-8z"/>', round(x - 4, 1))


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
