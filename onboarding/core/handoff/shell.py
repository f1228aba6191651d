"""The AWS CLI commands for bash and every other POSIX shell; and, for CloudShell, with a reply to paste back."""

import json
from collections.abc import Iterator
from shlex import quote

from onboarding.core import trust
from onboarding.core.handoff import returned
from onboarding.core.handoff.wanted import INLINE_POLICY, MAX_SESSION_SECONDS, WantedRole, Way

# Windows line ends do no harm: the carriage return behind the first line belongs to the delimiter, as it does on the
# last, and `tr` takes away all others. The parentheses make the shell read to the end before it does anything.
# Policies travel in files from quoted here-documents: the shell reads none of them. MSYS would turn a role's path into
# a path on a Windows disk.
_FRAME = """\
{{ tr -d '\\r' | sh -s; }} <<'END_OF_COMMANDS'
(
# {purpose} (Line ends of Windows were taken out above.)
set -eu
export AWS_PAGER= MSYS_NO_PATHCONV=1
account={account}
role={role}

found=$(aws sts get-caller-identity --query Account --output text | tr -d '\\r')
if [ "$found" != "$account" ]; then
  echo "Nothing was changed: these credentials are of '$found', the role is wanted in $account." >&2
  exit 1
fi
work=$(mktemp -d ./tobiishi.XXXXXX)
trap 'rm -r "$work"' EXIT
cat > "$work/trust-policy.json" <<'TRUST_POLICY'
{policy}TRUST_POLICY

{commands}{answer})
END_OF_COMMANDS
"""

_CREATE = """\
aws iam create-role --role-name="$role" --path={path} \\
  --description={description} \\
  --max-session-duration={seconds} \\
  --assume-role-policy-document="file://$work/trust-policy.json"{options} > /dev/null
"""

_CHANGE = """\
before=trust-policy-$role-before-$(date +%Y%m%d%H%M%S).json
aws iam get-role --role-name="$role" --query Role.AssumeRolePolicyDocument --output json > "$work/before"
cp "$work/before" "$before"
echo "The trust policy until now, which is kept in $before:" >&2
cat "$before" >&2
others=$(aws iam get-role --role-name="$role" --output text --query {others} | tr -d '\\r')
if [ "$others" != 0 ]; then
  echo "It holds statements that are not ours ($others). This replaces the whole policy, these statements too." >&2
  printf 'Type yes to replace it: ' >&2
  answer=
  {{ read -r answer < /dev/tty; }} 2> /dev/null || :
  if [ "$answer" != yes ]; then
    echo "Nothing was changed." >&2
    exit 1
  fi
fi
aws iam update-assume-role-policy --role-name="$role" \\
  --policy-document="file://$work/trust-policy.json"
"""

_TAGS = """\
cat > "$work/tags.json" <<'TAGS'
{tags}
TAGS
"""

_MANAGED = """\
aws iam attach-role-policy --role-name="$role" \\
  --policy-arn={policy}
"""

_INLINE = """\
cat > "$work/permissions.json" <<'PERMISSIONS'
{policy}PERMISSIONS
aws iam put-role-policy --role-name="$role" --policy-name={name} \\
  --policy-document="file://$work/permissions.json"
"""

_ANSWER_ARN = """\
# The ARN to return:
aws iam get-role --role-name="$role" --query Role.Arn --output text
"""

_ANSWER_REPLY = """\
# The reply to return, from the first dash to the last; white space does not count in its checksum.
reply=$(aws iam get-role --role-name="$role" --output json \\
  --query 'Role.{{RoleArn: Arn, AssumeRolePolicyDocument: AssumeRolePolicyDocument}}')
checksum=$(printf %s "$reply" | tr -d '[:space:]' | sha256sum | cut -d ' ' -f 1)
printf '\\n%s\\n' '{begin}' "$reply" "sha256 $checksum" '{end}'
"""


def script(wanted: WantedRole, way: Way) -> str:
    """For a shell with the AWS CLI; it ends with the role's ARN."""
    return _script(wanted, way, answer=_ANSWER_ARN)


def cloudshell(wanted: WantedRole, way: Way) -> str:
    """For AWS CloudShell; it ends with a reply that `returned.parse` reads."""
    reply = _ANSWER_REPLY.format(begin=returned.BEGIN, end=returned.END)
    return _script(wanted, way, answer=reply)


def _script(wanted: WantedRole, way: Way, *, answer: str) -> str:
    """Each value enters once, checked by `WantedRole` and quoted besides."""
    return _FRAME.format(
        purpose="Makes the role." if way is Way.CREATE else "Changes the trust policy of the role.",
        account=quote(wanted.arn.account_id),
        role=quote(wanted.arn.name),
        policy=wanted.policy_text,
        commands="".join(_create(wanted)) if way is Way.CREATE else _change(wanted),
        answer=answer,
    )


def _create(wanted: WantedRole) -> Iterator[str]:
    permissions, options = wanted.permissions, ""
    if permissions.boundary:
        options += f" \\\n  --permissions-boundary={quote(str(permissions.boundary))}"
    if wanted.tags:
        tags = [{"Key": key, "Value": value} for key, value in wanted.tags.items()]
        yield _TAGS.format(tags=json.dumps(tags, indent=2))
        options += ' \\\n  --tags="file://$work/tags.json"'
    yield _CREATE.format(
        path=quote(wanted.arn.path),
        description=quote(wanted.description),
        seconds=MAX_SESSION_SECONDS,
        options=options,
    )
    if permissions.managed_policy:
        yield _MANAGED.format(policy=quote(str(permissions.managed_policy)))
    if permissions.document:
        yield _INLINE.format(policy=permissions.document_text, name=INLINE_POLICY)


def _change(wanted: WantedRole) -> str:
    return _CHANGE.format(others=quote(count_of_others(wanted)))


def count_of_others(wanted: WantedRole) -> str:
    """A JMESPath query of what get-role answers: how many statements of the trust policy are not ours."""
    sids, principals = (json.dumps(known) for known in (trust.SIDS, wanted.own_principals))
    ours = f'contains(`{sids}`, Sid) && Effect == `"Allow"` && contains(`{principals}`, Principal)'
    return f"length(to_array(Role.AssumeRolePolicyDocument.Statement)[?!({ours})])"
