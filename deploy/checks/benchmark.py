"""The two runs: all servers beside each other, and ours as the number of customers grows."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from operator import attrgetter
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from tqdm import tqdm

from deploy.checks import report, seed, workloads
from deploy.checks.harness import ROOT, run
from deploy.checks.measure import Result, Server, load

MODULES = {
    "ours": "project.wsgi",
    "floor": "deploy.checks.floor",
    "stock": "deploy.checks.stock",
}
PORTS = {"ours": 8151, "floor": 8152, "stock": 8153}
# Connections, and the length of a spell. What disturbs a spell adds to it: the cheapest counts.
SPELLS = [(1, 1), (1, 1), (1, 1), (8, 0.5), (32, 0.5)]
CPU = attrgetter("cpu")


def database(url: str, size: int) -> str:
    """The URL of a database beside that of `url` with `size` customers; made once, then kept."""
    name = _kept_name(size)
    own = _beside(url, name)
    with suppress(psycopg.Error), psycopg.connect(own) as known:
        if known.execute(SEEDED).fetchone() == (_origin(),):
            return own
    create(url, name)
    _ours(["manage.py", "migrate", "--verbosity", "0"], own)
    with tqdm(desc=f"{size} customers", unit=" steps", total=9) as bar:

        def progress(step: str) -> None:
            bar.set_postfix_str(step)
            bar.update()

        seed.fill(own, size, progress)
    with psycopg.connect(own) as connection:
        connection.execute(f"COMMENT ON TABLE customers IS '{_origin()}'")
    return own


SEEDED = "SELECT obj_description('customers'::regclass)"


@contextmanager
def copied(url: str, size: int) -> Iterator[str]:
    """The URL of a copy of `database` for a run, gone in the end: all begin with the same rows."""
    database(url, size)
    name = f"{_kept_name(size)}_run"
    try:
        yield create(url, name, template=_kept_name(size))
    finally:
        drop(url, name)


def _kept_name(size: int) -> str:
    return f"clientele_benchmark_{size}"


def _beside(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def create(url: str, name: str, template: str = "template1") -> str:
    """Make a database anew, beside that of `url`; its URL.

    What it holds is on disk: no spell pays for writing that.
    """
    drop(url, name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        connection.execute(f'ALTER DATABASE "{name}" SET max_parallel_workers_per_gather = 0')
        connection.execute("CHECKPOINT")
    return _beside(url, name)


def drop(url: str, name: str) -> None:
    """Drop a database, whoever is connected to it, if there is one."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _origin() -> str:
    """What the tables and their rows are made by; another one asks for another database."""
    files = [*sorted(ROOT.glob("customers/migrations/*.py")), Path(seed.__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _ours(arguments: list[str], url: str) -> str:
    env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "project.settings"}
    return run(sys.executable, *arguments, cwd=ROOT, env=env)


@contextmanager
def serving(names: list[str], url: str, kind: str) -> Iterator[list[Server]]:
    """The Servers of `names`, started, answering, and stopped in the end."""
    known = json.loads(_ours(["-m", "deploy.checks.prepare"], url).splitlines()[-1])
    ours = {"DJANGO_SETTINGS_MODULE": "project.settings", "LOG_LEVEL": "WARNING"}
    servers: list[Server] = []
    try:
        for name in names:
            env = {"BENCHMARK_TYPES": json.dumps(known["types"])} if name == "stock" else ours
            servers.append(Server(name, MODULES[name], url, PORTS[name], env, kind))
        for server in servers:
            if server.name == "ours":
                server.headers = {"Authorization": f"Bearer {known['token']}"}
            server.session = known["session"]
            server.wait("/api/customers/c000000000000001")
        yield servers
    finally:
        for server in servers:
            server.stop()


def compare(
    url: str, *, size: int, seconds: float, kind: str, names: list[str], chosen: list[str]
) -> tuple[report.Results, str]:
    """Measure the `chosen` workloads on the servers `names`; what was found, and notes on it."""
    results: dict[tuple[str, str, int], Result] = {}
    with copied(url, size) as own, serving(names, own, kind) as servers:
        workloads.check_alike(servers, size)
        total = len(chosen) * len(SPELLS) * len(servers)
        with tqdm(total=total, unit=" runs") as bar:
            for name in chosen:
                make = workloads.reads if name in workloads.READS else workloads.writes
                for connections, spell in SPELLS:
                    for server in servers:
                        bar.set_postfix_str(f"{name[:3]} {server.name} {connections}")
                        requests = make(server, name, size)
                        load(server, requests, connections, 0.4)
                        found = load(server, requests, connections, seconds * spell)
                        key = name, server.name, connections
                        results[key] = min(found, results.get(key, found), key=CPU)
                        bar.update()
        memory = {server.name: server.memory() for server in servers}
    notes = f"{size:,} customers, {kind}, one process of 8 threads each. " + (
        f"A worker of ours ends at {memory['ours']:.0f} MB."
    )
    return results, notes


def grow(url: str, *, sizes: list[int], seconds: float, kind: str) -> str:
    """Measure our reads at each of `sizes`, and the admin at the largest."""
    results: dict[tuple[str, int], Result] = {}
    admin = ""
    for size in sizes:
        with serving(["ours"], database(url, size), kind) as (server,):
            for name in tqdm(workloads.READS, desc=f"{size} customers"):
                requests = workloads.reads(server, name, size)
                load(server, requests, 1, 1)
                results[name, size] = load(server, requests, 1, seconds)
            if size == sizes[-1]:
                admin = _admin(server)
    return report.growth(results, sizes, "2000") + "\n\n" + admin


ADMIN = {
    "list": "",
    "search by part of an address": "?q=ovelac",
    "page 30,000": "?p=30000",
    "page 15,000": "?p=15000",
}


def _admin(server: Server) -> str:
    """How long the admin's customer list takes, the first time and then."""
    headers = {"Cookie": f"sessionid={server.session}"}
    lines = ["| admin | first ms | then ms |", "| --- | --: | --: |"]
    server.send(server.request("GET", "/admin/customers/tag/", headers=headers))
    for title, query in ADMIN.items():
        request = server.request("GET", f"/admin/customers/customer/{query}", b"", headers)
        times = []
        for _ in range(6):
            start = time.perf_counter()
            status, body = server.send(request)
            times.append(1000 * (time.perf_counter() - start))
            if status != 200 or b".example.com" not in body:
                raise RuntimeError(f"The admin shows no customers: {title}, status {status}")
        lines.append(f"| {title} | {times[0]:.0f} | {sorted(times[1:])[2]:.0f} |")
    return "\n".join(lines)
