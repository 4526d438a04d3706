"""What the checks share: PostgreSQL clusters, the service on them, and a ledger of its answers."""

import contextlib
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from http.client import HTTPMessage
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[2]
JSON_API = "application/vnd.api+json"
OWNER = "postgres" if os.geteuid() == 0 else None  # whom PostgreSQL runs as: never root
WEB = ["-m", "project.server"]
Answer = tuple[int, HTTPMessage, bytes]


class ConnectionLostError(Exception):
    """A connection was reset before any of the answer came."""


# Processes


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def comes_true(condition: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether `condition` returns true within `seconds`."""
    last = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < last:
        time.sleep(0.2)
    return found


def children(pid: int) -> list[int]:
    """The processes whose parent is `pid`."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread has ended
            found += map(int, path.read_text().split())
    return found


def descendants(pid: int) -> list[int]:
    """`pid`, its children, their children, and so on."""
    return [pid, *(one for child in children(pid) for one in descendants(child))]


def kill(*pids: int) -> None:
    """kill -9 each that still runs."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def stop(process: subprocess.Popen[bytes], number: int = signal.SIGTERM, seconds: int = 40) -> None:
    """Send the signal `number` and wait for the end; kill what has not ended by then."""
    process.send_signal(number)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        kill(*descendants(process.pid))
        process.wait()


def run(*command: object, **options: Any) -> str:
    """What `command` prints. Raises CalledProcessError when it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, check=True, capture_output=True, text=True, **options)
    return done.stdout


class Sandbox(contextlib.ExitStack):
    """A temporary folder and all that is started in it; everything ends with the block."""

    folder: Path

    def __enter__(self) -> "Sandbox":
        folder = tempfile.TemporaryDirectory(prefix="clientele-", ignore_cleanup_errors=True)
        self.folder = Path(self.enter_context(folder))
        if OWNER:
            os.chown(self.folder, pwd.getpwnam(OWNER).pw_uid, -1)
        return self


# PostgreSQL


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs. Exits with a sentence where it is missing."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name) or sys.exit(f"Install {name}.")


