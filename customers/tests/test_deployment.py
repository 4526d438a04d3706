"""What is in deploy/: scripts and files that the guide to operating tells to use."""

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from shutil import which
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse

from customers.tests.conftest import needs_postgresql
from deploy.checks.__main__ import arguments
from deploy.checks.harness import Ledger

pytestmark = pytest.mark.thorough

ROOT = Path(settings.BASE_DIR)


@pytest.fixture
def deploy(tmp_path):
    """Runs a script of deploy/ with arguments, in an environment that has only what is given."""

    def run(script, *arguments, **environment):
        return subprocess.run(
            [ROOT / "deploy" / script, *arguments],
            env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "data"), **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    return run


def test_a_backup_holds_the_database_of_the_settings_wherever_it_is(deploy, tmp_path):
    path = tmp_path / "elsewhere?.db"
    with closing(sqlite3.connect(path)) as there:
        there.executescript("CREATE TABLE customers (id); INSERT INTO customers VALUES ('ada')")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secret_key").write_text("k" * 50)
    done = deploy("backup", "backups", DATABASE_URL=f"sqlite:///{tmp_path}/elsewhere%3F.db")
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    assert folder.parent == tmp_path / "backups"
    with closing(sqlite3.connect(folder / "database.sqlite3")) as copy:
        assert copy.execute("SELECT id FROM customers").fetchall() == [("ada",)]
    assert (folder / "secret_key").read_text() == "k" * 50


@needs_postgresql
@pytest.mark.skipif(not which("pg_dump"), reason="the backup asks for it")
def test_a_backup_of_postgresql_follows_any_of_its_addresses(deploy):
    given = urlsplit(os.environ["DATABASE_URL"])
    url = given._replace(scheme="psql", path=f"/{connection.settings_dict['NAME']}").geturl()
    done = deploy("backup", "backups", DATABASE_URL=url, SECRET_KEY="k" * 50)
    assert done.returncode == 0, done.stderr
    dump = Path(done.stdout.strip()) / "database.dump"
    shown = subprocess.run(["pg_restore", "--list", dump], capture_output=True, text=True)
    assert " TABLE DATA public customers " in shown.stdout


@pytest.mark.parametrize(
    ("made", "missing"),
    [
        (None, "it.db has no tables of the service."),
        ("", "it.db has no tables of the service."),
        ("CREATE TABLE customers (id)", "data has no secret_key."),
    ],
)
def test_a_backup_that_would_lack_something_is_refused(deploy, tmp_path, made, missing):
    path = tmp_path / "it.db"
    if made is not None:
        with closing(sqlite3.connect(path)) as there:
            there.executescript(made)
    done = deploy("backup", "backups", DATABASE_URL=f"sqlite:///{path}")
    assert done.returncode == 1
    assert f"{missing} Nothing was written." in done.stderr
    assert list(tmp_path.iterdir()) == [path] * (made is not None)


def test_a_restore_over_something_is_refused(deploy, tmp_path):
    path = tmp_path / "mine.db"
    with closing(sqlite3.connect(path)) as there:
        there.execute("CREATE TABLE mine (id)")
    (tmp_path / "database.sqlite3").touch()
    done = deploy("restore", ".", DATABASE_URL=f"sqlite:///{path}")
    assert (done.returncode, done.stderr) == (
        1,
        "The database is not empty. Nothing was changed.\n",
    )
    with closing(sqlite3.connect(path)) as there:
        assert there.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]


def test_nginx_passes_on_the_largest_body_that_the_service_takes():
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    sizes = re.findall(r"(?:location = (\S+) {\n)?\s+client_max_body_size (\d+)m;", site)
    assert {path: int(megabytes) * 2**20 for path, megabytes in sizes} == {
        "": settings.MAX_BODY_BYTES,
        "/api/imports": settings.MAX_IMPORT_BYTES,
        reverse("admin:customers_customer_import"): settings.MAX_BODY_BYTES
        + settings.MAX_UPLOAD_BYTES,
    }


def test_the_image_has_the_app_alone():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[0] == "*"
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert kept == {"manage.py", "requirements.txt", "project", "templates", "customers"}
    built = (ROOT / "Dockerfile").read_text()
    assert "RUN rm -rf /srv/clientele/customers/tests " in built


