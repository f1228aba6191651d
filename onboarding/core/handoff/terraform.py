"""A Terraform file that makes the role, and the fragment for a configuration that owns it already."""

import re
from collections.abc import Iterator

from onboarding.core.handoff.wanted import INLINE_POLICY, MAX_SESSION_SECONDS, WantedRole, Way

# Policies stand in here-documents, as the JSON that they are: nothing in them has to be taken for HCL but the two
# openings of a template. A precondition needs Terraform 1.2.
_FILE = """\
data "aws_caller_identity" "{label}" {{}}

resource "aws_iam_role" "{label}" {{
  name                 = {name}
  path                 = {path}
  description          = {description}
  max_session_duration = {seconds}

  assume_role_policy = <<-TRUST_POLICY
{trust_policy}  TRUST_POLICY
{options}
  lifecycle {{
    precondition {{
      condition     = data.aws_caller_identity.{label}.account_id == {account}
      error_message = "This role is wanted in account {account_id}."
    }}
  }}
}}
{policies}
output "{label}_role_arn" {{
  description = "Return this to who asked for the role."
  value       = aws_iam_role.{label}.arn
}}
"""

_INLINE = """
resource "aws_iam_role_policy" "{label}" {{
  name = {name}
  role = aws_iam_role.{label}.name

  policy = <<-PERMISSIONS
{policy}  PERMISSIONS
}}
"""

_MANAGED = """
resource "aws_iam_role_policy_attachment" "{label}" {{
  role       = aws_iam_role.{label}.name
  policy_arn = {policy}
}}
"""

_FRAGMENT = """\
# In the resource that owns the role {role}: the argument assume_role_policy.
# To keep statements of your own, leave them in its list of statements, beside {ours}.
  assume_role_policy = <<-TRUST_POLICY
{trust_policy}  TRUST_POLICY
"""


def configuration(wanted: WantedRole, way: Way) -> str:
    trust_policy = _heredoc(wanted.policy_text)
    if way is Way.CHANGE:
        return _FRAGMENT.format(role=wanted.arn.name, ours=wanted.own_sids, trust_policy=trust_policy)
    return _FILE.format(
        label=_label(wanted),
        name=_text(wanted.arn.name),
        path=_text(wanted.arn.path),
        description=_text(wanted.description),
        seconds=MAX_SESSION_SECONDS,
        trust_policy=trust_policy,
        account=_text(wanted.arn.account_id),
        account_id=wanted.arn.account_id,
        options="".join(_options(wanted)),
        policies="".join(_policies(wanted)),
    )


def _options(wanted: WantedRole) -> Iterator[str]:
    if wanted.permissions.boundary:
        yield f"\n  permissions_boundary = {_text(str(wanted.permissions.boundary))}\n"
    if wanted.tags:
        tags = "".join(f"    {_text(key)} = {_text(value)}\n" for key, value in wanted.tags.items())
        yield f"\n  tags = {{\n{tags}  }}\n"


def _policies(wanted: WantedRole) -> Iterator[str]:
    permissions, label = wanted.permissions, _label(wanted)
    if permissions.managed_policy:
        yield _MANAGED.format(label=label, policy=_text(str(permissions.managed_policy)))
    if permissions.document:
        policy = _heredoc(permissions.document_text)
        yield _INLINE.format(label=label, name=_text(INLINE_POLICY), policy=policy)


def _label(wanted: WantedRole) -> str:
    """The role's name as HCL takes it for a name of its own, so that files for several roles lie in one folder."""
    label = re.sub(r"[^A-Za-z0-9_]", "_", wanted.arn.name)
    return label if label[0].isalpha() else f"role_{label}"


def _heredoc(text: str) -> str:
    return "".join(f"    {line}\n" for line in _literal(text).splitlines())


def _text(value: str) -> str:
    """Of what `WantedRole` lets in nothing has to be escaped in quotation marks."""
    return f'"{value}"'


def _literal(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")
