#!/usr/bin/env python3
"""Show, on this machine, what the service does when what it stands on fails or grows.

    .venv/bin/python deploy/prove.py [outage] [stop] [pgbouncer] [replica] [promotion]

Each makes PostgreSQL clusters of its own in a temporary folder (Debian's postgresql,
for `pgbouncer` Debian's pgbouncer too), serves the service from them, loads it, and
prints its figures. It ends with 1 when they are not as they must be.
"""

import collections
import contextlib
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
running = contextlib.ExitStack()  # what is to be stopped at the end, however it comes
JSON_API = "application/vnd.api+json"
OWNER = "postgres" if os.geteuid() == 0 else None  # whom PostgreSQL runs as: never root


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def comes(true, seconds=30):
    """Whether the function `true` says so within `seconds`."""
    last = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < last:
        time.sleep(0.2)
    return found


def run(*command, user=OWNER, **options):
    options = {"check": True, "capture_output": True, "text": True, "cwd": "/", **options}
    return subprocess.run([str(part) for part in command], user=user, **options)


def postgresql(name):
    """The path of one of PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name) or sys.exit(f"Install {name}.")


class Cluster:
    """A PostgreSQL of its own in `folder`; with `primary`, a replica of that one."""

    def __init__(self, folder, primary=None, port=None):
        self.folder, self.is_copy = folder, bool(primary)
        if primary:
            source = f"host=127.0.0.1 port={primary.port} user=postgres"
            run(
                postgresql("pg_basebackup"),
                "-D",
                folder,
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "-d",
                source,
            )
        else:
            run(postgresql("initdb"), "-D", folder, "-A", "trust", "-U", "postgres", "-E", "UTF8")
        self.port = port or free_port()
        self.start()
        running.callback(self.stop)
        if not primary:
            self.query("CREATE DATABASE clientele", database="postgres")

    @property
    def url(self):
        return f"postgres://postgres@127.0.0.1:{self.port}/clientele"

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
        options += " -c autovacuum=off" + " -c log_statement=all" * self.is_copy
        log = Path(self.folder) / "log"
        run(postgresql("pg_ctl"), "-D", self.folder, "-w", "-l", log, "-o", options, "start")

    def stop(self, how="fast"):
        run(postgresql("pg_ctl"), "-D", self.folder, "-m", how, "stop", check=False)

    def promote(self):
        must(self.query("SELECT pg_promote()") == "t", "it is promoted")

    def follow(self, primary):
        """Replicate from `primary` from now on."""
        source = f"host=127.0.0.1 port={primary.port} user=postgres"
        self.query(f"ALTER SYSTEM SET primary_conninfo = '{source}'")
        self.query("SELECT pg_reload_conf()")

    def has_replayed(self, primary):
        """Whether the replica has all that `primary` has written by now."""
        written = primary.query("SELECT pg_current_wal_lsn()")
        return self.query(f"SELECT pg_last_wal_replay_lsn() >= '{written}'") == "t"

    def asked(self, what='FROM "customers"'):
        """How many statements that hold `what` the replica has been sent."""
        return (Path(self.folder) / "log").read_text().count(what)

    def query(self, sql, database="clientele"):
        address = f"host=127.0.0.1 port={self.port} user=postgres dbname={database}"
        return run(postgresql("psql"), address, "-XAtc", sql).stdout.strip()


class Service:
    """The service, served by project.server in front of the database at `url`."""

    def __init__(self, folder, url, migrate_at=None, **environment):
        self.port = free_port()
        self.environment = {
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(folder),
            "DATABASE_URL": url,
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "BIND": f"127.0.0.1:{self.port}",
            "WEB_CONCURRENCY": "2",
            "LOG_LEVEL": "ERROR",
            **environment,
        }
        self.manage("migrate", "-v0", DATABASE_URL=migrate_at or url)
        shown = self.manage("create_application", "Load")
        pairs = (line.split() for line in shown.splitlines() if ": " in line)
        credential = {name.rstrip(":"): value for name, value in pairs}
        command = [sys.executable, "-m", "project.server"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment)
        running.callback(self.stop)
        must(comes(lambda: listens(self.port)), "the service listens")
        form = json.dumps({"grant_type": "client_credentials", **credential})
        body = self.call("POST", "/oauth/token", form, "application/json")[2]
        self.token = json.loads(body)["access_token"]

    def manage(self, *arguments, **environment):
        command = [sys.executable, ROOT / "manage.py", *arguments]
        return run(*command, user=None, cwd=ROOT, env={**self.environment, **environment}).stdout

    def call(self, method, path, body=None, kind=JSON_API, **headers):
        """Status, headers and body of one request on a connection of its own.

        Raises Reset when the connection is reset before any of the answer has come.
        """
        headers |= {"Authorization": f"Bearer {getattr(self, 'token', '')}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            try:
                connection.request(method, path, body, {"Content-Type": kind, **headers})
                response = connection.getresponse()
            except http.client.RemoteDisconnected:
                raise  # it was accepted, and left without an answer
            except (ConnectionResetError, BrokenPipeError) as error:
                raise Reset from error
            return response.status, response.headers, response.read()

    def create_customer(self, email):
        data = {"type": "customers", "attributes": {"email": email}}
        key = {"Idempotency-Key": str(uuid.uuid4())}
        return self.call("POST", "/api/customers", json.dumps({"data": data}), **key)

    def stop(self):
        self.process.terminate()
        self.process.wait(40)


class Reset(Exception):
    """A connection was reset before any of the answer came."""


class Load:
    """Eight clients that read and write until they are told to stop, and a ledger of it all."""

    def __init__(self, service, clients=8):
        self.service, self.over = service, threading.Event()
        self.answers = []  # (seconds, status, faulty)
        self.acknowledged = []
        self.began = time.monotonic()
        self.threads = [threading.Thread(target=self.work, args=[n]) for n in range(clients)]
        for thread in self.threads:
            thread.start()

    def work(self, client):
        number = 0
        while not self.over.is_set():
            number += 1
            email = f"{client}-{number}@example.com"
            try:
                if number % 2:
                    status, headers, body = self.service.create_customer(email)
                else:
                    status, headers, body = self.service.call("GET", "/api/customers?include=tags")
            except ConnectionRefusedError:
                status, headers, body = "refused", {}, b"{}"
                time.sleep(0.05)
            except Reset:
                status, headers, body = "reset", {}, b"{}"
            except (OSError, http.client.HTTPException) as error:
                status, headers, body = f"broken: {type(error).__name__}", {}, b"{}"
            if status == 201:
                self.acknowledged.append(email)
            faulty = status == 503 and not (
                headers["Retry-After"]
                and headers["Content-Type"] == JSON_API
                and json.loads(body)["errors"][0]["code"] == "SERVICE_UNAVAILABLE"
            )
            self.answers.append((time.monotonic() - self.began, status, faulty))
            if status == 503:
                time.sleep(0.05)

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()

    @property
    def statuses(self):
        return dict(
            sorted(collections.Counter(str(status) for _, status, _ in self.answers).items())
        )

    def ledger(self, cluster):
        """How many customers were acknowledged, how many are not there, how many there twice."""
        found = collections.Counter(cluster.query("SELECT email FROM customers").split())
        lost = sum(email not in found for email in self.acknowledged)
        return len(self.acknowledged), lost, sum(count > 1 for count in found.values())


failures = []


def must(true, what):
    print(f"  {'yes' if true else 'NO '}  {what}", flush=True)
    if not true:
        failures.append(what)


def outage(folder):
    """The database is stopped for 20 seconds under load."""
    cluster = Cluster(folder / "primary")
    service = Service(folder / "service", cluster.url)
    load = Load(service)
    time.sleep(5)
    cluster.stop("immediate")
    stopped = time.monotonic() - load.began
    live, ready = service.call("GET", "/livez")[0], service.call("GET", "/readyz")[0]
    must((live, ready) == (200, 503), f"meanwhile /livez {live}, /readyz {ready}")
    page = service.call("GET", "/admin/login/", None, "text/html", Cookie="sessionid=" + "a" * 32)
    must(page[0] in (200, 503), f"meanwhile a page answers {page[0]}")
    time.sleep(20)
    cluster.start()
    started = time.monotonic() - load.began

    def last_failure():
        return max(seconds for seconds, status, _ in load.answers if status not in (200, 201))

    # until all has been well for twelve seconds
    while (now := time.monotonic() - load.began) < started + 40 and now < last_failure() + 12:
        time.sleep(1)
    load.stop()
    away = last_failure() - started
    count, lost, doubled = load.ledger(cluster)
    print(f"  away for {started - stopped:.1f} s; answers {load.statuses}")
    must(set(load.statuses) <= {"200", "201", "503"}, "nothing but 200, 201 and 503")
    must(not any(faulty for *_, faulty in load.answers), "each 503 is JSON:API with Retry-After")
    must(away < 30, f"the last 503 {away:.1f} s after the start (10 s at most on an idle machine)")
    must(load.answers[-1][1] in (200, 201), "back without a restart")
    must(not lost + doubled, f"{count} acknowledged, {lost} lost, {doubled} doubled")


def stop(folder):
    """The service is stopped under load."""
    cluster = Cluster(folder / "primary")
    service = Service(folder / "service", cluster.url, MAX_WAITING_WRITES="8")  # all may wait
    load = Load(service)
    time.sleep(3)
    began = time.monotonic()
    service.stop()
    took = time.monotonic() - began
    load.stop()
    count, lost, doubled = load.ledger(cluster)
    reset = load.statuses.get("reset", 0)
    print(f"  answers {load.statuses}")
    must(took < 30, f"stopped within {took:.1f} s")
    must(
        set(load.statuses) <= {"200", "201", "refused", "reset"},
        "every request is answered or not accepted",
    )
    must(reset <= 2, f"{reset} connections were reset, between the last look and the end")
    must(not lost + doubled, f"{count} acknowledged, {lost} lost, {doubled} doubled")


def pgbouncer(folder):
    """PgBouncer stands between in transaction mode, with two connections for sixteen threads."""
    cluster = Cluster(folder / "primary")
    cluster.query("ALTER ROLE postgres SET statement_timeout = '20s'", "postgres")
    cluster.query("ALTER ROLE postgres SET lock_timeout = '5s'", "postgres")
    settings, port = folder / "pgbouncer.ini", free_port()
    settings.write_text(
        f"[databases]\nclientele = host=127.0.0.1 port={cluster.port} user=postgres\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        "auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n"
        f"logfile = {folder}/pgbouncer.log\nadmin_users = postgres\n"
    )
    settings.chmod(0o644)
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    pooler = subprocess.Popen([program, "-q", settings], user=OWNER, cwd="/")
    running.callback(pooler.terminate)
    must(comes(lambda: listens(port)), "PgBouncer listens")
    url = f"postgres://postgres@127.0.0.1:{port}/clientele"
    waiting = {"DATABASE_POOLER": "true", "MAX_WAITING_WRITES": "8"}  # for the two connections
    service = Service(folder / "service", url, migrate_at=cluster.url, **waiting)
    load = Load(service, clients=16)
    time.sleep(10)
    connections = cluster.query(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = 'clientele' AND backend_type = 'client backend'"
    )
    most = int(connections) - 1
    load.stop()
    count, lost, doubled = load.ledger(cluster)
    print(f"  answers {load.statuses}")
    must(set(load.statuses) <= {"200", "201"}, "every request succeeds")
    must(most <= 2, f"16 clients share {most} connections")
    must(not lost + doubled, f"{count} acknowledged, {lost} lost, {doubled} doubled")


def unseen(service, count):
    """How many of `count` new customers are not found right after they were acknowledged."""
    missing = 0
    for _ in range(count):
        status, headers, _ = service.create_customer(f"{uuid.uuid4()}@example.com")
        if status != 201:
            missing += 1
            continue
        path = headers["Location"].removeprefix(service.environment["PUBLIC_URL"])
        missing += service.call("GET", path)[0] != 200
    return missing


def lists_read_from(copy, service):
    """How many of 100 lists the replica `copy` is asked for."""
    before = copy.asked()
    for _ in range(100):
        service.call("GET", "/api/customers")
    return copy.asked() - before


def replica(folder):
    """Reads go to a replica, and see each write, also when the replica lags or is away."""
    primary = Cluster(folder / "primary")
    copy = Cluster(folder / "copy", primary)
    service = Service(folder / "service", primary.url, DATABASE_REPLICA_URL=copy.url)

    missing = unseen(service, 100)
    must(missing == 0, f"100 written and read at once, {missing} not seen")
    must(comes(lambda: copy.has_replayed(primary)), "it catches up")
    asked = lists_read_from(copy, service)
    must(asked >= 50, f"100 lists asked the replica {asked} times")
    copy.query("SELECT pg_wal_replay_pause()", "postgres")
    missing = unseen(service, 30)
    must(missing == 0, f"a replica that stands still: 30 written and read, {missing} not seen")
    copy.query("SELECT pg_wal_replay_resume()", "postgres")
    copy.stop("immediate")
    missing = unseen(service, 30)
    must(missing == 0, f"a replica that is away: 30 written and read, {missing} not seen")
    copy.start()
    must(
        comes(lambda: lists_read_from(copy, service) >= 50), "back again, most of 100 lists ask it"
    )


def promotion(folder):
    """A standby is promoted, while the replica that is read from follows the former primary."""
    primary = Cluster(folder / "primary")
    standby, copy = (Cluster(folder / name, primary) for name in ("standby", "copy"))
    hosts = ",".join(f"127.0.0.1:{cluster.port}" for cluster in (primary, standby))
    url = f"postgres://postgres@{hosts}/clientele?target_session_attrs=read-write"
    service = Service(folder / "service", url, DATABASE_REPLICA_URL=copy.url)
    must(unseen(service, 1) == 0, "what is written is seen")
    must(comes(lambda: lists_read_from(copy, service) >= 50), "lists are read from the replica")
    must(comes(lambda: standby.has_replayed(primary)), "the standby has everything")

    primary.stop()
    standby.promote()
    primary.port = free_port()  # where the service does not find it
    primary.start()
    copy.follow(primary)
    primary.query("SELECT pg_logical_emit_message(false, 'proof', repeat('x', 40000000))")
    must(comes(lambda: copy.has_replayed(primary)), "the replica follows the former primary")
    there = copy.query("SELECT pg_last_wal_replay_lsn()")
    ahead = standby.query(f"SELECT pg_current_wal_lsn() < '{there}'") == "t"
    must(ahead, "it is past every position of the new one")
    must(comes(lambda: service.call("GET", "/readyz")[0] == 200), "the service is on the new one")
    before = copy.asked()
    missing = unseen(service, 30)
    must(missing == 0, f"30 written and read at once, {30 - missing} of 30 seen")
    must(copy.asked() == before, "and none was looked for where it cannot be")

    copy.stop()
    copy = Cluster(folder / "new", standby, port=copy.port)
    must(
        comes(lambda: lists_read_from(copy, service) >= 50),
        "a replica of the new primary in its place is read from",
    )
    copy.promote()
    before = copy.asked("pg_last_wal_replay_lsn")
    missing = unseen(service, 30)
    asked = copy.asked("pg_last_wal_replay_lsn") - before
    must(missing == 0, f"the replica is promoted itself: {30 - missing} of 30 seen")
    must(asked <= 2, f"each of two processes notices that once: asked {asked} times")


PROOFS = {
    "outage": outage,
    "stop": stop,
    "pgbouncer": pgbouncer,
    "replica": replica,
    "promotion": promotion,
}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))
    names = sys.argv[1:] or list(PROOFS)
    if unknown := set(names) - PROOFS.keys():
        sys.exit(f"There is no proof of {', '.join(unknown)}; there is {', '.join(PROOFS)}.")
    for name in names:
        print(f"{name}: {PROOFS[name].__doc__}", flush=True)
        with tempfile.TemporaryDirectory(prefix="clientele-", ignore_cleanup_errors=True) as folder:
            if OWNER:
                os.chown(folder, pwd.getpwnam(OWNER).pw_uid, -1)
            with running:
                PROOFS[name](Path(folder))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
