"""The partner's AWS console, as far as a role for another account needs it."""

import json
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import grammar, stacks
from sandbox.engine import Engine, Role
from sandbox.errors import AwsError
from sandbox.organization import Organization
from sandbox.pages import page, sent_form, text
from sandbox.stacks import Stack

_INLINE_POLICY = "permissions"
_HOURS = (1, 2, 4, 8, 12)
_OWN_JSON = "json"
_SAMPLES = {
    "nothing": ("Nothing yet", None),
    "objects": ("Read objects in S3", {"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}),
    "logs": ("Read CloudWatch logs", {"Action": ["logs:Get*", "logs:FilterLogEvents"], "Resource": "*"}),
    "roles": ("Read this account's roles", {"Action": ["iam:GetRole", "iam:ListRoles"], "Resource": "*"}),
    _OWN_JSON: ("The policy below", None),
}
_DONE = {
    "created": "Role created.",
    "trusted": "Trust policy saved.",
    "deleted": "Role deleted.",
}


@dataclass(frozen=True, slots=True)
class NewRole:
    """The form for a new role, as it was typed."""

    account_id: str = ""
    name: str = ""
    path: str = "/"
    hours: str = "1"
    trust: str = ""
    sample: str = "nothing"
    policy: str = ""

    def permissions(self) -> str | None:
        if self.sample == _OWN_JSON:
            return self.policy
        _, statement = _SAMPLES.get(self.sample, ("", None))
        if not statement:
            return None
        return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **statement}}, indent=2)


