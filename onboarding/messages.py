"""Codes and facts into sentences: what happened, whose turn it is, what to do. `str(error)` is shown to nobody."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onboarding.core import errors, states
from onboarding.core.arns import AccountId
from onboarding.core.console import NoLink
from onboarding.core.probes import CONTROLS, ProbeKind, VerdictCode
from onboarding.core.proof import ProofRefused, Refusal
from onboarding.core.states import State
from onboarding.core.trust import SsoRoleUnknown
from onboarding.core.webhooks import InvalidWebhookUrl
from onboarding.models import ExternalRole, Validation
from onboarding.services import (
    access,
    alert_routes,
    bastions,
    computers,
    diagnosis,
    invitations,
    offboarding,
    people,
    proofs,
    quick_create,
    recipients,
    registration,
    rounds,
    submission,
    validation,
)

# --- Errors -------------------------------------------------------------------------------------------------------


def sentence(error: errors.OnboardingError) -> str:
    """What a person reads of an error; every leaf has its sentence, which a test holds."""
    return _SENTENCES[type(error)](error)


_ARN_REASONS: dict[str, str | Promise] = {
    "empty": gettext_lazy("Paste the ARN of the role, for example arn:aws:iam::123456789012:role/RoleName."),
    "control_character": gettext_lazy("The text holds a character that cannot be seen. Copy the ARN again from IAM."),
    "not_an_arn": gettext_lazy(
        "This is not an ARN. Wanted is the ARN of the role, for example arn:aws:iam::123456789012:role/RoleName."
    ),
    "assumed_role": gettext_lazy(
        "This is the ARN of a session that assumed a role (sts, assumed-role). Wanted is the ARN of the role itself: "
        "in IAM, open Roles, then the role, and copy the ARN from its summary."
    ),
    "user": gettext_lazy("This is the ARN of an IAM user. Wanted is the ARN of the role that you made for us."),
    "group": gettext_lazy("This is the ARN of an IAM group. Wanted is the ARN of the role that you made for us."),
    "root": gettext_lazy("This is the ARN of a whole account. Wanted is the ARN of the role that you made for us."),
    "instance_profile": gettext_lazy(
        "This is the ARN of an instance profile. Wanted is the ARN of a role, with :role/ in it."
    ),
    "policy": gettext_lazy("This is the ARN of a policy. Wanted is the ARN of the role that you made for us."),
    "other_service": gettext_lazy(
        "This ARN names something else than an IAM role. Wanted is an ARN with :role/ in it."
    ),
    "partition": gettext_lazy("This ARN names an AWS partition that does not exist. Copy the ARN again from IAM."),
    "account": gettext_lazy("The account in this ARN has not twelve digits. Copy the ARN again from IAM."),
    "path": gettext_lazy("The path in this ARN holds characters that IAM does not take in a role's path."),
    "name": gettext_lazy("The role name holds characters that IAM does not take, or more than 64 of them."),
    "reserved_path": gettext_lazy(
        "This role belongs to AWS itself (aws-reserved or aws-service-role), so its trust policy cannot be changed. "
        "Make a role of your own for us, and return its ARN."
    ),
    "not_an_sso_role": gettext_lazy("This is not the ARN of a role that IAM Identity Center made."),
}

_WEBHOOK_REASONS: dict[str, str | Promise] = {
    "shape": gettext_lazy("This is not an address that a webhook can have, such as https://hooks.example.com/alerts."),
    "scheme": gettext_lazy("Alerts go to https addresses only: this one would let others read along."),
}

_NAME_KINDS: dict[str, str | Promise] = {
    "role_name": gettext_lazy("Letters, digits and +=,.@_- only, at most 64."),
    "profile_name": gettext_lazy("Latin letters, digits, hyphen and underscore only, at most 64."),
    "profile_template": gettext_lazy(
        "At least one of {partner}, {role} and {account}, and at most 30 letters, digits, hyphens and underscores."
    ),
    "name_prefix": gettext_lazy(
        "Latin letters, digits, hyphen and underscore only, at most 16, a letter or digit first."
    ),
    "permission_set": gettext_lazy("Letters, digits and +=,.@_- only, at most 32, as Identity Center takes them."),
    "region": gettext_lazy("An AWS region looks like ap-northeast-1."),
    "recipient_code": gettext_lazy("The code has eight digits. Copy them from the newest mail."),
    "external_id": gettext_lazy("An external ID has 2 to 1,224 letters, digits and _+=,.@:/-."),
    "user_code": gettext_lazy("The code in your terminal has eight letters, like BCDF-GHJK."),
    "computer": gettext_lazy("Up to 63 Latin letters, digits, dots, hyphens, underscores and spaces."),
    "code_challenge": gettext_lazy("This address is not as portal-config makes it."),
    "loopback": gettext_lazy("This address is not as portal-config makes it."),
    "state": gettext_lazy("This address is not as portal-config makes it."),
}

_REFUSALS: dict[Refusal, str | Promise] = {
    Refusal.NO_TOKEN: gettext_lazy("There is no token in this text. Paste everything that the command printed."),
    Refusal.ALTERED: gettext_lazy("This token is not as the AWS CLI makes it, so it was not used. Run the line again."),
    Refusal.ELSEWHERE: gettext_lazy(
        "This token is not for AWS STS in a region of the role's partition, so it was not used. Run the line as it "
        "stands; a profile or an environment of your own may name another endpoint."
    ),
    Refusal.LONG_TERM_KEY: gettext_lazy(
        "This token was signed with the access key of an IAM user, not with the role. Run the line as it stands."
    ),
    Refusal.STALE: gettext_lazy("This token is older than two minutes. Run the line again, and paste at once."),
    Refusal.AHEAD: gettext_lazy("This token comes from the future. Set your computer's clock, and run the line again."),
    Refusal.UNKNOWN: gettext_lazy("This line was not made for you and this role, or a newer one took its place."),
    Refusal.EXPIRED: gettext_lazy("The line was good for five minutes, and they are over. Make a new one."),
    Refusal.REPLAYED: gettext_lazy("The line was used already, and each proves once. Make a new one."),
    Refusal.NOT_SIGNED_SO: gettext_lazy(
        "AWS says that the signature does not fit: the token was signed for another line, or changed on the way."
    ),
    Refusal.NOT_ACCEPTED: gettext_lazy(
        "AWS did not accept the token. Its credentials may have ended: sign in again, and make a new line."
    ),
    Refusal.REDIRECTED: gettext_lazy("The answer was a redirect, which AWS STS never sends. Nothing was proven."),
    Refusal.OTHER_ROLE: gettext_lazy(
        "AWS named another role than this one. Run the line as it stands, profile included."
    ),
    Refusal.OTHER_PERSON: gettext_lazy(
        "AWS named this role, under another session name than yours. Only your own config proves your path."
    ),
}

_POLICY_ARN_REASONS: dict[str, str | Promise] = {
    "policy": gettext_lazy(
        "This names no managed policy. Wanted is a name such as ReadOnlyAccess, or an ARN with :policy/ in it."
    ),
    "partition": gettext_lazy("This policy is of another AWS partition than the bastion."),
    "administrator": gettext_lazy(
        "This policy makes the role an administrator of the partner's account. Their page promises that we never ask "
        "for that."
    ),
}

_PERMISSIONS_REASONS: dict[str, str | Promise] = {
    "not_json": gettext_lazy("This is not JSON."),
    "duplicate_key": gettext_lazy("The key %(found)s stands there twice."),
    "character": gettext_lazy("A text here holds a character that cannot be seen, or that IAM does not take."),
    "braces": gettext_lazy(
        "A text here holds {{, $${ or %%{, which CloudFormation or Terraform would read as a command of theirs."
    ),
    "not_a_policy": gettext_lazy("This is not a policy: wanted is an object with Version and Statement."),
    "trust_policy": gettext_lazy(
        "A Principal says who may enter, and belongs into a trust policy. Wanted is what the role may do."
    ),
    "element": gettext_lazy("A statement has Effect, Action and Resource, and perhaps Sid and Condition."),
    "value": gettext_lazy("IAM does not take this value of %(found)s."),
    "too_long": gettext_lazy("IAM takes 10,240 characters at most. Name a managed policy instead."),
    "administrator": gettext_lazy(
        "This statement makes the role an administrator of the partner's account. Their page promises that we never "
        "ask for that."
    ),
}

_TAG_REASONS: dict[str, str | Promise] = {
    "no_equals_sign": gettext_lazy("A tag is written key=value, one on a line. This is not: %(found)s"),
    "key": gettext_lazy(
        "A tag's key has 1 to 128 Latin letters, digits, blanks and _.:/+@-, and does not begin with aws: . This has "
        "not: %(found)s"
    ),
    "value": gettext_lazy(
        "A tag's value has at most 256 Latin letters, digits, blanks and _.:/=+@-. This has not: %(found)s"
    ),
    "twice": gettext_lazy("IAM takes each key once, whatever its case. This one is there twice: %(found)s"),
    "too_many": gettext_lazy("A role has 50 tags at most."),
}

_REPLY_REASONS: dict[str, str | Promise] = {
    "too_long": gettext_lazy("This is longer than any answer of AWS about one role. Paste the ARN of the role alone."),
    "cut_short": gettext_lazy(
        "A part of this is missing. Copy it again, from its first line to its last, or paste the ARN of the role alone."
    ),
    "damaged": gettext_lazy(
        "This is not quite what CloudShell printed: its checksum differs. Copy it again, from the first dash to the "
        "last, or paste the ARN of the role alone."
    ),
    "no_role": gettext_lazy(
        "There is no ARN of a role in this. Wanted is, for example, arn:aws:iam::123456789012:role/RoleName."
    ),
    "several_roles": gettext_lazy(
        "There is more than one role in this. Paste the ARN of the one that you made for us."
    ),
}

_TAKEN: dict[str, str | Promise] = {
    "partner": gettext_lazy("A partner with this name is registered already."),
    "account": gettext_lazy("This account is registered already."),
    "profile_name": gettext_lazy("Another role has this profile name already."),
    "permission_set": gettext_lazy("This permission set is there already."),
    "bastion": gettext_lazy("This bastion account is set up already."),
}


def _wrong_account(error: errors.WrongAccount) -> str:
    return _("This role lives in account %(found)s. Wanted is a role in account %(expected)s.") % {
        "found": AccountId(error.found).grouped,
        "expected": AccountId(error.expected).grouped,
    }


def _wrong_partition(error: errors.WrongPartition) -> str:
    return _(
        "This ARN is of the partition %(found)s, the account is of %(expected)s. AWS lets no role be assumed across "
        "partitions."
    ) % {"found": error.found, "expected": error.expected}


def _policy_too_long(error: errors.PolicyTooLong) -> str:
    return _(
        "The trust policy would be %(length)d characters long, and IAM takes %(limit)d. A shorter permission set name "
        "or the style “account and condition” makes it fit."
    ) % {"length": error.length, "limit": error.limit}


_UNFIT_CONTROLS: dict[str, str | Promise] = {
    "alone": gettext_lazy("The two control roles come together: one that asks for no external ID, and one that does."),
    "bastion": gettext_lazy(
        "A control role has to live in another account of yours: the validator role is kept out of the bastion account."
    ),
    "partition": gettext_lazy("A control role has to be in the AWS partition of the bastion."),
}


def _foreign_policy(error: errors.ForeignPolicy) -> str:
    return _(
        "A policy that the role is to have lives in account %(found)s. A role takes policies of AWS, and of its own "
        "account %(expected)s."
    ) % {"found": AccountId(error.found).grouped, "expected": AccountId(error.expected).grouped}


def _permissions_policy(error: errors.InvalidPermissionsPolicy) -> str:
    reason = str(_PERMISSIONS_REASONS[error.reason]) % {"found": error.found}
    return _("Line %(line)d: %(reason)s") % {"line": error.line, "reason": reason} if error.line else reason


def _said(text: str | Promise) -> Callable[[Any], str]:
    return lambda _error: str(text)


_SENTENCES: dict[type[errors.OnboardingError], Callable[[Any], str]] = {
    errors.InvalidAccountId: _said(gettext_lazy("An AWS account ID has twelve digits, for example 1234 5678 9012.")),
    errors.InvalidRoleArn: lambda error: str(_ARN_REASONS[error.reason]),
    errors.IllegalName: lambda error: str(_NAME_KINDS[error.kind]),
    errors.WrongAccount: _wrong_account,
    errors.WrongPartition: _wrong_partition,
    errors.PolicyTooLong: _policy_too_long,
    errors.UnsafeConfigValue: lambda error: (
        _("No config was made: the value of %(key)s in [%(section)s] could change what the file means.")
        % {"key": error.key or "?", "section": error.section or "?"}
    ),
    errors.DuplicateProfile: lambda error: (
        _("No config was made: two profiles would have the name %(name)s.") % {"name": error.name}
    ),
    errors.InvalidPolicyArn: lambda error: str(_POLICY_ARN_REASONS[error.reason]),
    errors.ForeignPolicy: _foreign_policy,
    errors.InvalidPermissionsPolicy: _permissions_policy,
    errors.InvalidTags: lambda error: str(_TAG_REASONS[error.reason]) % {"found": error.found[:80]},
    errors.InvalidReply: lambda error: str(_REPLY_REASONS[error.reason]),
    errors.BastionsOwnAccount: _said(
        gettext_lazy("This is the bastion account itself. Wanted is an account of the partner.")
    ),
    SsoRoleUnknown: _said(
        gettext_lazy(
            "The style “exact role” names the permission set's SSO role, and its ARN is not known yet. Find it on the "
            "bastion's page first."
        )
    ),
    InvalidWebhookUrl: lambda error: str(_WEBHOOK_REASONS[error.reason]),
    alert_routes.NoWebhook: _said(gettext_lazy("Nothing changed: there is no webhook any more.")),
    rounds.RoundUnderWay: _said(gettext_lazy("Every role is being validated already.")),
    rounds.NothingToValidate: _said(gettext_lazy("There is nothing to validate: no role was returned yet.")),
    rounds.RoundEnded: _said(gettext_lazy("There was nothing to stop: it has come to its end.")),
    states.IllegalTransition: _said(
        gettext_lazy("Nothing changed: the role has moved on meanwhile. The page shows where it stands now.")
    ),
    errors.AlreadyRegistered: lambda error: str(_TAKEN[error.what]),
    registration.NoLongerCorrectable: _said(
        gettext_lazy("Not saved: the role was returned meanwhile, and what the partner was shown must stay as it was.")
    ),
    bastions.UnfitControls: lambda error: str(_UNFIT_CONTROLS[error.reason]),
    bastions.UnfitStranger: _said(
        gettext_lazy("The stranger has to be another role of the bastion account than the validator role.")
    ),
    bastions.BastionInUse: _said(
        gettext_lazy(
            "Not saved: partners already trust this account, this validator role and this region. Changing them would "
            "shut every door; set up a second bastion instead."
        )
    ),
    invitations.NothingToHandOff: _said(
        gettext_lazy("No link was made: the account has no live role that the partner could return.")
    ),
    invitations.AlreadyIssued: _said(
        gettext_lazy(
            "No second link was made: the account has a newer link, which was shown once. If it is lost, make another."
        )
    ),
    invitations.NoLongerUsable: _said(
        gettext_lazy("Nothing changed: this link was revoked or replaced meanwhile. Make a new one.")
    ),
    recipients.CodeJustSent: _said(
        gettext_lazy("A code was mailed a moment ago. Look for it first; another one can be asked for in a minute.")
    ),
    recipients.WrongCode: _said(
        gettext_lazy("This is not the code of the newest mail. After five wrong tries a new code is needed.")
    ),
    recipients.NoCodeLeft: _said(gettext_lazy("This code is no longer good. Ask for a new one below.")),
    submission.ArnTaken: _said(gettext_lazy("This ARN was returned for another role already. Each role has its own.")),
    submission.NotReturnable: _said(
        gettext_lazy("Not saved: this role is not wanted at the moment. Ask the contact named on this page.")
    ),
    submission.NothingOffered: _said(gettext_lazy("Nothing changed: somebody has answered this offer already.")),
    quick_create.NoQuickCreate: _said(
        gettext_lazy(
            "CloudFormation’s page could not be filled in this time. Download the template instead, and give it to "
            "CloudFormation under “Create stack”, “Upload a template file”."
        )
    ),
    validation.NotChecked: _said(
        gettext_lazy("There is nothing to check: no ARN was returned, or the role is suspended or retired.")
    ),
    diagnosis.PasteTooLong: lambda error: (
        _("This text has more than %(limit)s characters, far more than any policy. Paste the trust policy alone.")
        % {"limit": f"{error.limit:,}"}
    ),
    validation.CheckedJustNow: _said(
        gettext_lazy("This was checked a moment ago, and the result is below. Ask again in ten seconds.")
    ),
    access.AlreadyGranted: lambda error: (
        _("%(grantee)s has this role already. Nothing changed.") % {"grantee": error.grantee}
    ),
    access.NothingToGrant: _said(gettext_lazy("Not granted: the work with this role has ended.")),
    ProofRefused: lambda error: str(_REFUSALS[error.refusal]),
    proofs.NothingToProve: _said(
        gettext_lazy("Nothing to prove yet: the role is in nobody's config. The list says whose turn it is.")
    ),
    computers.CodeRefused: _said(gettext_lazy("Not connected. Start portal-config login again on that computer.")),
    offboarding.ChangedMeanwhile: _said(
        gettext_lazy("Nothing changed: the role has moved on meanwhile. The page shows where it stands now.")
    ),
    offboarding.RolesStillLive: _said(
        gettext_lazy("The account still has live roles. Retire them first; then the account can go.")
    ),
    people.PersonExists: lambda error: _("%(email)s is registered already.") % {"email": error.email},
    people.LastPlatformAdmin: _said(
        gettext_lazy("Not saved: without this person nobody could administer the portal. Name another admin first.")
    ),
}


def sts_unavailable() -> str:
    return _("AWS STS could not be asked: nothing was proven, nothing was refused. Make a new line and try again.")


# --- Verdicts -----------------------------------------------------------------------------------------------------


class Turn(StrEnum):
    PARTNER = "partner"
    US = "us"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A verdict in words. `tone` is one of the state colours: `ok`, `warn`, `bad`, `wait`."""

    tone: str
    happened: str
    turn: Turn
    certain: str = ""
    remedy: tuple[str, ...] = ()


