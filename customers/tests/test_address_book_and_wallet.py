"""Addresses, the address book, the wallet, subscriptions and SKU lists."""

import pytest

from customers.models import (
    Address,
    Customer,
    CustomerAddress,
    CustomerPasswordReset,
    CustomerPaymentSource,
    CustomerSubscription,
    SkuList,
)
from customers.tests.conftest import error_of, ids
from customers.tests.factories import (
    ADDRESS,
    link,
    make_address,
    make_customer,
    make_payment_source,
    make_sku_list,
)

WIDE_DIGITS = "".join(chr(0xFF10 + int(digit)) for digit in "4242" * 4)  # as typed in East Asia


def attributes_of(response):
    assert response.status_code in (200, 201), response.content
    return response.json()["data"]["attributes"]


def test_an_address_tells_the_person_and_the_place_in_one_line(api):
    attributes = attributes_of(api.create("addresses", ADDRESS))
    assert attributes["full_name"] == "Ada Lovelace"
    place = "12 St James's Square, SW1Y 4JH London, GB (United Kingdom), +44 20 7946 0000"
    assert attributes["full_address"] == place
    assert attributes["name"] == f"Ada Lovelace, {place}"
    assert attributes["business"] is False


def test_a_company_needs_its_name_and_no_persons(api):
    company = {**ADDRESS, "business": True, "company": "Analytical Engines", "first_name": None}
    assert attributes_of(api.create("addresses", company))["full_name"] == "Analytical Engines"


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"first_name": None}, {"first_name"}),
        ({"first_name": "", "last_name": None}, {"first_name", "last_name"}),
        ({"business": True}, {"company"}),
        ({"zip_code": None}, {"zip_code"}),
        ({"phone": None}, {"phone"}),
        ({"line_1": None}, {"line_1"}),
        ({"city": ""}, {"city"}),
        ({"country_code": None}, {"country_code"}),
    ],
)
def test_what_an_address_needs_is_told_and_nothing_is_made(api, change, missing):
    response = api.create("addresses", {**ADDRESS, **change})
    assert response.status_code == 422
    found = response.json()["errors"]
    assert {e["source"]["pointer"] for e in found} == {f"/data/attributes/{n}" for n in missing}
    assert {e["meta"]["error"] for e in found} == {"blank"}
    assert not Address.objects.exists()


@pytest.mark.parametrize(
    ("country", "status"), [("IE", 201), ("HK", 201), ("IT", 422), ("US", 422)]
)
def test_a_zip_code_is_needed_where_the_country_has_them(api, country, status):
    address = {**ADDRESS, "country_code": country, "zip_code": None}
    assert api.create("addresses", address).status_code == status


@pytest.mark.parametrize("code", ["XX", "gb", "GBR", "G", "ZZ", "", 5])
def test_a_country_is_one_of_iso_3166(api, code):
    response = api.create("addresses", {**ADDRESS, "country_code": code})
    assert response.status_code == 422
    pointers = {e["source"]["pointer"] for e in response.json()["errors"]}
    assert pointers == {"/data/attributes/country_code"}


def test_a_phone_is_optional_where_the_setting_says_so(api, settings):
    settings.ADDRESSES_PHONE_REQUIRED = False
    assert api.create("addresses", {**ADDRESS, "phone": None}).status_code == 201


def test_a_change_must_leave_the_address_whole(api):
    address = make_address()
    response = api.update("addresses", address.pk, {"last_name": None, "city": "Paris"})
    error_of(response, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/last_name"})
    address.refresh_from_db()
    assert (address.last_name, address.city) == ("Lovelace", "London")
    assert api.update("addresses", address.pk, {"city": "Paris"}).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"), [("lat", 91), ("lng", -180.5), ("lat", "x"), ("lat", True)]
)
def test_coordinates_are_degrees(api, name, value):
    response = api.create("addresses", {**ADDRESS, name: value})
    error_of(response, 422, "VALIDATION_ERROR", {"pointer": f"/data/attributes/{name}"})
    assert (
        attributes_of(api.create("addresses", {**ADDRESS, "lat": 51.5, "lng": -0.14}))["lat"]
        == 51.5
    )


