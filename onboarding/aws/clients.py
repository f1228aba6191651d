"""One shared client for each (service, region, identity): a new botocore session costs 50 ms and 8 MB."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError

from onboarding.aws.errors import unavailable
from onboarding.core import identifiers

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

VALIDATOR_SESSION_NAME = identifiers.VALIDATOR_SESSION_NAME
_ONE_HOUR = 3600
# STS answers within a second; a hanging call must not hold a worker for botocore's default of a minute.
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=8,
    retries={"mode": "standard", "total_max_attempts": 2},
    max_pool_connections=64,
    user_agent_extra="tobiishi",
)


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom a call is made. `validator_role_arn` is empty where the worker itself runs as the validator role."""

    region: str
    validator_role_arn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateIdentity:
    """Of the web process, for one bucket and nothing else."""

    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)


@lru_cache(maxsize=64)
def sts(identity: Identity) -> "STSClient":
    client = _session(identity).create_client("sts", region_name=identity.region, config=_CONFIG)
    return cast("STSClient", client)


@lru_cache(maxsize=64)
def iam(identity: Identity) -> "IAMClient":
    client = _session(identity).create_client("iam", region_name=identity.region, config=_CONFIG)
    return cast("IAMClient", client)


@lru_cache(maxsize=4)
def s3(identity: TemplateIdentity) -> Any:
    return botocore.session.Session().create_client(
        "s3",
        region_name=identity.region,
        aws_access_key_id=identity.access_key_id,
        aws_secret_access_key=identity.secret_access_key,
        # Before regions of its own time, botocore still signs links in the way that S3 gives up.
        config=_CONFIG.merge(Config(signature_version="s3v4")),
    )


@lru_cache(maxsize=64)
def _session(identity: Identity) -> botocore.session.Session:
    session = botocore.session.Session()
    if identity.validator_role_arn:
        provider = _ValidatorCredentials(_assume_validator_role(identity))
        session.register_component("credential_provider", CredentialResolver([provider]))
    return session


class _ValidatorCredentials(CredentialProvider):
    METHOD = "tobiishi-validator"

    def __init__(self, fetch: Callable[[], dict[str, Any]]) -> None:
        super().__init__()
        self._fetch = fetch

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(refresh_using=self._fetch, method=self.METHOD)


def _assume_validator_role(identity: Identity) -> Callable[[], dict[str, Any]]:
    """How botocore renews the validator's session.

    A refusal here is our own trouble. It must not look like a partner's refusal, which has the same error code.
    """

    def fetch() -> dict[str, Any]:
        worker = sts(Identity(region=identity.region))
        try:
            answer = worker.assume_role(
                RoleArn=identity.validator_role_arn,
                RoleSessionName=VALIDATOR_SESSION_NAME,
                DurationSeconds=_ONE_HOUR,
            )
        except (ClientError, BotoCoreError) as error:
            raise unavailable(error, where="validator_role") from error
        keys = answer["Credentials"]
        return {
            "access_key": keys["AccessKeyId"],
            "secret_key": keys["SecretAccessKey"],
            "token": keys["SessionToken"],
            "expiry_time": keys["Expiration"].isoformat(),
        }

    return fetch
