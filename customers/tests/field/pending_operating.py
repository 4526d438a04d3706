"""Copies of an installation, and tables of an older one."""

import re
import sqlite3
from contextlib import closing

import pytest

from customers.tests.field.conftest import CHANGE

pytestmark = pytest.mark.thorough


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
