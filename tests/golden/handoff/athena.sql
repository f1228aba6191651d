-- Athena, over a table of your trail's log files; its name is cloudtrail_logs in AWS's own instructions.
-- Who entered the role, and everything that was done there since, newest first.
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
WHERE recipientaccountid = '303040405050'
  AND (
    useridentity.sessioncontext.sessionissuer.arn IN ('arn:aws:iam::303040405050:role/partners/HoshinoTelemetry')
    OR (
      eventsource = 'sts.amazonaws.com'
      AND eventname = 'AssumeRole'
      AND useridentity.accountid IN ('111122223333')
      AND json_extract_scalar(requestparameters, '$.roleArn') IN ('arn:aws:iam::303040405050:role/partners/HoshinoTelemetry')
    )
  )
ORDER BY eventtime DESC
LIMIT 1000
