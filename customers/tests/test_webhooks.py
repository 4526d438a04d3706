"""Webhooks: who is told what, when a receiver fails, and where calls never go."""

import base64
import gzip
import hashlib
import hmac
import ipaddress
import json
import socket
import threading
import time
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.db import transaction
from django.utils import timezone
from standardwebhooks import Webhook as StandardWebhook

from customers.jobs import anonymization, deliveries, exports, mails, webhook_dispatcher
from customers.models import (
    Customer,
    Delivery,
    Event,
    EventCallback,
    EventStore,
    ExportPart,
    QueuedMail,
    Webhook,
)
from customers.resources import operations
from customers.services import principals, webhook_addresses
from customers.services.anonymization import request_anonymization
from customers.tests.conftest import Api, error_of, in_threads, needs_postgresql, staff_client
from customers.tests.factories import (
    CALLBACK_URL,
    link,
    make_customer,
    make_group,
    make_payment_source,
    make_webhook,
)
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
    Delivery.objects.update(next_attempt_at=timezone.now())


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
        assert webhook_dispatcher.deliver_all() == 1
        assert webhook_dispatcher.deliver_all() == 0
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
        webhook_dispatcher.deliver_all()
    assert [d["data"]["attributes"]["email"] for d in bodies(server)] == ["ada@example.com"]


def test_of_what_is_gone_the_id_alone_is_told(api):
    customer = make_customer(email="ada@example.com")
    with receiver() as server:
        make_webhook(callback_url=server.url, topic="customers.destroy")
        api.delete(f"/api/customers/{customer.pk}")
        webhook_dispatcher.deliver_all()
    resource = bodies(server)[0]["data"]
    assert (resource["type"], resource["id"]) == ("customers", customer.pk)
    assert set(resource["attributes"].values()) == {None}
    assert "ada@" not in server.received[0][1].decode()


def test_a_failed_call_is_made_again_later_with_the_same_id_and_then_counts_no_more():
    with receiver(500) as server:
        webhook = make_webhook(callback_url=server.url)
        make_event_of_now()
        assert webhook_dispatcher.deliver_all() == 1
        delivery = Delivery.objects.get()
        wait = delivery.next_attempt_at - timezone.now()
        assert timedelta(seconds=120) < wait < timedelta(seconds=960)
        assert delivery.attempts == 1
        webhook.refresh_from_db()
        assert webhook.circuit_failure_count == 1
        assert webhook_dispatcher.deliver_all() == 0
        make_due()
        server.status = 204
        assert webhook_dispatcher.deliver_all() == 1
    first, second = (headers["webhook-id"] for headers, _ in server.received)
    assert first == second
    webhook.refresh_from_db()
    assert webhook.circuit_failure_count == 0
    assert not Delivery.objects.exists()
    codes = EventCallback.objects.order_by("id").values_list("response_code", flat=True)
    assert list(codes) == ["500", "204"]


def test_a_delivery_waits_twice_as_long_each_time():
    with receiver(500) as server:
        make_webhook(callback_url=server.url)
        make_event_of_now()
        for attempt in range(4):
            make_due()
            assert webhook_dispatcher.deliver_all() == 1
            wait = (Delivery.objects.get().next_attempt_at - timezone.now()).total_seconds()
            least = deliveries.FIRST_RETRY * 2**attempt * 0.5
            assert least - 60 < wait < 3 * least


@pytest.mark.parametrize("actor", ["customer", "neighbour"])
def test_a_call_under_way_keeps_nothing_of_who_is_forgotten_meanwhile(api, live_api, actor):
    mode = {"customer": "test", "neighbour": "live"}[actor]
    forgotten = make_customer(mode=mode)
    with receiver() as server:
        make_webhook(callback_url=server.url)
        api.create("customers", {"email": "ada@example.com"})
        deliveries.fan_out()
        dispatcher = webhook_dispatcher.WebhookDispatcher()
        dispatcher.begin()
        request_anonymization(forgotten, actor=None)
        Customer.objects.filter(pk=forgotten.pk).update(anonymize_at=timezone.now())
        anonymization.anonymize_next()
        dispatcher.finish()
    payload = EventCallback.objects.get().payload
    assert payload == (None if actor == "customer" else bodies(server)[0])


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
            webhook_dispatcher.deliver_all()
            make_due()
    assert len(server.received) == 3
    assert not Delivery.objects.exists()


