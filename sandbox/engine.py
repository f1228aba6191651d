"""With `stacks` the only module that touches ministack's insides: starts STS and IAM, closes gaps, keeps their state.

ministack decides; where it decides otherwise than AWS, this module puts it right. Gaps left open: an Allow in the trust
policy of the caller's own account does not replace the caller's identity policy, and organizations do not exist.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from ministack import app as ministack_app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.iam_evaluator import EvalContext, ParsedStatement
from ministack.core.responses import get_account_id, request_scope
from ministack.services import iam, sts

from sandbox import grammar
from sandbox.errors import AwsError, validation_error
from sandbox.state import Records

REGION = "ap-northeast-1"
Parameters = dict[str, str]
_Answer = tuple[int, dict[str, str], bytes]

STS_ACTIONS = frozenset({"AssumeRole", "GetAccessKeyInfo", "GetCallerIdentity", "GetSessionToken"})
_STORES = tuple(iam.get_state())
_READ_ONLY = re.compile(r"(?:Get|List|Simulate|Generate)[A-Z]")
_POLICY_PARAMETERS = ("AssumeRolePolicyDocument", "PolicyDocument", "Policy")
_TRUST_IN_XML = re.compile(rb"(?<=<AssumeRolePolicyDocument>)[^<]+")
_HOUR = 3600

_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_PATH = re.compile(r"/(?:[\w+=,.@-]+/)*", re.ASCII)
_SESSION_NAME = re.compile(r"[\w+=,.@-]*", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]*", re.ASCII)

_STS_KEYS = {
    "sts:durationseconds": "DurationSeconds",
    "sts:externalid": "ExternalId",
    "sts:rolesessionname": "RoleSessionName",
    "sts:sourceidentity": "SourceIdentity",
}
_VARIABLE = re.compile(r"\$\{(?:([*?$])|([^},']+?)\s*(?:,\s*'([^']*)')?)\}")
# Stand for a star and a question mark that are meant literally inside a pattern.
_LITERAL = {ord("*"): "\ue000", ord("?"): "\ue001"}

# What the request being answered asked for; the decider's own context leaves out what STS adds to it.
_asked: ContextVar[Mapping[str, str]] = ContextVar("sandbox_asked")
_deciding: ContextVar[EvalContext] = ContextVar("sandbox_deciding")


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    arn: str
    path: str
    max_session: int
    created: str
    trust: str
    attached_policies: tuple[str, ...]
    inline_policies: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Credentials:
    access_key_id: str
    secret_access_key: str
    session_token: str
    expires: float


class Engine:
    """STS and IAM of every account. One for each process, since ministack's state is global."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._written: dict[str, dict[str, str]] = {}
        self._restore()
        _close_gaps()
        self._iam = iam.handle_request
        self._sts = sts.handle_request
        self._register_session = sts.register_session
        iam.handle_request = self._answer_iam
        sts.handle_request = self._answer_sts
        sts.register_session = self._open_session

    async def serve(self, scope: Any, body: bytes, asked: Parameters, send: Any) -> None:
        """Let ministack check the signature and the caller's policies, and answer."""
        _asked.set(asked)
        message = {"type": "http.request", "body": body, "more_body": False}

        async def receive() -> dict[str, Any]:
            return message

        await ministack_app.app(scope, receive, send)

    async def call(self, account_id: str, action: str, **parameters: str) -> ET.Element:
        """Act in an account as its owner would, with every check but the signature. Raises `AwsError`."""
        body = urlencode({"Action": action, **parameters}).encode()
        with request_scope(account_id, REGION):
            status, _, answer = await self._answer_iam("POST", "/", {}, body, {})
        root = ET.fromstring(re.sub(rb' xmlns="[^"]+"', b"", answer))  # noqa: S314 - our own answer
        if status != 200:
            raise AwsError(root.findtext("Error/Code", ""), root.findtext("Error/Message", ""), status)
        return root

    def roles(self, account_id: str) -> list[Role]:
        find_arn = _arn_finder()
        return sorted((_role(record, find_arn) for record in _roles_of(account_id)), key=lambda role: role.name.lower())

    def role(self, account_id: str, name: str) -> Role | None:
        record = iam._roles.get_scoped(account_id, None, name)
        return _role(record, _arn_finder()) if record else None

    def enter(self, role_arn: str, session_name: str, seconds: int) -> Credentials:
        """Open a session for a role as Identity Center does: its service enters, the trust policy names no person."""
        _, _, _, _, account_id, resource = role_arn.split(":", 5)
        role = iam._roles.get_scoped(account_id, None, resource.rsplit("/", 1)[-1])
        credentials = Credentials(
            iam._gen_session_access_key(), iam._gen_secret(), iam._gen_session_token(), time.time() + seconds
        )
        session = {
            "Arn": f"arn:aws:sts::{account_id}:assumed-role/{role['RoleName']}/{session_name}",
            "UserId": f"{role['RoleId']}:{session_name}",
            "SecretAccessKey": credentials.secret_access_key,
            "SessionToken": credentials.session_token,
            "Expiration": credentials.expires,
            "AccountId": account_id,
            "PrincipalType": "AssumedRole",
        }
        self._keep_session(credentials.access_key_id, session)
        return credentials

    def _keep_session(self, access_key_id: str, session: dict[str, Any]) -> None:
        before = set(sts._sessions)
        self._register_session(access_key_id, session)
        gone = before - set(sts._sessions)
        self._records.change("session", {access_key_id: json.dumps(session)}, gone)

    # -- IAM

    async def _answer_iam(self, _method: str, path: str, _headers: Any, body: bytes, query: Any) -> _Answer:
        asked = {key: values[0] for key, values in query.items()} | dict(parse_qsl(body.decode()))
        action = asked.get("Action", "")
        try:
            passed = {key: value if key in _POLICY_PARAMETERS else escape(value) for key, value in asked.items()}
            passed.update(_checked_iam(action, asked))
        except AwsError as error:
            return _refused(error, "iam")
        leaving = iam._roles.get(asked.get("RoleName")) if action == "DeleteRole" else None
        status, out, answer = await self._iam("POST", path, {}, urlencode(passed).encode(), {})
        if status == 200 and leaving:
            self._close_sessions(leaving["RoleId"])
        if status == 200 and not _READ_ONLY.match(action):
            self._write(get_account_id())
        return status, out, _with_arns(answer)

    def _close_sessions(self, role_id: str) -> None:
        gone = [key for key, session in sts._sessions.items() if session["UserId"].startswith(f"{role_id}:")]
        for key in gone:
            del sts._sessions[key]
        self._records.delete("session", *gone)

    # -- STS

    async def _answer_sts(self, method: str, path: str, headers: Any, body: bytes, query: Any) -> _Answer:
        asked = _asked.get()
        try:
            if asked.get("Action") == "AssumeRole":
                _check_assume_role(asked, headers, query)
            elif asked.get("DurationSeconds"):
                _check_duration(asked["DurationSeconds"], 129_600)
            answer: _Answer = await self._sts(method, path, headers, body, query)
        except AwsError as error:
            return _refused(error, "sts")
        return answer

    def _open_session(self, access_key_id: str, session: dict[str, Any]) -> None:
        """ministack calls this once everything else allowed the session, so too long a session reveals nothing."""
        if session["PrincipalType"] == "AssumedRole":
            _check_session_length(session)
        source_identity = _source_identity(session.get("SourceAccessKeyId", ""))
        if source_identity:
            session["SourceIdentity"] = source_identity
        self._keep_session(access_key_id, session)

    # -- State

    def _restore(self) -> None:
        for key, record in self._records.all("iam").items():
            account_id, store, name = json.loads(key)
            getattr(iam, f"_{store}").set_scoped(account_id, None, name, record["value"])
            self._written.setdefault(account_id, {})[key] = json.dumps(record)
        sts._sessions.update(self._records.all("session"))

    def _write(self, account_id: str) -> None:
        written = self._written.get(account_id, {})
        now = dict(_stored(account_id))
        changed = {key: text for key, text in now.items() if written.get(key) != text}
        self._records.change("iam", changed, written.keys() - now.keys())
        self._written[account_id] = now


