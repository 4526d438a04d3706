"""What Prometheus scrapes: how many requests of which kind, how long they took, what waits.

Where PROMETHEUS_MULTIPROC_DIR is set, as by project/server.py, all processes count
together. docs/operating.md has the table of all figures.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

from django.db import DatabaseError, InterfaceError
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily

from customers.jobs import backlog, heartbeats

registry = CollectorRegistry()
requests = Counter(
    "clientele_requests",
    "Requests by method, route and status",
    ["method", "route", "status"],
    registry=registry,
)
seconds = Histogram(
    "clientele_request_seconds",
    "Seconds to an answer by method and route",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=registry,
)
heartbeat = Gauge(
    "clientele_worker_heartbeat_timestamp_seconds",
    "When a worker last looked for this kind of work; 0 when none is known to have",
    ["work"],
    registry=registry,
    multiprocess_mode="max",  # of what the processes here have seen
)
for _work in heartbeats.WORKS:
    heartbeat.labels(_work)
METHODS = {"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"}


def count_request(method: str, route: str, status: int, took: float) -> None:
    """Count a request that took `took` seconds."""
    number, times = _figures(method if method in METHODS else "other", route, status)
    number.inc()
    times.observe(took)


@lru_cache(maxsize=2000)
def _figures(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return requests.labels(method, route, status), seconds.labels(method, route)


class Now:
    """What is found out when it is scraped; of what waits nothing is told while nobody knows."""

    def __init__(self, ready: int):
        self.ready = ready

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """As prometheus_client asks each collector."""
        yield GaugeMetricFamily("clientele_ready", "Whether /readyz answers 200", self.ready)
        if not self.ready:
            return
        try:
            waiting, overdue = backlog.waiting(), backlog.overdue()
        except (DatabaseError, InterfaceError):
            return  # it went between two questions, or one took too long
        yield _by_kind("clientele_waiting", "Work that waits or is under way", waiting)
        yield _by_kind("clientele_overdue", "Work that should have been done by now", overdue)


def _by_kind(name: str, told: str, numbers: dict[str, int]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, told, labels=["what"])
    for what, number in numbers.items():
        gauge.add_metric([what], number)
    return gauge


def exposition(ready: bool) -> bytes:
    """All figures in Prometheus' text format; `ready` is whether the service is.

    While it is not, the worker's signs of life are the last that any process here has seen.
    """
    if ready:
        with suppress(DatabaseError, InterfaceError):
            for work, moment in heartbeats.last_seen().items():
                heartbeat.labels(work).set(moment.timestamp())
    shown = CollectorRegistry()
    shown.register(Now(int(ready)))
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(registry) + generate_latest(shown)
    multiprocess.MultiProcessCollector(shown)
    return generate_latest(shown)
