"""Webhooks: who is told what, when a receiver fails, and where calls never go."""

import base64
import hashlib
import hmac
import ipaddress
import json
import socket
import threading
import time
from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone
from standardwebhooks import Webhook as StandardWebhook

from customers.models import (
    Customer,
    Delivery,
    Event,
    EventCallback,
    EventStore,
    QueuedMail,
    Webhook,
)
from customers.services import anonymization, deliveries, mails, outbound
from customers.tests.conftest import error_of, in_threads, needs_postgresql
from customers.tests.factories import CALLBACK_URL, link, make_customer, make_group, make_webhook
from customers.tests.receivers import receiver


@pytest.fixture(autouse=True)
def _own_network(settings):
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.fixture(autouse=True)
def _retries_far_off(monkeypatch):
    """On a slow machine, too, no retry is due before its test says so."""
    monkeypatch.setattr(deliveries, "FIRST_RETRY", 600)


def bodies(server):
    return [json.loads(body) for _, body in server.received]


def make_due():
    Delivery.objects.update(try_at=timezone.now())


def test_a_change_is_told_as_its_document_signed_twice(api):
    group = make_group()
    with receiver() as server:
        members = {
            "topic": "customers.create",
            "callback_url": server.url,
            "include_resources": ["customer_group"],
        }
        webhook = api.create("webhooks", members).json()["data"]["attributes"]
        made = api.create("customers", {"email": "a@example.com"}, {"customer_group": link(group)})
        assert deliveries.deliver_all() == 1
        assert deliveries.deliver_all() == 0
    ((headers, body),) = server.received
    secret = webhook["shared_secret"].encode()
    assert len(secret) == 32
    digest = hmac.digest(secret, body, hashlib.sha256)
    assert headers["x-commercelayer-signature"] == base64.b64encode(digest).decode()
    assert headers["x-commercelayer-topic"] == "customers.create"
    assert headers["content-type"] == "application/vnd.api+json"
    document = StandardWebhook(base64.b64encode(secret).decode()).verify(body, headers)
    event = Event.objects.get(name="customers.create")
    assert headers["webhook-id"] == event.pk
    resource = made.json()["data"]
    assert document["data"]["attributes"] == resource["attributes"]
    assert document["data"]["links"] == {"self": f"/api/customers/{resource['id']}"}
    relationship = document["data"]["relationships"]["customer_group"]
    assert relationship["data"] == link(group)
    assert relationship["links"]["related"] == f"/api/customers/{resource['id']}/customer_group"
    assert [other["id"] for other in document["included"]] == [group.pk]
    callback = api.get(f"/api/events/{event.pk}/last_event_callbacks").json()["data"][0]
    assert callback["attributes"]["payload"] == document
    assert callback["attributes"]["response_code"] == "200"
    assert callback["attributes"]["response_message"] == "OK"


def test_only_the_topic_and_the_mode_are_told_and_no_refused_change(api, live_api):
    with receiver() as server:
        make_webhook(callback_url=server.url)
        make_webhook(callback_url=server.url, topic="customers.tagged")
        make_webhook(callback_url=server.url, disabled_at=timezone.now())
        live_api.create("customers", {"email": "live@example.com"})
        api.create("customers", {"email": "no address"})
        api.create("customers", {"email": "ada@example.com"})
        api.create("customers", {"email": "ADA@example.com"})
        deliveries.deliver_all()
    assert [d["data"]["attributes"]["email"] for d in bodies(server)] == ["ada@example.com"]


def test_of_what_is_gone_the_id_alone_is_told(api):
    customer = make_customer(email="ada@example.com")
    with receiver() as server:
        make_webhook(callback_url=server.url, topic="customers.destroy")
        api.delete(f"/api/customers/{customer.pk}")
        deliveries.deliver_all()
    resource = bodies(server)[0]["data"]
    assert (resource["type"], resource["id"]) == ("customers", customer.pk)
    assert set(resource["attributes"].values()) == {None}
    assert "ada@" not in server.received[0][1].decode()


