& {
  # Changes the trust policy of the role.
  $ErrorActionPreference = 'Stop'
  $account = '303040405050'
  $role = 'HoshinoTelemetry'
  $policy = @'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "AllowEmployees",
      "Effect": "Allow",
      "Principal": {
        "AWS": [
          "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/ap-northeast-1/AWSReservedSSO_PartnerAccess_0123456789abcdef"
        ]
      },
      "Action": "sts:AssumeRole"
    },
    {
      "Sid": "AllowValidator",
      "Effect": "Allow",
      "Principal": {
        "AWS": [
          "arn:aws:iam::111122223333:role/tobiishi-validator"
        ]
      },
      "Action": "sts:AssumeRole",
      "Condition": {
        "StringEquals": {
          "sts:ExternalId": "tbi-7q2m-9xkd-41vn-hc8e-2m4p"
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
    $kept = aws iam get-role "--role-name=$role" --query Role.AssumeRolePolicyDocument --output json
    if ($LASTEXITCODE -ne 0) { throw 'The AWS CLI refused; see above.' }
    $before = "trust-policy-$role-before-$(Get-Date -Format yyyyMMddHHmmss).json"
    [IO.File]::WriteAllLines((Join-Path (Get-Location).ProviderPath $before), [string[]] $kept)
    Write-Host "The trust policy until now, which is kept in $before`:"
    $kept | Write-Host
    $sids = @('AllowBastion', 'AllowEmployees', 'AllowValidator')
    $principals = @('{"AWS":["arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/ap-northeast-1/AWSReservedSSO_PartnerAccess_0123456789abcdef"]}', '{"AWS":"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/ap-northeast-1/AWSReservedSSO_PartnerAccess_0123456789abcdef"}', '{"AWS":["arn:aws:iam::111122223333:role/tobiishi-validator"]}', '{"AWS":"arn:aws:iam::111122223333:role/tobiishi-validator"}')
    $others = @(($kept | Out-String | ConvertFrom-Json).Statement | Where-Object {
      $principal = ConvertTo-Json -Compress -InputObject $_.Principal
      -not (($sids -ccontains $_.Sid) -and ($_.Effect -ceq 'Allow') -and ($principals -ccontains $principal))
    })
    if ($others.Count -ne 0) {
      Write-Warning "It holds statements that are not ours ($($others.Count))."
      Write-Warning 'This replaces the whole policy, these statements too.'
      if ((Read-Host 'Type yes to replace it') -cne 'yes') {
        Write-Warning 'Nothing was changed.'
        return
      }
    }
    aws iam update-assume-role-policy "--role-name=$role" "--policy-document=file://$work/trust-policy.json"
    if ($LASTEXITCODE -ne 0) { throw 'The AWS CLI refused; see above.' }
    # The ARN to return:
    aws iam get-role "--role-name=$role" --query Role.Arn --output text
  } finally {
    Remove-Item -Recurse -Force -Path $work
  }
}
