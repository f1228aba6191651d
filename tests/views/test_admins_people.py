"""People: added, changed, and shut out at once."""

import re

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertRedirects

from onboarding.models import Person, PortalRole
from tests.factories import make_checked_role, make_grant, make_person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]
PEOPLE, ADD = reverse("onboarding:admins:people"), reverse("onboarding:admins:add_person")
TYPED = {"email": "erin@hoshino.example", "first_name": "Erin", "portal_role": "employee", "groups": "b, a, b"}


@pytest.fixture(autouse=True)
def as_alice(client, alice):
    client.force_login(alice)


def at(name: str, person) -> str:
    return reverse(f"onboarding:admins:{name}", args=[person.uuid])


def test_a_new_person_sets_a_password_by_mail(client):
    client.post(ADD, TYPED)
    person = Person.objects.get(email="erin@hoshino.example")
    assert sorted(person.groups.values_list("name", flat=True)) == ["a", "b"]
    assert mail.outbox[0].to == [person.email]
    address = re.search(r"http://testserver(\S+/key/\S+)", mail.outbox[0].body)[1]
    stranger = Client()
    form = stranger.get(address, follow=True)
    wanted = {"password1": "a-good-long-one-26", "password2": "a-good-long-one-26"}
    stranger.post(form.redirect_chain[-1][0], wanted)
    assert Client().login(email=person.email, password="a-good-long-one-26")


def test_with_an_identity_provider_alone_no_mail_is_needed(client, settings):
    settings.LOCAL_ACCOUNTS = False
    answer = client.post(ADD, TYPED, follow=True)
    assertContains(answer, "no mail was needed")
    assert not mail.outbox


def test_a_mail_that_cannot_be_sent_is_told_and_can_be_tried_again(client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assertContains(client.post(ADD, TYPED, follow=True), "no mail could be sent")
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    person = Person.objects.get(email=TYPED["email"])
    assertContains(client.post(at("send_password_link", person), follow=True), "was mailed to")


def test_the_same_address_is_not_added_twice(client, carol):
    answer = client.post(ADD, TYPED | {"email": "Carol@hoshino.example"})
    assert list(answer.context["form"].errors) == ["email"]


def test_a_person_is_changed(client, carol):
    wanted = {"first_name": "C", "last_name": "Chen", "portal_role": "platform_admin", "groups": "analysts"}
    assertRedirects(client.post(at("person", carol), wanted), at("person", carol))
    carol.refresh_from_db()
    assert carol.is_platform_admin


def test_the_last_admin_stays(client, alice):
    answer = client.post(at("person", alice), {"portal_role": "employee", "groups": ""})
    assert list(answer.context["form"].errors) == ["portal_role"]
    assertContains(client.post(at("deactivate", alice), follow=True), "nobody could administer the portal")
    alice.refresh_from_db()
    assert alice.is_platform_admin


def test_a_deactivated_person_is_out_at_once_and_an_old_session_does_not_wake_up(client, carol):
    theirs = Client()
    theirs.force_login(carol)
    home = reverse("onboarding:employees:access")
    assert theirs.get(home).status_code == 200
    client.post(at("deactivate", carol))
    assert theirs.get(home).status_code == 302
    client.post(at("reactivate", carol))
    assert theirs.get(home).status_code == 302
    assert Session.objects.count() == 1


def test_a_persons_page_shows_what_they_were_granted(client, carol):
    role = make_checked_role()
    make_grant(role, carol)
    assertContains(client.get(at("person", carol)), role.role_name)


def test_people_are_found_and_filtered(client, carol):
    inactive = make_person("gone@hoshino.example")
    Person.objects.filter(pk=inactive.pk).update(is_active=False)
    found = lambda **query: [row.email for row in client.get(PEOPLE, query).context["rows"]]  # noqa: E731
    assert found(q="chen") == ["carol@hoshino.example"]
    assert found(kind="inactive") == ["gone@hoshino.example"]
    assert found(kind="admins") == ["alice@hoshino.example"]
    assert found(q="nobody at all") == []


def test_the_list_costs_the_same_with_many_people(client, django_assert_max_num_queries):
    def more(count: int) -> None:
        for number in range(count):
            make_person(groups=(f"group {number}", "all"))

    more(3)
    with django_assert_max_num_queries(8) as few:
        client.get(PEOPLE)
    more(27)
    with django_assert_max_num_queries(len(few)):
        client.get(PEOPLE)


def test_the_role_of_an_admin_is_named(client, alice):
    assert str(PortalRole.PLATFORM_ADMIN.label) in client.get(PEOPLE).text
