"""Which policy documents IAM takes, and its own words for those it refuses. Decides nothing about access."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.errors import AwsError, malformed

Document = dict[str, Any]
Find = Callable[[str], str | None]

MAX_TRUST_POLICY = 2048
_VERSIONS = ("2008-10-17", "2012-10-17")
_POLICY_TEXT = re.compile(r"[\t\n\r\x20-\xff]+")
_DOCUMENT_FIELDS = {"Version", "Id", "Statement"}
_STATEMENT_FIELDS = {
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}
_OPERATORS = {
    f"{kind}{suffix}".lower()
    for kind, names in {
        "String": ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"),
        "Numeric": ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
        "Date": ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
        "Arn": ("Equals", "NotEquals", "Like", "NotLike"),
        "": ("Bool", "BinaryEquals", "IpAddress", "NotIpAddress"),
    }.items()
    for suffix in names
}
_ACCOUNT = re.compile(r"(\d{12})|arn:aws:iam::\d{12}:root", re.ASCII)
_UNIQUE_ID = re.compile(r"A(?:ROA|IDA)[A-Z0-9]{16,}")
_IDENTITY = re.compile(r"arn:aws:iam::\d{12}:(?:role|user)/[\w+=,.@/-]+", re.ASCII)
_SESSION = re.compile(r"arn:aws:sts::\d{12}:(?:assumed-role/[\w+=,.@-]+|federated-user)/[\w+=,.@-]+", re.ASCII)
_SERVICE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com", re.ASCII)
_PROVIDER = re.compile(r"arn:aws:iam::\d{12}:(?:saml|oidc)-provider/\S+|[a-z.-]+\.com", re.ASCII)


def trust_document(text: str, find_unique_id: Find) -> Document:
    """The trust policy as IAM keeps it: roles and users named by their unique IDs. Raises `AwsError`."""
    document = _parsed(text, "This policy contains invalid Json")
    if len(json.dumps(document, separators=(",", ":"), ensure_ascii=False)) > MAX_TRUST_POLICY:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {MAX_TRUST_POLICY}", status=409)
    statements = _statements(document)
    for statement in statements:
        _check_fields(statement, _STATEMENT_FIELDS)
        _check_effect(statement)
        _check_trust_elements(statement)
        _check_conditions(statement)
        statement["Principal"] = _kept_principal(statement["Principal"], find_unique_id)
    if not _unique(statement["Sid"] for statement in statements if statement.get("Sid")):
        raise malformed("The Statement Ids in the policy are not unique")
    return document


def check_identity_document(text: str) -> None:
    """Raise `AwsError` where IAM refuses this as a permissions policy or a session policy."""
    document = _parsed(text, "Syntax errors in policy.")
    statements = _statements(document)
    for statement in statements:
        if "Principal" in statement or "NotPrincipal" in statement:
            raise malformed("Policy document should not specify a principal.")
        if not statement.keys() <= _STATEMENT_FIELDS or statement.get("Effect") not in ("Allow", "Deny"):
            raise malformed("Syntax errors in policy.")
        _check_identity_elements(statement)
        _check_conditions(statement)
    if not _unique(statement["Sid"] for statement in statements if statement.get("Sid")):
        raise malformed("Statement IDs (SID) in a single policy must be unique.")


def shown_document(document: Document, find_arn: Find) -> Document:
    """The trust policy as IAM shows it: the ARN of each principal that still exists, the bare unique ID of the rest."""
    for statement in _listed(document["Statement"]):
        principal = statement["Principal"]
        if "AWS" in principal:
            names = [find_arn(name) or name for name in _listed(principal["AWS"])]
            principal["AWS"] = names if isinstance(principal["AWS"], list) else names[0]
    return document


def _parsed(text: str, invalid: str) -> Document:
    try:
        document = json.loads(text)
    except ValueError:
        raise malformed(invalid) from None
    if not isinstance(document, dict) or not _POLICY_TEXT.fullmatch(text):
        raise malformed(invalid)
    return document


def _statements(document: Document) -> list[Document]:
    _check_fields(document, _DOCUMENT_FIELDS)
    if document.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise malformed("The policy must contain a valid version string")
    statements = _listed(document.get("Statement", []))
    if not statements:
        raise malformed("Could not parse the policy: Statement is empty!")
    if not all(isinstance(statement, dict) for statement in statements):
        raise malformed("Syntax errors in policy.")
    for statement in statements:
        sid = statement.get("Sid", "")
        if not isinstance(sid, str) or not re.fullmatch(r"[0-9A-Za-z]*", sid):
            raise malformed(
                "Statement IDs (SID) must be alpha-numeric. "
                "Check that your input satisfies the regular expression [0-9A-Za-z]*"
            )
    return statements


def _check_fields(block: Document, known: set[str]) -> None:
    for name in block:
        if name not in known:
            raise malformed(f"Unknown field {name}")


def _check_effect(statement: Document) -> None:
    effect = statement.get("Effect")
    if effect is None:
        raise malformed("Missing required field Effect")
    if effect not in ("Allow", "Deny"):
        raise malformed(f"Invalid effect: {effect}")


def _check_trust_elements(statement: Document) -> None:
    if "NotPrincipal" in statement:
        raise malformed("AssumeRole policy must not contain NotPrincipal field.")
    if "Principal" not in statement:
        raise malformed("Missing required field Principal")
    if "Resource" in statement:
        raise malformed("Has prohibited field Resource")
    if "NotResource" in statement:
        raise malformed("AssumeRole policy must not contain resources.")
    actions = _texts(statement.get("Action", statement.get("NotAction", [])))
    if not actions:
        raise malformed("Missing required field Action")
    if not all(action.lower().startswith("sts:") for action in actions):
        raise malformed("AssumeRole policy may only specify STS AssumeRole actions.")


def _check_identity_elements(statement: Document) -> None:
    if ("Action" in statement) == ("NotAction" in statement):
        raise malformed("Policy statement must contain actions.")
    if ("Resource" in statement) == ("NotResource" in statement):
        raise malformed("Policy statement must contain resources.")
    for action in _texts(statement.get("Action", statement.get("NotAction"))):
        if action != "*" and not re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+", action):
            raise malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    for resource in _texts(statement.get("Resource", statement.get("NotResource"))):
        if resource != "*" and not resource.startswith("arn:"):
            raise malformed(f'Resource {resource} must be in ARN format or "*".')


def _check_conditions(statement: Document) -> None:
    conditions = statement.get("Condition", {})
    if not isinstance(conditions, dict):
        raise malformed("Syntax errors in policy.")
    for operator, keys in conditions.items():
        if not _is_operator(operator):
            raise malformed(f"Invalid Condition type : {operator}")
        if not isinstance(keys, dict) or not all(_is_condition_value(value) for value in keys.values()):
            raise malformed("Syntax errors in policy.")
        for key in keys:
            if ":" not in key:
                raise malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")


def _is_operator(operator: str) -> bool:
    name = operator.lower()
    if name == "null":
        return True
    return name.removeprefix("forallvalues:").removeprefix("foranyvalue:").removesuffix("ifexists") in _OPERATORS


def _is_condition_value(value: object) -> bool:
    return all(isinstance(item, str | bool | int | float) for item in _listed(value))


def _kept_principal(principal: object, find_unique_id: Find) -> Document:
    if principal == "*":
        raise malformed('AssumeRolepolicy contained an invalid principal: "STAR".')
    if not isinstance(principal, dict):
        raise malformed("Syntax errors in policy.")
    if not principal or not all(principal.values()):
        raise malformed("Missing required field Principal cannot be empty!")
    kept: Document = {}
    for kind, names in principal.items():
        if kind not in ("AWS", "Service", "Federated"):
            raise malformed(f'Invalid principal in policy: "{kind}"')
        found = [_kept_name(kind, name, find_unique_id) for name in _texts(names)]
        kept[kind] = found if isinstance(names, list) else found[0]
    return kept


def _kept_name(kind: str, name: str, find_unique_id: Find) -> str:
    account = _ACCOUNT.fullmatch(name)
    if kind == "AWS" and account:
        return f"arn:aws:iam::{name}:root" if account[1] else name
    if kind == "AWS" and (name == "*" or _SESSION.fullmatch(name)):
        return name
    if kind == "AWS" and (_IDENTITY.fullmatch(name) or _UNIQUE_ID.fullmatch(name)):
        unique_id = find_unique_id(name)
        if unique_id:
            return unique_id
    pattern = {"Service": _SERVICE, "Federated": _PROVIDER}.get(kind)
    if pattern and pattern.fullmatch(name):
        return name
    shown = "SERVICE" if kind == "Service" else kind
    raise malformed(f'Invalid principal in policy: "{shown}":"{name}"')


def _texts(value: object) -> list[str]:
    texts = _listed(value)
    if not all(isinstance(text, str) for text in texts):
        raise malformed("Syntax errors in policy.")
    return texts


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _unique(values: Iterable[str]) -> bool:
    listed = list(values)
    return len(listed) == len(set(listed))
