"""Collecting what is worth an alert, and telling it: one alert for one matter, however many roles it hits."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone

from onboarding import queue
from onboarding.core import alerts, retirement
from onboarding.core.alerts import AlertKind
from onboarding.core.probes import NOTHING_LEARNT, Verdict, VerdictCode
from onboarding.core.states import State
from onboarding.core.trust import TrustStyle
from onboarding.models import (
    Alert,
    AlertEntry,
    AlertRoute,
    Bastion,
    Channel,
    Delivery,
    ExternalRole,
    Partner,
    PermissionSet,
    Person,
    Validation,
)
from onboarding.services import alert_routes, audit

# Alerts that one sweep tells; the next one goes on.
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check did to a role, which carries its state from then on."""

    role: ExternalRole
    before: State
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Matter:
    """What is one alert: its key, and what is kept of it besides its entries."""

    kind: AlertKind
    key: str
    facts: dict[str, object]


_Hit = tuple[ExternalRole, str]


def note_checked(checked: Sequence[Checked], *, at: datetime) -> None:
    """Inside the transaction of the checks themselves, and before its audit events, so that all lock in one order.

    Where nothing has changed and nothing is amiss, the database is not asked.
    """
    hits: dict[AlertKind, list[_Hit]] = {}
    well_again = [seen.role for seen in checked if seen.before != seen.role.state == State.PROVEN]
    told = _last_told(well_again)
    for seen in checked:
        kind = alerts.kind_of_change(seen.before, State(seen.role.state), told=told.get(seen.role.pk))
        if kind:
            hits.setdefault(kind, []).append((seen.role, seen.verdict.detail))
    for kind in sorted(hits):
        _collect(_Matter(kind, kind, {}), hits[kind], at=at)
    _note_trouble([seen for seen in checked if seen.verdict.code is VerdictCode.OUR_TROUBLE], at=at)


def _note_trouble(checked: Sequence[Checked], *, at: datetime) -> None:
    """One matter for each bastion: one fault of ours shows under several names, and in every role behind it."""
    if not checked:
        return
    sets = PermissionSet.objects.filter(pk__in={seen.role.permission_set_id for seen in checked})
    bastions = dict(sets.values_list("pk", "bastion"))
    hits: dict[int, list[_Hit]] = {}
    for seen in checked:
        hits.setdefault(bastions[seen.role.permission_set_id], []).append((seen.role, seen.verdict.detail))
    for bastion in sorted(hits):
        facts: dict[str, object] = {"bastion": bastion}
        _collect(_Matter(AlertKind.OUR_TROUBLE, f"our_trouble:{bastion}", facts), hits[bastion], at=at)


@transaction.atomic
def note_controls(bastion: Bastion, *, hold: bool, at: datetime) -> None:
    """What our control roles answered: their failing lasts until they hold again."""
    matter = _Matter(AlertKind.CONTROLS_FAIL, f"controls:{bastion.pk}", {"bastion": bastion.pk})
    if not hold:
        _open(matter, at=at)
        return
    for alert in Alert.objects.open().filter(key=matter.key):
        _end(alert, at=at)


@transaction.atomic
def note_sso_role_changed(permission_set: PermissionSet, *, at: datetime) -> None:
    """Every role whose policy names the SSO role's ARN has to be saved once more at the partner; others go on."""
    hit = permission_set.external_roles.live().exclude(state=State.RETIRING).exclude(role_arn="")
    roles = list(hit.filter(trust_style=TrustStyle.EXACT_ROLE))
    if roles:
        facts: dict[str, object] = {"permission_set": permission_set.name}
        matter = _Matter(AlertKind.SSO_ROLE_CHANGED, f"sso_role:{permission_set.pk}", facts)
        _collect(matter, [(role, "") for role in roles], at=at)


@transaction.atomic
def note_retirement(role: ExternalRole, *, at: datetime) -> None:
    """The partner is told what to remove; roles of one account that are retired together make one mail."""
    matter = _Matter(AlertKind.RETIREMENT, f"retirement:{role.account_id}", {})
    _collect(matter, [(role, "")], at=at)


@transaction.atomic
def note_open_doors() -> None:
    """Once for each role whose door is still open so long after its work has ended."""
    now = timezone.now()
    told = AlertEntry.objects.filter(external_role=OuterRef("pk"), kind=AlertKind.DOOR_OPEN)
    roles = list(ExternalRole.objects.open_too_long(now - retirement.OPEN_TOO_LONG).filter(~Exists(told))[:500])
    if roles:
        _collect(_Matter(AlertKind.DOOR_OPEN, AlertKind.DOOR_OPEN, {}), [(role, "") for role in roles], at=now)


def tell_due() -> None:
    """Put into the outbox what has been collected for long enough; for the sweeper."""
    now = timezone.now()
    _end_troubles(now)
    for alert in Alert.objects.to_tell(now).order_by("due_at")[:_CHUNK]:
        _tell(alert, at=now)


