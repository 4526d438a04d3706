"""When the database is away, slow, locked or full: a sentence, and when to try again."""

import threading

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.db.utils import ConnectionHandler

from customers.models import Customer, from_replica
from customers.services import durability
from customers.services.faults import fault_of
from customers.services.tokens import read_token
from customers.services.transactions import retried
from customers.tests.conftest import error_of, in_threads, needs_postgresql
from customers.tests.factories import make_customer

LOCKED = "Something else holds what this needs; try again later."
FULL = "There is no room left to write to; nothing was changed."
REFUSALS = {  # SQLSTATE: status, Retry-After, detail
    "53100": (507, "60", FULL),
    "57014": (503, "5", "It took longer than the database may take; try again later."),
    "55P03": (503, "1", LOCKED),
    "53300": (503, "5", "The database has no connection to spare; try again later."),
    "40P01": (503, "1", "Another change got in the way; try again."),
    "40001": (503, "1", "Another change got in the way; try again."),
    "25006": (503, "5", "The database does not answer; try again later."),
    "57P01": (503, "5", "The database does not answer; try again later."),
}
CODES = {503: "SERVICE_UNAVAILABLE", 507: "INSUFFICIENT_STORAGE"}


def refuse_customers(sqlstate):
    """Let PostgreSQL refuse every new customer by the error `sqlstate`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'ada@example.com' USING ERRCODE = '{sqlstate}'; END $$"
        )
        cursor.execute("CREATE TRIGGER refuse BEFORE INSERT ON customers EXECUTE FUNCTION refuse()")


@needs_postgresql
@pytest.mark.parametrize("sqlstate", REFUSALS)
def test_what_postgresql_cannot_do_is_told_to_programs_and_people(
    api, admin_client, sqlstate, caplog
):
    refuse_customers(sqlstate)
    status, retry_after, detail = REFUSALS[sqlstate]
    response = api.create("customers", {"email": "ada@example.com"})
    assert error_of(response, status, CODES[status])["detail"] == detail
    assert response["Retry-After"] == retry_after
    form = {"email": "ada@example.com", "mode": "test", "metadata": "{}"}
    form |= {f"{name}_FORMS": "0" for name in ("TOTAL", "INITIAL")}
    page = admin_client.post("/admin/customers/customer/add/", form)
    assert (page.status_code, page["Retry-After"]) == (status, retry_after)
    assert detail in page.content.decode()
    assert not Customer.objects.exists()
    assert "ada@example.com" not in caplog.text


@pytest.mark.skipif(connection.vendor != "sqlite", reason="asks for it by a PRAGMA of SQLite")
@pytest.mark.parametrize(
    ("pragma", "status", "detail"),
    [
        ("query_only = {on}", 503, "The database does not answer; try again later."),
        ("max_page_count = {pages}", 507, FULL),
    ],
)
@pytest.mark.django_db(transaction=True)  # SQLite itself undoes all of it when it is full
def test_a_database_that_takes_no_more_answers_reads_alone(api, pragma, status, detail):
    make_customer()
    metadata = {str(number): "x" * 50 for number in range(500)}
    with connection.cursor() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchone()[0] + 2
        cursor.execute("PRAGMA " + pragma.format(on=1, pages=pages))
        try:
            response = api.create("customers", {"email": "a@b.example", "metadata": metadata})
        finally:
            cursor.execute("PRAGMA " + pragma.format(on=0, pages=2**30))
    assert error_of(response, status, CODES[status])["detail"] == detail
    assert len(api.get("/api/customers").json()["data"]) == 1
    assert api.create("customers", {"email": "a@b.example"}).status_code == 201


@pytest.fixture
def away():
    """A connection to a database that does not answer, in the place of a replica."""
    nowhere = {"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": 1}
    connections["replica"] = ConnectionHandler({"default": {**nowhere, "NAME": "x"}})["default"]
    yield connections["replica"]
    del connections["replica"]


def test_a_database_that_is_away_is_a_fault_and_a_wrong_statement_is_none(away):
    with pytest.raises(OperationalError) as caught:
        away.ensure_connection()
    assert fault_of(caught.value).status == 503
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        Customer.objects.create(mode="none", email="a@b.example")
    assert fault_of(caught.value) is None
    assert fault_of(ValueError()) is None
    assert fault_of(PermissionError(13, "")) is None
    assert fault_of(OSError(28, "No space left on device")).status == 507


def test_a_token_is_not_called_invalid_because_the_database_is_away(api, away):
    with from_replica(), pytest.raises(OperationalError):
        read_token(api.token)
    assert read_token(api.token).application == api.application


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_two_changes_that_wait_for_each_other_are_both_made():
    ids = [make_customer(email=f"{name}@example.com").pk for name in "ab"]
    begun, both = [0, 0], threading.Barrier(2)

    def change(number):
        def act():
            begun[number] += 1
            with transaction.atomic():
                for pk in ids if number else reversed(ids):
                    customer = Customer.objects.select_for_update().get(pk=pk)
                    customer.reference = f"{customer.reference or ''}{number}"
                    customer.save(update_fields=["reference"])
                    if begun[number] == 1:
                        both.wait(30)
                        begun[number] += 10

        return retried(act)

    in_threads(2, change)
    assert {
        len(reference) for reference in Customer.objects.values_list("reference", flat=True)
    } == {2}
    assert sum(count % 10 for count in begun) == 3


def test_within_a_transaction_nothing_is_tried_twice():
    calls = []

    def act():
        calls.append(1)
        raise OperationalError from Collision

    with transaction.atomic(), pytest.raises(OperationalError):
        retried(act)
    assert len(calls) == 1


class Collision(Exception):
    sqlstate = "40001"


@needs_postgresql
def test_a_database_that_may_lose_what_it_acknowledged_is_refused():
    durability.check()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    with pytest.raises(ImproperlyConfigured, match="Set synchronous_commit to on in PostgreSQL"):
        durability.check()


@needs_postgresql
@pytest.mark.parametrize("name", ["statement_timeout", "lock_timeout"])
def test_statements_and_locks_are_waited_for_in_bounds(name, settings):
    wanted = getattr(settings, f"DATABASE_{name.upper()}")
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        assert cursor.fetchone()[0] == f"{wanted}s"
