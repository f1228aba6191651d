"""The components of `tests/front/templates/components.html`: markup only, every word escaped."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.forms import BaseForm, BoundField
from django.forms.widgets import CheckboxInput
from django.template import loader
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from onboarding import wording

register = template.Library()

# --- Signs --------------------------------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str) -> SafeString:
    """Decoration: a word must stand beside it."""
    return format_html(
        '<svg class="i" aria-hidden="true"><use href="{}#i-{}"/></svg>', static("onboarding/icons.svg"), name
    )


@register.filter
def grouped(account_id: object) -> SafeString:
    """An account ID in groups of four; style sheet and browser leave the gaps out of what is copied."""
    groups = ((group,) for group in re.findall(r".{1,4}", str(account_id)))
    return format_html('<span class="account">{}</span>', format_html_join(SafeString("<i> </i>"), "{}", groups))


@register.simple_tag
def stones(state: str, used: bool = False) -> SafeString:
    found = wording.path_of(state, used=used)
    label = _("%(laid)d of 5 stones laid, stone 4 is cracked") if found.cracked else _("%(laid)d of 5 stones laid")
    html = '<span class="path" data-at="{}" role="img" aria-label="{}"><i></i><i></i><i></i>{}<i></i></span>'
    fourth = SafeString('<i class="crack"></i>' if found.cracked else "<i></i>")
    return format_html(html, found.laid, label % {"laid": found.laid}, fourth)


@register.simple_tag
def path(state: str, used: bool = False, word: str = "", tone: str = "") -> SafeString:
    """The stones and the state's word; `word` and `tone` say more than the state alone can."""
    found = wording.of_state(state, used=used)
    html = '<span class="nowrap">{}<span class="state {}">{}</span></span>'
    return format_html(html, stones(state, used), tone or found.tone, word or found.word)


@register.inclusion_tag("partials/walk.html")
def walk(state: str, used: bool = False, facts: Sequence[str] = ()) -> dict[str, object]:
    """The long path; `facts` are up to five lines, one for each stone."""
    told = [*facts, *[""] * (len(wording.STONES) - len(facts))]
    return {"steps": list(zip(wording.path_of(state, used=used).looks, wording.STONES, told, strict=True))}


@register.inclusion_tag("partials/walk_counts.html")
def walk_counts(counts: Sequence[int], facts: Sequence[str] = ()) -> dict[str, object]:
    """How many roles have come to each stone."""
    looks = ["laid"] * 3 + ["moss"] * 2
    told = [*facts, *[""] * (len(wording.STONES) - len(facts))]
    return {"steps": list(zip(looks, counts, wording.STONES, told, strict=True))}


@register.simple_tag
def says(word: wording.Text, tone: str, sign: str) -> SafeString:
    """A state that only this page knows: `sign` and word in `tone` (ok, warn, bad, wait)."""
    return format_html('<span class="state {}">{} {}</span>', tone, icon(sign), word)


@register.simple_tag
def state(value: str, used: bool = False) -> SafeString:
    found = wording.of_state(value, used=used)
    return says(found.word, found.tone, found.icon)


@register.simple_tag
def verdict(code: str) -> SafeString:
    found = wording.of_verdict(code)
    return says(found.word, found.tone, found.icon)


@register.simple_tag
def alert(kind: str) -> SafeString:
    found = wording.of_alert(kind)
    return says(found.word, found.tone, found.icon)


# --- Times --------------------------------------------------------------------------------------------------------


@register.simple_tag
def moment(at: datetime, *, exact: bool = False) -> SafeString:
    """A time in the reader's zone, in the words of today where it is near; `exact` always gives the date."""
    local = timezone.localtime(at)
    full = date_format(local, pgettext("date format", "j F Y, H:i"))
    words = full if exact else _near(local, now=timezone.localtime()) or full
    html = '<time class="nowrap" datetime="{}" title="{} {}">{}</time>'
    return format_html(html, at.isoformat(timespec="seconds"), full, local.tzname(), words)