def test_the_circuit_opens_and_calls_wait_until_it_is_reset(api, settings):
    settings.WEBHOOK_CIRCUIT_FAILURES = 2
    with receiver(500) as server:
        webhook = make_webhook(callback_url=server.url)
        for _ in range(3):
            make_event_of_now()
            webhook_dispatcher.deliver_all()
        webhook.refresh_from_db()
        assert (webhook.circuit_state, webhook.circuit_failure_count) == ("open", 2)
        assert len(server.received) == 2
        server.status = 200
        make_due()
        assert webhook_dispatcher.deliver_all() == 0
        answer = api.update("webhooks", webhook.pk, {"_reset_circuit": True})
        attributes = answer.json()["data"]["attributes"]
        assert (attributes["circuit_state"], attributes["circuit_failure_count"]) == ("closed", 0)
        assert webhook_dispatcher.deliver_all() == 3
    assert not Delivery.objects.exists()


def test_the_operator_is_told_once_that_a_webhook_keeps_failing(api, settings):
    settings.WEBHOOK_NOTIFY_FAILURES = 2
    settings.OPERATOR_EMAIL = "operator@example.com"
    with receiver(500) as server:
        webhook = make_webhook(callback_url=server.url)
        told = []
        for _ in range(3):
            make_event_of_now()
            webhook_dispatcher.deliver_all()
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
        webhook_dispatcher.deliver_all()
    assert not QueuedMail.objects.exists()


def test_a_webhook_is_switched_off_and_on_and_gets_a_new_secret_which_no_log_tells(api):
    webhook = make_webhook()
    off = api.update("webhooks", webhook.pk, {"_disable": True}).json()["data"]["attributes"]
    assert off["disabled_at"]
    make_event_of_now()
    deliveries.fan_out()
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


REACHING = [  # how a payload about a customer comes to what has a secret
    "events.webhooks",
    "events.last_event_callbacks.webhook",
    "customer_payment_sources",
]


def test_no_payload_and_no_callback_holds_a_secret_whatever_is_included(api):
    customer = make_customer(password="argon2$")
    make_payment_source(customer=customer, customer_token="cus_secret_1")
    with receiver() as server:
        webhook = make_webhook(
            callback_url=server.url,
            topic="customers.create_password",
            include_resources=REACHING,
        )
        make_webhook(
            callback_url=server.url, topic="customer_password_resets.create", include_resources=[]
        )
        for _ in range(2):  # the second time there are callbacks, too
            event = Event.objects.create(
                name="customers.create_password",
                resource_type="customers",
                resource_id=customer.pk,
            )
            assert webhook_dispatcher.deliver_all() == 1
        email = {"customer_email": customer.email}
        reset = api.create("customer_password_resets", email).json()["data"]
        assert reset["attributes"]["reset_password_token"]
        assert webhook_dispatcher.deliver_all() == 1
    told = [{one["type"] for one in body.get("included", ())} for body in bodies(server)]
    assert told[1] == {"events", "webhooks", "event_callbacks", "customer_payment_sources"}
    kept = str(list(EventCallback.objects.values()) + list(EventStore.objects.values()))
    sent = b"".join(body for _, body in server.received).decode()
    for secret in (
        webhook.shared_secret,
        "shared_secret",
        "cus_secret_1",
        "pm_1NgABCDEFGHwxyz",
        "reset_password_token",
        reset["attributes"]["reset_password_token"],
    ):
        assert secret not in sent
        assert secret not in kept
    assert f"•••• {'pm_1NgABCDEFGHwxyz'[-4:]}" in sent
    document = api.get(f"/api/events/{event.pk}", include="last_event_callbacks").content
    assert webhook.shared_secret.encode() not in document
    written = operations.document(webhook, principals.service("test"))["data"]
    assert written["attributes"]["shared_secret"] is None


@pytest.mark.parametrize("format", ["json", "csv"])
def test_no_export_holds_the_secret_of_a_webhook(api, format):
    webhook = make_webhook()
    make_event_of_now()
    for members in (
        {"resource_type": "customers", "includes": ["events.webhooks"]},
        {"resource_type": "events", "fields": ["name", "webhooks.*"]},
        {"resource_type": "events", "includes": ["webhooks", "last_event_callbacks.webhook"]},
    ):
        answer = api.create("exports", {"format": format, **members})
        assert answer.status_code == 201, answer.content
    while exports.do_export_part():
        pass
    files = [
        gzip.decompress(part).decode()
        for part in ExportPart.objects.values_list("content", flat=True)
    ]
    assert len(files) == 3
    for text in files:
        assert webhook.callback_url in text
        assert "shared_secret" not in text
        assert webhook.shared_secret not in text
    named = {"resource_type": "events", "fields": ["webhooks.shared_secret"]}
    assert api.create("exports", named).status_code == 422


