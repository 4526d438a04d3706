"""How many requests may wait in one process, and who is answered when they do."""

import json
import os
import re
import threading
import time
from collections import Counter
from http.client import HTTPConnection

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory

from customers.models import Customer
from customers.services import passwords
from customers.tests.conftest import JSON_API, Api, needs_postgresql, waiting_for_locks
from customers.tests.factories import make_customer
from customers.tests.servers import free_port, start_server
from project.limits import BUSY, RequestSlots, ThreadSlots, bounded_concurrency

pytestmark = pytest.mark.thorough

AT_ONCE = 2


class Held:
    """A view that answers when it is let, and how many requests are in it."""

    def __init__(self):
        self.release, self.entered, self.count = threading.Event(), threading.Semaphore(0), 0

    def __call__(self, request):
        if request.path_info == "/api/held":
            self.count += 1
            self.entered.release()
            self.release.wait(60)
        return HttpResponse("done")


@pytest.fixture
def held(settings):
    """A view, what sends a request, what begins some that stay in the view, and what ends those."""
    settings.MAX_WAITING_WRITES = AT_ONCE
    view = Held()
    middleware, make = bounded_concurrency(view), RequestFactory()

    def send(method, path):
        return middleware(make.generic(method, path))

    threads = []

    def begin(method, count):
        for _ in range(count):
            threads.append(threading.Thread(target=send, args=[method, "/api/held"]))
            threads[-1].start()
            assert view.entered.acquire(timeout=60)

    def end():
        view.release.set()
        for thread in threads:
            thread.join()

    yield view, send, begin, end
    end()


def test_writes_beyond_those_that_wait_are_refused_and_reads_go_on(held):
    view, send, begin, end = held
    begin("POST", AT_ONCE)
    for method in ("POST", "PATCH", "DELETE"):
        answer = send(method, "/api/held")
        assert (answer.status_code, answer["Retry-After"]) == (503, "1")
        (error,) = json.loads(answer.content)["errors"]
        assert error["code"] == "SERVICE_UNAVAILABLE"
        assert error["detail"] == "Too many requests wait for the database; try again."
    assert view.count == AT_ONCE
    assert send("GET", "/api/other").status_code == 200
    end()
    assert send("POST", "/api/other").status_code == 200


def test_when_every_place_waits_nothing_but_livez_is_answered(held):
    _, send, begin, end = held
    begin("GET", AT_ONCE + 1)
    for path in ("/api/other", "/readyz", "/metrics", "/admin/"):
        answer = send("GET", path)
        assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert send("POST", "/oauth/token").status_code == 503
    assert send("GET", "/livez").content == b"done"
    end()
    assert send("POST", "/api/other").status_code == 200


def test_after_the_first_wait_refusals_come_at_once(held):
    _, send, begin, _ = held
    begin("POST", AT_ONCE)
    send("POST", "/api/other")
    began = time.monotonic()
    for _ in range(20):
        assert send("POST", "/api/other").status_code == 503
    assert time.monotonic() - began < 20 * 0.08


def test_whoever_has_a_password_hashed_holds_no_slot():
    slots = ThreadSlots(1)
    held = RequestSlots([slots])
    token = passwords.held_slots.set(held)
    assert held.acquire()
    with passwords.customer_slots:
        assert slots.acquire()
        slots.release()
    assert not slots.acquire()  # it has it again
    with pytest.raises(passwords.HashingBusyError), passwords.customer_slots:
        assert slots.acquire()  # another, who keeps it
    passwords.held_slots.reset(token)
    with passwords.customer_slots:  # outside of a request nobody needs one
        assert not slots.acquire()


def test_while_others_come_to_an_end_one_waits_for_a_place(settings):
    settings.MAX_WAITING_WRITES = 1
    inside, go = threading.Semaphore(0), threading.Semaphore(0)

    def view(request):
        inside.release()
        assert go.acquire(timeout=60)
        return HttpResponse("done")

    middleware, make, found = bounded_concurrency(view), RequestFactory(), []

    def send():
        found.append(middleware(make.post("/api/held")).status_code)

    threads = [threading.Thread(target=send) for _ in range(2)]
    threads[0].start()
    assert inside.acquire(timeout=60)
    threads[1].start()
    go.release(2)
    for thread in threads:
        thread.join()
    assert found == [200, 200]


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_served_process_answers_while_its_writes_wait_for_a_row(settings, tmp_path):
    api, customer = Api(), make_customer()
    name, found = connection.settings_dict["NAME"], connection.settings_dict
    port = free_port()
    with (tmp_path / "log").open("w") as log:
        process = start_server(
            port,
            env={
                **os.environ,
                "WEB_CONCURRENCY": "1",
                "DATABASE_URL": f"postgres://{found['USER']}:{found['PASSWORD']}"
                f"@{found['HOST']}:{found['PORT']}/{name}",
                "DATABASE_CONNECT_TIMEOUT": "60",
                "DATABASE_LOCK_TIMEOUT": "60",
                "DATABASE_STATEMENT_TIMEOUT": "0",
                "DATA_DIR": str(settings.DATA_DIR),
                "SECRET_KEY": settings.SECRET_KEY,
            },
            stdout=log,
            stderr=log,
        )

    def send(method, path, body=None):
        began = time.monotonic()
        call = HTTPConnection("127.0.0.1", port, timeout=120)
        headers = {"Authorization": f"Bearer {api.token}", "Content-Type": JSON_API}
        call.request(method, path, body, headers)
        answer = call.getresponse()
        text = answer.read().decode()
        call.close()
        return answer.status, answer.headers, time.monotonic() - began, text

    statuses, details = [], Counter()

    def change(number):
        data = {"type": "customers", "id": customer.pk, "attributes": {"reference": str(number)}}
        path = f"/api/customers/{customer.pk}"
        status, *_, text = send("PATCH", path, json.dumps({"data": data}))
        details.update(re.findall('"detail":"([^"]*)"', text))
        statuses.append(status)

    threads = [threading.Thread(target=change, args=[number]) for number in range(20)]
    try:
        assert send("GET", "/livez")[0] == 200
        assert send("GET", f"/api/customers/{customer.pk}")[0] == 200
        with transaction.atomic():
            Customer.objects.select_for_update().get(pk=customer.pk)
            for thread in threads:
                thread.start()
            last = time.monotonic() + 60
            while (waiting_for_locks() < 6 or len(statuses) < 14) and time.monotonic() < last:
                time.sleep(0.02)
            assert details == {BUSY.detail: 14}
            assert waiting_for_locks() == 6
            status, headers, *_ = send("POST", "/api/customers", "{}")
            assert (status, headers["Retry-After"]) == (503, "1")
            assert send("GET", f"/api/customers/{customer.pk}")[0] == 200
            assert min(send("GET", "/livez")[2] for _ in range(5)) < 0.1
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200] * 6 + [503] * 14
    finally:
        process.terminate()
        process.wait(60)
