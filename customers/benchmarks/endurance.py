"""Kill everything, again and again, under write load, and compare what is left with a ledger.

A cluster of PostgreSQL, a web server and two workers of their own are run in a temporary folder.
Writers send changes and write down what was answered; receivers write down what they are told.
Nobody else's process is touched.
"""

import glob
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
from django.conf import settings

JSON_API = "application/vnd.api+json"
WRITERS = 4
HANGS = 30  # seconds that the hanging receiver takes, longer than any call may
IMPORTED = 10_000
KILLS = 3  # of the worker during the import


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def children(pid):
    """The processes whose parent is `pid`."""
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        with suppress(OSError):
            fields = Path(path).read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found.append(int(path.split("/")[2]))
    return found


def kill(*pids):
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Receivers(ThreadingHTTPServer):
    """Answers at once at /quick and too late at /hang; remembers what it was told."""

    request_queue_size = 512
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.told = []  # (event id, topic, resource id, moment)
        self.hung = 0
        self.over = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """Say nothing of a connection whose worker was killed."""


class _Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not body:
            return  # the worker was killed as it sent it
        if self.path == "/hang":
            self.server.hung += 1
            self.server.over.wait(HANGS)
        else:
            topic, pk = self.headers["X-CommerceLayer-Topic"], json.loads(body)["data"]["id"]
            self.server.told.append((self.headers["webhook-id"], topic, pk, time.monotonic()))
        with suppress(OSError):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_):
        pass


class Installation:
    """The service in a temporary folder: its cluster, its web server, its workers."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.database_port, self.port = free_port(), free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.database_port}/postgres"
        self.environment = {
            **os.environ,
            "DATA_DIR": str(self.folder / "data"),
            "DATABASE_URL": self.url,
            "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "WEBHOOK_CIRCUIT_FAILURES": "1000",
            "IMPORTS_TRIGGER_WEBHOOKS": "true",
            "TOKEN_REQUESTS_PER_MINUTE": "1000",
            "BIND": f"127.0.0.1:{self.port}",
            "WEB_CONCURRENCY": "2",
        }
        self.processes = {}
        self.user = "postgres" if os.geteuid() == 0 else None  # who may not run PostgreSQL
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        self.programs = Path(programs[-1] if programs else Path(shutil.which("initdb")).parent)

    def set_up(self):
        cluster = self.folder / "cluster"
        cluster.mkdir()
        if self.user:
            self.folder.chmod(0o755)
            shutil.chown(cluster, self.user)
        self._run([self.programs / "initdb", "-D", cluster, "-A", "trust", "-U", "postgres"])
        self.start("database")
        self.manage("migrate", "-v0")
        told = self.manage("create_application", "Endurance")
        words = [word.strip() for word in told.replace("=", " ").split()]
        self.client_id, self.client_secret = [word for word in words if len(word) == 43][:2]
        for name in ("web", "worker 1", "worker 2"):
            self.start(name)

    def _run(self, command):
        subprocess.run(command, check=True, user=self.user, cwd="/", stdout=subprocess.DEVNULL)

    def manage(self, *words):
        command = [sys.executable, settings.BASE_DIR / "manage.py", *words]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, env=self.environment
        )
        return done.stdout

    def start(self, name):
        commands = {
            "database": [
                *(self.programs / "postgres", "-D", self.folder / "cluster"),
                *("-p", str(self.database_port), "-h", "127.0.0.1"),
                *("-k", self.folder / "cluster"),
            ],
            "web": [
                *(sys.executable, "-m", "project.server"),
            ],
        }
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            commands.get(name, [sys.executable, settings.BASE_DIR / "manage.py", "work"]),
            stdout=log,
            stderr=log,
            env=self.environment,
            cwd="/" if name == "database" else settings.BASE_DIR,
            user=self.user if name == "database" else None,
        )
        if name == "database":
            self.wait_for_database()

    def wait_for_database(self):
        while True:
            with suppress(psycopg.OperationalError):
                psycopg.connect(self.url).close()
                return
            time.sleep(0.1)

    def kill(self, name):
        """kill -9 the process `name` and all that it has started, and start it again."""
        process = self.processes[name]
        kill(process.pid, *children(process.pid))
        process.wait()
        time.sleep(0.3)
        self.start(name)

    def kill_web_worker(self):
        """kill -9 one of the web server's own workers; the server replaces it."""
        if found := children(self.processes["web"].pid):
            kill(found[0])

    def kill_everything(self):
        running = list(self.processes.values())
        kill(*[pid for process in running for pid in (process.pid, *children(process.pid))])
        for process in running:
            process.wait()
        time.sleep(0.3)
        for name in ("database", "web", "worker 1", "worker 2"):
            self.start(name)

    def stop(self):
        for process in self.processes.values():
            kill(*children(process.pid), process.pid)
            process.wait()

    def query(self, statement):
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement).fetchall()

    # The API, asked until it answers

    def call(self, method, path, document=None, *, key=None, over=None):
        """Status and JSON of an answer of less than 500, asked for until there is one.

        None for both when `over`, a threading.Event, comes first.
        """
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": JSON_API}
        if key:
            headers["Idempotency-Key"] = key
        while not (over and over.is_set()):
            with suppress(OSError, http.client.HTTPException, ValueError):
                line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                line.request(method, path, document and json.dumps(document), headers)
                answer = line.getresponse()
                body = answer.read()
                line.close()
                if answer.status < 500:
                    return answer.status, json.loads(body or b"{}")
            time.sleep(0.1)
        return None, None

    def get_token(self):
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        while True:
            with suppress(OSError, http.client.HTTPException, KeyError, ValueError):
                line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                head = {"Content-Type": "application/json"}
                line.request("POST", "/oauth/token", json.dumps(form), head)
                self.token = json.loads(line.getresponse().read())["access_token"]
                return
            time.sleep(0.2)

    def create(self, kind, attributes, **options):
        document = {"data": {"type": kind, "attributes": attributes}}
        return self.call("POST", f"/api/{kind}", document, **options)


