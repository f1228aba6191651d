"""Sending what alerts have put into the outbox: at least once, with growing gaps, and never again once acknowledged."""

import json
from collections.abc import Callable
from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from onboarding import queue, webhooks
from onboarding.core import alerts
from onboarding.core.alerts import AlertKind
from onboarding.core.webhooks import signature
from onboarding.models import Channel, Delivery
from onboarding.models.alert import DeliveryQuerySet
from onboarding.services import alert_routes, alert_texts, mailing
from onboarding.services.mailing import MailUnavailable
from onboarding.webhooks import CallFailed

log = structlog.get_logger(__name__)

# Longer than the slowest call and the task's hard time limit: only a worker that is gone loses its claim.
LEASE = timedelta(seconds=150)
# How long the broker may hold a task before the sweeper takes it for lost.
_LOST_AFTER = timedelta(seconds=60)
_CHUNK = 200


class _NoLongerWanted(Exception):
    """The webhook was removed meanwhile, the person is no admin any more, or the partner was let alone."""


def deliver(pk: int, *, call: Callable[..., None] = webhooks.call) -> None:
    """One attempt; nothing where another worker holds the claim, or where it has arrived already."""
    delivery = _claim(pk)
    if delivery is None:
        return
    try:
        if delivery.channel == Channel.WEBHOOK:
            _call(delivery, call)
        else:
            _mail(delivery)
    except (MailUnavailable, CallFailed) as trouble:
        _try_later(delivery, str(trouble))
    except _NoLongerWanted:
        _give_up(delivery, "no longer wanted")
    else:
        # Whoever else may hold a claim by now: it has arrived, and is never sent again.
        Delivery.objects.filter(pk=pk).update(acknowledged_at=timezone.now(), claimed_until=None, trouble="")


def queue_due() -> None:
    """What is due for another try, and what the broker lost; for the sweeper."""
    now = timezone.now()
    due = Delivery.objects.to_queue(now, lost_before=now - _LOST_AFTER).order_by("next_try_at")
    keys = list(due.values_list("pk", flat=True)[:_CHUNK])
    Delivery.objects.filter(pk__in=keys).update(queued_at=now)
    for pk in keys:
        if not queue.send(queue.DELIVER_ALERT, pk):
            return


def _claim(pk: int) -> Delivery | None:
    """Counts the attempt and plans the next one at once: one that takes its worker along must not be tried for ever."""
    now = timezone.now()
    free = Delivery.objects.claimable(now).filter(pk=pk)
    delivery = free.select_related("alert", "person", "partner").first()
    if delivery is None:
        return None
    if alerts.is_given_up(attempts=delivery.attempts, made_at=delivery.made_at, at=now):
        _give_up(delivery, delivery.trouble)
        return None
    attempts = delivery.attempts + 1
    claim = {
        "attempts": attempts,
        "claimed_until": now + LEASE,
        "next_try_at": alerts.next_try(attempts=attempts, at=now),
    }
    if not free.filter(attempts=delivery.attempts).update(**claim):
        return None
    delivery.attempts, delivery.claimed_until = attempts, now + LEASE
    return delivery


def _call(delivery: Delivery, call: Callable[..., None]) -> None:
    route = alert_routes.current()
    if not route.webhook_url:
        raise _NoLongerWanted
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
        raise _NoLongerWanted
    if partner and not partner.is_alerted and delivery.alert.kind != AlertKind.RETIREMENT:
        raise _NoLongerWanted


def _try_later(delivery: Delivery, trouble: str) -> None:
    log.warning("alert_not_delivered", delivery=delivery.pk, channel=delivery.channel, trouble=trouble)
    _ours(delivery).update(trouble=trouble[:100], claimed_until=None)


def _give_up(delivery: Delivery, trouble: str) -> None:
    _ours(delivery).update(given_up_at=timezone.now(), trouble=trouble[:100], claimed_until=None)


def _ours(delivery: Delivery) -> DeliveryQuerySet:
    """The row, while our claim holds: a lease that ran out leaves the word to whoever took it over."""
    return Delivery.objects.under_way().filter(pk=delivery.pk, claimed_until=delivery.claimed_until)
