"""Receivers of webhooks: one that answers at once, one that hangs."""

import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANGS = 30  # seconds that the hanging receiver takes, longer than any call may


class Receivers(ThreadingHTTPServer):
    """Answers at once at /quick and too late at /hang; remembers what it was sent."""

    request_queue_size = 512
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.received: list[tuple[str, str, str, float]] = []  # event id, topic, row id, moment
        self.hung = 0
        self.over = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def stop(self) -> None:
        self.over.set()
        self.shutdown()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection whose worker was killed."""


class _Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receivers

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not body:
            return  # the worker was killed as it sent it
        if self.path == "/hang":
            self.server.hung += 1
            self.server.over.wait(HANGS)
        else:
            topic, pk = self.headers["X-CommerceLayer-Topic"], json.loads(body)["data"]["id"]
            sent = self.headers["webhook-id"], topic, pk, time.monotonic()
            self.server.received.append(sent)
        with suppress(OSError):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass
