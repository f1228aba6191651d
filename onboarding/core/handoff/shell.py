"""The AWS CLI commands for a POSIX shell, CloudShell included. They may be run twice."""

from shlex import quote

from onboarding.core.handoff.wanted import WantedRole

# Employees come by role chaining, which AWS ends after an hour whatever the role allows.
_MAX_SESSION_SECONDS = 3600

# In parentheses, so that a failing line ends the commands and not the shell into which they were pasted. The policy
# travels in a file from a quoted here-document: the shell reads none of it.
_SCRIPT = """\
# Makes the role, or gives it this trust policy where it exists already.
(
set -eu
account={account}
role={name}
policy={policy_file}
before={old_policy_stem}-$(date +%Y%m%d%H%M%S).json

found=$(aws sts get-caller-identity --query Account --output text)
if [ "$found" != "$account" ]; then
  echo "Nothing was changed: you are in $found, the role is wanted in $account." >&2
  exit 1
fi
cat > "$policy" <<'TRUST_POLICY'
{policy}TRUST_POLICY
if aws iam get-role --role-name="$role" \\
    --query Role.AssumeRolePolicyDocument > "$before" 2> /dev/null; then
  aws iam update-assume-role-policy --role-name="$role" \\
    --policy-document="file://$policy"
  echo "The role was there. Its old trust policy is kept in $before" >&2
else
  rm -f "$before"
  aws iam create-role --role-name="$role" --path={path} \\
    --description={description} \\
    --max-session-duration={seconds} \\
    --assume-role-policy-document="file://$policy" > /dev/null
fi
# The ARN to return:
aws iam get-role --role-name="$role" --query Role.Arn --output text
)
"""


def script(wanted: WantedRole) -> str:
    """Each value enters once, checked by `WantedRole` and quoted besides."""
    name = wanted.arn.name
    return _SCRIPT.format(
        account=quote(wanted.arn.account_id),
        name=quote(name),
        path=quote(wanted.arn.path),
        description=quote(wanted.description),
        seconds=_MAX_SESSION_SECONDS,
        policy=wanted.policy_text,
        policy_file=quote(wanted.policy_file),
        old_policy_stem=quote(f"trust-policy-{name}-before"),
    )


def file_name(wanted: WantedRole) -> str:
    return f"make-{wanted.arn.name}.sh"
