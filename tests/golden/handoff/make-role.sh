# Makes the role, or gives it this trust policy where it exists already.
(
set -eu
account=303040405050
role=HoshinoTelemetry
policy=trust-policy-HoshinoTelemetry.json
before=trust-policy-HoshinoTelemetry-before-$(date +%Y%m%d%H%M%S).json

found=$(aws sts get-caller-identity --query Account --output text)
if [ "$found" != "$account" ]; then
  echo "Nothing was changed: you are in $found, the role is wanted in $account." >&2
  exit 1
fi
cat > "$policy" <<'TRUST_POLICY'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "AllowBastion",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::111122223333:root"
      },
      "Action": "sts:AssumeRole",
      "Condition": {
        "StringEquals": {
          "sts:ExternalId": "tbi-7q2m-9xkd-41vn-hc8e-2m4p"
        },
        "ArnLike": {
          "aws:PrincipalArn": [
            "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/ap-northeast-1/AWSReservedSSO_PartnerAccess_????????????????",
            "arn:aws:iam::111122223333:role/tobiishi-validator"
          ]
        }
      }
    }
  ]
}
TRUST_POLICY
if aws iam get-role --role-name="$role" \
    --query Role.AssumeRolePolicyDocument > "$before" 2> /dev/null; then
  aws iam update-assume-role-policy --role-name="$role" \
    --policy-document="file://$policy"
  echo "The role was there. Its old trust policy is kept in $before" >&2
else
  rm -f "$before"
  aws iam create-role --role-name="$role" --path=/ \
    --description='Made for the request TB-2026-0147' \
    --max-session-duration=3600 \
    --assume-role-policy-document="file://$policy" > /dev/null
fi
# The ARN to return:
aws iam get-role --role-name="$role" --query Role.Arn --output text
)
