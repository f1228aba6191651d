"""The attribution sheet: what a partner's CloudTrail shows of us, and the queries that find it."""

import json
from dataclasses import replace

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from onboarding.core.arns import AccountId, Partition, RoleArn
from onboarding.core.handoff.attribution import Attribution

WILLOW = AccountId("303040405050")
ONE = Attribution(
    account_id=WILLOW,
    bastion_accounts=(AccountId("111122223333"),),
    role_arns=(RoleArn(Partition.AWS, WILLOW, "/partners/", "HoshinoTelemetry"),),
    external_id="tbi-k4wd-82ru-n6ye-0mtz-7a3c",
    region="ap-northeast-1",
    session_name="kenji.mori@hoshino.example",
)
TWO = replace(
    ONE,
    bastion_accounts=(AccountId("111122223333"), AccountId("222233334444")),
    role_arns=(*ONE.role_arns, RoleArn(Partition.AWS, WILLOW, "/", "HoshinoReports")),
)
ARNS = ["arn:aws:iam::303040405050:role/partners/HoshinoTelemetry", "arn:aws:iam::303040405050:role/HoshinoReports"]


def test_the_sheet_is_the_golden_one(golden):
    golden("handoff/cloudtrail-event.json", ONE.sample_event)
    golden("handoff/cloudtrail-lake.sql", ONE.lake_query)
    golden("handoff/athena.sql", ONE.athena_query)
    golden("handoff/cloudtrail-lake-two-roles.sql", TWO.lake_query)


def test_the_example_is_what_the_partners_own_account_records():
    event = json.loads(ONE.sample_event)
    assert event["recipientAccountId"] == WILLOW
    assert event["userIdentity"]["type"] == "AWSAccount"
    assert event["userIdentity"]["accountId"] == "111122223333"
    assert event["requestParameters"]["roleSessionName"] == "kenji.mori@hoshino.example"
    assert event["resources"][0]["ARN"] == ARNS[0]
    assert "arn" not in event["userIdentity"]


def test_where_people_enter_without_an_external_id_the_example_shows_none():
    event = json.loads(replace(ONE, external_id="").sample_event)
    assert "externalId" not in event["requestParameters"]


@pytest.mark.parametrize(("query", "dialect"), [(TWO.lake_query, "trino"), (TWO.athena_query, "athena")])
def test_a_query_is_one_select_that_names_our_roles_and_accounts_as_literals(query, dialect):
    (statement,) = sqlglot.parse(query, dialect=dialect)
    assert isinstance(statement, exp.Select)
    literals = [literal.this for literal in statement.find_all(exp.Literal) if literal.is_string]
    assert {*ARNS, WILLOW, "111122223333", "222233334444", "sts.amazonaws.com", "AssumeRole"} <= set(literals)


@given(account=st.text(max_size=14), name=st.text(max_size=64), path=st.text(max_size=20))
def test_what_could_end_a_string_of_sql_makes_no_query(account, name, path):
    role = RoleArn(Partition.AWS, AccountId(account), path, name)
    try:
        made = replace(ONE, account_id=AccountId(account), role_arns=(role,))
    except ValueError:
        return
    assert set(made.lake_query).isdisjoint('\\";\0\r')
    (statement,) = sqlglot.parse(made.lake_query, dialect="trino")
    assert {literal.this for literal in statement.find_all(exp.Literal) if literal.is_string} == {
        account,
        "111122223333",
        str(role),
        "sts.amazonaws.com",
        "AssumeRole",
        "roleSessionName",
        "roleArn",
    }


@pytest.mark.parametrize("hostile", ["x' OR '1'='1", "x\n-- ", "x;DROP", "x\u2028y", "", "x" * 65])
def test_a_hostile_name_is_refused(hostile):
    with pytest.raises(ValueError, match="plain"):
        replace(ONE, role_arns=(RoleArn(Partition.AWS, WILLOW, "/", hostile),))


def test_a_sheet_needs_a_role():
    with pytest.raises(ValueError, match="plain"):
        replace(ONE, role_arns=())
