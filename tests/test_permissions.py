"""EVERY url × EVERY audience. A new address fails here until it has a row in `TABLE`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import translation

from onboarding.core.arns import RoleArn
from onboarding.models import Alert
from onboarding.permissions import Audience
from onboarding.services import alerts, rounds, submission
from tests import factories

pytestmark = pytest.mark.django_db

# In the order in which they try the door: whoever may change something comes after those who may not.
AUDIENCES = ("stranger", "mallory", "bob", "dave", "carol", "alice", "laptop")
ANYONE = frozenset(AUDIENCES)
SIGNED_IN = frozenset({"dave", "carol", "alice"})
ADMINS = frozenset({"alice"})
HOLDERS = frozenset({"bob"})
# Carol's portal-config, which has a token and no session.
LAPTOPS = frozenset({"laptop"})
NOBODY: frozenset[str] = frozenset()


LOOPBACK = {
    "computer": "laptop",
    "loopback": "http://127.0.0.1:40123/signed-in",
    "state": "s" * 32,
    "challenge": "c" * 43,
}


@dataclass(frozen=True)
class Row:
    """Who gets in. `of` names what the address is about, `method` how the page is asked, `carries` with what."""

    who: frozenset[str]
    of: str = ""
    method: str = "get"
    carries: Mapping[str, str] = field(default_factory=dict)


def _admin(of: str = "", method: str = "get") -> Row:
    return Row(ADMINS, of, method)


TABLE: dict[str, Row] = {
    # Everybody's pages
    "set_language": Row(ANYONE, method="post"),
    "onboarding:home": Row(SIGNED_IN),
    "onboarding:settings": Row(SIGNED_IN),
    "onboarding:help": Row(ANYONE),
    "onboarding:genuine": Row(ANYONE),
    "onboarding:healthz": Row(ANYONE),
    "onboarding:readyz": Row(ANYONE),
    # Employees
    "onboarding:employees:access": Row(SIGNED_IN),
    "onboarding:employees:choose": Row(SIGNED_IN, method="post"),
    "onboarding:employees:config": Row(SIGNED_IN),
    "onboarding:employees:granted": Row(SIGNED_IN),
    "onboarding:employees:plain": Row(SIGNED_IN),
    "onboarding:employees:switch_roles": Row(SIGNED_IN),
    "onboarding:employees:config_copied": Row(frozenset({"carol"}), method="post"),
    "onboarding:employees:profile_copied": Row(frozenset({"carol"}), "role", "post"),
    "onboarding:employees:prove": Row(frozenset({"carol"}), "role"),
    "onboarding:employees:begin_proof": Row(frozenset({"carol"}), "role", "post"),
    "onboarding:employees:send_proof": Row(frozenset({"carol"}), "role", "post"),
    "onboarding:employees:connect": Row(SIGNED_IN, carries=LOOPBACK),
    "onboarding:employees:connect_by_code": Row(SIGNED_IN),
    "onboarding:employees:disconnect": Row(frozenset({"carol"}), "token", "post"),
    # portal-config: what it asks before it has a token, and after
    "onboarding:employees:client_download": Row(ANYONE),
    "onboarding:employees:client_device_code": Row(ANYONE, method="post", carries={"computer": "laptop"}),
    # Who has a code may come, and nobody here has one.
    "onboarding:employees:client_token": Row(NOBODY, method="post"),
    "onboarding:employees:client_config": Row(LAPTOPS),
    "onboarding:employees:client_begin_proof": Row(LAPTOPS, method="post", carries={"role_arn": ""}),
    # Refused for what it sends, which is nothing; that it may come is seen in tests/views.
    "onboarding:employees:client_send_proof": Row(NOBODY, method="post"),
    "onboarding:employees:client_disconnect": Row(LAPTOPS, method="post"),
    # Partner admins: whoever holds the link, and it alone
    "onboarding:partners:lost": Row(NOBODY),
    "onboarding:partners:asked": Row(ANYONE),
    "onboarding:partners:too_many": Row(NOBODY),
    "onboarding:partners:open": Row(ANYONE, "invitation"),
    "onboarding:partners:handoff": Row(HOLDERS, "invitation"),
    "onboarding:partners:summary": Row(HOLDERS, "invitation"),
    "onboarding:partners:sheet": Row(HOLDERS, "invitation"),
    "onboarding:partners:recipient": Row(HOLDERS, "invitation"),
    "onboarding:partners:mail_code": Row(HOLDERS, "invitation", "post"),
    "onboarding:partners:withdraw": Row(HOLDERS, "invitation", "post"),
    "onboarding:partners:copied": Row(HOLDERS, "invitation", "post"),
    # Answers everybody alike, and does something for the holder only.
    "onboarding:partners:new_link": Row(ANYONE, "invitation", "post"),
    "onboarding:partners:return": Row(HOLDERS, "invitation", "post"),
    "onboarding:partners:deleted": Row(HOLDERS, "invitation", "post"),
    "onboarding:partners:check": Row(HOLDERS, "invitation", "post"),
    "onboarding:partners:verdict": Row(HOLDERS, "invitation"),
    "onboarding:partners:check_trust": Row(HOLDERS, "invitation", "post"),
    "onboarding:partners:trust_policy": Row(HOLDERS, "invitation"),
    "onboarding:partners:form": Row(HOLDERS, "invitation"),
    # The role has no policy of this kind.
    "onboarding:partners:permissions_policy": Row(NOBODY, "invitation"),
    "onboarding:partners:create_stack": Row(HOLDERS, "invitation", "post"),
    # Platform admins
    "onboarding:admins:overview": _admin(),
    "onboarding:admins:partners": _admin(),
    "onboarding:admins:register": _admin(),
    "onboarding:admins:register_preview": _admin(method="post"),
    "onboarding:admins:partner": _admin("partner"),
    "onboarding:admins:correct_partner": _admin("partner"),
    "onboarding:admins:set_partner_alerts": _admin("partner", "post"),
    "onboarding:admins:partner_report": _admin("partner"),
    "onboarding:admins:partner_report_csv": _admin("partner"),
    "onboarding:admins:partner_report_json": _admin("partner"),
    "onboarding:admins:add_account": _admin("partner"),
    "onboarding:admins:add_account_preview": _admin("partner", "post"),
    "onboarding:admins:account": _admin("account"),
    "onboarding:admins:correct_account": _admin("account"),
    "onboarding:admins:retire_account": _admin("account", "post"),
    "onboarding:admins:add_role": _admin("account"),
    "onboarding:admins:add_role_preview": _admin("account", "post"),
    "onboarding:admins:issue_link": _admin("account", "post"),
    "onboarding:admins:resend_link": _admin("invitation", "post"),
    "onboarding:admins:choose_verification": _admin("invitation", "post"),
    "onboarding:admins:extend_link": _admin("invitation", "post"),
    "onboarding:admins:revoke_link": _admin("invitation", "post"),
    "onboarding:admins:roles": _admin(),
    "onboarding:admins:role": _admin("role"),
    "onboarding:admins:role_live": _admin("role"),
    "onboarding:admins:trust_policy": _admin("role"),
    "onboarding:admins:correct_role": _admin("role"),
    "onboarding:admins:validate": _admin("role", "post"),
    "onboarding:admins:suspend": _admin("role", "post"),
    "onboarding:admins:resume": _admin("role", "post"),
    "onboarding:admins:retire": _admin("role", "post"),
    "onboarding:admins:accept_offer": _admin("role", "post"),
    "onboarding:admins:decline_offer": _admin("role", "post"),
    "onboarding:admins:grant": _admin("role", "post"),
    "onboarding:admins:revoke_grant": _admin("grant", "post"),
    "onboarding:admins:validations": _admin(),
    "onboarding:admins:round_live": _admin(),
    "onboarding:admins:begin_round": _admin(method="post"),
    "onboarding:admins:stop_round": _admin("validation_round", "post"),
    "onboarding:admins:report": _admin(),
    "onboarding:admins:report_csv": _admin(),
    "onboarding:admins:report_json": _admin(),
    "onboarding:admins:alerts": _admin(),
    "onboarding:admins:alert": _admin("alert"),
    "onboarding:admins:set_alert_mail": _admin(method="post"),
    "onboarding:admins:set_webhook": _admin(method="post"),
    "onboarding:admins:renew_webhook_secret": _admin(method="post"),
    "onboarding:admins:remove_webhook": _admin(method="post"),
    "onboarding:admins:test_alert": _admin(method="post"),
    "onboarding:admins:audit": _admin(),
    "onboarding:admins:people": _admin(),
    "onboarding:admins:add_person": _admin(),
    "onboarding:admins:person": _admin("person"),
    "onboarding:admins:deactivate": _admin("person", "post"),
    "onboarding:admins:reactivate": _admin("person", "post"),
    "onboarding:admins:send_password_link": _admin("person", "post"),
    "onboarding:admins:bastions": _admin(),
    "onboarding:admins:set_up_bastion": _admin(),
    "onboarding:admins:bastion": _admin("bastion"),
    "onboarding:admins:change_bastion": _admin("bastion"),
    "onboarding:admins:add_permission_set": _admin("bastion", "post"),
    "onboarding:admins:permission_set": _admin("permission_set"),
    "onboarding:admins:permission_set_policy": _admin("permission_set"),
    "onboarding:admins:choose_style": _admin("permission_set", "post"),
    "onboarding:admins:note_policy_put": _admin("permission_set", "post"),
    "onboarding:admins:find_sso_role": _admin("permission_set", "post"),
    # Sign-in, which is allauth's
    "account_login": Row(ANYONE),
    "account_logout": Row(ANYONE),
    "account_inactive": Row(ANYONE),
    "account_signup": Row(ANYONE),
    "account_reauthenticate": Row(SIGNED_IN),
    "account_email": Row(NOBODY),
    "account_email_verification_sent": Row(NOBODY),
    "account_change_password": Row(SIGNED_IN),
    "account_set_password": Row(SIGNED_IN),
    "account_reset_password": Row(ANYONE),
    # Whoever is signed in is sent home, and nobody else is on the way in.
    "account_confirm_login_code": Row(SIGNED_IN),
    "account_confirm_email": Row(NOBODY, "key"),
    "account_reset_password_from_key_done": Row(ANYONE),
    "account_reset_password_from_key": Row(ANYONE, "key"),
    "account_reset_password_done": Row(ANYONE),
    "mfa_index": Row(SIGNED_IN),
    "mfa_authenticate": Row(SIGNED_IN),
    "mfa_reauthenticate": Row(SIGNED_IN),
    "mfa_activate_totp": Row(SIGNED_IN),
    # Nobody here has a second factor yet.
    "mfa_deactivate_totp": Row(NOBODY),
    "mfa_view_recovery_codes": Row(NOBODY),
    "mfa_generate_recovery_codes": Row(SIGNED_IN),
    "mfa_download_recovery_codes": Row(NOBODY),
    "mfa_list_webauthn": Row(SIGNED_IN),
    "mfa_add_webauthn": Row(SIGNED_IN),
    "mfa_reauthenticate_webauthn": Row(SIGNED_IN),
    "mfa_remove_webauthn": Row(SIGNED_IN, "key"),
    "mfa_edit_webauthn": Row(SIGNED_IN, "key"),
    "socialaccount_login_cancelled": Row(ANYONE),
    "socialaccount_login_error": Row(NOBODY),
    "socialaccount_signup": Row(NOBODY),
    "socialaccount_connections": Row(SIGNED_IN),
    "openid_connect_login": Row(NOBODY, "provider"),
    "openid_connect_callback": Row(NOBODY, "provider"),
}


@dataclass(frozen=True)
class Route:
    view: Callable[..., HttpResponseBase]
    # The names of what its address carries.
    carries: frozenset[str]


def routes(
    patterns: list[URLPattern | URLResolver], spaces: tuple[str, ...] = (), carried: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Route]]:
    for pattern in patterns:
        carries = carried | set(pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLResolver):
            inner = (*spaces, pattern.namespace) if pattern.namespace else spaces
            yield from routes(pattern.url_patterns, inner, carries)
        else:
            yield ":".join([*spaces, pattern.name or str(pattern.pattern)]), Route(pattern.callback, carries)


# What stands without a name answers for everybody alike: pages that are switched off, and allauth's old addresses.
NAMELESS = {
    "^sign-in/(email|confirm-email)/",
    "social/login/cancelled/",
    "social/login/error/",
    "social/signup/",
    "social/connections/",
}
ROUTES = dict(routes(get_resolver().url_patterns))


@pytest.fixture
def world(alice, carol, dave):
    """One of everything, and whoever may come to its door."""
    issued = factories.make_invitation()
    invitation = issued.invitation
    role = submission.return_role(invitation, invitation.account.roles.get(), _arn(invitation))
    factories.check(role, factories.Door())
    role.refresh_from_db()
    token, laptop = factories.connect_laptop(carol)
    return SimpleNamespace(
        role=role,
        account=role.account,
        partner=role.account.partner,
        invitation=invitation,
        link_token=issued.link_token,
        permission_set=role.permission_set,
        bastion=role.permission_set.bastion,
        grant=factories.make_grant(role, carol),
        alert=_an_alert(alice),
        validation_round=rounds.begin_round(by=alice),
        person=factories.make_person("erin@hoshino.example"),
        token=token,
        clients=_clients(alice, carol, dave, invitation) | {"laptop": laptop},
    )


def _an_alert(alice) -> Alert:
    alerts.send_test(by=alice)
    return Alert.objects.get()


def _arn(invitation) -> RoleArn:
    return RoleArn.parse(f"arn:aws:iam::{invitation.account.account_id}:role/Reader")


def _clients(alice, carol, dave, invitation) -> dict[str, Client]:
    clients = {name: Client() for name in AUDIENCES if name not in LAPTOPS}
    for name, person in {"alice": alice, "carol": carol, "dave": dave}.items():
        clients[name].force_login(person)
    hold(clients["bob"], invitation)
    hold(clients["mallory"], factories.make_invitation().invitation)
    return clients


def hold(client: Client, invitation) -> None:
    session = client.session
    session["invitations"] = {str(invitation.uuid): invitation.token_digest}
    session.save()


def address(name: str, row: Row, world) -> str:
    values = {"key": "x-y", "uidb36": "1", "pk": 1, "provider_id": "sso", "role_uuid": world.role.uuid}
    values |= {"form": "bash", "way": "create", "name": "athena.sql"}
    values["link_token"] = world.link_token
    if hasattr(world, row.of):
        values["uuid"] = getattr(world, row.of).uuid
    return reverse(name, kwargs={key: values[key] for key in ROUTES[name].carries})


def gets_in(answer) -> bool:
    """Neither sent to the sign-in, nor refused, nor told that there is no such page."""
    to_sign_in = answer.status_code == 302 and answer.headers["Location"].startswith(reverse("account_login"))
    return not to_sign_in and answer.status_code < 400


@pytest.mark.parametrize("name", sorted(TABLE))
def test_only_its_audience_opens(name, world, monkeypatch, empty_cache):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    row = TABLE[name]
    url = address(name, row, world)
    sent = {key: world.role.role_arn if key == "role_arn" else value for key, value in row.carries.items()}
    found = set()
    for audience in AUDIENCES:
        with translation.override("en"):
            answer = getattr(world.clients[audience], row.method)(url, sent)
        assert answer.status_code != 405, f"{name} is not asked by {row.method}"
        if gets_in(answer):
            found.add(audience)
    assert found == row.who


def test_every_address_has_a_row():
    assert set(ROUTES) - NAMELESS == set(TABLE)


def test_every_view_of_ours_is_marked_with_its_audience():
    ours = {name: route.view for name, route in ROUTES.items() if name.startswith("onboarding:")}
    assert {name for name, view in ours.items() if not hasattr(view, "audience")} == set()
    admins = {view.audience for name, view in ours.items() if name.startswith("onboarding:admins:")}
    assert admins == {Audience.PLATFORM_ADMIN}
