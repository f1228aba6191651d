"""The forms of the hand-off as text: byte for byte, and read back by parsers that are not ours."""

import json
import re
import shlex
import subprocess

import hcl2
import pytest
import yaml
from cfnlint import api as cfnlint
from cfnlint import decode
from hypothesis import example, given, settings
from hypothesis import strategies as st

from onboarding.core import permissions_policy, trust
from onboarding.core.arns import AccountId, Partition, PolicyArn, RoleArn
from onboarding.core.errors import InvalidTags
from onboarding.core.handoff import Form, Permissions, WantedRole, Way, console, removal, shell, text_of
from onboarding.core.handoff.console import Step
from tests.core import powershell_reader
from tests.core.test_trust import callers

POLICY = trust.trust_policy(callers(), external_id="tbi-7q2m-9xkd-41vn-hc8e-2m4p")
EXACT = trust.trust_policy(
    callers(), external_id="tbi-7q2m-9xkd-41vn-hc8e-2m4p", style=trust.TrustStyle.EXACT_ROLE, console_access=True
)
DOCUMENT = permissions_policy.parse(
    json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:ListBucket"],
                "Resource": "arn:aws:s3:::exports/${aws:username}/*",
                "Condition": {"Null": {"aws:PrincipalTag/team": False}},
            },
        }
    )
)
NAMES = st.text("ABCxyz019_+=,.@-", min_size=1, max_size=64)
# Everything that shells, YAML, HCL, CloudFormation and PowerShell could take for syntax of theirs.
HOSTILE = st.lists(
    st.sampled_from([*"'\"\\`$%{}[]()<>&|;#!*?:@,~= -ä§", "${", "%{", "${aws:username}", "$(id)", "`id`", "'@", "EOF"]),
    min_size=1,
    max_size=12,
).map("".join)
EXTENSIONS = {Form.POWERSHELL: "ps1", Form.CLOUDFORMATION: "yaml", Form.TERRAFORM: "tf"}


def wanted(arn: RoleArn | None = None, **override: object) -> WantedRole:
    asked = {"description": "Made for the request TB-2026-0147", "trust_policy": POLICY} | override
    return WantedRole(arn=arn or role(), **asked)  # type: ignore[arg-type]


def role(name: str = "HoshinoTelemetry", path: str = "/") -> RoleArn:
    return RoleArn(Partition.AWS, AccountId("303040405050"), path, name)


def everything(document: trust.Document = DOCUMENT) -> WantedRole:
    boundary = PolicyArn.parse("arn:aws:iam::303040405050:policy/limits/Partners", partition=Partition.AWS)
    return wanted(
        role(path="/partners/hoshino/"),
        permissions=Permissions(document=document, boundary=boundary),
        tags={"team": "Data and ML", "cost-center": "a=b"},
    )


def managed() -> WantedRole:
    policy = PolicyArn.parse("job-function/ViewOnlyAccess", partition=Partition.AWS)
    return wanted(permissions=Permissions(managed_policy=policy))


GOLDENS = {
    "make": (wanted(), Way.CREATE),
    "make-with-managed-policy": (managed(), Way.CREATE),
    "make-with-everything": (everything(), Way.CREATE),
    "change": (wanted(), Way.CHANGE),
    "change-exact-roles": (wanted(trust_policy=EXACT), Way.CHANGE),
}


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("name", GOLDENS)
def test_each_form_is_the_golden_one(form, name, golden):
    asked, way = GOLDENS[name]
    golden(f"handoff/{form}/{name}.{EXTENSIONS.get(form, 'sh')}", text_of(form, asked, way).text)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("way", Way)
def test_each_form_is_ascii_and_its_file_is_named_for_what_it_does(form, way):
    made = text_of(form, everything(), way)
    assert made.text.isascii()
    verb = "make" if way is Way.CREATE else "change"
    assert re.fullmatch(rf"{verb}-HoshinoTelemetry(-in-cloudshell)?\.(sh|ps1|yaml|tf)", made.file_name)


# --- What a form could not carry safely makes no form --------------------------------------------------------------


@pytest.mark.parametrize("bad", ["a b", "a'b", "$(id)", "`id`", "a\nb", "", "a" * 65, "a\\b", "ä", "a;b", "a\n", "a\0"])
def test_a_name_that_could_mean_something_to_a_shell_makes_no_form(bad):
    with pytest.raises(ValueError, match="not a plain name"):
        wanted(role(name=bad))


