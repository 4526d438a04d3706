"""Receivers of webhooks behind a user and a password, or behind headers of their own."""

import base64
import gzip
import ipaddress
import json
import logging

import pytest
from django.contrib.admin.models import LogEntry

from customers.jobs import exports, webhook_dispatcher
from customers.models import (
    Event,
    EventCallback,
    EventStore,
    ExportPart,
    IdempotentAnswer,
    Webhook,
    validate_callback_headers,
)
from customers.models.callback_headers import OURS
from customers.tests.conftest import JSON_API, Api, error_of, staff_client
from customers.tests.factories import CALLBACK_URL, make_customer, make_event, make_webhook
from customers.tests.forms import sent_by
from customers.tests.receivers import receiver

BASIC = "Basic " + base64.b64encode(b"shop:p%:s w").decode()
SECRET = {"X-Api-Key": "key-4711"}
REACHING = {"topic": "customers.create", "include_resources": ["events.webhooks"]}
PAGE = "/admin/customers/webhook/"


@pytest.fixture(autouse=True)
def _own_network(settings):
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]


def with_user(url):
    return url.replace("//", "//shop:p%25:s%20w@")


def call(**values):
    """Make an event and its calls."""
    event = Event.objects.create(
        name="customers.create", resource_type="customers", resource_id=make_customer().pk
    )
    webhook_dispatcher.deliver_all()
    return event


def create(api, url=CALLBACK_URL, **members):
    return api.create("webhooks", {"topic": "customers.create", "callback_url": url, **members})


def kept(webhook_id):
    webhook = Webhook.objects.get(pk=webhook_id)
    return webhook.callback_url, webhook.callback_headers


def test_a_user_in_the_address_is_sent_as_a_header_and_shown_to_nobody(api, caplog):
    caplog.set_level(logging.DEBUG)
    with receiver() as server:
        answer = create(api, with_user(server.url))
        resource = answer.json()["data"]
        call()
    assert resource["attributes"]["callback_url"] == server.url
    ((headers, _),) = server.received
    assert headers["authorization"] == BASIC
    assert headers["host"] == server.url.split("/")[2]
    assert kept(resource["id"]) == (server.url, {"Authorization": BASIC})
    assert EventCallback.objects.get().callback_url == server.url
    told = [answer.content.decode(), caplog.text, str(list(EventStore.objects.values()))]
    for text in told:
        assert "p%25" not in text
        assert BASIC not in text


def test_nothing_that_is_read_or_kept_elsewhere_holds_a_header(api):
    with receiver() as server:
        members = {"callback_url": server.url, "callback_headers": SECRET, **REACHING}
        body = json.dumps({"data": {"type": "webhooks", "attributes": members}})
        once = {"idempotency-key": "once"}
        made = api.client.post("/api/webhooks", body, content_type=JSON_API, headers=once)
        webhook = Webhook.objects.get(pk=made.json()["data"]["id"])
        event = call()
        api.update("webhooks", webhook.pk, {"callback_headers": {"X-Api-Key": "key-4712"}})
    api.create("exports", {"resource_type": "events", "includes": ["webhooks"]})
    while exports.do_export_part():
        pass
    files = [gzip.decompress(one.content).decode() for one in ExportPart.objects.all()]
    told = [
        made.content.decode(),
        api.get(f"/api/webhooks/{webhook.pk}").content.decode(),
        api.get(f"/api/events/{event.pk}", include="webhooks").content.decode(),
        api.get(f"/api/webhooks/{webhook.pk}/event_stores").content.decode(),
        server.received[0][1].decode(),
        *files,
        str([list(one.objects.values()) for one in (EventStore, EventCallback)]),
        str(list(IdempotentAnswer.objects.values())),
        repr(webhook),
        str(webhook),
    ]
    assert len(files) == 1
    assert server.url in files[0]
    for text in told:
        assert "key-471" not in text
        assert "callback_headers" not in text


def test_a_header_that_is_changed_is_in_the_audit_log_without_its_value(api):
    webhook = make_webhook(callback_headers=SECRET)
    before = EventStore.objects.count()
    assert api.update("webhooks", webhook.pk, {"callback_headers": None}).status_code == 200
    assert kept(webhook.pk) == (CALLBACK_URL, None)
    assert EventStore.objects.count() == before + 1
    again = api.update("webhooks", webhook.pk, {"callback_headers": {}})
    assert again.status_code == 200
    assert EventStore.objects.count() == before + 1


def test_no_list_is_filtered_or_sorted_by_headers(api):
    make_webhook(callback_headers=SECRET)
    for query in ({"filter[q][callback_headers_present]": "true"}, {"sort": "callback_headers"}):
        assert api.get("/api/webhooks", **query).status_code == 400


