"""Puts a CloudFormation template where CloudFormation can read it: into our bucket, behind a link that ends."""

import secrets
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from onboarding.aws import clients
from onboarding.aws.clients import TemplateIdentity
from onboarding.aws.errors import unavailable

# CloudFormation reads the template once for its review, and again when somebody creates the stack.
_LINK_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class TemplateBucket:
    name: str
    identity: TemplateIdentity


def put_template(bucket: TemplateBucket, text: str) -> str:
    """The presigned address of a new object. Raises `AwsUnavailable`."""
    client = clients.s3(bucket.identity)
    # Nobody finds one template by another's address.
    place = {"Bucket": bucket.name, "Key": f"{secrets.token_urlsafe(24)}.yaml"}
    try:
        client.put_object(**place, Body=text.encode(), ContentType="application/yaml")
        return str(client.generate_presigned_url("get_object", Params=place, ExpiresIn=_LINK_SECONDS))
    except (ClientError, BotoCoreError) as error:
        raise unavailable(error, where="put_template") from error
