"""Lists that are read page by page while their rows change lose nothing, and end."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Customer
from customers.tests.conftest import Api
from customers.tests.factories import (
    make_customer,
)


@pytest.fixture
def nine():
    """Nine customers, each a minute older than the next."""
    customers = [make_customer(reference=f"R-{number}") for number in range(9)]
    for number, customer in enumerate(customers):
        at = timezone.now() - timedelta(minutes=60 - number)
        Customer.objects.filter(pk=customer.pk).update(created_at=at, updated_at=at)
    return [customer.pk for customer in customers]


def flat(pages):
    return [pk for page in pages for pk in page]


def test_a_page_by_its_number_says_what_it_did(api, nine):
    pages = [
        api.get("/api/customers", **{"page[size]": "3", "page[number]": str(number)}).json()
        for number in (1, 2, 3)
    ]
    assert flat([[one["id"] for one in page["data"]] for page in pages]) == nine


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
