"""Receivers that come back, and those behind a header."""

import ipaddress
from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Delivery, Webhook
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