def _stored(account_id: str) -> Iterator[tuple[str, str]]:
    with request_scope(account_id, REGION):
        for store in _STORES:
            for name, value in getattr(iam, f"_{store}").items():
                yield json.dumps([account_id, store, name]), json.dumps({"value": value})


def _role(record: Mapping[str, Any], find_arn: grammar.Find) -> Role:
    document = grammar.shown_document(json.loads(record["AssumeRolePolicyDocument"]), find_arn)
    return Role(
        name=record["RoleName"],
        arn=record["Arn"],
        path=record["Path"],
        max_session=record["MaxSessionDuration"],
        created=record["CreateDate"],
        trust=json.dumps(document, indent=2, ensure_ascii=False),
        attached_policies=tuple(record["AttachedPolicies"]),
        inline_policies=dict(record["InlinePolicies"]),
    )


def _roles_of(account_id: str) -> list[Mapping[str, Any]]:
    with request_scope(account_id, REGION):
        roles: list[Mapping[str, Any]] = iam._roles.values()
    return roles


def _refused(error: AwsError, service: str) -> _Answer:
    answer: _Answer = iam._error(error.status, error.code, escape(error.message), ns=service)
    return answer


# -- What IAM refuses


def _checked_iam(action: str, asked: Parameters) -> Parameters:
    """The parameters to pass on instead of those asked. Raises `AwsError`."""
    if action == "CreateRole":
        _check_new_role(asked)
        return {"AssumeRolePolicyDocument": _kept_trust(asked.get("AssumeRolePolicyDocument", ""))}
    if action == "UpdateRole" and "MaxSessionDuration" in asked:
        _check_max_session(asked["MaxSessionDuration"])
    elif action == "UpdateAssumeRolePolicy" and asked.get("RoleName") in iam._roles:
        return {"PolicyDocument": _kept_trust(asked.get("PolicyDocument", ""))}
    elif action.startswith(("Put", "Create")) and "PolicyDocument" in asked:
        grammar.check_identity_document(asked["PolicyDocument"])
    return {}


