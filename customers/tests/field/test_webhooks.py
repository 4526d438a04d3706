"""Receivers of webhooks and mail servers as they answer in the field."""

import ipaddress

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


def make_event(api):
    """Something that webhooks are told of."""
    made = api.create("customers", {"email": f"{Webhook.objects.count()}{timezone.now():%f}@a.cc"})
    assert made.status_code == 201, made.content


def waits():
    """How many seconds from now the only delivery waits."""
    return (Delivery.objects.get().next_attempt_at - timezone.now()).total_seconds()


def attributes(api, webhook):
    return api.get(f"/api/webhooks/{webhook.pk}").json()["data"]["attributes"]


def test_a_receiver_that_is_gone_disables_its_webhook_alone(api):
    with receiver(410) as gone, receiver() as there:
        make_webhook(callback_url=gone.url)
        other = make_webhook(callback_url=there.url)
        make_event(api)
        work()
    assert attributes(api, other)["disabled_at"] is None
    assert len(there.received) == 1


@pytest.mark.parametrize("status", [404, 400, 401, 500])
def test_other_refusals_are_no_farewell(api, status):
    with receiver(status) as server:
        webhook = make_webhook(callback_url=server.url)
        make_event(api)
        work()
    assert attributes(api, webhook)["disabled_at"] is None
    assert Delivery.objects.count() == 1


def test_a_webhook_that_was_disabled_for_410_is_enabled_like_any_other(api):
    with receiver(410) as server:
        webhook = make_webhook(callback_url=server.url)
        make_event(api)
        work()
        server.status = 200
        assert api.update("webhooks", webhook.pk, {"_enable": True}).status_code == 200
        make_event(api)
        work()
    assert attributes(api, webhook)["disabled_at"] is None
    assert len(server.received) >= 2


@pytest.mark.parametrize("asked", ["soon", "-5", "", "1e9", "Mon, 99 Nov 2026 99:00:00 GMT"])
def test_what_is_no_time_to_wait_for_is_passed_over(api, asked):
    with receiver(503, headers=[("Retry-After", asked)]) as server:
        make_webhook(callback_url=server.url)
        make_event(api)
        work()
    assert 1 < waits() < 30


def test_a_shorter_time_than_the_own_does_not_hasten_the_next_call(api):
    with receiver(503, headers=[("Retry-After", "0")]) as server:
        make_webhook(callback_url=server.url)
        make_event(api)
        work()
    assert waits() > 1


def test_an_answer_that_is_no_refusal_is_not_waited_for(api):
    with receiver(200, headers=[("Retry-After", "120")]) as server:
        make_webhook(callback_url=server.url)
        make_event(api)
        work()
        make_event(api)
        work()
    assert len(server.received) == 2