def test_a_failed_call_is_made_again_later_with_the_same_id_and_then_counts_no_more():
    with receiver(500) as server:
        webhook = make_webhook(callback_url=server.url)
        make_event_of_now()
        assert deliveries.deliver_all() == 1
        delivery = Delivery.objects.get()
        wait = delivery.try_at - timezone.now()
        assert timedelta(seconds=120) < wait < timedelta(seconds=960)
        assert delivery.attempts == 1
        webhook.refresh_from_db()
        assert webhook.circuit_failure_count == 1
        assert deliveries.deliver_all() == 0
        make_due()
        server.status = 204
        assert deliveries.deliver_all() == 1
    first, second = (headers["webhook-id"] for headers, _ in server.received)
    assert first == second
    webhook.refresh_from_db()
    assert webhook.circuit_failure_count == 0
    assert not Delivery.objects.exists()
    codes = EventCallback.objects.order_by("id").values_list("response_code", flat=True)
    assert list(codes) == ["500", "204"]


@pytest.mark.parametrize("who", ["customer", "neighbour"])
def test_a_call_under_way_keeps_nothing_of_who_is_forgotten_meanwhile(api, live_api, who):
    mode = {"customer": "test", "neighbour": "live"}[who]
    forgotten = make_customer(mode=mode)
    with receiver() as server:
        make_webhook(callback_url=server.url)
        api.create("customers", {"email": "ada@example.com"})
        deliveries.spread()
        courier = deliveries.Courier()
        courier.begin()
        anonymization.request(forgotten, who=None)
        Customer.objects.filter(pk=forgotten.pk).update(anonymize_at=timezone.now())
        anonymization.step()
        courier.finish()
    payload = EventCallback.objects.get().payload
    assert payload == (None if who == "customer" else bodies(server)[0])


def make_event_of_now():
    customer = make_customer()
    return Event.objects.create(
        name="customers.create", resource_type="customers", resource_id=customer.pk
    )


def test_after_the_last_attempt_an_event_is_given_up(settings):
    settings.WEBHOOK_RETRIES = 2
    with receiver(503) as server:
        make_webhook(callback_url=server.url)
        make_event_of_now()
        for _ in range(4):
            deliveries.deliver_all()
            make_due()
    assert len(server.received) == 3
    assert not Delivery.objects.exists()


def test_the_circuit_opens_and_calls_wait_until_it_is_reset(api, settings):
    settings.WEBHOOK_CIRCUIT_FAILURES = 2
    with receiver(500) as server:
        webhook = make_webhook(callback_url=server.url)
        for _ in range(3):
            make_event_of_now()
            deliveries.deliver_all()
        webhook.refresh_from_db()
        assert (webhook.circuit_state, webhook.circuit_failure_count) == ("open", 2)
        assert len(server.received) == 2
        server.status = 200
        make_due()
        assert deliveries.deliver_all() == 0
        answer = api.update("webhooks", webhook.pk, {"_reset_circuit": True})
        attributes = answer.json()["data"]["attributes"]
        assert (attributes["circuit_state"], attributes["circuit_failure_count"]) == ("closed", 0)
        assert deliveries.deliver_all() == 3
    assert not Delivery.objects.exists()


def test_the_operator_is_told_once_that_a_webhook_keeps_failing(api, settings):
    settings.WEBHOOK_NOTIFY_FAILURES = 2
    settings.OPERATOR_EMAIL = "operator@example.com"
    with receiver(500) as server:
        webhook = make_webhook(callback_url=server.url)
        told = []
        for _ in range(3):
            make_event_of_now()
            deliveries.deliver_all()
            while mails.deliver_next():
                pass
            told.append(len(mail.outbox))
    assert told == [0, 1, 1]
    (message,) = mail.outbox
    assert message.to == ["operator@example.com"]
    assert f"/admin/customers/webhook/{webhook.pk}/change/" in message.body


def test_without_an_operators_address_nobody_is_told(api, settings):
    settings.WEBHOOK_NOTIFY_FAILURES = 1
    with receiver(500) as server:
        make_webhook(callback_url=server.url)
        make_event_of_now()
        deliveries.deliver_all()
    assert not QueuedMail.objects.exists()


