from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from onboarding.core.webhooks import WebhookUrl
from onboarding.models import AlertRoute, Delivery, Partner
from onboarding.services import alert_routes, alerts
from tests.factories import make_checked_role, make_partner
from tests.services.test_alerts import make_broken

pytestmark = pytest.mark.django_db
PAGE = reverse("onboarding:admins:alerts")


@pytest.fixture(autouse=True)
def as_alice(client, alice):
    client.force_login(alice)


def url(name: str, *args: object) -> str:
    return reverse(f"onboarding:admins:{name}", args=args)


def told_broken():
    role = make_broken(make_checked_role())
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        alerts.tell_due()
    return role


def test_before_anything_was_told_the_page_says_that_this_is_good(client):
    assertContains(client.get(PAGE), "Nothing was told yet")


def test_what_was_told_and_whether_it_arrived(client):
    told_broken()
    assertContains(client.get(PAGE), "0 of 1")
    assertContains(client.get(PAGE), "On its way")
    Delivery.objects.update(attempts=3, trouble="HTTP 503", next_try_at=timezone.now() + timedelta(minutes=2))
    assertContains(client.get(PAGE), "HTTP 503")
    Delivery.objects.update(acknowledged_at=timezone.now())
    assertContains(client.get(PAGE), "1 of 1")


def test_an_alert_that_still_collects_says_until_when(client):
    make_broken()
    assertContains(client.get(PAGE), "Collects until")


def test_one_alert_lists_its_roles_and_who_was_told(client, alice):
    role = told_broken()
    alert = Delivery.objects.get().alert
    page = client.get(url("alert", alert.uuid))
    assertContains(page, role.role_name)
    assertContains(page, alice.email)
    assertContains(page, "AWS denied us twice in a row")


def test_mail_to_admins_is_turned_off_and_on(client):
    client.post(url("set_alert_mail"))
    assertContains(client.get(PAGE), "Nobody gets alerts by mail")
    client.post(url("set_alert_mail"), {"mails_admins": "on"})
    assertContains(client.get(PAGE), "1 person gets every alert")


def test_the_secret_of_a_webhook_is_shown_once_and_its_address_never_whole(client):
    shown = client.post(url("set_webhook"), {"url": "https://hooks.example.com/T0/very-secret"})
    assertContains(shown, "whsec_")
    assert shown.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    page = client.get(PAGE)
    assertContains(page, "https://hooks.example.com")
    assertNotContains(page, "very-secret")
    assertNotContains(page, "whsec_")
    renewed = client.post(url("renew_webhook_secret"))
    assertContains(renewed, "whsec_")
    client.post(url("remove_webhook"))
    assert AlertRoute.objects.get().webhook_url == ""
    assertRedirects(client.post(url("renew_webhook_secret")), PAGE)


@pytest.mark.parametrize("typed", ["http://hooks.example.com/", "ftp://x.example", "hooks", "", "https://a@b.example/"])
def test_an_address_that_no_webhook_can_have_is_refused_in_its_field(client, typed):
    page = client.post(url("set_webhook"), {"url": typed})
    assertContains(page, 'aria-invalid="true"')
    assert not AlertRoute.objects.exclude(webhook_url="").exists()


def test_a_test_alert_is_sent_from_the_page(client):
    client.post(url("test_alert"))
    assert Delivery.objects.get().alert.kind == "test"


def test_alerts_for_a_partner_are_chosen_on_their_page(client):
    partner = make_partner()
    assertContains(client.get(url("partner", partner.uuid)), "Not mailed to the partner")
    client.post(url("set_partner_alerts", partner.uuid), {"wanted": "1"})
    assert Partner.objects.get(pk=partner.pk).is_alerted
    assertContains(client.get(url("partner", partner.uuid)), "Mail them no longer")
    client.post(url("set_partner_alerts", partner.uuid), {"wanted": "0"})
    assert not Partner.objects.get(pk=partner.pk).is_alerted


def test_the_page_costs_the_same_queries_for_one_alert_and_for_many(client, alice):
    alert_routes.set_webhook(WebhookUrl.parse("https://hooks.example.com/", sandbox=False), by=alice)

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            client.get(PAGE)
        return len(found)

    alerts.send_test(by=alice)
    one = queries()
    for _ in range(5):
        alerts.send_test(by=alice)
    assert queries() == one
