"""Limits: what is counted, by whom, where, and what a client hears of it."""

import os
import threading
import uuid
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from customers.jobs import worker
from customers.models import Counter, Customer
from customers.services import limit_counters, limits, passwords
from customers.services.passwords import hash_password
from customers.tests.conftest import Api, error_of, in_threads, needs_postgresql
from customers.tests.factories import make_customer
from customers.tests.test_password_pages import ask as ask_for_link
from customers.tests.test_sessions import log_in
from customers.tests.test_tokens import ask as ask_for_token

pytestmark = pytest.mark.thorough

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


@pytest.fixture(params=["database", "process", pytest.param("redis", marks=needs_redis)])
def store(request, settings, monkeypatch):
    """Counts where the setting says, under keys that no other test has.

    On a slow machine, too, Redis is waited for: what it is asked twice is counted twice.
    """
    settings.SECRET_KEY = uuid.uuid4().hex * 2
    settings.REDIS_URL = REDIS_URL if request.param == "redis" else ""
    monkeypatch.setitem(globals(), "LIMIT", replace(LIMIT, local=request.param == "process"))
    limit_counters._redis.cache_clear()
    limit_counters._forsaken.clear()
    if settings.REDIS_URL:
        patient = {"socket_timeout": 30, "socket_connect_timeout": 30}
        limit_counters._redis().connection_pool.connection_kwargs.update(patient)


def used(limit, *actor):
    """How many uses there are before one is refused."""
    for count in range(1000):
        try:
            limits.consume(limit, *actor)
        except limits.RateLimitedError:
            return count
    raise AssertionError("There is no limit.")


