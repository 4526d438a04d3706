"""Figures of the server as it is documented: a real one, with two processes."""

import os
import signal
import socket
import threading
import time
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from customers.models import WorkerHeartbeat
from customers.tests.conftest import needs_postgresql
from customers.tests.servers import free_port, start_server, wait_for_server
from deploy.checks.harness import children

NOT_FOUND = 'clientele_requests_total{method="GET",route="/.well-known/{path}",status="404"}'
HEARTBEAT = 'clientele_worker_heartbeat_timestamp_seconds{work="mails"}'


class Relay:
    """Stands before PostgreSQL, and can be as if that was stopped."""

    def __init__(self, address):
        self.address, self.open = address, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=[self.listener], daemon=True).start()

    def _accept(self, listener):
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(self.address)
                self.open += [client, server]
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._copy, args=ends, daemon=True).start()

    def _copy(self, source, target):
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def stop(self):
        for one in (self.listener, *self.open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.open.clear()

    def start(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=[self.listener], daemon=True).start()


@pytest.fixture
def relay():
    given = connection.get_connection_params()
    relay = Relay((given.get("host") or "127.0.0.1", int(given.get("port") or 5432)))
    yield relay
    relay.stop()


@pytest.fixture
def server(relay, tmp_path):
    """The server's process and a function that asks it: the status and the body of an answer."""
    given = urlsplit(os.environ["DATABASE_URL"])
    user, _, _ = given.netloc.rpartition("@")
    url = given._replace(
        netloc=f"{user}@127.0.0.1:{relay.port}", path=f"/{connection.settings_dict['NAME']}"
    ).geturl()
    with ExitStack() as stack:
        port = free_port()
        process = start_server(
            port,
            env={
                "PATH": os.environ["PATH"],
                "DATA_DIR": str(tmp_path),
                "DATABASE_URL": url,
                "WEB_CONCURRENCY": "2",
                "LOG_LEVEL": "ERROR",
            },
        )
        stack.callback(process.wait, 60)
        stack.callback(process.terminate)

        def ask(path):
            with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as line:
                line.request("GET", path)
                answer = line.getresponse()
                return answer.status, answer.read().decode()

        ask.port = port
        yield process, ask


def figures(ask):
    status, text = ask("/metrics")
    assert status == 200
    lines = (line.rpartition(" ") for line in text.splitlines() if line[0] != "#")
    return {name: float(value) for name, _, value in lines}


def replace_workers(process, ask):
    """Kill the server's processes, and wait until it has started others."""
    before = set(children(process.pid))
    assert len(before) == 2
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    while len(set(children(process.pid)) - before) < 2:
        time.sleep(0.01)
    wait_for_server(process, ask.port)


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_all_requests_are_counted_and_what_is_known_stays_while_the_database_is_away(server, relay):
    process, ask = server
    seen_at = timezone.now().replace(microsecond=0)
    WorkerHeartbeat.objects.create(work="mails", seen_at=seen_at)
    for _ in range(20):
        assert ask("/.well-known/nothing")[0] == 404
    found = figures(ask)
    assert found[NOT_FOUND] == 20
    assert (found["clientele_ready"], found[HEARTBEAT]) == (1, seen_at.timestamp())
    assert found['clientele_waiting{what="mails"}'] == 0

    replace_workers(process, ask)
    for _ in range(20):
        assert ask("/.well-known/nothing")[0] == 404
    assert figures(ask)[NOT_FOUND] == 40

    relay.stop()
    for _ in range(4):  # of either process
        found = figures(ask)
        assert (found["clientele_ready"], found[HEARTBEAT]) == (0, seen_at.timestamp())
        assert 'clientele_waiting{what="mails"}' not in found
    assert found[NOT_FOUND] == 40
    relay.start()
    assert figures(ask)["clientele_ready"] == 1