@pytest.mark.parametrize("bad", ["/a b/", "/$(id)/", "a/", "//", "/a'/", "/a/\n", "/${x}/", "/\u202ea/"])
def test_a_path_that_could_mean_something_to_a_shell_makes_no_form(bad):
    with pytest.raises(ValueError, match="not a plain path"):
        wanted(role(path=bad))


@pytest.mark.parametrize("bad", ["it's", "$HOME", "`id`", "two\nlines", "", "星野商事", 'a"b', "a" * 201, "{{x}}"])
def test_a_description_that_could_mean_something_to_a_shell_makes_no_form(bad):
    with pytest.raises(ValueError, match="not a plain description"):
        wanted(description=bad)


@pytest.mark.parametrize(
    "bad", ["a\nb", "a\0b", "\u202ea", "{{resolve:ssm:x}}", "a$${b}", "a%%{b}", "a$%{b}", "a\x85b"]
)
def test_a_policy_that_could_mean_something_to_a_template_makes_no_form(bad):
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bad}"}
    with pytest.raises(ValueError, match="not a plain policy"):
        wanted(permissions=Permissions(document={"Version": "2012-10-17", "Statement": [statement]}))


@pytest.mark.parametrize("bad", [{"a'b": "c"}, {"a": "$(id)"}, {"": "c"}, {"aws:x": "y"}, {"a": "${b}"}, {"a": "b\n"}])
def test_a_tag_that_could_mean_something_makes_no_form(bad):
    with pytest.raises(InvalidTags):
        wanted(tags=bad)


# --- Bash and CloudShell -------------------------------------------------------------------------------------------


def commands(script: str) -> str:
    """What the outer shell hands to the inner one."""
    return script.split("<<'END_OF_COMMANDS'\n")[1].removesuffix("END_OF_COMMANDS\n")


def here_document(script: str, name: str) -> str:
    return script.split(f"<<'{name}'\n")[1].split(f"{name}\n", maxsplit=1)[0]


@given(name=NAMES, path=st.lists(NAMES, max_size=3))
def test_whatever_iam_takes_as_a_name_stays_one_word(name, path):
    arn = role(name, "/" + "".join(f"{part}/" for part in path))
    words = shlex.split(commands(shell.script(wanted(arn), Way.CREATE)), comments=True)
    assert f"role={name}" in words
    assert f"--path={arn.path}" in words


@pytest.mark.parametrize("sh", ["sh", "bash"])
@pytest.mark.parametrize("form", [Form.BASH, Form.CLOUDSHELL])
@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_shell_reads_the_commands_without_complaint(sh, form, way, ends):
    script = text_of(form, everything(), way).text
    for text in (script.replace("\n", ends), commands(script)):
        read = subprocess.run([sh, "-n"], input=text.encode(), capture_output=True, check=False)
        assert (read.returncode, read.stderr) == (0, b"")


@settings(max_examples=30)
@given(text=HOSTILE)
@example(text="TRUST_POLICY")
@example(text="\\")
def test_the_policies_travel_as_they_are(text):
    asked = everything(hostile(text))
    script = shell.script(asked, Way.CREATE)
    assert here_document(script, "TRUST_POLICY") == asked.policy_text
    assert json.loads(here_document(script, "PERMISSIONS")) == asked.permissions.document
    read = subprocess.run(["sh", "-n"], input=commands(script).encode(), capture_output=True, check=False)
    assert (read.returncode, read.stderr) == (0, b"")


def hostile(text: str) -> trust.Document:
    """As it stands in a policy of the admin's own; what no form can carry is refused there."""
    statement = {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{text}",
        "Condition": {"StringEquals": {f"aws:RequestTag/{text}": [text, "x"]}},
    }
    plain = text if permissions_policy.is_plain(text) else re.sub(r"[${%]", "_", text)
    return permissions_policy.parse(
        json.dumps({"Version": "2012-10-17", "Statement": [statement]}).replace(
            json.dumps(text)[1:-1], json.dumps(plain)[1:-1]
        )
    )


# --- PowerShell ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [wanted(), managed(), everything(), wanted(trust_policy=EXACT)])
@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_powershell_reads_the_commands_without_complaint(asked, way, ends):
    script = text_of(Form.POWERSHELL, asked, way).text.replace("\n", ends)
    assert powershell_reader.errors(script) == []
    (policy, *_) = powershell_reader.here_strings(script)
    assert json.loads(policy) == asked.trust_policy


