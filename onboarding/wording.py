"""The words and looks of what `core` names in codes; sentences about one case belong to `onboarding.messages`."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from onboarding.core.alerts import AlertKind
from onboarding.core.probes import Outcome, ProbeKind, VerdictCode
from onboarding.core.states import State, stones_laid

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Wording:
    word: Text
    # "ok", "warn", "bad" or "wait": the class that colours the word.
    tone: str
    icon: str


STONES = (_("Registered"), _("Invited"), _("Returned"), _("Proven"), _("In use"))

_STATES = {
    State.REGISTERED: Wording(_("Registered"), "wait", "file"),
    State.INVITED: Wording(_("Invited"), "wait", "mail"),
    State.RETURNED: Wording(_("Returned"), "wait", "clock"),
    State.NOT_YET: Wording(_("Not open yet"), "wait", "clock"),
    State.REFUSED: Wording(_("Refused"), "bad", "cross"),
    State.PROVEN: Wording(_("Proven"), "ok", "check"),
    State.UNSAFE: Wording(_("Unsafe"), "bad", "warn"),
    State.SUSPECT: Wording(_("Failed just now"), "warn", "warn"),
    State.BROKEN: Wording(_("Broken"), "bad", "cross"),
    State.SUSPENDED: Wording(_("Suspended"), "wait", "pause"),
    State.RETIRING: Wording(_("Retiring"), "wait", "clock"),
    State.RETIRED: Wording(_("Retired"), "wait", "shut"),
}
_IN_USE = Wording(_("In use"), "ok", "check")

_VERDICTS = {
    VerdictCode.PROVEN: Wording(_("Proven"), "ok", "check"),
    VerdictCode.DENIED: Wording(_("Refused"), "bad", "cross"),
    VerdictCode.OPENS_WITHOUT_EXTERNAL_ID: Wording(_("Opens without the external ID"), "bad", "warn"),
    VerdictCode.OPENS_WITH_WRONG_EXTERNAL_ID: Wording(_("Opens with a wrong external ID"), "bad", "warn"),
    VerdictCode.OPENS_WITH_SIMILAR_EXTERNAL_ID: Wording(_("Opens with a similar external ID"), "bad", "warn"),
    VerdictCode.OPENS_TO_STRANGER: Wording(_("Opens to any role of ours"), "bad", "warn"),
    VerdictCode.WRONG_ACCOUNT: Wording(_("Another account answered"), "bad", "cross"),
    VerdictCode.WRONG_ROLE: Wording(_("Another role answered"), "bad", "cross"),
    VerdictCode.INCONCLUSIVE: Wording(_("Not certain"), "warn", "ask"),
    VerdictCode.REFUSED_OTHERWISE: Wording(_("Refused for another reason"), "warn", "ask"),
    VerdictCode.OUR_TROUBLE: Wording(_("Not checked: trouble on our side"), "warn", "again"),
    VerdictCode.SUPERSEDED: Wording(_("Overtaken by a change"), "wait", "again"),
}

_ALERTS = {
    AlertKind.BROKEN: Wording(_("Broken"), "bad", "cross"),
    AlertKind.UNSAFE: Wording(_("Unsafe"), "bad", "warn"),
    AlertKind.RECOVERED: Wording(_("Recovered"), "ok", "check"),
    AlertKind.OUR_TROUBLE: Wording(_("Our own trouble"), "bad", "again"),
    AlertKind.TROUBLE_OVER: Wording(_("Our trouble is over"), "ok", "check"),
    AlertKind.CONTROLS_FAIL: Wording(_("Control roles fail"), "bad", "again"),
    AlertKind.SSO_ROLE_CHANGED: Wording(_("Another SSO role"), "warn", "person"),
    AlertKind.DOOR_OPEN: Wording(_("Door still open"), "bad", "open"),
    AlertKind.RETIREMENT: Wording(_("Work has ended"), "wait", "mail"),
    AlertKind.RETIRED: Wording(_("Door shut"), "ok", "shut"),
    AlertKind.TEST: Wording(_("Test"), "wait", "mail"),
}

PROBES: dict[ProbeKind, Text] = {
    ProbeKind.OWN_IDENTITY: _("Own identity"),
    ProbeKind.VALIDATOR_ROLE: _("Validator role"),
    ProbeKind.WITH_EXTERNAL_ID: _("With the external ID"),
    ProbeKind.WITHOUT_EXTERNAL_ID: _("Without the external ID"),
    ProbeKind.WITH_WRONG_EXTERNAL_ID: _("With a wrong external ID"),
    ProbeKind.IN_OTHER_CASE: _("With it in other case"),
    ProbeKind.WITH_PREFIX: _("With something before it"),
    ProbeKind.WITH_SUFFIX: _("With something behind it"),
    ProbeKind.AS_STRANGER: _("As a role that is not named"),
    ProbeKind.ANSWERING_ACCOUNT: _("Account and role that answer"),
    ProbeKind.CONTROL_OPENS: _("The one that asks for none, without an external ID"),
    ProbeKind.CONTROL_OPENS_WITH: _("The one that asks for it, with its external ID"),
    ProbeKind.CONTROL_SHUT_WITHOUT: _("The one that asks for it, without"),
    ProbeKind.CONTROL_OPENS_TO_STRANGER: _("The one that asks for none, as the stranger"),
}
OUTCOMES: dict[Outcome, Text] = {
    Outcome.ENTERED: _("Entered"),
    Outcome.DENIED: _("Access denied"),
    Outcome.REFUSED_OTHERWISE: _("Refused otherwise"),
}

_CRACKED = {State.REFUSED, State.UNSAFE, State.BROKEN}


def of_state(state: str, *, used: bool = False) -> Wording:
    return _IN_USE if used and state == State.PROVEN else _STATES[State(state)]


def of_verdict(code: str) -> Wording:
    return _VERDICTS[VerdictCode(code)]


def of_alert(kind: str) -> Wording:
    return _ALERTS[AlertKind(kind)]


@dataclass(frozen=True, slots=True)
class Path:
    """How many of the five stones lie, and whether the fourth is cracked."""

    laid: int
    cracked: bool

    @property
    def looks(self) -> list[str]:
        """One class for each stone of the long walk."""
        return [self._look(number) for number in range(1, len(STONES) + 1)]

    def _look(self, number: int) -> str:
        if number <= self.laid:
            return "moss" if number >= 4 else "laid"
        if self.cracked and number == 4:
            return "crack"
        return "next" if number == self.laid + 1 + self.cracked else "ahead"


def path_of(state: str, *, used: bool = False) -> Path:
    cracked = State(state) in _CRACKED
    laid = stones_laid(State(state), used=used)
    # A stone that does not hold is not laid.
    return Path(laid=min(laid, 3) if cracked else laid, cracked=cracked)


STANDINGS: dict[str, Text] = {
    "unsafe": _("Unsafe"),
    "broken": _("Broken"),
    "ours": _("Your turn"),
    "theirs": _("Partner’s turn"),
    "checking": _("Checking"),
    "proven": _("Proven"),
    "used": _("In use"),
    "paused": _("Paused or ending"),
}

# What the audit log tells, after the name of who did it.
_ACTIONS: dict[str, Text] = {
    "account_corrected": _("corrected the account"),
    "account_registered": _("registered the account"),
    "account_retired": _("retired the account"),
    "alert_tested": _("sent a test of the"),
    "alert_mail_set": _("set whether admins get mail:"),
    "bastion_changed": _("changed the bastion"),
    "bastion_set_up": _("set up the bastion"),
    "computer_connected": _("connected a computer of"),
    "computer_disconnected": _("disconnected a computer of"),
    "config_taken": _("took the config of"),
    "control_roles_tried": _("saw a change of the control roles of"),
    "employee_path_proven": _("proved the employee path of"),
    "grant_revoked": _("revoked a grant of"),
    "invitation_extended": _("extended the link"),
    "invitation_issued": _("made the link"),
    "invitation_resent": _("mailed the link anew"),
    "invitation_revoked": _("revoked the link"),
    "new_link_asked_for": _("asked for a new link in place of"),
    "partner_alerts_set": _("set whether alerts go to the partner"),
    "partner_corrected": _("corrected the partner"),
    "partner_registered": _("registered the partner"),
    "password_set": _("set a password for"),
    "permission_set_added": _("added the permission set"),
    "permission_set_policy_chosen": _("chose the policy of"),
    "permission_set_policy_put": _("put the policy into Identity Center for"),
    "person_added": _("added the person"),
    "person_changed": _("changed the person"),
    "provider_followed": _("set role and groups of"),
    "recipient_verification_chosen": _("chose whether to verify the recipient of the link"),
    "recipient_verified": _("showed by a mailed code to be the recipient of the link"),
    "replacement_accepted": _("accepted another ARN for"),
    "replacement_declined": _("declined another ARN for"),
    "replacement_offered": _("offered another ARN for"),
    "role_corrected": _("corrected the role"),
    "role_granted": _("granted the role"),
    "role_registered": _("registered the role"),
    "role_resumed": _("resumed the role"),
    "role_retirement_begun": _("began to retire the role"),
    "role_returned": _("returned the role"),
    "role_said_deleted": _("said to have deleted the role"),
    "role_state_changed": _("saw a change of the role"),
    "role_suspended": _("suspended the role"),
    "round_begun": _("began to validate every role:"),
    "round_ended": _("finished validating every role:"),
    "round_stopped": _("stopped validating every role:"),
    "role_withdrawn": _("withdrew the role"),
    "sso_role_changed": _("found another SSO role for"),
    "webhook_removed": _("removed the webhook:"),
    "webhook_secret_renewed": _("made another secret for the webhook:"),
    "webhook_set": _("set the webhook:"),
}
_FACTS: dict[str, Text] = {
    "account": _("Account"),
    "account_id": _("Account"),
    "after": _("After"),
    "bastion": _("Bastion"),
    "before": _("Before"),
    "computer": _("Computer"),
    "contact_email": _("E-mail"),
    "contact_name": _("Contact"),
    "detail": _("Detail"),
    "digest": _("Digest"),
    "expires_at": _("Until"),
    "external_id": _("External ID"),
    "first_name": _("First name"),
    "groups": _("Groups"),
    "is_active": _("Active"),
    "label": _("Our name for it"),
    "language": _("Language"),
    "last_name": _("Last name"),
    "name": _("Name"),
    "not_checked": _("Not checked"),
    "offered_arn": _("Offered ARN"),
    "partner": _("Partner"),
    "portal_role": _("Portal role"),
    "profile_name": _("Profile name"),
    "profiles": _("Profiles"),
    "purpose": _("Purpose"),
    "reason": _("Reason"),
    "region": _("Region"),
    "role_arn": _("Role ARN"),
    "role_name": _("Role name"),
    "roles": _("Roles"),
    "session_arn": _("Session"),
    "style": _("Style"),
    "to": _("To"),
    "verdict": _("Verdict"),
    "verify_recipient": _("Recipient to be verified"),
}


def actions() -> dict[str, Text]:
    """For the filter of the audit log."""
    return dict(sorted(_ACTIONS.items()))


def of_action(action: str) -> Text:
    """An action of an older or newer release still shows, by its own name."""
    return _ACTIONS.get(action, action.replace("_", " "))


def of_fact(name: str) -> Text:
    return _FACTS.get(name, name.replace("_", " ").capitalize())
