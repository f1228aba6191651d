"""What every list shares: filters that live in the address, and pages that keep them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext as _

from onboarding.paging import Page
from onboarding.wording import Text

_PAGING = {"after", "before"}
# Longer searches find nothing, and cost.
_LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class Chip:
    label: Text
    url: str
    count: int | None
    current: bool


def searched(request: HttpRequest, name: str = "q") -> str:
    """What was typed into the search box; a NUL, which PostgreSQL refuses, is no text."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:_LONGEST_SEARCH]


def chosen(request: HttpRequest, name: str, known: Mapping[str, Any]) -> str:
    """A filter's value, or empty where the address names one that does not exist."""
    value = request.GET.get(name, "")
    return value if value in known else ""


def address(request: HttpRequest, **changes: str) -> str:
    """This list with other filters, from its first page on."""
    kept = {name: value for name, value in request.GET.items() if name not in _PAGING}
    return "?" + urlencode({name: value for name, value in (kept | changes).items() if value})


def chips(
    request: HttpRequest, name: str, labels: Mapping[str, Text], counts: Mapping[str, int] | None = None
) -> list[Chip]:
    current = chosen(request, name, labels)
    counts = counts or {}
    everything = Chip(_("All"), address(request, **{name: ""}), counts.get(""), not current)
    return [
        everything,
        *(
            Chip(label, address(request, **{name: key}), counts.get(key), key == current)
            for key, label in labels.items()
        ),
    ]


class Cursor(TypedDict):
    after: str
    before: str


def cursor(request: HttpRequest) -> Cursor:
    return {"after": request.GET.get("after", ""), "before": request.GET.get("before", "")}


def pager(request: HttpRequest, page: Page[Any]) -> dict[str, str]:
    return {
        "next_url": address(request, after=page.next) if page.next else "",
        "previous_url": address(request, before=page.previous) if page.previous else "",
    }
