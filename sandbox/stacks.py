"""A bucket for templates, and CloudFormation as far as a role needs it; ministack keeps, reads and resolves them."""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import yaml
from ministack.core.responses import request_scope
from ministack.services import s3
from ministack.services.cloudformation import engine as cloudformation

from sandbox import grammar
from sandbox.engine import REGION, Engine, Parameters
from sandbox.errors import AwsError

BUCKET = "tobiishi-templates"
_OBJECT = re.compile(rf"/{BUCKET}/[A-Za-z0-9_.-]+")
_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
_LONGEST_TEMPLATE = 1_000_000
_ROLE = "AWS::IAM::Role"
_NAMED_ROLES = "CAPABILITY_NAMED_IAM"


@dataclass(frozen=True, slots=True)
class Stack:
    """What a person is about to create, as they were sent here with it."""

    name: str
    template_url: str
    template: str


def is_template(path: str) -> bool:
    return bool(_OBJECT.fullmatch(path))


async def open_bucket(owner_id: str) -> None:
    """Empty at every start: a template is good for an hour."""
    with request_scope(owner_id, REGION):
        await s3.handle_request("PUT", f"/{BUCKET}", {"host": "localhost"}, b"", {}, internal=True)


async def fetch(engine: Engine, template_url: str, *, port: int) -> str:
    """As CloudFormation reads it: with the link alone, and from this S3 only. Raises `AwsError`."""
    address = _own_address(template_url, port)
    status, body = await _get(engine, address)
    if status != 200 or len(body) > _LONGEST_TEMPLATE:
        raise AwsError("ValidationError", "S3 error: Access Denied", 403)
    return body.decode("utf-8", "replace")


def _own_address(template_url: str, port: int) -> SplitResult:
    try:
        address = urlsplit(template_url)
        is_ours = address.hostname in ("127.0.0.1", "localhost") and address.port == port
    except ValueError:
        is_ours = False
    if not (is_ours and address.scheme == "http" and is_template(address.path)):
        raise AwsError("ValidationError", "TemplateURL must be a supported URL.")
    return address


async def _get(engine: Engine, address: SplitResult) -> tuple[int, bytes]:
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": address.path,
        "raw_path": address.path.encode(),
        "query_string": address.query.encode(),
        "headers": [(b"host", address.netloc.encode())],
        "root_path": "",
    }
    told: list[dict[str, Any]] = []

    async def keep(message: dict[str, Any]) -> None:
        told.append(message)

    # A request of its own: what ministack notes of it must not be taken for ours.
    await asyncio.create_task(engine.serve(scope, b"", {}, keep))
    status = next(message["status"] for message in told if message["type"] == "http.response.start")
    return status, b"".join(message.get("body", b"") for message in told)


async def create(engine: Engine, account_id: str, stack: Stack, capability: str) -> dict[str, str]:
    """Make the roles of a template, all or nothing; its outputs. Raises `AwsError`."""
    if capability != _NAMED_ROLES:
        raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{_NAMED_ROLES}]")
    if not _STACK_NAME.fullmatch(stack.name):
        raise AwsError("ValidationError", f"1 validation error detected: Value '{stack.name}' at 'stackName' failed")
    template = _parsed(stack.template)
    resolver = _Resolver(template, account_id, stack.name)
    wanted = resolver.roles()
    for properties in wanted.values():
        for policy in properties.get("Policies", []):
            grammar.check_identity_document(json.dumps(policy["PolicyDocument"]))
    if not wanted:
        raise AwsError("ValidationError", "Template error: no resource is left to create in this account.")
    made = {}
    for logical_id, properties in wanted.items():
        arn = await _make_role(engine, account_id, properties)
        made[logical_id] = {"PhysicalResourceId": properties["RoleName"], "Attributes": {"Arn": arn}}
    return resolver.outputs(made)


def _parsed(text: str) -> dict[str, Any]:
    try:
        template: dict[str, Any] = cloudformation._parse_template(text)
    except (yaml.YAMLError, ValueError) as error:
        raise AwsError("ValidationError", f"Template format error: {error}") from error
    return template


class _Resolver:
    """The functions of a template, for one account."""

    def __init__(self, template: Mapping[str, Any], account_id: str, stack_name: str) -> None:
        self._template = template
        self._account_id = account_id
        self._stack = (stack_name, f"arn:aws:cloudformation:{REGION}:{account_id}:stack/{stack_name}/sandbox")
        # ministack knows no pseudo parameter in a condition.
        self._parameters = {"AWS::AccountId": {"Value": account_id}}
        self._conditions = cloudformation._evaluate_conditions(template, self._parameters)

    def roles(self) -> dict[str, dict[str, Any]]:
        found = dict(self._that_hold("Resources"))
        if any(resource.get("Type") != _ROLE for resource in found.values()):
            raise AwsError("ValidationError", "The sandbox's CloudFormation makes roles, and nothing else.")
        return {name: self._resolved(resource.get("Properties", {}), {}) for name, resource in found.items()}

    def outputs(self, made: Mapping[str, Any]) -> dict[str, str]:
        return {name: str(self._resolved(output["Value"], made)) for name, output in self._that_hold("Outputs")}

    def _that_hold(self, section: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, entry in self._template.get(section, {}).items():
            if self._conditions.get(entry.get("Condition"), True):
                yield name, entry

    def _resolved(self, value: Any, made: Mapping[str, Any]) -> Any:
        with request_scope(self._account_id, REGION):
            return cloudformation._resolve_refs(value, made, self._parameters, self._conditions, {}, *self._stack)


async def _make_role(engine: Engine, account_id: str, properties: Mapping[str, Any]) -> str:
    name = {"RoleName": properties["RoleName"]}
    answer = await engine.call(account_id, "CreateRole", **name, **_new_role(properties))
    for arn in properties.get("ManagedPolicyArns", []):
        await engine.call(account_id, "AttachRolePolicy", **name, PolicyArn=arn)
    for policy in properties.get("Policies", []):
        document = json.dumps(policy["PolicyDocument"])
        await engine.call(account_id, "PutRolePolicy", **name, PolicyName=policy["PolicyName"], PolicyDocument=document)
    return answer.findtext("CreateRoleResult/Role/Arn", "")


def _new_role(properties: Mapping[str, Any]) -> Parameters:
    taken = ("Path", "Description", "MaxSessionDuration", "PermissionsBoundary")
    tags = enumerate(properties.get("Tags", []), start=1)
    return {
        "AssumeRolePolicyDocument": json.dumps(properties["AssumeRolePolicyDocument"]),
        **{key: str(properties[key]) for key in taken if key in properties},
        **{f"Tags.member.{number}.{part}": str(tag[part]) for number, tag in tags for part in ("Key", "Value")},
    }