class Writer(threading.Thread):
    """Makes, changes and vainly doubles customers, and writes down what was acknowledged."""

    def __init__(self, number, service, over):
        super().__init__()
        self.number, self.service, self.over = number, service, over
        self.made = {}  # id: (address, last acknowledged size)
        self.refused = 0
        self.unexpected = []

    def run(self):
        count = 0
        while not self.over.is_set():
            count += 1
            address = f"writer{self.number}-{count}@example.com"
            key = secrets.token_hex(8)
            status, answer = self.service.create("customers", {"email": address}, key=key)
            if status != 201:
                self.unexpected.append((status, answer))
                continue
            pk = answer["data"]["id"]
            self.made[pk] = address, None
            if count % 3 == 0:
                self.change(pk, address, count)
            if count % 5 == 0:
                status, _ = self.service.create("customers", {"email": address.upper()})
                self.refused += status == 422

    def change(self, pk, address, size):
        resource = {"type": "customers", "id": pk, "attributes": {"metadata": {"size": size}}}
        path, key = f"/api/customers/{pk}", secrets.token_hex(8)
        status, answer = self.service.call("PATCH", path, {"data": resource}, key=key)
        if status == 200:
            self.made[pk] = address, size
        else:
            self.unexpected.append((status, answer))


def run(seconds, say):
    """Kill for `seconds`, then import and kill; `say` gets the ledger's lines.

    Returns whether nothing was lost, doubled, untold or told of a refused change.
    """
    folder = tempfile.mkdtemp(prefix="endurance-")
    service, receivers = Installation(folder), Receivers()
    try:
        service.set_up()
        service.get_token()
        base = f"http://127.0.0.1:{receivers.server_port}"
        for topic in ("customers.create", "customers.metadata_update"):
            members = {"topic": topic, "callback_url": f"{base}/quick"}
            assert service.create("webhooks", members)[0] == 201
        good = _endure(service, receivers, seconds, say)
        members = {"topic": "customers.create", "callback_url": f"{base}/hang"}
        assert service.create("webhooks", members)[0] == 201
        return _import(service, receivers, say) and good
    finally:
        receivers.over.set()
        service.stop()
        receivers.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def _endure(service, receivers, seconds, say):
    over, kills = threading.Event(), Counter()
    writers = [Writer(number, service, over) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    acts = {
        "web worker": service.kill_web_worker,
        "worker process": lambda: service.kill("worker 1"),
        "web server": lambda: service.kill("web"),
        "PostgreSQL": lambda: service.kill("database"),
        "everything": service.kill_everything,
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
    return _compare(service, receivers, writers, say)


def _compare(service, receivers, writers, say):
    _drain(service)
    made = {pk: known for writer in writers for pk, known in writer.made.items()}
    changed = {pk: size for pk, (_, size) in made.items() if size is not None}
    rows = {
        pk: (email, metadata)
        for pk, email, metadata in service.query("SELECT id, email, metadata FROM customers")
    }
    lost = [pk for pk in made if pk not in rows]
    lost += [pk for pk, size in changed.items() if rows[pk][1].get("size") != size]
    logged = Counter(
        service.query(
            "SELECT resource_id, event FROM event_stores WHERE resource_type = 'customers'"
        )
    )
    happened = service.query(
        "SELECT id, name, resource_id FROM events WHERE resource_type = 'customers'"
    )
    by_row = Counter((name, pk) for _, name, pk in happened)
    doubled = [one for one in (logged + by_row).items() if one[1] > 1]
    doubled += [pk for pk in rows if pk not in made]
    told = {(event, topic, pk) for event, topic, pk, _ in receivers.told}
    untold = set(happened) - told
    false = told - set(happened)
    unexpected = [one for writer in writers for one in writer.unexpected]
    say(
        f"acknowledged: {len(made)} customers, {len(changed)} changes; "
        f"refused: {sum(writer.refused for writer in writers)}"
    )
    say(f"lost: {len(lost)}; doubled: {len(doubled)}; unexpected answers: {len(unexpected)}")
    say(
        f"events: {len(happened)}; delivered: {len(told)} in {len(receivers.told)} calls; "
        f"not delivered: {len(untold)}; of no change that was made: {len(false)}"
    )
    for one in (lost + doubled + unexpected + sorted(untold) + sorted(false))[:5]:
        say(f"  {one}")
    return not (lost or doubled or untold or false or unexpected)


def _import(service, receivers, say):
    """An import of many, its workers killed as it goes, beside a receiver that hangs."""
    before = len(receivers.told)
    inputs = [{"email": f"imported{number}@example.com"} for number in range(IMPORTED)]
    _, answer = service.create("imports", {"resource_type": "customers", "inputs": inputs})
    pk, killed = answer["data"]["id"], 0
    while True:
        _, answer = service.call("GET", f"/api/imports/{pk}")
        job = answer["data"]["attributes"]
        if job["status"] not in ("pending", "in_progress"):
            break
        if killed < KILLS and job["processed_count"] > killed * IMPORTED // (KILLS + 1):
            service.kill("worker 1")
            service.kill("worker 2")
            killed += 1
        time.sleep(0.05)
    _drain(service, hanging=True)
    ((rows, names),) = service.query(
        "SELECT count(*), count(DISTINCT email_key) FROM customers WHERE email LIKE 'imported%'"
    )
    ((events,),) = service.query(
        "SELECT count(*) FROM events e JOIN customers c ON c.id = e.resource_id "
        "WHERE e.name = 'customers.create' AND c.email LIKE 'imported%'"
    )
    calls = receivers.told[before:]
    seconds = calls[-1][3] - calls[0][3]
    say(
        f"import of {IMPORTED} with the workers killed {killed} times: {job['status']}, "
        f"{rows} customers, {names} addresses, {events} events"
    )
    say(
        f"webhooks beside a receiver that hangs ({receivers.hung} calls of it): {len(calls)} in "
        f"{seconds:.0f} s, {60 * len(calls) / seconds:.0f} a minute"
    )
    delivered = len({event for event, *_ in calls})
    say(f"events of the import delivered: {delivered}")
    return rows == names == events == delivered == IMPORTED and 60 * len(calls) / seconds > 1000


def _drain(service, hanging=False):
    """Wait until every event has been told to the receiver that answers."""
    url = "%/quick" if hanging else "%"
    while True:
        ((waiting,),) = service.query(
            "SELECT (SELECT count(*) FROM events WHERE undispatched) + (SELECT count(*) "
            "FROM deliveries d JOIN webhooks w ON w.id = d.webhook_id "
            f"WHERE w.callback_url LIKE '{url}')"
        )
        if not waiting:
            return
        time.sleep(0.5)
