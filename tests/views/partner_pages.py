"""How a partner comes to the page of an invitation, and what it answers to."""

from django.test import Client
from django.urls import reverse

from onboarding.core.handoff import Form, Way
from onboarding.models import ExternalRole, Invitation
from tests.factories import make_invitation


def link(link_token: str) -> str:
    return reverse("onboarding:partners:open", args=[link_token])


def page(invitation: Invitation) -> str:
    return reverse("onboarding:partners:handoff", args=[invitation.uuid])


def of_role(name: str, invitation: Invitation, role: ExternalRole) -> str:
    return reverse(f"onboarding:partners:{name}", args=[invitation.uuid, role.uuid])


def form_of(form: Form, invitation: Invitation, role: ExternalRole, way: Way = Way.CREATE) -> str:
    return reverse("onboarding:partners:form", args=[invitation.uuid, role.uuid, form, way])


def open_link(client: Client, role: ExternalRole | None = None) -> Invitation:
    """By a fresh link to the role's account, as the partner would."""
    issued = make_invitation(role)
    client.get(link(issued.link_token))
    return issued.invitation


def paste(client: Client, invitation: Invitation, role: ExternalRole, text: str):
    return client.post(of_role("return", invitation, role), {"role_arn": text})


def arn_of(role: ExternalRole, name: str = "") -> str:
    return f"arn:aws:iam::{role.account.account_id}:role/{name or role.role_name}"
