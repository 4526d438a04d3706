"""What tests share: an API client with a token, and databases and keys of their own."""

import json
import logging
import os
import threading
import time
from unittest import mock

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, User
from django.core import signing
from django.db import connection
from django.test import Client

from customers.services import roles, sessions
from customers.services.applications import create_application
from customers.services.passwords import Argon2idHasher
from customers.services.tokens import issue_token

JSON_API = "application/vnd.api+json"


def pytest_configure():
    """Of what the service logs, the output of tests shows warnings and errors alone."""
    root = logging.getLogger()
    for logs in (root, logging.getLogger("django"), *root.handlers):
        logs.setLevel(logging.WARNING)


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers():
    """On PostgreSQL no more processes than have connections for all their threads."""
    found = yield
    return min(found, 4) if connection.vendor == "postgresql" else found


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request, django_db_modify_db_settings_parallel_suffix, tmp_path_factory
):
    """Beside a browser SQLite's database is a file, to which every thread has its connection.

    One in memory they would share: two who ask at once can then wait for each other for ever,
    one with the interpreter for the connection, the other the other way round.
    """
    if connection.vendor != "sqlite":
        return
    kept = os.environ.get("TEST_SQLITE_FILE")  # of mutants.py, which makes the tables once
    if not kept and any(item.get_closest_marker("browser") for item in request.session.items):
        kept = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
    if kept:
        connection.settings_dict["TEST"]["NAME"] = kept


@pytest.fixture(scope="session", autouse=True)
def _settings_of_tests(tmp_path_factory):
    django_settings.DATA_DIR = tmp_path_factory.mktemp("data")
    django_settings.MIDDLEWARE = [  # tests have as many threads as they like
        name for name in django_settings.MIDDLEWARE if name != "project.limits.bounded_concurrency"
    ]
    django_settings.WHITENOISE_AUTOREFRESH = True  # do not list all static files for each client


@pytest.fixture(autouse=True)
def _database(db):
    """Every test may use the database."""


@pytest.fixture
def hashes_at_full_cost():
    """For tests of what a password's hash is and takes."""


@pytest.fixture(autouse=True)
def _hashes_at_little_cost(request, monkeypatch):
    """Other tests make hundreds of hashes, and nothing rests on what they take."""
    if "hashes_at_full_cost" not in request.fixturenames:
        monkeypatch.setattr(Argon2idHasher, "memory_cost", 64)
        monkeypatch.setattr(Argon2idHasher, "time_cost", 1)


class Api:
    """Calls the API as a program in `mode` would, or as a `customer` through a sales channel."""

    def __init__(self, mode="test", *, kind="integration", customer=None, role="full"):
        kind = "sales_channel" if customer else kind
        self.application, self.secret = create_application(
            name="Tests", mode=mode, kind=kind, role=role
        )
        self.session = self.refresh_token = None
        if customer:
            found = sessions.start(self.application, customer, scope="market:all")
            self.session, self.refresh_token = found
        self.token = issue_token(
            self.application,
            scope="market:all",
            confidential=bool(self.secret),
            session=self.session,
        )
        self.client = Client(headers={"authorization": f"Bearer {self.token}", "accept": JSON_API})

    def get(self, path, **query):
        return self.client.get(path, query)

    def query(self, path, query):
        return self.client.get(path, query)

    def send(self, method, path, document, content_type=JSON_API):
        body = document if isinstance(document, bytes | str) else json.dumps(document)
        return self.client.generic(method, path, body, content_type=content_type)

    def create(self, resource_name, attributes=(), relationships=()):
        data = {
            "type": resource_name,
            "attributes": dict(attributes),
            "relationships": {name: {"data": value} for name, value in dict(relationships).items()},
        }
        return self.send("POST", f"/api/{resource_name}", {"data": data})

    def update(self, resource_name, pk, attributes=(), relationships=()):
        data = {
            "type": resource_name,
            "id": pk,
            "attributes": dict(attributes),
            "relationships": {name: {"data": value} for name, value in dict(relationships).items()},
        }
        return self.send("PATCH", f"/api/{resource_name}/{pk}", {"data": data})

    def delete(self, path, document=None):
        return self.send("DELETE", path, document) if document else self.client.delete(path)


@pytest.fixture(autouse=True)
def _steady_links(monkeypatch):
    """Links that hold their time of making are the same throughout a test."""
    now = signing.b62_encode(int(time.time()))
    monkeypatch.setattr(signing.TimestampSigner, "timestamp", lambda self: now)


@pytest.fixture
def api():
    return Api()


@pytest.fixture
def live_api():
    return Api(mode="live")


@pytest.fixture
def guest_api():
    return Api(kind="sales_channel")


def error_of(response, status, code, source=None):
    """The only error of `response`, after a check of its shape, status, code and source."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == JSON_API
    (error,) = response.json()["errors"]
    assert error.keys() <= {"title", "detail", "code", "source", "status", "meta"}
    assert error["title"]
    assert error["detail"]
    assert (error["status"], error["code"]) == (str(status), code)
    assert error.get("source") == source
    return error


def ids(response):
    """The ids of the resources that a list response holds, in its order."""
    assert response.status_code == 200, response.content
    return [resource["id"] for resource in response.json()["data"]]


PATIENT = {"connect_timeout": 60, "options": "-c lock_timeout=60s -c statement_timeout=0"}


def in_threads(count, act):
    """What `count` threads that call `act` with their number return.

    PostgreSQL lets them wait for each other as long as a slow machine takes.
    """
    found, start = [None] * count, threading.Barrier(count)

    def run(number):
        start.wait()
        try:
            found[number] = act(number)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    patience = PATIENT if connection.vendor == "postgresql" else {}
    with mock.patch.dict(connection.settings_dict["OPTIONS"], patience):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return found


def join_or_see_it_wait(thread):
    """Return when `thread` has ended, or waits for what our connection to PostgreSQL has locked."""
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE %s = ANY(pg_blocking_pids(pid)))"
    with connection.cursor() as cursor:
        while thread.is_alive():
            cursor.execute(waits, [connection.connection.info.backend_pid])
            if cursor.fetchone()[0]:
                return
            thread.join(0.02)


needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="threads share SQLite's test database in memory"
)


def staff_client(role, **options):
    """A client at which a new member of the staff with `role` has logged in."""
    roles.make_roles()
    user = User.objects.create_user(f"{role}{User.objects.count()}", is_staff=True)
    user.groups.set([Group.objects.get(name=role)])
    client = Client(**options)
    client.force_login(user)
    return client


def waiting_for_locks():
    """How many connections with PostgreSQL's test database wait for what another has locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # of this transaction
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
        return cursor.fetchone()[0]
