# Deletes the role with its policies. Policies that others use too stay.
(
set -eu
account=303040405050
role=HoshinoTelemetry

found=$(aws sts get-caller-identity --query Account --output text)
if [ "$found" != "$account" ]; then
  echo "Nothing was changed: you are in $found, the role is in $account." >&2
  exit 1
fi
for policy in $(aws iam list-attached-role-policies --role-name="$role" \
    --query 'AttachedPolicies[].PolicyArn' --output text); do
  aws iam detach-role-policy --role-name="$role" --policy-arn="$policy"
done
for policy in $(aws iam list-role-policies --role-name="$role" \
    --query 'PolicyNames[]' --output text); do
  aws iam delete-role-policy --role-name="$role" --policy-name="$policy"
done
aws iam delete-role --role-name="$role"
echo "Deleted."
)
