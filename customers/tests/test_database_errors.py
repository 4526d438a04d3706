"""When the database is away, slow, locked or full: a sentence, and when to try again."""

import html
import logging
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import (
    DatabaseError,
    IntegrityError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.utils import ConnectionHandler

from customers.db.routing import from_replica
from customers.models import Customer, CustomerGroup
from customers.services import durability, start_checks
from customers.services.database_errors import fault_of, is_away, place_of
from customers.services.tokens import read_token
from customers.services.transactions import retry_on_conflict
from customers.tests.conftest import error_of, in_threads, needs_postgresql
from customers.tests.factories import make_customer
from project import logs

LOCKED = "Something else holds what this needs; try again later."
FULL = "There is no room left to write to; nothing was changed."
READ_ONLY = "The database takes no changes just now, reads alone; try again later."
OTHER_VERSION = "The database's tables are of another version than the service."
REFUSALS = {  # SQLSTATE: status, Retry-After, detail
    "53100": (507, "60", FULL),
    "57014": (503, "5", "It took longer than the database may take; try again later."),
    "55P03": (503, "1", LOCKED),
    "53300": (503, "5", "The database has no connection to spare; try again later."),
    "40P01": (503, "1", "Another change got in the way; try again."),
    "40001": (503, "1", "Another change got in the way; try again."),
    "25006": (503, "5", READ_ONLY),
    "57P01": (503, "5", "The database stops or starts; try again later."),
    "08006": (503, "5", "The database does not answer; try again later."),
    "53200": (503, "30", "The database is short of memory; try again later."),
    "58030": (503, "60", "The database cannot use its own files."),
    "42501": (503, "60", "The database does not let the service do this: it lacks a privilege."),
    "42P01": (503, "30", OTHER_VERSION),
    "42703": (503, "30", OTHER_VERSION),
    "0A000": (501, None, "The database does not support what this needs."),
    "XX000": (503, "30", "The database failed at this; try again later."),
}
CODES = {501: "NOT_IMPLEMENTED", 503: "SERVICE_UNAVAILABLE", 507: "INSUFFICIENT_STORAGE"}


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
    assert response.get("Retry-After") == retry_after
    form = {"email": "ada@example.com", "mode": "test", "metadata": "{}"}
    form |= {f"{name}_FORMS": "0" for name in ("TOTAL", "INITIAL")}
    page = admin_client.post("/admin/customers/customer/add/", form)
    assert (page.status_code, page.get("Retry-After")) == (status, retry_after)
    assert detail in html.unescape(page.content.decode())
    assert not Customer.objects.exists()
    assert f"SQLSTATE {sqlstate}" in caplog.text
    assert "ada@example.com" not in caplog.text


@pytest.mark.skipif(connection.vendor != "sqlite", reason="asks for it by a PRAGMA of SQLite")
@pytest.mark.parametrize(
    ("pragma", "status", "detail"),
    [
        ("query_only = {on}", 503, READ_ONLY),
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


@pytest.mark.parametrize(
    ("pragma", "status", "detail"),
    [("query_only = 1", 503, READ_ONLY), ("max_page_count = 2", 507, FULL)],
)
def test_what_sqlite_cannot_do_is_told_by_its_code(pragma, status, detail):
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE t (a)")
        database.execute(f"PRAGMA {pragma}")
        with pytest.raises(sqlite3.OperationalError) as caught:
            database.execute("INSERT INTO t VALUES (zeroblob(100000))")
    error = OperationalError()
    error.__cause__ = caught.value
    assert (fault_of(error).status, fault_of(error).detail) == (status, detail)


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


def test_a_table_of_another_version_and_a_row_that_is_gone_are_told_for_what_they_are():
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        connection.cursor().execute("SELECT 1 FROM tables_of_tomorrow")
    assert fault_of(caught.value).detail == OTHER_VERSION
    assert not is_away(caught.value)
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        connection.cursor().execute("SELEKT 1")
    assert fault_of(caught.value) is None or connection.vendor == "sqlite"
    gone = make_customer()
    Customer.objects.filter(pk=gone.pk).delete()
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        gone.save(update_fields=["email"])
    assert fault_of(caught.value).detail == "Another change got in the way; try again."


@needs_postgresql
def test_the_log_has_the_code_and_the_names_of_what_an_error_is_about_and_no_value(caplog):
    group = CustomerGroup.objects.create(name="ada@example.com", mode="test")
    for act, about in {
        lambda: CustomerGroup.objects.create(pk=group.pk, name="ada@example.com", mode="test"): (
            "SQLSTATE 23505, table customer_groups, constraint customer_groups_pkey"
        ),
        lambda: CustomerGroup.objects.create(name=None, mode="test"): (
            "SQLSTATE 23502, table customer_groups, column name"
        ),
    }.items():
        with pytest.raises(IntegrityError) as caught, transaction.atomic():
            act()
        assert place_of(caught.value) == about
        record = logging.LogRecord("x", logging.ERROR, "", 1, "It failed.", (), (None, None, None))
        record.exc_info = (type(caught.value), caught.value, None)
        for form in (logs.Text(), logs.Json()):
            line = form.format(record)
            assert f"django.db.utils.IntegrityError ({about})" in line
            assert "ada@" not in line
    assert place_of(ValueError()) == ""


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

        return retry_on_conflict(act)

    in_threads(2, change)
    assert {
        len(reference) for reference in Customer.objects.values_list("reference", flat=True)
    } == {2}
    assert sum(count % 10 for count in begun) == 3


def test_within_a_transaction_nothing_is_tried_twice():
    calls = []

    def act():
        calls.append(1)
        raise OperationalError from CollisionError

    with transaction.atomic(), pytest.raises(OperationalError):
        retry_on_conflict(act)
    assert len(calls) == 1


class CollisionError(Exception):
    sqlstate = "40001"


@needs_postgresql
def test_a_database_that_may_lose_what_it_acknowledged_is_refused():
    durability.check_durability()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    with pytest.raises(ImproperlyConfigured, match="Set synchronous_commit to on in PostgreSQL"):
        durability.check_durability()


STANDBY = "a failover to its synchronous standby loses acknowledged changes."


@needs_postgresql
@pytest.mark.parametrize(
    ("commit", "required", "refused"),
    [
        ("local", True, True),
        ("remote_write", True, True),
        ("on", True, False),
        ("remote_apply", True, False),
        ("local", False, False),  # which is as on there
    ],
)
def test_a_commit_that_does_not_wait_for_a_synchronous_standby_is_refused(
    cluster, commit, required, refused
):
    cluster(f"SET synchronous_commit = {commit}")
    if required:  # a setting of the whole server, seen as the server would have it
        cluster(
            "CREATE TEMPORARY VIEW pg_settings AS SELECT name, CASE name"
            " WHEN 'synchronous_standby_names' THEN 'standby' ELSE setting END AS setting"
            " FROM pg_catalog.pg_settings"
        )
        cluster("SET search_path = pg_temp, pg_catalog, public")
    if not refused:
        durability.check_durability()
        return
    with pytest.raises(ImproperlyConfigured, match=f"with {commit} {STANDBY}"):
        durability.check_durability()


@pytest.fixture
def cluster():
    """Executes SQL in the connection of the test, which it leaves as it was."""

    def execute(sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)

    execute("SAVEPOINT as_it_was")
    yield execute
    execute("ROLLBACK TO as_it_was")


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_not_of_utf_8_is_refused_with_what_to_do(monkeypatch, settings):
    name = f"{connection.settings_dict['NAME']}_latin"
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")  # it is a checkpoint, too
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    latin = ConnectionHandler({"default": {**connection.settings_dict, "NAME": name}})["default"]
    try:
        monkeypatch.setattr(durability, "connection", latin)
        with pytest.raises(ImproperlyConfigured, match="encoding is LATIN1: make one of UTF-8"):
            start_checks.check_at_start()
        with pytest.raises(CommandError, match="encoding is LATIN1: make one of UTF-8"):
            call_command("work", once=True)
        served = subprocess.run(
            [sys.executable, "-c", "import project.wsgi"],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": url_of(latin.settings_dict), "LOG_FORMAT": "text"},
            capture_output=True,
            text=True,
        )
    finally:
        latin.close()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
            cursor.execute(f"SET statement_timeout = '{settings.DATABASE_STATEMENT_TIMEOUT}s'")
    assert served.returncode == 1
    assert "CRITICAL project.wsgi The database's encoding is LATIN1: make one" in served.stderr


def url_of(found):
    """The DATABASE_URL that leads to the database `found`, settings of Django's."""
    user = ":".join(quote(found[part]) for part in ("USER", "PASSWORD"))
    return f"postgres://{user}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


@needs_postgresql
@pytest.mark.parametrize("name", ["statement_timeout", "lock_timeout"])
def test_statements_and_locks_are_waited_for_in_bounds(name, settings):
    wanted = getattr(settings, f"DATABASE_{name.upper()}")
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        assert cursor.fetchone()[0] == f"{wanted}s"
