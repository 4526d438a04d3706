"""Lists at scale: numbers that are right, and pages that cost the same anywhere."""

import base64
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from customers.api import places
from customers.db import paging
from customers.db.indexes import TrigramIndex
from customers.db.keysets import keyset_after
from customers.db.paging import count_rows, load_page, order_of
from customers.models import (
    Address,
    Customer,
    CustomerAddress,
    CustomerPaymentSource,
    Order,
    OrderSubscription,
    Return,
    SkuList,
    Tag,
)
from customers.resources.ordering import order_rows
from customers.resources.registry import registry
from customers.tests.conftest import error_of, ids, in_threads, needs_postgresql
from customers.tests.factories import make_customer, make_group


@pytest.fixture
def small(monkeypatch, settings):
    """As if a handful of rows were many."""
    monkeypatch.setattr(paging, "NEAR", 4)
    monkeypatch.setattr(paging, "FEW", 2)
    settings.MAX_COUNTED = 7


@pytest.fixture
def dozen():
    """Twelve customers, of whom two at a time share their moment."""
    customers = [make_customer(email=f"{number}@example.com") for number in range(12)]
    for number, customer in enumerate(customers):
        at = customer.created_at.replace(microsecond=0) - timedelta(days=number // 2)
        Customer.objects.filter(pk=customer.pk).update(created_at=at)
    return customers


ORDERS = ["", "id", "-id", "created_at", "-created_at", "email", "-status", "-updated_at"]


@pytest.mark.parametrize("sort", ORDERS)
def test_pages_are_the_list_cut_in_pieces_however_they_are_found(api, dozen, small, sort):
    query = {"sort": sort} if sort else {}
    whole = ids(api.get("/api/customers", **query, **{"page[size]": "25"}))
    assert sorted(whole) == sorted(customer.pk for customer in dozen)
    for _ in range(2):  # the second time from the places that are remembered
        for number in [3, 6, 1, 5, 2, 4]:
            page = {"page[size]": "2", "page[number]": str(number)}
            found = ids(api.get("/api/customers", **query, **page))
            assert found == whole[2 * number - 2 : 2 * number]


@pytest.mark.parametrize("sort", ORDERS)
def test_a_cursor_walks_the_whole_list_without_counting(api, dozen, sort):
    query = {"sort": sort} if sort else {}
    whole = ids(api.get("/api/customers", **query, **{"page[size]": "25"}))
    response = api.get("/api/customers", **query, **{"page[size]": "5", "page[after]": ""})
    walked = ids(response)
    while link := response.json()["links"].get("next"):
        assert response.json()["meta"] == {}
        response = api.client.get(link)
        walked += ids(response)
    assert walked == whole


def test_a_cursor_is_a_place_in_the_order_of_the_list(api, dozen):
    first = api.get("/api/customers", sort="email", **{"page[size]": "5", "page[after]": ""})
    place = parse_qs(urlsplit(first.json()["links"]["next"]).query)["page[after]"][0]
    for sort in ("-email", "reference", "created_at,email", "id"):
        response = api.get("/api/customers", sort=sort, **{"page[after]": place})
        error_of(response, 400, "INVALID_PAGE_VALUE", {"parameter": "page[after]"})
    for sort, after in {"email": dozen[0].pk, "created_at": "\u0000", "id": "\u0000"}.items():
        response = api.get("/api/customers", sort=sort, **{"page[after]": after})
        error_of(response, 400, "INVALID_PAGE_VALUE", {"parameter": "page[after]"})
    response = api.get("/api/customers", **{"page[after]": "1", "page[number]": "1"})
    error_of(response, 400, "PARAM_NOT_ALLOWED", {"parameter": "page[number]"})


HOSTILE = ["null", "[]", "{}", '{"email_key":1,"id":"a"}', '{"email_key":"a","id":null}']
HOSTILE += ['{"email_key":null,"id":"a"}', '{"id":"a","email_key":"a"}']
HOSTILE += ['{"email_key":"\\u0000","id":"a"}', '{"email_key":"a","id":["a"]}']


def plainly(text):
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@pytest.mark.parametrize("written", [plainly, places.hide])
@pytest.mark.parametrize("text", HOSTILE)
def test_a_place_that_somebody_has_made_is_refused(api, dozen, text, written):
    after = "_" + written(text.encode())
    response = api.get("/api/customers", sort="email", **{"page[after]": after})
    error_of(response, 400, "INVALID_PAGE_VALUE", {"parameter": "page[after]"})


@pytest.mark.parametrize("path", ["/api/customers", "/api/customers/search"])
@pytest.mark.parametrize("sort", ["email", "-email", "reference,email"])
def test_a_place_does_not_tell_the_values_that_it_holds(api, dozen, sort, path):
    asked = {"sort": sort, "page": {"size": 5, "after": ""}}
    if path.endswith("search"):
        first = api.send("POST", path, asked)
    else:
        first = api.get(path, sort=sort, **{"page[size]": "5", "page[after]": ""})
    place = parse_qs(urlsplit(first.json()["links"]["next"]).query)["page[after]"][0]
    held = base64.urlsafe_b64decode(place[1:] + "==")
    for text in (dozen[4].email, "example", "email", dozen[4].pk, dozen[4].reference or "example"):
        assert text not in place
        assert text.encode() not in held


def test_a_place_is_refused_when_a_letter_of_it_or_the_key_is_another(api, dozen, settings):
    query = {"sort": "email", "page[size]": "5"}
    link = api.get("/api/customers", **query, **{"page[after]": ""}).json()["links"]["next"]
    place = parse_qs(urlsplit(link).query)["page[after]"][0]
    assert len(ids(api.get("/api/customers", **query, **{"page[after]": place}))) == 5
    for number in range(1, len(place), 7):
        other = "A" if place[number] != "A" else "B"
        changed = f"{place[:number]}{other}{place[number + 1 :]}"
        response = api.get("/api/customers", **query, **{"page[after]": changed})
        error_of(response, 400, "INVALID_PAGE_VALUE", {"parameter": "page[after]"})
    settings.SECRET_KEY = "k" * 50
    with pytest.raises(ValueError, match="no place"):
        places.reveal(place[1:])


def test_pages_stay_right_while_rows_come_and_go(api, dozen, small):
    def page(number):
        return ids(api.get("/api/customers", **{"page[size]": "2", "page[number]": str(number)}))

    assert page(5) == [dozen[8].pk, dozen[9].pk]
    dozen[0].delete()
    assert page(5) == [dozen[9].pk, dozen[10].pk]
    late = make_customer(email="late@example.com")
    assert page(6) == [dozen[11].pk, late.pk]


def test_numbers_follow_every_way_of_writing_rows(api, live_api):
    def numbers():
        rows = Customer.objects.in_mode("test")
        return [count_rows(rows).number, count_rows(rows.filter(status="acquired")).number]

    ada = make_customer(email="ada@example.com")
    make_customer(email="other@example.com", mode="live")
    assert numbers() == [1, 0]
    Customer.objects.filter(pk=ada.pk).update(status="acquired", total_orders_count=1)
    assert numbers() == [1, 1]
    emails = ["b@example.com", "c@example.com"]
    Customer.objects.bulk_create(Customer(email=email, email_key=email) for email in emails)
    assert numbers() == [3, 1]
    Customer.objects.filter(email__in=emails).delete()
    assert numbers() == [1, 1]
    try:
        with transaction.atomic():
            make_customer(email="undone@example.com")
            assert numbers() == [2, 1]
            raise ZeroDivisionError
    except ZeroDivisionError:
        assert numbers() == [1, 1]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM customers WHERE id = %s", [ada.pk])
    assert numbers() == [0, 0]


@needs_postgresql
def test_a_number_that_nothing_keeps_is_exact_up_to_a_limit_and_then_says_so(api, dozen, small):
    found = [
        count_rows(Customer.objects.filter(email_key__ilike=like)) for like in ["1%", "%", "5%"]
    ]
    assert [(one.exact, one.number) for one in found[::2]] == [(True, 3), (True, 1)]
    assert not found[1].exact
    assert found[1].number > 7
    meta = api.query("/api/customers", {"filter[q][email_cont]": "@example"}).json()["meta"]
    assert meta["record_count_estimated"] is True
    assert meta["record_count"] > 7
    assert (
        load_page(Customer.objects.filter(email_key__ilike="%").order_by("id"), 10, 5, found[1])
        == (dozen[10:])
    )


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_numbers_are_exact_under_concurrency():
    def act(number):
        for turn in range(30):
            customer = make_customer(email=f"{number}.{turn}@example.com")
            if turn % 3 == 0:
                customer.delete()
            elif turn % 3 == 1:
                Customer.objects.filter(pk=customer.pk).update(
                    status="acquired", total_orders_count=1
                )

    in_threads(4, act)
    rows = Customer.objects.in_mode("test")
    assert count_rows(rows).number == rows.count() == 80
    assert count_rows(rows.filter(status="acquired")).number == 40
    assert count_rows(rows).version != count_rows(Tag.objects.all()).version
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE customers CASCADE")
    assert count_rows(rows).number == 0


LISTED = {"sort": "-created_at", "page[size]": "25"}
HOT = {  # and the tables that are read, in order
    "/api/customers/{pk}": ({}, ["customers"]),
    "/api/customers": (LISTED, ["tallies", "customers"]),
    "/api/customers?": (
        {**LISTED, "include": "customer_group,tags,orders"},
        ["tallies", "customers", "customer_groups", "customers_tags", "tags", "orders"],
    ),
    "/api/customers??": (
        {**LISTED, "filter[q][status_eq]": "prospect"},
        ["tallies", "customers"],
    ),
    "/api/customers???": (
        {**LISTED, "filter[q][email_cont]": "000012"},
        ["customers", "customers"],
    ),
    "/api/customers????": (
        {**LISTED, "page[number]": "30"},
        ["tallies", "customers"],
    ),
}


@pytest.fixture
def thousand(api):
    """A thousand customers, with planning that takes an index wherever there is one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers (id, mode, email, email_key, status, total_orders_count,"
            " customer_group_id, metadata, created_at, updated_at)"
            " SELECT lpad(i::text, 16, '0'), 'test', i || '@example.com',"
            " lpad(i::text, 8, '0') || '@example.com', 'prospect', 0, %s, '{}',"
            " now() - i * interval '1 minute', now() FROM generate_series(1, 1000) i",
            [make_group().pk],
        )
        cursor.execute(
            "INSERT INTO tags (id, mode, name, metadata, created_at, updated_at)"
            " VALUES ('t', 'test', 't', '{}', now(), now())"
        )
        cursor.execute(
            "INSERT INTO customers_tags (customer_id, tag_id) SELECT id, 't' FROM customers"
        )
        cursor.execute("ANALYZE customers")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")


def plan_of(sql):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())


@needs_postgresql
@pytest.mark.parametrize("path", HOT)
def test_hot_paths_ask_a_fixed_number_of_questions_and_neither_count_nor_skip(api, thousand, path):
    query, tables = HOT[path]
    path = path.replace("?", "").format(pk="0000000000000001")
    assert api.get(path, **query).status_code == 200  # the first time, a place is looked for
    with CaptureQueriesContext(connection) as queries:
        assert api.get(path, **query).status_code == 200
    asked = [one["sql"] for one in queries]
    read = [re.findall(r'FROM "?(\w+)', sql) for sql in asked]
    assert read[0] == ["applications", "revoked_tokens"]  # whether the token has ended
    assert [names[0] for names in read[1:]] == tables
    for sql in asked:
        plan = plan_of(sql)
        assert "COUNT(" not in sql.upper().replace("COUNT(*)\n        FROM TALLIES", "")
        assert "OFFSET" not in sql
        assert "Seq Scan on customers" not in plan, plan


ORDERS = [
    (resource, name)
    for resource in registry.types.values()
    if "list" in resource.actions
    for name in resource.filterset_class.sortable
]


@needs_postgresql
@pytest.mark.parametrize(("resource", "name"), ORDERS)
@pytest.mark.parametrize("sign", ["", "-"])
def test_every_order_of_every_list_is_that_of_an_index(db, resource, name, sign):
    with connection.cursor() as cursor:
        for way in ("seqscan", "sort", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    rows = order_rows(resource.queryset.model.objects.in_mode("test"), resource, sign + name)
    plan = rows[:25].explain()
    assert re.search("Index (Only )?Scan", plan)
    assert not re.search(r"(?<!Incremental )Sort  ", plan), plan


@needs_postgresql
@pytest.mark.parametrize(("sign", "value"), [("-", "created_at <="), ("", "created_at >=")])
def test_a_place_in_a_list_is_where_its_index_is_begun(api, thousand, sign, value):
    """It is not walked to from the beginning."""
    resource = registry.types["customers"]
    rows = order_rows(Customer.objects.in_mode("test"), resource, f"{sign}created_at")
    row = rows[500]
    place = {"created_at": row.created_at, "id": row.pk}
    for inclusive in (False, True):
        plan = keyset_after(rows, order_of(rows), place, inclusive=inclusive)[:25].explain()
        (condition,) = re.findall("Index Cond: (.*)", plan)
        assert value in condition, plan


WHOLE = [  # what is looked for as a whole, beside what lists are ordered by
    (Address, "zip_code"),
    (Address, "phone"),
    (Address, "line_1"),
    (Address, "billing_info"),
    (CustomerPaymentSource, "payment_source_token"),
    (Return, "skus_count"),
]


@pytest.mark.parametrize(("model", "column"), WHOLE)
def test_what_is_looked_for_as_a_whole_has_an_index(model, column):
    assert ["mode", column, "id"] in [index.fields for index in model._meta.indexes]


@needs_postgresql
@pytest.mark.parametrize(
    "model", [Address, CustomerAddress, Order, OrderSubscription, Return, SkuList]
)
def test_metadata_is_found_by_an_index(db, model):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
    assert "_metadata" in model.objects.filter(metadata__jcont={"a": 1}).order_by().explain()


@needs_postgresql
@pytest.mark.parametrize("column", ["first_name", "last_name", "company", "email"])
def test_parts_of_names_in_addresses_are_found_by_indexes(db, column):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Address.objects.filter(**{f"{column}__holds": "lovel"}).order_by().explain()
    assert f"addresses_{column}_parts" in plan, plan


@needs_postgresql
def test_plans_are_kept_unless_what_is_asked_for_decides_the_way(api, thousand):
    for number in range(8):
        assert (
            api.get("/api/customers", **{"filter[q][email_cont]": f"0000{number}"}).status_code
            == 200
        )
        assert api.get("/api/customers/0000000000000001").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        kept = [statement for (statement,) in cursor.fetchall()]
    assert any('FROM "customers"' in statement for statement in kept)
    assert not any("ILIKE" in statement for statement in kept)


@needs_postgresql
def test_parts_of_addresses_and_metadata_are_found_by_indexes(api, thousand):
    part = Customer.objects.filter(email_key__ilike="%000012%").order_by()
    assert "customers_email_parts" in part.explain()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_indexscan = off")  # which would walk all ids
    assert "customers_metadata" in Customer.objects.filter(metadata__jcont={"a": 1}).explain()


@needs_postgresql
def test_without_the_extension_parts_are_searched_row_by_row(thousand):
    index = next(one for one in Customer._meta.indexes if isinstance(one, TrigramIndex))
    made = index.made("customers").replace("pg_trgm", "no_such_extension")
    with connection.cursor() as cursor:
        cursor.execute(index.dropped("customers"))
        cursor.execute(made)
    assert Customer.objects.filter(email_key__ilike="%000012%").count() == 11


@needs_postgresql
def test_the_admin_opens_a_far_page_without_reading_what_is_before(
    admin_client, thousand, monkeypatch
):
    monkeypatch.setattr(paging, "NEAR", 100)
    path = "/admin/customers/customer/"
    for query in [{"p": "15"}, {"q": "000012"}]:
        assert admin_client.get(path, query).status_code == 200
        with CaptureQueriesContext(connection) as queries:
            admin_client.get(path, query)
        for one in queries:
            if 'FROM "customers"' in one["sql"]:
                assert "COUNT(*)" not in one["sql"]
                assert "OFFSET" not in one["sql"]
