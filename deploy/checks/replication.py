"""What the service does with a replica, and when one is promoted."""

import signal
import uuid

from deploy.checks.harness import Cluster, Sandbox, Service, comes_true, free_port
from deploy.checks.load import must


def unseen(service: Service, count: int) -> int:
    """How many of `count` new customers are not found right after they were acknowledged."""
    missing = 0
    for _ in range(count):
        email = f"{uuid.uuid4()}@example.com"
        status, headers, _ = service.create("customers", {"email": email})
        if status != 201:
            missing += 1
            continue
        missing += service.call("GET", headers["Location"].removeprefix(service.url))[0] != 200
    return missing


def statements(replica: Cluster, part: str = 'FROM "customers"') -> int:
    """How many statements that hold `part` the replica has been sent."""
    return replica.log.read_text().count(part)


def lists_read_from(replica: Cluster, service: Service) -> int:
    """How many of 100 lists the replica is asked for."""
    before = statements(replica)
    for _ in range(100):
        service.call("GET", "/api/customers")
    return statements(replica) - before


def has_replayed(replica: Cluster, primary: Cluster) -> bool:
    """Whether the replica has all that `primary` has written by now."""
    written = primary.value("SELECT pg_current_wal_lsn()")
    return replica.value(f"SELECT pg_last_wal_replay_lsn() >= '{written}'") is True


def replica(sandbox: Sandbox) -> None:
    """Reads go to a replica, and see each write, also when the replica lags or is away."""
    primary = Cluster(sandbox, "primary")
    copy = Cluster(sandbox, "copy", primary)
    service = Service(sandbox, primary.url, DATABASE_REPLICA_URL=copy.url)

    missing = unseen(service, 100)
    must(missing == 0, f"100 written and read at once, {missing} not seen")
    must(comes_true(lambda: has_replayed(copy, primary)), "it catches up")
    asked = lists_read_from(copy, service)
    must(asked >= 50, f"100 lists asked the replica {asked} times")
    copy.value("SELECT pg_wal_replay_pause()", "postgres")
    missing = unseen(service, 30)
    must(missing == 0, f"a replica that stands still: 30 written and read, {missing} not seen")
    copy.value("SELECT pg_wal_replay_resume()", "postgres")
    copy.stop(signal.SIGQUIT)
    missing = unseen(service, 30)
    must(missing == 0, f"a replica that is away: 30 written and read, {missing} not seen")
    copy.start()
    back = comes_true(lambda: lists_read_from(copy, service) >= 50)
    must(back, "back again, most of 100 lists ask it")


def promotion(sandbox: Sandbox) -> None:
    """A standby is promoted, while the replica that is read from follows the former primary."""
    primary = Cluster(sandbox, "primary")
    standby, copy = (Cluster(sandbox, name, primary) for name in ("standby", "copy"))
    hosts = ",".join(f"127.0.0.1:{cluster.port}" for cluster in (primary, standby))
    url = f"postgres://postgres@{hosts}/clientele?target_session_attrs=read-write"
    service = Service(sandbox, url, DATABASE_REPLICA_URL=copy.url)
    must(unseen(service, 1) == 0, "what is written is seen")
    must(comes_true(lambda: lists_read_from(copy, service) >= 50), "lists are read from it")
    must(comes_true(lambda: has_replayed(standby, primary)), "the standby has everything")

    _promote(standby, in_place_of=primary)
    copy.value(f"ALTER SYSTEM SET primary_conninfo = '{primary.address}'")
    copy.value("SELECT pg_reload_conf()")
    primary.value("SELECT pg_logical_emit_message(false, 'proof', repeat('x', 40000000))")
    follows = comes_true(lambda: has_replayed(copy, primary))
    must(follows, "the replica follows the former primary")
    there = copy.value("SELECT pg_last_wal_replay_lsn()")
    ahead = standby.value(f"SELECT pg_current_wal_lsn() < '{there}'")
    must(ahead, "it is past every position of the new one")
    must(comes_true(lambda: service.call("GET", "/readyz")[0] == 200), "the service is on the new")
    before = statements(copy)
    missing = unseen(service, 30)
    must(missing == 0, f"30 written and read at once, {30 - missing} of 30 seen")
    must(statements(copy) == before, "and none was looked for where it cannot be")

    copy.stop()
    copy = Cluster(sandbox, "new", standby, port=copy.port)
    back = comes_true(lambda: lists_read_from(copy, service) >= 50)
    must(back, "a replica of the new primary in its place is read from")
    must(copy.value("SELECT pg_promote()"), "it is promoted")
    before = statements(copy, "pg_last_wal_replay_lsn")
    missing = unseen(service, 30)
    asked = statements(copy, "pg_last_wal_replay_lsn") - before
    must(missing == 0, f"the replica is promoted itself: {30 - missing} of 30 seen")
    must(asked <= 2, f"each of two processes notices that once: asked {asked} times")


def _promote(standby: Cluster, in_place_of: Cluster) -> None:
    """Promote `standby`, and start the former primary where the service does not find it."""
    in_place_of.stop()
    must(standby.value("SELECT pg_promote()"), "it is promoted")
    in_place_of.port = free_port()
    in_place_of.start()
