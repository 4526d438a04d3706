"""What those who run the service see: probes, log lines and figures."""

import io
import json
import logging
import re
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from customers.api.base import ApiView
from customers.db.routing import Router, from_replica
from customers.jobs import backlog, heartbeats, worker
from customers.models import (
    BulkAct,
    BulkChunk,
    Customer,
    Delivery,
    Event,
    Export,
    Import,
    QueuedMail,
    Webhook,
    WorkerHeartbeat,
)
from customers.tests.conftest import needs_postgresql, staff_client
from customers.tests.factories import make_customer
from project import logs, metrics

pytestmark = pytest.mark.thorough

SECRET = "Key (email)=(ada@example.com) already exists."


@pytest.fixture
def lines(caplog):
    """The log as JSON, a function that gives the lines of one logger."""
    caplog.set_level(logging.INFO)

    def read(name):
        found = [r for r in caplog.records if r.name == name]
        return [json.loads(logs.Json().format(record)) for record in found]

    return read


def test_a_process_lives_without_its_database(client, settings, django_assert_num_queries):
    settings.SECURE_SSL_REDIRECT = True
    with django_assert_num_queries(0):
        answer = client.get("/livez", headers={"host": "10.0.0.7:8000"})
    assert (answer.status_code, answer.content) == (200, b"live\n")
    assert answer["Cache-Control"] == "no-store"
    assert client.get("/readyz").content == b"ready\n"


@needs_postgresql
def test_it_is_not_ready_on_a_database_that_may_lose_changes(client):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.content.startswith(b"Set synchronous_commit to on in PostgreSQL")
    assert client.get("/livez").status_code == 200


def test_each_request_has_a_line_that_names_nobody(api, lines, client):
    customer = make_customer(email="ada@example.com")
    given = {"headers": {"x-request-id": "proxy-1"}}
    answer = api.client.get(f"/api/customers/{customer.pk}?include=tags", **given)
    assert answer["X-Request-Id"] == "proxy-1"
    (line,) = lines("clientele.requests")
    assert line.pop("ms") > 0
    assert line.pop("time")
    assert line.pop("message").startswith("GET /api/customers/{pk} 200")
    assert line == {
        "level": "INFO",
        "logger": "clientele.requests",
        "request_id": None,  # which is told while the request is under way
        "method": "GET",
        "route": "/api/customers/{pk}",
        "status": 200,
        "id": customer.pk,
        "application": api.application.pk,
        "customer": None,
    }
    for path in ("/api/customers/ada@example.com", "/ada@example.com", "/admin/?q=ada@example.com"):
        answer = client.get(path, headers={"x-request-id": "ada@example.com"})
        assert re.fullmatch("[0-9a-f]{32}", answer["X-Request-Id"])
    written = json.dumps([*lines("clientele.requests"), *lines("django.request")])
    assert "ada@" not in written
    assert '"staff"' not in written


def test_a_mistake_of_ours_is_logged_without_what_it_quotes(api, lines, monkeypatch, client):
    def fail(*_, **__):
        raise RuntimeError(SECRET) from ValueError(SECRET)

    monkeypatch.setattr(ApiView, "initial", fail)
    client.raise_request_exception = False
    answer = client.get("/api/customers/ada@example.com")
    assert answer.status_code == 500
    assert answer.json()["errors"][0]["code"] == "INTERNAL_SERVER_ERROR"
    (line,) = lines("django.request")
    assert line["message"] == "Something failed on our side."
    assert line["exception"] == ["builtins.RuntimeError", "builtins.ValueError"]
    assert any("test_operation.py" in place for place in line["at"])
    assert "ada@" not in json.dumps(line)


def test_text_leaves_out_what_an_exception_quotes():
    try:
        raise OperationalError(SECRET)
    except OperationalError:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "It failed.", (), sys.exc_info())
    text = logs.Text().format(record)
    assert text.endswith("django.db.utils.OperationalError")
    assert "test_operation.py" in text
    assert "ada@" not in text


@pytest.fixture
def console():
    """What the log's own handler writes, a function."""
    (handler,) = [h for h in logging.getLogger().handlers if h.name == "console"]
    before = handler.setStream(io.StringIO())
    yield handler.stream.getvalue
    handler.setStream(before)


def test_a_refused_request_is_logged_by_its_kind(console):
    checked = Client(enforce_csrf_checks=True)
    address = "/admin/customers/customer/ada@example.com/change/"
    answer = checked.post(address, headers={"referer": "https://ada@example.com/", "host": "x"})
    assert answer.status_code == 400
    assert checked.post(address).status_code == 403
    assert "A request was refused: DisallowedHost." in console()
    assert "A request was refused: csrf." in console()
    assert "ada@" not in console()


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("POST", "/admin/customers/customer/{}/change/", {"email": "x@example.com"}, 403),
        ("GET", "/admin/customers/application/", {}, 403),
        ("GET", "/admin/customers/customer/none/change/", {}, 404),
        ("POST", "/admin/customers/customer/{}/change/", {"reference": "a\0b"}, 400),
        ("GET", "/admin/nothing/", {}, 404),
        ("GET", "/admin/mode/", {}, 405),
        ("POST", "/api/customers", {}, 401),
        ("POST", "/oauth/token", {"grant_type": "magic"}, 400),
        ("POST", "/test/password/forgot", {"email": "nobody"}, 422),
        ("GET", "/nothing", {}, 404),
    ],
)
def test_what_is_refused_is_not_logged_as_a_failure(console, method, path, sent, status):
    client, path = staff_client("viewer"), path.format(make_customer().pk)
    assert (
        client.generic(
            method, path, urlencode(sent), "application/x-www-form-urlencoded"
        ).status_code
        == status
    )
    assert "failed on our side" not in console()
    assert "Traceback" not in console()
    assert not [word for word in console().split() if word.strip('",') in ("ERROR", "CRITICAL")]


