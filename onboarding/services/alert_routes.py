"""Where alerts go: mail to the admins, and a webhook whose secret is derived, shown once and stored nowhere."""

import secrets

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from onboarding.core.errors import OnboardingError
from onboarding.core.webhooks import WebhookUrl, shown_secret
from onboarding.models import AlertRoute, Partner, Person
from onboarding.services import audit


class NoWebhook(OnboardingError):
    """There is no webhook whose secret could be made anew."""


def current() -> AlertRoute:
    """As it was set up; before that, mail to the admins."""
    return AlertRoute.objects.filter(pk=1).first() or AlertRoute(pk=1)


def webhook_url(route: AlertRoute) -> WebhookUrl:
    return WebhookUrl.parse(route.webhook_url, sandbox=settings.SANDBOX)


def webhook_key(route: AlertRoute) -> bytes:
    """What calls are signed with. Whoever reads the database alone learns nothing of it."""
    return salted_hmac("onboarding.webhook", route.webhook_salt, algorithm="sha256").digest()


@transaction.atomic
def set_mail(*, mails_admins: bool, by: Person) -> None:
    route = _locked()
    if route.mails_admins != mails_admins:
        AlertRoute.objects.filter(pk=route.pk).update(mails_admins=mails_admins)
        audit.append("alert_mail_set", route, at=timezone.now(), by=by, facts={"is_active": mails_admins})


@transaction.atomic
def set_webhook(url: WebhookUrl, *, by: Person) -> str:
    """Gives the secret, which is shown this once: another receiver must not know the last one's."""
    route = _locked()
    secret = _new_secret(route)
    AlertRoute.objects.filter(pk=route.pk).update(webhook_url=str(url))
    audit.append("webhook_set", route, at=timezone.now(), by=by, facts={"to": url.place})
    return secret


@transaction.atomic
def renew_webhook_secret(*, by: Person) -> str:
    """The earlier one signs nothing from now on. Raises `NoWebhook`."""
    route = _locked()
    if not route.webhook_url:
        raise NoWebhook
    secret = _new_secret(route)
    audit.append("webhook_secret_renewed", route, at=timezone.now(), by=by, facts={"to": webhook_url(route).place})
    return secret


@transaction.atomic
def remove_webhook(*, by: Person) -> None:
    route = _locked()
    if route.webhook_url:
        AlertRoute.objects.filter(pk=route.pk).update(webhook_url="", webhook_salt="", webhook_salt_made_at=None)
        audit.append("webhook_removed", route, at=timezone.now(), by=by, facts={"to": webhook_url(route).place})


@transaction.atomic
def set_partner_alerts(partner: Partner, *, is_alerted: bool, by: Person) -> None:
    """Whether the partner's contact gets alerts about their own roles."""
    if Partner.objects.filter(pk=partner.pk).exclude(is_alerted=is_alerted).update(is_alerted=is_alerted):
        audit.append("partner_alerts_set", partner, at=timezone.now(), by=by, facts={"is_active": is_alerted})


def _new_secret(route: AlertRoute) -> str:
    route.webhook_salt = secrets.token_hex(32)
    AlertRoute.objects.filter(pk=route.pk).update(webhook_salt=route.webhook_salt, webhook_salt_made_at=timezone.now())
    return shown_secret(webhook_key(route))


def _locked() -> AlertRoute:
    AlertRoute.objects.get_or_create(pk=1)
    return AlertRoute.objects.select_for_update().get(pk=1)