class Console:
    def __init__(self, organization: Organization, engine: Engine) -> None:
        self._organization = organization
        self._engine = engine

    def routes(self) -> list[Route]:
        return [
            Route("/console", self._accounts, methods=["GET"]),
            Route("/console/", self._accounts, methods=["GET"]),
            Route("/console/create", self._form, methods=["GET"]),
            Route("/console/create", self._create, methods=["POST"]),
            Route("/console/stacks/create/review", self._review, methods=["GET"]),
            Route("/console/stacks/create/review", self._create_stack, methods=["POST"]),
            Route("/console/{account_id:str}/", self._roles, methods=["GET"]),
            Route("/console/{account_id:str}/roles/{name:str}", self._role, methods=["GET"]),
            Route("/console/{account_id:str}/roles/{name:str}/trust", self._save_trust, methods=["POST"]),
            Route("/console/{account_id:str}/roles/{name:str}/delete", self._ask_delete, methods=["GET"]),
            Route("/console/{account_id:str}/roles/{name:str}/delete", self._delete, methods=["POST"]),
        ]

    async def _accounts(self, request: Request) -> Response:
        if "account" in request.query_params:
            return self._to_role(request.query_params["account"], request.query_params.get("role", ""))
        accounts = [
            {**partner, "roles": len(self._engine.roles(partner["id"]))} for partner in self._organization.partners()
        ]
        return page(request, "console_accounts.html", accounts=accounts)

    def _to_role(self, account_id: str, name: str) -> Response:
        """Where a page that asks for a role leads: to the role, or to the form that makes it."""
        account = self._account(account_id)
        if name and self._engine.role(account["id"], name):
            return RedirectResponse(_role_path(account["id"], name), 303)
        return RedirectResponse(f"/console/create?{urlencode({'account': account['id'], 'role': name})}", 303)

    async def _roles(self, request: Request) -> Response:
        account = self._account(request.path_params["account_id"])
        roles = self._engine.roles(account["id"])
        endpoint = str(request.base_url).rstrip("/")
        return page(request, "console_roles.html", account=account, roles=roles, endpoint=endpoint, done=_done(request))

    async def _form(self, request: Request) -> Response:
        asked = request.query_params
        form = NewRole(account_id=asked.get("account", ""), name=asked.get("role", ""))
        return self._show_form(request, form)

    async def _create(self, request: Request) -> Response:
        sent = await sent_form(request)
        form = NewRole(
            account_id=text(sent, "account"),
            name=text(sent, "name").strip(),
            path=text(sent, "path").strip() or "/",
            hours=text(sent, "hours"),
            trust=text(sent, "trust"),
            sample=text(sent, "sample"),
            policy=text(sent, "policy"),
        )
        account = self._account(form.account_id)
        permissions = form.permissions()
        try:
            if permissions is not None:
                grammar.check_identity_document(permissions)
        except AwsError as error:
            return self._show_form(request, form, {"policy": error})
        try:
            await self._engine.call(account["id"], "CreateRole", **_create_parameters(form))
        except AwsError as error:
            return self._show_form(request, form, {_field_of(error): error})
        if permissions is not None:
            named = {"RoleName": form.name, "PolicyName": _INLINE_POLICY, "PolicyDocument": permissions}
            await self._engine.call(account["id"], "PutRolePolicy", **named)
        return RedirectResponse(f"{_role_path(account['id'], form.name)}?done=created", 303)

    def _show_form(self, request: Request, form: NewRole, errors: dict[str, AwsError] | None = None) -> Response:
        return page(
            request,
            "console_create.html",
            422 if errors else 200,
            form=form,
            errors=errors or {},
            partners=self._organization.partners(),
            hours=_HOURS,
            samples={key: label for key, (label, _) in _SAMPLES.items()},
        )

    async def _review(self, request: Request) -> Response:
        asked = request.query_params
        sent_to = Stack(asked.get("stackName", ""), asked.get("templateURL", ""), "")
        account_id = asked.get("account", "")
        try:
            return self._show_stack(request, await self._fetched(request, sent_to), account_id)
        except AwsError as error:
            return self._show_stack(request, sent_to, account_id, error)

    async def _create_stack(self, request: Request) -> Response:
        sent = await sent_form(request)
        stack = Stack(text(sent, "stackName").strip(), text(sent, "templateURL"), "")
        account = self._account(text(sent, "account"))
        try:
            stack = await self._fetched(request, stack)
            outputs = await stacks.create(self._engine, account["id"], stack, text(sent, "capability"))
        except AwsError as error:
            return self._show_stack(request, stack, account["id"], error)
        return page(request, "console_outputs.html", account=account, stack=stack, outputs=outputs)

    async def _fetched(self, request: Request, stack: Stack) -> Stack:
        template = await stacks.fetch(self._engine, stack.template_url, port=request.url.port or 80)
        return replace(stack, template=template)

    def _show_stack(self, request: Request, stack: Stack, account_id: str, error: AwsError | None = None) -> Response:
        partners = self._organization.partners()
        status = 422 if error else 200
        return page(
            request, "console_stack.html", status, stack=stack, account_id=account_id, partners=partners, error=error
        )

    async def _role(self, request: Request) -> Response:
        account, role = self._found(request)
        return self._show_role(request, account, role, role.trust)

    async def _save_trust(self, request: Request) -> Response:
        sent = await sent_form(request)
        account, role = self._found(request)
        trust = text(sent, "trust")
        try:
            await self._engine.call(account["id"], "UpdateAssumeRolePolicy", RoleName=role.name, PolicyDocument=trust)
        except AwsError as error:
            return self._show_role(request, account, role, trust, error)
        return RedirectResponse(f"{_role_path(account['id'], role.name)}?done=trusted", 303)

    def _show_role(
        self, request: Request, account: dict[str, Any], role: Role, trust: str, error: AwsError | None = None
    ) -> Response:
        return page(
            request,
            "console_role.html",
            422 if error else 200,
            account=account,
            role=role,
            trust=trust,
            error=error,
            done=_done(request),
        )

    async def _ask_delete(self, request: Request) -> Response:
        account, role = self._found(request)
        return page(request, "console_delete.html", account=account, role=role)

    async def _delete(self, request: Request) -> Response:
        await sent_form(request)
        account, role = self._found(request)
        for arn in role.attached_policies:
            await self._engine.call(account["id"], "DetachRolePolicy", RoleName=role.name, PolicyArn=arn)
        for name in role.inline_policies:
            await self._engine.call(account["id"], "DeleteRolePolicy", RoleName=role.name, PolicyName=name)
        await self._engine.call(account["id"], "DeleteRole", RoleName=role.name)
        return RedirectResponse(f"/console/{account['id']}/?done=deleted", 303)

    def _account(self, account_id: str) -> dict[str, Any]:
        for partner in self._organization.partners():
            if partner["id"] == account_id:
                return partner
        raise HTTPException(404, "The sandbox has no partner account with this number.")

    def _found(self, request: Request) -> tuple[dict[str, Any], Role]:
        account = self._account(request.path_params["account_id"])
        role = self._engine.role(account["id"], request.path_params["name"])
        if not role:
            raise HTTPException(404, "This account has no role of this name.")
        return account, role


def _create_parameters(form: NewRole) -> dict[str, str]:
    seconds = str(int(form.hours) * 3600) if form.hours in map(str, _HOURS) else form.hours
    return {
        "RoleName": form.name,
        "Path": form.path,
        "MaxSessionDuration": seconds,
        "AssumeRolePolicyDocument": form.trust,
    }


def _field_of(error: AwsError) -> str:
    """Which field of the form AWS's refusal is about."""
    if error.code in ("MalformedPolicyDocument", "LimitExceeded"):
        return "trust"
    if "maxSessionDuration" in error.message:
        return "hours"
    return "path" if "path" in error.message else "name"


def _role_path(account_id: str, name: str) -> str:
    return f"/console/{account_id}/roles/{quote(name, safe='')}"


def _done(request: Request) -> str | None:
    return _DONE.get(request.query_params.get("done", ""))
