"""Copies of an installation, its own tables, and those of an older one."""

import re
import sqlite3
from contextlib import closing

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from customers.jobs import mails, webhook_dispatcher, worker
from customers.models import Delivery, Event, QueuedMail
from customers.services import restored_copies
from customers.services.passwords import hash_password
from customers.tests.conftest import staff_client
from customers.tests.factories import make_customer, make_event, make_webhook
from customers.tests.field.conftest import CHANGE
from customers.tests.field.doors import shown
from customers.tests.receivers import receiver
from project.env import networks

pytestmark = pytest.mark.thorough


def test_the_installation_that_was_copied_goes_on(restored):
    first, copy, server, _ = restored
    first.work()
    assert len(server.received) == 1
    assert "ada@example.com" in first.mailed
    done = copy.manage("export_customers", str(copy.folder / "x.csv"))
    assert done.returncode == 0, done.stderr
    assert "ada@example.com" in (copy.folder / "x.csv").read_text()


def test_the_service_starts_on_its_own_tables(installation):
    made = installation("own")
    assert made.manage("migrate", "--verbosity", "0").returncode == 0
    assert made.manage("work", "--once").returncode == 0
    told = made.shell("from django.test import Client; print(Client().get('/readyz').status_code)")
    assert told.strip().splitlines()[-1] == "200"


def released(told):
    """The command that the restoring names for letting webhooks and mails go."""
    return re.search(r"manage\.py (\w+)", told.partition("Restored")[2])[1]


def test_a_restored_copy_calls_and_mails_nobody_until_an_operator_says_so(restored):
    _, copy, server, told = restored
    copy.shell(CHANGE.replace("ada@", "bob@").format(url=server.url))
    said = copy.work() + copy.work()
    assert server.received == []
    assert copy.mailed == ""
    assert "webhooks" in told
    assert released(told) in said
    done = copy.manage(released(told))
    assert done.returncode == 0, done.stderr
    copy.work()
    told = b"".join(body for _, body in server.received)
    assert b"ada@example.com" in told
    assert b"bob@example.com" in told
    assert "ada@example.com" in copy.mailed
    assert "bob@example.com" in copy.mailed


def test_a_command_that_mails_at_once_waits_in_a_restored_copy_too(restored):
    _, copy, _, told = restored
    done = copy.manage("reset_customer_password", "ada@example.com")
    assert done.returncode == 1
    assert copy.mailed == ""
    assert released(told) in done.stderr


@pytest.fixture
def older(installation):
    """An installation whose tables were made by an earlier version."""
    made = installation("older")
    assert made.manage("migrate", "--verbosity", "0").returncode == 0
    with closing(sqlite3.connect(made.database)) as database:
        database.execute("ALTER TABLE imports DROP COLUMN refusals")
        database.commit()
    return made


def test_tables_of_an_earlier_version_are_refused_at_the_start_with_what_to_do(older):
    done = older.manage("work", "--once")
    assert done.returncode == 1
    assert "version" in done.stderr
    assert "docs/operating.md" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_service_on_tables_of_an_earlier_version_is_not_ready(older):
    told = older.shell("from django.test import Client; print(Client().get('/readyz').status_code)")
    assert told.strip().splitlines()[-1] == "503"


@pytest.fixture
def held(db):
    """This database is a restored copy, and nobody has released it."""
    restored_copies.hold()
    restored_copies.hold()  # as often as anyone likes


def test_what_waits_in_a_copy_is_neither_tried_nor_lost(held, settings):
    settings.OPERATOR_EMAIL = "operator@example.com"
    webhook, event = make_webhook(), make_event(make_customer())
    Delivery.objects.create(webhook=webhook, event=event)
    mails.request_reset("ada@example.com", mode="test")
    mails.notify_operator(webhook)
    done = [worker.run_once() for _ in range(3)]
    assert [(one["mails"], one["webhooks"]) for one in done] == [(0, 0)] * 3
    assert mail.outbox == []
    assert list(Delivery.objects.values_list("attempts", flat=True)) == [0]
    assert set(QueuedMail.objects.values_list("attempts", flat=True)) == {0}
    assert Event.objects.filter(undispatched=True).exists()


def test_mails_of_a_running_worker_go_when_a_copy_is_released(held):
    assert worker._deliver_next() is False
    make_customer(email="ada@example.com")
    mails.request_reset("ada@example.com", mode="test")
    assert worker._deliver_next() is False
    call_command("release_copy", verbosity=0)
    assert worker._deliver_next() is True
    assert mail.outbox[-1].to == ["ada@example.com"]


def test_calls_of_a_running_worker_go_when_a_copy_is_released(held, settings):
    settings.WEBHOOK_NETWORKS = networks(["127.0.0.0/8"])
    with receiver() as server:
        make_webhook(callback_url=server.url)
        make_event(make_customer())
        dispatcher = webhook_dispatcher.WebhookDispatcher()
        worker._call_due(dispatcher)
        assert Event.objects.filter(undispatched=True).exists()
        assert server.received == []
        restored_copies.release()
        while not server.received:
            worker._call_due(dispatcher)
        dispatcher.finish()
    assert not Delivery.objects.exists()


def test_what_is_no_copy_is_not_released(db):
    with pytest.raises(CommandError, match="no restored copy"):
        call_command("release_copy")


def test_the_console_says_that_it_is_a_copy(held, admin_client):
    assert "manage.py release_copy" in shown(admin_client.get("/admin/"))
    restored_copies.release()
    assert "release_copy" not in shown(admin_client.get("/admin/"))


def test_readyz_says_that_it_is_a_copy_and_is_ready(held, client):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert "manage.py release_copy" in answer.content.decode()
    restored_copies.release()
    assert client.get("/readyz").content == b"ready\n"


def test_staff_who_send_a_reset_from_a_copy_are_told_that_it_waits(held):
    customer = make_customer(email="ada@example.com", password=hash_password("a whole sentence"))
    page = f"/admin/customers/customer/{customer.pk}/reset-password/"
    answer = staff_client("administrator").post(page, {"how": "mail"}, follow=True)
    assert "Not yet sent" in shown(answer)
    worker.run_once()
    assert mail.outbox == []


def test_who_asks_a_copy_for_a_link_is_told_that_it_waits(held, client):
    asked = {"email": "ada@example.com"}
    answer = client.post("/test/password/forgot", asked, follow=True)
    assert "sends no e-mail yet" in shown(answer)
    restored_copies.release()
    answer = client.post("/test/password/forgot", asked, follow=True)
    assert "a link is on its way" in shown(answer)
