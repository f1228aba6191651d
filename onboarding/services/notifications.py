"""Mails, in the language of whoever reads them: each as plain text and as HTML."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from onboarding.models import Invitation, Mail, Person
from onboarding.services import mailing
from onboarding.services.mailing import Letter
from onboarding.services.outbox import NoLongerWanted


def mail_link(mail: Mail, link_token: str, *, expires_at: datetime) -> None:
    """To the partner's registered address, and to no other. Raises `MailUnavailable`."""
    facts = {"link": link_address(link_token), "expires_at": expires_at}
    _mail_partner("link", mail, facts)


def mail_code(mail: Mail, code: str) -> None:
    """To the partner's registered address, and to no other. Raises `MailUnavailable`."""
    _mail_partner("code", mail, {"code": f"{code[:4]} {code[4:]}"})


def mail_reminder(mail: Mail) -> None:
    """To one admin, while the link is one that ends unused. Raises `NoLongerWanted`, `MailUnavailable`."""
    still_waits = Invitation.objects.usable(timezone.now()).waiting_for_partner().filter(pk=mail.invitation_id)
    if not still_waits.exists():
        raise NoLongerWanted
    _mail_admin("reminder", mail, {"expires_at": mail.invitation.expires_at})


def mail_withdrawal(mail: Mail) -> None:
    """To one admin. Raises `NoLongerWanted`, `MailUnavailable`."""
    role = mail.external_role
    if role is None:
        raise NoLongerWanted
    _mail_admin("withdrawal", mail, {"role": role, "at": role.withdrawn_at or mail.asked_at})


def link_address(link_token: str) -> str:
    """The address that the partner opens; it is shown or mailed, and stored nowhere."""
    return f"{settings.PUBLIC_URL}/i/{link_token}"


def _mail_partner(name: str, mail: Mail, facts: Mapping[str, object]) -> None:
    partner = mail.invitation.account.partner
    with translation.override(partner.mail_language):
        # What opens is new in each try, and so must be the mail: a server that had one already would keep the old one.
        _send(name, mail, facts, to=partner.contact_email, number=f"{mail.uuid}.{mail.attempts}")


def _mail_admin(name: str, mail: Mail, facts: Mapping[str, object]) -> None:
    """Only while they are one."""
    admin = mail.to
    if not (isinstance(admin, Person) and admin.is_platform_admin):
        raise NoLongerWanted
    account = f"{settings.PUBLIC_URL}/admin/partners/accounts/{mail.invitation.account.uuid}/"
    with translation.override(admin.language or settings.LANGUAGE_CODE), timezone.override(admin.time_zone or None):
        _send(name, mail, {**facts, "admin": admin, "account_address": account}, to=admin.email, number=str(mail.uuid))


def _send(name: str, mail: Mail, facts: Mapping[str, object], *, to: str, number: str) -> None:
    context = {
        "invitation": mail.invitation,
        "account": mail.invitation.account,
        "partner": mail.invitation.account.partner,
        "organization": settings.ORGANIZATION_NAME,
        "contact_name": settings.CONTACT_NAME,
        "contact_email": settings.CONTACT_EMAIL,
        **{key: mailing.in_words(fact) if isinstance(fact, datetime) else fact for key, fact in facts.items()},
    }
    subject = mailing.subject_line(render_to_string(f"emails/{name}_subject.txt", context))
    letter = Letter(
        subject=subject,
        text=render_to_string(f"emails/{name}.txt", context),
        html=render_to_string(f"emails/{name}.html", {**context, "subject": subject}),
    )
    mailing.send(letter, to=to, number=number)
