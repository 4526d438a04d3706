"""What the service does when what it stands on fails or grows."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable

from deploy.checks.harness import (
    OWNER,
    Cluster,
    Sandbox,
    Service,
    comes_true,
    free_port,
    is_listening,
    stop,
)
from deploy.checks.load import Load, failures, must, must_balance
from deploy.checks.replication import promotion, replica


def outage(sandbox: Sandbox) -> None:
    """The database is stopped for 20 seconds under load."""
    cluster = Cluster(sandbox, "primary")
    service = Service(sandbox, cluster.url)
    load = Load(service)
    time.sleep(5)
    cluster.stop(signal.SIGQUIT)
    stopped = time.monotonic() - load.began
    live, ready = service.call("GET", "/livez")[0], service.call("GET", "/readyz")[0]
    must((live, ready) == (200, 503), f"meanwhile /livez {live}, /readyz {ready}")
    cookie = {"Cookie": "sessionid=" + "a" * 32}
    page = service.call("GET", "/admin/login/", kind="text/html", **cookie)
    must(page[0] in (200, 503), f"meanwhile a page answers {page[0]}")
    time.sleep(20)
    cluster.start()
    started = time.monotonic() - load.began

    def last_failure() -> float:
        return max(seconds for seconds, status, _ in load.answers if status not in ("200", "201"))

    # until all has been well for twelve seconds
    while (now := time.monotonic() - load.began) < started + 40 and now < last_failure() + 12:
        time.sleep(1)
    load.stop()
    away = last_failure() - started
    print(f"  away for {started - stopped:.1f} s; answers {load.statuses}")
    must(set(load.statuses) <= {"200", "201", "503"}, "nothing but 200, 201 and 503")
    must(not any(faulty for *_, faulty in load.answers), "each 503 is JSON:API with Retry-After")
    must(away < 30, f"the last 503 {away:.1f} s after the start (10 s at most on an idle machine)")
    must(load.answers[-1][1] in ("200", "201"), "back without a restart")
    must_balance(load, cluster)


def shutdown(sandbox: Sandbox) -> None:
    """The service is stopped under load."""
    cluster = Cluster(sandbox, "primary")
    service = Service(sandbox, cluster.url, MAX_WAITING_WRITES="8")  # all may wait
    load = Load(service)
    time.sleep(3)
    began = time.monotonic()
    service.stop()
    took = time.monotonic() - began
    load.stop()
    reset = load.statuses.get("reset", 0)
    print(f"  answers {load.statuses}")
    must(took < 30, f"stopped within {took:.1f} s")
    answered = set(load.statuses) <= {"200", "201", "refused", "reset"}
    must(answered, "every request is answered or not accepted")
    must(reset <= 2, f"{reset} connections were reset, between the last look and the end")
    must_balance(load, cluster)


POOLER = """[databases]
clientele = host=127.0.0.1 port={database} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
logfile = {folder}/pgbouncer.log
admin_users = postgres
"""


def pgbouncer(sandbox: Sandbox) -> None:
    """PgBouncer stands between in transaction mode, with two connections for sixteen threads."""
    cluster = Cluster(sandbox, "primary")
    cluster.value("ALTER ROLE postgres SET statement_timeout = '20s'", "postgres")
    cluster.value("ALTER ROLE postgres SET lock_timeout = '5s'", "postgres")
    settings, port = sandbox.folder / "pgbouncer.ini", free_port()
    settings.write_text(POOLER.format(database=cluster.port, port=port, folder=sandbox.folder))
    settings.chmod(0o644)
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin") or "pgbouncer"
    pooler = subprocess.Popen([program, "-q", settings], user=OWNER, cwd="/")
    sandbox.callback(stop, pooler)
    must(comes_true(lambda: is_listening(port)), "PgBouncer listens")
    url = f"postgres://postgres@127.0.0.1:{port}/clientele"
    service = Service(
        sandbox,
        url,
        migrate_at=cluster.url,
        DATABASE_POOLER="true",
        MAX_WAITING_WRITES="8",  # for the two connections
    )
    load = Load(service, clients=16)
    time.sleep(10)
    connections = cluster.value(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = 'clientele' AND backend_type = 'client backend'"
    )
    most = connections - 1
    load.stop()
    print(f"  answers {load.statuses}")
    must(set(load.statuses) <= {"200", "201"}, "every request succeeds")
    must(most <= 2, f"16 clients share {most} connections")
    must_balance(load, cluster)


CHECKS: dict[str, Callable[[Sandbox], None]] = {
    "outage": outage,
    "stop": shutdown,
    "pgbouncer": pgbouncer,
    "replica": replica,
    "promotion": promotion,
}


def check(names: list[str]) -> bool:
    """Run the checks `names` of CHECKS, or all; whether everything was as it must be."""
    for name in names or CHECKS:
        print(f"{name}: {CHECKS[name].__doc__}", flush=True)
        with Sandbox() as sandbox:
            CHECKS[name](sandbox)
    return not failures
