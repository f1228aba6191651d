"""Mails that an admin sends by hand to a partner: plain text, ready to copy, in the partner's language."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from onboarding import doctor_messages, messages, verdicts
from onboarding.core.doctor import Finding
from onboarding.core.probes import UNSAFE, VerdictCode
from onboarding.models import ExternalRole, Invitation, Partner, Validation
from onboarding.services.diagnosis import ReadPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    to: str
    language: str
    subject: str
    body: str

    @property
    def text(self) -> str:
        with translation.override(self.language):
            return _("Subject: %(subject)s") % {"subject": self.subject} + f"\n\n{self.body}"

    @property
    def mailto(self) -> str:
        return f"mailto:{quote(self.to)}?subject={quote(self.subject)}&body={quote(self.body)}"


def remedy_letter(role: ExternalRole, last: Validation, *, language: str, policy: ReadPolicy | None = None) -> Letter:
    """What the last validation found, and what the partner can do about it; with the policy corrected where one was
    read.
    """
    with translation.override(language):
        partner = role.account.partner
        found = verdicts.explain(role, last, policy)
        corrected = _corrected(policy) if policy else ""
        paragraphs = [
            _greeting(partner),
            _("at %(time)s we tried the role %(role)s in your account %(account)s.")
            % {"time": _moment(last), "role": role.role_name, "account": role.account.number.grouped},
            found.happened,
            found.certain if last.verdict == VerdictCode.DENIED else "",
            _("What to do:") + "\n" + _numbered(found.remedy),
            corrected or (_("It must hold these lines:") + f"\n\n{_condition(role)}" if last.verdict in UNSAFE else ""),
            _regards(),
        ]
        happened = messages.explain(role, last).happened
        subject = _("%(role)s: %(happened)s") % {"role": role.role_name, "happened": happened}
        return _letter(partner, language, subject, paragraphs)


def findings_letter(role: ExternalRole, policy: ReadPolicy, *, language: str) -> Letter:
    """What is wrong with the trust policy that was read, where no validation has said anything yet."""
    with translation.override(language):
        partner = role.account.partner
        names = {"role": role.role_name, "account": role.account.number.grouped}
        # Two callers stopped by one line read as one point.
        points = tuple(dict.fromkeys(map(_point, policy.wrong)))
        paragraphs = [
            _greeting(partner),
            _("we looked at the trust policy of the role %(role)s in your account %(account)s, as of %(time)s.")
            % {**names, "time": _time(policy.reading.read_at)},
            _("What to do:") + "\n" + _numbered(points),
            _corrected(policy),
            _regards(),
        ]
        subject = _("%(role)s: please change the trust policy") % names
        return _letter(partner, language, subject, paragraphs)


def _point(finding: Finding) -> str:
    words, line = doctor_messages.explain(finding), doctor_messages.line_words(finding)
    cause = _("%(cause)s (%(line)s)") % {"cause": words.cause, "line": line} if line else words.cause
    return f"{cause}\n   {words.remedy}"


def _corrected(policy: ReadPolicy) -> str:
    correction = policy.diagnosis.whole_correction() if policy.wrong else None
    return _("The whole policy, corrected:") + f"\n\n{correction.text}" if correction else ""


def hand_off_letter(invitation: Invitation, link: str, *, language: str) -> Letter:
    """What goes with a new link."""
    with translation.override(language):
        partner = invitation.account.partner
        names = {"organization": settings.ORGANIZATION_NAME, "account": invitation.account.number.grouped}
        paragraphs = [
            _greeting(partner),
            _("%(organization)s asks for a role in your AWS account %(account)s. What for, and how, stands here:")
            % names,
            link,
            _("The link is good until %(time)s. You need no account with us, and we never ask for keys or passwords.")
            % {"time": _time(invitation.expires_at)},
            _("Is this genuine? Our reference is %(reference)s: call us at a number that you know, and compare it.")
            % {"reference": invitation.reference},
            _regards(),
        ]
        subject = _("%(organization)s: access to AWS account %(account)s") % names
        return _letter(partner, language, subject, paragraphs)


def _letter(partner: Partner, language: str, subject: str, paragraphs: list[str]) -> Letter:
    body = "\n\n".join(filter(None, paragraphs)) + "\n"
    return Letter(to=partner.contact_email, language=language, subject=subject, body=body)


def _greeting(partner: Partner) -> str:
    return _("Hello %(name)s,") % {"name": partner.contact_name}


def _regards() -> str:
    contact = settings.CONTACT_NAME or settings.ORGANIZATION_NAME
    lines = [_("Kind regards"), contact, settings.CONTACT_EMAIL]
    return "\n".join(dict.fromkeys(filter(None, lines)))


def _numbered(steps: tuple[str, ...]) -> str:
    return "\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1))


def _condition(role: ExternalRole) -> str:
    return f'"StringEquals": {{\n  "sts:ExternalId": "{role.external_id}"\n}}'


def _moment(last: Validation) -> str:
    return _time(last.finished_at or last.requested_at)


def _time(at: datetime) -> str:
    local = timezone.localtime(at)
    return f"{date_format(local, pgettext('date format', 'j F Y, H:i'))} ({local.tzname()})"