def test_headers_are_sent_to_no_redirect():
    headers = [("Location", "")]
    with receiver() as elsewhere, receiver(307, headers=headers) as server:
        headers[0] = ("Location", elsewhere.url)
        make_webhook(callback_url=server.url, callback_headers=SECRET)
        call()
    assert (len(server.received), len(elsewhere.received)) == (1, 0)


@pytest.mark.parametrize(
    ("url", "stays"),
    [
        ("https://192.0.32.10/another/path?a=1", True),
        ("https://192.0.32.10:443/callbacks", True),
        ("HTTPS://192.0.32.10/callbacks", True),
        ("https://192.0.32.10:8443/callbacks", False),
        ("https://192.0.32.11/callbacks", False),
        ("http://127.0.0.1/callbacks", False),
    ],
)
@pytest.mark.parametrize("door", ["api", "console"])
def test_headers_go_to_no_other_receiver_than_they_were_written_for(
    api, admin_client, door, url, stays
):
    webhook = make_webhook(callback_url="https://192.0.32.10/callbacks", callback_headers=SECRET)
    if door == "api":
        assert api.update("webhooks", webhook.pk, {"callback_url": url}).status_code == 200
    else:
        path = f"{PAGE}{webhook.pk}/change/"
        values = sent_by(admin_client.get(path)) | {"callback_url": url}
        assert admin_client.post(path, values).status_code == 302
    assert kept(webhook.pk) == (url, SECRET if stays else None)


def test_headers_that_are_given_with_another_address_are_its_own(api):
    webhook = make_webhook(callback_headers=SECRET)
    members = {"callback_url": "https://192.0.32.11/", "callback_headers": {"X-Key": "new"}}
    assert api.update("webhooks", webhook.pk, members).status_code == 200
    assert kept(webhook.pk) == ("https://192.0.32.11/", {"X-Key": "new"})


def test_a_user_in_the_address_takes_the_place_of_the_one_before_and_of_no_other_header(api):
    webhook = make_webhook(callback_headers={"authorization": "Bearer x", **SECRET})
    changed = {"callback_url": with_user(CALLBACK_URL)}
    for _ in range(2):  # the second time nothing changes
        assert api.update("webhooks", webhook.pk, changed).status_code == 200
        assert kept(webhook.pk) == (CALLBACK_URL, {"Authorization": BASIC, **SECRET})
    assert EventStore.objects.filter(resource_id=webhook.pk, event="update").count() == 1


@pytest.mark.parametrize(
    ("user", "pair"),
    [
        ("shop", b"shop:"),
        ("shop:", b"shop:"),
        (":secret", b":secret"),
        ("a%40b:c%2Fd", b"a@b:c/d"),
        ("Zo%C3%AB:x", "Zoë:x".encode()),
        ("a:b:c", b"a:b:c"),
    ],
)
def test_a_user_is_read_as_urls_write_it(api, user, pair):
    pk = create(api, f"https://{user}@192.0.32.10/").json()["data"]["id"]
    expected = "Basic " + base64.b64encode(pair).decode()
    assert kept(pk) == ("https://192.0.32.10/", {"Authorization": expected})


@pytest.mark.parametrize(
    "user", ["", "a%3Ab:c", "a%0D%0AX:b", "a%zz:b", "a\\b:c", "a@b:c", "a%00:b", "a:%7F"]
)
def test_what_no_user_can_be_is_refused_and_not_quoted(api, admin_client, user):
    url = f"https://{user}@192.0.32.10/"
    error = error_of(
        create(api, url), 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/callback_url"}
    )
    assert "192.0.32.10" not in json.dumps(error)
    values = sent_by(admin_client.get(f"{PAGE}add/")) | {"topic": "customers.create"}
    page = admin_client.post(f"{PAGE}add/", {**values, "callback_url": url})
    assert page.context["adminform"].form.errors["callback_url"][0].startswith("The address must")
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("url", ["https://user:pass@10.0.0.1/", "https://user:pass@localhost/"])
def test_an_address_within_is_refused_behind_a_user_too(api, settings, url):
    settings.WEBHOOK_NETWORKS = []
    assert create(api, url).status_code == 422
    assert not Webhook.objects.exists()


