data "aws_caller_identity" "HoshinoTelemetry" {}

resource "aws_iam_role" "HoshinoTelemetry" {
  name                 = "HoshinoTelemetry"
  path                 = "/"
  description          = "Made for the request TB-2026-0147"
  max_session_duration = 3600

  assume_role_policy = <<-TRUST_POLICY
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

  lifecycle {
    precondition {
      condition     = data.aws_caller_identity.HoshinoTelemetry.account_id == "303040405050"
      error_message = "This role is wanted in account 303040405050."
    }
  }
}

resource "aws_iam_role_policy_attachment" "HoshinoTelemetry" {
  role       = aws_iam_role.HoshinoTelemetry.name
  policy_arn = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
}

output "HoshinoTelemetry_role_arn" {
  description = "Return this to who asked for the role."
  value       = aws_iam_role.HoshinoTelemetry.arn
}
