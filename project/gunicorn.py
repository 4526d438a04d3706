"""How gunicorn serves the service: `gunicorn --config python:project.gunicorn project.wsgi`."""

import contextlib
import json
import os
import select
import shutil
import sys
import tempfile

from gunicorn import glogging
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine
from gunicorn.workers.gthread import ThreadWorker

from project import logs

FIGURES = "PROMETHEUS_MULTIPROC_DIR"

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", os.cpu_count() or 1))
threads = 8
worker_class = "project.gunicorn.Worker"
logger_class = "project.gunicorn.Logger"
timeout = 60  # seconds without a sign of life, after which a worker is replaced
graceful_timeout = 30  # seconds in which requests under way are finished at a stop
limit_request_line = 8190  # bytes, the most that it can bound: filters are long
keepalive = 75  # longer than a proxy keeps its connections, so that it closes them first
backlog = 2048
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 a heartbeat in memory
control_socket_disable = True
accesslog = None  # each request has its line in our own log


def _refusal(status, title, code, detail):
    """The bytes of an answer with one error, after which the connection ends."""
    error = {"title": title, "detail": detail, "code": code, "status": str(status)}
    body = json.dumps({"errors": [error]})
    head = f"HTTP/1.1 {status} {title}\r\nConnection: close\r\nCache-Control: no-store\r\n"
    kind = f"Content-Type: application/vnd.api+json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{kind}\r\n{body}".encode()


REFUSALS = {  # nginx, before us, tells them in the caller's own language
    LimitRequestLine: _refusal(
        414,
        "URI too long",
        "URI_TOO_LONG",
        "The address of the request is too long; ask for less in one request.",
    ),
    LimitRequestHeaders: _refusal(
        431,
        "Header fields too large",
        "HEADERS_TOO_LARGE",
        "The header fields of the request are too large.",
    ),
}


LINGER = 2  # milliseconds in which a thread waits for the next request of its connection


class Worker(ThreadWorker):
    """Threads, which also answer what follows at once on a connection.

    A request that comes by way of the main thread costs two more changes of threads. While
    others wait for a thread, none lingers. At a stop, whoever has connected but waits in
    line is answered, too: the system resets those who wait at a listening socket when its
    last holder closes it.
    """

    def handle(self, conn):
        again = super().handle(conn)
        while again is True and self.alive and self._threads_left() and _follows(conn):
            again = super().handle(conn)
        return again

    def handle_error(self, req, client, addr, exc):
        """A first line or header fields that are too long, in JSON:API's shape; others as ever."""
        refusal = next((told for kind, told in REFUSALS.items() if isinstance(exc, kind)), None)
        if refusal is None:
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("Too long a request: %s", type(exc).__name__)
        with contextlib.suppress(OSError):
            client.sendall(refusal)

    def _threads_left(self):
        idle = len(self.keepalived_conns) + len(self.pending_conns)
        return self.nr_conns - idle <= self.cfg.threads

    def set_accept_enabled(self, enabled):
        super().set_accept_enabled(enabled)
        if self.alive or enabled:
            return
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)  # no thread computes between the last look and the end
        for listener in self.sockets:
            before = None
            while before != self.nr_conns:
                before = self.nr_conns
                self.accept(listener)
            listener.close()
        sys.setswitchinterval(interval)


def _follows(conn):
    """Whether the next request comes on `conn`, whose last one is answered."""
    if conn.parser.unreader.buf.getvalue():
        return True
    waiting = select.poll()
    waiting.register(conn.sock, select.POLLIN)
    return bool(waiting.poll(LINGER))


class Logger(glogging.Logger):
    """Gunicorn's own lines in our shape; of what fails in a worker the kind is told, as gunicorn
    would quote the request."""

    def setup(self, cfg):
        super().setup(cfg)
        self._arbiter = os.getpid()
        form = os.environ.get("LOG_FORMAT", "text" if sys.stderr.isatty() else "json")
        for handler in self.error_log.handlers:
            handler.setFormatter(logs.Text() if form == "text" else logs.Json())
            handler.addFilter(self._without_request)

    def _without_request(self, record):
        error = sys.exc_info()[1]
        if error and os.getpid() != self._arbiter:
            record.args = ()
            record.msg = f"Failed in a worker: {type(error).__name__}."
        return True


def pre_request(worker, request):
    """Write nothing down: gunicorn's own writes the path, with --log-level debug."""


def on_starting(server):
    """Name the folder in which all workers count.

    prometheus_client looks at the name once, when it is imported, so nothing may import it
    before; what a worker has counted stays when the worker is gone.
    """
    os.environ[FIGURES] = tempfile.mkdtemp(prefix="clientele-figures-")


def on_exit(server):
    shutil.rmtree(os.environ[FIGURES], ignore_errors=True)