def _kept_trust(text: str) -> str:
    document = grammar.trust_document(text, _unique_id)
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _check_new_role(asked: Parameters) -> None:
    name, path = asked.get("RoleName", ""), asked.get("Path", "/")
    if not _NAME.fullmatch(name):
        raise validation_error(name, "roleName", "Member must satisfy regular expression pattern: [\\w+=,.@-]+")
    if not _PATH.fullmatch(path) or len(path) > 512:
        raise AwsError(
            "ValidationError",
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric "
            "characters and/or / characters.",
        )
    if any(name.lower() == other.lower() for other in iam._roles):
        raise AwsError("EntityAlreadyExists", f"Role with name {name} already exists.", status=409)
    _check_max_session(asked.get("MaxSessionDuration", "3600"))


def _check_max_session(value: str) -> None:
    seconds = _whole_number(value, "maxSessionDuration")
    if seconds < _HOUR:
        raise validation_error(value, "maxSessionDuration", "Member must have value greater than or equal to 3600")
    if seconds > 12 * _HOUR:
        raise validation_error(value, "maxSessionDuration", "Member must have value less than or equal to 43200")


def _whole_number(value: str, name: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise AwsError("MalformedInput", f"Invalid value for {name}")
    return int(value)


def _unique_id(name: str) -> str | None:
    """The unique ID of a role or user that exists, by its ARN or by the ID itself."""
    for store, id_field in ((iam._roles, "RoleId"), (iam._users, "UserId")):
        if name.startswith("arn:"):
            entity = store.get_scoped(name.split(":")[4], None, name.rsplit("/", 1)[-1])
            if entity and entity["Arn"] == name:
                return str(entity[id_field])
    return name if name in _arns_by_unique_id() else None


def _arns_by_unique_id() -> dict[str, str]:
    roles = {role["RoleId"]: role["Arn"] for role in iam._roles.to_dict().values()}
    return roles | {user["UserId"]: user["Arn"] for user in iam._users.to_dict().values()}


def _arn_finder() -> grammar.Find:
    """Finds the ARN of a unique ID; looks through all accounts once, and only if there is one to find."""
    arns = cache(_arns_by_unique_id)
    return lambda name: None if name.startswith("arn:") else arns().get(name)


def _with_arns(answer: bytes) -> bytes:
    """Trust policies in an answer name principals by ARN; a principal that was deleted keeps its bare unique ID."""
    find_arn = _arn_finder()

    def shown(match: re.Match[bytes]) -> bytes:
        document = grammar.shown_document(json.loads(unquote(match[0].decode())), find_arn)
        return quote(json.dumps(document, separators=(",", ":"), ensure_ascii=False), safe="").encode()

    return _TRUST_IN_XML.sub(shown, answer)


# -- What STS refuses


def _check_assume_role(asked: Mapping[str, str], headers: Any, query: Any) -> None:
    """What AWS checks before the trust policy. Raises `AwsError`."""
    role_arn, name = asked.get("RoleArn", ""), asked.get("RoleSessionName", "")
    if len(role_arn) < 20:
        raise validation_error(role_arn, "roleArn", "Member must have length greater than or equal to 20")
    if not re.fullmatch(r"arn:aws:iam::[0-9]{12}:role/\S+", role_arn):
        raise AwsError("ValidationError", "Request ARN is invalid")
    _check_text(name, "roleSessionName", _SESSION_NAME, 64, r"[\w+=,.@-]*")
    if "ExternalId" in asked:
        _check_text(asked["ExternalId"], "externalId", _EXTERNAL_ID, 1224, r"[\w+=,.@:\/-]*")
    if "SourceIdentity" in asked:
        _check_text(asked["SourceIdentity"], "sourceIdentity", _SESSION_NAME, 64, r"[\w+=,.@-]*")
    if asked.get("Policy"):
        grammar.check_identity_document(asked["Policy"])
    _check_duration(asked.get("DurationSeconds", "3600"), 12 * _HOUR)
    _check_caller(asked, role_arn, sts.extract_access_key_id(headers, query))


def _check_text(value: str, name: str, pattern: re.Pattern[str], longest: int, shown: str) -> None:
    if len(value) < 2:
        raise validation_error(value, name, "Member must have length greater than or equal to 2")
    if len(value) > longest:
        raise validation_error(value, name, f"Member must have length less than or equal to {longest}")
    if not pattern.fullmatch(value):
        raise validation_error(value, name, f"Member must satisfy regular expression pattern: {shown}")


def _check_duration(value: str, longest: int) -> None:
    seconds = _whole_number(value, "durationSeconds")
    if seconds < 900:
        raise validation_error(value, "durationSeconds", "Member must have value greater than or equal to 900")
    if seconds > longest:
        raise validation_error(value, "durationSeconds", f"Member must have value less than or equal to {longest}")


def _check_caller(asked: Mapping[str, str], role_arn: str, access_key_id: str) -> None:
    """The role is meant with its whole path, and a source identity needs a right of its own and never changes."""
    role = iam._roles.get_scoped(role_arn.split(":")[4], None, role_arn.rsplit("/", 1)[-1])
    if role is None or role["Arn"] != role_arn:
        raise _denied(access_key_id, "sts:AssumeRole", role_arn)
    if _source_identity(access_key_id):
        kept = sts._sessions.get(access_key_id, {}).get("SourceIdentity")
        changed = kept and asked.get("SourceIdentity", kept) != kept
        if changed or iam_evaluator.enforce(access_key_id, "sts:SetSourceIdentity", "sts", REGION, role_arn):
            raise _denied(access_key_id, "sts:SetSourceIdentity", role_arn)


def _denied(access_key_id: str, action: str, role_arn: str) -> AwsError:
    caller = iam_evaluator.resolve_credential(access_key_id)
    message = f"User: {caller.principal_arn} is not authorized to perform: {action} on resource: {role_arn}"
    return AwsError("AccessDenied", message, status=403)


def _source_identity(access_key_id: str) -> str | None:
    """Stays with a person from role to role."""
    return sts._sessions.get(access_key_id, {}).get("SourceIdentity") or _asked.get({}).get("SourceIdentity")


def _check_session_length(session: Mapping[str, Any]) -> None:
    seconds = round(session["Expiration"] - time.time())
    source = sts._sessions.get(session["SourceAccessKeyId"], {})
    if seconds > _HOUR and source.get("PrincipalType") == "AssumedRole":
        raise AwsError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        )
    role = iam._roles.get_scoped(session["AccountId"], None, session["Arn"].split("/")[1])
    if seconds > role["MaxSessionDuration"]:
        raise AwsError(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )


