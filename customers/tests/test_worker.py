"""The worker, when its connections are lost in the middle of what it does: it goes on by itself."""

import gzip
import ipaddress
import json
import threading
import time
from contextlib import contextmanager

import pytest
from django.core import mail
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from customers.jobs import bulk, exports, import_parts, imports, mails, worker
from customers.models import (
    BulkAct,
    Customer,
    Delivery,
    Event,
    EventCallback,
    EventStore,
    Export,
    ExportPart,
    Import,
    QueuedMail,
)
from customers.services.anonymization import request_anonymization
from customers.tests.conftest import needs_postgresql
from customers.tests.factories import make_customer, make_group, make_webhook
from customers.tests.receivers import receiver

lost_connections = [needs_postgresql, pytest.mark.django_db(transaction=True)]
MOST_SECONDS = 60  # for what takes one on an idle machine


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch, settings):
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    for name in ("MAIL_PAUSE", "CALL_PAUSE", "JOB_PAUSE"):
        monkeypatch.setattr(worker, name, 0.02)


@contextmanager
def working():
    """A worker, which is at work until the end and must not have ended by then."""
    stop, failed = threading.Event(), []

    def work():
        try:
            worker.run(stop)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join()
    assert failed == []


def comes(true):
    last = time.monotonic() + MOST_SECONDS
    while not (found := true()) and time.monotonic() < last:
        time.sleep(0.02)
    return found


def execute(sql, params=()):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


KILL = """
CREATE SEQUENCE kills;
CREATE FUNCTION kill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('kills') <= {times} THEN
        PERFORM pg_terminate_backend(pg_backend_pid());
        PERFORM pg_sleep(60);
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER kill AFTER {act} ON {table} {when} FOR EACH ROW EXECUTE FUNCTION kill();
"""
WHENS = {"amid": "NOT DEFERRABLE", "commit": "DEFERRABLE INITIALLY DEFERRED"}


@pytest.fixture(params=WHENS)
def kills(request):
    """Lets whoever writes a row of a table lose the connection, the first times.

    In the middle of the transaction, or when that has done all and is to be written.
    """

    def arm(act, table, times=3):
        execute(KILL.format(act=act, table=table, times=times, when=WHENS[request.param]))

    yield arm
    killed = execute("SELECT is_called FROM kills")
    execute("DROP FUNCTION kill CASCADE; DROP SEQUENCE kills")
    assert killed == [(True,)]


def make_event():
    return Event.objects.create(
        name="customers.create", resource_type="customers", resource_id=make_customer().pk
    )