@pytest.mark.parametrize("resource_type", ["customers", "addresses"])
def test_a_document_that_is_refused_is_not_logged_as_a_failure(console, api, resource_type):
    for body in (b"{", b'{"data": 1}', b'{"data": {"type": "tags", "attributes": {"name": 1}}}'):
        assert 400 <= api.send("POST", f"/api/{resource_type}", body).status_code < 500
    assert api.create(resource_type, {"email": "nobody"}).status_code in (400, 422)
    assert "ERROR" not in console()
    assert "failed" not in console()


def test_a_host_that_is_none_of_ours_is_a_warning_without_places(console):
    assert Client().get("/admin/", headers={"host": "evil.example"}).status_code == 400
    (line,) = [line for line in console().splitlines() if "refused" in line]
    assert ("WARNING" in line, "ERROR" in line) == (True, False)
    assert ".py" not in console()


def test_what_ends_the_worker_is_logged_without_what_it_quotes(monkeypatch, console):
    def fail():
        raise ValueError(SECRET)

    monkeypatch.setattr(worker, "delete_expired_rows", fail)
    with pytest.raises(CommandError, match=r"^An error ended it \(ValueError\); the log"):
        call_command("work", once=True)
    assert "An error ended the worker." in console()
    assert "test_operation.py" in console()
    assert "ada@" not in console()


def test_figures_count_requests_and_what_waits(client, api, settings):
    api.get("/api/customers")
    QueuedMail.objects.create(mode="test", kind="password_reset", email="ada@example.com")
    text = client.get("/metrics").content.decode()
    counted = 'clientele_requests_total{method="GET",route="/api/customers",status="200"} '
    assert counted in text
    assert 'clientele_request_seconds_count{method="GET",route="/api/customers"} ' in text
    assert 'clientele_waiting{what="mails"} 1.0' in text
    assert "ada@" not in text
    settings.METRICS_TOKEN = "0123456789abcdef"
    for given in ("", "Bearer 0123456789abcdeg", "Basic 0123456789abcdef"):
        assert client.get("/metrics", headers={"authorization": given}).status_code == 401
    given = {"authorization": "Bearer 0123456789abcdef"}
    assert client.get("/metrics", headers=given).status_code == 200


@pytest.fixture
def figures(client):
    """The figures of /metrics by name and labels, a function."""

    def read():
        lines = client.get("/metrics").content.decode().splitlines()
        return {
            name: float(value)
            for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")
        }

    return read


def make_backlog(moment):
    """One of each kind of work that waits, due since `moment`."""
    customer = make_customer(email="bob@example.com", anonymize_at=moment)
    QueuedMail.objects.create(
        mode="test", kind="password_reset", email="ada@example.com", next_attempt_at=moment
    )
    event = Event.objects.create(mode="test", name="customers.create", resource_id=customer.pk)
    webhook = Webhook.objects.create(
        mode="test", topic="customers.create", callback_url="https://example.com"
    )
    Delivery.objects.create(webhook=webhook, event=event, next_attempt_at=moment)
    act = BulkAct.objects.create(mode="test", kind="add_tags", created_at=moment)
    BulkChunk.objects.create(bulk_act=act, customer_ids=[])
    Import.objects.create(mode="test", resource_type="customers", inputs_size=1)
    Export.objects.create(mode="test", resource_type="customers", records_count=1)
    for model in (Event, Import, Export):
        model.objects.update(created_at=moment, updated_at=moment)
    return webhook


def test_what_waits_is_told_by_kind_and_so_is_what_is_late(figures):
    kinds = set(backlog.waiting())
    assert kinds == {*heartbeats.WORKS, "events"}
    make_backlog(timezone.now() - timedelta(minutes=4))
    found = figures()
    assert {found[f'clientele_waiting{{what="{kind}"}}'] for kind in kinds} == {1}
    assert {found[f'clientele_overdue{{what="{kind}"}}'] for kind in kinds} == {0}


def test_what_was_due_minutes_ago_is_overdue(figures):
    kinds = set(backlog.overdue())
    webhook = make_backlog(timezone.now() - timedelta(minutes=6))
    found = figures()
    assert {found[f'clientele_overdue{{what="{kind}"}}'] for kind in kinds} == {1}
    Webhook.objects.filter(pk=webhook.pk).update(circuit_state=Webhook.Circuit.OPEN)
    found = figures()
    assert found['clientele_overdue{what="webhooks"}'] == 0  # its receiver is what is late
    assert found['clientele_waiting{what="webhooks"}'] == 1


