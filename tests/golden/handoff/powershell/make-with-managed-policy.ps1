& {
  # Makes the role.
  $ErrorActionPreference = 'Stop'
  $account = '303040405050'
  $role = 'HoshinoTelemetry'
  $policy = @'
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
'@

  $found = aws sts get-caller-identity --query Account --output text
  if ($found -cne $account) {
    Write-Warning "Nothing was changed: these credentials are of '$found', the role is wanted in $account."
    return
  }
  $work = Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid().ToString())
  New-Item -ItemType Directory -Path $work | Out-Null
  try {
    # Without the mark that Set-Content puts before UTF-8 text on Windows, which the AWS CLI refuses.
    [IO.File]::WriteAllText("$work/trust-policy.json", $policy)
    $made = aws iam create-role "--role-name=$role" '--path=/' `
      '--description=Made for the request TB-2026-0147' `
      '--max-session-duration=3600' `
      "--assume-role-policy-document=file://$work/trust-policy.json"
    if ($LASTEXITCODE -ne 0) { throw 'The AWS CLI refused; see above.' }
    aws iam attach-role-policy "--role-name=$role" '--policy-arn=arn:aws:iam::aws:policy/job-function/ViewOnlyAccess'
    if ($LASTEXITCODE -ne 0) { throw 'The AWS CLI refused; see above.' }
    # The ARN to return:
    aws iam get-role "--role-name=$role" --query Role.Arn --output text
  } finally {
    Remove-Item -Recurse -Force -Path $work
  }
}