def explain(role: ExternalRole, last: Validation | None) -> Explanation:
    """Where a role stands and why, from its state and its last finished validation."""
    if role.state in _WITHOUT_VERDICT:
        return _without_verdict(State(role.state), was_returned=bool(role.role_arn))
    if role.state == State.RETIRING:
        return _retiring(seen_shut=role.seen_shut_at is not None)
    if last is None or not last.verdict:
        return Explanation(tone="wait", happened=_("The check waits for its turn."), turn=Turn.US)
    return _EXPLAINED[VerdictCode(last.verdict)](role, last)


_WITHOUT_VERDICT = frozenset({State.REGISTERED, State.INVITED, State.SUSPENDED, State.RETIRED})


def _without_verdict(state: State, *, was_returned: bool = True) -> Explanation:
    if state is State.REGISTERED:
        return Explanation(
            tone="wait",
            happened=_("Nobody outside has been asked yet."),
            turn=Turn.US,
            remedy=(_("Make a hand-off link, and send it to the partner."),),
        )
    if state is State.INVITED:
        return Explanation(
            tone="wait",
            happened=_("The partner has the link and has not returned the role yet."),
            turn=Turn.PARTNER,
        )
    if state is State.SUSPENDED:
        return Explanation(
            tone="wait",
            happened=_("The role is suspended: it is left out of new configs, and nothing is checked."),
            turn=Turn.US,
        )
    shut = _("The role is retired: AWS denied us twice, with and without the external ID.")
    never = _("The role is retired. It was never returned, so there was no door to shut.")
    return Explanation(tone="wait", happened=shut if was_returned else never, turn=Turn.NOBODY)