def test_who_may_only_read_is_not_told_the_secret_of_a_webhook():
    webhook, path = make_webhook(), "/api/webhooks"
    told = Api().get(f"{path}/{webhook.pk}").json()["data"]["attributes"]
    reader = Api(role="read_only")
    (listed,) = reader.get(path).json()["data"]
    assert told["shared_secret"] == webhook.shared_secret
    assert listed["attributes"] == {**told, "shared_secret": None}
    event = make_event_of_now()
    seen = reader.get(f"/api/events/{event.pk}", include="webhooks").content.decode()
    assert webhook.callback_url in seen
    assert webhook.shared_secret not in seen


@pytest.mark.parametrize("role", ["viewer", "administrator"])
def test_no_page_of_the_console_shows_the_secret_of_a_webhook(role):
    with receiver() as server:
        webhook = make_webhook(callback_url=server.url, include_resources=["events.webhooks"])
        event = make_event_of_now()
        webhook_dispatcher.deliver_all()
    callback, client = EventCallback.objects.get(), staff_client(role)
    for model, row in (("webhook", webhook), ("event", event), ("eventcallback", callback)):
        for path in ("", f"{row.pk}/change/", f"{row.pk}/history/"):
            answer = client.get(f"/admin/customers/{model}/{path}")
            assert answer.status_code == 200
            assert webhook.shared_secret not in answer.content.decode()
    log = str(list(LogEntry.objects.values()))
    assert webhook.shared_secret not in log


def test_what_waits_for_a_webhook_that_is_switched_off_is_not_called_until_it_is_on(api):
    with receiver() as server:
        webhook = make_webhook(callback_url=server.url)
        make_event_of_now()
        deliveries.fan_out()
        api.update("webhooks", webhook.pk, {"_disable": True})
        assert webhook_dispatcher.deliver_all() == 0
        assert server.received == []
        assert Delivery.objects.get().attempts == 0
        api.update("webhooks", webhook.pk, {"_enable": True})
        assert webhook_dispatcher.deliver_all() == 1
    assert len(server.received) == 1


def test_a_signature_is_of_the_bytes_that_are_sent(api):
    customer = make_customer(
        reference="Zo\u00eb \u2028 / <&> \U0001f600", metadata={"b": 1, "a": 1.0}
    )
    with receiver() as server:
        webhook = make_webhook(callback_url=server.url)
        Event.objects.create(
            name="customers.create", resource_type="customers", resource_id=customer.pk
        )
        webhook_dispatcher.deliver_all()
    ((headers, body),) = server.received
    signed = base64.b64decode(headers["x-commercelayer-signature"])
    key = webhook.shared_secret.encode()
    assert signed == hmac.digest(key, body, hashlib.sha256)
    for other in (json.dumps(json.loads(body)).encode(), body + b"\n", body.strip(b"{}")):
        assert signed != hmac.digest(key, other, hashlib.sha256)


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
        webhook_dispatcher.deliver_all()
        assert api.update("events", event.pk, {"_trigger": True}).status_code == 200
        webhook_dispatcher.deliver_all()
    assert [headers["webhook-id"] for headers, _ in server.received] == [event.pk, event.pk]
    entry = EventStore.objects.get(resource_id=event.pk)
    assert (entry.event, entry.who["application"]["id"]) == ("update", api.application.pk)


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
        webhook_dispatcher.deliver_all()
    assert bodies(server)[0]["data"]["relationships"]["tags"]["data"] == []


