"""What a change locks, as its SQL tells: the customer first, then the row, then it is written.

Of every writing route of every type, so that no two changes wait for each other the wrong way
round; and what is begun again when the row has got another customer meanwhile.
"""

import re
import threading
import time

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, EventStore, Order
from customers.resources.registry import registry
from customers.tests.conftest import Api, needs_postgresql, waiting_for_locks
from customers.tests.factories import FULL, ONE, SMALLEST, make_customer, make_order
from customers.tests.test_contract import every_written_type, key_of

pytestmark = needs_postgresql

LOCK = re.compile(r'SELECT .*? FROM "(\w+)".* FOR (?:NO KEY )?UPDATE')
CHANGE = re.compile(r'^\W*(?:UPDATE|DELETE FROM) "(\w+)"')


def acts(queries):
    """What `queries`, captured ones, do in turn: pairs of "lock" or "change" and a table."""
    for query in queries:
        sql = query["sql"]
        if found := LOCK.search(sql):
            yield "lock", found[1]
        elif found := CHANGE.match(sql):
            yield "change", found[1]


class Watch:
    """Sends changes of a row, and checks the order of what each of them locks and changes."""

    def __init__(self, api, row):
        self.api, self.row, self.accepted = api, row, set()
        self.customer_id = getattr(row, "customer_id", None)

    def send(self, what, method, path, data=None):
        with CaptureQueriesContext(connection) as queries:
            answer = self.api.send(method, path, {"data": data} if data is not None else b"")
        if answer.status_code < 300:
            self.accepted.add(what)
            self._check(list(acts(queries.captured_queries)), f"{method} {path} {what}")
        return answer

    def _check(self, found, what):
        table = self.row._meta.db_table
        locks = [about for act, about in found if act == "lock"]
        assert table in locks, f"{what} locks no row of {table}: {found}"
        if self.customer_id or "customers" in locks:
            assert locks[0] == "customers", f"{what} does not lock the customer first: {found}"
        first_change = next(iter([i for i, (act, _) in enumerate(found) if act == "change"]), None)
        own_lock = found.index(("lock", table))
        if first_change is not None:
            assert own_lock < first_change, f"{what} changes before it has locked: {found}"


@pytest.fixture
def watch(api):
    return lambda row: Watch(api, row)


@every_written_type
def test_a_change_locks_the_customer_then_the_row_and_then_writes(watch, api, name):
    seen = watch(FULL[name]())
    row, resource = seen.row, registry.types[name]
    writable = resource.serializer_class.writable(creating=False)
    path = f"/api/{name}/{row.pk}"

    def change(what, **members):
        return seen.send(what, "PATCH", path, {"type": name, "id": row.pk, **members})

    change("metadata", attributes={"metadata": {"a": "b"}})
    for trigger in sorted(one for one in writable if one.startswith("_")):
        for value in (True, "vip"):
            change(trigger, attributes={trigger: value})
    for relationship in sorted(writable & resource.relations.keys()):
        there = f"{path}/relationships/{relationship}"
        linkage = api.get(there).json()["data"]
        change(relationship, relationships={relationship: {"data": linkage}})
        methods = ["PATCH", "POST", "DELETE"] if isinstance(linkage, list) else ["PATCH"]
        for method in methods:
            seen.send(f"{method} {relationship}", method, there, linkage)
        assert seen.accepted >= {f"{method} {relationship}" for method in methods}
    assert "metadata" in seen.accepted


@every_written_type
def test_a_deletion_locks_the_customer_then_the_row_and_then_deletes(watch, name):
    deleted = 0
    for make in (FULL[name], ONE[name]):
        seen = watch(make())
        deleted += seen.send("delete", "DELETE", f"/api/{name}/{seen.row.pk}").status_code == 204
    assert deleted


@every_written_type
def test_what_is_created_changes_no_other_row_before_its_customer_is_locked(api, name):
    attributes, relationships = SMALLEST[name]()
    with CaptureQueriesContext(connection) as queries:
        assert api.create(name, attributes, relationships).status_code == 201
    found = list(acts(queries.captured_queries))
    locks = [about for act, about in found if act == "lock"]
    assert "customers" not in locks[1:] or locks[0] == "customers", found
    if ("change", "customers") in found:
        assert found.index(("lock", "customers")) < found.index(("change", "customers")), found


def test_of_several_customers_that_with_the_lesser_id_is_locked_first(api):
    one, other = make_customer(), make_customer()
    for old, new in ((one, other), (other, one)):
        order = make_order(customer=old)
        with CaptureQueriesContext(connection) as queries:
            answer = api.update("orders", order.pk, relationships={"customer": key_of_row(new)})
        assert answer.status_code == 200
        locks = [q["sql"] for q in queries.captured_queries if q["sql"].endswith("FOR UPDATE")]
        locks = [sql for sql in locks if 'FROM "customers"' in sql]
        assert 'ORDER BY "customers"."id" ASC FOR UPDATE' in locks[0]
        assert one.pk in locks[0]
        assert other.pk in locks[0]


def key_of_row(row):
    return key_of({"type": row._meta.db_table, "id": row.pk})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["update", "delete"])
def test_a_change_that_another_one_overtook_is_begun_again_with_the_new_customer(act):
    """The row gets another customer between the look at it and the lock of its customer."""
    api, before, after = Api(), make_customer(), make_customer()
    order, answers, locked = make_order(customer=before), [], []

    def change():
        with CaptureQueriesContext(connection) as queries:
            if act == "update":
                answers.append(api.update("orders", order.pk, {"reference": "mine"}))
            else:
                answers.append(api.delete(f"/api/orders/{order.pk}"))
        for query in queries.captured_queries:
            if query["sql"].endswith("FOR UPDATE") and 'FROM "customers"' in query["sql"]:
                locked.extend(pk for pk in (before.pk, after.pk) if pk in query["sql"])
        connection.close()

    thread = threading.Thread(target=change)
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=before.pk)
        thread.start()
        last = time.monotonic() + 60
        while not waiting_for_locks() and time.monotonic() < last:
            time.sleep(0.01)
        Order.objects.filter(pk=order.pk).update(customer=after)
    thread.join()
    assert locked[:2] == [before.pk, after.pk]
    (answer,) = answers
    entry = EventStore.objects.get(resource_id=order.pk)
    if act == "update":
        assert answer.status_code == 200
        assert Order.objects.get(pk=order.pk).reference == "mine"
        assert entry.payload == {"reference": {"from": None, "to": "mine"}}
    else:
        assert answer.status_code == 204
        assert not Order.objects.exists()
    assert entry.customer_id == after.pk
