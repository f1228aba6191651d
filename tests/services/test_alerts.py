from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from onboarding import queue
from onboarding.aws import iam
from onboarding.core.alerts import AlertKind
from onboarding.core.arns import SsoRoleArn
from onboarding.core.probes import Outcome, Verdict, VerdictCode
from onboarding.core.states import State
from onboarding.core.trust import TrustStyle
from onboarding.models import Alert, AlertEntry, AuditEvent, Channel, Delivery, ExternalRole
from onboarding.services import alert_routes, alert_texts, alerts, bastions, offboarding
from onboarding.services.alerts import Checked
from tests import factories
from tests.factories import Door, check, give_up, make_checked_role, make_partner, make_permission_set, make_role

pytestmark = pytest.mark.django_db
SHUT, OPEN = Outcome.DENIED, Outcome.ENTERED


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """What was handed to the broker."""
    tasks_sent = []
    monkeypatch.setattr(queue, "send", lambda task, *arguments: not tasks_sent.append((task, *arguments)))
    return tasks_sent


def after(**time):
    return time_machine.travel(timezone.now() + timedelta(**time), tick=False)


def told(kind: AlertKind | None = None) -> list[Alert]:
    found = Alert.objects.exclude(told_at=None).order_by("pk")
    return list(found.filter(kind=kind) if kind else found)


def fresh(role: ExternalRole) -> ExternalRole:
    return ExternalRole.objects.with_owner().get(pk=role.pk)


def make_broken(role: ExternalRole | None = None) -> ExternalRole:
    role = role or make_checked_role()
    with override_settings(IAM_PROPAGATION=timedelta(0)):
        check(role, Door(with_external_id=SHUT))
        check(fresh(role), Door(with_external_id=SHUT))
    return fresh(role)


def many(count: int, state: State) -> list[ExternalRole]:
    """Of as many partners, made without their stories."""
    first = make_checked_role()
    roles = [first]
    for number in range(1, count):
        account = factories.make_account(account_id=f"{444400000000 + number}")
        roles.append(
            ExternalRole(
                account=account,
                permission_set=first.permission_set,
                external_id=f"tbi-{number:020}",
                role_name="HoshinoReader",
                profile_name=f"many-{number}",
                region=first.region,
                role_arn=f"arn:aws:iam::{account.account_id}:role/HoshinoReader",
                state=State.PROVEN,
                state_since=first.state_since,
                next_check_at=first.next_check_at,
                created_by=first.created_by,
            )
        )
    ExternalRole.objects.bulk_create(roles[1:])
    ExternalRole.objects.update(state=state)
    return list(ExternalRole.objects.with_owner())


# --- What is told -------------------------------------------------------------------------------------------------


def test_a_broken_role_is_told_once_to_each_admin_a_minute_later(alice, sent, django_capture_on_commit_callbacks):
    role = make_broken()
    alerts.tell_due()
    assert not told()
    with after(minutes=1, seconds=1), django_capture_on_commit_callbacks(execute=True):
        alerts.tell_due()
        alerts.tell_due()
    (alert,) = told()
    assert (alert.kind, [entry.external_role for entry in alert.entries.all()]) == (AlertKind.BROKEN, [role])
    (delivery,) = Delivery.objects.all()
    assert (delivery.person, delivery.channel) == (alice, Channel.MAIL)
    assert sent.count((queue.DELIVER_ALERT, delivery.pk)) == 1


def test_one_failure_is_no_alert():
    check(make_checked_role(), Door(with_external_id=SHUT))
    assert not Alert.objects.exists()


def test_a_role_that_never_worked_is_no_alert():
    with after(minutes=5):
        role = make_checked_role(door=Door(with_external_id=SHUT))
    with after(minutes=20):
        check(role, Door(with_external_id=SHUT))
    assert fresh(role).state == State.REFUSED
    assert not Alert.objects.exists()


def test_an_unsafe_role_and_its_recovery_are_told():
    role = make_checked_role(door=Door(without=OPEN))
    check(fresh(role), Door())
    assert [alert.kind for alert in Alert.objects.order_by("pk")] == [AlertKind.UNSAFE, AlertKind.RECOVERED]