def test_a_webhook_is_switched_off_and_on_and_gets_a_new_secret_which_no_log_tells(api):
    webhook = make_webhook()
    off = api.update("webhooks", webhook.pk, {"_disable": True}).json()["data"]["attributes"]
    assert off["disabled_at"]
    make_event_of_now()
    deliveries.spread()
    assert not Delivery.objects.exists()
    on = api.update(
        "webhooks", webhook.pk, {"_enable": True, "_regenerate_shared_secret": True}
    ).json()["data"]["attributes"]
    assert on["disabled_at"] is None
    assert on["shared_secret"] != webhook.shared_secret
    log = json.dumps(list(EventStore.objects.values_list("payload", flat=True)))
    assert "disabled_at" in log
    assert on["shared_secret"] not in log
    assert "secret" not in log


def test_a_new_webhook_may_be_off(api):
    members = {"topic": "customers.create", "callback_url": CALLBACK_URL}
    off, on, plain = (
        api.create("webhooks", {**members, **more}).json()["data"]
        for more in ({"_disable": True}, {"_enable": True}, {"_disable": False})
    )
    assert off["attributes"]["disabled_at"]
    assert on["attributes"]["disabled_at"] is plain["attributes"]["disabled_at"] is None
    kept = Webhook.objects.filter(disabled_at=None).values_list("pk", flat=True)
    assert set(kept) == {on["id"], plain["id"]}
    refused = api.create("webhooks", {**members, "_reset_circuit": True})
    error_of(refused, 400, "PARAM_NOT_ALLOWED", {"pointer": "/data/attributes/_reset_circuit"})
    assert Webhook.objects.count() == 3


def test_an_event_is_told_again_by_its_trigger(api):
    with receiver() as server:
        make_webhook(callback_url=server.url)
        event = make_event_of_now()
        deliveries.deliver_all()
        assert api.update("events", event.pk, {"_trigger": True}).status_code == 200
        deliveries.deliver_all()
    assert [headers["webhook-id"] for headers, _ in server.received] == [event.pk, event.pk]


def test_the_webhooks_of_an_event_are_those_of_its_topic(api):
    webhook = make_webhook()
    make_webhook(topic="customers.tagged")
    event = make_event_of_now()
    document = api.get(f"/api/events/{event.pk}", include="webhooks").json()
    assert document["data"]["relationships"]["webhooks"]["data"] == [link(webhook)]


def test_a_tagged_payload_always_has_the_tags(api):
    with receiver() as server:
        make_webhook(callback_url=server.url, topic="customers.tagged")
        customer = make_customer()
        Event.objects.create(
            name="customers.tagged", resource_type="customers", resource_id=customer.pk
        )
        deliveries.deliver_all()
    assert bodies(server)[0]["data"]["relationships"]["tags"]["data"] == []


def test_a_redirect_is_an_answer_and_not_followed():
    with receiver() as elsewhere, receiver(302, headers=[("Location", elsewhere.url)]) as server:
        make_webhook(callback_url=server.url)
        make_event_of_now()
        deliveries.deliver_all()
    assert (len(server.received), len(elsewhere.received)) == (1, 0)
    assert EventCallback.objects.get().response_code == "302"


REFUSED = [
    "http://127.0.0.1/",
    "https://127.0.0.1:8000/",
    "https://localhost/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[64:ff9b:1::1]/",
    "https://[::127.0.0.1]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[::ffff:224.0.0.1]/",
    "https://[fec0::1]/",
    "https://[fd00::1]/",
    "https://[ff0e::1]/",
    "https://10.1.2.3/",
    "https://169.254.169.254/latest/meta-data",
    "https://192.168.0.1/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "http://192.0.32.10/",
    "https://user:pass@192.0.32.10/",
    "ftp://192.0.32.10/",
    "file:///etc/passwd",
    "https://",
    "https://192.0.32.10:99999/",
    "https://192.0.32.10/a b",
    "nonsense",
]


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_within_or_unsafe_is_refused_when_written(api, admin_client, settings, url):
    settings.WEBHOOK_NETWORKS = []
    members = {"topic": "customers.create", "callback_url": url}
    error = error_of(
        api.create("webhooks", members),
        422,
        "VALIDATION_ERROR",
        {"pointer": "/data/attributes/callback_url"},
    )
    assert error["meta"]["error"] == "invalid"
    assert not Webhook.objects.exists()
    webhook = make_webhook()
    assert api.update("webhooks", webhook.pk, {"callback_url": url}).status_code == 422
    form = {"topic": "customers.create", "callback_url": url, "mode": "test", "metadata": "{}"}
    page = f"/admin/customers/webhook/{webhook.pk}/change/"
    errors = admin_client.post(page, form).context["adminform"].form.errors["callback_url"]
    assert errors[0].startswith("The address ")
    webhook.refresh_from_db()
    assert webhook.callback_url == CALLBACK_URL