def test_a_limit_counts_down_and_then_refuses(store, clock):
    left = [limits.consume(LIMIT, "ada").remaining for _ in range(10)]
    assert left == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    clock.now += 20
    with pytest.raises(limits.RateLimitedError) as refused:
        limits.consume(LIMIT, "ada")
    assert refused.value.headers == {
        "X-Ratelimit-Limit": "10",
        "X-Ratelimit-Interval": "60",
        "X-Ratelimit-Remaining": "0",
        "Retry-After": "46",  # then a tenth of the minute before is outside of the window
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


@pytest.mark.parametrize("settings_and_uses", [(10, 10), (10, 7), (3, 3), (1, 1)])
@pytest.mark.parametrize("after", [0, 7, 59, 60, 61, 95])
def test_retry_after_is_true_to_the_second(store, clock, settings, settings_and_uses, after):
    """Whatever stands in the stretch of time before, in this one, or in both."""
    settings.PAGE_REQUESTS_PER_MINUTE, early = settings_and_uses
    clock.now += 13
    for _ in range(early):
        limits.consume(LIMIT, "ada")
    clock.now += after
    for _ in range(settings.PAGE_REQUESTS_PER_MINUTE):
        try:
            limits.consume(LIMIT, "ada")
        except limits.RateLimitedError as error:
            refused = error
    wait = int(refused.headers["Retry-After"])
    clock.now += wait - 1
    with pytest.raises(limits.RateLimitedError) as again:
        limits.consume(LIMIT, "ada")
    assert again.value.headers["Retry-After"] == "1"
    clock.now += 1
    limits.consume(LIMIT, "ada")


def test_all_limits_are_counted_or_none_and_the_longest_wait_is_told(store, clock, settings):
    settings.LOGIN_FAILURES_PER_CLIENT, settings.PAGE_REQUESTS_PER_MINUTE = 3, 2
    longer = replace(LIMIT, what="more", setting="LOGIN_FAILURES_PER_CLIENT", seconds=600)
    both = [(LIMIT, "ada"), (longer, "ada")]
    for _ in range(2):
        limits.consume_all(both)
    with pytest.raises(limits.RateLimitedError) as refused:
        limits.consume_all(both)
    assert refused.value.retry_after == 90
    limits.consume(longer, "ada")  # the third: what was refused is not counted
    with pytest.raises(limits.RateLimitedError) as refused:
        limits.consume_all(both)
    wait = refused.value.retry_after
    assert wait == 600 + 200
    clock.now += wait - 1
    with pytest.raises(limits.RateLimitedError):
        limits.consume_all(both)
    clock.now += 1
    assert [use.remaining for use in limits.consume_all(both)] == [1, 0]


def test_what_is_given_back_was_not_used(store, clock):
    for _ in range(30):
        limits.refund(limits.consume(LIMIT, "ada"))
    assert used(LIMIT, "ada") == 10


def test_what_is_given_back_too_late_is_no_other_use(store, clock):
    first = limits.consume(LIMIT, "ada")
    clock.now += 5 * LIMIT.seconds
    limits.refund(first)
    assert used(LIMIT, "ada") == 10
    limits.refund(first)
    clock.now += 5 * LIMIT.seconds
    assert used(LIMIT, "ada") == 10


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_of_forty_uses_at_once_ten_get_through(store, clock):
    def use(_):
        try:
            return limits.consume(LIMIT, "ada").remaining
        except limits.RateLimitedError:
            return None

    found = in_threads(40, use)
    through = [remaining for remaining in found if remaining is not None]
    assert sorted(through) == list(range(10))


def test_without_redis_the_database_counts(settings, caplog, clock):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"  # nobody listens there
    limit_counters._redis.cache_clear()
    limit_counters._forsaken.clear()
    first = limits.consume(LIMIT, "ada")
    assert used(LIMIT, "ada") == 9
    limits.refund(first)
    assert Counter.objects.get().count == 9
    assert caplog.text.count("Redis does not answer") == 1  # for a while it is not asked again


def test_counts_tell_of_nobody_and_go(clock):
    limits.consume(LIMIT, "ada@example.com", "192.0.2.1")
    row = str(Counter.objects.values().get())
    assert "ada@" not in row
    assert "192.0" not in row
    Counter.objects.update(expires_at=timezone.now() + timedelta(seconds=5))
    worker.delete_expired_rows()
    assert Counter.objects.exists()
    Counter.objects.update(expires_at=timezone.now())
    worker.delete_expired_rows()
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
    assert 1 <= int(answers[3]["Retry-After"]) <= 80
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


def channel(mode, owned):
    customer = make_customer(mode=mode) if owned else None
    return Api(mode, kind="sales_channel", customer=customer)


def through(ask):
    """How often `ask` is answered before it is limited, and the answer that says so."""
    for count in range(1000):
        answer = ask()
        if answer.status_code == 429:
            return count, answer
    raise AssertionError("There is no limit.")


def opens_after(answer, clock, ask):
    """Whether the limit of `answer` is over in Retry-After seconds, and not in one less."""
    wait = int(answer["Retry-After"])
    clock.now += wait - 1
    early = ask().status_code
    clock.now += 1
    return early == 429 and ask().status_code != 429


@pytest.mark.parametrize(("mode", "burst"), [("live", 50), ("test", 25)])
@pytest.mark.parametrize("owned", [False, True], ids=["guest", "customer"])
def test_a_burst_of_a_sales_channel_to_one_route_is_limited(clock, mode, burst, owned):
    api = channel(mode, owned)

    def ask():
        return api.get("/api/organization")

    count, answer = through(ask)
    assert count == burst
    error_of(answer, 429, "TOO_MANY_REQUESTS")
    assert api.get("/api/application").status_code == 200  # another route
    assert api.create("customers").status_code == 422  # a write
    assert api.client.get("/api/organization", REMOTE_ADDR="198.51.100.7").status_code == 200
    assert channel(mode, owned).get("/api/organization").status_code == 200  # another program
    assert opens_after(answer, clock, ask)


@pytest.mark.parametrize(("mode", "average"), [("live", 200), ("test", 100)])
def test_reads_and_writes_of_a_sales_channel_are_limited_apart(clock, settings, mode, average):
    settings.CHANNEL_BURST = settings.CHANNEL_BURST_TEST = 0
    api = channel(mode, owned=False)
    asks = [lambda: api.get("/api/organization"), lambda: api.delete("/api/tags/none")]
    for ask in asks:
        count, answer = through(ask)
        assert count == average
        assert answer["X-Ratelimit-Limit"] == str(average)
    assert api.get("/api/application").status_code == 429  # whatever the route
    assert opens_after(answer, clock, asks[1])


def test_each_answer_to_a_sales_channel_tells_what_is_left_of_its_average(clock, settings):
    settings.CHANNEL_REQUESTS_PER_MINUTE_TEST = 7
    api = channel("test", owned=False)
    answers = [api.get("/api/organization"), api.get("/api/nothing"), api.delete("/api/tags/none")]
    left = [answer["X-Ratelimit-Remaining"] for answer in answers]
    assert left == ["6", "5", "6"]  # writes are counted apart
    told = {(answer["X-Ratelimit-Limit"], answer["X-Ratelimit-Interval"]) for answer in answers}
    assert told == {("7", "60")}
    settings.CHANNEL_REQUESTS_PER_MINUTE_TEST = 0
    assert "X-Ratelimit-Limit" not in api.get("/api/organization")


def test_a_burst_is_told_how_long_the_minute_lasts(clock, settings):
    """The longest wait is told, of whichever limit."""
    settings.CHANNEL_REQUESTS_PER_MINUTE_TEST = settings.CHANNEL_BURST_TEST = 5
    api = channel("test", owned=False)

    def ask():
        return api.get("/api/organization")

    count, answer = through(ask)
    assert (count, answer["Retry-After"]) == (5, "72")
    assert opens_after(answer, clock, ask)


def test_what_is_limited_does_nothing_and_costs_one_question(
    clock, settings, django_assert_num_queries
):
    settings.CHANNEL_BURST_TEST = 1
    api = channel("test", owned=False)
    document = {"email": "new@example.com"}
    assert api.create("customers", {**document, "email": "old@example.com"}).status_code == 201
    error_of(api.create("customers", document), 429, "TOO_MANY_REQUESTS")
    assert not Customer.objects.filter(**document).exists()
    assert api.get("/api/organization").status_code == 200
    with django_assert_num_queries(1):  # whether the token stands
        assert api.get("/api/organization").status_code == 429


def test_integrations_are_limited_only_where_a_setting_says_so(api, settings):
    settings.CHANNEL_REQUESTS_PER_MINUTE_TEST = settings.CHANNEL_BURST_TEST = 1
    assert [api.get("/api/organization").status_code for _ in range(3)] == [200] * 3
    settings.API_REQUESTS_PER_MINUTE = 1
    assert [api.get("/api/organization").status_code for _ in range(2)] == [200, 429]


def test_a_sales_channel_without_a_limit_is_not_counted(settings):
    settings.CHANNEL_REQUESTS_PER_MINUTE_TEST = settings.CHANNEL_BURST_TEST = 0
    api, before = channel("test", owned=False), len(limit_counters._kept_here.counts)
    assert api.get("/api/organization").status_code == 200
    assert len(limit_counters._kept_here.counts) == before


def test_a_process_remembers_a_bounded_number_of_counts(monkeypatch, clock):
    monkeypatch.setattr(limit_counters, "MOST_KEPT", 3)
    local = replace(LIMIT, what="bounded", local=True)
    for number in range(10):
        limits.consume(local, str(number))
    assert len(limit_counters._kept_here.counts) == 3
    assert [limits.consume(local, actor).remaining for actor in "789"] == [8, 8, 8]
    assert limits.consume(local, "0").remaining == 9


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


def test_tokens_and_forms_are_open_again_after_retry_after(client, clock):
    channel = Api(kind="sales_channel").application
    members = {"grant_type": "client_credentials", "client_id": channel.client_id}
    asks = {30: lambda: ask_for_token(client, members), 10: lambda: ask_for_link(client)}
    for number, ask in asks.items():
        clock.now += 600
        count, answer = through(ask)
        assert count == number
        assert opens_after(answer, clock, ask)


def test_forms_are_limited_by_client_address(client):
    answers = [ask_for_link(client) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [302] * 10 + [429]
    assert int(answers[10]["Retry-After"]) >= 1
    page = answers[10].content.decode()
    assert f"Try again in {answers[10]['Retry-After']} second" in page
    assert client.get("/test/password/forgot").status_code == 200


# Passwords that wait in line


@contextmanager
def crowd(places):
    """All the room that there is in `places` is taken."""
    taken = [places.queue.acquire(blocking=False) for _ in range(100)]
    try:
        yield
    finally:
        for _ in range(sum(taken)):
            places.queue.release()


def test_where_there_is_no_room_for_a_password_the_answer_is_503(client, admin_user):
    api, channel = Api(), Api(kind="sales_channel").application
    with crowd(passwords.customer_slots):
        for _ in range(20):
            response = log_in(client, channel)
            assert (response.status_code, response["Retry-After"]) == (503, "1")
            assert response.json()["errors"][0]["code"] == "SERVICE_UNAVAILABLE"
        response = api.create("customers", {"email": "new@example.com", "password": "some words"})
        error_of(response, 503, "SERVICE_UNAVAILABLE")
        assert response["Retry-After"] == "1"
        assert not Customer.objects.exists()
        login = {"username": admin_user.username, "password": "password"}
        assert (
            client.post("/admin/login/", login).status_code == 302
        )  # staff have room of their own
        assert api.get("/api/customers").status_code == 200
    assert log_in(client, channel).status_code == 400  # and none of these counts


def test_a_crowd_at_the_login_of_staff_is_in_no_customers_way(client, admin_user):
    make_customer(email="ada@example.com", password=hash_password("correct horse battery"))
    channel = Api(kind="sales_channel").application
    login = {"username": admin_user.username, "password": "password"}
    with crowd(passwords.staff_slots):
        for name in (*"abcdefghijkl", admin_user.username):
            response = client.post("/admin/login/", {**login, "username": name})
            assert (response.status_code, response["Retry-After"]) == (503, "1")
        assert log_in(client, channel).status_code == 200
    assert not Counter.objects.filter(count__gt=1).exists()  # and none of these counts
    with crowd(passwords.customer_slots):  # nor are customers in the way of staff
        assert log_in(client, channel).status_code == 503
        assert client.post("/admin/login/", login).status_code == 302


def test_no_more_passwords_are_looked_at_at_once_than_there_are_places():
    places = passwords.HashingSlots(2, waiting=3)
    inside, most, refused, gate = [], [], [], threading.Event()

    def look(_):
        try:
            with places:
                inside.append(1)
                most.append(len(inside))
                gate.wait(60)
                inside.pop()
        except passwords.HashingBusyError:
            refused.append(1)
            if len(refused) == 3:
                gate.set()

    in_threads(8, look)
    assert (max(most), len(most), len(refused)) == (2, 5, 3)
    places.check_free()