def test_only_what_was_told_of_recovers():
    role = make_checked_role()
    check(role, Door(with_external_id=SHUT))
    check(fresh(role), Door())
    assert not Alert.objects.exists()


def test_an_unsafe_role_that_is_shut_and_then_mended_has_recovered():
    role = make_checked_role(door=Door(without=OPEN))
    check(fresh(role), Door(with_external_id=SHUT))
    check(fresh(role), Door())
    assert AlertEntry.objects.filter(kind=AlertKind.RECOVERED, external_role=role).count() == 1


def test_a_check_that_is_overtaken_tells_nothing(alice):
    role = make_checked_role()
    check(role, Door(with_external_id=SHUT))
    check(
        fresh(role),
        Door(with_external_id=SHUT, first=lambda: offboarding.suspend_role(fresh(role), by=alice)),
    )
    assert not Alert.objects.filter(kind=AlertKind.BROKEN).exists()


# --- One matter, one alert ----------------------------------------------------------------------------------------


def test_500_roles_that_break_together_are_one_alert_with_a_list(alice):
    roles = many(500, State.BROKEN)
    checked = [Checked(role, State.SUSPECT, Verdict(VerdictCode.DENIED)) for role in roles]
    for start in range(0, 500, 50):
        alerts.note_checked(checked[start : start + 50], at=timezone.now())
    with after(minutes=2):
        alerts.tell_due()
    (alert,) = told()
    assert alert.entries.count() == 500
    (delivery,) = Delivery.objects.all()
    letter = alert_texts.letter(delivery)
    assert letter.subject == "[Tobiishi] 500 roles are broken"
    assert letter.text.count("/admin/roles/") == 500


def trouble(role: ExternalRole, code: str = "ExpiredToken") -> None:
    give_up(role, code)


def test_one_fault_of_ours_is_one_alert_however_many_roles_it_hits_and_however_long_it_lasts(alice):
    roles = [make_checked_role() for _ in range(4)]
    for hour in range(5):
        with after(hours=hour, minutes=1):
            for role in roles:
                trouble(fresh(role), code="ExpiredToken" if hour else "EndpointConnectionError")
        with after(hours=hour, minutes=5):
            alerts.tell_due()
    (alert,) = told()
    assert (alert.kind, alert.entries.count(), alert.is_lasting) == (AlertKind.OUR_TROUBLE, 4, True)
    assert "EndpointConnectionError" in alert_texts.words_of(alert).happened
    assert Delivery.objects.count() == 1


def test_our_trouble_is_over_once_something_was_learnt_and_nothing_went_wrong_since(alice):
    role = make_checked_role()
    trouble(role)
    with after(minutes=2):
        alerts.tell_due()
    with after(minutes=5):
        check(fresh(role), Door())
        alerts.tell_due()
    assert Alert.objects.open().filter(kind=AlertKind.OUR_TROUBLE).exists()
    with after(minutes=11):
        alerts.tell_due()
    with after(minutes=13):
        alerts.tell_due()
    assert [alert.kind for alert in told()] == [AlertKind.OUR_TROUBLE, AlertKind.TROUBLE_OVER]
    assert not Alert.objects.open().exists()
    assert "is over" in alert_texts.words_of(told(AlertKind.TROUBLE_OVER)[0]).happened


def test_a_trouble_that_goes_on_beside_checks_that_work_is_not_over(alice):
    well, ill = make_checked_role(), make_checked_role()
    trouble(ill)
    with after(minutes=2):
        alerts.tell_due()
    for minutes in range(5, 60, 8):
        with after(minutes=minutes):
            check(fresh(well), Door())
            trouble(fresh(ill))
            alerts.tell_due()
    assert [alert.kind for alert in told()] == [AlertKind.OUR_TROUBLE]