@pytest.mark.parametrize(
    ("asked", "locked"),
    [
        (".ci/requirements/runtime.in", "requirements.txt"),
        (".ci/requirements/tests.in", "customers/tests/requirements.txt"),
        (".ci/requirements/tools.in", ".ci/requirements/tools.txt"),
    ],
)
def test_what_is_installed_is_pinned_and_hashed_and_names_no_registry(asked, locked):
    text = (ROOT / locked).read_text()
    assert "://" not in text
    entries = re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "").splitlines()
    entry = re.compile(r"([a-z0-9.-]+)==([\w.]+)(?: +; [^-]+?)?((?: +--hash=sha256:[0-9a-f]{64})+)")
    pinned = {found[1]: found[2] for found in map(entry.fullmatch, entries)}
    wanted = re.findall(r"^([a-z0-9-]+)(?:\[\w+\])?==(\S+)", (ROOT / asked).read_text(), re.M)
    assert wanted
    assert {name: pinned[name] for name, _ in wanted} == dict(wanted)


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["benchmark", "--server", "gunicorn"], "Install gunicorn first: .venv/bin/pip install"),
        (["benchmark"], "Set DATABASE_URL to PostgreSQL"),
        (["benchmark", "--only", "W1,W9"], "There is no W9; there is W1, W2, W3, W4a, W4b, W5"),
        (["benchmark", "--only", ""], "There is no ; there is W1"),
        (["benchmark", "--only", "W1", "--growth"], "--growth: not allowed with argument --only"),
        (["resilience", "flood"], "There is no flood; there is outage, stop, pgbouncer"),
    ],
)
def test_a_check_that_cannot_be_made_is_refused(monkeypatch, capsys, words, refusal):
    monkeypatch.setitem(sys.modules, "gunicorn", None)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///x")
    with pytest.raises(SystemExit) as ended:
        arguments(words)
    assert ended.value.code == 2
    assert refusal in capsys.readouterr().err


def test_a_ledger_tells_what_is_lost_and_what_nobody_was_told_of():
    rows = {"id, metadata": [("a", None), ("b", "1"), ("x", None)], "id FROM": [("a",), ("x",)]}
    ledger = Ledger()
    ledger.sizes = {"a": None, "b": 2, "c": None}
    cluster = SimpleNamespace(rows=lambda sql: next(v for k, v in rows.items() if k in sql))
    assert ledger.lost(cluster) == ["b", "c"]
    assert ledger.unacknowledged(cluster) == ["x"]


def test_containers_take_every_setting_from_one_file():
    service = (ROOT / "compose.yaml").read_text().partition("services:")[0]
    assert "  env_file: [{path: .env, required: false}]\n" in service
    fixed = re.findall(r"^    ([A-Z_]+):", service, re.MULTILINE)  # wins over the file
    assert fixed == ["DATABASE_URL", "REDIS_URL", "SECRET_KEY", "LOG_FORMAT"]


SYSTEMCTL = """#!/bin/sh
cat {root}/deploy/"$2"
"""
SYSTEMD_RUN = """#!/bin/sh
printf '%s\\n' "$@"
"""


def test_a_command_is_run_as_the_service_is(deploy, tmp_path):
    """With stand-ins for systemd, which say what they are asked for."""
    for name, text in (("systemctl", SYSTEMCTL), ("systemd-run", SYSTEMD_RUN)):
        (tmp_path / name).write_text(text.replace("{root}", str(ROOT)))
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    asked = deploy("run", "DEBUG=no", "python", "a b", PATH=path).stdout.splitlines()
    assert asked[-4:] == ["/usr/bin/env", "DEBUG=no", "python", "a b"]
    for property in (
        "User=clientele",
        "WorkingDirectory=/srv/clientele",
        "EnvironmentFile=/etc/clientele.env",
        "Environment=DATA_DIR=/var/lib/clientele LOG_FORMAT=json",
        "StateDirectory=clientele",
        f"Environment=PATH={ROOT}/.venv/bin:/usr/local/bin:/usr/bin:/bin",
    ):
        assert f"--property={property}" in asked
    (tmp_path / "systemctl").write_text("#!/bin/sh\nexit 1\n")
    done = deploy("run", "python", PATH=path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Copy deploy/clientele-*.service to /etc/systemd/system/ first.\n"
