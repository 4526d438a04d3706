"""How the service is served: `python -m project.server`, by granian with its public settings."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.common import AbstractServer

ROOT = Path(__file__).resolve().parent.parent
THREADS = 8  # of each process; more than two a core, as most wait for the database
BACKLOG = 2048  # connections that wait to be accepted
GRACE = 30  # seconds in which requests under way are finished at a stop
MAX_HEAD = 65_536  # bytes of a request line with its header fields, see project.limits
# While a connection rests and while a head comes in; a proxy must let go of it before.
HEAD_TIMEOUT = 60_000  # milliseconds, the most there is
FIGURES = "PROMETHEUS_MULTIPROC_DIR"


def main() -> None:
    """Serve at BIND, `HOST:PORT` or `unix:PATH`, by WEB_CONCURRENCY processes, until a stop.

    All processes count in one folder. prometheus_client looks at its name once, when it is
    imported, so nothing may import it before; what a process has counted stays when it is gone.
    """
    target = sys.argv[1] if len(sys.argv) > 1 else "project.wsgi:application"
    if target.startswith("project."):
        check_start()
    os.environ[FIGURES] = tempfile.mkdtemp(prefix="clientele-figures-")
    try:
        make_server(target).serve()
    finally:
        shutil.rmtree(os.environ[FIGURES], ignore_errors=True)


def check_start() -> None:
    """Exit where no process could serve: granian would begin each again for ever."""
    environment = {"DJANGO_SETTINGS_MODULE": "project.settings", **os.environ}
    tried = subprocess.run(
        [sys.executable, "-m", "customers.services.start_checks"], env=environment, cwd=ROOT
    )
    if tried.returncode:
        sys.exit(tried.returncode)


def make_server(target: str) -> AbstractServer:
    """The server of the WSGI application `target`, a module and a name in it."""
    bind = os.environ.get("BIND", "127.0.0.1:8000")
    host, _, port = bind.rpartition(":")
    path = Path(port) if host == "unix" else None
    return Granian(
        target,
        address="127.0.0.1" if path else host.strip("[]"),
        port=8000 if path else int(port),
        uds=path,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_TIMEOUT, max_buffer_size=MAX_HEAD),
        websockets=False,
        workers=int(os.environ.get("WEB_CONCURRENCY", os.cpu_count() or 1)),
        blocking_threads=int(os.environ.get("WEB_THREADS", THREADS)),
        backlog=BACKLOG,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE,
        log_level=LogLevels(os.environ.get("LOG_LEVEL", "INFO").lower()),
        log_dictconfig=logging_config(),
    )


def logging_config() -> dict:
    """How granian writes its own lines: in our shape, and without what exceptions say."""
    form = os.environ.get("LOG_FORMAT", "text" if sys.stderr.isatty() else "json")
    kind = "Text" if form == "text" else "Json"
    return {
        "formatters": {"ours": {"()": f"project.logs.{kind}"}},
        "filters": {"server": {"()": "project.logs.OfServer"}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "ours",
                "filters": ["server"],
            }
        },
        "loggers": {"_granian": {"handlers": ["console"], "propagate": False}},
    }


if __name__ == "__main__":
    main()
