"""Reading from a replica: what is no replica of ours, on our timeline, is never read from.

That one which is may be read from, and one of an older timeline may not, is shown on clusters
by `python -m deploy.checks resilience replica promotion`.
"""

import time

import pytest
from django.db import OperationalError, ProgrammingError, connection, connections, transaction
from django.db.utils import ConnectionHandler
from django.test.utils import CaptureQueriesContext

from customers.db.compiled import execute
from customers.db.routing import from_replica
from customers.models import Customer, Timeline
from customers.services import replicas
from customers.tests.conftest import Api, ids, needs_postgresql
from customers.tests.factories import make_customer

pytestmark = [needs_postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def replica(settings, monkeypatch):
    """A connection in the place of a replica, which leads to the primary itself."""
    settings.DATABASE_REPLICA_URL = "postgres://127.0.0.1/replica"
    for name, value in {"_passed_over_until": 0.0, "_why": None, "_lacks": None}.items():
        monkeypatch.setattr(replicas, name, value)
    monkeypatch.setattr(replicas, "_marked", set())
    connections["replica"] = ConnectionHandler({"default": connection.settings_dict})["default"]
    connections["replica"].alias = "replica"
    yield connections["replica"]
    connections["replica"].close()
    del connections["replica"]


def statements(act):
    """How many statements `act` sends to the primary and to the replica."""
    its = CaptureQueriesContext(connections["replica"])
    with CaptureQueriesContext(connection) as ours, its:
        act()
    return len(ours), len(its)


def count():
    return replicas.read_on_replica(Customer.objects.count)


def test_a_primary_in_the_place_of_a_replica_is_noticed_once_and_costs_nothing_more(
    replica, caplog
):
    make_customer()
    assert count() == 1  # and the token is made
    assert Timeline.objects.count() == 1
    assert statements(count) == (2, 1)
    for _ in range(3):
        assert statements(count) == (1, 0)
    assert caplog.text.count("is a primary; set DATABASE_REPLICA_URL") == 1


def test_a_new_process_makes_a_new_token_and_others_use_it(replica):
    count()
    (before,) = Timeline.objects.all()
    place = replicas._place_of_primary()
    assert place[1:] == (before.number, before.token)
    replicas._marked.clear()
    assert replicas._place_of_primary() is None
    (after,) = Timeline.objects.all()
    assert after.number == before.number
    assert len(after.token) == 32
    assert after.token != before.token
    assert replicas._place_of_primary()[1:] == (after.number, after.token)


@pytest.mark.parametrize(
    ("changed", "fits"),
    [({}, True), ({"token": "another"}, False), ({"number": 99}, False)],
)
def test_a_replica_without_the_token_of_the_timeline_is_not_read_from(replica, changed, fits):
    """One that has replayed the position, as a former primary's may have, twice in a row."""
    count()
    number, token = Timeline.objects.values_list("number", "token").get()
    Timeline.objects.update(**changed)
    state = replicas.STATE.replace("pg_is_in_recovery()", "true").replace(
        "pg_last_wal_replay_lsn()", "'FFFFFFFF/0'::pg_lsn"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replicas, "STATE", state)
        found = [replicas._has_replayed("0/1", number, token) for _ in range(2)]
    assert found == [fits, fits]
    assert (replicas._passed_over_until > 0) is not fits


@pytest.mark.parametrize(("replayed", "fits"), [("0/2", True), ("0/1", True), ("0/0", False)])
def test_a_replica_that_is_behind_is_not_read_from(replica, replayed, fits, caplog):
    """What it holds is that of our timeline, and it may catch up: it is asked again soon."""
    count()
    number, token = Timeline.objects.values_list("number", "token").get()
    state = replicas.STATE.replace("pg_is_in_recovery()", "true").replace(
        "pg_last_wal_replay_lsn()", f"'{replayed}'::pg_lsn"
    )
    began = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replicas, "STATE", state)
        assert replicas._has_replayed("0/1", number, token) is fits
    until = 0.0 if fits else began + replicas.BEHIND_FOR
    assert until <= replicas._passed_over_until <= until + 10 * (not fits)
    assert caplog.text == ""


def test_one_that_is_away_costs_no_read(replica, caplog):
    replica.settings_dict = {**replica.settings_dict, "HOST": "127.0.0.1", "PORT": 1}
    make_customer()
    count()
    assert count() == 1
    assert "The replica cannot be asked (OperationalError); reads go to the primary." in caplog.text
    with CaptureQueriesContext(connection) as ours:
        assert count() == 1
    assert len(ours) == 1


def test_a_connection_that_is_lost_is_not_made_again_unasked(replica):
    """It may lead elsewhere by then."""
    with from_replica():
        ((pid,),) = execute("SELECT pg_backend_pid()", [])
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
        with pytest.raises(OperationalError):
            execute("SELECT 1", [])


def test_within_a_transaction_nothing_is_asked(replica):
    with transaction.atomic():
        assert statements(replicas.has_caught_up) == (0, 0)


def test_a_read_whose_time_was_over_is_not_begun_again_on_the_primary(replica, monkeypatch):
    monkeypatch.setattr(replicas, "has_caught_up", lambda: True)
    begun = []

    def act(statement):
        begun.append(statement)
        with connections["replica"].cursor() as cursor:
            cursor.execute(statement)

    with pytest.raises(OperationalError):
        replicas.read_on_replica(lambda: act("SET statement_timeout = 1; SELECT pg_sleep(5)"))
    assert len(begun) == 1
    with pytest.raises(ProgrammingError):
        replicas.read_on_replica(lambda: act("SELECT nothing"))
    assert len(begun) == 3  # on the primary, too


@pytest.mark.parametrize("by_post", [True, False])
def test_a_list_is_read_from_the_replica_however_it_is_asked_for(replica, monkeypatch, by_post):
    api, customer = Api(), make_customer()
    monkeypatch.setattr(replicas, "has_caught_up", lambda: True)
    with CaptureQueriesContext(connections["replica"]) as its:
        if by_post:
            assert ids(api.send("POST", "/api/customers/search", {})) == [customer.pk]
        else:
            assert ids(api.get("/api/customers")) == [customer.pk]
    assert any('FROM "customers"' in one["sql"] for one in its.captured_queries)
