"""Lists that are read page by page while their rows change lose nothing, and end."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Customer, Order
from customers.tests.conftest import Api
from customers.tests.factories import (
    make_address,
    make_customer,
    make_group,
    make_order,
    make_tag,
)

pytestmark = pytest.mark.thorough

MOST_PAGES = 40


@pytest.fixture
def nine():
    """Nine customers, each a minute older than the next."""
    customers = [make_customer(reference=f"R-{number}") for number in range(9)]
    for number, customer in enumerate(customers):
        at = timezone.now() - timedelta(minutes=60 - number)
        Customer.objects.filter(pk=customer.pk).update(created_at=at, updated_at=at)
    return [customer.pk for customer in customers]


def walk(api, path, between, **query):
    """The ids on each page from the first, `between` being called with each; ends, or fails."""
    response = api.get(path, **{"page[size]": "3", "page[after]": "", **query})
    pages = []
    while True:
        assert response.status_code == 200, response.content
        document = response.json()
        pages.append([resource["id"] for resource in document["data"]])
        assert len(pages) < MOST_PAGES
        between(pages[-1])
        if "next" not in document["links"]:
            return pages
        response = api.client.get(document["links"]["next"])


def flat(pages):
    return [pk for page in pages for pk in page]


def patched(api, name="customers", **attributes):
    """Changes each row of a page by the API, once."""
    seen = set()

    def change(page):
        for pk in set(page) - seen:
            seen.add(pk)
            given = attributes or {"metadata": {"seen": pk}}
            assert api.update(name, pk, given).status_code == 200

    return change


def deleted(api, name="customers", *, last=True):
    """Deletes the last row of a page by the API, or all of them."""

    def delete(page):
        for pk in page[-1:] if last else page:
            assert api.delete(f"/api/{name}/{pk}").status_code == 204

    return delete


def test_each_row_of_a_list_by_its_last_change_comes_though_each_is_changed(api, nine):
    found = flat(walk(api, "/api/customers", patched(api), sort="updated_at"))
    assert set(found) == set(nine)
    assert found[:9] == nine


def test_a_list_by_its_last_change_from_the_newest_ends_though_each_is_changed(api, nine):
    found = flat(walk(api, "/api/customers", patched(api), sort="-updated_at"))
    assert found == nine[::-1]


@pytest.mark.parametrize("sort", ["-created_at", "created_at", "-id", "email", "-updated_at"])
def test_the_list_goes_on_behind_a_row_that_was_deleted(api, nine, sort):
    pages = walk(api, "/api/customers", deleted(api), sort=sort)
    assert len(pages) == 3
    assert set(flat(pages)) == set(nine)
    assert len(flat(pages)) == 9


@pytest.mark.parametrize("sort", ["-created_at", "updated_at", "status", "-email"])
def test_the_list_goes_on_behind_rows_that_were_all_deleted(api, nine, sort):
    found = flat(walk(api, "/api/customers", deleted(api, last=False), sort=sort))
    assert sorted(found) == sorted(nine)
    assert not Customer.objects.exists()


def test_the_list_goes_on_behind_a_row_that_the_filter_no_longer_asks_for(api, nine):
    query = {"filter[q][reference_start]": "R-", "sort": "-created_at"}
    pages = walk(api, "/api/customers", patched(api, reference="done"), **query)
    assert flat(pages) == nine[::-1]


def test_the_list_goes_on_where_a_row_moved_within_the_order(api, nine):
    moved = []

    def move(page):
        if page and len(moved) < 3:
            moved.append(page[-1])
            email = f"{'zzz' if len(moved) < 3 else 'aaa'}{len(moved)}@example.com"
            assert api.update("customers", page[-1], {"email": email}).status_code == 200

    found = flat(walk(api, "/api/customers", move, sort="email"))
    assert set(found) == set(nine)


@pytest.mark.parametrize("sort", ["reference", "-reference", "reference_origin,-reference"])
def test_a_list_in_the_order_of_what_may_be_empty_has_a_cursor(api, nine, sort):
    Customer.objects.filter(pk__in=nine[::2]).update(reference=None)
    whole = flat(walk(api, "/api/customers", lambda page: None, sort=sort))
    given = api.get("/api/customers", sort=sort, **{"page[size]": "25"}).json()["data"]
    assert whole == [one["id"] for one in given]
    assert sorted(whole) == sorted(nine)


@pytest.mark.parametrize("sort", ["reference", "-reference"])
def test_a_list_of_what_may_be_empty_goes_on_behind_what_was_deleted(api, nine, sort):
    Customer.objects.filter(pk__in=nine[3:]).update(reference=None)
    found = flat(walk(api, "/api/customers", deleted(api), sort=sort))
    assert sorted(found) == sorted(nine)


def test_a_list_of_equal_values_goes_on_behind_what_was_changed(api, nine):
    def change(page):
        Customer.objects.filter(pk__in=page).update(status="repeat", total_orders_count=2)

    found = flat(walk(api, "/api/customers", change, sort="status,created_at"))
    assert set(found) == set(nine)


def test_orders_that_are_changed_while_they_are_read_all_come(api):
    orders = [make_order(number=f"{number}") for number in range(9)]
    for number, order in enumerate(orders):
        at = timezone.now() - timedelta(minutes=60 - number)
        Order.objects.filter(pk=order.pk).update(updated_at=at)
    found = flat(walk(api, "/api/orders", patched(api, "orders"), sort="updated_at"))
    assert set(found) == {order.pk for order in orders}


def test_a_related_list_goes_on_behind_what_was_deleted(api):
    customer = make_customer()
    orders = [make_order(customer=customer) for _ in range(9)]
    path = f"/api/customers/{customer.pk}/orders"
    found = flat(walk(api, path, deleted(api, "orders"), sort="-created_at"))
    assert sorted(found) == sorted(order.pk for order in orders)


def test_a_related_list_goes_on_behind_what_left_it(api):
    group, other = make_group(), make_group()
    customers = [make_customer(customer_group=group) for _ in range(9)]

    def leave(page):
        linkage = {"customer_group": {"type": "customer_groups", "id": other.pk}}
        for pk in page:
            assert api.update("customers", pk, {}, linkage).status_code == 200

    path = f"/api/customer_groups/{group.pk}/customers"
    found = flat(walk(api, path, leave, sort="-email"))
    assert sorted(found) == sorted(customer.pk for customer in customers)


@pytest.mark.parametrize(
    ("name", "make", "sort"),
    [
        ("tags", make_tag, "-name"),
        ("addresses", make_address, "city"),
        ("customer_groups", lambda: make_group(code=None), "code"),
        ("orders", make_order, "-placed_at"),
    ],
)
def test_lists_of_other_types_go_on_behind_what_was_deleted(api, name, make, sort):
    rows = [make() for _ in range(9)]
    found = flat(walk(api, f"/api/{name}", deleted(api, name), sort=sort))
    assert sorted(found) == sorted(row.pk for row in rows)


def test_a_page_by_its_number_says_what_it_did(api, nine):
    pages = [
        api.get("/api/customers", **{"page[size]": "3", "page[number]": str(number)}).json()
        for number in (1, 2, 3)
    ]
    assert flat([[one["id"] for one in page["data"]] for page in pages]) == nine


def test_a_place_in_the_list_of_another_order_is_refused(api, nine):
    first = api.get("/api/customers", sort="email", **{"page[size]": "3", "page[after]": ""})
    link = first.json()["links"]["next"].replace("sort=email", "sort=-updated_at")
    assert api.client.get(link).status_code == 400


@pytest.mark.parametrize("after", ["x", "..", "%00", "a" * 3000, "eyJhIjoxfQ", "null"])
def test_what_is_no_place_in_the_list_is_refused(api, nine, after):
    response = api.get("/api/customers", sort="-updated_at", **{"page[after]": after})
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert (error["code"], error["source"]) == (
        "INVALID_PAGE_VALUE",
        {"parameter": "page[after]"},
    )


def test_a_place_tells_nothing_that_its_reader_may_not_see(nine):
    api, other = Api(), Api(mode="live")
    first = api.get("/api/customers", sort="updated_at", **{"page[size]": "3", "page[after]": ""})
    found = other.client.get(first.json()["links"]["next"])
    assert found.status_code in (200, 400)
    assert not found.json().get("data")
