"""Receivers of webhooks that are gone, ask for time, or come back."""

import ipaddress
import logging
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.core import mail
from django.utils import timezone

from customers.jobs import backlog, deliveries, mails, webhook_dispatcher
from customers.models import (
    Delivery,
    Event,
    EventCallback,
    EventStore,
    QueuedMail,
    Webhook,
)
from customers.tests.conftest import in_threads, needs_postgresql, staff_client
from customers.tests.factories import make_customer, make_webhook
from customers.tests.receivers import receiver


@pytest.fixture(autouse=True)
def _own_network(settings):
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    settings.OPERATOR_EMAIL = "operator@example.com"


@pytest.fixture
def _probed(settings):
    settings.WEBHOOK_CIRCUIT_FAILURES = 1
    settings.WEBHOOK_PROBE_INTERVAL = 60


def make_event():
    return Event.objects.create(
        name="customers.create", resource_type="customers", resource_id=make_customer().pk
    )


def make_due():
    Delivery.objects.update(next_attempt_at=timezone.now())


def call():
    """Make a new event and all calls that are due; how many that were."""
    make_event()
    make_due()
    return webhook_dispatcher.deliver_all()


def wait_of(webhook):
    """How many seconds `webhook` is called no more."""
    webhook.refresh_from_db()
    return (webhook.next_call_at - timezone.now()).total_seconds()


def pass_time(webhook):
    """Let what `webhook` waits for be over."""
    Webhook.objects.filter(pk=webhook.pk).update(next_call_at=timezone.now())


def test_many_calls_that_find_a_receiver_gone_disable_its_webhook_once(caplog):
    with receiver(410) as server:
        webhook = make_webhook(callback_url=server.url)
        make_event()
        make_event()
        assert call() == 3
    assert EventStore.objects.filter(resource_id=webhook.pk, event="update").count() == 1
    assert [one.kind for one in QueuedMail.objects.all()] == ["webhook_gone"]
    assert f"Webhook {webhook.pk} is disabled" in caplog.text
    assert server.url not in caplog.text


def test_the_audit_log_says_why_a_webhook_was_disabled_and_that_the_service_did_it(api):
    with receiver(410) as server:
        webhook = make_webhook(callback_url=server.url)
        call()
    path = f"/api/webhooks/{webhook.pk}/event_stores"
    (entry,) = api.get(path).json()["data"]
    assert entry["attributes"]["who"] is None
    told = entry["attributes"]["payload"]
    assert told.keys() == {"disabled_at", "disabled_reason"}
    assert told["disabled_reason"] == {"from": None, "to": "The receiver answered 410 (Gone)."}


def test_what_was_gone_at_an_address_that_was_corrected_meanwhile_is_not_gone():
    webhook = make_webhook(callback_url="http://127.0.0.1:9/old")
    make_event()
    deliveries.fan_out()
    (delivery,) = deliveries.claim({}, [])
    Webhook.objects.filter(pk=webhook.pk).update(callback_url="http://127.0.0.1:9/new")
    ended = [deliveries.CallResult(delivery, {}, "410", "Gone")]
    deliveries.record_results(ended, in_doubt=False)
    webhook.refresh_from_db()
    assert (webhook.disabled_at, webhook.circuit_failure_count) == (None, 1)
    assert Delivery.objects.count() == 1
    assert not QueuedMail.objects.exists()


def test_without_an_operators_address_a_webhook_is_disabled_all_the_same(settings):
    settings.OPERATOR_EMAIL = ""
    with receiver(410) as server:
        webhook = make_webhook(callback_url=server.url)
        call()
    webhook.refresh_from_db()
    assert webhook.disabled_at
    assert not QueuedMail.objects.exists()


def test_a_webhook_that_was_disabled_by_hand_meanwhile_stays_as_it_was():
    webhook, then = make_webhook(), timezone.now() - timedelta(hours=1)
    make_event()
    deliveries.fan_out()
    (delivery,) = deliveries.claim({}, [])
    Webhook.objects.filter(pk=webhook.pk).update(disabled_at=then)
    deliveries.record_results([deliveries.CallResult(delivery, {}, "410", "Gone")], in_doubt=False)
    webhook.refresh_from_db()
    assert webhook.disabled_reason is None
    assert abs(webhook.disabled_at - then) < timedelta(milliseconds=2)
    assert not QueuedMail.objects.exists()


@pytest.mark.parametrize("trigger", ["_enable", "_disable"])
def test_the_console_says_that_a_receiver_is_gone_until_the_owner_has_acted(api, trigger):
    with receiver(410) as server:
        webhook = make_webhook(callback_url=server.url)
        call()
    client, path = staff_client("viewer"), f"/admin/customers/webhook/{webhook.pk}/change/"
    assert "The receiver answered 410 (Gone)." in client.get(path).content.decode()
    assert "Receiver gone" in client.get("/admin/").content.decode()
    assert api.update("webhooks", webhook.pk, {trigger: True}).status_code == 200
    assert "410" not in client.get(path).content.decode()
    assert "Receiver gone" not in client.get("/admin/").content.decode()


