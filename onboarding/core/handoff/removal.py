"""The AWS CLI commands that delete the role, for when the work has ended. They may be run twice."""

from shlex import quote

from onboarding.core.arns import RoleArn

# IAM deletes a role only after its policies (IAM User Guide, "Delete roles or instance profiles").
_SCRIPT = """\
# Deletes the role with its policies. Policies that others use too stay.
(
set -eu
account={account}
role={name}

found=$(aws sts get-caller-identity --query Account --output text)
if [ "$found" != "$account" ]; then
  echo "Nothing was changed: you are in $found, the role is in $account." >&2
  exit 1
fi
for policy in $(aws iam list-attached-role-policies --role-name="$role" \\
    --query 'AttachedPolicies[].PolicyArn' --output text); do
  aws iam detach-role-policy --role-name="$role" --policy-arn="$policy"
done
for policy in $(aws iam list-role-policies --role-name="$role" \\
    --query 'PolicyNames[]' --output text); do
  aws iam delete-role-policy --role-name="$role" --policy-name="$policy"
done
aws iam delete-role --role-name="$role"
echo "Deleted."
)
"""


def script(arn: RoleArn) -> str:
    """`RoleArn` takes no other characters than IAM does; they are quoted besides."""
    return _SCRIPT.format(account=quote(arn.account_id), name=quote(arn.name))


def file_name(arn: RoleArn) -> str:
    return f"delete-{arn.name}.sh"