def _retiring(*, seen_shut: bool) -> Explanation:
    if seen_shut:
        return Explanation(
            tone="wait",
            happened=_(
                "The work has ended, and AWS denied us. One more denial, a quarter of an hour later, shows that the "
                "door is shut."
            ),
            turn=Turn.NOBODY,
        )
    return Explanation(
        tone="wait",
        happened=_("The work has ended, and the partner's door has not been shown to be shut yet."),
        turn=Turn.PARTNER,
        remedy=(
            _("The partner deletes the role, or takes our account out of its trust policy."),
            _(
                "We try the door by ourselves. The role is retired once AWS has denied us twice, with and without the "
                "external ID, a quarter of an hour apart."
            ),
        ),
    )


def _proven(_role: ExternalRole, _last: Validation) -> Explanation:
    return Explanation(
        tone="ok",
        happened=_("The role opens with the external ID, and stays shut without it and with a wrong one."),
        turn=Turn.NOBODY,
        certain=_("Yes, for the validator path. Employees prove their own path themselves."),
    )


def _denied(role: ExternalRole, _last: Validation) -> Explanation:
    if role.state == State.NOT_YET:
        return Explanation(
            tone="wait",
            happened=_("AWS does not let us in yet. A new role often needs up to two minutes to reach every region."),
            turn=Turn.NOBODY,
            remedy=(_("Nothing to do: we try again by ourselves."),),
        )
    if role.state == State.RETIRED:
        return _without_verdict(State.RETIRED)
    return refused(role)