def test_what_waited_for_a_receiver_that_was_gone_is_sent_when_it_is_back(api, settings):
    settings.WEBHOOK_CONCURRENCY = 1
    with receiver(410) as server:
        webhook = make_webhook(callback_url=server.url)
        make_event()
        assert call() == 1
        assert Delivery.objects.count() == 1
        server.status = 200
        api.update("webhooks", webhook.pk, {"_enable": True})
        assert webhook_dispatcher.deliver_all() == 1
    assert not Delivery.objects.exists()
    codes = EventCallback.objects.order_by("id").values_list("response_code", flat=True)
    assert list(codes) == ["410", "200"]


def test_the_mail_about_a_receiver_that_is_gone_leads_to_its_webhook(settings):
    webhook = make_webhook(mode="live")
    mails.notify_operator(webhook, QueuedMail.Kind.WEBHOOK_GONE)
    assert mails.deliver_next()
    (message,) = mail.outbox
    assert message.subject == "A webhook of Clientele was disabled"
    assert f"/admin/customers/webhook/{webhook.pk}/change/" in message.body
    assert webhook.callback_url not in message.body


def asked(status, text):
    """The webhook whose receiver has answered `status` with the `Retry-After` `text`."""
    with receiver(status, headers=[("Retry-After", text)]) as server:
        webhook = make_webhook(callback_url=server.url)
        assert call() == 1
    return webhook


FORMATS = {  # RFC 9110 section 5.6.7
    "now": "%a, %d %b %Y %H:%M:%S GMT",
    "RFC 850": "%A, %d-%b-%y %H:%M:%S GMT",
    "asctime": "%a %b %e %H:%M:%S %Y",
}


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_a_moment_may_be_written_in_each_way_of_http(settings, form):
    settings.WEBHOOK_MAX_RETRY_AFTER = 604_800
    moment = timezone.now() + timedelta(days=2)
    wait = wait_of(asked(429, moment.strftime(form)))
    assert abs(wait - (moment - timezone.now()).total_seconds()) < 5