def test_an_address_that_leads_within_is_not_called_whatever_was_checked_before(settings):
    settings.WEBHOOK_NETWORKS = []
    with receiver() as server:
        make_webhook(callback_url=server.url.replace("127.0.0.1", "localhost"))
        make_event_of_now()
        deliveries.deliver_all()
    assert server.received == []
    callback = EventCallback.objects.get()
    assert (callback.response_code, callback.response_message) == (
        None,
        "leads into a private network",
    )


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"topic": "customers.update"}, "topic"),
        ({"include_resources": ["shoes"]}, "include_resources"),
        ({"include_resources": "tags"}, "include_resources"),
        ({"include_resources": [1]}, "include_resources"),
        ({"shared_secret": "mine"}, "shared_secret"),
        ({"circuit_state": "closed"}, "circuit_state"),
    ],
)
def test_what_a_webhook_cannot_be_is_refused(api, members, pointer):
    members = {"topic": "customers.create", "callback_url": CALLBACK_URL, **members}
    response = api.create("webhooks", members)
    assert response.status_code in (400, 422)
    (error,) = response.json()["errors"]
    assert error["source"]["pointer"] == f"/data/attributes/{pointer}"
    assert not Webhook.objects.exists()


def test_a_hanging_receiver_delays_nobody_else(settings):
    settings.WEBHOOK_TIMEOUT = 3
    release = threading.Event()
    with receiver() as quick, receiver(hang=release) as hanging:
        slow = make_webhook(callback_url=hanging.url)
        make_webhook(callback_url=quick.url)
        for _ in range(40):
            make_event_of_now()
        courier, began = deliveries.Courier(), time.monotonic()
        while len(quick.received) < 40:
            courier.step(0.2)
            assert time.monotonic() - began < 60
        assert slow.deliveries.count() == 40
        release.set()
        courier.finish()
    assert 16 <= len(hanging.received) <= 40


def test_callbacks_are_kept_for_thirty_days():
    now = timezone.now()
    make_webhook(callback_url="http://127.0.0.1:9/")
    make_event_of_now()
    make_event_of_now()
    deliveries.deliver_all()
    older = EventCallback.objects.order_by("id").last()
    EventCallback.objects.filter(pk=older.pk).update(created_at=now - timedelta(days=31))
    deliveries.sweep(now)
    assert EventCallback.objects.get() != older
    assert EventCallback.objects.get().response_message == "ConnectError"


def test_no_sales_channel_sees_a_webhook(guest_api):
    webhook = make_webhook()
    error_of(guest_api.get("/api/webhooks"), 401, "UNAUTHORIZED")
    error_of(guest_api.get(f"/api/webhooks/{webhook.pk}"), 401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    "url",
    [
        CALLBACK_URL,
        "https://[2606:4700::1111]/",
        "https://[::ffff:192.0.32.10]/",
        "https://[64:ff9b::192.0.32.10]/",
        "https://[2002:c000:200a::]/",
    ],
)
def test_an_address_that_is_written_is_public(settings, url):
    settings.WEBHOOK_NETWORKS = []
    outbound.check_url(url)


def test_a_name_that_leads_nowhere_yet_may_be_written(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    outbound.check_url("https://name.invalid/callbacks")


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_many_workers_make_each_call_once():
    with receiver() as server:
        make_webhook(callback_url=server.url)
        with transaction.atomic():
            for _ in range(60):
                make_event_of_now()
        counts = in_threads(3, lambda _: deliveries.deliver_all())
        while deliveries.deliver_all():
            pass
    assert sum(counts) <= 60
    ids = [headers["webhook-id"] for headers, _ in server.received]
    assert len(ids) == len(set(ids)) == 60
