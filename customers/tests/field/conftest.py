"""Rows that are there, and installations of their own, to copy and to restore."""

import os
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from customers.tests.factories import make_customer, make_group, make_order, make_tag
from customers.tests.receivers import receiver

ROOT = Path(settings.BASE_DIR)


PYTHON = ROOT / ".venv" / "bin" / "python"


@pytest.fixture
def taken():
    """What other rows have already."""
    make_customer(email="taken@example.com")
    make_group(code="taken"), make_tag(name="taken"), make_order(number="taken")


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