def refused(role: ExternalRole) -> Explanation:
    """Denied for good, with no policy at hand: likely causes in their order, and none of them claimed."""
    return Explanation(
        tone="bad",
        happened=_("AWS denied us the role, with the right external ID."),
        turn=Turn.PARTNER,
        certain=_(
            "That we were denied is certain. AWS does not say why: a missing role, another principal and another "
            "external ID look alike. The list begins with what it is most often."
        ),
        remedy=_likely_causes(role),
    )


def _likely_causes(role: ExternalRole) -> tuple[str, ...]:
    return (
        _("Compare the external ID in the trust policy with %(external_id)s, character by character.")
        % {"external_id": role.external_id},
        _("Check that the role %(role_arn)s exists, and that its path and name are spelt as in the ARN.")
        % {"role_arn": role.role_arn},
        _(
            "Check that the trust policy names our account %(account)s as principal, and that its condition on "
            "aws:PrincipalArn holds both lines of the policy that we ask for."
        )
        % {"account": AccountId(role.permission_set.bastion.account_id).grouped},
        _("Look for a Deny, or for a further condition (network, multi-factor authentication, organization)."),
    )


def _open_without(role: ExternalRole, _last: Validation) -> Explanation:
    return _unsafe(
        role, _("The role opens without the external ID, so it can be entered by callers who never received it.")
    )


