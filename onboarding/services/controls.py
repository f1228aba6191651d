"""Our own control roles, tried daily: they show that an answer of AWS means what we take it for."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from onboarding import queue
from onboarding.aws import AwsUnavailable, sts
from onboarding.aws.sts import ControlOrder
from onboarding.core.arns import RoleArn
from onboarding.core.bastion import CONTROL_EXTERNAL_ID
from onboarding.core.probes import Probe, failing_controls
from onboarding.models import Bastion
from onboarding.services import alerts, audit, bastions

log = structlog.get_logger(__name__)

_DAILY = timedelta(days=1)


def queue_due() -> None:
    """Once a day, and often while they do not hold."""
    now = timezone.now()
    is_due = Q(controls_due_at=None) | Q(controls_due_at__lte=now) | Q(controls_due_at__gt=now + _DAILY)
    for pk in Bastion.objects.exclude(open_control_role_arn="").filter(is_due).values_list("pk", flat=True):
        # The answer plans the next one; a task that is lost is sent again after this.
        Bastion.objects.filter(pk=pk).update(controls_due_at=now + settings.CHECK_INTERVAL_TROUBLED)
        queue.send(queue.TRY_CONTROLS, pk)


def try_controls(pk: int, *, try_them: Callable[[ControlOrder], list[Probe]] = sts.try_controls) -> None:
    bastion = Bastion.objects.get(pk=pk)
    if not bastion.has_controls:
        return
    try:
        probes = try_them(_order(bastion))
    except AwsUnavailable as trouble:
        log.warning("controls_not_tried", bastion=bastion.name, where=trouble.where, code=trouble.code)
        return
    _keep(bastion, probes, at=timezone.now())


def _order(bastion: Bastion) -> ControlOrder:
    return ControlOrder(
        identity=bastions.identity_of(bastion),
        opens=RoleArn.parse(bastion.open_control_role_arn),
        asks=RoleArn.parse(bastion.asking_control_role_arn),
        external_id=CONTROL_EXTERNAL_ID,
        stranger=bastions.stranger_of(bastion),
    )


@transaction.atomic
def _keep(bastion: Bastion, probes: list[Probe], *, at: datetime) -> None:
    """A change is told; what was tried with roles that were replaced meanwhile says nothing."""
    asked = {name: getattr(bastion, name) for name in bastions.CONTROLS}
    row = Bastion.objects.select_for_update().filter(pk=bastion.pk, **asked).first()
    if row is None:
        return
    failing = failing_controls(probes)
    before, hold = row.controls_hold, not failing
    row.controls_tried_at, row.controls_hold = at, hold
    row.controls_due_at = at + (settings.CHECK_INTERVAL_TROUBLED if failing else _DAILY)
    row.controls_probes = [probe.to_json() for probe in probes]
    row.save(update_fields=["controls_tried_at", "controls_hold", "controls_due_at", "controls_probes"])
    alerts.note_controls(row, hold=hold, at=at)
    if before is not hold:
        facts = {"before": before, "after": hold, "failing": [probe.kind for probe in failing]}
        audit.append("control_roles_tried", row, at=at, facts=facts)
