"""Copies of an installation, and its own tables."""

import os
import subprocess
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
