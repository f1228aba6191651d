"""Our own control roles: when they are tried, and what becomes of what they answer."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from onboarding import attention, queue
from onboarding.aws import AwsUnavailable
from onboarding.core.arns import AccountId, RoleArn
from onboarding.core.bastion import CONTROL_EXTERNAL_ID
from onboarding.core.probes import CONTROLS_MUST, Outcome, Probe, ProbeKind
from onboarding.models import AuditEvent, Bastion
from onboarding.services import bastions, controls
from tests.factories import make_bastion

pytestmark = pytest.mark.django_db
OPEN, ASKING = (RoleArn.parse(f"arn:aws:iam::444455556666:role/{name}") for name in ("open", "asking"))
STRANGER = RoleArn.parse("arn:aws:iam::111122223333:role/tobiishi-stranger")


@pytest.fixture
def bastion() -> Bastion:
    return make_bastion(open_control_role_arn=OPEN, asking_control_role_arn=ASKING, stranger_role_arn=STRANGER)


@pytest.fixture
def sent(monkeypatch):
    tasks_sent = []
    monkeypatch.setattr(queue, "send", lambda task, *arguments: not tasks_sent.append((task, *arguments)))
    return tasks_sent


class Answers:
    def __init__(self, **changes: Outcome) -> None:
        self._outcomes = CONTROLS_MUST | {ProbeKind(kind): outcome for kind, outcome in changes.items()}
        self.orders = []

    def __call__(self, order):
        self.orders.append(order)
        return [Probe(kind=kind, outcome=outcome, duration_ms=9) for kind, outcome in self._outcomes.items()]


def tried(bastion: Bastion, answers) -> Bastion:
    controls.try_controls(bastion.pk, try_them=answers)
    return Bastion.objects.get()


def test_they_are_tried_as_they_are_set_up(bastion):
    answers = Answers()
    assert tried(bastion, answers).controls_hold
    (order,) = answers.orders
    assert (order.opens, order.asks, order.external_id) == (OPEN, ASKING, CONTROL_EXTERNAL_ID)
    assert order.stranger.role_arn == str(STRANGER)


def test_a_bastion_without_any_is_left_alone(sent):
    bastion = make_bastion()
    answers = Answers()
    controls.queue_due()
    assert tried(bastion, answers).controls_hold is None
    assert bastion.denials_count
    assert not answers.orders
    assert not sent


def test_they_are_tried_daily_and_often_while_they_do_not_hold(bastion, sent):
    controls.queue_due()
    controls.queue_due()
    assert sent == [(queue.TRY_CONTROLS, bastion.pk)]
    well = tried(bastion, Answers())
    assert well.controls_due_at == well.controls_tried_at + timedelta(days=1)
    ill = tried(bastion, Answers(control_opens=Outcome.DENIED))
    assert ill.controls_due_at == ill.controls_tried_at + settings.CHECK_INTERVAL_TROUBLED
    with time_machine.travel(ill.controls_due_at):
        controls.queue_due()
    assert len(sent) == 2


@pytest.mark.parametrize("kind", list(CONTROLS_MUST))
def test_while_one_does_not_hold_no_denial_counts_and_the_admins_are_told(bastion, kind):
    other = Outcome.ENTERED if CONTROLS_MUST[kind] is Outcome.DENIED else Outcome.DENIED
    failing = tried(bastion, Answers(**{kind: other}))
    assert not failing.denials_count
    assert "Control roles" in " ".join(str(matter.title) for matter in attention.matters(now=timezone.now()))
    told = AuditEvent.objects.get(action="control_roles_tried")
    assert told.facts == {"before": None, "after": False, "failing": [kind]}
    assert tried(bastion, Answers()).denials_count
    assert "Control roles" not in " ".join(str(matter.title) for matter in attention.matters(now=timezone.now()))


def test_only_a_change_is_told(bastion):
    for _ in range(3):
        tried(bastion, Answers())
    assert AuditEvent.objects.filter(action="control_roles_tried").count() == 1


def test_an_outage_says_nothing_about_them(bastion, sent):
    tried(bastion, Answers())

    def away(_order):
        raise AwsUnavailable("Throttling", where="control_opens")

    assert tried(bastion, away).controls_hold


def test_others_are_tried_anew_at_once(bastion, alice, django_capture_on_commit_callbacks, sent):
    tried(bastion, Answers())
    details = {name: getattr(bastion, name) for name in bastions.BastionDetails.__dataclass_fields__}
    arns = {name: RoleArn.parse(details[name]) for name in bastions.CONTROLS}
    changed = bastions.BastionDetails(
        **details | arns | {"account_id": AccountId(bastion.account_id), "stranger_role_arn": None}
    )
    with django_capture_on_commit_callbacks(execute=True):
        bastions.set_up_bastion(changed, bastion=Bastion.objects.get(), by=alice)
    assert Bastion.objects.get().controls_hold is None
    assert sent == [(queue.TRY_CONTROLS, bastion.pk)]


def test_what_was_tried_with_roles_that_were_replaced_meanwhile_is_dropped(bastion):
    class Meanwhile(Answers):
        def __call__(self, order):
            Bastion.objects.update(stranger_role_arn="")
            return super().__call__(order)

    assert tried(bastion, Meanwhile()).controls_hold is None
