"""Receivers that come back, and those behind a header."""

import base64
import ipaddress
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Delivery, EventStore, Webhook
from customers.tests.factories import make_webhook
from customers.tests.field.doors import work
from customers.tests.receivers import receiver

pytestmark = pytest.mark.thorough


@pytest.fixture(autouse=True)
def _own_network(settings):
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    settings.OPERATOR_EMAIL = "operator@example.com"


def due():
    """Let every delivery be due now."""
    Delivery.objects.update(next_attempt_at=timezone.now())


def make_event(api):
    """Something that webhooks are told of."""
    made = api.create("customers", {"email": f"{Webhook.objects.count()}{timezone.now():%f}@a.cc"})
    assert made.status_code == 201, made.content


def attributes(api, webhook):
    return api.get(f"/api/webhooks/{webhook.pk}").json()["data"]["attributes"]


def test_a_circuit_closes_by_itself_after_a_probe(api, settings):
    settings.WEBHOOK_CIRCUIT_FAILURES = 1
    settings.WEBHOOK_PROBE_INTERVAL = 0
    with receiver(500) as server:
        webhook = make_webhook(callback_url=server.url)
        for _ in range(3):
            make_event(api)
        work()
        server.status = 200
        due()
        work()
        due()
        work()
    found = attributes(api, webhook)
    assert (found["circuit_state"], found["circuit_failure_count"]) == ("closed", 0)
    assert not Delivery.objects.exists()


def test_a_probe_that_fails_leaves_the_circuit_open_after_one_call(api, settings):
    settings.WEBHOOK_CIRCUIT_FAILURES = 1
    settings.WEBHOOK_PROBE_INTERVAL = 0
    with receiver(500) as server:
        webhook = make_webhook(callback_url=server.url)
        for _ in range(3):
            make_event(api)
        work()
        called = len(server.received)
        due()
        work()
    assert attributes(api, webhook)["circuit_state"] == "open"
    assert len(server.received) == called + 1


BASIC = "Basic " + base64.b64encode(b"shop:secret").decode()


@pytest.mark.parametrize(
    "headers", [{"Authorization": BASIC}, {"X-Api-Key": "secret"}, {"Authorization": "Bearer x"}]
)
def test_a_receiver_behind_a_header_gets_it(api, headers):
    with receiver() as server:
        members = {
            "topic": "customers.create",
            "callback_url": server.url,
            "callback_headers": headers,
        }
        made = api.create("webhooks", members)
        assert made.status_code == 201, made.content
        make_event(api)
        work()
    ((sent, _),) = server.received
    assert {name: sent[name.lower()] for name in headers} == headers
    pk = made.json()["data"]["id"]
    for text in (api.get(f"/api/webhooks/{pk}").content, json.dumps(list_of(EventStore)).encode()):
        assert b"secret" not in text.replace(b"shared_secret", b"")
        assert BASIC.encode() not in text


def list_of(model):
    return [entry.payload for entry in model.objects.all()]


@pytest.mark.parametrize("name", ["Content-Type", "Host", "webhook-id", "A b", "X\r\nY", ""])
def test_a_header_that_is_not_the_receivers_is_refused(api, name):
    members = {
        "topic": "customers.create",
        "callback_url": "https://192.0.32.10/callbacks",
        "callback_headers": {name: "x"},
    }
    refused = api.create("webhooks", members)
    assert refused.status_code == 422, refused.content
    assert not Webhook.objects.exists()


def test_a_circuit_stays_open_without_the_setting(api, settings):
    settings.WEBHOOK_CIRCUIT_FAILURES = 1
    with receiver(500) as server:
        webhook = make_webhook(callback_url=server.url)
        make_event(api)
        work()
        server.status = 200
        Webhook.objects.update(updated_at=timezone.now() - timedelta(days=9))
        due()
        work()
    assert attributes(api, webhook)["circuit_state"] == "open"
    assert len(server.received) == 1
