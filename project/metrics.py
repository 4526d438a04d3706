"""What Prometheus scrapes: how many requests of which kind, how long they took, what waits.

Where PROMETHEUS_MULTIPROC_DIR is set, as by project/gunicorn.py, all processes count
together.
"""

import os
from functools import lru_cache

from django.db import DatabaseError, InterfaceError
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily

from customers.services import worker

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
METHODS = {"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"}


def count(method, route, status, took):
    """Count a request that took `took` seconds."""
    number, times = _figures(method if method in METHODS else "other", route, status)
    number.inc()
    times.observe(took)


@lru_cache(maxsize=2000)
def _figures(method, route, status):
    return requests.labels(method, route, status), seconds.labels(method, route)


class Waiting:
    """How much work waits, asked of the database when it is scraped."""

    def collect(self):
        gauge = GaugeMetricFamily("clientele_waiting", "Work that waits", labels=["what"])
        try:
            for what, number in worker.waiting().items():
                gauge.add_metric([what], number)
        except (DatabaseError, InterfaceError):
            return  # the other figures are told without it
        yield gauge


def exposition():
    """All figures, as bytes in Prometheus' text format."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        shown = CollectorRegistry()
        multiprocess.MultiProcessCollector(shown)
        shown.register(Waiting())
        return generate_latest(shown)
    extra = CollectorRegistry()
    extra.register(Waiting())
    return generate_latest(registry) + generate_latest(extra)
