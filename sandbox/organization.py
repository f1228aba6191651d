"""The sample organization: a bastion account with Identity Center, its employees, and the partners' accounts."""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from sandbox.engine import REGION, Engine
from sandbox.stacks import BUCKET
from sandbox.state import Record, Records

BASTION_ID = "111122223333"
BASTION_NAME = "Hoshino Trading bastion"
START_URL = "https://d-9067f0e1a2.awsapps.com/start"
VALIDATOR = "tobiishi-validator"
STRANGER = "tobiishi-stranger"
# Another account of our own, with the two roles that watch the checks themselves.
CONTROLS_ID = "111122224444"
OPEN_CONTROL = "tobiishi-control-open"
ASKING_CONTROL = "tobiishi-control-asking"
CONTROL_EXTERNAL_ID = "tobiishi-control"
WORKER = "tobiishi-worker"
TEMPLATES = "tobiishi-templates"
PARTNERS = {
    "303040405050": "Willow Logistics",
    "222233334444": "Kestrel Analytics",
    "505060607070": "Cedar & Pine",
    "919182827373": "Ostrava Steel",
    "414152526363": "Tallgrass Energy",
    "616172728383": "Birch Mobility",
    "606060707070": "Yamabuki Media",
    # Nobody's partner yet: for whoever wants to register one.
    "707080809090": "Saffron Ferries",
}
PERMISSION_SETS = ("PartnerAccess", "PartnerReadOnly")
EMPLOYEES = {
    "mio.tanabe": ("Mio Tanabe", ("PartnerAccess", "PartnerReadOnly")),
    "priya.raman": ("Priya Raman", ("PartnerAccess",)),
    "kenji.mori": ("Kenji Mori", ("PartnerAccess",)),
    "lena.fischer": ("Lena Fischer", ("PartnerReadOnly",)),
    "tom.okafor": ("Tom Okafor", ()),
}
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_WORDS = ("cedar", "ferry", "garden", "harbor", "kettle", "lantern", "meadow", "pebble", "ripple", "willow")