def test_a_trouble_that_nobody_speaks_of_any_more_does_not_swallow_the_next_one(alice):
    role = make_checked_role()
    trouble(role)
    with after(minutes=2):
        alerts.tell_due()
    with after(days=2):
        alerts.tell_due()
        trouble(fresh(role))
    with after(days=2, minutes=2):
        alerts.tell_due()
    assert [alert.kind for alert in told()] == [AlertKind.OUR_TROUBLE, AlertKind.OUR_TROUBLE]


def test_a_trouble_behind_another_bastion_is_another_matter(alice):
    other = factories.make_bastion(account_id="999911112222")
    there = make_role(
        factories.make_account(bastion=other), permission_set=make_permission_set("Elsewhere", bastion=other)
    )
    trouble(make_checked_role())
    trouble(make_checked_role(there))
    assert Alert.objects.filter(kind=AlertKind.OUR_TROUBLE).count() == 2


def test_a_re_created_sso_role_is_one_alert_with_every_policy_that_names_it(alice, monkeypatch):
    permission_set = make_permission_set()
    found = lambda suffix: SsoRoleArn.parse(  # noqa: E731
        f"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/ap-northeast-1/AWSReservedSSO_PartnerAccess_{suffix}"
    )
    monkeypatch.setattr(iam, "find_sso_role", lambda *_: found("0123456789abcdef"))
    bastions.find_all_sso_roles()
    exact = [make_checked_role(make_role(trust_style=TrustStyle.EXACT_ROLE)) for _ in range(3)]
    make_checked_role(make_role(trust_style=TrustStyle.ACCOUNT_AND_CONDITION))
    assert not Alert.objects.exists()
    monkeypatch.setattr(iam, "find_sso_role", lambda *_: found("fedcba9876543210"))
    bastions.find_all_sso_roles()
    bastions.find_all_sso_roles()
    alert = Alert.objects.get()
    assert alert.kind == AlertKind.SSO_ROLE_CHANGED
    assert {entry.external_role for entry in alert.entries.all()} == set(exact)
    assert permission_set.name in alert_texts.words_of(alert).headline


def test_what_breaks_after_an_alert_was_told_is_collected_for_the_next_one(alice):
    first, second, third = (make_checked_role() for _ in range(3))
    make_broken(first)
    with after(minutes=2):
        alerts.tell_due()
        make_broken(second)
    with after(minutes=4):
        alerts.tell_due()
        make_broken(third)
    assert len(told()) == 1
    with after(minutes=8):
        alerts.tell_due()
    assert [alert.entries.count() for alert in told()] == [1, 2]


def test_who_breaks_while_an_alert_is_being_told_is_in_the_next_one(alice):
    make_broken()
    collecting = Alert.objects.get()
    Alert.objects.update(closed_at=timezone.now(), told_at=timezone.now())
    make_broken()
    assert AlertEntry.objects.exclude(alert=collecting).count() == 1


def test_control_roles_that_fail_are_told_once_and_again_when_they_hold(alice):
    bastion = factories.make_bastion()
    for hours in range(3):
        with after(hours=hours):
            alerts.note_controls(bastion, hold=False, at=timezone.now())
        with after(hours=hours, minutes=2):
            alerts.tell_due()
    for hours in (4, 5):
        with after(hours=hours):
            alerts.note_controls(bastion, hold=True, at=timezone.now())
        with after(hours=hours, minutes=2):
            alerts.tell_due()
    assert [alert.kind for alert in told()] == [AlertKind.CONTROLS_FAIL, AlertKind.TROUBLE_OVER]
    assert bastion.name in alert_texts.words_of(told()[0]).happened


def test_a_trouble_that_is_over_before_it_was_told_is_told_all_the_same(alice):
    bastion = factories.make_bastion()
    alerts.note_controls(bastion, hold=False, at=timezone.now())
    alerts.note_controls(bastion, hold=True, at=timezone.now())
    with after(minutes=2):
        alerts.tell_due()
    assert [alert.kind for alert in told()] == [AlertKind.CONTROLS_FAIL, AlertKind.TROUBLE_OVER]
    assert not Alert.objects.open().exists()


