"""One shared client for each (service, region, identity): a new botocore session costs 50 ms and 8 MB."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import botocore
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
    ReadOnlyCredentials,
)
from botocore.exceptions import BotoCoreError

from onboarding.aws.errors import FAILURES, AwsUnavailable, part_of, unavailable
from onboarding.core import identifiers

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

VALIDATOR_SESSION_NAME = identifiers.VALIDATOR_SESSION_NAME
# Where a call failed that lets the worker into a role of ours.
OUR_ROLE = "validator_role"
OWN_IDENTITY = "own_identity"
_ONE_HOUR = 3600
# To connect, and to read: STS answers within a second, and a hanging call must not hold a worker for a minute.
TIMEOUTS = (3, 5)
USER_AGENT = f"tobiishi botocore/{botocore.__version__}"
# The newer retry modes share a quota among all calls, and stop retrying where every second call is throttled.
_CONFIG = Config(
    connect_timeout=TIMEOUTS[0],
    read_timeout=TIMEOUTS[1],
    retries={"mode": "legacy", "total_max_attempts": 4},
    user_agent=USER_AGENT,
)
_making = Lock()


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom a call is made: as the worker itself, or as a role of ours that it assumes."""

    region: str
    role_arn: str = ""

    @property
    def worker(self) -> "Identity":
        return Identity(self.region)


def forget() -> None:
    """Read the worker's keys anew at the next call."""
    with _making:
        _made.cache_clear()
        _session.cache_clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateIdentity:
    """Of the web process, for one bucket and nothing else."""

    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)


def sts(identity: Identity) -> "STSClient":
    return cast("STSClient", _client("sts", identity))


def keys_of(identity: Identity) -> ReadOnlyCredentials:
    """Renewed where they are about to expire. Raises `AwsUnavailable`."""
    try:
        with _making:
            credentials = _session(identity).get_credentials()
        keys = credentials.get_frozen_credentials() if credentials else None
    except BotoCoreError as error:
        raise unavailable(error, where=OUR_ROLE if identity.role_arn else OWN_IDENTITY) from error
    if keys is None:
        raise AwsUnavailable("NoCredentialsError", where=OWN_IDENTITY)
    return keys


def iam(identity: Identity) -> "IAMClient":
    return cast("IAMClient", _client("iam", identity))


def _client(service: str, identity: Identity) -> object:
    # A session makes one client at a time; the clients themselves are for all threads.
    with _making:
        return _made(service, identity)


@lru_cache(maxsize=64)
def _made(service: str, identity: Identity) -> object:
    return _session(identity).create_client(service, region_name=identity.region, config=_CONFIG)


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
    # The partition's own endpoint in this region, whatever the machine's files say.
    session.set_config_variable("sts_regional_endpoints", "regional")
    if identity.role_arn:
        provider = _AssumedCredentials(_assume(identity))
        session.register_component("credential_provider", CredentialResolver([provider]))
    return session


class _AssumedCredentials(CredentialProvider):
    METHOD = "tobiishi-assumed"

    def __init__(self, fetch: Callable[[], dict[str, Any]]) -> None:
        super().__init__()
        self._fetch = fetch

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(refresh_using=self._fetch, method=self.METHOD)


def _assume(identity: Identity) -> Callable[[], dict[str, Any]]:
    """How botocore renews the session of a role of ours.

    A refusal here is our own trouble. It must not look like a partner's refusal, which has the same error code.
    """

    def fetch() -> dict[str, Any]:
        worker = sts(identity.worker)
        try:
            answer = worker.assume_role(
                RoleArn=identity.role_arn,
                RoleSessionName=VALIDATOR_SESSION_NAME,
                DurationSeconds=_ONE_HOUR,
            )
        except FAILURES as error:
            raise unavailable(error, where=OUR_ROLE) from error
        keys = part_of(answer, "Credentials", where=OUR_ROLE)
        return {
            "access_key": keys["AccessKeyId"],
            "secret_key": keys["SecretAccessKey"],
            "token": keys["SessionToken"],
            "expiry_time": keys["Expiration"].isoformat(),
        }

    return fetch
