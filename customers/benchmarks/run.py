"""The two runs: all servers beside each other, and ours as the number of customers grows."""

import hashlib
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from operator import attrgetter
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from tqdm import tqdm

from customers.benchmarks import report, workloads
from customers.benchmarks.measure import Server, load
from customers.benchmarks.seed import fill

ROOT = Path(__file__).resolve().parents[2]
MODULES = {
    "ours": "project.wsgi",
    "floor": "customers.benchmarks.floor",
    "stock": "customers.benchmarks.stock",
}
PORTS = {"ours": 8151, "floor": 8152, "stock": 8153}
# Connections, and the length of a spell. What disturbs a spell adds to it: the cheapest counts.
SPELLS = [(1, 1), (1, 1), (1, 1), (8, 0.5), (32, 0.5)]
CPU = attrgetter("cpu")


def database(url, size):
    """The URL of a database beside that of `url` with `size` customers; made once, then kept."""
    name = f"clientele_benchmark_{size}"
    parts = urlsplit(url)
    own = urlunsplit(parts._replace(path=f"/{name}"))
    with psycopg.connect(url, autocommit=True) as connection:
        with suppress(psycopg.Error), psycopg.connect(own) as known:
            if known.execute(SEEDED).fetchone() == (_schema(),):
                return own
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
        connection.execute(f'ALTER DATABASE "{name}" SET max_parallel_workers_per_gather = 0')
    _ours(["manage.py", "migrate", "--verbosity", "0"], own)
    with tqdm(desc=f"{size} customers", unit=" steps", total=9) as bar:

        def progress(step):
            bar.set_postfix_str(step)
            bar.update()

        fill(own, size, progress)
    with psycopg.connect(own) as connection:
        connection.execute(f"COMMENT ON TABLE customers IS '{_schema()}'")
    return own


SEEDED = "SELECT obj_description('customers'::regclass)"


def _schema():
    """What the tables are made by; another one asks for another database."""
    made = b"".join(path.read_bytes() for path in sorted(ROOT.glob("customers/migrations/*.py")))
    return hashlib.sha256(made).hexdigest()


def _ours(arguments, url):
    env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "project.settings"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=env, check=True, capture_output=True, text=True
    )
    return done.stdout


@contextmanager
def serving(names, url, kind):
    """The Servers of `names`, started, answering, and stopped in the end."""
    known = json.loads(_ours(["-m", "customers.benchmarks.prepare"], url).splitlines()[-1])
    ours = {"DJANGO_SETTINGS_MODULE": "project.settings", "LOG_LEVEL": "WARNING"}
    servers = []
    try:
        for name in names:
            env = {} if name == "stock" else ours
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


def compare(url, *, size, seconds, kind, names=tuple(MODULES)):
    """Measure all workloads on all servers; return tables, chart and notes."""
    own, results = database(url, size), {}
    page = min(2000, size // 25)
    all_workloads = [*workloads.READS, *workloads.WRITES]
    with serving(names, own, kind) as servers:
        workloads.check_alike(servers, size)
        total = len(all_workloads) * len(SPELLS) * len(servers)
        with tqdm(total=total, unit=" runs") as bar:
            for name in all_workloads:
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
    table, latencies = report.table(results, page), report.latencies(results, page)
    return table, latencies, report.chart(results, page), notes


def grow(url, *, sizes, seconds, kind):
    """Measure our reads at each of `sizes`, and the admin at the largest."""
    results, page = {}, min(2000, sizes[0] // 25)
    for size in sizes:
        with serving(["ours"], database(url, size), kind) as (server,):
            for name in tqdm(workloads.READS, desc=f"{size} customers"):
                requests = workloads.reads(server, name, size)
                load(server, requests, 1, 1)
                results[name, size] = load(server, requests, 1, seconds)
            if size == sizes[-1]:
                admin = _admin(server)
    return report.growth(results, sizes, "2000") + "\n\n" + admin, page


ADMIN = {
    "list": "",
    "search by part of an address": "?q=ovelac",
    "page 30,000": "?p=30000",
    "page 15,000": "?p=15000",
}


def _admin(server):
    """How long the admin's customer list takes, the first time and then."""
    headers = {"Cookie": f"sessionid={server.session}"}
    lines = ["| admin | first ms | then ms |", "| --- | --: | --: |"]
    server.send(server.request("GET", "/admin/customers/tag/", headers=headers))
    for title, query in ADMIN.items():
        request, times = (
            server.request("GET", f"/admin/customers/customer/{query}", b"", headers),
            [],
        )
        for _ in range(6):
            start = time.perf_counter()
            status, body = server.send(request)
            times.append(1000 * (time.perf_counter() - start))
        if status != 200 or b".example.com" not in body:
            raise RuntimeError(f"The admin shows no customers: {title}, status {status}")
        lines.append(f"| {title} | {times[0]:.0f} | {sorted(times[1:])[2]:.0f} |")
    return "\n".join(lines)
