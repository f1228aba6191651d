"""How long each role was proven: as a page, as CSV and as JSON; of all partners or of one."""

from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from onboarding import paging, reports, wording
from onboarding.core.history import Span
from onboarding.models import ExternalRole, Partner
from onboarding.models.partner import ExternalRoleQuerySet
from onboarding.permissions import PersonRequest, platform_admin_required
from onboarding.services import history
from onboarding.services.history import Line
from onboarding.views.admins import lists

# Thinning leaves what is counted over these countable.
_TIMES: dict[str, wording.Text] = {"30": _("30 days"), "90": _("90 days"), "365": _("A year"), "all": _("Everything")}
_DAYS = {"30": 30, "90": 90, "365": 365, "all": None}
_USUAL = "90"


@platform_admin_required
@require_safe
def report(request: PersonRequest, uuid: UUID | None = None) -> HttpResponse:
    partner, chosen = _partner(uuid), _chosen(request)
    within = history.span_of(_DAYS[chosen])
    page = paging.page(_roles(partner).with_owner(), by="role_name", **lists.cursor(request))
    context = {
        "partner": partner,
        "since": within.start if _DAYS[chosen] else None,
        "times": [
            lists.Chip(label, lists.address(request, time=key), None, key == chosen) for key, label in _TIMES.items()
        ],
        "time": chosen,
        "lines": history.report(page.rows, within),
        **lists.pager(request, page),
    }
    return render(request, "admins/report.html", context)


@platform_admin_required
@require_safe
def report_csv(request: PersonRequest, uuid: UUID | None = None) -> StreamingHttpResponse:
    return _file(request, _partner(uuid), reports.csv_lines, "csv", "text/csv; charset=utf-8")


@platform_admin_required
@require_safe
def report_json(request: PersonRequest, uuid: UUID | None = None) -> StreamingHttpResponse:
    return _file(request, _partner(uuid), reports.json_lines, "json", "application/json")


def _file(
    request: PersonRequest,
    partner: Partner | None,
    text: Callable[[Iterable[Line], Span], Iterator[str]],
    ending: str,
    kind: str,
) -> StreamingHttpResponse:
    within = history.span_of(_DAYS[_chosen(request)])
    stem = f"proven-{partner.slug}" if partner else "proven"
    disposition = content_disposition_header(as_attachment=True, filename=f"{stem}-{within.end:%Y-%m-%d}.{ending}")
    lines = text(history.whole_report(_roles(partner), within), within)
    return StreamingHttpResponse(lines, content_type=kind, headers={"Content-Disposition": disposition})


def _chosen(request: PersonRequest) -> str:
    return lists.chosen(request, "time", _TIMES) or _USUAL


def _partner(uuid: UUID | None) -> Partner | None:
    return get_object_or_404(Partner, uuid=uuid) if uuid else None


def _roles(partner: Partner | None) -> ExternalRoleQuerySet:
    """Every role that was ever returned, the retired ones included."""
    roles = ExternalRole.objects.exclude(role_arn="")
    return roles.filter(account__partner=partner) if partner else roles
