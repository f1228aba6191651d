-- CloudTrail Lake. Put the ID of your event data store in place of EVENT_DATA_STORE_ID.
-- Who entered the roles, and everything that was done there since, newest first.
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
WHERE recipientAccountId = '303040405050'
  AND (
    userIdentity.sessionContext.sessionIssuer.arn IN ('arn:aws:iam::303040405050:role/partners/HoshinoTelemetry', 'arn:aws:iam::303040405050:role/HoshinoReports')
    OR (
      eventSource = 'sts.amazonaws.com'
      AND eventName = 'AssumeRole'
      AND userIdentity.accountId IN ('111122223333', '222233334444')
      AND element_at(requestParameters, 'roleArn') IN ('arn:aws:iam::303040405050:role/partners/HoshinoTelemetry', 'arn:aws:iam::303040405050:role/HoshinoReports')
    )
  )
ORDER BY eventTime DESC
LIMIT 1000