def test_an_address_joins_a_book_by_the_customer_or_its_address(api):
    customer, address = make_customer(email="ada@example.com"), make_address()
    for attributes, relationships in [
        ({}, {"customer": link(customer)}),
        ({"customer_email": "ADA@example.com"}, {}),
        ({"customer_email": "ada@example.com"}, {"customer": link(customer)}),
    ]:
        created = api.create(
            "customer_addresses", attributes, {**relationships, "address": link(address)}
        )
        assert attributes_of(created)["customer_email"] == "ada@example.com"
        assert attributes_of(created)["name"] == address.name
    assert customer.customer_addresses.count() == 3


@pytest.mark.parametrize(
    ("attributes", "relationships", "status", "pointer"),
    [
        ({}, ["address"], 422, "/data/relationships/customer"),
        ({}, ["customer"], 422, "/data/relationships/address"),
        ({"customer_email": "x@example.com"}, ["address"], 422, "/data/attributes/customer_email"),
        (
            {"customer_email": "x@example.com"},
            ["address", "customer"],
            422,
            "/data/attributes/customer_email",
        ),
    ],
)
def test_an_entry_needs_a_customer_and_an_address(api, attributes, relationships, status, pointer):
    rows = {"customer": make_customer(), "address": make_address()}
    response = api.create(
        "customer_addresses", attributes, {name: link(rows[name]) for name in relationships}
    )
    error_of(response, status, "VALIDATION_ERROR", {"pointer": pointer})
    assert not CustomerAddress.objects.exists()
    assert Customer.objects.count() == 1


def test_entries_are_found_by_country(api):
    customer = make_customer()
    for country in ("GB", "IE"):
        address = make_address(country_code=country)
        api.create("customer_addresses", {}, {"customer": link(customer), "address": link(address)})
    found = api.query(
        f"/api/customers/{customer.pk}/customer_addresses", {"filter[country_code]": "IE"}
    )
    assert len(ids(found)) == 1


@pytest.mark.parametrize(
    ("members", "attribute"),
    [
        ({"payment_source_token": "4242424242424242"}, "payment_source_token"),
        ({"payment_source_token": "4242 4242 4242 4242"}, "payment_source_token"),
        ({"payment_source_token": "tok4242-4242-4242-4242x"}, "payment_source_token"),
        (
            {"payment_source_token": "".join(chr(0xFF10 + int(sign)) for sign in "4242" * 4)},
            "payment_source_token",
        ),
        ({"customer_token": "378282246310005"}, "customer_token"),
        ({"reference": "5555.5555.5555.4444"}, "reference"),
        ({"reference_origin": "card 6011111111111117!"}, "reference_origin"),
        ({"metadata": {"a": [{"card": "4242424242424242"}]}}, "metadata"),
        ({"metadata": {"4242424242424242": 1}}, "metadata"),
        ({"metadata": {"n": 4242424242424242}}, "metadata"),
    ],
)
def test_what_looks_like_a_card_number_is_kept_nowhere(api, members, attribute):
    customer = make_customer()
    source = {"pointer": f"/data/attributes/{attribute}"}
    created = api.create("customer_payment_sources", members, {"customer": link(customer)})
    found = error_of(created, 422, "VALIDATION_ERROR", source)
    assert found["meta"]["error"] == "card_number"
    assert "4242" not in str(found)
    kept = make_payment_source(customer=customer)
    error_of(
        api.update("customer_payment_sources", kept.pk, members), 422, "VALIDATION_ERROR", source
    )
    assert CustomerPaymentSource.objects.get().payment_source_token == "pm_1NgABCDEFGHwxyz"


@pytest.mark.parametrize(
    "token", ["4242424242424241", "tok_visa_1234567890", "1234567890123456", "0" * 16]
)
def test_a_token_that_is_no_card_number_is_kept_and_shown_masked(api, token):
    created = api.create(
        "customer_payment_sources",
        {"payment_source_token": token},
        {"customer": link(make_customer())},
    )
    assert attributes_of(created)["name"] == f"•••• {token[-4:]}"


def test_the_name_of_a_payment_source_follows_its_token(api):
    kept = make_payment_source()
    changed = api.update(
        "customer_payment_sources", kept.pk, {"payment_source_token": "pm_999999zzzz"}
    )
    assert attributes_of(changed)["name"] == "•••• zzzz"
    short = api.update("customer_payment_sources", kept.pk, {"payment_source_token": "short"})
    assert attributes_of(short)["name"] == "••••"


