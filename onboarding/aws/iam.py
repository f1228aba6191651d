"""Finding a permission set's SSO role in the bastion account, as iam:ListRoles names it."""

from botocore.exceptions import BotoCoreError, ClientError

from onboarding.aws import clients
from onboarding.aws.clients import Identity
from onboarding.aws.errors import unavailable
from onboarding.core.arns import SsoRoleArn
from onboarding.core.errors import InvalidRoleArn

_PATH_PREFIX = "/aws-reserved/sso.amazonaws.com/"


def find_sso_role(identity: Identity, permission_set: str) -> SsoRoleArn | None:
    """The SSO role of exactly this permission set, None where it has none. Raises `AwsUnavailable`.

    No API of Identity Center answers this ARN, and no prefix is enough: `Bastion_Admin` begins like `Bastion`.
    """
    try:
        pages = clients.iam(identity).get_paginator("list_roles").paginate(PathPrefix=_PATH_PREFIX)
        arns = [role["Arn"] for page in pages for role in page["Roles"]]
    except (ClientError, BotoCoreError) as error:
        raise unavailable(error, where="list_roles") from error
    return next((arn for text in arns if (arn := _parsed(text)) and arn.permission_set == permission_set), None)


def _parsed(text: str) -> SsoRoleArn | None:
    try:
        return SsoRoleArn.parse(text)
    except InvalidRoleArn:
        return None
