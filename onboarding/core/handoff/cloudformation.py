"""A CloudFormation template that makes the role, and the fragment for a template that owns it already."""

import json
import re
from collections.abc import Iterator

from onboarding.core.arns import PolicyArn
from onboarding.core.handoff.wanted import INLINE_POLICY, MAX_SESSION_SECONDS, WantedRole, Way

# A role of this name in another of the partner's accounts would be none that we asked for.
_TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: {description}
Conditions:
  InTheAccountAskedFor: !Equals [!Ref "AWS::AccountId", {account}]
Resources:
  Role:
    Type: AWS::IAM::Role
    Condition: InTheAccountAskedFor
    Properties:
      RoleName: {name}
      Path: {path}
      Description: {description}
      MaxSessionDuration: {seconds}
      AssumeRolePolicyDocument:
{trust_policy}
{options}Outputs:
  RoleArn:
    Description: Return this to who asked for the role.
    Condition: InTheAccountAskedFor
    Value: !GetAtt Role.Arn
"""

_FRAGMENT = """\
# In the template that owns the role {name}: the property AssumeRolePolicyDocument.
# To keep statements of your own, leave them in its list of statements, beside {ours}.
      AssumeRolePolicyDocument:
{trust_policy}
"""

# CloudFormation reads YAML 1.1, where these words are no text; `Null` is an operator of IAM.
_PLAIN_KEY = re.compile(r"(?!(?i:null|true|false|yes|no|on|off)\b)[A-Z][A-Za-z]+")


def template(wanted: WantedRole, way: Way) -> str:
    trust_policy = _block(wanted.trust_policy, 8)
    if way is Way.CHANGE:
        return _FRAGMENT.format(name=wanted.arn.name, ours=wanted.own_sids, trust_policy=trust_policy)
    return _TEMPLATE.format(
        description=_text(wanted.description),
        account=_text(wanted.arn.account_id),
        name=_text(wanted.arn.name),
        path=_text(wanted.arn.path),
        seconds=MAX_SESSION_SECONDS,
        trust_policy=trust_policy,
        options="".join(_options(wanted)),
    )


def _options(wanted: WantedRole) -> Iterator[str]:
    permissions = wanted.permissions
    if permissions.managed_policy:
        yield f"      ManagedPolicyArns:\n        - {_arn(permissions.managed_policy)}\n"
    if permissions.document:
        policy = _block(permissions.document, 12)
        yield f"      Policies:\n        - PolicyName: {INLINE_POLICY}\n          PolicyDocument:\n{policy}\n"
    if permissions.boundary:
        yield f"      PermissionsBoundary: {_arn(permissions.boundary)}\n"
    if wanted.tags:
        tags = [{"Key": key, "Value": value} for key, value in wanted.tags.items()]
        yield f"      Tags:\n{_block(tags, 8)}\n"


def _arn(policy: PolicyArn) -> str:
    """The one place where CloudFormation puts something in; nothing in a policy's name could be taken for it."""
    return f'!Sub "arn:${{AWS::Partition}}:iam::{policy.owner}:policy{policy.path}{policy.name}"'


def _block(value: object, indent: int) -> str:
    return "\n".join(" " * indent + line for line in _lines(value))


def _lines(value: object) -> Iterator[str]:
    """Block style, every string in quotation marks: in YAML too they take JSON's escapes, and mean nothing else."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            name = key if _PLAIN_KEY.fullmatch(key) else _text(key)
            yield from _entry(f"{name}:", inner)
    elif isinstance(value, list) and value:
        for inner in value:
            first, *others = _lines(inner)
            yield f"- {first}"
            yield from (f"  {line}" for line in others)
    else:
        yield _text(value)


def _entry(name: str, value: object) -> Iterator[str]:
    if isinstance(value, dict | list) and value:
        yield name
        yield from (f"  {line}" for line in _lines(value))
    else:
        yield f"{name} {_text(value)}"


def _text(value: object) -> str:
    return json.dumps(value)