class Cluster:
    """A PostgreSQL of its own; with `primary`, a replica of that one."""

    def __init__(
        self, sandbox: Sandbox, name: str, primary: "Cluster | None" = None, port: int | None = None
    ) -> None:
        self.folder, self.log = sandbox.folder / name, sandbox.folder / f"{name}.log"
        self.is_replica, self.port = primary is not None, port or free_port()
        if primary:
            options = ["-R", "-X", "stream", "-c", "fast", "-d", primary.address]
            run(program("pg_basebackup"), "-D", self.folder, *options, user=OWNER, cwd="/")
        else:
            options = ["-A", "trust", "-U", "postgres", "-E", "UTF8"]
            run(program("initdb"), "-D", self.folder, *options, user=OWNER, cwd="/")
        self.start()
        sandbox.callback(self.stop)
        if not primary:
            self.value("CREATE DATABASE clientele", database="postgres")

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/clientele"

    @property
    def address(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres"

    def start(self) -> None:
        """Return once it takes connections."""
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "autovacuum=off"]
        settings += ["log_statement=all"] * self.is_replica
        options = [word for setting in settings for word in ("-c", setting)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [program("postgres"), "-D", self.folder, "-p", str(self.port), *options],
                stdout=log,
                stderr=log,
                user=OWNER,
                cwd="/",
            )
        if not comes_true(self._answers, 60):
            raise RuntimeError(f"PostgreSQL does not start: {self.log.read_text()[-500:]}")

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return self.value("SELECT true", database="postgres") is True
        return False

    def stop(self, number: int = signal.SIGINT) -> None:
        """SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one."""
        stop(self.process, number)

    def kill(self) -> None:
        """kill -9 all of it."""
        kill(*descendants(self.process.pid))
        self.process.wait()

    def value(self, sql: str, database: str = "clientele") -> Any:
        """The first value of the first row."""
        rows = self.rows(sql, database)
        return rows[0][0] if rows else None

    def rows(self, sql: str, database: str = "clientele") -> list[tuple[Any, ...]]:
        with psycopg.connect(f"{self.address} dbname={database}", autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []


# The service


class Service:
    """The service in front of the database at `url`: its web server, and workers if asked for."""

    def __init__(
        self, sandbox: Sandbox, url: str, *, workers: int = 0, migrate_at: str = "", **settings: str
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder, self.token = sandbox.folder / "service", ""
        self.folder.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(self.folder),
            "DATABASE_URL": url,
            "PUBLIC_URL": self.url,
            "BIND": f"127.0.0.1:{self.port}",
            "WEB_CONCURRENCY": "2",
            "LOG_LEVEL": "ERROR",
            **settings,
        }
        self.manage("migrate", "-v0", DATABASE_URL=migrate_at or url)
        shown = self.manage("create_application", "Load")
        pairs = (line.split() for line in shown.splitlines() if ": " in line)
        self.credential = {name.rstrip(":"): value for name, value in pairs}
        self.names = ["web", *(f"worker {number + 1}" for number in range(workers))]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        sandbox.callback(self.stop)
        for name in self.names:
            self.start(name)
        self.log_in()

    def manage(self, *arguments: str, **environment: str) -> str:
        """What a command of manage.py prints."""
        env = {**self.environment, **environment}
        return run(sys.executable, ROOT / "manage.py", *arguments, cwd=ROOT, env=env)

    def start(self, name: str) -> None:
        words = WEB if name == "web" else ["manage.py", "work"]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *words], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )

    def log_in(self) -> None:
        """Take the token of the service's application, as soon as it is answered."""
        form = json.dumps({"grant_type": "client_credentials", **self.credential})
        while not self.token:
            with contextlib.suppress(OSError, http.client.HTTPException, ConnectionLostError):
                body = self.call("POST", "/oauth/token", form, "application/json")[2]
                self.token = json.loads(body)["access_token"]
            time.sleep(0.1)

    def call(
        self, method: str, path: str, body: str = "", kind: str = JSON_API, **headers: str
    ) -> Answer:
        """Status, headers and body of one request on a connection of its own.

        Raises ConnectionLostError when it is reset before any of the answer has come.
        """
        headers |= {"Content-Type": kind, "Authorization": f"Bearer {self.token}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            try:
                connection.request(method, path, body or None, headers)
                response = connection.getresponse()
            except http.client.RemoteDisconnected:
                raise  # it was accepted, and left without an answer
            except (ConnectionResetError, BrokenPipeError) as error:
                raise ConnectionLostError from error
            return response.status, response.headers, response.read()

    def create(self, kind: str, attributes: dict[str, Any], **headers: str) -> Answer:
        document = {"data": {"type": kind, "attributes": attributes}}
        return self.call("POST", f"/api/{kind}", json.dumps(document), **headers)

    def kill(self, name: str) -> None:
        """kill -9 the process `name` and all that it has started."""
        kill(*descendants(self.processes[name].pid))
        self.processes[name].wait()

    def stop(self) -> None:
        for process in self.processes.values():
            stop(process)


class Ledger:
    """The customers whose writing was acknowledged, to be compared with those there are."""

    def __init__(self) -> None:
        self.sizes: dict[str, int | None] = {}  # by id, as last acknowledged

    def lost(self, cluster: Cluster) -> list[str]:
        """Ids of customers that are not there, or not as they were acknowledged."""
        rows = cluster.rows("SELECT id, metadata ->> 'size' FROM customers")
        found = {pk: size and int(size) for pk, size in rows}
        return [pk for pk, size in self.sizes.items() if (pk, size) not in found.items()]

    def unacknowledged(self, cluster: Cluster) -> list[str]:
        """Ids of customers that nobody was told of."""
        ids: Iterable[str] = (pk for (pk,) in cluster.rows("SELECT id FROM customers"))
        return [pk for pk in ids if pk not in self.sizes]

    def doubled(self, cluster: Cluster) -> list[str]:
        """E-mail addresses that more than one customer has."""
        counts = Counter(email for (email,) in cluster.rows("SELECT email FROM customers"))
        return [email for email, count in counts.items() if count > 1]