@settings(max_examples=30)
@given(name=NAMES, text=HOSTILE)
def test_powershell_takes_every_value_for_a_text(name, text):
    asked = WantedRole(
        arn=role(name),
        description="Made for the request TB-2026-0147",
        trust_policy=POLICY,
        permissions=Permissions(document=hostile(text)),
    )
    script = text_of(Form.POWERSHELL, asked, Way.CREATE).text
    assert powershell_reader.errors(script) == []
    assert list(map(json.loads, powershell_reader.here_strings(script))) == [POLICY, asked.permissions.document]
    assert name in powershell_reader.plain_strings(script)
    assert powershell_reader.commands(script) == powershell_reader.commands(
        text_of(Form.POWERSHELL, wanted(permissions=Permissions(document=DOCUMENT)), Way.CREATE).text
    )


# --- CloudFormation ------------------------------------------------------------------------------------------------


def template(text: str) -> dict:
    """As cfn-lint reads it: the short forms of functions are written out."""
    found, matches = decode.decode_str(text)
    assert matches == []
    return json.loads(json.dumps(found))


@pytest.mark.parametrize(
    ("asked", "ends"), [(managed(), "\n"), (everything(), "\r\n"), (wanted(trust_policy=EXACT), "\n")]
)
def test_cfn_lint_finds_nothing_in_the_template(asked, ends):
    text = text_of(Form.CLOUDFORMATION, asked, Way.CREATE).text.replace("\n", ends)
    assert cfnlint.lint(text, regions=["ap-northeast-1"]) == []


def test_the_template_makes_the_role_that_is_asked_for():
    made = template(text_of(Form.CLOUDFORMATION, everything(), Way.CREATE).text)
    properties = made["Resources"]["Role"]["Properties"]
    assert properties["AssumeRolePolicyDocument"] == POLICY
    assert properties["Policies"] == [{"PolicyName": "permissions", "PolicyDocument": DOCUMENT}]
    assert (properties["RoleName"], properties["Path"]) == ("HoshinoTelemetry", "/partners/hoshino/")
    boundary = "arn:${AWS::Partition}:iam::303040405050:policy/limits/Partners"
    assert properties["PermissionsBoundary"] == {"Fn::Sub": boundary}
    assert properties["Tags"][1] == {"Key": "cost-center", "Value": "a=b"}
    assert made["Outputs"]["RoleArn"]["Value"] == {"Fn::GetAtt": ["Role", "Arn"]}


