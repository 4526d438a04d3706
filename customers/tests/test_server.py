"""How the web server treats connections: a real one, with an application of its own."""

import json
import os
import signal
import socket
import time
from contextlib import ExitStack

import pytest

from customers.tests.servers import free_port, start_server

pytestmark = pytest.mark.thorough

APPLICATION = """
import itertools
import time

answers = itertools.count(1)

def application(environ, start_response):
    path = environ["PATH_INFO"]
    time.sleep({"/slow": 0.5, "/busy": 0.01}.get(path, 0))
    1 / (path != "/crash")
    body = path.encode() + environ["wsgi.input"].read()
    number = next(answers)
    body = str(number).encode() if path == "/number" else body
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""
THREADS = 2


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)

    def send(self, *paths, body=b""):
        head = f"Host: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        self.socket.sendall(
            b"".join(f"POST {path} HTTP/1.1\r\n".encode() + head + body for path in paths)
        )

    def read(self):
        """The body of the next answer."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._byte()
        head = received.decode().lower()
        length = int(head.partition("content-length:")[2].split("\r\n")[0])
        return b"".join(self._byte() for _ in range(length)).decode()

    def _byte(self):
        byte = self.socket.recv(1)
        if not byte:
            raise ConnectionResetError
        return byte


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("log") / "log"


@pytest.fixture(scope="module")
def server(tmp_path_factory, log):
    """A server process, and a function that connects to it. The last test stops it."""
    tmp_path = tmp_path_factory.mktemp("served")
    (tmp_path / "served.py").write_text(APPLICATION)
    port = free_port()
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "LOG_FORMAT": "json"}
    env |= {"WEB_CONCURRENCY": "1", "WEB_THREADS": str(THREADS)}
    with ExitStack() as stack:
        output = stack.enter_context(log.open("w"))
        process = start_server(port, "served:application", env=env, stderr=output)
        stack.callback(process.wait)
        stack.callback(process.kill)

        def connect():
            connection = Connection(port)
            stack.callback(connection.socket.close)
            return connection

        yield process, connect


def test_connections_are_kept_and_served_in_order(server):
    """At once, in one packet, after a rest, and more of them than there are threads."""
    _, connect = server
    one = connect()
    for number in range(3):
        one.send(f"/{number}", body=b"!")
        assert one.read() == f"/{number}!"
    one.send("/a", "/b", "/c", body=b"?")
    assert [one.read() for _ in range(3)] == ["/a?", "/b?", "/c?"]
    time.sleep(0.05)  # longer than a thread lingers
    many = [one, *(connect() for _ in range(3 * THREADS))]
    for turn in range(5):
        for connection in many:
            connection.send(f"/{turn}")
        assert {connection.read() for connection in many} == {f"/{turn}"}


def test_a_busy_connection_keeps_no_other_from_being_served(server):
    _, connect = server
    busy, others = [connect() for _ in range(THREADS)], [connect() for _ in range(4)]
    for connection in (*busy, *others):  # a thread would wait for the first request of each
        connection.send("/number")
        before = int(connection.read())
    for connection in busy:
        connection.send(*["/busy"] * 100)  # there is always a next one to be read
    for connection in busy:
        assert connection.read() == "/busy"
    for connection in others:
        connection.send("/number")
    for connection in others:
        assert int(connection.read()) - before < 100
    for connection in busy:
        connection.socket.close()


def test_what_fails_is_logged_by_its_kind_and_what_cannot_be_read_not_at_all(server, log):
    _, connect = server
    for sent, status in (
        ("GET / HTTP/1.1\r\nAuthorization Bearer eyJ\r\n\r\n", 400),
        ("GET http://[bad/api?filter[q][email_eq]=ada@example.com HTTP/1.1\r\n\r\n", 400),
        ("GET /crash?ada@example.com HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 500),
    ):
        assert raw_answer(connect, sent)[0] == status
    (line,) = [json.loads(line) for line in log.read_text().splitlines()]
    sentence = "Application callable raised an exception: ZeroDivisionError."
    assert (line["level"], line["message"]) == ("ERROR", sentence)
    assert "division by zero" not in log.read_text()
    assert "eyJ" not in log.read_text()
    assert "ada@" not in log.read_text()


def raw_answer(connect, sent):
    """The status, the head in lower case and the body of the answer to the text `sent`."""
    with connect().socket as connection:
        connection.sendall(sent.encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split()[1]), head.lower(), body


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (f"GET /{'x' * 66_000} HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (f"GET / HTTP/1.1\r\nHost: x\r\nCookie: {'x' * 500_000}\r\n\r\n", 431),
    ],
)
def test_a_head_that_is_too_long_to_be_read_is_refused(server, sent, status):
    _, connect = server
    assert raw_answer(connect, sent)[0] == status


def ask_for_more(connection):
    connection.send("/more")
    connection.read()


def test_a_stop_answers_what_has_begun_and_waits_for_no_idle_connection(server):
    process, connect = server
    idle, slow = connect(), connect()
    idle.send("/idle")
    assert idle.read() == "/idle"
    slow.send("/slow")
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert slow.read() == "/slow"
    assert process.wait(60) == 0
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        ask_for_more(idle)
