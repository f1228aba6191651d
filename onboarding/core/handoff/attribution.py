"""What a partner's CloudTrail shows of us: one event as an example, and the queries that find all of them."""

import json
import re
from dataclasses import dataclass

from onboarding.core.arns import AccountId, RoleArn

# Said once more here, and not taken from the parsers: nothing that could end a string of SQL.
_PLAIN_ARN = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/(?:[A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}")
_PLAIN_ACCOUNT = re.compile(r"[0-9]{12}")
_SESSION_SECONDS = 3600
# Where AWS puts numbers and keys of its own; its documentation spells such examples so.
_SSO_ROLE_ID, _PARTNER_ROLE_ID = "AROAEXAMPLEBASTION000", "AROAEXAMPLEPARTNER000"
_LONGEST_LIST = 1000

_LAKE = """\
-- CloudTrail Lake. Put the ID of your event data store in place of EVENT_DATA_STORE_ID.
-- Who entered the {roles}, and everything that was done there since, newest first.
SELECT
    eventTime,
    eventSource,
    eventName,
    userIdentity.principalId AS who,
    element_at(requestParameters, 'roleSessionName') AS entered_as,
    awsRegion,
    sourceIPAddress,
    errorCode
FROM EVENT_DATA_STORE_ID
WHERE recipientAccountId = '{account}'
  AND (
    userIdentity.sessionContext.sessionIssuer.arn IN ({arns})
    OR (
      eventSource = 'sts.amazonaws.com'
      AND eventName = 'AssumeRole'
      AND userIdentity.accountId IN ({bastions})
      AND element_at(requestParameters, 'roleArn') IN ({arns})
    )
  )
ORDER BY eventTime DESC
LIMIT {limit}
"""

_ATHENA = """\
-- Athena, over a table of your trail's log files; its name is cloudtrail_logs in AWS's own instructions.
-- Who entered the {roles}, and everything that was done there since, newest first.
SELECT
    eventtime,
    eventsource,
    eventname,
    useridentity.principalid AS who,
    json_extract_scalar(requestparameters, '$.roleSessionName') AS entered_as,
    awsregion,
    sourceipaddress,
    errorcode
FROM cloudtrail_logs
WHERE recipientaccountid = '{account}'
  AND (
    useridentity.sessioncontext.sessionissuer.arn IN ({arns})
    OR (
      eventsource = 'sts.amazonaws.com'
      AND eventname = 'AssumeRole'
      AND useridentity.accountid IN ({bastions})
      AND json_extract_scalar(requestparameters, '$.roleArn') IN ({arns})
    )
  )
ORDER BY eventtime DESC
LIMIT {limit}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Of the roles of one account. Raises `ValueError` for what a query could not carry safely; no edge lets it in."""

    account_id: AccountId
    bastion_accounts: tuple[AccountId, ...]
    role_arns: tuple[RoleArn, ...]
    # Of the first role, for the example; empty where employees enter it without one.
    external_id: str
    region: str
    session_name: str

    def __post_init__(self) -> None:
        accounts = [self.account_id, *self.bastion_accounts]
        plain = all(map(_PLAIN_ACCOUNT.fullmatch, accounts)) and all(map(_PLAIN_ARN.fullmatch, self._arns))
        if not (self.role_arns and plain):
            raise ValueError("not plain accounts and ARNs")

    @property
    def _arns(self) -> list[str]:
        return [str(arn) for arn in self.role_arns]

    @property
    def lake_query(self) -> str:
        return self._query(_LAKE)

    @property
    def athena_query(self) -> str:
        return self._query(_ATHENA)

    @property
    def sample_event(self) -> str:
        """An employee's entry as the partner's own account records it. Its numbers, keys and times are invented."""
        return json.dumps(self._event(), indent=2) + "\n"

    def _query(self, template: str) -> str:
        return template.format(
            roles="role" if len(self.role_arns) == 1 else "roles",
            account=self.account_id,
            bastions=_quoted(self.bastion_accounts),
            arns=_quoted(self._arns),
            limit=_LONGEST_LIST,
        )

    def _event(self) -> dict[str, object]:
        role = self.role_arns[0]
        return {
            "eventVersion": "1.08",
            "userIdentity": {
                "type": "AWSAccount",
                "principalId": f"{_SSO_ROLE_ID}:{self.session_name}",
                "accountId": self.bastion_accounts[0],
            },
            "eventTime": "2026-05-12T05:09:31Z",
            "eventSource": "sts.amazonaws.com",
            "eventName": "AssumeRole",
            "awsRegion": self.region,
            "sourceIPAddress": "198.51.100.24",
            "userAgent": "aws-cli/2.36.7",
            "requestParameters": {
                "roleArn": str(role),
                "roleSessionName": self.session_name,
                **({"externalId": self.external_id} if self.external_id else {}),
                "durationSeconds": _SESSION_SECONDS,
            },
            "responseElements": {
                "credentials": {
                    "accessKeyId": "ASIAEXAMPLE",
                    "sessionToken": "EXAMPLE",
                    "expiration": "May 12, 2026, 6:09:31 AM",
                },
                "assumedRoleUser": {
                    "assumedRoleId": f"{_PARTNER_ROLE_ID}:{self.session_name}",
                    "arn": f"arn:{role.partition}:sts::{role.account_id}:assumed-role/{role.name}/{self.session_name}",
                },
            },
            "requestID": "EXAMPLE1-0c68-11e4-a24e-d5e16EXAMPLE",
            "eventID": "EXAMPLE2-127e-4632-980d-505a4EXAMPLE",
            "readOnly": True,
            "resources": [{"accountId": self.account_id, "type": "AWS::IAM::Role", "ARN": str(role)}],
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": self.account_id,
            "sharedEventID": "EXAMPLE3-efea-4a70-b951-19a88EXAMPLE",
            "eventCategory": "Management",
        }


def _quoted(values: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)
