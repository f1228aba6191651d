"""Alerts: where they go, what was told lately, and whether it has arrived."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from onboarding import paging
from onboarding.forms.admins.alerts import AlertMailForm, WebhookForm
from onboarding.models import Alert, Delivery, Partner, Person
from onboarding.permissions import PersonRequest, platform_admin_required
from onboarding.services import alert_routes, alert_texts
from onboarding.services import alerts as service
from onboarding.views.admins import lists
from onboarding.views.admins.answers import tell

_LATELY = 12


@platform_admin_required
@require_safe
def alerts(request: PersonRequest) -> HttpResponse:
    return _page(request, WebhookForm())


@platform_admin_required
@require_safe
def alert(request: PersonRequest, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(Alert, uuid=uuid)
    page = paging.page(found.entries.with_owner(), by="pk", **lists.cursor(request))
    context = {
        "alert": found,
        "words": alert_texts.words_of(found),
        "rows": page.rows,
        "deliveries": found.deliveries.select_related("person", "partner"),
        **lists.pager(request, page),
    }
    return render(request, "admins/alert.html", context)


@platform_admin_required
@require_POST
def set_mail(request: PersonRequest) -> HttpResponse:
    form = AlertMailForm(request.POST)
    wanted = form.is_valid() and form.cleaned_data["mails_admins"]
    alert_routes.set_mail(mails_admins=wanted, by=request.user)
    messages.success(
        request, _("Every platform admin gets alerts by mail.") if wanted else _("No admin gets alerts by mail.")
    )
    return redirect("onboarding:admins:alerts")


@platform_admin_required
@require_POST
def set_webhook(request: PersonRequest) -> HttpResponse:
    form = WebhookForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    secret = alert_routes.set_webhook(form.cleaned_data["url"], by=request.user)
    return _secret(request, secret)


@platform_admin_required
@require_POST
def renew_secret(request: PersonRequest) -> HttpResponse:
    made: list[str] = []
    done = _("The webhook has another secret. The earlier one signs nothing any more.")
    if tell(request, lambda: made.append(alert_routes.renew_webhook_secret(by=request.user)), done=done):
        return _secret(request, made[0])
    return redirect("onboarding:admins:alerts")


@platform_admin_required
@require_POST
def remove_webhook(request: PersonRequest) -> HttpResponse:
    done = _("The webhook is removed. What had not arrived there is not sent any more.")
    tell(request, lambda: alert_routes.remove_webhook(by=request.user), done=done)
    return redirect("onboarding:admins:alerts")


@platform_admin_required
@require_POST
def send_test(request: PersonRequest) -> HttpResponse:
    done = _("A test alert is on its way to every place below. Its outcome shows here within moments.")
    tell(request, lambda: service.send_test(by=request.user), done=done)
    return redirect("onboarding:admins:alerts")


@platform_admin_required
@require_POST
def set_partner(request: PersonRequest, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(Partner, uuid=uuid)
    wanted = request.POST.get("wanted") == "1"
    alert_routes.set_partner_alerts(found, is_alerted=wanted, by=request.user)
    done = _("%(email)s gets alerts about their own roles.") if wanted else _("%(email)s gets no alerts.")
    messages.success(request, done % {"email": found.contact_email})
    return redirect("onboarding:admins:partner", uuid)


def _page(request: PersonRequest, form: WebhookForm) -> HttpResponse:
    route = alert_routes.current()
    page = paging.page(Alert.objects.counted(), by="-opened_at", size=_LATELY, **lists.cursor(request))
    context: dict[str, Any] = {
        "route": route,
        "webhook": alert_routes.webhook_url(route).place if route.webhook_url else "",
        "mail_form": AlertMailForm(initial={"mails_admins": route.mails_admins}),
        "webhook_form": form,
        "admins": Person.objects.platform_admins().count(),
        "rows": page.rows,
        "deliveries": Delivery.objects.select_related("alert")[:_LATELY],
        **lists.pager(request, page),
    }
    return render(request, "admins/alerts.html", context)


def _secret(request: PersonRequest, secret: str) -> HttpResponse:
    """Shown in this answer, which no cache keeps, and never again."""
    return render(request, "admins/webhook_secret.html", {"secret": secret})