# -- Where ministack decides otherwise than AWS


def _close_gaps() -> None:
    ministack_app.AUTH = True
    logging.getLogger().handlers.clear()  # importing it took over the process's logging
    for name in ("ministack", "iam"):
        logging.getLogger(name).setLevel(logging.WARNING)
    iam_evaluator.is_root_access_key = lambda _: False  # no key opens an account without a signature
    iam_evaluator.fnmatch_iam_cs = _matches
    iam_evaluator._principal_matches = _is_principal
    for name, wanted in (("arnequals", True), ("arnlike", True), ("arnnotequals", False), ("arnnotlike", False)):
        iam_evaluator._CONDITION_OPS[name] = partial(_compare_arns, wanted)
    for module, name, ours in (
        (iam_evaluator, "_resolve_condition_key", _condition_key),
        (iam_evaluator, "_conditions_met", _conditions_met),
        (iam_evaluator, "_first_match", _first_match),
        (iam_evaluator, "parse_policy_document", _parse_policy),
        (iam_evaluator, "evaluate_trust_policy", _evaluate_trust),
        (iam_evaluator, "_principal_keys", _principal_keys),
        (sts, "_principal_keys", _principal_keys),
        (iam_actions, "extract_resource_arn", _resource_arn),
        (iam_actions, "access_denied_response", _access_denied),
    ):
        setattr(module, name, partial(ours, getattr(module, name)))


