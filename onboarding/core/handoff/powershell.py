"""The AWS CLI commands for PowerShell, on Windows and elsewhere."""

import json
from collections.abc import Iterator

from onboarding.core import trust
from onboarding.core.handoff.wanted import INLINE_POLICY, MAX_SESSION_SECONDS, WantedRole, Way

# In a script block, so that a refusal ends the commands and not the window into which they were pasted. PowerShell
# reads nothing in a here-string of single quotes, and takes either line end. Each argument is one quoted word that
# begins with its option, because versions differ in what they pass on of anything else.
_FRAME = """\
& {{
  # {purpose}
  $ErrorActionPreference = 'Stop'
  $account = {account}
  $role = {role}
  $policy = @'
{policy}'@

  $found = aws sts get-caller-identity --query Account --output text
  if ($found -cne $account) {{
    Write-Warning "Nothing was changed: these credentials are of '$found', the role is wanted in $account."
    return
  }}
  $work = Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid().ToString())
  New-Item -ItemType Directory -Path $work | Out-Null
  try {{
    # Without the mark that Set-Content puts before UTF-8 text on Windows, which the AWS CLI refuses.
    [IO.File]::WriteAllText("$work/trust-policy.json", $policy)
{commands}    # The ARN to return:
    aws iam get-role "--role-name=$role" --query Role.Arn --output text
  }} finally {{
    Remove-Item -Recurse -Force -Path $work
  }}
}}
"""

_FAILED = "    if ($LASTEXITCODE -ne 0) {{ throw 'The AWS CLI refused; see above.' }}\n"

_CREATE = (
    """\
    $made = aws iam create-role "--role-name=$role" {path} `
      {description} `
      '--max-session-duration={seconds}' `
      "--assume-role-policy-document=file://$work/trust-policy.json"{options}
"""
    + _FAILED
)

_CHANGE = (
    """\
    $kept = aws iam get-role "--role-name=$role" --query Role.AssumeRolePolicyDocument --output json
"""
    + _FAILED
    + """\
    $before = "trust-policy-$role-before-$(Get-Date -Format yyyyMMddHHmmss).json"
    [IO.File]::WriteAllLines((Join-Path (Get-Location).ProviderPath $before), [string[]] $kept)
    Write-Host "The trust policy until now, which is kept in $before`:"
    $kept | Write-Host
    $sids = {sids}
    $principals = {principals}
    $others = @(($kept | Out-String | ConvertFrom-Json).Statement | Where-Object {{
      $principal = ConvertTo-Json -Compress -InputObject $_.Principal
      -not (($sids -ccontains $_.Sid) -and ($_.Effect -ceq 'Allow') -and ($principals -ccontains $principal))
    }})
    if ($others.Count -ne 0) {{
      Write-Warning "It holds statements that are not ours ($($others.Count))."
      Write-Warning 'This replaces the whole policy, these statements too.'
      if ((Read-Host 'Type yes to replace it') -cne 'yes') {{
        Write-Warning 'Nothing was changed.'
        return
      }}
    }}
    aws iam update-assume-role-policy "--role-name=$role" "--policy-document=file://$work/trust-policy.json"
"""
    + _FAILED
)

_TAGS = """\
    $tags = @'
{tags}
'@
    [IO.File]::WriteAllText("$work/tags.json", $tags)
"""

_MANAGED = (
    """\
    aws iam attach-role-policy "--role-name=$role" {policy}
"""
    + _FAILED
)

_INLINE = (
    """\
    $permissions = @'
{policy}'@
    [IO.File]::WriteAllText("$work/permissions.json", $permissions)
    aws iam put-role-policy "--role-name=$role" {name} "--policy-document=file://$work/permissions.json"
"""
    + _FAILED
)


def script(wanted: WantedRole, way: Way) -> str:
    return _FRAME.format(
        purpose="Makes the role." if way is Way.CREATE else "Changes the trust policy of the role.",
        account=_quoted(wanted.arn.account_id),
        role=_quoted(wanted.arn.name),
        policy=wanted.policy_text,
        commands="".join(_create(wanted)) if way is Way.CREATE else _change(wanted),
    )


def _create(wanted: WantedRole) -> Iterator[str]:
    permissions, options = wanted.permissions, ""
    if permissions.boundary:
        options += f" `\n      {_quoted(f'--permissions-boundary={permissions.boundary}')}"
    if wanted.tags:
        tags = [{"Key": key, "Value": value} for key, value in wanted.tags.items()]
        yield _TAGS.format(tags=json.dumps(tags, indent=2))
        options += ' `\n      "--tags=file://$work/tags.json"'
    yield _CREATE.format(
        path=_quoted(f"--path={wanted.arn.path}"),
        description=_quoted(f"--description={wanted.description}"),
        seconds=MAX_SESSION_SECONDS,
        options=options,
    )
    if permissions.managed_policy:
        yield _MANAGED.format(policy=_quoted(f"--policy-arn={permissions.managed_policy}"))
    if permissions.document:
        yield _INLINE.format(policy=permissions.document_text, name=_quoted(f"--policy-name={INLINE_POLICY}"))


def _change(wanted: WantedRole) -> str:
    """The principals are compared as PowerShell writes JSON, which is without blanks."""
    principals = (json.dumps(principal, separators=(",", ":")) for principal in wanted.own_principals)
    return _CHANGE.format(sids=_array(trust.SIDS), principals=_array(principals))


def _array(values: Iterator[str] | tuple[str, ...]) -> str:
    return f"@({', '.join(map(_quoted, values))})"


def _quoted(text: str) -> str:
    """PowerShell ends such a string at typographic quotes too; what comes here is ASCII."""
    return "'" + text.replace("'", "''") + "'"
