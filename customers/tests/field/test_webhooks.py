"""Receivers of webhooks and mail servers as they answer in the field."""

import ipaddress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from django.core import mail
from django.utils import timezone

from customers.models import Delivery, EventCallback, EventStore, Webhook
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


def waits():
    """How many seconds from now the only delivery waits."""
    return (Delivery.objects.get().next_attempt_at - timezone.now()).total_seconds()


def attributes(api, webhook):
    return api.get(f"/api/webhooks/{webhook.pk}").json()["data"]["attributes"]


def test_a_receiver_that_is_gone_is_called_no_more(api):
    with receiver(410) as server:
        webhook = make_webhook(callback_url=server.url)
        make_event(api)
        work()
        due()
        work()
        make_event(api)
        work()
    assert len(server.received) == 1
    assert attributes(api, webhook)["disabled_at"]
    assert not Delivery.objects.filter(next_attempt_at__lte=timezone.now()).exists()
    assert EventCallback.objects.get().response_code == "410"


def test_the_owner_of_a_webhook_whose_receiver_is_gone_is_told(api):
    with receiver(410) as server:
        webhook = make_webhook(callback_url=server.url)
        make_event(api)
        work()
        work()
    (message,) = mail.outbox
    assert message.to == ["operator@example.com"]
    assert webhook.pk in message.body
    assert "410" in message.body


def test_a_receiver_that_is_gone_at_a_later_attempt_is_called_no_more(api):
    with receiver(500) as server:
        webhook = make_webhook(callback_url=server.url)
        make_event(api)
        work()
        server.status = 410
        due()
        work()
        due()
        work()
    assert len(server.received) == 2
    assert attributes(api, webhook)["disabled_at"]


def test_the_audit_log_says_that_a_webhook_was_disabled_for_410(api):
    with receiver(410) as server:
        webhook = make_webhook(callback_url=server.url)
        make_event(api)
        work()
    (entry,) = EventStore.objects.filter(resource_id=webhook.pk, event="update")
    assert "disabled_at" in entry.payload


@pytest.mark.parametrize("status", [429, 503, 500])
def test_a_receiver_is_given_the_time_that_it_asks_for(api, status):
    with receiver(status, headers=[("Retry-After", "120")]) as server:
        make_webhook(callback_url=server.url)
        make_event(api)
        work()
    assert 118 < waits() < 400


def test_a_receiver_is_given_the_moment_that_it_asks_for(api):
    moment = format_datetime(timezone.now() + timedelta(seconds=300), usegmt=True)
    with receiver(503, headers=[("Retry-After", moment)]) as server:
        make_webhook(callback_url=server.url)
        make_event(api)
        work()
    assert 295 < waits() < 900


def test_the_time_that_a_receiver_asks_for_has_a_bound(api):
    with receiver(429, headers=[("Retry-After", "99999999")]) as server:
        make_webhook(callback_url=server.url)
        make_event(api)
        work()
    assert 3599 < waits() <= 24 * 3600 + 1


def test_other_events_for_a_receiver_that_asked_for_time_wait_too(api):
    with receiver(429, headers=[("Retry-After", "120")]) as server:
        make_webhook(callback_url=server.url)
        make_event(api)
        work()
        make_event(api)
        work()
        assert len(server.received) == 1


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


MOMENT = "%a, %d %b %Y %H:%M:%S"


@pytest.mark.parametrize(
    "form",
    [f"{MOMENT} GMT", f"{MOMENT} +0000", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"],
)
def test_a_moment_is_read_in_each_of_its_forms(api, form):
    moment = (datetime.now(UTC) + timedelta(seconds=300)).strftime(form)
    with receiver(429, headers=[("Retry-After", moment)]) as server:
        make_webhook(callback_url=server.url)
        make_event(api)
        work()
    assert 290 < waits() < 310


def test_a_redirect_to_a_receiver_that_is_gone_is_no_farewell(api):
    with receiver(410) as gone, receiver(301, headers=[("Location", gone.url)]) as server:
        webhook = make_webhook(callback_url=server.url)
        make_event(api)
        work()
    assert not gone.received
    assert attributes(api, webhook)["disabled_at"] is None


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
