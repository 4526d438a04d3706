"""What lies on the disk is its owner's alone, whatever the umask of who started the service."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings

from customers.services import private_files, signing_keys
from customers.services.private_files import PrivateConnection, make_folder, narrow

pytestmark = pytest.mark.thorough

MAKING = """
import os
os.umask(0)
import django
django.setup()
from django.db import connection
from customers.services import signing_keys
signing_keys.keys()
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE t (a)")
    cursor.execute("INSERT INTO t VALUES (1)")
    for folder, folders, files in os.walk(os.environ["DATA_DIR"]):
        for name in [".", *files]:
            path = os.path.join(folder, name)
            print(oct(os.stat(path).st_mode & 0o777), os.path.relpath(path, os.environ["DATA_DIR"]))
"""


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def mode_of(path):
    return path.stat().st_mode & 0o777


def connected(path):
    """Modes by ending of the files of the SQLite database `path`, while something is written."""
    private_files._narrowed.clear()  # as in a new process
    with closing(PrivateConnection(str(path), isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE IF NOT EXISTS t (a)")
        connection.execute("INSERT INTO t VALUES (1)")
        files = path.parent.glob(f"{path.name}*")
        return {file.name.removeprefix(path.name): mode_of(file) for file in files}


def test_a_service_that_starts_makes_nothing_that_others_read(tmp_path):
    folder = tmp_path / "data"
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**kept, "DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "project.settings"}
    done = subprocess.run(
        [sys.executable, "-c", MAKING],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = dict(line.split()[::-1] for line in done.stdout.splitlines())
    database = "clientele.sqlite3"
    names = {".", "secret_key", "keys", database, f"{database}-wal", f"{database}-shm"}
    (key,) = found.keys() - names
    assert key.startswith("keys/0001-")
    assert found == {name: "0o700" if name in (".", "keys") else "0o600" for name in {*names, key}}


def test_a_database_is_made_for_its_owner_alone(tmp_path, open_umask):
    assert connected(tmp_path / "new.sqlite3") == {"": 0o600, "-wal": 0o600, "-shm": 0o600}


def test_a_database_that_others_could_read_is_taken_from_them(tmp_path, open_umask):
    path = tmp_path / "old.sqlite3"
    with closing(PrivateConnection(str(path))) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (a)")
        for file in tmp_path.iterdir():
            file.chmod(0o666)
        assert connected(path) == {"": 0o600, "-wal": 0o600, "-shm": 0o600}


def test_a_folder_that_is_not_ours_to_close_stays_open(tmp_path, open_umask):
    tmp_path.chmod(0o1777)
    narrow(tmp_path)
    narrow(tmp_path / "missing")
    connected(tmp_path / "new.sqlite3")
    assert tmp_path.stat().st_mode & 0o7777 == 0o1777


def test_what_a_database_cannot_be_in_is_told_by_sqlite(tmp_path):
    with pytest.raises(Exception, match="unable to open database file"):
        PrivateConnection(str(tmp_path / "missing" / "new.sqlite3"))
    assert not (tmp_path / "missing").exists()


def test_keys_and_their_folder_that_others_could_read_are_taken_from_them(
    tmp_path, open_umask, monkeypatch
):
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path / "data")
    signing_keys.make_key()
    folder = tmp_path / "data" / "keys"
    (key,) = folder.iterdir()
    assert (mode_of(folder), mode_of(key)) == (0o700, 0o600)
    folder.chmod(0o777)
    key.chmod(0o644)
    signing_keys._load.cache_clear()
    signing_keys.keys()
    assert (mode_of(folder), mode_of(key)) == (0o700, 0o600)


def test_a_folder_is_made_and_kept_for_its_owner(tmp_path, open_umask):
    folder = Path(tmp_path / "a" / "b")
    make_folder(folder)
    assert mode_of(folder) == 0o700
    folder.chmod(0o755)
    make_folder(folder)
    assert mode_of(folder) == 0o700
