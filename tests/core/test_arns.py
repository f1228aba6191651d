import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from onboarding.core.arns import (
    AccountId,
    Partition,
    PolicyArn,
    RoleArn,
    SsoRoleArn,
    parse_role_name,
    parse_role_path,
)
from onboarding.core.errors import InvalidAccountId, InvalidPolicyArn, InvalidRoleArn

ARN = "arn:aws:iam::123456789012:role/Reader"
NAMES = st.text("abcXYZ019_+=,.@-", min_size=1, max_size=64)


@pytest.mark.parametrize(
    "text",
    [
        ARN,
        f"  {ARN}\n",
        f'"{ARN}",',
        f"`{ARN}`",
        "arn:aws:iam::123456789012:role/team/a/Reader",
        ARN.replace("aws", "aws-cn", 1),
    ],
)
def test_a_role_arn_is_read_as_people_paste_it(text):
    assert str(RoleArn.parse(text)) in text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("Reader", "not_an_arn"),
        ("arn:aws:iam::123456789012", "not_an_arn"),
        ("arn:aws:sts::123456789012:assumed-role/Reader/me", "assumed_role"),
        ("arn:aws:iam::123456789012:user/me", "user"),
        ("arn:aws:iam::123456789012:group/us", "group"),
        ("arn:aws:iam::123456789012:root", "root"),
        ("arn:aws:iam::123456789012:instance-profile/Reader", "instance_profile"),
        ("arn:aws:iam::123456789012:policy/Reader", "policy"),
        ("arn:aws:s3:::bucket", "other_service"),
        ("arn:aws:iam:eu-west-1:123456789012:role/Reader", "other_service"),
        ("arn:aws-mars:iam::123456789012:role/Reader", "partition"),
        ("arn:aws:iam::12345:role/Reader", "account"),
        ("arn:aws:iam::１２３４５６７８９０１２:role/Reader", "not_an_arn"),
        ("arn:aws:iam::123456789012:role/", "name"),
        ("arn:aws:iam::123456789012:role//Reader", "path"),
        ("arn:aws:iam::123456789012:role/a b/Reader", "path"),
        ("arn:aws:iam::123456789012:role/Read er", "name"),
        (f"arn:aws:iam::123456789012:role/{'x' * 65}", "name"),
        ("arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/X", "reserved_path"),
        ("arn:aws:iam::123456789012:role/aws-service-role/x.amazonaws.com/X", "reserved_path"),
        ("arn:aws:iam::123456789012:role/Read\x00er", "control_character"),
        ("arn:aws:iam::123456789012:role/Read\ner", "control_character"),
        ("arn:aws:iam::123456789012:role/Read\u202eer", "control_character"),
    ],
)
def test_everything_else_is_refused_for_its_own_reason(text, reason):
    with pytest.raises(InvalidRoleArn) as refused:
        RoleArn.parse(text)
    assert refused.value.reason == reason
    assert refused.value.found == text


@given(st.sampled_from(Partition), st.from_regex(r"[0-9]{12}", fullmatch=True), st.lists(NAMES, max_size=3), NAMES)
def test_what_is_written_is_read_back_the_same(partition, account, directories, name):
    path = "".join(f"{directory}/" for directory in directories)
    # A comma at the end is taken for the sentence's around it.
    assume(not name.endswith(","))
    arn = RoleArn(partition, AccountId(account), f"/{path}", name)
    assert RoleArn.parse(str(arn)) == arn


@given(st.text(max_size=80))
def test_no_text_does_more_than_be_refused(text):
    try:
        arn = RoleArn.parse(text)
    except InvalidRoleArn:
        return
    assert str(arn) == text.strip(" \t\r\n\"'`,;")


@pytest.mark.parametrize("text", ["123456789012", " 123456789012\n", "1234-5678-9012", "1234 5678 9012"])
def test_an_account_id_is_read_as_the_console_shows_it(text):
    assert AccountId.parse(text) == "123456789012"
    assert AccountId.parse(text).grouped == "1234 5678 9012"


@pytest.mark.parametrize(
    "text", ["", "12345678901", "1234567890123", "12345678901a", "１２３４５６７８９０１２", "123-456789012"]
)
def test_other_account_ids_are_refused(text):
    with pytest.raises(InvalidAccountId):
        AccountId.parse(text)


@pytest.mark.parametrize(("region", "permission_set"), [("ap-northeast-1", "PartnerAccess"), (None, "A_b=c,d.e@f-g+1")])
def test_an_sso_role_arn_names_its_permission_set(region, permission_set):
    segment = f"{region}/" if region else ""
    text = (
        f"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/{segment}"
        f"AWSReservedSSO_{permission_set}_0123456789abcdef"
    )
    arn = SsoRoleArn.parse(text)
    assert (arn.region, arn.permission_set, str(arn)) == (region, permission_set, text)


def test_a_permission_set_that_begins_like_another_is_another():
    text = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Bastion_Admin_0123456789abcdef"
    assert SsoRoleArn.parse(text).permission_set == "Bastion_Admin"


def test_another_role_is_no_sso_role():
    with pytest.raises(InvalidRoleArn) as refused:
        SsoRoleArn.parse(ARN)
    assert refused.value.reason == "not_an_sso_role"


def test_a_role_name_alone_is_trimmed_and_checked():
    assert parse_role_name(" Reader ") == "Reader"
    with pytest.raises(InvalidRoleArn):
        parse_role_name("Rea/der")


@pytest.mark.parametrize(
    ("typed", "path"), [("/", "/"), ("", "/"), ("partners", "/partners/"), (" /a/b ", "/a/b/"), ("/a/", "/a/")]
)
def test_a_path_gets_the_slashes_that_people_leave_out(typed, path):
    assert parse_role_path(typed) == path


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("a b", "path"),
        ("a//b", "path"),
        ("$(id)", "path"),
        ("a\nb", "path"),
        ("ä", "path"),
        ("x" * 512, "path"),
        ("/aws-reserved/x/", "reserved_path"),
        ("aws-service-role", "reserved_path"),
    ],
)
def test_what_is_no_path_of_ours_is_refused(typed, reason):
    with pytest.raises(InvalidRoleArn) as refused:
        parse_role_path(typed)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("typed", "arn"),
    [
        ("ReadOnlyAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        ("job-function/ViewOnlyAccess", "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"),
        (" arn:aws:iam::aws:policy/SecurityAudit\r\n", "arn:aws:iam::aws:policy/SecurityAudit"),
        ("arn:aws:iam::303040405050:policy/limits/Partners", "arn:aws:iam::303040405050:policy/limits/Partners"),
    ],
)
def test_a_policy_is_named_by_its_arn_or_if_it_is_of_aws_by_its_name(typed, arn):
    assert str(PolicyArn.parse(typed, partition=Partition.AWS)) == arn


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "policy"),
        ("Read Only", "policy"),
        ("arn:aws:iam::aws:role/X", "policy"),
        ("arn:aws:iam::30304040505:policy/X", "policy"),
        ("arn:aws:iam::aws:policy/X\nY", "policy"),
        ("${x}", "policy"),
        ("arn:aws-cn:iam::aws:policy/ReadOnlyAccess", "partition"),
        ("AdministratorAccess", "administrator"),
        ("arn:aws:iam::aws:policy/administratoraccess", "administrator"),
        ("IAMFullAccess", "administrator"),
    ],
)
def test_what_names_no_policy_that_we_ask_for_is_refused(typed, reason):
    with pytest.raises(InvalidPolicyArn) as refused:
        PolicyArn.parse(typed, partition=Partition.AWS)
    assert refused.value.reason == reason
