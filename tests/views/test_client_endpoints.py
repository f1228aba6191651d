"""What portal-config asks of the portal, as requests: the sign-in, the config by its tag, a proof."""

import hashlib
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from onboarding.core import client_access
from onboarding.core.awsconfig import merge
from onboarding.models import AuditEvent, ClientCode, ClientToken, ExternalRole, Person, Proof
from tests import factories
from tests.factories import make_checked_role, make_grant, make_role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]
CONNECT = reverse("onboarding:employees:connect")
BY_CODE = reverse("onboarding:employees:connect_by_code")
TOKEN = reverse("onboarding:employees:client_token")
DEVICE = reverse("onboarding:employees:client_device_code")
CONFIG = reverse("onboarding:employees:client_config")
PAGE = reverse("onboarding:employees:access")
VERIFIER = "v" * 50
LOOPBACK = "http://127.0.0.1:40123/signed-in"
ASKED = {
    "computer": "carols-laptop",
    "loopback": LOOPBACK,
    "state": "s" * 32,
    "challenge": client_access.challenge_of(VERIFIER),
}


@pytest.fixture
def willow(carol: Person) -> ExternalRole:
    role = make_checked_role(make_role(profile_name="willow-telemetry"))
    make_grant(role, carol)
    return role


@pytest.fixture
def signed_in(client: Client, carol: Person) -> Client:
    client.force_login(carol)
    return client


@pytest.fixture
def program() -> Client:
    """Knows no cookie; a forged form could not be told from it, so it must not need the CSRF token either."""
    return Client(enforce_csrf_checks=True)


def test_the_page_asks_and_names_the_computer_and_changes_nothing(signed_in, carol):
    page = signed_in.get(CONNECT, ASKED)
    assert "Connect carols-laptop?" in page.text
    assert "carol@hoshino.example" in page.text
    # The browser may follow the answer to where the computer listens, and nowhere else.
    assert "form-action 'self' http://127.0.0.1:40123;" in page["Content-Security-Policy"] + ";"
    assert not ClientCode.objects.exists()


