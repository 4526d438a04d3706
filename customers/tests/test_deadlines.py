"""No statement outlives its limit, and no request the limit of all its statements."""

import time

import pytest
from django.db import OperationalError, connection, transaction

from customers.models import Customer
from customers.services import deadlines
from customers.services.database_errors import fault_of
from customers.services.deadlines import deadline
from customers.tests.conftest import Api, error_of, in_threads, needs_postgresql
from customers.tests.factories import make_customer, make_order
from project.limits import bounded_time

pytestmark = pytest.mark.thorough

SLOW = "It took longer than the database may take; try again later."


def busy(seconds):
    """Keep the database busy for `seconds`, or for as long as it lets us."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_sleep(%s)", [seconds])
            return
        steps = (
            "WITH RECURSIVE steps(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM steps WHERE n < %s)"
        )
        cursor.execute(f"{steps} SELECT count(*) FROM steps", [int(seconds * 10**6)])  # noqa: S608
        cursor.fetchall()


def requested(act):
    """The seconds that a request took whose view is `act`, and what it raised."""
    started = time.monotonic()
    with pytest.raises(OperationalError) as caught, transaction.atomic():
        bounded_time(lambda request: act())(None)
    return time.monotonic() - started, caught.value


def test_a_statement_is_stopped_when_the_time_of_its_request_is_over(settings):
    settings.DATABASE_REQUEST_TIMEOUT = 0.2
    took, error = requested(lambda: busy(10))  # which would end by itself otherwise
    assert took < 10
    assert (fault_of(error).status, fault_of(error).detail) == (503, SLOW)
    assert make_customer() in Customer.objects.all()  # the connection is as good as before


def test_many_statements_are_stopped_that_are_short_each(settings):
    settings.DATABASE_REQUEST_TIMEOUT = 0.2
    counts = []

    def act():
        for number in range(10_000):
            busy(0.05)
            counts.append(number)

    took, error = requested(act)
    assert took < 30
    assert len(counts) < 200
    assert fault_of(error).status == 503


def test_what_is_tried_again_within_the_request_is_stopped_again(settings):
    settings.DATABASE_REQUEST_TIMEOUT = 0.1

    def act():
        with pytest.raises(OperationalError), transaction.atomic():
            busy(600)
        busy(600)

    assert requested(act)[0] < 30


def test_what_follows_a_request_has_its_own_time(settings):
    settings.DATABASE_REQUEST_TIMEOUT = 0.1
    requested(lambda: busy(600))
    settings.DATABASE_REQUEST_TIMEOUT = 0
    assert bounded_time(lambda request: busy(0.3))(None) is None
    settings.DATABASE_REQUEST_TIMEOUT = 60
    assert bounded_time(lambda request: busy(0.3))(None) is None
    busy(0.3)


@pytest.mark.parametrize("actor", ["program", "customer"])
def test_a_slow_request_of_the_api_is_answered_in_its_shape(settings, actor):
    """After the time of its kind: that of programs is longer."""
    customer = make_customer()
    api = Api() if actor == "program" else Api(customer=customer)
    assert api.get("/api/orders").status_code == 200
    settings.DATABASE_REQUEST_TIMEOUT = 0.3 if actor == "program" else 600
    settings.CUSTOMER_REQUEST_TIMEOUT = 0.3 if actor == "customer" else 600
    for number in range(4):
        make_order(customer=customer, number=f"N{number}", reference="a")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN PERFORM pg_sleep(10); RETURN NEW; END $$"
            )
            cursor.execute(
                "CREATE TRIGGER dawdle BEFORE INSERT ON orders EXECUTE FUNCTION dawdle()"
            )
        response = api.create("orders")
    else:
        connection.connection.create_function("unicode_lower", 1, lambda text: time.sleep(0.4))
        try:
            response = api.query("/api/orders", {"filter[q][reference_cont]": "abc"})
        finally:
            connection.connection.create_function(
                "unicode_lower", 1, lambda text: text and text.lower(), deterministic=True
            )
    assert error_of(response, 503, "SERVICE_UNAVAILABLE")["detail"] == SLOW
    assert response["Retry-After"] == "5"
    settings.DATABASE_REQUEST_TIMEOUT = settings.CUSTOMER_REQUEST_TIMEOUT = 30
    assert api.get("/api/orders").json()["meta"]["record_count"] == 4


def test_a_deadline_is_shortened_and_never_made_longer():
    deadlines.shorten(1)  # nothing is under way
    with deadline(600):
        now = time.monotonic()
        deadlines.shorten(5)
        assert deadlines._current.get().ends - now < 6
        deadlines.shorten(100)
        assert deadlines._current.get().ends - now < 6
    assert deadlines._current.get() is None


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_only_the_slow_one_of_two_requests_is_stopped(settings):
    settings.DATABASE_REQUEST_TIMEOUT = 1

    def act(number):
        try:
            bounded_time(lambda request: busy(600 if number else 0.5))(None)
        except OperationalError as error:
            return fault_of(error).status

    assert in_threads(2, act) == [None, 503]
