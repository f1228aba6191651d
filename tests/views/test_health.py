"""What a watcher of the process is told."""

import pytest
from django.db import connection
from django.urls import reverse

from tests.embedded import free_port

HEALTHZ, READYZ = reverse("onboarding:healthz"), reverse("onboarding:readyz")


def test_a_process_that_answers_is_alive_without_a_database(client):
    assert client.get(HEALTHZ).json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_says_that_database_and_broker_answer(client):
    answer = client.get(READYZ)
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "broker": "ok"})


@pytest.mark.django_db
def test_a_broker_that_is_away_is_told_and_stops_no_page(client, settings):
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    answer = client.get(READYZ)
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "broker": "away"})


@pytest.mark.django_db(transaction=True)
def test_without_a_database_the_portal_is_not_ready(client, monkeypatch):
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", "/no/such/directory/portal.sqlite3")
    answer = client.get(READYZ)
    connection.close()
    assert (answer.status_code, answer.json()["database"]) == (503, "away")


@pytest.mark.django_db
@pytest.mark.parametrize("address", [HEALTHZ, READYZ])
def test_watching_changes_nothing(client, address):
    assert client.post(address).status_code == 405
    assert "Set-Cookie" not in client.get(address)
