{ tr -d '\r' | sh -s; } <<'END_OF_COMMANDS'
(
# Makes the role. (Line ends of Windows were taken out above.)
set -eu
export AWS_PAGER= MSYS_NO_PATHCONV=1
account=303040405050
role=HoshinoTelemetry

found=$(aws sts get-caller-identity --query Account --output text | tr -d '\r')
if [ "$found" != "$account" ]; then
  echo "Nothing was changed: these credentials are of '$found', the role is wanted in $account." >&2
  exit 1
fi
work=$(mktemp -d ./tobiishi.XXXXXX)
trap 'rm -r "$work"' EXIT
cat > "$work/trust-policy.json" <<'TRUST_POLICY'
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

aws iam create-role --role-name="$role" --path=/ \
  --description='Made for the request TB-2026-0147' \
  --max-session-duration=3600 \
  --assume-role-policy-document="file://$work/trust-policy.json" > /dev/null
# The reply to return, from the first dash to the last; white space does not count in its checksum.
reply=$(aws iam get-role --role-name="$role" --output json \
  --query 'Role.{RoleArn: Arn, AssumeRolePolicyDocument: AssumeRolePolicyDocument}')
checksum=$(printf %s "$reply" | tr -d '[:space:]' | sha256sum | cut -d ' ' -f 1)
printf '\n%s\n' '-----BEGIN TOBIISHI REPLY-----' "$reply" "sha256 $checksum" '-----END TOBIISHI REPLY-----'
)
END_OF_COMMANDS
