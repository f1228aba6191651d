"""The sentences of alerts: what happened, whose turn it is, what to do; for an admin and for a partner."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from onboarding.core.alerts import AlertKind


@dataclass(frozen=True, slots=True)
class Words:
    headline: str
    happened: str
    to_do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`role`, `partner` and `account` are those of the first role, for a headline that is about one alone."""

    count: int
    organization: str
    role: str = ""
    partner: str = ""
    account: str = ""
    bastion: str = ""
    permission_set: str = ""
    detail: str = ""
    since: str = ""
    by: str = ""

    @property
    def named(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def for_admin(kind: AlertKind, facts: Facts) -> Words:
    return _filled(_TO_ADMINS[kind](facts.count), facts)


def for_partner(kind: AlertKind, facts: Facts) -> Words:
    return _filled(_TO_PARTNERS[kind](facts.count), facts)


def _filled(words: Words, facts: Facts) -> Words:
    return Words(*(text % facts.named for text in (words.headline, words.happened, words.to_do)))


def _one_or_many(count: int, one: str, many: str) -> str:
    """One is named, many are counted: two sentences, and no plural of the same one."""
    return one if count == 1 else many


def _broken(count: int) -> Words:
    return Words(
        _one_or_many(count, _("Broken: %(partner)s, %(role)s"), _("%(count)d roles are broken")),
        _(
            "AWS denied us twice in a row what it allowed before. Configs still hold the role, and employees see it "
            "marked."
        ),
        _("The partner's turn, most often. The role's page says what to do, and has a message ready to send."),
    )


def _unsafe(count: int) -> Words:
    return Words(
        _one_or_many(count, _("Unsafe: %(partner)s, %(role)s"), _("%(count)d roles are unsafe")),
        _(
            "A probe entered that had to be denied. New configs leave the role out; files already downloaded still "
            "work."
        ),
        _("The partner's turn. The role's page says what to do, and has a message ready to send."),
    )


def _recovered(count: int) -> Words:
    return Words(
        _one_or_many(count, _("Recovered: %(partner)s, %(role)s"), _("%(count)d roles have recovered")),
        _("It opens with the external ID again, and stays shut to every other try of ours."),
        _("Nothing to do."),
    )


def _our_trouble(count: int) -> Words:
    return Words(
        _("We cannot check: trouble on our own side"),
        ngettext(
            "Behind %(bastion)s, the check of %(count)d role ended with: %(detail)s. Nothing was learnt about "
            "partners, and every role keeps its state.",
            "Behind %(bastion)s, the checks of %(count)d roles ended with: %(detail)s. Nothing was learnt about "
            "partners, and every role keeps its state.",
            count,
        ),
        _(
            "Your turn: look at the worker's AWS identity, at the validator role and at the network. This is told "
            "once, and again when it is over."
        ),
    )


def _trouble_over(_count: int) -> Words:
    return Words(
        _("We can check again"),
        _("Behind %(bastion)s the trouble that began on %(since)s is over. What was missed is being caught up with."),
        _("Nothing to do."),
    )


def _controls_fail(_count: int) -> Words:
    return Words(
        _("Our control roles do not answer as they must"),
        _("Behind %(bastion)s AWS answers them otherwise than it should, so no denial of a partner's role counts."),
        _("Your turn: the bastion's page shows what they answered. This is told once, and again when it is over."),
    )


def _sso_role_changed(count: int) -> Words:
    return Words(
        _("Permission set %(permission_set)s has another SSO role"),
        ngettext(
            "IAM Identity Center made the role anew. %(count)d partner's policy names the old one, so employees are "
            "shut out there.",
            "IAM Identity Center made the role anew. %(count)d policies of partners name the old one, so employees are "
            "shut out there.",
            count,
        ),
        _("The partners' turn: each one saves the policy of the hand-off page once more. Make links and send them."),
    )


def _door_open(count: int) -> Words:
    return Words(
        _one_or_many(count, _("Door still open: %(partner)s, %(role)s"), _("%(count)d doors are still open")),
        _("The work ended more than seven days ago, and AWS still lets our validator role in."),
        _(
            "The partner's turn: the role has to be deleted, or its trust taken away. Ask them; the role's page says "
            "what."
        ),
    )


def _retired(count: int) -> Words:
    return Words(
        _one_or_many(count, _("Shut: %(partner)s, %(role)s"), _("%(count)d doors are shut")),
        _("AWS denied us twice, with and without the external ID, so the role counts as retired."),
        _("Nothing to do."),
    )


def _test(_count: int) -> Words:
    return Words(
        _("A test alert"),
        _("%(by)s asked for it. Alerts that matter reach you on this way as well."),
        _("Nothing to do."),
    )


_TO_ADMINS: dict[AlertKind, Callable[[int], Words]] = {
    AlertKind.BROKEN: _broken,
    AlertKind.UNSAFE: _unsafe,
    AlertKind.RECOVERED: _recovered,
    AlertKind.OUR_TROUBLE: _our_trouble,
    AlertKind.TROUBLE_OVER: _trouble_over,
    AlertKind.CONTROLS_FAIL: _controls_fail,
    AlertKind.SSO_ROLE_CHANGED: _sso_role_changed,
    AlertKind.DOOR_OPEN: _door_open,
    AlertKind.RETIRED: _retired,
    AlertKind.TEST: _test,
}


def _theirs_broken(count: int) -> Words:
    return Words(
        _one_or_many(
            count,
            _("%(organization)s: %(role)s in account %(account)s no longer opens"),
            _("%(organization)s: %(count)d roles in your accounts no longer open"),
        ),
        _("AWS denied us twice in a row what it allowed before, with the right external ID."),
        _("Your turn, if this was not meant: the page behind your link says what most often causes it."),
    )


def _theirs_unsafe(count: int) -> Words:
    return Words(
        _one_or_many(
            count,
            _("%(organization)s: %(role)s in account %(account)s opens too wide"),
            _("%(organization)s: %(count)d roles in your accounts open too wide"),
        ),
        _("A try of ours entered that had to be denied, so others might enter as well. We keep the role back."),
        _("Your turn: the page behind your link has the trust policy as it should read."),
    )


def _theirs_recovered(count: int) -> Words:
    return Words(
        _one_or_many(
            count,
            _("%(organization)s: %(role)s in account %(account)s is well again"),
            _("%(organization)s: %(count)d roles in your accounts are well again"),
        ),
        _("It opens for us with the external ID, and stayed shut to every other try of ours."),
        _("Nothing to do. Thank you."),
    )


def _theirs_sso_role_changed(count: int) -> Words:
    return Words(
        _one_or_many(
            count,
            _("%(organization)s: please save the trust policy of %(role)s once more"),
            _("%(organization)s: please save the trust policies of %(count)d roles once more"),
        ),
        _("The policy names a role of ours that AWS has made anew, so our people are shut out."),
        _("Your turn: the page behind your link has the policy with the new name in it."),
    )


def _theirs_door_open(count: int) -> Words:
    return Words(
        _one_or_many(
            count,
            _("%(organization)s: %(role)s in account %(account)s still lets us in"),
            _("%(organization)s: %(count)d roles in your accounts still let us in"),
        ),
        _("The work has ended, and we would like to have no way in any more. AWS still opens it for us."),
        _("Your turn: delete the role, or take our account out of its trust policy. We see it by ourselves."),
    )


def _theirs_retirement(count: int) -> Words:
    return Words(
        _one_or_many(
            count,
            _("%(organization)s no longer needs %(role)s in account %(account)s"),
            _("%(organization)s no longer needs %(count)d roles in your accounts"),
        ),
        _("The work has ended. Our employees no longer get the role. Thank you for it."),
        _(
            "Please delete the role: in IAM open Roles, search for it, and choose Delete. If you need it for something "
            "else, take our account out of its trust policy instead. We try the door by ourselves until AWS denies us; "
            "no reply is needed."
        ),
    )


def _theirs_retired(count: int) -> Words:
    return Words(
        _one_or_many(
            count,
            _("%(organization)s: the door of %(role)s in account %(account)s is shut"),
            _("%(organization)s: %(count)d doors in your accounts are shut"),
        ),
        _("AWS denied us twice, with and without the external ID. We have no way in by this role any more."),
        _("Nothing more to do. Thank you."),
    )


_TO_PARTNERS: dict[AlertKind, Callable[[int], Words]] = {
    AlertKind.BROKEN: _theirs_broken,
    AlertKind.UNSAFE: _theirs_unsafe,
    AlertKind.RECOVERED: _theirs_recovered,
    AlertKind.SSO_ROLE_CHANGED: _theirs_sso_role_changed,
    AlertKind.DOOR_OPEN: _theirs_door_open,
    AlertKind.RETIREMENT: _theirs_retirement,
    AlertKind.RETIRED: _theirs_retired,
}