def test_a_policy_of_aws_is_named_in_whatever_partition_the_stack_is_made():
    made = template(text_of(Form.CLOUDFORMATION, managed(), Way.CREATE).text)
    policies = made["Resources"]["Role"]["Properties"]["ManagedPolicyArns"]
    assert policies == [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/job-function/ViewOnlyAccess"}]


def test_the_fragment_is_the_property_of_the_template_that_owns_the_role():
    fragment = text_of(Form.CLOUDFORMATION, wanted(trust_policy=EXACT), Way.CHANGE).text
    assert yaml.safe_load(fragment) == {"AssumeRolePolicyDocument": EXACT}
    assert "beside AllowEmployees and AllowValidator" in fragment


@settings(max_examples=30)
@given(name=NAMES, text=HOSTILE)
@example(name="Null", text="${AWS::AccountId}")
@example(name="1e3", text="<<: *x")
@example(name="0o7", text="Fn::Sub: !Ref x")
def test_a_template_takes_every_value_for_a_text(name, text):
    asked = WantedRole(
        arn=role(name),
        description="yes",
        trust_policy=POLICY,
        permissions=Permissions(document=hostile(text)),
        tags={"on": "null", "y": "1_000"},
    )
    properties = template(text_of(Form.CLOUDFORMATION, asked, Way.CREATE).text)["Resources"]["Role"]["Properties"]
    assert properties["RoleName"] == name
    assert properties["Description"] == "yes"
    assert properties["AssumeRolePolicyDocument"] == POLICY
    assert properties["Policies"][0]["PolicyDocument"] == asked.permissions.document
    assert properties["Tags"] == [{"Key": "on", "Value": "null"}, {"Key": "y", "Value": "1_000"}]


# --- Terraform -----------------------------------------------------------------------------------------------------


def resource(text: str, kind: str, label: str = "HoshinoTelemetry") -> dict:
    blocks = hcl2.loads(text)["resource"]
    return next(unquoted(block)[kind][label] for block in blocks if kind in unquoted(block))


def unquoted(block: dict) -> dict:
    return {key.strip('"'): unquoted(value) if isinstance(value, dict) else value for key, value in block.items()}


def document_in(heredoc: str) -> trust.Document:
    """As Terraform evaluates it: the two escapes of a template, which python-hcl2 leaves as they are written."""
    found = re.fullmatch(r'"?<<-([A-Z_]+)\n(.*)\n\s*\1"?', heredoc, re.DOTALL)
    assert found
    assert not re.search(r"(?<![$%])[$%]\{", found[2])
    return json.loads(re.sub(r"([$%])\1\{", r"\1{", found[2]))


@pytest.mark.parametrize("asked", [wanted(), managed(), everything(), wanted(trust_policy=EXACT)])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_terraform_reads_the_trust_policy_that_is_ours(asked, ends):
    text = text_of(Form.TERRAFORM, asked, Way.CREATE).text.replace("\n", ends)
    found = resource(text, "aws_iam_role")
    assert document_in(found["assume_role_policy"].replace("\r", "")) == asked.trust_policy
    assert (found["name"].strip('"'), found["path"].strip('"')) == ("HoshinoTelemetry", asked.arn.path)


def test_the_file_makes_the_role_that_is_asked_for():
    text = text_of(Form.TERRAFORM, everything(), Way.CREATE).text
    found = resource(text, "aws_iam_role")
    assert found["permissions_boundary"].strip('"') == "arn:aws:iam::303040405050:policy/limits/Partners"
    assert unquoted(found["tags"]) == {"team": '"Data and ML"', "cost-center": '"a=b"'}
    assert document_in(resource(text, "aws_iam_role_policy")["policy"]) == DOCUMENT
    attached = resource(text_of(Form.TERRAFORM, managed(), Way.CREATE).text, "aws_iam_role_policy_attachment")
    assert attached["policy_arn"].strip('"') == "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"


def test_the_fragment_is_the_argument_of_the_resource_that_owns_the_role():
    found = hcl2.loads(text_of(Form.TERRAFORM, wanted(trust_policy=EXACT), Way.CHANGE).text)
    assert document_in(found["assume_role_policy"]) == EXACT


@settings(max_examples=30)
@given(name=NAMES, text=HOSTILE)
@example(name="-", text="${")
@example(name="7a", text="%{ for x in y }")
def test_terraform_takes_every_value_for_a_text(name, text):
    asked = WantedRole(
        arn=role(name),
        description="Made for the request TB-2026-0147",
        trust_policy=POLICY,
        permissions=Permissions(document=hostile(text)),
    )
    written = text_of(Form.TERRAFORM, asked, Way.CREATE).text
    label = re.search('resource "aws_iam_role" "([A-Za-z_][A-Za-z0-9_]*)"', written)[1]
    assert resource(written, "aws_iam_role", label)["name"].strip('"') == name
    assert document_in(resource(written, "aws_iam_role_policy", label)["policy"]) == asked.permissions.document


# --- The console ---------------------------------------------------------------------------------------------------


def test_a_role_that_exists_keeps_all_but_its_trust_policy():
    steps = console.steps(everything(), Way.CHANGE)
    assert steps[:2] == (Step.OPEN_TRUST, Step.KEEP_OLD_POLICY)
    assert not {Step.ATTACH_PERMISSIONS, Step.ADD_INLINE_POLICY, Step.SET_BOUNDARY} & set(steps)


def test_a_new_role_gets_what_is_asked_for_and_nothing_else():
    assert Step.ATTACH_PERMISSIONS in console.steps(wanted(), Way.CREATE)
    assert Step.ATTACH_MANAGED_POLICY in console.steps(managed(), Way.CREATE)
    steps = console.steps(everything(), Way.CREATE)
    assert steps.index(Step.SET_BOUNDARY) < steps.index(Step.NAME_AND_CREATE) < steps.index(Step.ADD_INLINE_POLICY)
    assert Step.ATTACH_PERMISSIONS not in steps


def test_the_console_makes_no_role_with_a_path():
    assert console.makes(wanted())
    assert not console.makes(everything())


@pytest.mark.parametrize("way", Way)
def test_the_last_step_is_the_arn(way):
    assert console.steps(wanted(), way)[-1] is Step.COPY_ARN


def test_the_commands_that_delete_a_role_are_the_golden_ones(golden):
    golden("handoff/delete-role.sh", removal.script(role()))
    assert removal.file_name(role()) == "delete-HoshinoTelemetry.sh"


@given(NAMES)
def test_what_deletes_a_role_says_its_name_once_and_quoted(name):
    lines = [line for line in removal.script(role(name)).splitlines() if line.startswith("role=")]
    assert [shlex.split(line) for line in lines] == [[f"role={name}"]]
