"""Both sources together: what STS answered, and what the trust policy says that was pasted or read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext

from onboarding import doctor_messages, messages
from onboarding.core import probes
from onboarding.core.doctor import Code, Finding, Severity
from onboarding.core.iam import Outcome
from onboarding.core.probes import VerdictCode
from onboarding.core.states import State
from onboarding.messages import Explanation, Turn
from onboarding.models import ExternalRole, ReadingSource, Validation
from onboarding.services import diagnosis
from onboarding.services.diagnosis import ReadPolicy


def explain(role: ExternalRole, last: Validation | None, policy: ReadPolicy | None) -> Explanation:
    """Where a role stands and why: from its state, its last finished validation, and its policy where one was read."""
    return with_policy(messages.explain(role, last), role, last, policy)


def with_policy(
    told: Explanation, role: ExternalRole, last: Validation | None, policy: ReadPolicy | None
) -> Explanation:
    """Each source is told with its own certainty; with no policy at hand nothing changes."""
    if last is None or policy is None or not role.is_checked or _is_outdated(role, policy):
        return told
    combine = _COMBINED.get(VerdictCode(last.verdict))
    return combine(told, role, policy) if combine else told


def _is_outdated(role: ExternalRole, policy: ReadPolicy) -> bool:
    """A paste in which something is wrong, though the door was proven after it: another policy is saved by now."""
    proven = role.last_proven_at
    is_paste = policy.reading.source == ReadingSource.PASTED
    return bool(is_paste and policy.wrong and proven and policy.reading.read_at < proven)


def _denied_and_read(told: Explanation, role: ExternalRole, policy: ReadPolicy) -> Explanation:
    outcome = policy.diagnosis.outcome_of(diagnosis.VALIDATOR)
    is_certain = outcome in (Outcome.IMPLICITLY_DENIED, Outcome.EXPLICITLY_DENIED)
    if role.state == State.NOT_YET and not is_certain:
        return told
    if outcome is Outcome.ALLOWED:
        why, remedy = _ELSEWHERE, (*map(str, _LOOK_ELSEWHERE), *_remedies(policy.wrong))
        return replace(told, certain=_of(policy, why), remedy=remedy)
    stops_us = [finding for finding in policy.wrong if finding.caller in ("", diagnosis.VALIDATOR)]
    refused = messages.refused(role)
    return replace(
        refused,
        happened=_joined(refused.happened, stops_us),
        certain=_of(policy, _SAYS_WHY if is_certain else _PERHAPS),
        remedy=_remedies([*stops_us, *policy.wrong]),
    )


def _unsafe_and_read(told: Explanation, _role: ExternalRole, policy: ReadPolicy) -> Explanation:
    unsafe = [finding for finding in policy.wrong if finding.severity is Severity.UNSAFE]
    if not unsafe:
        return replace(told, certain=_of(policy, _ANOTHER_IS_SAVED))
    return replace(
        told,
        happened=_joined(
            told.happened, [finding for finding in unsafe[:1] if finding.code is not _WHAT_THE_PROBE_SAID]
        ),
        certain=_of(policy, _SAYS_THE_SAME),
        remedy=(*_remedies([*unsafe, *policy.wrong]), told.remedy[-1]),
    )


def _proven_and_read(told: Explanation, _role: ExternalRole, policy: ReadPolicy) -> Explanation:
    """Only the policy that IAM holds outweighs probes that found all well: a paste may be an old one."""
    if policy.reading.source != ReadingSource.SAVED or not policy.wrong:
        return told
    return Explanation(
        tone="warn",
        happened=_joined(told.happened, policy.wrong),
        turn=Turn.PARTNER,
        certain=_of(policy, _BEYOND_THE_PROBES),
        remedy=_remedies(policy.wrong),
    )


_COMBINED: dict[VerdictCode, Callable[[Explanation, ExternalRole, ReadPolicy], Explanation]] = {
    VerdictCode.DENIED: _denied_and_read,
    VerdictCode.PROVEN: _proven_and_read,
    **dict.fromkeys(probes.UNSAFE, _unsafe_and_read),
}
# In other words, it is what the verdict says already.
_WHAT_THE_PROBE_SAID = Code.EXTERNAL_ID_NOT_REQUIRED
_SAYS_WHY = {
    ReadingSource.PASTED: gettext_lazy(
        "That AWS denied us is certain. Why, says the trust policy that was pasted on %(time)s; should another one be "
        "saved by now, paste that."
    ),
    ReadingSource.SAVED: gettext_lazy(
        "That AWS denied us is certain. Why, says the trust policy that we read from IAM on %(time)s; should another "
        "one be saved by now, paste that."
    ),
}
_PERHAPS = {
    ReadingSource.PASTED: gettext_lazy(
        "That AWS denied us is certain, why is not: the trust policy that was pasted on %(time)s has a condition whose "
        "outcome we cannot know."
    ),
    ReadingSource.SAVED: gettext_lazy(
        "That AWS denied us is certain, why is not: the trust policy that we read from IAM on %(time)s has a condition "
        "whose outcome we cannot know."
    ),
}
_ELSEWHERE = {
    ReadingSource.PASTED: gettext_lazy(
        "That AWS denied us is certain. The trust policy that was pasted on %(time)s would let our check in, so the "
        "cause lies elsewhere, or another policy is saved."
    ),
    ReadingSource.SAVED: gettext_lazy(
        "That AWS denied us is certain. The trust policy that we read from IAM on %(time)s would let our check in, so "
        "the cause lies elsewhere, or it has changed since."
    ),
}
_LOOK_ELSEWHERE = (
    gettext_lazy("Check that this very policy is saved, and in the role whose ARN was returned."),
    gettext_lazy("Look for a rule of your organization (service or resource control policy) that denies us."),
)
_SAYS_THE_SAME = {
    ReadingSource.PASTED: gettext_lazy(
        "Yes. AWS issued a session to a probe that had to be denied, and the trust policy that was pasted on %(time)s "
        "says the same."
    ),
    ReadingSource.SAVED: gettext_lazy(
        "Yes. AWS issued a session to a probe that had to be denied, and the trust policy that we read from IAM on "
        "%(time)s says the same."
    ),
}
_ANOTHER_IS_SAVED = {
    ReadingSource.PASTED: gettext_lazy(
        "Yes. AWS issued a session to a probe that had to be denied. The trust policy that was pasted on %(time)s "
        "would have kept it out, so another one was saved then."
    ),
    ReadingSource.SAVED: gettext_lazy(
        "Yes. AWS issued a session to a probe that had to be denied. The trust policy that we read from IAM on "
        "%(time)s would have kept it out, so it has changed, or AWS still goes by an earlier one for a moment."
    ),
}
_BEYOND_THE_PROBES = {
    ReadingSource.SAVED: gettext_lazy(
        "Yes. What our probes cannot try, the trust policy says that we read from IAM on %(time)s."
    ),
}


def _of(policy: ReadPolicy, sentences: Mapping[ReadingSource, Promise]) -> str:
    local = timezone.localtime(policy.reading.read_at)
    time = date_format(local, pgettext("date format", "j F Y, H:i"))
    return str(sentences[ReadingSource(policy.reading.source)]) % {"time": time}


def _joined(happened: str, findings: Sequence[Finding]) -> str:
    return f"{happened} {doctor_messages.explain(findings[0]).cause}" if findings else happened


def _remedies(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Each once: two callers stopped by one line are helped by one change."""
    return tuple(dict.fromkeys(doctor_messages.explain(finding).remedy for finding in findings))