def _condition_key(original: Callable[..., Any], key: str, context: EvalContext) -> Any:
    name = key.lower()
    if name == "aws:principalarn" and context.principal_type == "AssumedRole":
        return _role_arn_of(context)
    if context.action.startswith("sts:") and name in _STS_KEYS:
        return _asked.get({}).get(_STS_KEYS[name])
    return original(key, context)


def _role_arn_of(context: EvalContext) -> str | None:
    """The ARN of the caller's role with its path, where AWS never gives the session's ARN."""
    role_name = context.principal_arn.split("/")[1]
    role = iam._roles.get_scoped(context.principal_account, None, role_name)
    return role["Arn"] if role else None


def _principal_keys(original: Callable[..., dict[str, Any]], credential: Any) -> dict[str, Any]:
    keys = original(credential)
    source_identity = sts._sessions.get(credential.access_key_id, {}).get("SourceIdentity")
    return {**keys, "aws:sourceidentity": source_identity} if source_identity else keys


def _evaluate_trust(original: Callable[..., bool], document: str, caller_arn: str, context: EvalContext) -> bool:
    statements = _without_old_variables(json.loads(document))
    _deciding.set(context)
    if not original(statements, caller_arn, context):
        return False
    source_identity = _asked.get({}).get("SourceIdentity") or context.principal_keys.get("aws:sourceidentity")
    if context.action != "sts:AssumeRole" or not source_identity:
        return True
    return original(statements, caller_arn, replace(context, action="sts:SetSourceIdentity"))


