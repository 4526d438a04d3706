"""Starts servers, sends them requests and reads from the system what these cost."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from deploy.checks.harness import descendants, stop

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
TRIES = 5  # of a spell whose CPU cannot be read
Clocks = dict[tuple[int, object], float]  # seconds of CPU by process: its pid, and when it began


class CpuUnknownError(Exception):
    """What a spell has cost in CPU cannot be told; the message says why."""


class Server:
    """One WSGI application in a server of its own, with its own database connections."""

    def __init__(
        self,
        name: str,
        module: str,
        url: str,
        port: int,
        environment: dict[str, str],
        kind: str = "granian",
    ) -> None:
        self.name = name
        self.port = port
        self.url = url
        self.headers: dict[str, str] = {}
        self.session = ""  # of the admin
        inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
        env = {
            **inherited,
            "PGAPPNAME": f"bench-{name}",
            "DATABASE_URL": url,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            **environment,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", *self._command(kind, module)], env=env
        )

    def _command(self, kind: str, module: str) -> list[str]:
        address = f"127.0.0.1:{self.port}"
        if kind == "granian":
            options = ["--interface", "wsgi", "--workers", "1", "--blocking-threads", "8"]
            options += ["--http", "1", "--no-ws"]
            host, _, port = address.partition(":")
            where = ["--host", host, "--port", port, "--no-access-log", "--log-level", "warning"]
            return ["granian", *options, *where, f"{module}:application"]
        options = ["--worker-class", "gthread", "--workers", "1", "--threads", "8"]
        options += ["--keep-alive", "75", "--log-level", "warning"]
        options += ["--config", "python:deploy.checks"]
        return ["gunicorn", *options, "--bind", address, f"{module}:application"]

    def wait(self, path: str) -> None:
        """Return once `path` is answered with 200. Raises RuntimeError after 30 seconds."""
        body = b""
        for _ in range(300):
            try:
                status, body = self.send(self.request("GET", path))
                if status == 200:
                    return
            except OSError:
                body = b"no connection"
            time.sleep(0.1)
        raise RuntimeError(f"{self.name} answers {body[:300]!r}")

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> bytes:
        """The bytes of a request."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        shown = {"Accept": "application/vnd.api+json", **self.headers, **(headers or {})}
        if body:
            shown |= {"Content-Type": "application/vnd.api+json", "Content-Length": str(len(body))}
        lines += [f"{name}: {value}" for name, value in shown.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to `request`, on a connection of its own."""
        with Connection(self.port) as connection:
            return connection.send(request)

    def clocks(self) -> tuple[Clocks, Clocks]:
        """The CPU so far of each of the server's processes, and of its database connections'."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT pid, backend_start FROM pg_stat_activity WHERE application_name = %s",
                [f"bench-{self.name}"],
            ).fetchall()
        own = ((pid, None) for pid in descendants(self.process.pid))
        return read_clocks(own), read_clocks(rows)

    def memory(self) -> float:
        """The largest resident size of its processes, in MB."""
        return max(_resident(pid) for pid in descendants(self.process.pid))

    def stop(self) -> None:
        stop(self.process, seconds=10)


def read_clocks(processes: Iterable[tuple[Any, ...]]) -> Clocks:
    """The CPU of each process that there still is, pairs of pid and start.

    It is the clock of clock_getcpuclockid(3), which keeps what threads that have ended have spent.
    """
    found: Clocks = {}
    for pid, began in processes:
        with suppress(OSError):
            found[pid, began] = time.clock_gettime(~pid << 3 | 2)
    return found


def spent(before: Clocks, after: Clocks) -> float:
    """Seconds of CPU between two readings; a process that began in between counts whole.

    Raises CpuUnknownError when one has ended in between, or none has spent any.
    """
    if before.keys() - after.keys():
        raise CpuUnknownError("A process or a database connection ended in it.")
    seconds = sum(after.values()) - sum(before.values())
    if seconds <= 0:
        raise CpuUnknownError("It has cost the server, or its database, no CPU at all.")
    return seconds


def _resident(pid: int) -> float:
    (kilobytes,) = re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(kilobytes) / 1024


class Connection:
    """A connection that is kept alive."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to the bytes of a request."""
        self.socket.sendall(request)
        received = self.socket.recv(262144)
        while HEAD_END not in received:
            received += self._more()
        head, _, body = received.partition(HEAD_END)
        status, length = int(head[9:12]), LENGTH.search(head)
        while length and len(body) < int(length[1]):
            body += self._more()
        return status, body

    def _more(self) -> bytes:
        received = self.socket.recv(262144)
        if not received:
            raise ConnectionResetError("The server closed the connection.")
        return received


class Result:
    """What requests of one workload cost: `per_second`, `milliseconds` by percentile, CPU."""

    def __init__(
        self, times: list[float], seconds: float, server_cpu: float, database_cpu: float
    ) -> None:
        ordered, self.count = sorted(times), len(times)
        self.per_second = len(times) / seconds
        self.percentiles = {
            point: 1000 * ordered[min(int(len(ordered) * point / 100), len(ordered) - 1)]
            for point in (50, 95, 99)
        }
        self.server = 1000 * server_cpu / len(times)
        self.database = 1000 * database_cpu / len(times)

    @property
    def cpu(self) -> float:
        """Milliseconds of CPU per request, server and database."""
        return self.server + self.database


def load(
    server: Server, requests: Iterator[tuple[bytes, int]], connections: int, seconds: float
) -> Result:
    """The Result of sending `requests`, an endless iterator of (bytes, status), for `seconds`.

    Of a spell whose CPU cannot be read the next one is taken. Raises RuntimeError when there are
    too many of these, or when an answer has another status.
    """
    reason = ""
    for _ in range(TRIES):
        before = server.clocks()
        times, elapsed = _send_for(server, requests, connections, seconds)
        try:
            own, database = map(spent, before, server.clocks())
        except CpuUnknownError as error:
            reason = str(error)
        else:
            return Result(times, elapsed, own, database)
    raise RuntimeError(f"No spell of {TRIES} on {server.name} could be measured. {reason}")


def _send_for(
    server: Server, requests: Iterator[tuple[bytes, int]], connections: int, seconds: float
) -> tuple[list[float], float]:
    """How long each request took, and all of them together."""
    times: list[float] = []
    wrong: list[tuple[Any, ...]] = []
    lock = threading.Lock()
    began = time.perf_counter()
    end = began + seconds

    def run() -> None:
        mine = []
        with Connection(server.port) as connection:
            while (start := time.perf_counter()) < end and not wrong:
                with lock:
                    request, wanted = next(requests)
                status, body = connection.send(request)
                mine.append(time.perf_counter() - start)
                if status != wanted:
                    wrong.append((server.name, status, request[:300], body[:600]))
        times.extend(mine)

    threads = [threading.Thread(target=run) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(wrong[0])
    return times, time.perf_counter() - began
