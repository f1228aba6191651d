"""Sign-in with the organization's provider: a real one, and the portal in a process of its own."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from onboarding.models import Person
from tests.browsers import browsers_of, needs_chromium
from tests.embedded import free_port
from tests.factories import PASSWORD

ROOT = Path(__file__).parents[2]
MANAGE = str(ROOT / "manage.py")


@dataclass(frozen=True)
class House:
    """The portal, the provider beside it, and the environment in which the portal's commands run."""

    portal: str
    provider: str
    environment: dict[str, str]

    def manage(self, *arguments: str, typed: str = "") -> str:
        command = [sys.executable, MANAGE, *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, input=typed, text=True, check=True, stdout=subprocess.PIPE
        ).stdout

    def employ(self, sub: str, **claims: object) -> None:
        """Whoever is `sub` at the provider has these claims from now on."""
        answer = requests.put(f"{self.provider}/users/{sub}", json=claims, timeout=5)
        answer.raise_for_status()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    ports = free_port(), free_port()
    portal, provider = (f"http://127.0.0.1:{port}" for port in ports)
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('house') / 'portal.sqlite3'}",
        "REDIS_URL": os.environ["REDIS_URL"],
        "REDIS_KEY_PREFIX": f"tobiishi-test-{uuid4()}",
        "PUBLIC_URL": portal,
        # A provider without TLS is taken in the sandbox alone.
        "SANDBOX": "1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "OIDC_SERVER_URL": provider,
        "OIDC_NAME": "Hoshino ID",
        "OIDC_CLIENT_ID": "tobiishi",
        "OIDC_CLIENT_SECRET": "not-a-secret",
        "OIDC_ADMIN_GROUP": "cloud-admins",
        "LOG_LEVEL": "ERROR",
    }
    built = House(portal, provider, environment)
    built.manage("migrate", "--verbosity", "0")
    gunicorn = ["gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{ports[0]}", "--threads", "4", "--log-level", "error"]
    processes = [
        subprocess.Popen([sys.executable, "-m", *gunicorn], cwd=ROOT, env=environment),
        subprocess.Popen([sys.executable, "-m", "tests.signin.provider", str(ports[1])], cwd=ROOT, env=environment),
    ]
    try:
        _wait_until_answers(f"{portal}/healthz")
        _wait_until_answers(f"{provider}/.well-known/openid-configuration")
        yield built
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


