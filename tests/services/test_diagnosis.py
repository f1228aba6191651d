import pytest

from onboarding import messages
from onboarding.core.doctor import Code
from onboarding.core.probes import Outcome
from onboarding.core.states import State
from onboarding.core.trust import policy_text
from onboarding.models import ReadingSource, Trigger, TrustReading
from onboarding.services import diagnosis
from onboarding.services.diagnosis import LONGEST_PASTE, PasteTooLong
from tests.factories import Door, check, make_checked_role, make_role

pytestmark = pytest.mark.django_db


def test_what_we_ask_for_is_healthy():
    role = make_role()
    assert diagnosis.read_pasted(role, policy_text(role.trust_policy)).is_healthy


def test_a_wrong_external_id_is_named_and_the_paste_is_kept():
    role = make_role()
    told = diagnosis.read_pasted(role, policy_text(role.trust_policy).replace(role.external_id, "acme-1"))
    assert told.findings[0].code is Code.EXTERNAL_ID_DIFFERS
    reading, again = diagnosis.latest(role)
    assert reading.source == ReadingSource.PASTED
    assert again.findings == told.findings


def test_what_is_no_policy_is_diagnosed_and_not_kept():
    role = make_role()
    assert not diagnosis.read_pasted(role, "Hello, here is the role.").is_healthy
    assert not TrustReading.objects.exists()


def test_a_paste_without_end_is_refused():
    with pytest.raises(PasteTooLong):
        diagnosis.read_pasted(make_role(), "x" * (LONGEST_PASTE + 1))


def test_the_same_paste_twice_is_one_row_and_ten_are_kept():
    role = make_role()
    for number in (1, 1, *range(2, 15)):
        diagnosis.read_pasted(role, f'{{"Statement": [], "Id": "{number}"}}')
    assert TrustReading.objects.count() == 10
    assert '"14"' in diagnosis.latest(role)[0].text


def test_a_policy_read_from_iam_is_kept_with_its_validation():
    saved = '{"Version":"2012-10-17","Statement":[]}'
    role = make_checked_role(door=Door(without=Outcome.ENTERED, trust_policy=saved))
    reading, told = diagnosis.latest(role)
    assert reading.source == ReadingSource.SAVED
    assert reading.text.splitlines()[1].strip() == '"Version": "2012-10-17",'
    assert not told.is_healthy


def test_a_scheduled_check_does_not_read_the_policy():
    role = make_checked_role()
    check(role, Door(trust_policy="{}"), trigger=Trigger.SCHEDULE)
    assert not TrustReading.objects.exists()


def told_of(role, text):
    last = role.validations.get()
    told = messages.explain(role, last)
    return told, messages.explain_with_policy(told, last, diagnosis.diagnose_for(role, text))


def refused_role():
    role = make_checked_role(door=Door(with_external_id=Outcome.DENIED))
    role.state = State.REFUSED
    return role


def test_a_denial_and_a_policy_together_name_the_cause():
    role = refused_role()
    told, both = told_of(role, policy_text(role.trust_policy).replace(role.external_id, "acme-1"))
    assert both.happened.startswith(told.happened)
    assert "acme-1" in both.happened
    assert both.remedy != told.remedy


def test_a_denial_with_a_healthy_policy_points_elsewhere():
    role = refused_role()
    _, both = told_of(role, policy_text(role.trust_policy))
    assert "elsewhere" in both.certain


def test_a_proven_role_is_not_explained_by_an_old_paste():
    role = make_checked_role()
    told, both = told_of(role, "{}")
    assert both == told
