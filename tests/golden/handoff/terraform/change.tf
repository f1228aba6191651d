# In the resource that owns the role HoshinoTelemetry: the argument assume_role_policy.
# To keep statements of your own, leave them in its list of statements, beside AllowBastion.
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