def test_a_redirect_is_an_answer_and_not_followed():
    with receiver() as elsewhere, receiver(302, headers=[("Location", elsewhere.url)]) as server:
        make_webhook(callback_url=server.url)
        make_event_of_now()
        webhook_dispatcher.deliver_all()
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
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.0.1/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://192.0.0.1/",
    "https://192.0.0.9/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://198.18.0.1/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://100.64.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[2001::1]/",
    "https://[2001:1::1]/",
    "https://[2001:20::1]/",
    "https://[2001:db8::1]/",
    "https://[2002:c000:200a::]/",
    "https://[3fff::1]/",
    "https://[5f00::1]/",
    "https://[100::1]/",
    "https://[fe80::1%25lo]/",
    "https://[2606:4700::1111%25eth0]/",
    "https://[2606:4700::1111]x/",
    "https://x[2606:4700::1111]/",
    "https://[v1.x]/",
    "https://2130706433/",
    "https://3221233674/",
    "https://0x7f.1/",
    "https://0xC000200A/",
    "https://192.0.8202/",
    "https://0300.0.32.10/",
    "https://192.0.32.010/",
    "https://127.0.0.1./",
    "https://192.0.32.10./",
    "https://1.2.3.4.5/",
    "https://127.0.0.1%00/",
    "https://127.0.0.1%00.example.com/",
    "https://%31%32%37.0.0.1/",
    "https://example.com%2F@/",
    "https://example..com/",
    "https://-example.com/",
    "https://example.com\\.example.org/",
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
def test_an_address_within_or_unsafe_is_none_to_call(settings, url):
    settings.WEBHOOK_NETWORKS = []
    with pytest.raises(webhook_addresses.ForbiddenAddressError):
        webhook_addresses.check_url(url)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "http://192.0.32.10/", "https://127.0.0.1./", "nonsense"]
)
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
        webhook_dispatcher.deliver_all()
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
        dispatcher, began = webhook_dispatcher.WebhookDispatcher(), time.monotonic()
        while len(quick.received) < 40:
            dispatcher.step(0.2)
            assert time.monotonic() - began < 60
        assert slow.deliveries.count() == 40
        release.set()
        dispatcher.finish()
    assert 16 <= len(hanging.received) <= 40


def test_callbacks_are_kept_for_thirty_days():
    now = timezone.now()
    make_webhook(callback_url="http://127.0.0.1:9/")
    make_event_of_now()
    make_event_of_now()
    webhook_dispatcher.deliver_all()
    older = EventCallback.objects.order_by("id").last()
    EventCallback.objects.filter(pk=older.pk).update(created_at=now - timedelta(days=31))
    deliveries.delete_expired_callbacks(now)
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
        "https://192.0.1.1/",
        "https://192.175.48.1/",
        "https://198.20.0.1/",
        "https://[2001:200::1]/",
        "https://192.0.32.10:8443/",
    ],
)
def test_an_address_that_is_written_is_public(settings, url):
    settings.WEBHOOK_NETWORKS = []
    webhook_addresses.check_url(url)


@pytest.mark.parametrize(
    "host",
    ["example.com", "example.com.", "xn--bcher-kva.example", "_dmarc.example.com", "a1", "1a"],
)
def test_a_host_may_be_any_name(monkeypatch, settings, host):
    settings.WEBHOOK_NETWORKS = []
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.32.10", 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [entry])
    webhook_addresses.check_url(f"https://{host}/callbacks")


@pytest.mark.parametrize("host", ["127.0.0.1.", "127.1", "2130706433", "127.0.0.1%00"])
def test_a_host_that_resolvers_read_otherwise_is_not_called_even_in_ones_own_network(host):
    with receiver() as server:
        make_webhook(callback_url=server.url.replace("127.0.0.1", host))
        make_event_of_now()
        webhook_dispatcher.deliver_all()
    assert server.received == []
    callback = EventCallback.objects.get()
    assert (callback.response_code, callback.response_message) == (None, webhook_addresses.NO_HOST)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "https://127.0.0.1/é", "//127.0.0.1/"])
def test_an_address_within_ones_own_network_is_a_web_address_too(url):
    with pytest.raises(webhook_addresses.ForbiddenAddressError, match="must be a web address"):
        webhook_addresses.check_url(url)
    webhook_addresses.check_url("http://127.0.0.1/")


def test_a_name_that_leads_nowhere_yet_may_be_written(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    webhook_addresses.check_url("https://name.invalid/callbacks")


def test_an_outcome_that_was_written_unheard_is_written_down_once():
    webhook = make_webhook()
    make_event_of_now()
    deliveries.fan_out()
    claimed = deliveries.claim({}, [])
    ended = [deliveries.CallResult(delivery, {}, "500", "Oops") for delivery in claimed]
    for in_doubt in (False, True):
        deliveries.record_results(ended, in_doubt=in_doubt)
    assert EventCallback.objects.get().response_code == "500"
    webhook.refresh_from_db()
    assert webhook.circuit_failure_count == 1


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_many_workers_make_each_call_once():
    with receiver() as server:
        make_webhook(callback_url=server.url)
        with transaction.atomic():
            for _ in range(60):
                make_event_of_now()
        counts = in_threads(3, lambda _: webhook_dispatcher.deliver_all())
        while webhook_dispatcher.deliver_all():
            pass
    assert sum(counts) <= 60
    ids = [headers["webhook-id"] for headers, _ in server.received]
    assert len(ids) == len(set(ids)) == 60