# --- To whom ------------------------------------------------------------------------------------------------------


def test_a_partner_is_told_where_it_was_chosen_and_of_their_own_roles_alone(alice):
    wants, does_not = make_partner("Kestrel Analytics"), make_partner("Lumen Pharma")
    alert_routes.set_partner_alerts(wants, is_alerted=True, by=alice)
    theirs = make_broken(make_checked_role(make_role(factories.make_account(wants))))
    others = make_broken(make_checked_role(make_role(factories.make_account(does_not))))
    with after(minutes=2):
        alerts.tell_due()
    delivery = Delivery.objects.get(partner__isnull=False)
    assert (delivery.partner, delivery.place) == (wants, "bob@partner.example")
    letter = alert_texts.letter(delivery)
    told_there = letter.subject + letter.text + letter.html
    assert theirs.role_arn in told_there
    assert others.role_name not in told_there
    assert "Lumen" not in told_there
    assert "/admin/" not in told_there
    assert AuditEvent.objects.filter(action="partner_alerts_set").count() == 1


def test_our_own_trouble_is_no_partners_business(alice):
    partner = make_partner()
    alert_routes.set_partner_alerts(partner, is_alerted=True, by=alice)
    trouble(make_checked_role(make_role(factories.make_account(partner))))
    with after(minutes=2):
        alerts.tell_due()
    assert not Delivery.objects.filter(partner__isnull=False).exists()


def test_nobody_gets_mail_where_that_was_turned_off(alice):
    alert_routes.set_mail(mails_admins=False, by=alice)
    make_broken()
    with after(minutes=2):
        alerts.tell_due()
    assert told()
    assert not Delivery.objects.exists()


def test_inactive_admins_and_employees_get_none(alice, carol):
    gone = factories.make_person("gone@hoshino.example", admin=True)
    gone.is_active = False
    gone.save()
    alerts.send_test(by=alice)
    assert [delivery.person for delivery in Delivery.objects.all()] == [alice]


def test_a_test_alert_goes_out_at_once(alice):
    alerts.send_test(by=alice)
    (alert,) = told()
    assert alert.kind == AlertKind.TEST
    assert alice.email in alert_texts.words_of(alert).happened


# --- Doors --------------------------------------------------------------------------------------------------------


def test_a_door_that_is_open_after_seven_days_is_told_once(alice):
    role = make_checked_role()
    offboarding.retire_role(role, by=alice)
    with after(days=6):
        alerts.note_open_doors()
    assert not Alert.objects.filter(kind=AlertKind.DOOR_OPEN).exists()
    for days in (8, 9):
        with after(days=days):
            alerts.note_open_doors()
            alerts.tell_due()
    assert AlertEntry.objects.filter(kind=AlertKind.DOOR_OPEN).count() == 1


def test_a_door_that_was_seen_shut_is_not_told_as_open(alice):
    role = make_checked_role()
    offboarding.retire_role(role, by=alice)
    with after(days=8):
        check(fresh(role), Door(with_external_id=SHUT, without=SHUT))
        alerts.note_open_doors()
    assert not Alert.objects.filter(kind=AlertKind.DOOR_OPEN).exists()


# --- Speed --------------------------------------------------------------------------------------------------------


def test_a_check_that_changes_nothing_asks_the_database_nothing(django_assert_num_queries):
    role = make_checked_role()
    seen = Checked(fresh(role), State.PROVEN, Verdict(VerdictCode.PROVEN))
    with CaptureQueriesContext(connection) as queries:
        alerts.note_checked([seen], at=timezone.now())
    assert [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]] == []


def test_a_chunk_costs_what_one_costs():
    def queries_for(roles) -> int:
        checked = [Checked(role, State.SUSPECT, Verdict(VerdictCode.DENIED)) for role in roles]
        with CaptureQueriesContext(connection) as queries:
            alerts.note_checked(checked, at=timezone.now())
        return len(queries)

    roles = many(40, State.BROKEN)
    queries_for(roles[:1])
    assert queries_for(roles[1:2]) == queries_for(roles[2:])
