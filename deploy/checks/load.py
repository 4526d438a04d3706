"""Clients that load the service while it is taken apart, and what must hold of their answers."""

import http.client
import json
import threading
import time
import uuid
from collections import Counter

from deploy.checks.harness import JSON_API, Cluster, ConnectionLostError, Ledger, Service

failures: list[str] = []


def must(true: bool, what: str) -> None:
    print(f"  {'yes' if true else 'NO '}  {what}", flush=True)
    if not true:
        failures.append(what)


class Load:
    """Clients that read and write until they are told to stop, and what they were answered."""

    def __init__(self, service: Service, clients: int = 8) -> None:
        self.service, self.over, self.ledger = service, threading.Event(), Ledger()
        self.answers: list[tuple[float, str, bool]] = []  # seconds, status, faulty
        self.began = time.monotonic()
        self.threads = [threading.Thread(target=self._work, args=[n]) for n in range(clients)]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    @property
    def statuses(self) -> dict[str, int]:
        return dict(sorted(Counter(status for _, status, _ in self.answers).items()))

    def _work(self, client: int) -> None:
        number = 0
        while not self.over.is_set():
            number += 1
            status, faulty = self._ask(f"{client}-{number}@example.com" if number % 2 else "")
            self.answers.append((time.monotonic() - self.began, status, faulty))
            if status in ("503", "refused"):
                time.sleep(0.05)

    def _ask(self, email: str) -> tuple[str, bool]:
        """Write a customer, or read them without `email`; status, and whether it is faulty."""
        try:
            if email:
                key = {"Idempotency-Key": str(uuid.uuid4())}
                status, headers, body = self.service.create("customers", {"email": email}, **key)
            else:
                status, headers, body = self.service.call("GET", "/api/customers?include=tags")
        except ConnectionRefusedError:
            return "refused", False
        except ConnectionLostError:
            return "reset", False
        except (OSError, http.client.HTTPException) as error:
            return f"broken: {type(error).__name__}", False
        if status == 201:
            self.ledger.sizes[json.loads(body)["data"]["id"]] = None
        return str(status), status == 503 and not _is_well_formed(headers, body)


def _is_well_formed(headers: http.client.HTTPMessage, body: bytes) -> bool:
    """Whether a 503 is a document that says when to come again."""
    if not headers["Retry-After"] or headers["Content-Type"] != JSON_API:
        return False
    return bool(json.loads(body)["errors"][0]["code"] == "SERVICE_UNAVAILABLE")


def must_balance(load: Load, cluster: Cluster) -> None:
    lost, doubled = len(load.ledger.lost(cluster)), len(load.ledger.doubled(cluster))
    count = len(load.ledger.sizes)
    must(not lost + doubled, f"{count} acknowledged, {lost} lost, {doubled} doubled")
