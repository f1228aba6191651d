"""Puts the parts of the sandbox behind one address."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox import stacks
from sandbox.aws import AwsGate
from sandbox.console import Console
from sandbox.engine import Engine
from sandbox.mail import Mailbox, MailboxPages
from sandbox.organization import BASTION_ID, Organization
from sandbox.pages import STATIC, explain
from sandbox.signin import SignInPages
from sandbox.sso import SsoPortal
from sandbox.state import Records
from sandbox.tickets import Tickets

# A name that a stranger's DNS points to this machine must not read the keys that the sandbox hands out.
LOOPBACK = ["127.0.0.1", "localhost"]


async def build(records: Records, mailbox: Mailbox) -> Starlette:
    engine = Engine(records)
    organization = Organization(records, engine)
    await organization.prepare()
    await stacks.open_bucket(BASTION_ID)
    tickets = Tickets(records)
    portal = SsoPortal(tickets, organization, engine)

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def organization_json(_: Request) -> Response:
        return JSONResponse(organization.as_json(), headers={"Cache-Control": "no-store"})

    routes: list[BaseRoute] = [
        Route("/_sandbox/health", health),
        Route("/_sandbox/organization", organization_json),
        Mount("/_sandbox/static", StaticFiles(directory=STATIC)),
        *portal.routes(),
        *SignInPages(tickets, organization, portal).routes(),
        *Console(organization, engine).routes(),
        *MailboxPages(mailbox).routes(),
        Mount("/", AwsGate(engine)),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK)],
        exception_handlers={HTTPException: explain},
    )