@transaction.atomic
def send_test(*, by: Person) -> None:
    """At once, to every place where alerts go."""
    now = timezone.now()
    alert = Alert.objects.create(
        kind=AlertKind.TEST,
        key=f"test:{now.timestamp()}",
        opened_at=now,
        due_at=now,
        last_at=now,
        facts={"by": by.email},
    )
    _tell(alert, at=now)
    audit.append("alert_tested", alert_routes.current(), at=now, by=by)


def _last_told(roles: Collection[ExternalRole]) -> dict[int, AlertKind]:
    """By role: which of the alerts about its state was the last; one query, and none where there is nothing to ask."""
    if not roles:
        return {}
    of_role = AlertEntry.objects.filter(external_role=OuterRef("pk"), kind__in=alerts.OF_STATE).order_by("-at", "-id")
    keys = ExternalRole.objects.filter(pk__in=[role.pk for role in roles])
    found = keys.values_list("pk", Subquery(of_role.values("kind")[:1]))
    return {pk: AlertKind(kind) for pk, kind in found if kind}


def _collect(matter: _Matter, hits: Iterable[_Hit], *, at: datetime) -> None:
    alert = _open(matter, at=at)
    entries = [
        AlertEntry(alert=alert, external_role=role, kind=matter.kind, at=at, detail=detail[:200])
        for role, detail in hits
    ]
    AlertEntry.objects.bulk_create(entries, ignore_conflicts=True, batch_size=500)


def _open(matter: _Matter, *, at: datetime) -> Alert:
    """The alert that collects this matter, locked until the commit: what is told meanwhile would miss our entries."""
    while True:
        collecting = Alert.objects.open().filter(key=matter.key)
        if collecting.update(last_at=at):
            return collecting.get()
        before = Alert.objects.filter(key=matter.key, told_at__gt=at - alerts.REMEMBERED)
        due_at = alerts.due_at(at, told=[alert.told_at for alert in before if alert.told_at])
        try:
            with transaction.atomic():
                return Alert.objects.create(
                    kind=matter.kind, key=matter.key, facts=matter.facts, opened_at=at, due_at=due_at, last_at=at
                )
        except IntegrityError:
            # Somebody else has opened it in this very moment, so we join them.
            continue


def _end_troubles(now: datetime) -> None:
    """A trouble of ours is over once something was learnt after it, and nothing else went wrong for a while."""
    for alert in Alert.objects.open().filter(kind=AlertKind.OUR_TROUBLE, last_at__lt=now - alerts.CALM):
        behind = Validation.objects.filter(external_role__permission_set__bastion=alert.facts["bastion"])
        learnt = behind.finished().filter(requested_at__gt=alert.last_at).exclude(verdict__in=NOTHING_LEARNT)
        if learnt.exists():
            _end(alert, at=now)
        elif alert.last_at < now - alerts.FORGOTTEN:
            # The next trouble must not join one that nobody remembers.
            Alert.objects.open().filter(pk=alert.pk, last_at=alert.last_at).update(closed_at=now)


@transaction.atomic
def _end(alert: Alert, *, at: datetime) -> None:
    """That it is over is told after what it was, and where that still collects, it is told now."""
    _tell(alert, at=at)
    if Alert.objects.open().filter(pk=alert.pk, last_at=alert.last_at).update(closed_at=at):
        facts = {**alert.facts, "since": alert.opened_at.isoformat()}
        _open(_Matter(AlertKind.TROUBLE_OVER, f"trouble_over:{alert.pk}", facts), at=at)


@transaction.atomic
def _tell(alert: Alert, *, at: datetime) -> None:
    closes = {} if alert.kind in alerts.LASTING else {"closed_at": at}
    if not Alert.objects.filter(pk=alert.pk, told_at=None).update(told_at=at, **closes):
        return
    for delivery in Delivery.objects.bulk_create(_deliveries(alert, at=at)):
        queue.on_commit(queue.DELIVER_ALERT, delivery.pk)


def _deliveries(alert: Alert, *, at: datetime) -> list[Delivery]:
    def to(channel: Channel, place: str, **whom: object) -> Delivery:
        return Delivery(alert=alert, channel=channel, place=place, asked_at=at, queued_at=at, next_try_at=at, **whom)

    route = alert_routes.current()
    made = [to(Channel.MAIL, person.email, person=person) for person in _admins(alert, route)]
    made += [to(Channel.MAIL, partner.contact_email, partner=partner) for partner in _partners(alert)]
    if route.webhook_url and alert.kind in alerts.FOR_ADMINS:
        made.append(to(Channel.WEBHOOK, alert_routes.webhook_url(route).place))
    return made


def _admins(alert: Alert, route: AlertRoute) -> Iterable[Person]:
    if not route.mails_admins or alert.kind not in alerts.FOR_ADMINS:
        return []
    return Person.objects.platform_admins()


def _partners(alert: Alert) -> Iterable[Partner]:
    hit = Partner.objects.filter(pk__in=alert.entries.values("external_role__account__partner"))
    if alert.kind == AlertKind.RETIREMENT:
        return hit
    return hit.filter(is_alerted=True) if alert.kind in alerts.FOR_PARTNERS else []