@pytest.mark.parametrize("text", ["601", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_no_receiver_is_given_more_than_the_setting_says(settings, text):
    settings.WEBHOOK_MAX_RETRY_AFTER = 600
    assert 540 < wait_of(asked(503, text)) <= 600


def test_a_moment_that_is_past_is_no_wait():
    past = format_datetime(timezone.now() - timedelta(days=1), usegmt=True)
    assert wait_of(asked(503, past)) < 0


def test_a_receiver_is_called_again_after_the_time_that_it_asked_for():
    with receiver(429, headers=[("Retry-After", "3600")]) as server:
        webhook = make_webhook(callback_url=server.url)
        assert (call(), call()) == (1, 0)
        server.status = 200
        pass_time(webhook)
        assert call() == 3
    assert not Delivery.objects.exists()


def test_a_receiver_that_asks_for_time_delays_no_other():
    webhook = asked(429, "3600")
    with receiver() as there:
        other = make_webhook(callback_url=there.url)
        assert call() == 1
    assert other.last_event_callbacks.get().response_code == "200"
    assert webhook.last_event_callbacks.get().response_code == "429"


def test_an_owner_need_not_wait_as_long_as_the_receiver_asked(api):
    with receiver(429, headers=[("Retry-After", "3600")]) as server:
        webhook = make_webhook(callback_url=server.url)
        assert (call(), call()) == (1, 0)
        api.update("webhooks", webhook.pk, {"_reset_circuit": True})
        assert call() == 3


def test_another_address_is_called_at_once_whatever_the_one_before_asked_for(api):
    webhook = asked(429, "3600")
    with receiver() as there:
        api.update("webhooks", webhook.pk, {"name": "Renamed"})
        assert call() == 0
        api.update("webhooks", webhook.pk, {"callback_url": there.url})
        assert call() == 3
    assert not Delivery.objects.exists()


def test_what_waits_as_long_as_its_receiver_asked_is_not_overdue():
    webhook = asked(429, "3600")
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(hours=1))
    assert (backlog.waiting()["webhooks"], backlog.overdue()["webhooks"]) == (1, 0)
    past = timezone.now() - timedelta(hours=1)
    Webhook.objects.filter(pk=webhook.pk).update(next_call_at=past)
    assert backlog.overdue()["webhooks"] == 1


@pytest.mark.usefixtures("_probed")
def test_an_open_circuit_is_tried_after_the_interval_by_one_call():
    with receiver(500) as server:
        webhook = make_webhook(callback_url=server.url)
        assert call() == 1
        assert 50 < wait_of(webhook) <= 60
        assert call() == 0
        pass_time(webhook)
        assert call() == 1
        assert 110 < wait_of(webhook) <= 120
        server.status = 200
        pass_time(webhook)
        make_due()
        assert webhook_dispatcher.deliver_all() == 1
        assert webhook_dispatcher.deliver_all() == 2
    webhook.refresh_from_db()
    assert (webhook.circuit_state, webhook.circuit_failure_count) == ("closed", 0)
    assert (webhook.next_call_at, webhook.failed_probes) == (None, 0)


@pytest.mark.usefixtures("_probed")
def test_an_open_circuit_is_tried_later_each_time_up_to_a_bound(settings):
    settings.WEBHOOK_MAX_PROBE_INTERVAL = 200
    with receiver(500) as server:
        webhook, waits = make_webhook(callback_url=server.url), []
        for _ in range(5):
            assert call() == 1
            waits.append(round(wait_of(webhook) / 20) * 20)
            pass_time(webhook)
    assert waits == [60, 120, 200, 200, 200]


@pytest.mark.usefixtures("_probed")
def test_no_event_is_given_up_for_trying_a_circuit(settings):
    settings.WEBHOOK_RETRIES = 1
    with receiver(500) as server:
        webhook = make_webhook(callback_url=server.url)
        assert call() == 1
        for _ in range(4):
            pass_time(webhook)
            make_due()
            assert webhook_dispatcher.deliver_all() == 1
    assert Delivery.objects.get().attempts == 1
    assert len(server.received) == 5


@pytest.mark.usefixtures("_probed")
def test_while_one_call_tries_a_circuit_no_other_does():
    webhook = make_webhook()
    Webhook.objects.update(circuit_state="open")
    make_event()
    make_event()
    deliveries.fan_out()
    assert len(deliveries.claim({}, [])) == 1
    assert deliveries.claim({}, []) == []
    assert 0 < wait_of(webhook) < 60  # should the worker die, it is tried again


@pytest.mark.usefixtures("_probed")
def test_a_call_that_began_before_the_circuit_opened_does_not_close_it():
    webhook = make_webhook()
    make_event()
    make_event()
    deliveries.fan_out()
    first, second = deliveries.claim({}, [])
    for delivery, status in ((first, "500"), (second, "200")):
        ended = [deliveries.CallResult(delivery, {}, status, "")]
        deliveries.record_results(ended, in_doubt=False)
    webhook.refresh_from_db()
    assert webhook.circuit_state == "open"
    assert wait_of(webhook) > 50


@pytest.mark.usefixtures("_probed")
def test_a_receiver_that_is_tried_may_ask_for_time_and_may_be_gone():
    with receiver(503, headers=[("Retry-After", "3000")]) as server:
        webhook = make_webhook(callback_url=server.url)
        call()
        pass_time(webhook)
        assert call() == 1
        assert wait_of(webhook) > 2900
        server.status = 410
        pass_time(webhook)
        assert call() == 1
    webhook.refresh_from_db()
    assert webhook.disabled_at


@pytest.mark.usefixtures("_probed")
def test_a_circuit_that_was_reset_while_it_was_tried_counts_from_the_start(api, settings):
    settings.WEBHOOK_CIRCUIT_FAILURES = 2
    webhook = make_webhook()
    Webhook.objects.update(circuit_state="open", circuit_failure_count=2)
    make_event()
    deliveries.fan_out()
    (probe,) = deliveries.claim({}, [])
    api.update("webhooks", webhook.pk, {"_reset_circuit": True})
    deliveries.record_results([deliveries.CallResult(probe, {}, "500", "Oops")], in_doubt=False)
    webhook.refresh_from_db()
    assert (webhook.circuit_state, webhook.circuit_failure_count) == ("closed", 1)
    assert webhook.next_call_at is None


@pytest.mark.usefixtures("_probed")
def test_the_circuit_of_a_disabled_webhook_is_not_tried():
    make_webhook()
    make_event()
    deliveries.fan_out()
    Webhook.objects.update(circuit_state="open", disabled_at=timezone.now())
    assert deliveries.claim({}, []) == []


@needs_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_probed")
def test_many_workers_try_a_circuit_once():
    with receiver(500) as server:
        make_webhook(callback_url=server.url, circuit_state="open")
        for _ in range(20):
            make_event()
        deliveries.fan_out()
        counts = in_threads(4, lambda _: webhook_dispatcher.deliver_all())
    assert (sum(counts), len(server.received)) == (1, 1)


def test_what_a_receiver_asks_for_is_in_no_log(caplog):
    caplog.set_level(logging.DEBUG)
    webhook = asked(429, "3600")
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("customers")]
    assert webhook.callback_url not in " ".join(ours)
