"""Kill everything, again and again, under write load, and compare what is left with a ledger.

A PostgreSQL cluster, a web server and two workers of their own run in a temporary folder.
Writers send changes and write down what was answered; receivers write down what they are sent.
Nobody else's process is touched.
"""

import http.client
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from deploy.checks.harness import (
    Cluster,
    ConnectionLostError,
    Ledger,
    Sandbox,
    Service,
    children,
    kill,
)
from deploy.checks.receivers import Receivers

WRITERS = 4
IMPORTED = 10_000
KILLS = 3  # of the workers during the import
SETTINGS = {
    "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
    "WEBHOOK_CIRCUIT_FAILURES": "1000",
    "IMPORTS_TRIGGER_WEBHOOKS": "true",
    "TOKEN_REQUESTS_PER_MINUTE": "1000",
}
Say = Callable[[str], Any]


class Installation:
    """The service with two workers, on a cluster of its own, asked until it answers."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.cluster = Cluster(sandbox, "cluster")
        self.service = Service(sandbox, self.cluster.url, workers=2, **SETTINGS)

    def kill(self, name: str) -> None:
        """kill -9 a process of the service, and start it again."""
        self.service.kill(name)
        time.sleep(0.3)
        self.service.start(name)

    def kill_web_worker(self) -> None:
        """kill -9 one of the web server's own workers; the server replaces it."""
        if found := children(self.service.processes["web"].pid):
            kill(found[0])

    def kill_database(self) -> None:
        self.cluster.kill()
        time.sleep(0.3)
        self.cluster.start()

    def kill_everything(self) -> None:
        self.cluster.kill()
        for name in self.service.names:
            self.service.kill(name)
        time.sleep(0.3)
        self.cluster.start()
        for name in self.service.names:
            self.service.start(name)

    def call(
        self,
        method: str,
        path: str,
        document: dict[str, Any] | None = None,
        over: threading.Event | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON of an answer of less than 500, asked for until there is one.

        The status is 0 when `over` comes first.
        """
        body = json.dumps(document) if document else ""
        headers = {"Idempotency-Key": secrets.token_hex(8)} if document else {}
        while not (over and over.is_set()):
            with suppress(OSError, http.client.HTTPException, ConnectionLostError, ValueError):
                status, _, answer = self.service.call(method, path, body, **headers)
                if status < 500:
                    return status, json.loads(answer or b"{}")
            time.sleep(0.1)
        return 0, {}

    def create(
        self, kind: str, attributes: dict[str, Any], over: threading.Event | None = None
    ) -> tuple[int, dict[str, Any]]:
        document = {"data": {"type": kind, "attributes": attributes}}
        return self.call("POST", f"/api/{kind}", document, over)

    def add_webhook(self, topic: str, url: str) -> None:
        status, answer = self.create("webhooks", {"topic": topic, "callback_url": url})
        if status != 201:
            raise RuntimeError(f"The webhook was refused: {answer}")


class Writer(threading.Thread):
    """Makes, changes and vainly doubles customers, and writes down what was acknowledged."""

    def __init__(self, number: int, installation: Installation, over: threading.Event) -> None:
        super().__init__()
        self.number, self.installation, self.over = number, installation, over
        self.ledger = Ledger()
        self.changes = self.refused = 0
        self.unexpected: list[Any] = []

    def run(self) -> None:
        count = 0
        while not self.over.is_set():
            count += 1
            email = f"writer{self.number}-{count}@example.com"
            status, answer = self.installation.create("customers", {"email": email})
            if status != 201:
                self.unexpected.append((status, answer))
                continue
            pk = answer["data"]["id"]
            self.ledger.sizes[pk] = None
            if count % 3 == 0:
                self.change(pk, count)
            if count % 5 == 0:
                status, _ = self.installation.create("customers", {"email": email.upper()})
                self.refused += status == 422

    def change(self, pk: str, size: int) -> None:
        resource = {"type": "customers", "id": pk, "attributes": {"metadata": {"size": size}}}
        status, answer = self.installation.call("PATCH", f"/api/customers/{pk}", {"data": resource})
        if status == 200:
            self.changes += 1
            self.ledger.sizes[pk] = size
        else:
            self.unexpected.append((status, answer))


def run(seconds: int, say: Say) -> bool:
    """Kill for `seconds`, then import and kill; `say` gets the ledger's lines.

    Returns whether nothing was lost, doubled, unannounced or announced without having happened.
    """
    with Sandbox() as sandbox:
        installation, receivers = Installation(sandbox), Receivers()
        sandbox.callback(receivers.stop)
        for topic in ("customers.create", "customers.metadata_update"):
            installation.add_webhook(topic, f"{receivers.url}/quick")
        good = _endure(installation, receivers, seconds, say)
        installation.add_webhook("customers.create", f"{receivers.url}/hang")
        return _import(installation, receivers, say) and good


def _endure(installation: Installation, receivers: Receivers, seconds: int, say: Say) -> bool:
    over, kills = threading.Event(), Counter[str]()
    writers = [Writer(number, installation, over) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    acts: dict[str, Callable[[], None]] = {
        "web worker": installation.kill_web_worker,
        "worker process": lambda: installation.kill("worker 1"),
        "web server": lambda: installation.kill("web"),
        "PostgreSQL": installation.kill_database,
        "everything": installation.kill_everything,
    }
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for name, act in acts.items():
            time.sleep(3)
            act()
            kills[name] += 1
    time.sleep(3)
    over.set()
    for writer in writers:
        writer.join()
    say("kill -9: " + ", ".join(f"{name} {count}" for name, count in kills.items()))
    return _compare(installation.cluster, receivers, writers, say)


def _compare(cluster: Cluster, receivers: Receivers, writers: list[Writer], say: Say) -> bool:
    """Whether the database and the receivers have what the writers were told, and no more."""
    _drain(cluster)
    ledger = Ledger()
    for writer in writers:
        ledger.sizes |= writer.ledger.sizes
    lost, doubled = ledger.lost(cluster), [*_logged_twice(cluster), *ledger.unacknowledged(cluster)]
    happened = set(
        cluster.rows("SELECT id, name, resource_id FROM events WHERE resource_type = 'customers'")
    )
    delivered = {(event, topic, pk) for event, topic, pk, _ in receivers.received}
    missing, false = happened - delivered, delivered - happened
    unexpected = [one for writer in writers for one in writer.unexpected]
    say(
        f"acknowledged: {len(ledger.sizes)} customers, {sum(one.changes for one in writers)}"
        f" changes; refused: {sum(one.refused for one in writers)}"
    )
    say(f"lost: {len(lost)}; doubled: {len(doubled)}; unexpected answers: {len(unexpected)}")
    say(
        f"events: {len(happened)}; delivered: {len(delivered)} in {len(receivers.received)} calls;"
        f" not delivered: {len(missing)}; of no change that was made: {len(false)}"
    )
    wrong: list[Any] = [*lost, *doubled, *unexpected, *sorted(missing), *sorted(false)]
    for one in wrong[:5]:
        say(f"  {one}")
    return not wrong


def _logged_twice(cluster: Cluster) -> list[Any]:
    """The entries of the audit log, and the events, of which there is more than one."""
    logged = "SELECT resource_id, event FROM event_stores WHERE resource_type = 'customers'"
    announced = "SELECT resource_id, name FROM events WHERE resource_type = 'customers'"
    counts = Counter([*cluster.rows(logged), *cluster.rows(announced)])
    return [entry for entry, count in counts.items() if count > 1]


def _import(installation: Installation, receivers: Receivers, say: Say) -> bool:
    """An import of many, its workers killed as it goes, beside a receiver that hangs."""
    before = len(receivers.received)
    status, killed = _kill_during_import(installation)
    cluster = installation.cluster
    _drain(cluster, hanging=True)
    ((rows, names),) = cluster.rows(
        "SELECT count(*), count(DISTINCT email_key) FROM customers WHERE email LIKE 'imported%'"
    )
    events = cluster.value(
        "SELECT count(*) FROM events e JOIN customers c ON c.id = e.resource_id "
        "WHERE e.name = 'customers.create' AND c.email LIKE 'imported%'"
    )
    calls = receivers.received[before:]
    seconds = calls[-1][3] - calls[0][3]
    say(
        f"import of {IMPORTED} with the workers killed {killed} times: {status}, "
        f"{rows} customers, {names} addresses, {events} events"
    )
    say(
        f"webhooks beside a receiver that hangs ({receivers.hung} calls of it): {len(calls)} in "
        f"{seconds:.0f} s, {60 * len(calls) / seconds:.0f} a minute"
    )
    delivered = len({event for event, *_ in calls})
    say(f"events of the import delivered: {delivered}")
    return rows == names == events == delivered == IMPORTED and 60 * len(calls) / seconds > 1000


def _kill_during_import(installation: Installation) -> tuple[str, int]:
    """Import, killing the workers as it goes: its last status, and how often they were killed."""
    inputs = [{"email": f"imported{number}@example.com"} for number in range(IMPORTED)]
    _, answer = installation.create("imports", {"resource_type": "customers", "inputs": inputs})
    path, killed = f"/api/imports/{answer['data']['id']}", 0
    while True:
        job = installation.call("GET", path)[1]["data"]["attributes"]
        if job["status"] not in ("pending", "in_progress"):
            return job["status"], killed
        if killed < KILLS and job["processed_count"] > killed * IMPORTED // (KILLS + 1):
            installation.kill("worker 1")
            installation.kill("worker 2")
            killed += 1
        time.sleep(0.05)


def _drain(cluster: Cluster, hanging: bool = False) -> None:
    """Wait until every event has been sent to the receiver that answers."""
    url = "%/quick" if hanging else "%"
    waiting = (
        "SELECT (SELECT count(*) FROM events WHERE undispatched) + (SELECT count(*) "
        "FROM deliveries d JOIN webhooks w ON w.id = d.webhook_id "
        f"WHERE w.callback_url LIKE '{url}')"
    )
    while cluster.value(waiting):
        time.sleep(0.5)
