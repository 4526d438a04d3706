"""Starts servers, sends them requests and reads from /proc what these cost."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from deploy.checks.harness import descendants, stop

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


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

    def cpu(self) -> tuple[float, float]:
        """Seconds of CPU so far: of the server's processes, and of their database's."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = %s",
                [f"bench-{self.name}"],
            ).fetchall()
        return (
            sum(_cpu(pid) for pid in descendants(self.process.pid)),
            sum(_cpu(pid) for (pid,) in rows),
        )

    def memory(self) -> float:
        """The largest resident size of its processes, in MB."""
        return max(_resident(pid) for pid in descendants(self.process.pid))

    def stop(self) -> None:
        stop(self.process, seconds=10)


def _cpu(pid: int) -> float:
    total = 0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(path.read_text().split()[0])
        except OSError:  # the thread has ended
            continue
    return total / 1e9


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

    Raises RuntimeError when an answer has another status.
    """
    times: list[float] = []
    wrong: list[tuple[Any, ...]] = []
    lock = threading.Lock()
    end = 0.0

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
    before, start = server.cpu(), time.perf_counter()
    end = start + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed, spent = time.perf_counter() - start, server.cpu()
    if wrong:
        raise RuntimeError(wrong[0])
    return Result(times, elapsed, spent[0] - before[0], spent[1] - before[1])
