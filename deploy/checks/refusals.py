"""What nginx on a port says of what it refuses; the last requests find the service stopped.

`python -m deploy.checks.refusals PORT PID`: PID is the service, which is paused and ended.
"""

import contextlib
import http.client
import json
import os
import signal
import sqlite3
import ssl
import sys
from collections.abc import Iterable

from deploy.checks.harness import descendants

HOST = "api.example.com"
JSON_API, JSON, PAGE = "application/vnd.api+json", "application/json", "text/html; charset=utf-8"
PATHS = {"/api/customers": JSON_API, "/oauth/token": JSON, "/test/password/forgot": PAGE}
LARGE = b"x" * (2 << 20)
wrong: list[str] = []


def ask(
    port: int,
    method: str,
    path: str,
    body: bytes | str | Iterable[bytes] | None = None,
    **headers: str,
) -> tuple[int, http.client.HTTPMessage, str]:
    """Status, headers and body of the answer."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    line = http.client.HTTPSConnection("127.0.0.1", port, timeout=100, context=context)
    try:
        line.request(method, path, body, {"Host": HOST, **headers})
        answer = line.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        line.close()


def check(
    what: str,
    port: int,
    status: int,
    code: str,
    method: str = "GET",
    query: str = "",
    body: bytes | None = None,
    retry: str | None = None,
    **headers: str,
) -> None:
    """Compare what each kind of caller is told."""
    for path, kind in PATHS.items():
        found, heads, text = ask(port, method, path + query, body, **headers)
        told = (found, heads["Content-Type"], heads["Retry-After"])
        if told != (status, kind, retry):
            wrong.append(f"{what} of {path}: {told}, {text[:200]}")
        elif kind == PAGE:
            if "<h1>" not in text or "nginx" in text:
                wrong.append(f"{what} of {path}: {text[:200]}")
        else:
            document = json.loads(text)
            (error,) = document["errors"]
            if (error["status"], error["code"]) != (str(status), code) or not error["detail"]:
                wrong.append(f"{what} of {path}: {text}")
            if (kind == JSON) != ("error_description" in document):
                wrong.append(f"{what} of {path}: {text}")


def check_busy(port: int) -> None:
    """The service's own 503, of a database that somebody else writes to, comes through as it is."""
    document = {"data": {"type": "tags", "attributes": {"name": "busy"}}}
    bearer = {"Authorization": f"Bearer {os.environ['TOKEN']}", "Content-Type": JSON_API}
    form = f"grant_type=client_credentials&{os.environ['CREDENTIAL'].replace(' ', '&')}"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    there = sqlite3.connect(f"{os.environ['DATA_DIR']}/clientele.sqlite3", isolation_level=None)
    with contextlib.closing(there):
        there.execute("BEGIN IMMEDIATE")
        for path, media, body, sent in [
            ("/api/tags", JSON_API, json.dumps(document), bearer),
            ("/oauth/token", JSON, form, kind),
        ]:
            found, heads, text = ask(port, "POST", path, body, **sent)
            told = (found, heads["Content-Type"], heads["Retry-After"])
            if told != (503, media, "1") or "SERVICE_UNAVAILABLE" not in text:
                wrong.append(f"503 of {path}: {told}, {text[:200]}")


def main(port: int, pid: int) -> list[str]:
    """What is not as it must be, one sentence each."""
    check("413", port, 413, "CONTENT_TOO_LARGE", "POST", body=LARGE)
    pieces = (LARGE[:65536] for _ in range(64))  # which http.client sends in chunks
    found, heads, text = ask(port, "POST", "/api/customers", pieces)
    if (found, heads["Content-Type"]) != (413, JSON_API):
        wrong.append(f"413 in chunks: {found}, {text[:200]}")
    check("414", port, 414, "URI_TOO_LONG", query="?" + "x" * 9000)
    check("431", port, 431, "HEADERS_TOO_LARGE", Cookie="x" * 9000)
    found, _, text = ask(port, "GET", "/.refused/413/api")
    if found != 404:
        wrong.append(f"a page for refusals is open: {found}, {text[:200]}")
    found, heads, text = ask(port, "GET", "/api/customers?" + "x" * 7900)
    if (found, heads["Content-Type"]) != (401, JSON_API):  # the service's own
        wrong.append(f"a long address: {found}, {text[:200]}")
    check_busy(port)
    service = descendants(pid)
    for one in service:
        os.kill(one, signal.SIGSTOP)
    check("504", port, 504, "GATEWAY_TIMEOUT", retry="5")
    for one in service:
        os.kill(one, signal.SIGCONT)
    os.kill(pid, signal.SIGTERM)
    while ask(port, "GET", "/livez")[0] != 502:
        """Until the service has stopped."""
    check("502", port, 502, "BAD_GATEWAY", retry="5")
    return wrong


if __name__ == "__main__":
    print(*main(int(sys.argv[1]), int(sys.argv[2])), sep="\n", end="")
    sys.exit(bool(wrong))
