import json

import pytest

from onboarding.core.doctor import Code
from onboarding.core.probes import Outcome
from onboarding.core.trust import minified, policy_text
from onboarding.models import ReadingSource, Trigger, TrustReading
from onboarding.services import diagnosis
from onboarding.services.diagnosis import LONGEST_PASTE, PasteTooLong
from tests.factories import Door, check, make_checked_role, make_role

pytestmark = pytest.mark.django_db


def test_what_we_ask_for_is_healthy():
    role = make_role()
    assert diagnosis.check_pasted(role, policy_text(role.trust_policy)).is_healthy


def test_a_wrong_external_id_is_named_and_the_paste_is_kept():
    role = make_role()
    told = diagnosis.check_pasted(role, policy_text(role.trust_policy).replace(role.external_id, "acme-1"))
    assert told.findings[0].code is Code.EXTERNAL_ID_DIFFERS
    policy = diagnosis.latest(role)
    assert policy.reading.source == ReadingSource.PASTED
    assert policy.diagnosis.findings == told.findings


def test_what_is_no_policy_is_diagnosed_and_not_kept():
    role = make_role()
    assert not diagnosis.check_pasted(role, "Hello, here is the role.").is_healthy
    assert not TrustReading.objects.exists()


def test_a_paste_without_end_is_refused():
    with pytest.raises(PasteTooLong):
        diagnosis.check_pasted(make_role(), "x" * (LONGEST_PASTE + 1))


def test_the_same_paste_twice_is_one_row_and_ten_are_kept():
    role = make_role()
    for number in (1, 1, *range(2, 15)):
        diagnosis.check_pasted(role, f'{{"Statement": [], "Id": "{number}"}}')
    assert TrustReading.objects.count() == 10
    assert '"14"' in diagnosis.latest(role).reading.text


def test_a_policy_read_from_iam_is_kept_with_its_validation():
    saved = '{"Version":"2012-10-17","Statement":[]}'
    role = make_checked_role(door=Door(without=Outcome.ENTERED, trust_policy=saved))
    policy = diagnosis.latest(role)
    assert policy.reading.source == ReadingSource.SAVED
    assert policy.reading.text.splitlines()[1].strip() == '"Version": "2012-10-17",'
    assert not policy.diagnosis.is_healthy


def test_a_scheduled_check_reads_the_policy_of_those_roles_only_that_let_themselves_be_read():
    role = make_checked_role()
    check(role, Door(trust_policy="{}"), trigger=Trigger.SCHEDULE)
    assert not TrustReading.objects.exists()
    check(role, Door(trust_policy="{}"), trigger=Trigger.ADMIN)
    check(role, Door(trust_policy='{"Id":"2"}'), trigger=Trigger.SCHEDULE)
    assert '"2"' in diagnosis.latest(role).reading.text


def test_of_what_stands_around_a_policy_nothing_is_kept():
    role = make_role()
    answer = {"Role": {"Description": "private", "AssumeRolePolicyDocument": role.trust_policy}}
    told = diagnosis.check_pasted(role, json.dumps(answer, indent=4))
    assert told.excerpt.first == 4
    assert diagnosis.latest(role).reading.text == policy_text(role.trust_policy).strip()


def test_what_would_be_too_long_once_laid_out_is_told_about_and_not_kept():
    role = make_role()
    statements = [{"Effect": "Allow"}] * 4_000
    told = diagnosis.check_pasted(role, json.dumps({"Statement": statements}, separators=(",", ":")))
    assert told.findings
    assert diagnosis.latest(role) is None


def test_a_policy_on_one_line_is_told_on_lines_of_its_own():
    role = make_role()
    told = diagnosis.diagnose_for(role, minified(role.trust_policy).replace(role.external_id, "acme-1"))
    assert told.findings[0].line == 13


def test_of_many_roles_in_a_paste_the_one_with_our_external_id_is_meant():
    role = make_role()
    other = {"Version": "2012-10-17", "Statement": []}
    roles = [{"AssumeRolePolicyDocument": document} for document in (other, role.trust_policy, other)]
    assert diagnosis.diagnose_for(role, json.dumps({"Roles": roles})).is_healthy


def test_the_clock_is_known():
    role = make_role()
    document = role.trust_policy
    document["Statement"][0]["Condition"]["DateLessThan"] = {"aws:CurrentTime": "2020-01-01T00:00:00Z"}
    told = diagnosis.diagnose_for(role, policy_text(document))
    assert (told.outcomes[0], told.findings[0].code) == ("implicitly_denied", Code.DATE_CONDITION)


def test_a_paste_for_an_earlier_arn_speaks_of_another_role():
    role = make_checked_role()
    diagnosis.check_pasted(role, policy_text(role.trust_policy))
    role.role_arn = f"{role.role_arn}2"
    assert diagnosis.latest(role) is None


def test_the_latest_of_many_roles_costs_as_many_queries_as_that_of_one(django_assert_num_queries):
    roles = [make_role() for _ in range(3)]
    for role in roles:
        diagnosis.check_pasted(role, "{}")
    with django_assert_num_queries(2):
        assert len(diagnosis.latest_of(roles)) == 3