def test_allowing_takes_the_browser_back_with_a_code_that_is_worth_a_token(signed_in, program, carol):
    answer = signed_in.post(CONNECT, ASKED | {"decision": "allow"})
    where = urlsplit(answer["Location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == LOOPBACK
    brought = parse_qs(where.query)
    assert brought["state"] == [ASKED["state"]]
    given = program.post(TOKEN, {"code": brought["code"][0], "verifier": VERIFIER, "loopback": LOOPBACK}).json()
    assert given["token_type"] == "Bearer"
    assert 89 * 86_400 < given["expires_in"] <= 90 * 86_400
    bearer = Client(headers={"Authorization": f"Bearer {given['access_token']}"})
    assert bearer.get(CONFIG).json() == {"config": ""}


def test_refusing_takes_the_browser_back_without_a_code(signed_in):
    answer = signed_in.post(CONNECT, ASKED | {"decision": "refuse"})
    assert parse_qs(urlsplit(answer["Location"]).query) == {"error": ["access_denied"], "state": [ASKED["state"]]}
    assert not ClientCode.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"loopback": "https://evil.example/signed-in"},
        {"loopback": "http://localhost:40123/signed-in"},
        {"state": "x"},
        {"challenge": ""},
        {"computer": "<script>"},
        {"computer": "x\0"},
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_address_that_portal_config_does_not_make_is_refused(signed_in, wrong, method):
    answer = getattr(signed_in, method)(CONNECT, ASKED | {"decision": "allow"} | wrong)
    assert answer.status_code == 400
    assert "Nothing was connected" in answer.text
    assert not ClientCode.objects.exists()


def test_approving_needs_the_forms_own_token(carol):
    client = Client(enforce_csrf_checks=True)
    client.force_login(carol)
    assert client.post(CONNECT, ASKED | {"decision": "allow"}).status_code == 403
    assert client.post(BY_CODE, {"user_code": "BCDFGHJK", "decision": "allow"}).status_code == 403


def test_a_code_typed_in_another_browser_connects_the_computer(signed_in, program):
    codes = program.post(DEVICE, {"computer": "server-12"}).json()
    assert codes["verification_uri"] == f"http://testserver{BY_CODE}"
    assert codes["verification_uri_complete"] == f"http://testserver{BY_CODE}?user_code={codes['user_code']}"
    assert (codes["interval"], codes["expires_in"]) == (5, 600)
    poll = {"device_code": codes["device_code"]}
    waits = program.post(TOKEN, poll)
    assert (waits.status_code, waits.json()["error"]) == (400, "authorization_pending")
    assert "Code from your terminal" in signed_in.get(BY_CODE).text
    asking = signed_in.get(BY_CODE, {"user_code": codes["user_code"].lower()})
    assert "Connect server-12?" in asking.text
    assert "Did somebody send you this code" in asking.text
    assert program.post(TOKEN, poll).json()["error"] == "slow_down"
    done = signed_in.post(BY_CODE, {"user_code": codes["user_code"], "decision": "allow"}, follow=True)
    assert "Go on in your terminal" in done.text
    assert program.post(TOKEN, poll).json()["access_token"].startswith("tbc_")


def test_a_refused_code_is_told_to_the_computer(signed_in, program):
    codes = program.post(DEVICE, {"computer": "server-12"}).json()
    signed_in.post(BY_CODE, {"user_code": codes["user_code"], "decision": "no"})
    assert program.post(TOKEN, {"device_code": codes["device_code"]}).json()["error"] == "access_denied"


@pytest.mark.parametrize("typed", ["BCDF-GHJK", "abc", "\0"])
def test_a_code_that_nobody_waits_with_says_so(signed_in, typed):
    page = signed_in.get(BY_CODE, {"user_code": typed})
    assert page.context["form"].errors
    assert signed_in.post(BY_CODE, {"user_code": typed, "decision": "allow"}).status_code == 200
    assert not ClientToken.objects.exists()


@time_machine.travel("2026-11-23T09:30:00Z", tick=False)
def test_guessing_codes_and_asking_for_them_is_limited(client, program, carol):
    client.force_login(carol)
    answers = [client.get(BY_CODE, {"user_code": "BCDF-GHJK"}).status_code for _ in range(22)]
    assert answers[19:] == [200, 429, 429]
    answers = [program.post(DEVICE, {"computer": "x"}).status_code for _ in range(22)]
    assert answers[19:] == [200, 429, 429]


@pytest.mark.parametrize("sent", [{}, {"code": "x"}, {"device_code": ""}, {"code": "x", "verifier": "short"}])
def test_what_is_no_request_for_a_token_is_refused(program, sent):
    assert program.post(TOKEN, sent).json()["error"] == "invalid_request"
    assert program.post(TOKEN, {"device_code": "unknown"}).json()["error"] == "invalid_grant"


def test_the_config_is_that_of_the_download_and_is_told_like_it(signed_in, carol, willow):
    downloaded = signed_in.get(reverse("onboarding:employees:config")).content
    ExternalRole.objects.update(first_used_at=None)
    _, laptop = factories.connect_laptop(carol)
    answer = laptop.get(CONFIG)
    # What is downloaded stands between its marks already; the client puts it there.
    assert merge(b"", answer.json()["config"], {}).content == downloaded
    assert "no-store" in answer["Cache-Control"]
    assert ExternalRole.objects.get(pk=willow.pk).is_used
    assert AuditEvent.objects.filter(action="config_taken").count() == 2


def test_an_unchanged_config_costs_five_small_queries_and_is_no_event(carol, willow, django_assert_num_queries):
    _, laptop = factories.connect_laptop(carol)
    tag = laptop.get(CONFIG)["ETag"]
    events = AuditEvent.objects.count()
    with django_assert_num_queries(5):
        unchanged = laptop.get(CONFIG, headers={"If-None-Match": tag})
    assert unchanged.status_code == 304
    assert not unchanged.content
    assert AuditEvent.objects.count() == events
    make_grant(make_checked_role(), carol)
    assert laptop.get(CONFIG, headers={"If-None-Match": tag}).status_code == 200


def test_a_withheld_config_is_no_config(carol, willow):
    _, laptop = factories.connect_laptop(carol)
    ExternalRole.objects.update(external_id="abc\ncredential_process = touch /tmp/x")
    answer = laptop.get(CONFIG)
    assert answer.status_code == 503
    assert answer.json() == {"error": "withheld", "message": ""}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer x", "Basic eDp5", "Bearer tbc_" + "a" * 43])
def test_without_a_token_nothing_is_told(client, carol, willow, header):
    client.force_login(carol)
    answer = client.get(CONFIG, headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_token"}
    assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_a_token_opens_no_page(carol, willow):
    _, laptop = factories.connect_laptop(carol)
    for name in ("employees:access", "employees:config", "settings", "home"):
        assert laptop.get(reverse(f"onboarding:{name}")).status_code == 302


def test_a_token_of_somebody_deactivated_ends_at_once(carol, willow):
    _, laptop = factories.connect_laptop(carol)
    Person.objects.filter(pk=carol.pk).update(is_active=False)
    assert laptop.get(CONFIG).status_code == 401


def test_the_page_lists_computers_and_disconnects_ones_own_alone(signed_in, carol, dave):
    make_grant(make_checked_role(), carol)
    token, laptop = factories.connect_laptop(carol, computer="carols-laptop")
    of_dave, _ = factories.connect_laptop(dave, computer="daves-laptop")
    page = signed_in.get(PAGE)
    assert "carols-laptop" in page.text
    assert "daves-laptop" not in page.text
    disconnect = "onboarding:employees:disconnect"
    assert signed_in.post(reverse(disconnect, args=[of_dave.uuid])).status_code == 404
    gone = signed_in.post(reverse(disconnect, args=[token.uuid]), follow=True)
    assert "Disconnected. carols-laptop keeps its file as it is." in gone.text
    assert laptop.get(CONFIG).status_code == 401
    assert signed_in.post(reverse(disconnect, args=[token.uuid])).status_code == 404


def test_a_computer_can_disconnect_itself(carol):
    _, laptop = factories.connect_laptop(carol)
    assert laptop.post(reverse("onboarding:employees:client_disconnect")).status_code == 204
    assert laptop.get(CONFIG).status_code == 401


def test_the_client_is_served_as_it_stands_in_the_checkout_with_its_digest_on_the_page(client, signed_in, carol):
    make_grant(make_checked_role(), carol)
    served = Client().get(reverse("onboarding:employees:client_download"))
    content = (Path(settings.BASE_DIR) / "client" / "portal_config.py").read_bytes()
    assert served.content == content
    assert served["Content-Disposition"] == 'attachment; filename="portal-config"'
    assert hashlib.sha256(content).hexdigest() in signed_in.get(PAGE).text


def test_a_laptop_begins_a_proof_for_a_role_of_its_person_alone(carol, dave, willow):
    begin = reverse("onboarding:employees:client_begin_proof")
    _, laptop = factories.connect_laptop(carol)
    _, other = factories.connect_laptop(dave)
    assert laptop.post(begin, {"role_arn": willow.role_arn}).json()["nonce"].startswith("tobiishi.testserver.")
    assert other.post(begin, {"role_arn": willow.role_arn}).json()["error"] == "unknown_role"
    assert laptop.post(begin, {"role_arn": ""}).status_code == 404
    assert laptop.post(begin, {"role_arn": "\0"}).status_code == 404


def test_a_laptops_proof_is_refused_with_the_reason_in_words(carol, willow):
    begin, send = (reverse(f"onboarding:employees:client_{verb}_proof") for verb in ("begin", "send"))
    _, laptop = factories.connect_laptop(carol)
    nonce = laptop.post(begin, {"role_arn": willow.role_arn}).json()["nonce"]
    answer = laptop.post(send, {"nonce": nonce, "pasted": "nothing"})
    assert answer.status_code == 422
    assert answer.json()["error"] == "no_token"
    assert answer.json()["message"].startswith("There is no token in this text.")
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert laptop.post(send, {"nonce": nonce, "pasted": "x"}).json()["error"] == "expired"
    assert laptop.post(send, {"nonce": "tobiishi.x", "pasted": "x"}).json()["error"] == "unknown"
    assert laptop.post(send, {"nonce": nonce}).json()["error"] == "invalid_request"
    assert not Proof.objects.proven().exists()
