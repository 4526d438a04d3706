"""Copies of an installation, and tables of an older one."""

import os
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings

from customers.tests.receivers import receiver

ROOT = Path(settings.BASE_DIR)


PYTHON = ROOT / ".venv" / "bin" / "python"


pytestmark = pytest.mark.thorough


@pytest.fixture
def installation(tmp_path):
    """Makes an installation of its own in a folder: runs its commands and deploy's scripts."""

    class Installation:
        def __init__(self, name):
            self.folder = tmp_path / name
            self.folder.mkdir()
            self.database = self.folder / "it.db"
            self.mails = self.folder / "mails"
            self.environment = {
                "PATH": os.environ["PATH"],
                "DATA_DIR": str(self.folder / "data"),
                "DATABASE_URL": f"sqlite:///{self.database}",
                "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
                "EMAIL_URL": f"filemail:///{self.mails}",
                "PUBLIC_URL": "http://127.0.0.1:8000",
                "OPERATOR_EMAIL": "operator@example.com",
            }

        def run(self, *command, text=None):
            return subprocess.run(
                command,
                env=self.environment,
                cwd=ROOT,
                capture_output=True,
                text=True,
                input=text,
            )

        def manage(self, *arguments, text=None):
            return self.run(PYTHON, "manage.py", *arguments, text=text)

        def shell(self, text):
            done = self.manage("shell", "--no-imports", "-c", text)
            assert done.returncode == 0, done.stderr
            return done.stdout

        def work(self):
            done = self.manage("work", "--once")
            assert done.returncode == 0, done.stderr
            return done.stdout

        @property
        def mailed(self):
            texts = [one.read_text() for one in self.mails.glob("*")] if self.mails.exists() else []
            return "".join(texts)

    return Installation


CHANGE = """
from customers.models import QueuedMail
from customers.tests.factories import make_customer, make_event, make_webhook
make_webhook(callback_url={url!r})
make_event(make_customer(email="ada@example.com"))
QueuedMail.objects.create(mode="test", kind="password_reset", email="ada@example.com")
"""


@pytest.fixture
def restored(installation):
    """An installation with something to tell, the copy that was restored of it, and the receiver.

    Also what the restoring said.
    """
    with receiver() as server:
        first, copy = installation("first"), installation("copy")
        assert first.manage("migrate", "--verbosity", "0").returncode == 0
        first.shell(CHANGE.format(url=server.url))
        made = first.run(ROOT / "deploy" / "backup", str(first.folder / "backups"))
        assert made.returncode == 0, made.stderr
        told = copy.run(ROOT / "deploy" / "restore", made.stdout.strip())
        assert told.returncode == 0, told.stderr
        yield first, copy, server, told.stdout


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