class TestLostConnections:
    pytestmark = lost_connections

    @pytest.mark.parametrize("status", [200, 500])
    def test_an_outcome_is_written_down_once_and_no_call_is_made_twice(self, kills, status):
        with receiver(status) as server, working():
            webhook = make_webhook(callback_url=server.url)
            kills("INSERT", "event_callbacks")
            for _ in range(5):
                make_event()
            assert comes(lambda: EventCallback.objects.count() == 5)
            left = {200: 0, 500: 5}[status]
            assert comes(lambda: Delivery.objects.count() == left)
        assert len({headers["webhook-id"] for headers, _ in server.received}) == 5
        assert len(server.received) == EventCallback.objects.count() == 5
        webhook.refresh_from_db()
        assert webhook.circuit_failure_count == left

    def test_connections_that_are_lost_during_a_call_are_made_again(self):
        release = threading.Event()
        with receiver(hang=release) as server, working():
            make_webhook(callback_url=server.url)
            make_event()
            assert comes(lambda: len(server.received) == 1)
            execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            release.set()
            assert comes(lambda: not Delivery.objects.exists() and EventCallback.objects.exists())
        assert len(server.received) == EventCallback.objects.count() == 1

    @pytest.mark.parametrize(("act", "table"), [("INSERT", "customers"), ("UPDATE", "imports")])
    def test_an_import_goes_on_at_the_next_input(self, kills, monkeypatch, act, table):
        monkeypatch.setattr(import_parts, "PART", 2)
        rows = [{"email": f"{number}@example.com"} for number in range(6)]
        job = imports.begin_import("customers", rows, mode="test", actor=None)
        kills(act, table)
        with working():
            assert comes(lambda: Import.objects.filter(status="completed").exists())
        job.refresh_from_db()
        assert (job.processed_count, job.errors_count, job.failures) == (6, 0, 0)
        assert Customer.objects.count() == 6
        made = Event.objects.filter(name="customers.create").values_list("resource_id", flat=True)
        assert len(made) == len(set(made)) == 6

    def test_an_export_goes_on_after_the_last_part(self, kills, monkeypatch):
        monkeypatch.setattr(exports, "PART", 2)
        emails = {make_customer().email for _ in range(5)}
        job = exports.begin_export("customers", mode="test", actor=None)
        kills("INSERT", "export_parts")
        with working():
            assert comes(lambda: Export.objects.filter(status="completed").exists())
        job.refresh_from_db()
        assert (job.processed_count, job.failures) == (5, 0)
        assert ExportPart.objects.count() == 3
        rows = json.loads(b"".join(map(gzip.decompress, exports.export_content(job))))
        assert [row["email"] for row in rows] == sorted(
            emails, key=[r["email"] for r in rows].index
        )
        assert len(rows) == 5

    def test_a_person_is_forgotten_in_the_same_attempt(self, kills):
        customer = make_customer(email="ada@example.com")
        with transaction.atomic():
            request_anonymization(customer, actor=None)
        Customer.objects.update(anonymize_at=timezone.now())
        kills("INSERT", "event_stores")
        with working():
            assert comes(lambda: Customer.objects.filter(anonymization_status="completed").exists())
        customer.refresh_from_db()
        assert customer.anonymization_attempts == 1
        assert customer.email == f"{customer.pk}@anonymized.invalid"
        assert Event.objects.filter(name="customers.anonymization_completed").count() == 1

    def test_a_bulk_act_is_done_once(self, kills, monkeypatch):
        monkeypatch.setattr(bulk, "CHUNK", 2)
        ids = [make_customer().pk for _ in range(5)]
        options = {"customer_group": make_group().pk}
        bulk.begin_bulk_act(ids, "set_group", mode="test", actor=None, options=options)
        kills("DELETE", "bulk_chunks")
        with working():
            assert comes(lambda: BulkAct.objects.exclude(finished_at=None).exists())
        assert BulkAct.objects.get().done == 5
        assert Customer.objects.exclude(customer_group=None).count() == 5
        assert EventStore.objects.filter(resource_id__in=ids, event="update").count() == 5

    def test_a_mail_is_sent_once(self, kills):
        mails.request_reset(make_customer(password="x").email, mode="test")
        kills("DELETE", "queued_mails")
        with working():
            assert comes(lambda: not QueuedMail.objects.exists())
        assert len(mail.outbox) == 1
        logged = EventStore.objects.filter(payload__mail__to="password_reset sent")
        assert logged.count() == 1


class Stop:
    """Of a threading.Event what a loop's pauses need; they take no time, and are remembered."""

    def __init__(self):
        self.pauses = []

    def wait(self, seconds):
        self.pauses.append(seconds)


def test_pauses_grow_while_the_database_is_away_and_are_short_again_when_it_is_back(caplog):
    stop = Stop()
    patience = worker._Patience(stop)
    for _ in range(10):
        with patience:
            raise OperationalError("ada@example.com")
        patience.rest(1)
    with patience:
        pass
    patience.rest(1)
    assert stop.pauses == [2, 4, 8, 15, 15, 15, 15, 15, 15, 15, 1]
    line = "The database does not answer; try again later. (OperationalError)"
    assert caplog.messages == [line] * 10
    assert "ada@" not in caplog.text


def test_a_fault_that_is_not_the_databases_is_not_passed_over():
    patience = worker._Patience(Stop())
    with pytest.raises(ZeroDivisionError), patience:
        1 / 0  # noqa: B018