def _wait_until_answers(url: str, *, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            requests.get(url, timeout=2).raise_for_status()
        except (requests.ConnectionError, requests.Timeout):
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


class Visitor:
    """Somebody at a browser, as far as sign-in needs one."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._session = requests.Session()

    def get(self, path: str) -> requests.Response:
        return self._session.get(f"{self._house.portal}{path}", timeout=30)

    def post(self, path: str, **fields: str) -> requests.Response:
        fields["csrfmiddlewaretoken"] = self._session.cookies["csrftoken"]
        return self._session.post(f"{self._house.portal}{path}", data=fields, timeout=30)

    def go_to_provider(self) -> requests.Response:
        page = self.get(reverse("account_login"))
        action = re.search(r'action="(/sign-in/oidc/[^"]+)"', page.text)[1].replace("&amp;", "&")
        return self.post(action)

    def sign_in_as(self, sub: str) -> requests.Response:
        asked = self.go_to_provider()
        return self._session.post(asked.url, data={"sub": sub}, timeout=30)

    def groups(self) -> str:
        return " ".join(re.search(r"<dt>Groups</dt><dd>(.*?)</dd>", self.get("/settings/").text)[1].split())

    def portal_role(self) -> str:
        return re.search(r"<dt>Role in the portal</dt><dd>(.*?)</dd>", self.get("/settings/").text)[1]

    def is_signed_in(self) -> bool:
        return not self.get("/settings/").history


def test_the_portal_asks_by_pkce_and_for_no_more_than_it_needs(house):
    asked = urlsplit(Visitor(house).go_to_provider().url)
    wanted = parse_qs(asked.query)
    assert f"{asked.scheme}://{asked.netloc}{asked.path}" == f"{house.provider}/oauth2/authorize"
    assert wanted["code_challenge_method"] == ["S256"]
    assert set(wanted["scope"][0].split()) == {"openid", "profile", "email"}
    assert wanted["redirect_uri"] == [f"{house.portal}/sign-in/oidc/sso/login/callback/"]


def test_whom_the_provider_lets_in_is_a_person_here_with_their_groups(house):
    house.employ("u1", email="Ken.Ishida@hoshino.example", given_name="Ken", groups=["analysts", "tokyo"])
    ken = Visitor(house)
    assert ken.sign_in_as("u1").url.endswith("/access/")
    assert ken.groups() == "analysts, tokyo"
    assert ken.portal_role() == "Employee"
    assert "ken.ishida@hoshino.example" in ken.get("/settings/").text


def test_who_leaves_a_group_there_has_left_it_here_at_the_next_sign_in(house):
    told = []
    for groups in (["analysts", "cloud-admins"], ["tokyo"], None):
        house.employ("u2", email="rin@hoshino.example", **({} if groups is None else {"groups": groups}))
        rin = Visitor(house)
        rin.sign_in_as("u2")
        told.append((rin.groups(), rin.portal_role()))
    assert told == [("analysts, cloud-admins", "Platform admin"), ("tokyo", "Employee"), ("None", "Employee")]


def test_a_local_account_with_the_same_address_is_connected_and_loses_its_password(house):
    house.manage("bootstrap", "--email", "mio@hoshino.example", "--password-stdin", typed=PASSWORD)
    house.employ("u3", email="MIO@hoshino.example", email_verified=True, groups=["cloud-admins"])
    mio = Visitor(house)
    mio.sign_in_as("u3")
    assert mio.portal_role() == "Platform admin"
    assert house.manage("shell", "--no-imports", "-c", COUNT).split() == ["1"]
    by_password = Visitor(house)
    by_password.get(reverse("account_login"))
    by_password.post(reverse("account_login"), login="mio@hoshino.example", password=PASSWORD)
    assert not by_password.is_signed_in()


COUNT = (
    "from onboarding.models import Person; print(Person.objects.filter(email__iexact='mio@hoshino.example').count())"
)


def test_a_password_set_later_does_not_go_around_the_provider(house):
    house.employ("u4", email="aoi@hoshino.example", groups=[])
    Visitor(house).sign_in_as("u4")
    house.manage("bootstrap", "--email", "aoi@hoshino.example", "--password-stdin", typed=PASSWORD)
    aoi = Visitor(house)
    aoi.get(reverse("account_login"))
    aoi.post(reverse("account_login"), login="aoi@hoshino.example", password=PASSWORD)
    assert not aoi.is_signed_in()


def test_a_deactivated_person_is_refused_though_the_provider_knows_them(house):
    house.employ("u5", email="dai@hoshino.example", groups=[])
    dai = Visitor(house)
    dai.sign_in_as("u5")
    house.manage("shell", "--no-imports", "-c", SWITCH_OFF)
    assert not dai.is_signed_in()
    answer = dai.sign_in_as("u5")
    assert answer.url.endswith(reverse("account_inactive"))
    assert not dai.is_signed_in()


SWITCH_OFF = """
from onboarding.models import Person
Person.objects.filter(email="dai@hoshino.example").update(is_active=False)
"""


@pytest.mark.parametrize(
    "claims", [{}, {"email": "boss@hoshino.example", "email_verified": False}], ids=["absent", "unproven"]
)
def test_nobody_gets_in_under_an_address_that_is_not_proven(house, claims):
    house.employ("u6", groups=["cloud-admins"], **claims)
    stranger = Visitor(house)
    answer = stranger.sign_in_as("u6")
    assert answer.status_code == 403
    assert "no e-mail address that is proven to be yours" in answer.text
    assert not stranger.is_signed_in()
    assert "boss@hoshino.example" not in stranger.get(reverse("socialaccount_signup")).text


def test_an_answer_that_nobody_asked_for_signs_nobody_in(house):
    visitor = Visitor(house)
    answer = visitor.get("/sign-in/oidc/sso/login/callback/?code=abc&state=def")
    assert "You are not signed in" in answer.text
    assert not visitor.is_signed_in()


@needs_chromium
def test_in_a_browser_the_policy_lets_the_way_to_the_provider_through(house):
    house.employ("u7", email="yui@hoshino.example", given_name="Yui", groups=["analysts"])
    with browsers_of(house.portal) as browsers:
        page = browsers.open()
        # The provider's own pages take their looks from the internet.
        page.route(re.compile("^https:"), lambda route: route.fulfill(body=""))
        page.goto("/settings/")
        page.get_by_role("button", name="Sign in with Hoshino ID").click()
        page.get_by_placeholder("sub").fill("u7")
        with page.expect_navigation(url=f"{house.portal}/**"):
            page.get_by_role("button", name="Authorize").click()
        page.goto("/settings/")
        expect(page.locator("main")).to_contain_text("analysts")


@pytest.mark.django_db
def test_nobody_cuts_the_connection_to_the_provider(client: Client, carol: Person):
    connected = SocialAccount.objects.create(user=carol, provider="sso", uid="u8")
    client.force_login(carol)
    answer = client.post(reverse("socialaccount_connections"), {"account": connected.pk})
    assert "so the connection stays" in answer.text
    assert SocialAccount.objects.filter(pk=connected.pk).exists()


@pytest.mark.django_db
def test_a_provider_that_is_away_is_told_as_such(client: Client, settings):
    nobody = f"http://127.0.0.1:{free_port()}"
    app = {
        "provider_id": "sso",
        "name": "Hoshino ID",
        "client_id": "x",
        "secret": "x",
        "settings": {"server_url": nobody},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    answer = client.post("/sign-in/oidc/sso/login/?process=login")
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert nobody not in answer.text