def _near(at: datetime, *, now: datetime) -> str:
    since = now - at
    if timedelta(0) <= since < timedelta(minutes=1):
        return _("just now")
    if timedelta(0) <= since < timedelta(hours=1):
        minutes = int(since.total_seconds() // 60)
        return ngettext("%(minutes)d min ago", "%(minutes)d min ago", minutes) % {"minutes": minutes}
    days = {0: _("%(time)s today"), -1: _("%(time)s yesterday"), 1: _("%(time)s tomorrow")}
    pattern = days.get((at.date() - now.date()).days, "")
    if pattern:
        return pattern % {"time": date_format(at, "H:i")}
    return date_format(at, pgettext("date format", "j M, H:i")) if at.year == now.year else ""


@register.filter
def duration(value: timedelta) -> str:
    """The two largest units, as in "2 d 3 h", "8 h 46 min" or "41 s"."""
    units = {_("%(n)d d"): 86_400, _("%(n)d h"): 3_600, _("%(n)d min"): 60, _("%(n)d s"): 1}
    left, counts = max(int(value.total_seconds()), 0), []
    for size in units.values():
        count, left = divmod(left, size)
        counts.append(count)
    largest = next((place for place, count in enumerate(counts) if count), len(counts) - 1)
    parts = [pattern % {"n": count} if count else "" for pattern, count in zip(units, counts, strict=True)]
    return " ".join(filter(None, parts[largest : largest + 2])) or _("%(n)d s") % {"n": 0}


# --- Code ---------------------------------------------------------------------------------------------------------

_MARKS = {"", "add", "del", "hot", "live", "gap"}
_COLOURS = re.compile(
    r"""(?P<c>^[ ]*\#.*)            # a comment
      | (?P<h>^\[[^\]]+\]$)         # a section of an INI file
      | (?P<k>"[^"]*"(?=[ ]*:)      # a key in JSON
          | ^[ -]*[\w:.]+(?=[ ]*[=:](?:[ ]|$))  # in YAML, INI, HCL
          | (?<=[ ])--[\w-]+)       # an option
      | (?P<s>"[^"]*"               # a string
          | (?<=[a-z_][ ]=[ ])[^\s"{].*$)  # a value in INI
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Line:
    number: int | str
    mark: str
    html: SafeString


@register.inclusion_tag("partials/code_figure.html")
def code_figure(
    text: str,
    name: str = "",
    *,
    marks: Mapping[int, str] | None = None,
    first: int = 1,
    plain: bool = False,
    copyable: bool = True,
    download_url: str = "",
    copied_url: str = "",
) -> dict[str, object]:
    """`text` as it is copied. `marks` gives a line, by its number, a class: add, del, hot, live or gap."""
    marks = marks or {}
    if unknown := set(marks.values()) - _MARKS:
        raise template.TemplateSyntaxError(f"Unknown marks: {unknown}")
    lines = [
        _Line("" if marks.get(number) == "gap" else number, marks.get(number, ""), _coloured(line))
        # As `str.splitlines` would not: only a line feed ends a line of JSON.
        for number, line in enumerate(text.removesuffix("\n").split("\n"), start=first)
    ]
    return {
        "lines": lines,
        "name": name,
        "plain": plain,
        "copyable": copyable,
        "download_url": download_url,
        "copied_url": copied_url,
    }


def _coloured(line: str) -> SafeString:
    pieces: list[SafeString] = []
    end = 0
    for match in _COLOURS.finditer(line):
        pieces += [
            format_html("{}", line[end : match.start()]),
            format_html('<span class="{}">{}</span>', match.lastgroup, match[0]),
        ]
        end = match.end()
    return format_html_join("", "{}", ((piece,) for piece in [*pieces, line[end:]]))


@register.inclusion_tag("partials/copy_button.html")
def copy_button(
    text: str = "", label: str = "", *, source: str = "", copied_url: str = "", look: str = "tiny bare"
) -> dict[str, object]:
    """Copies `text`, or what the element with the id `source` holds."""
    label = label or _("Copy")
    return {"text": text, "label": label, "source": source, "copied_url": copied_url, "look": look}


# --- Forms --------------------------------------------------------------------------------------------------------


@register.inclusion_tag("partials/field.html")
def field(bound: BoundField, label: str = "", hint: str = "", *, wide: bool = False) -> dict[str, object]:
    """Label, control, and below it error and hint; the form's own label and `help_text` are the usual ones."""
    bound.label = label or bound.label
    bound.help_text = hint or bound.help_text
    # What only repeats the label says nothing to those who see both.
    if bound.field.widget.attrs.get("placeholder") == bound.label:
        del bound.field.widget.attrs["placeholder"]
    return {"field": bound, "wide": wide, "is_tick": isinstance(bound.field.widget, CheckboxInput)}


@register.inclusion_tag("partials/form_errors.html")
def form_errors(form: BaseForm, title: str = "") -> dict[str, object]:
    """The summary above a form that was not saved; it takes focus. Nothing where there is no error."""
    found = [
        (form[name] if name in form.fields else None, text) for name, texts in form.errors.items() for text in texts
    ]
    counted = ngettext("Not saved yet: one thing needs you", "Not saved yet: %(count)d things need you", len(found))
    return {"errors": found, "title": title or counted % {"count": len(found)}}


@register.inclusion_tag("partials/search_box.html")
def search_box(label: str, value: str = "", placeholder: str = "", name: str = "q") -> dict[str, object]:
    """The control alone: the page wraps it in its `<form role="search">`."""
    return {"label": label, "value": value, "placeholder": placeholder, "name": name}


@register.simple_block_tag(takes_context=True)
def confirm(context: Context, content: SafeString, action: str, ask: str, do: str) -> str:
    """An action that asks once: `ask` opens it, the content says what happens, and `do` posts to `action`."""
    shown = {"content": content, "action": action, "ask": ask, "do": do, "csrf_token": context.get("csrf_token")}
    return loader.render_to_string("partials/confirm.html", shown)


# --- Lists and notices --------------------------------------------------------------------------------------------


@register.inclusion_tag("partials/chips.html")
def chips(filters: Iterable[object], label: str) -> dict[str, object]:
    """Filters as links: each has `label`, `url`, `count` (or None) and `current`."""
    return {"filters": filters, "label": label}


@register.inclusion_tag("partials/pager.html")
def pager(previous_url: str = "", next_url: str = "", text: str = "") -> dict[str, object]:
    return {"previous_url": previous_url, "next_url": next_url, "text": text}


@register.inclusion_tag("partials/empty.html")
def empty(title: str, why: str, url: str = "", step: str = "") -> dict[str, object]:
    """Why there is nothing here, whether that is good, and one step."""
    return {"title": title, "why": why, "url": url, "step": step}


@register.simple_block_tag
def note(content: SafeString) -> SafeString:
    """An aside worth a pause: two sentences at most."""
    return format_html('<div class="note">{}</div>', content)


_FLASH = {"error": ("bad", "cross"), "warning": ("warn", "warn")}


@register.inclusion_tag("partials/flash.html")
def flash(text: str, level: str = "success", url: str = "", step: str = "") -> dict[str, object]:
    """One line after an action; `level` is a message's `level_tag`."""
    tone, sign = _FLASH.get(level, ("", "check"))
    return {"text": text, "tone": tone, "icon": sign, "url": url, "step": step}


# --- The main navigation ------------------------------------------------------------------------------------------

_ADMIN_PAGES = {
    "onboarding:admins:overview": gettext_lazy("Overview"),
    "onboarding:admins:partners": gettext_lazy("Partners"),
    "onboarding:admins:roles": gettext_lazy("Roles"),
    "onboarding:admins:validations": gettext_lazy("Validations"),
    "onboarding:admins:alerts": gettext_lazy("Alerts"),
    "onboarding:admins:audit": gettext_lazy("Audit log"),
    "onboarding:admins:people": gettext_lazy("People"),
    "onboarding:admins:bastions": gettext_lazy("Bastion"),
}
_EVERYONES_PAGES = {
    "onboarding:employees:access": gettext_lazy("My access"),
    "onboarding:help": gettext_lazy("Help"),
    "onboarding:settings": gettext_lazy("Settings"),
}


@register.inclusion_tag("partials/main_nav.html", takes_context=True)
def main_nav(context: dict[str, Any]) -> dict[str, object]:
    """The pages of the reader's audience. The one whose address begins this one's is marked."""
    request = context["request"]
    pages = {**(_ADMIN_PAGES if request.user.is_platform_admin else {}), **_EVERYONES_PAGES}
    if request.user.is_platform_admin:
        del pages["onboarding:help"]
    urls = {reverse(name): label for name, label in pages.items()}
    here = max((url for url in urls if request.path.startswith(url)), key=len, default="")
    current = "page" if here == request.path else "true"
    return {"items": [(url, label, current if url == here else "") for url, label in urls.items()]}