def _is_principal(principal: Mapping[str, Any], caller_arn: str) -> bool:
    """Whether a stored trust policy names the caller: itself by its unique ID, its session, its account or everyone."""
    context = _deciding.get()
    unique_id = context.principal_keys["aws:userid"].partition(":")[0]
    meant = {"*", caller_arn, unique_id, f"arn:aws:iam::{context.principal_account}:root"}
    names = principal.get("AWS", [])
    return not meant.isdisjoint([names] if isinstance(names, str) else names)


def _parse_policy(original: Callable[..., list[ParsedStatement]], document: str | dict[str, Any]) -> Any:
    return original(_without_old_variables(json.loads(document) if isinstance(document, str) else document))


def _without_old_variables(document: dict[str, Any]) -> dict[str, Any]:
    """Policy variables came with the version of 2012; before, they are plain text."""
    if document.get("Version") == "2012-10-17":
        return document
    text: dict[str, Any] = json.loads(json.dumps(document).replace("${", "${$}{"))
    return text


class _Unresolved(Exception):
    """A policy variable has no value in this request, so its statement does not apply."""


def _conditions_met(original: Callable[..., bool], conditions: dict[str, Any], context: EvalContext) -> bool:
    try:
        resolved = {
            operator: {key: _resolved(value, context, operator) for key, value in keys.items()}
            for operator, keys in conditions.items()
        }
    except _Unresolved:
        return False
    return original(resolved, context)


def _first_match(original: Callable[..., Any], context: EvalContext, statements: Any, effect: str) -> Any:
    return original(context, list(_applicable(statements, context)), effect)


def _applicable(statements: Iterable[ParsedStatement], context: EvalContext) -> Iterator[ParsedStatement]:
    for statement in statements:
        try:
            resources = _resolved(statement.resources, context, "like")
            not_resources = _resolved(statement.not_resources, context, "like")
        except _Unresolved:
            continue
        yield replace(statement, resources=resources, not_resources=not_resources)


def _resolved(value: Any, context: EvalContext, operator: str) -> Any:
    """A policy's value with its variables replaced."""
    if isinstance(value, list):
        return [_resolved(item, context, operator) for item in value]
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else value
    is_pattern = "like" in operator.lower() or "arn" in operator.lower()

    def replaced(match: re.Match[str]) -> str:
        character, key, default = match.groups()
        found = character or iam_evaluator._resolve_condition_key(key, context) or default
        if not isinstance(found, str):
            raise _Unresolved
        return found.translate(_LITERAL) if is_pattern else found

    return _VARIABLE.sub(replaced, value)


def _matches(value: str, pattern: str) -> bool:
    return bool(_pattern(pattern).fullmatch(value))


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    special = {"*": ".*", "?": ".", "\ue000": r"\*", "\ue001": r"\?"}
    return re.compile("".join(special.get(character) or re.escape(character) for character in pattern), re.DOTALL)


def _compare_arns(wanted: bool, actual: str, expected: str) -> bool:
    """Each of the six parts for itself, so that a star never reaches over a colon into the next part."""
    parts, patterns = actual.split(":", 5), expected.split(":", 5)
    same = len(parts) == len(patterns) == 6 and all(map(_matches, parts, patterns))
    return (same or expected == "*") is wanted


def _resource_arn(original: Callable[..., str], service: str, *rest: Any) -> str:
    """ministack leaves the path out of the ARN of a role or user that an IAM action is about."""
    arn = original(service, *rest)
    stores = {"role": iam._roles, "user": iam._users}
    kind, _, name = arn.rsplit(":", 1)[-1].partition("/")
    entity = stores[kind].get_scoped(arn.split(":")[4], None, name) if service == "iam" and kind in stores else None
    return str(entity["Arn"]) if entity else arn


def _access_denied(
    original: Callable[..., Any], service: str, action: str, caller: str, *rest: Any, **named: Any
) -> Any:
    """AWS also names the resource, which ministack leaves out."""
    if not named.get("error_code") and not named.get("message"):
        named["message"] = iam_actions.identity_denial_message(
            action, caller, named.get("resource_arn", "*"), named.get("explicit_deny", False)
        )
    return original(service, action, caller, *rest, **named)