class Organization:
    """Made on the first start, then read from the records."""

    def __init__(self, records: Records, engine: Engine) -> None:
        self._records = records
        self._engine = engine

    async def prepare(self) -> None:
        if not self._records.get("organization", "templates"):
            self._records.put("organization", "templates", await self._templates())
        if self._records.get("organization", "bastion"):
            return
        for account_id, name in PARTNERS.items():
            keys = await self._administrator(account_id)
            self._records.put("partner", account_id, {"id": account_id, "name": name, **keys})
        for local_part, (name, permission_sets) in EMPLOYEES.items():
            self._add_employee(_email(local_part), name, permission_sets)
        self._records.put("organization", "bastion", await self._bastion())

    def as_json(self) -> dict[str, Any]:
        bastion = self._records.get("organization", "bastion") or {}
        return {
            "bastion": {key: value for key, value in bastion.items() if key != "sso_roles"},
            "partners": self.partners(),
            "templates": self._records.get("organization", "templates"),
            "employees": [self.employee(_email(local_part)) for local_part in EMPLOYEES],
        }

    def partners(self) -> list[Record]:
        by_id = self._records.all("partner")
        return [by_id[account_id] for account_id in PARTNERS]

    def employee(self, email: str) -> Record | None:
        return self._records.get("employee", email)

    def sso_role_arn(self, permission_set: str) -> str:
        bastion = self._records.get("organization", "bastion") or {}
        return str(bastion["sso_roles"][permission_set])

    def _add_employee(self, email: str, name: str, permission_sets: tuple[str, ...]) -> None:
        words = "-".join(secrets.choice(_WORDS) for _ in range(3))
        password = f"{words}-{secrets.randbelow(9000) + 1000}"
        record = {"email": email, "name": name, "password": password, "permission_sets": permission_sets}
        self._records.put("employee", email, record)

    async def _bastion(self) -> Record:
        worker_arn = f"arn:aws:iam::{BASTION_ID}:user/{WORKER}"
        validator_arn = f"arn:aws:iam::{BASTION_ID}:role/{VALIDATOR}"
        keys = await self._user(WORKER, BASTION_ID)
        stranger_arn = f"arn:aws:iam::{BASTION_ID}:role/{STRANGER}"
        await self._inline("User", WORKER, "enter-validator", _allow("sts:AssumeRole", [validator_arn, stranger_arn]))
        for name, statements in ((VALIDATOR, [*_try_others(), _LIST_ROLES]), (STRANGER, _try_others())):
            await self._role(name, "/", _trust({"AWS": worker_arn}, "sts:AssumeRole"))
            await self._inline("Role", name, "probe-partners", _policy(*statements))
        await self._controls([validator_arn, stranger_arn])
        return {
            "account_id": BASTION_ID,
            "name": BASTION_NAME,
            "partition": "aws",
            "region": REGION,
            "sso_start_url": START_URL,
            "sso_region": REGION,
            "sso_session_name": "hoshino",
            "permission_sets": PERMISSION_SETS,
            "validator_role_arn": validator_arn,
            "stranger_role_arn": stranger_arn,
            "open_control_role_arn": f"arn:aws:iam::{CONTROLS_ID}:role/{OPEN_CONTROL}",
            "asking_control_role_arn": f"arn:aws:iam::{CONTROLS_ID}:role/{ASKING_CONTROL}",
            "worker": {"arn": worker_arn, **keys},
            "sso_roles": {name: await self._sso_role(name) for name in PERMISSION_SETS},
        }

    async def _controls(self, callers: list[str]) -> None:
        """One asks for no external ID, the other for the one that the portal's page names."""
        asking = {"Condition": {"StringEquals": {"sts:ExternalId": CONTROL_EXTERNAL_ID}}}
        for name, condition in ((OPEN_CONTROL, {}), (ASKING_CONTROL, asking)):
            trust = _trust({"AWS": callers}, "sts:AssumeRole", **condition)
            await self._role(name, "/", trust, account_id=CONTROLS_ID)

    async def _templates(self) -> Record:
        """The identity that puts templates into the bucket, and nothing else."""
        keys = await self._user(TEMPLATES, BASTION_ID)
        objects = _allow(["s3:PutObject", "s3:GetObject"], f"arn:aws:s3:::{BUCKET}/*")
        await self._inline("User", TEMPLATES, "put-templates", objects)
        return {"bucket": BUCKET, "region": REGION, **keys}

    async def _sso_role(self, permission_set: str) -> str:
        name = f"AWSReservedSSO_{permission_set}_{secrets.token_hex(8)}"
        provider = f"arn:aws:iam::{BASTION_ID}:saml-provider/AWSSSO_{secrets.token_hex(8)}_DO_NOT_DELETE"
        trust = _trust({"Federated": provider}, ["sts:AssumeRoleWithSAML", "sts:TagSession"])
        arn = await self._role(name, f"/aws-reserved/sso.amazonaws.com/{REGION}/", trust)
        actions = ["sts:AssumeRole*", "sts:Get*", "iam:GetRole", "iam:ListRoles"]
        await self._inline("Role", name, "AwsSSOInlinePolicy", _allow(actions, "*"))
        return arn

    async def _role(self, name: str, path: str, trust: str, *, account_id: str = BASTION_ID) -> str:
        answer = await self._engine.call(
            account_id, "CreateRole", RoleName=name, Path=path, AssumeRolePolicyDocument=trust
        )
        return answer.findtext("CreateRoleResult/Role/Arn", "")

    async def _inline(self, kind: str, name: str, policy: str, document: str) -> None:
        named = {f"{kind}Name": name, "PolicyName": policy, "PolicyDocument": document}
        await self._engine.call(BASTION_ID, f"Put{kind}Policy", **named)

    async def _administrator(self, account_id: str) -> dict[str, str]:
        keys = await self._user("admin", account_id)
        await self._engine.call(account_id, "AttachUserPolicy", UserName="admin", PolicyArn=_ADMINISTRATOR)
        return keys

    async def _user(self, name: str, account_id: str) -> dict[str, str]:
        await self._engine.call(account_id, "CreateUser", UserName=name)
        answer = await self._engine.call(account_id, "CreateAccessKey", UserName=name)
        return {
            "access_key_id": answer.findtext("CreateAccessKeyResult/AccessKey/AccessKeyId", ""),
            "secret_access_key": answer.findtext("CreateAccessKeyResult/AccessKey/SecretAccessKey", ""),
        }


def _email(local_part: str) -> str:
    return f"{local_part}@hoshino.example"


_LIST_ROLES = {"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}


def _try_others() -> list[dict[str, str]]:
    return [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/*"},
        {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::{BASTION_ID}:role/*"},
    ]


def _trust(principal: Mapping[str, str | list[str]], action: str | list[str], **more: Any) -> str:
    return _policy({"Effect": "Allow", "Principal": principal, "Action": action, **more})


def _allow(action: str | list[str], resource: str | list[str]) -> str:
    return _policy({"Effect": "Allow", "Action": action, "Resource": resource})


def _policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
