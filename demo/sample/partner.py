"""The partner's side of the sample: roles made with the partner's own keys, as well or as badly as the story says."""

import copy
import json
from typing import Any

import boto3

from demo.organization import Account
from demo.sample.story import Ending, Story
from onboarding.core import identifiers
from onboarding.models import ExternalRole


def make_role(account: Account, story: Story, role: ExternalRole) -> None:
    """Make it, or bring one that an interrupted start has made to the same end."""
    if story.ending is Ending.MISSING:
        return
    client = _iam(account)
    policy = json.dumps(_trust_policy(story, role))
    try:
        client.create_role(RoleName=story.role_name, AssumeRolePolicyDocument=policy, MaxSessionDuration=3600)
    except client.exceptions.EntityAlreadyExistsException:
        client.update_assume_role_policy(RoleName=story.role_name, PolicyDocument=policy)
    client.put_role_policy(
        RoleName=story.role_name, PolicyName="Read", PolicyDocument=json.dumps(story.permissions_policy)
    )
    if story.ending is Ending.UNSAFE:
        _let_be_read(client, account, story)


def saved_policy(account: Account, story: Story) -> str:
    """As a partner copies it from the console."""
    role = _iam(account).get_role(RoleName=story.role_name)["Role"]
    return json.dumps(role["AssumeRolePolicyDocument"], indent=4)


def _let_be_read(client: Any, account: Account, story: Story) -> None:
    """A partner whose role lets us read its own trust policy."""
    itself = {
        "Effect": "Allow", "Action": "iam:GetRole", "Resource": f"arn:aws:iam::{account.id}:role/{story.role_name}",
    }  # fmt: skip
    document = json.dumps({"Version": "2012-10-17", "Statement": [itself]})
    client.put_role_policy(RoleName=story.role_name, PolicyName="ReadItself", PolicyDocument=document)


def _trust_policy(story: Story, role: ExternalRole) -> dict[str, Any]:
    policy: dict[str, Any] = copy.deepcopy(role.trust_policy)
    for statement in policy["Statement"]:
        if story.ending is Ending.WRONG_EXTERNAL_ID:
            statement["Condition"]["StringEquals"]["sts:ExternalId"] = identifiers.new_external_id()
        if story.ending is Ending.UNSAFE:
            del statement["Condition"]["StringEquals"]
    return policy


def _iam(account: Account) -> Any:
    return boto3.client(
        "iam",
        region_name="us-east-1",
        aws_access_key_id=account.keys.access_key_id,
        aws_secret_access_key=account.keys.secret_access_key,
    )
