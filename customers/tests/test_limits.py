"""Limits: what is counted, by whom, where, and what a client hears of it."""

import os
import threading
import uuid
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Counter, Customer
from customers.services import limits, passwords, worker
from customers.services.passwords import hash_password
from customers.tests.conftest import Api, error_of, in_threads, needs_postgresql
from customers.tests.factories import make_customer
from customers.tests.test_password_pages import ask as ask_for_link
from customers.tests.test_sessions import log_in

LIMIT = limits.Limit("tests", "PAGE_REQUESTS_PER_MINUTE", 60)  # ten
REDIS_URL = os.environ.get("TEST_REDIS_URL", "")
needs_redis = pytest.mark.skipif(not REDIS_URL, reason="TEST_REDIS_URL names no Redis")


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands, at the start of a minute, until it is moved."""

    class Clock:
        now = 1_800_000_000.0

        def time(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(limits.time, "time", clock.time)
    return clock


@pytest.fixture(params=["database", pytest.param("redis", marks=needs_redis)])
def store(request, settings):
    """Counts where the setting says, under keys that no other test has.

    On a slow machine, too, Redis is waited for: what it is asked twice is counted twice.
    """
    settings.SECRET_KEY = uuid.uuid4().hex * 2
    settings.REDIS_URL = REDIS_URL if request.param == "redis" else ""
    limits._redis.cache_clear()
    if settings.REDIS_URL:
        patient = {"socket_timeout": 30, "socket_connect_timeout": 30}
        limits._redis().connection_pool.connection_kwargs.update(patient)


def used(limit, *who):
    """How many uses there are before one is refused."""
    for count in range(1000):
        try:
            limits.use(limit, *who)
        except limits.Limited:
            return count
    raise AssertionError("There is no limit.")


def test_a_limit_counts_down_and_then_refuses(store, clock):
    left = [limits.use(LIMIT, "ada").remaining for _ in range(10)]
    assert left == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    clock.now += 20
    with pytest.raises(limits.Limited) as refused:
        limits.use(LIMIT, "ada")
    assert refused.value.headers == {
        "X-Ratelimit-Limit": "10",
        "X-Ratelimit-Interval": "60",
        "X-Ratelimit-Remaining": "0",
        "Retry-After": "40",
    }
    assert used(LIMIT, "bob") == 10


def test_the_window_slides_and_what_is_refused_keeps_nobody_out(store, clock):
    assert used(LIMIT, "ada") == 10
    clock.now += 60
    assert used(LIMIT, "ada") == 0
    clock.now += 30  # half of the minute before still counts
    for _ in range(100):
        used(LIMIT, "ada")
    clock.now += 30
    assert used(LIMIT, "ada") == 5
    clock.now += 120
    assert used(LIMIT, "ada") == 10


def test_what_is_given_back_was_not_used(store, clock):
    for _ in range(30):
        limits.give_back(limits.use(LIMIT, "ada"))
    assert used(LIMIT, "ada") == 10


def test_what_is_given_back_too_late_is_no_other_use(store, clock):
    first = limits.use(LIMIT, "ada")
    clock.now += 5 * LIMIT.seconds
    limits.give_back(first)
    assert used(LIMIT, "ada") == 10
    limits.give_back(first)
    clock.now += 5 * LIMIT.seconds
    assert used(LIMIT, "ada") == 10


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_of_forty_uses_at_once_ten_get_through(store, clock):
    def use(_):
        try:
            return limits.use(LIMIT, "ada").remaining
        except limits.Limited:
            return None

    found = in_threads(40, use)
    through = [remaining for remaining in found if remaining is not None]
    assert sorted(through) == list(range(10))


def test_without_redis_the_database_counts(settings, caplog, clock):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"  # nobody listens there
    limits._redis.cache_clear()
    first = limits.use(LIMIT, "ada")
    assert used(LIMIT, "ada") == 9
    limits.give_back(first)
    assert Counter.objects.get().count == 9
    assert "Redis does not answer" in caplog.text


def test_counts_tell_of_nobody_and_go(clock):
    limits.use(LIMIT, "ada@example.com", "192.0.2.1")
    row = str(Counter.objects.values().get())
    assert "ada@" not in row
    assert "192.0" not in row
    Counter.objects.update(expires_at=timezone.now() + timedelta(seconds=5))
    worker.sweep()
    assert Counter.objects.exists()
    Counter.objects.update(expires_at=timezone.now())
    worker.sweep()
    assert not Counter.objects.exists()


@pytest.mark.parametrize(
    ("trusted", "meta", "client"),
    [
        ([], {"REMOTE_ADDR": "192.0.2.1"}, "192.0.2.1"),
        ([], {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "10.1.1.1"}, "192.0.2.1"),
        (
            ["192.0.2.0/24"],
            {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "1.1.1.1, 203.0.113.9"},
            "203.0.113.9",
        ),
        (
            ["192.0.2.0/24", "10.0.0.0/8"],
            {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "1.1.1.1,203.0.113.9,10.0.0.5"},
            "203.0.113.9",
        ),
        (["192.0.2.0/24"], {"REMOTE_ADDR": "192.0.2.1"}, "192.0.2.1"),
        (
            ["192.0.2.1"],
            {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "nonsense"},
            "192.0.2.1",
        ),
        ([], {"REMOTE_ADDR": "2001:db8:1:2:3:4:5:6"}, "2001:db8:1:2::/64"),
        ([], {"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": "1.1.1.1"}, "unknown"),
        (["unix"], {"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": "1.1.1.1"}, "1.1.1.1"),
        (
            ["unix", "10.0.0.0/8"],
            {"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": "1.1.1.1, 10.0.0.1"},
            "1.1.1.1",
        ),
    ],
)
def test_a_client_is_who_a_trusted_proxy_says_it_is(settings, trusted, meta, client):
    settings.TRUSTED_PROXIES = trusted
    settings.PROXY_NETWORKS = [limits.ipaddress.ip_network(a) for a in trusted if a != "unix"]
    assert limits.client_of(meta) == client


# At the doors


def test_tokens_are_limited_by_client_address(client, settings):
    settings.TOKEN_REQUESTS_PER_MINUTE = 3
    channel = Api(kind="sales_channel").application
    answers = [log_in(client, channel) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
    assert [answer["X-Ratelimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer["X-Ratelimit-Limit"] for answer in answers} == {"3"}
    assert {answer["X-Ratelimit-Interval"] for answer in answers} == {"60"}
    assert 1 <= int(answers[3]["Retry-After"]) <= 60
    (error,) = answers[3].json()["errors"]
    assert (error["status"], error["code"]) == (429, "TOO_MANY_REQUESTS")
    assert answers[3].json()["error"] == "temporarily_unavailable"
    client.defaults["REMOTE_ADDR"] = "198.51.100.7"
    assert log_in(client, channel).status_code == 400


def test_the_api_is_limited_where_the_setting_says_so(settings):
    api = Api()
    assert "X-Ratelimit-Limit" not in api.get("/api/tags")
    settings.API_REQUESTS_PER_MINUTE = 2
    first, second, third = (api.get("/api/tags") for _ in range(3))
    assert [first["X-Ratelimit-Remaining"], second["X-Ratelimit-Remaining"]] == ["1", "0"]
    error_of(third, 429, "TOO_MANY_REQUESTS")
    assert third["X-Ratelimit-Remaining"] == "0"
    assert int(third["Retry-After"]) >= 1


def test_wrong_passwords_are_limited_by_account_and_client_and_right_ones_are_not(
    client, settings, clock
):
    settings.TOKEN_REQUESTS_PER_MINUTE = 1000
    make_customer(email="ada@example.com", password=hash_password("correct horse battery"))
    channel = Api(kind="sales_channel").application
    for _ in range(15):
        assert log_in(client, channel).status_code == 200
    for address in ("ada@example.com", "nobody@example.com"):  # alike, whoever has it
        codes = [
            log_in(client, channel, username=address, password="wrong words").status_code
            for _ in range(11)
        ]
        assert codes == [400] * 10 + [429]
    assert log_in(client, channel).status_code == 429
    client.defaults["REMOTE_ADDR"] = "198.51.100.7"
    assert log_in(client, channel).status_code == 200
    settings.LOGIN_FAILURES_PER_ACCOUNT = 10
    assert log_in(client, channel).status_code == 429


def test_what_the_account_is_refused_is_not_counted_for_the_client(client, store, clock, settings):
    settings.LOGIN_FAILURES_PER_ACCOUNT, settings.TOKEN_REQUESTS_PER_MINUTE = 2, 1000
    make_customer(email="ada@example.com", password=hash_password("correct horse battery"))
    channel = Api(kind="sales_channel").application
    codes = [log_in(client, channel, password="wrong words").status_code for _ in range(20)]
    assert codes == [400] * 2 + [429] * 18
    settings.LOGIN_FAILURES_PER_ACCOUNT = 100
    codes = [log_in(client, channel, password="wrong words").status_code for _ in range(9)]
    assert codes == [400] * 8 + [429]


def test_forms_are_limited_by_client_address(client):
    answers = [ask_for_link(client) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [302] * 10 + [429]
    assert int(answers[10]["Retry-After"]) >= 1
    page = answers[10].content.decode()
    assert f"Try again in {answers[10]['Retry-After']} second" in page
    assert client.get("/test/password/forgot").status_code == 200


# Passwords that wait in line


@contextmanager
def crowd():
    """All the room that there is for passwords is taken."""
    taken = [passwords.places.all.acquire(blocking=False) for _ in range(100)]
    try:
        yield
    finally:
        for _ in range(sum(taken)):
            passwords.places.all.release()


def test_where_there_is_no_room_for_a_password_the_answer_is_503(client, admin_user):
    api, channel = Api(), Api(kind="sales_channel").application
    with crowd():
        for _ in range(20):
            response = log_in(client, channel)
            assert (response.status_code, response["Retry-After"]) == (503, "1")
            assert response.json()["errors"][0]["code"] == "SERVICE_UNAVAILABLE"
        response = api.create("customers", {"email": "new@example.com", "password": "some words"})
        error_of(response, 503, "SERVICE_UNAVAILABLE")
        assert response["Retry-After"] == "1"
        assert not Customer.objects.exists()
        login = {"username": admin_user.username, "password": "password"}
        response = client.post("/admin/login/", login)
        assert (response.status_code, response["Retry-After"]) == (503, "1")
        assert api.get("/api/customers").status_code == 200
    assert log_in(client, channel).status_code == 400  # and none of these counts


def test_no_more_passwords_are_looked_at_at_once_than_there_are_places():
    places = passwords.Places(2, waiting=3)
    inside, most, refused, gate = [], [], [], threading.Event()

    def look(_):
        try:
            with places:
                inside.append(1)
                most.append(len(inside))
                gate.wait(60)
                inside.pop()
        except passwords.Busy:
            refused.append(1)
            if len(refused) == 3:
                gate.set()

    in_threads(8, look)
    assert (max(most), len(most), len(refused)) == (2, 5, 3)
    places.expect_one()