def _open_with_wrong(role: ExternalRole, _last: Validation) -> Explanation:
    return _unsafe(role, _("The role opens with a wrong external ID: the trust policy takes more than the one we use."))


def _open_with_similar(role: ExternalRole, last: Validation) -> Explanation:
    return _unsafe(role, str(_SIMILAR.get(last.detail, _SIMILAR[""])))


_SIMILAR: dict[str, Promise] = {
    "": gettext_lazy("The role opens with an external ID that only resembles ours."),
    ProbeKind.IN_OTHER_CASE: gettext_lazy(
        "The role opens whether the external ID is written in upper or lower case: its condition ignores case."
    ),
    ProbeKind.WITH_PREFIX: gettext_lazy(
        "The role opens with something before the external ID: its condition takes a pattern that begins with *."
    ),
    ProbeKind.WITH_SUFFIX: gettext_lazy(
        "The role opens with something behind the external ID: its condition takes a pattern that ends with *."
    ),
}


def _open_to_stranger(role: ExternalRole, _last: Validation) -> Explanation:
    return Explanation(
        tone="bad",
        happened=_("The role opens to another role of our account, which its trust policy should not let in."),
        turn=Turn.PARTNER,
        certain=_("Yes. AWS issued a session to a role that no trust policy names."),
        remedy=(
            _("Open IAM, Roles, %(role)s, Trust relationships.") % {"role": role.role_name},
            _(
                "Put the trust policy that we ask for in place of the one there: its condition on aws:PrincipalArn "
                "narrows our account down to the two roles that need it."
            ),
            _("No reply is needed: we check again by ourselves."),
        ),
    )


