data "aws_caller_identity" "HoshinoTelemetry" {}

resource "aws_iam_role" "HoshinoTelemetry" {
  name                 = "HoshinoTelemetry"
  path                 = "/partners/hoshino/"
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

  permissions_boundary = "arn:aws:iam::303040405050:policy/limits/Partners"

  tags = {
    "team" = "Data and ML"
    "cost-center" = "a=b"
  }

  lifecycle {
    precondition {
      condition     = data.aws_caller_identity.HoshinoTelemetry.account_id == "303040405050"
      error_message = "This role is wanted in account 303040405050."
    }
  }
}

resource "aws_iam_role_policy" "HoshinoTelemetry" {
  name = "permissions"
  role = aws_iam_role.HoshinoTelemetry.name

  policy = <<-PERMISSIONS
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Effect": "Allow",
          "Action": [
            "s3:GetObject",
            "s3:ListBucket"
          ],
          "Resource": "arn:aws:s3:::exports/$${aws:username}/*",
          "Condition": {
            "Null": {
              "aws:PrincipalTag/team": "false"
            }
          }
        }
      ]
    }
  PERMISSIONS
}

output "HoshinoTelemetry_role_arn" {
  description = "Return this to who asked for the role."
  value       = aws_iam_role.HoshinoTelemetry.arn
}
