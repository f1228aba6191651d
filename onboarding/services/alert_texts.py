"""An alert as a mail and as JSON: its words, the list of its roles, and nothing of other partners in a partner's."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from onboarding.core.alerts import AlertKind
from onboarding.core.webhooks import slack_text
from onboarding.models import Alert, AlertEntry, Bastion, Delivery, Invitation, Partner
from onboarding.services import alert_words, mailing
from onboarding.services.alert_words import Facts, Words
from onboarding.services.mailing import Letter

# A longer list is read by nobody, and the page has it all.
_MOST_IN_A_LIST = 500
# Slack cuts a message at 40,000 characters.
_MOST_IN_A_TEXT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One role of the list."""

    role: str
    role_arn: str
    account: str
    partner: str
    state: str
    since: str
    detail: str
    url: str


def letter(delivery: Delivery) -> Letter:
    """In the language and the time zone of whoever reads it."""
    person, partner = delivery.person, delivery.partner
    language = (person.language if person else partner.mail_language if partner else "") or settings.LANGUAGE_CODE
    zone = (person.time_zone if person else "") or settings.TIME_ZONE
    with translation.override(language), timezone.override(zone):
        context = _context(delivery)
        subject = mailing.subject_line(render_to_string("emails/alert_subject.txt", context))
        return Letter(
            subject=subject,
            text=render_to_string("emails/alert.txt", context),
            html=render_to_string("emails/alert.html", {**context, "subject": subject}),
        )


def payload(delivery: Delivery) -> dict[str, Any]:
    """`text` is what Slack and its like show; the rest is for machines."""
    alert = delivery.alert
    with translation.override(settings.LANGUAGE_CODE), timezone.override(settings.TIME_ZONE):
        context = _context(delivery)
        text = render_to_string("emails/alert_webhook.txt", {**context, "hits": context["hits"][:_MOST_IN_A_TEXT]})
    return {
        "id": str(delivery.uuid),
        "alert": str(alert.uuid),
        "kind": alert.kind,
        "at": alert.opened_at.isoformat(),
        "portal": settings.PUBLIC_URL,
        "url": context["page"],
        "text": slack_text(text.strip()),
        "mrkdwn": False,
        "count": context["count"],
        "roles": [asdict(hit) for hit in context["hits"]],
    }


def words_of(alert: Alert) -> Words:
    """As an admin reads it, in the language that is active."""
    entries = alert.entries.with_owner()
    return alert_words.for_admin(AlertKind(alert.kind), _facts(alert, list(entries[:_MOST_IN_A_LIST]), entries.count()))


def _context(delivery: Delivery) -> dict[str, Any]:
    alert, partner = delivery.alert, delivery.partner
    entries = _entries(alert, partner)
    listed, count = list(entries[:_MOST_IN_A_LIST]), entries.count()
    facts = _facts(alert, listed, count)
    said = alert_words.for_partner if partner else alert_words.for_admin
    return {
        "words": said(AlertKind(alert.kind), facts),
        "hits": [_hit(entry) for entry in listed],
        "count": count,
        "partner": partner,
        "organization": settings.ORGANIZATION_NAME,
        "contact_name": settings.CONTACT_NAME,
        "contact_email": settings.CONTACT_EMAIL,
        "page": f"{settings.PUBLIC_URL}{reverse('onboarding:admins:alert', args=[alert.uuid])}",
        "link": _link(entries) if partner else None,
        "now": timezone.now(),
    }


def _entries(alert: Alert, partner: Partner | None) -> QuerySet[AlertEntry]:
    """A partner reads of their own roles, and of nobody else's."""
    entries = alert.entries.with_owner()
    return entries.filter(external_role__account__partner=partner) if partner else entries


def _facts(alert: Alert, listed: list[AlertEntry], count: int) -> Facts:
    first = listed[0].external_role if listed else None
    bastion = Bastion.objects.filter(pk=alert.facts["bastion"]).first() if "bastion" in alert.facts else None
    since = alert.facts.get("since")
    return Facts(
        count=count,
        organization=settings.ORGANIZATION_NAME,
        role=first.role_name if first else "",
        partner=first.account.partner.name if first else "",
        account=first.account.number.grouped if first else "",
        bastion=bastion.name if bastion else "",
        permission_set=alert.facts.get("permission_set", ""),
        detail="; ".join(sorted({entry.detail for entry in listed if entry.detail})[:5]),
        since=mailing.in_words(datetime.fromisoformat(since)) if since else "",
        by=alert.facts.get("by", ""),
    )


def _hit(entry: AlertEntry) -> Hit:
    role = entry.external_role
    return Hit(
        role=role.role_name,
        role_arn=role.role_arn,
        account=role.account.account_id,
        partner=role.account.partner.name,
        state=role.state,
        since=entry.at.isoformat(timespec="seconds"),
        detail=entry.detail,
        url=f"{settings.PUBLIC_URL}{reverse('onboarding:admins:role', args=[role.uuid])}",
    )


def _link(entries: QuerySet[AlertEntry]) -> Invitation | None:
    """The link that the partner holds; its token is stored nowhere, so a mail can only name it."""
    accounts = entries.values("external_role__account")
    return Invitation.objects.filter(account__in=accounts, revoked_at=None).order_by("-expires_at").first()
