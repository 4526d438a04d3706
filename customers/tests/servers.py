"""The service's own server, started for a test on a port of its own."""

import socket
import subprocess
import sys
import time

from django.conf import settings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_server(port: int, *arguments: str, env: dict, **options) -> subprocess.Popen:
    """The process of project.server on `port`, once it takes connections."""
    process = subprocess.Popen(
        [sys.executable, "-m", "project.server", *arguments],
        cwd=settings.BASE_DIR,
        env={"LOG_LEVEL": "WARNING", **env, "BIND": f"127.0.0.1:{port}"},
        **options,
    )
    try:
        wait_for_server(process, port)
    except RuntimeError:
        process.kill()
        raise
    return process


def wait_for_server(process: subprocess.Popen, port: int) -> None:
    """Return once `port` takes connections. Raises RuntimeError when `process` ends, or late."""
    last = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < last:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("The server takes no connections.")