def test_an_anonymization_that_failed_is_overdue_while_it_waits_to_be_tried_again(figures):
    later = timezone.now() + timedelta(days=1)
    make_customer(email="a@example.com", anonymize_at=later)
    assert figures()['clientele_overdue{what="anonymizations"}'] == 0
    make_customer(email="b@example.com", anonymize_at=later, anonymization_attempts=2)
    assert figures()['clientele_overdue{what="anonymizations"}'] == 1
    assert figures()['clientele_waiting{what="anonymizations"}'] == 2


def test_a_long_queue_is_not_counted_to_its_end(figures, monkeypatch):
    monkeypatch.setattr(backlog, "MOST_COUNTED", 2)
    for _ in range(3):
        QueuedMail.objects.create(mode="test", kind="password_reset", email="ada@example.com")
    assert figures()['clientele_waiting{what="mails"}'] == 2


def test_the_worker_shows_that_it_lives_at_each_kind_of_work(figures, monkeypatch):
    monkeypatch.setattr(heartbeats, "_written", {})
    for work in heartbeats.WORKS:
        metrics.heartbeat.labels(work).set(0)
    name = 'clientele_worker_heartbeat_timestamp_seconds{{work="{}"}}'.format
    assert {figures()[name(work)] for work in heartbeats.WORKS} == {0}
    worker.run_once()
    first = WorkerHeartbeat.objects.in_bulk()
    assert first.keys() == set(heartbeats.WORKS)
    for work in heartbeats.WORKS:
        assert figures()[name(work)] == pytest.approx(time.time(), abs=60)
    worker.run_once()  # too soon to write it again
    assert WorkerHeartbeat.objects.in_bulk()["mails"].seen_at == first["mails"].seen_at
    monkeypatch.setattr(heartbeats, "EVERY", 0)
    worker.run_once()
    assert WorkerHeartbeat.objects.in_bulk()["mails"].seen_at > first["mails"].seen_at


@pytest.mark.django_db(transaction=True)  # each closes what another transaction has open
def test_each_loop_of_the_worker_shows_that_it_lives(monkeypatch):
    """Without the others: a loop that stands still is not covered up by one that does not."""
    monkeypatch.setattr(heartbeats, "_written", {})
    assert worker.LOOPS.keys() == set(heartbeats.WORKS)
    for work, loop in worker.LOOPS.items():
        WorkerHeartbeat.objects.all().delete()
        heartbeats._written.clear()
        loop(Stop())
        assert [*WorkerHeartbeat.objects.values_list("work", flat=True)] == [work]


class Stop(threading.Event):
    """One that is set as soon as it is waited for."""

    def wait(self, timeout=None):
        self.set()


def test_figures_cost_as_many_questions_however_much_waits(client, django_assert_max_num_queries):
    make_backlog(timezone.now())
    for _ in range(5):
        QueuedMail.objects.create(mode="test", kind="password_reset", email="ada@example.com")
    with django_assert_max_num_queries(18):
        client.get("/metrics")


def test_the_table_of_figures_is_the_figures(client, api):
    api.get("/api/customers")
    worker.run_once()
    text = client.get("/metrics").content.decode()
    shown = set(
        re.findall(r"^# TYPE (clientele_\w+?)(?:_total)? (?:counter|gauge|histogram)$", text, re.M)
    )
    shown = {name for name in shown if not name.endswith("_created")}
    guide = (Path(settings.BASE_DIR) / "docs" / "operating.md").read_text()
    told = re.findall(r"^\| `(clientele_\w+)` \| ([a-z]+) \| ([^|]+) \|", guide, re.M)
    assert sorted(name.removesuffix("_total") for name, *_ in told) == sorted(shown)
    labels = {name: set(re.findall(r"`(\w+)`", those)) for name, _, those in told}
    assert labels["clientele_requests_total"] == {"method", "route", "status"}
    kinds = re.search(r"`what` is one of ([^.]+)\.", guide)[1]
    assert set(re.findall(r"`(\w+)`", kinds)) == set(backlog.waiting())


def test_odd_paths_make_no_figure_of_their_own(client):
    for path in ("/x1", "/x2/y"):
        client.get(path)
        client.generic("BREW", path)
    text = client.get("/metrics").content.decode()
    assert 'method="GET",route="none",status="404"' in text
    assert 'method="other",route="none",status="404"' in text
    assert "x1" not in text


def test_a_replica_is_read_from_where_it_is_asked_for_and_never_written_to():
    router = Router()
    assert router.db_for_read(Customer) == "default"
    with from_replica():
        assert router.db_for_read(Customer) == "replica"
        assert router.db_for_write(Customer) == "default"
    assert router.db_for_read(Customer) == "default"
    assert router.allow_migrate("default", "customers")
    assert not router.allow_migrate("replica", "customers")
