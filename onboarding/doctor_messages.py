"""The trust doctor's findings in sentences, in the reader's language: what happened, whose turn it is, what to do."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onboarding.core.doctor import Code, Finding, Severity, Turn
from onboarding.core.iam import Outcome
from onboarding.core.policy_text import json_path

_LONGEST_SHOWN = 400
Sentences = dict[str, Promise]

# Keys are a code, or a code and a reason where the sentence differs.
_CAUSES: Sentences = {
    "not_json": _("This is not JSON: there is something unexpected here, “%(found)s”."),
    "not_json.empty": _("Nothing was pasted, or only blanks."),
    "not_json.smart_quotes": _("There are typographic quotation marks (%(found)s). JSON wants straight ones."),
    "not_json.single_quotes": _("There are single quotation marks. JSON wants double ones."),
    "not_json.comment": _("There is a comment. JSON has none."),
    "not_json.trailing_comma": _("There is a comma after the last item."),
    "not_json.missing_comma": _("A comma is missing before %(found)s."),
    "not_json.missing_brace": _("A closing %(found)s is missing: the text ends or goes on too early."),
    "not_json.extra_brace": _("There is one closing %(found)s too many."),
    "not_json.broken_string": _("A text between quotation marks does not end on its line, or holds a wrong escape."),
    "not_json.text_after_the_end": _("Something follows after the end of the policy: %(found)s."),
    "not_json.too_deep": _("The text is nested far more deeply than any policy."),
    "permissions_policy_pasted": _(
        "This is a permissions policy: it says what the role may do. The trust policy says who may enter it."
    ),
    "malformed_element": _("IAM does not accept this element: %(found)s."),
    "malformed_element.bare_statement": _("This is one statement without the policy around it."),
    "malformed_element.duplicate_key": _("“%(found)s” stands here twice. IAM accepts it once."),
    "malformed_element.illegal_character": _("There is a character in “%(found)s” that IAM does not accept."),
    "malformed_element.not_a_policy": _("This is JSON, but no policy: IAM wants an object in braces."),
    "malformed_element.no_statement": _("The policy has no statement."),
    "malformed_element.unknown_element": _("IAM knows no element “%(found)s”."),
    "malformed_element.unknown_effect": _("IAM knows no effect “%(found)s”."),
    "malformed_element.unknown_operator": _("IAM knows no condition operator “%(found)s”."),
    "malformed_element.unknown_version": _("IAM knows no policy version “%(found)s”."),
    "malformed_element.unknown_principal_type": _("IAM knows no kind of principal “%(found)s”."),
    "malformed_element.missing_element": _("The statement has no “%(expected)s”."),
    "malformed_element.exclusive_elements": _("“%(found)s” and “%(expected)s” cannot stand in one statement."),
    "malformed_element.prohibited_element": _("A trust policy must not have “%(found)s”."),
    "malformed_element.bare_principal": _("The principal stands without its kind, “AWS”."),
    "malformed_element.key_without_prefix": _("The condition key “%(found)s” lacks its prefix."),
    "malformed_element.sid_characters": _("The statement's Sid “%(found)s” may hold letters and digits only."),
    "malformed_element.wrong_type": _("IAM wants another kind of value here than %(found)s."),
    "malformed_element.sid_twice": _("Two statements carry the Sid “%(found)s”."),
    "document_too_long": _("The policy has %(found)s characters without blanks; IAM takes %(expected)s at most."),
    "document_too_long.default_quota": _(
        "The policy has %(found)s characters without blanks; IAM takes %(expected)s where nobody raised the quota."
    ),
    "wrong_bastion_account": _("The policy names the account in %(found)s. We come from another one."),
    "wrong_role": _("The policy names another role: %(found)s."),
    "wrong_role.case": _("The role's name differs in upper and lower case: %(found)s."),
    "wrong_role.recreated": _("The policy names an earlier copy of our role, with another suffix: %(found)s."),
    "wrong_role.another_caller": _("The policy names one of our two roles, %(found)s, but not this one."),
    "wrong_role.not_principal": _("NotPrincipal leaves this caller out: %(found)s."),
    "session_arn_as_principal": _("The policy names one session (%(found)s) and not the role behind it."),
    "role_path_missing": _("The role's ARN in the policy lacks its path: %(found)s."),
    "role_path_missing.other_path": _("The role's ARN in the policy has another path: %(found)s."),
    "deleted_principal": _(
        "The policy shows %(found)s: the role that it named was deleted. A new role of the same name is not the same."
    ),
    "wildcard_in_principal": _("IAM allows no wildcard inside a principal: %(found)s."),
    "principal_wrong_type": _("The policy names something else than our role: %(found)s."),
    **dict.fromkeys(
        ("principal_wrong_type.Service", "principal_wrong_type.Federated", "principal_wrong_type.CanonicalUser"),
        _("The principal stands under another kind than “AWS”, where IAM looks for roles: %(found)s."),
    ),
    "wrong_partition": _("The policy names another AWS partition: %(found)s."),
    "wrong_partition.role": _(
        "The role is in the partition %(found)s and we are in %(expected)s. AWS lets nobody cross between them."
    ),
    "action_missing": _("No statement that fits allows sts:AssumeRole; found: %(found)s."),
    "action_missing.no_allow": _("No statement of the policy allows anything."),
    "external_id_differs": _("The external ID in the policy is not the one of this role: %(found)s."),
    "external_id_differs.blanks": _("The external ID in the policy has a blank at its beginning or end."),
    "external_id_differs.quotes": _("The external ID in the policy has quotation marks inside its value."),
    "external_id_differs.case": _("The external ID in the policy differs in upper and lower case: %(found)s."),
    "external_id_differs.placeholder": _("Instead of the external ID a placeholder stands in the policy: %(found)s."),
    "external_id_differs.part": _("The external ID in the policy is only a part of it: %(found)s."),
    "external_id_differs.operator": _("The operator %(operator)s does not ask for our external ID."),
    "external_id_differs.none_sent": _("The policy asks for an external ID, and this caller sends none."),
    "mfa_required": _("The policy asks for MFA in a form that sessions of IAM Identity Center never carry."),
    "principal_arn_condition_differs": _("The condition on aws:PrincipalArn does not fit our role: %(found)s."),
    "principal_arn_condition_differs.region_segment": _(
        "The region in the path of our role differs in the condition on aws:PrincipalArn: %(found)s."
    ),
    "principal_arn_condition_differs.suffix": _(
        "The suffix of our role does not fit the condition on aws:PrincipalArn: %(found)s."
    ),
    "principal_arn_condition_differs.permission_set": _(
        "The condition on aws:PrincipalArn names another permission set: %(found)s."
    ),
    "principal_arn_condition_differs.account": _(
        "The condition on aws:PrincipalArn names another account: %(found)s."
    ),
    "principal_arn_condition_differs.session_arn": _(
        "The condition on aws:PrincipalArn names a session. AWS compares with the role's ARN: %(found)s."
    ),
    "principal_arn_condition_differs.wildcard_needs_like": _(
        "Under %(operator)s a wildcard is a plain character: %(found)s never fits."
    ),
    "session_name_condition": _("The policy accepts only certain session names: %(found)s."),
    "source_identity_required": _("The policy asks for a source identity, which a profile of the AWS CLI cannot send."),
    "network_condition": _("The policy accepts calls from certain networks only: %(found)s."),
    "org_condition": _("The policy asks for an organization: %(found)s."),
    "date_condition": _("The policy has a limit of time that does not hold now: %(found)s."),
    "date_condition.unknown": _("The policy has a limit of time that is not for us to know: %(key)s, %(found)s."),
    "tag_condition": _("The policy asks for a tag, %(key)s: %(found)s."),
    "explicit_deny": _("A statement denies this caller, whatever else allows it."),
    **dict.fromkeys(
        (f"explicit_deny.{code}" for code in Code),
        _("A statement denies this caller by its condition on %(key)s: %(operator)s %(found)s."),
    ),
    "unknown_condition": _("The policy has a condition that our calls do not meet: %(key)s %(operator)s %(found)s."),
    "unknown_condition.unknown": _(
        "The policy has a condition whose outcome we cannot know: %(key)s %(operator)s %(found)s."
    ),
    "unknown_condition.misspelt": _("AWS sends no condition key %(key)s, so this condition never holds."),
    "unknown_condition.not_principal": _(
        "NotPrincipal names only a part of us (%(found)s); AWS may deny the whole account then."
    ),
    "external_id_not_required": _("The role opens without the external ID."),
    "external_id_pattern": _("The role opens with other external IDs than this role's own: %(found)s."),
    "external_id_pattern.optional": _("The condition is met also where no external ID is sent at all."),
    "external_id_pattern.case": _("The condition takes the external ID in any mix of upper and lower case."),
    "external_id_pattern.wildcard": _("The condition takes more than one external ID: %(found)s."),
    "external_id_pattern.empty": _("The condition takes an empty external ID."),
    "external_id_pattern.guessable": _("The condition takes an external ID that is easy to guess: %(found)s."),
    "external_id_pattern.guessable_ours": _("The external ID of this role is easy to guess: %(found)s."),
    "anyone": _("Anyone in AWS may try this door: the principal is not limited."),
    "other_principals_trusted": _("Somebody besides us may enter this role: %(found)s."),
    "anyone.kept_out": _("The principal is anyone; only the conditions keep others out."),
    "other_principals_trusted.kept_out": _("The policy names somebody besides us; only the conditions keep it out."),
    "other_principals_trusted.own_account": _("Somebody in the role's own account may enter it too: %(found)s."),
    "role_arn_as_principal": _(
        "The policy names our employees' role by its ARN. It will stop working when IAM Identity Center makes the "
        "role anew."
    ),
    "whole_bastion_account": _("Every role of our account may enter, not only the two that need to."),
    "employees_only": _("Employees get in; our checks do not, so the portal cannot tell whether the door still works."),
    "validator_only": _("Our checks get in; employees do not."),
}  # fmt: skip
_REMEDIES: Sentences = {
    "not_json": _("Copy the policy again as plain text, for example from the IAM console's JSON view."),
    "not_json.too_deep": _("Paste the trust policy alone."),
    "not_json.smart_quotes": _("Replace them by straight quotation marks."),
    "not_json.single_quotes": _("Replace them by double quotation marks."),
    "not_json.comment": _("Take the comment out."),
    "not_json.trailing_comma": _("Take the comma out."),
    "not_json.missing_comma": _("Put the comma in."),
    "not_json.missing_brace": _("Put %(found)s in, or copy the whole policy again."),
    "not_json.extra_brace": _("Take it out."),
    "permissions_policy_pasted": _("In IAM, open the role, then “Trust relationships”, and copy that policy."),
    "malformed_element": _("Correct the element, or use the policy as we gave it."),
    "malformed_element.duplicate_key": _("Keep one of them; put several values into one list."),
    "malformed_element.illegal_character": _("Type the value anew; it may hold an invisible character."),
    "malformed_element.bare_statement": _("Put the statement into “Statement” of a policy."),
    "malformed_element.missing_element": _("Add “%(expected)s”."),
    "malformed_element.prohibited_element": _("Take it out: the policy belongs to the role itself."),
    "malformed_element.bare_principal": _("Write {“AWS”: …} around it."),
    "malformed_element.sid_twice": _("Give each statement a Sid of its own."),
    "malformed_element.nearest": _("Write “%(expected)s”."),
    "document_too_long": _("Take out statements that are not ours."),
    "document_too_long.default_quota": _(
        "Take out statements that are not ours, or ask AWS to raise the quota “Role trust policy length” to 4,096."
    ),
    "wrong_partition.role": _("Agree on a role in our partition."),
    "principal": _("Put %(expected)s in its place."),
    "wrong_role.another_caller": _("Add %(expected)s beside it."),
    "wrong_role.not_principal": _("Use Principal with %(expected)s instead."),
    "action_missing": _("Write sts:AssumeRole as the action."),
    "external_id_differs": _("Set sts:ExternalId to %(expected)s."),
    "external_id_differs.none_sent": _("Let the caller send the external ID of this role."),
    "mfa_required": _(
        "Take the condition on %(key)s out. MFA is asked for when people sign in to IAM Identity Center."
    ),
    "principal_arn_condition_differs": _("Put %(expected)s into the condition on aws:PrincipalArn."),
    "session_name_condition": _("Take the condition out, or tell us the form; we send: %(expected)s."),
    "source_identity_required": _("Take the condition on %(key)s out. The session name says who it was."),
    "network_condition": _(
        "Take the condition on %(key)s out, or agree with us on the addresses that employees and our checks come from."
    ),
    "org_condition": _("Take the condition on %(key)s out, or compare the value with us."),
    "date_condition": _("Take the condition on %(key)s out, or move its date."),
    "tag_condition": _("Take the condition on %(key)s out, or agree with us on the tag."),
    "explicit_deny": _("Except our roles from the statement, or take it out."),
    "unknown_condition": _("Take the condition on %(key)s out, or compare its value with us."),
    "unknown_condition.misspelt": _("Write %(expected)s."),
    "unknown_condition.not_principal": _("Name account, role and session in NotPrincipal, or use Principal."),
    "external_id_pattern.guessable_ours": _("Give this role another external ID: random, and for this role alone."),
    "action_missing.no_allow": _("Save the policy as we gave it."),
    "external_id": _("Ask for the exact value: StringEquals, sts:ExternalId, %(expected)s."),
    "anyone": _("Name our account as the principal."),
    "other_principals_trusted": _("Make a role for us alone, or take this principal out."),
    "role_arn_as_principal": _("Name %(expected)s as the principal and our roles in a condition on aws:PrincipalArn."),
    "whole_bastion_account": _("Add a condition ArnLike on aws:PrincipalArn with: %(expected)s."),
    "employees_only": _("Add the validator role beside the employees' role, under the same conditions."),
    "validator_only": _("Add the employees' role beside the validator role, under the same conditions."),
}  # fmt: skip
_REMEDY_OF = {
    **dict.fromkeys(
        (
            Code.WRONG_BASTION_ACCOUNT, Code.WRONG_ROLE, Code.SESSION_ARN_AS_PRINCIPAL, Code.ROLE_PATH_MISSING,
            Code.DELETED_PRINCIPAL, Code.WILDCARD_IN_PRINCIPAL, Code.PRINCIPAL_WRONG_TYPE, Code.WRONG_PARTITION,
        ),
        "principal",
    ),
    Code.EXTERNAL_ID_NOT_REQUIRED: "external_id",
    Code.EXTERNAL_ID_PATTERN: "external_id",
}  # fmt: skip
_TURNS: dict[Turn, Promise] = {
    Turn.PARTNER: _("The partner's turn."),
    Turn.US: _("Our turn."),
    Turn.BOTH: _("For both of us to agree on."),
}
_OUTCOMES: dict[Outcome, Promise] = {
    Outcome.ALLOWED: _("gets in"),
    Outcome.IMPLICITLY_DENIED: _("does not get in: no statement allows it"),
    Outcome.EXPLICITLY_DENIED: _("does not get in: a statement denies it"),
    Outcome.UNKNOWN: _("cannot be told from the policy alone"),
}
_SEVERITIES: dict[Severity, Promise] = {
    Severity.BLOCKS: _("In the way"),
    Severity.UNSAFE: _("Unsafe"),
    Severity.ADVICE: _("Advice"),
}


_KINDS: Sentences = {
    "<int>": _("a number"),
    "<float>": _("a number"),
    "<bool>": _("true or false"),
    "<NoneType>": _("null"),
    "<list>": _("this list"),
    "<dict>": _("an object"),
}


@dataclass(frozen=True, slots=True)
class Explanation:
    cause: str
    turn: str
    remedy: str


def explain(finding: Finding) -> Explanation:
    """In the active language. The texts hold what was pasted: a page escapes them like any other value."""
    facts = {
        "found": _short(_kind(finding.found)) or "-",
        "expected": _short(finding.expected) or "-",
        "key": finding.key,
        "operator": finding.operator,
    }
    cause = _sentence(_CAUSES, finding, str(finding.code))
    remedy = _remedy(finding)
    return Explanation(str(cause) % facts, str(_TURNS[finding.turn]), str(remedy) % facts)


def outcome_words(outcome: Outcome) -> str:
    return str(_OUTCOMES[outcome])


def severity_words(severity: Severity) -> str:
    return str(_SEVERITIES[severity])


def line_words(finding: Finding) -> str:
    """Where it stands; empty where the finding has no place."""
    if finding.line is None:
        return ""
    if finding.column is not None:
        return gettext("line %(line)d, column %(column)d") % {"line": finding.line, "column": finding.column}
    return gettext("line %(line)d") % {"line": finding.line}


def place_words(finding: Finding) -> str:
    """As `line_words`, with the path of the element."""
    line = line_words(finding)
    return f"{line}, {json_path(finding.path)}" if line and finding.column is None else line


def _remedy(finding: Finding) -> Promise:
    if finding.code is Code.MALFORMED_ELEMENT and finding.expected and _is_spelling(finding):
        return _REMEDIES["malformed_element.nearest"]
    return _sentence(_REMEDIES, finding, _REMEDY_OF.get(finding.code, str(finding.code)))


def _is_spelling(finding: Finding) -> bool:
    return finding.reason.startswith("unknown_") or finding.reason in ("key_without_prefix", "sid_characters")


def _sentence(table: Sentences, finding: Finding, plain: str) -> Promise:
    return table.get(f"{finding.code}.{finding.reason}") or table[plain]


def _kind(found: str) -> str:
    """A value of a wrong type in words; anything else as it is."""
    return str(_KINDS.get(found, found))


def _short(text: str) -> str:
    """One line, of a length that a sentence bears."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_SHOWN else f"{line[:_LONGEST_SHOWN]}…"
