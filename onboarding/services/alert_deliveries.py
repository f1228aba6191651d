"""Sending alerts: by mail, and by webhook."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.utils import timezone

from onboarding import queue, webhooks
from onboarding.core.alerts import AlertKind
from onboarding.core.webhooks import signature
from onboarding.models import Channel, Delivery
from onboarding.services import alert_routes, alert_texts, mailing
from onboarding.services.outbox import NoLongerWanted, Outbox

OUTBOX: Final[Outbox[Delivery]] = Outbox(
    rows=lambda: Delivery.objects.select_related("alert", "person", "partner"),
    task=queue.DELIVER_ALERT,
    patience=lambda _: timedelta(days=7),
)


def deliver(pk: int, *, call: Callable[..., None] = webhooks.call) -> None:
    """One attempt; nothing where another worker holds the claim, or where it has arrived already."""
    OUTBOX.deliver(pk, partial(_send, call=call))


def _send(delivery: Delivery, *, call: Callable[..., None]) -> None:
    if delivery.channel == Channel.WEBHOOK:
        _call(delivery, call)
    else:
        _mail(delivery)


def _call(delivery: Delivery, call: Callable[..., None]) -> None:
    route = alert_routes.current()
    if not route.webhook_url:
        raise NoLongerWanted
    body = json.dumps(alert_texts.payload(delivery), ensure_ascii=False).encode()
    call_id, timestamp = str(delivery.uuid), int(timezone.now().timestamp())
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": f"Tobiishi/{settings.PRODUCT_VERSION}",
        "webhook-id": call_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(
            alert_routes.webhook_key(route), call_id=call_id, timestamp=timestamp, body=body
        ),
    }
    call(alert_routes.webhook_url(route), body, headers, sandbox=settings.SANDBOX)


def _mail(delivery: Delivery) -> None:
    _refuse_unwanted(delivery)
    mailing.send(alert_texts.letter(delivery), to=delivery.place, number=str(delivery.uuid))


def _refuse_unwanted(delivery: Delivery) -> None:
    person, partner = delivery.person, delivery.partner
    if person and not person.is_platform_admin:
        raise NoLongerWanted
    if partner and not partner.is_alerted and delivery.alert.kind != AlertKind.RETIREMENT:
        raise NoLongerWanted