def _unsafe(role: ExternalRole, happened: str) -> Explanation:
    return Explanation(
        tone="bad",
        happened=happened,
        turn=Turn.PARTNER,
        certain=_("Yes. AWS issued a session to a probe that had to be denied."),
        remedy=(
            _("Open IAM, Roles, %(role)s, Trust relationships.") % {"role": role.role_name},
            _(
                "Put the trust policy that we ask for in place of the one there: every statement that lets us in must "
                "require sts:ExternalId with exactly %(external_id)s."
            )
            % {"external_id": role.external_id},
            _("No reply is needed: we check again by ourselves."),
        ),
    )


def _elsewhere(role: ExternalRole, last: Validation) -> Explanation:
    return Explanation(
        tone="bad",
        happened=_("Another account answered: %(found)s in place of %(expected)s.")
        % {"found": last.detail, "expected": role.account.account_id},
        turn=Turn.PARTNER,
        certain=_("Yes. AWS named the account when we asked with the role's session."),
        remedy=(_("Return the ARN of a role in the account %(account)s.") % {"account": role.account.number.grouped},),
    )


def _another_role(role: ExternalRole, last: Validation) -> Explanation:
    return Explanation(
        tone="bad",
        happened=_("Another role answered: %(found)s in place of %(expected)s.")
        % {"found": last.detail, "expected": role.role_name},
        turn=Turn.PARTNER,
        certain=_("Yes. AWS named the role when we asked with its session."),
        remedy=(_("Return the ARN of the role that you made for us."),),
    )