REFUSED = {
    "text": "X-Api-Key: secret",
    "list": [["X-Api-Key", "secret"]],
    "number": {"X-Api-Key": 4711},
    "null": {"X-Api-Key": None},
    "empty": {"X-Api-Key": ""},
    "lines": {"X-Api-Key": "a\r\nX-Other: secret"},
    "spaces around": {"X-Api-Key": " secret"},
    "beyond ASCII": {"X-Api-Key": "sécret"},
    "too long": {"X-Api-Key": "s" * 4097},
    "too many": {f"X-{number}": "secret" for number in range(21)},
    "twice": {"X-Api-Key": "secret", "x-api-key": "secret"},
    "a value for a name": {"Bearer secret": "x"},
    "the length": {"content-length": "1"},
    "our signature": {"Webhook-Signature": "secret"},
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("creating", [True, False])
def test_headers_that_cannot_be_sent_are_refused_and_not_quoted(api, headers, creating):
    members = {"topic": "customers.create", "callback_url": CALLBACK_URL}
    webhook = None if creating else make_webhook(callback_headers=SECRET)
    given = {"callback_headers": headers}
    answer = (
        api.create("webhooks", members | given)
        if creating
        else api.update("webhooks", webhook.pk, given)
    )
    pointer = {"pointer": "/data/attributes/callback_headers"}
    error = error_of(answer, 422, "VALIDATION_ERROR", pointer)
    assert "secret" not in json.dumps(error)
    assert [one.callback_headers for one in Webhook.objects.all()] == [SECRET] * (not creating)


def test_what_we_say_ourselves_no_receiver_can_set():
    said = webhook_dispatcher.headers_of(make_event(), make_webhook(), b"{}")
    assert {name.lower() for name in said} <= OURS
    validate_callback_headers({"X-Forwarded-For": "1", "Cookie": "a=b; c=d", "Accept": "*/*"})


def test_who_may_only_read_webhooks_learns_of_no_header():
    webhook = make_webhook(callback_headers=SECRET)
    answer = Api(role="read_only").get(f"/api/webhooks/{webhook.pk}")
    assert "X-Api-Key" not in answer.content.decode()


def test_staff_write_headers_see_their_names_and_remove_them(admin_client):
    webhook = make_webhook(callback_headers=SECRET)
    path = f"{PAGE}{webhook.pk}/change/"

    def save(**values):
        page = admin_client.get(path)
        assert "key-4711" not in page.content.decode()
        answer = admin_client.post(path, sent_by(page) | values)
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        return kept(webhook.pk)[1]

    assert "X-Api-Key" in admin_client.get(path).content.decode()
    assert save(name="Renamed") == SECRET
    lines = "Authorization: Bearer a:b\r\n\r\n X-Tenant :7\r\n"
    assert save(new_headers=lines) == {"Authorization": "Bearer a:b", "X-Tenant": "7"}
    assert "Authorization, X-Tenant" in admin_client.get(path).content.decode()
    user = save(callback_url=with_user(CALLBACK_URL))
    assert user == {"Authorization": BASIC, "X-Tenant": "7"}
    assert save(remove_headers="on") is None
    log = str(list(LogEntry.objects.values())) + str(list(EventStore.objects.values()))
    for secret in ("key-4711", "Bearer", BASIC, "p%25"):
        assert secret not in log
    assert Webhook.objects.get().name == "Renamed"


@pytest.mark.parametrize("lines", ["X-Api-Key", "Host: a", "A: 1\nA: 2", "A: 1\na: 2", "A b: c"])
def test_staff_give_a_webhook_no_header_that_cannot_be_sent(admin_client, lines):
    webhook = make_webhook(callback_headers=SECRET)
    path = f"{PAGE}{webhook.pk}/change/"
    values = sent_by(admin_client.get(path)) | {"new_headers": lines}
    errors = admin_client.post(path, values).context["adminform"].form.errors
    assert errors.keys() == {"new_headers"}
    assert kept(webhook.pk)[1] == SECRET


def test_staff_make_a_webhook_with_headers(admin_client):
    values = sent_by(admin_client.get(f"{PAGE}add/")) | {"topic": "customers.create"}
    values |= {"callback_url": with_user(CALLBACK_URL), "new_headers": "X-Api-Key: key-4711"}
    assert admin_client.post(f"{PAGE}add/", values).status_code == 302
    assert kept(Webhook.objects.get().pk) == (CALLBACK_URL, {**SECRET, "Authorization": BASIC})


def test_staff_who_may_only_look_are_offered_no_field_for_headers():
    webhook = make_webhook(callback_headers=SECRET)
    page = staff_client("viewer").get(f"{PAGE}{webhook.pk}/change/").content.decode()
    assert "X-Api-Key" in page
    assert "Headers to send" not in page
    assert "New headers" not in page
    assert "key-4711" not in page