def test_one_subscribes_once_to_a_topic_by_an_address_known_or_new(api):
    known = make_customer(email="ada@example.com")
    news = {"customer_email": "ADA@example.com", "reference": "news"}
    assert api.create("customer_subscriptions", news).status_code == 201
    found = error_of(
        api.create("customer_subscriptions", news),
        422,
        "VALIDATION_ERROR",
        {"pointer": "/data/attributes/reference"},
    )
    assert found["meta"] == {"error": "taken"}
    assert known.customer_subscriptions.count() == 1
    new = {**news, "customer_email": "new@example.com"}
    assert (
        attributes_of(api.create("customer_subscriptions", new))["customer_email"]
        == "new@example.com"
    )
    assert Customer.objects.count() == 2


@pytest.mark.parametrize("missing", ["customer_email", "reference"])
@pytest.mark.parametrize("value", [None, "", "absent"])
def test_a_subscription_needs_an_address_and_a_topic(api, missing, value):
    members = {"customer_email": "ada@example.com", "reference": "news", missing: value}
    if value == "absent":
        del members[missing]
    response = api.create("customer_subscriptions", members)
    error_of(response, 422, "VALIDATION_ERROR", {"pointer": f"/data/attributes/{missing}"})
    assert not CustomerSubscription.objects.exists()
    assert not Customer.objects.exists()


def test_a_longer_address_than_there_may_be_makes_no_customer(api):
    most = f"{'a' * 242}@example.com"
    for address, status in ((f"a{most}", 422), (most, 201)):
        members = {"customer_email": address, "reference": "news"}
        response = api.create("customer_subscriptions", members)
        assert response.status_code == status
    assert [customer.email for customer in Customer.objects.all()] == [most]


def test_an_address_of_the_other_mode_is_nobodys(api):
    make_customer(email="ada@example.com", mode="live")
    named = {"customer_email": "ada@example.com"}
    source = {"pointer": "/data/attributes/customer_email"}
    entry = api.create("customer_addresses", named, {"address": link(make_address())})
    error_of(entry, 422, "VALIDATION_ERROR", source)
    error_of(api.create("customer_password_resets", named), 422, "VALIDATION_ERROR", source)
    assert not CustomerAddress.objects.exists()
    assert not CustomerPasswordReset.objects.exists()


def test_a_subscription_keeps_its_customer(api):
    news = {"customer_email": "ada@example.com", "reference": "news"}
    pk = api.create("customer_subscriptions", news).json()["data"]["id"]
    for attributes, relationships, pointer in [
        ({"customer_email": "b@example.com"}, {}, "/data/attributes/customer_email"),
        ({}, {"customer": link(make_customer())}, "/data/relationships/customer"),
    ]:
        response = api.update("customer_subscriptions", pk, attributes, relationships)
        error_of(response, 400, "PARAM_NOT_ALLOWED", {"pointer": pointer})


def test_a_list_of_skus_has_a_slug_and_rules_when_it_is_not_made_by_hand(api):
    created = api.create("sku_lists", {"name": "My Wish List"})
    assert attributes_of(created)["slug"] == "my-wish-list"
    assert attributes_of(api.create("sku_lists", {"name": "日本"}))["slug"] == "日本"
    pk = created.json()["data"]["id"]
    assert attributes_of(api.update("sku_lists", pk, {"name": "Other"}))["slug"] == "other"
    source = {"pointer": "/data/attributes/sku_code_regex"}
    error_of(api.update("sku_lists", pk, {"manual": False}), 422, "VALIDATION_ERROR", source)
    assert SkuList.objects.get(pk=pk).manual is True
    ruled = {"manual": False, "sku_code_regex": "^TSHIRT"}
    assert api.update("sku_lists", pk, ruled).status_code == 200


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "0", "two"])
def test_an_item_of_a_list_is_there_at_least_once(api, quantity):
    response = api.create(
        "sku_list_items",
        {"sku_code": "A", "quantity": quantity},
        {"sku_list": link(make_sku_list())},
    )
    error_of(response, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/quantity"})