def _inconclusive(_role: ExternalRole, last: Validation) -> Explanation:
    if last.detail == CONTROLS:
        return Explanation(
            tone="wait",
            happened=_("The check came to no result: our own control roles do not answer as they must."),
            turn=Turn.US,
            certain=_("Yes. Until they do, a denial shows nothing, and the role keeps the state that it had."),
            remedy=(_("Look at the control roles, on the bastion's page."),),
        )
    return Explanation(
        tone="wait",
        happened=_("The check came to no result: AWS answered one of the probes with %(answer)s.")
        % {"answer": last.detail or _("nothing usable")},
        turn=Turn.US,
        remedy=(_("Nothing to do: we try again by ourselves."),),
    )


def _refused_otherwise(_role: ExternalRole, last: Validation) -> Explanation:
    return Explanation(
        tone="wait",
        happened=_("AWS refused the request for another reason than access: %(answer)s.") % {"answer": last.detail},
        turn=Turn.US,
        certain=_("Yes. The reason is AWS's own, and says nothing about the role, which keeps the state that it had."),
        remedy=(
            _("RegionDisabledException: choose a region for STS, on the bastion's page, that the account has active."),
            _("ValidationError: the role's maximum session time must be one hour or longer."),
        ),
    )


def _our_trouble(_role: ExternalRole, last: Validation) -> Explanation:
    return Explanation(
        tone="wait",
        happened=_("Our own side could not check: %(answer)s. Nothing was learnt about the partner's role.")
        % {"answer": last.detail},
        turn=Turn.US,
        certain=_("Yes. The role keeps the state that it had."),
        remedy=(_("Look at the worker's AWS identity, at the validator role and at our organization's rules."),),
    )


def _superseded(_role: ExternalRole, _last: Validation) -> Explanation:
    return Explanation(
        tone="wait", happened=_("The role changed while it was checked. It is checked anew."), turn=Turn.US
    )


_EXPLAINED: dict[VerdictCode, Callable[[ExternalRole, Validation], Explanation]] = {
    VerdictCode.PROVEN: _proven,
    VerdictCode.DENIED: _denied,
    VerdictCode.OPENS_WITHOUT_EXTERNAL_ID: _open_without,
    VerdictCode.OPENS_WITH_WRONG_EXTERNAL_ID: _open_with_wrong,
    VerdictCode.OPENS_WITH_SIMILAR_EXTERNAL_ID: _open_with_similar,
    VerdictCode.OPENS_TO_STRANGER: _open_to_stranger,
    VerdictCode.WRONG_ACCOUNT: _elsewhere,
    VerdictCode.WRONG_ROLE: _another_role,
    VerdictCode.INCONCLUSIVE: _inconclusive,
    VerdictCode.REFUSED_OTHERWISE: _refused_otherwise,
    VerdictCode.OUR_TROUBLE: _our_trouble,
    VerdictCode.SUPERSEDED: _superseded,
}


# --- To the employee ----------------------------------------------------------------------------------------------


def to_employee(role: ExternalRole) -> str:
    """Why a role is in a config though it may not open, or why it is left out; empty where all is well."""
    return _TO_EMPLOYEE[State(role.state)] % {"partner": role.account.partner.name}


def no_console_link(reason: NoLink) -> str:
    return str(_NO_LINK[reason])


_NO_LINK: dict[NoLink, str | Promise] = {
    NoLink.PARTITION: gettext_lazy("No link to the console: Switch Role is not known in this AWS partition."),
    NoLink.ROLE_TOO_LONG: gettext_lazy("No link to the console: it takes 64 characters of a role's path and name."),
}

_TO_EMPLOYEE: dict[State, str | Promise] = {
    State.REGISTERED: gettext_lazy("%(partner)s has not been asked yet. Our platform admins’ turn."),
    State.INVITED: gettext_lazy("%(partner)s has not returned the role yet. Their turn."),
    State.RETURNED: gettext_lazy("%(partner)s returned it, and we are checking it. Nothing to do."),
    State.NOT_YET: gettext_lazy("AWS does not let us in yet, as is usual with a new role. We try again by ourselves."),
    State.REFUSED: gettext_lazy("AWS denied us. The turn of %(partner)s."),
    State.PROVEN: "",
    State.UNSAFE: gettext_lazy("It opens without the right external ID, so it is kept back. The turn of %(partner)s."),
    State.SUSPECT: gettext_lazy("The last check failed, and we check again within minutes."),
    State.BROKEN: gettext_lazy("AWS denied our last checks. The turn of %(partner)s."),
    State.SUSPENDED: gettext_lazy("A platform admin has suspended it."),
    State.RETIRING: gettext_lazy("The work with it has ended."),
    State.RETIRED: gettext_lazy("The work with it has ended."),
}
