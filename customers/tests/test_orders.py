"""Orders, their subscriptions and returns, and what they mean to the customer."""

import itertools

import pytest

from customers.models import Customer, Event, EventStore, Order, OrderSubscription, Return
from customers.models.orders import new_number
from customers.tests.conftest import Api, error_of, ids, in_threads, needs_postgresql
from customers.tests.factories import (
    link,
    make_address,
    make_customer,
    make_order,
    make_order_subscription,
    make_return,
)


def attributes_of(response):
    assert response.status_code in (200, 201), response.content
    return response.json()["data"]["attributes"]


def place(api, order, **more):
    return api.update("orders", order.pk, {"_place": True, **more})


def standing(customer):
    customer.refresh_from_db()
    return customer.status, customer.total_orders_count


def topics(row):
    return sorted(Event.objects.filter(resource_id=row.pk).values_list("name", flat=True))


def test_a_new_order_is_a_draft_with_a_number(api):
    attributes = attributes_of(api.create("orders", {"customer_email": "ada@example.com"}))
    assert attributes["number"].isdigit()
    del attributes["number"], attributes["created_at"], attributes["updated_at"]
    assert {name: value for name, value in attributes.items() if value is not None} == {
        "status": "draft",
        "payment_status": "unpaid",
        "fulfillment_status": "unfulfilled",
        "guest": False,
        "language_code": "en",
        "customer_email": "ada@example.com",
        "metadata": {},
    }


def test_numbers_given_in_one_instant_are_all_different():
    numbers = [new_number() for _ in range(20_000)]
    assert len(set(numbers)) == 20_000
    assert {len(number) for number in numbers} == {16}


def test_customer_email_finds_or_makes_the_customer(api):
    ada = make_customer(email="Ada@example.com")
    first = api.create("orders", {"customer_email": "ada@EXAMPLE.com"}).json()["data"]
    assert Order.objects.get(pk=first["id"]).customer == ada
    second = api.create("orders", {"customer_email": "new@example.com"}).json()["data"]
    made = Order.objects.get(pk=second["id"]).customer
    assert (made.email, made.has_password, made.mode) == ("new@example.com", False, "test")
    assert topics(made) == ["customers.create"]
    third = api.create("orders", {"customer_email": "no address"})
    error_of(third, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/customer_email"})
    assert (Customer.objects.count(), Order.objects.count()) == (2, 2)


def test_customer_email_and_customer_must_agree(api):
    ada, bob = make_customer(), make_customer()
    response = api.create("orders", {"customer_email": bob.email}, {"customer": link(ada)})
    error_of(response, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/customer_email"})
    agreed = api.create("orders", {"customer_email": ada.email}, {"customer": link(ada)})
    assert agreed.status_code == 201


@pytest.mark.parametrize(
    ("cents", "currency", "language", "text"),
    [
        (1250, "EUR", "en", "€12.50"),
        (1250, "EUR", "it", "12,50\xa0€"),
        (1250, "JPY", "en", "¥1,250"),
        (-5, "USD", "en", "-$0.05"),
        (123456789, "USD", "en", "$1,234,567.89"),
        (1250, "BHD", "en", "BHD1.250"),
        (1250, "EUR", "xx", "€12.50"),
        (1250, None, "en", None),
        (None, "EUR", "en", None),
    ],
)
def test_amounts_are_whole_cents_and_text(api, cents, currency, language, text):
    mirrored = {
        "total_amount_cents": cents,
        "total_amount_with_taxes_cents": cents,
        "currency_code": currency,
        "language_code": language,
    }
    attributes = attributes_of(api.create("orders", mirrored))
    assert attributes["total_amount_cents"] == cents
    assert attributes["formatted_total_amount"] == text
    assert attributes["formatted_total_amount_with_taxes"] == text


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("total_amount_cents", 12.5),
        ("total_amount_cents", "12.5"),
        ("total_amount_cents", "1e3"),
        ("total_amount_cents", "9" * 400),
        ("total_amount_cents", True),
        ("currency_code", "eur"),
        ("currency_code", "XYZ"),
        ("payment_status", "perhaps"),
        ("payment_status", True),
        ("skus_count", 2**31),
        ("guest", "yes"),
        ("skus_count", -1),
        ("number", None),
    ],
)
def test_a_wrong_value_is_refused(api, attribute, value):
    response = api.create("orders", {attribute: value})
    error_of(response, 422, "VALIDATION_ERROR", {"pointer": f"/data/attributes/{attribute}"})
    assert not Order.objects.exists()


def test_a_number_is_taken_once_in_its_mode(api, live_api):
    assert api.create("orders", {"number": "A1"}).status_code == 201
    found = error_of(
        api.create("orders", {"number": "A1"}),
        422,
        "VALIDATION_ERROR",
        {"pointer": "/data/attributes/number"},
    )
    assert found["meta"] == {"error": "taken"}
    assert live_api.create("orders", {"number": "A1"}).status_code == 201


@pytest.mark.parametrize("member", ["status", "approved_at", "formatted_total_amount"])
def test_a_status_moves_by_triggers_only(api, member):
    order = make_order()
    error_of(
        api.update("orders", order.pk, {member: "placed"}),
        400,
        "PARAM_NOT_ALLOWED",
        {"pointer": f"/data/attributes/{member}"},
    )


MODELS = {"orders": Order, "order_subscriptions": OrderSubscription, "returns": Return}
MAKE = {
    "orders": make_order,
    "order_subscriptions": make_order_subscription,
    "returns": make_return,
}
MOVES = {
    "orders": {
        ("draft", "pending"): "pending",
        ("draft", "place"): "placed",
        ("pending", "place"): "placed",
        ("placed", "approve"): "approved",
        ("draft", "cancel"): "cancelled",
        ("pending", "cancel"): "cancelled",
        ("placed", "cancel"): "cancelled",
        ("approved", "cancel"): "cancelled",
    },
    "order_subscriptions": {
        ("draft", "activate"): "active",
        ("inactive", "activate"): "active",
        ("active", "deactivate"): "inactive",
        ("draft", "cancel"): "cancelled",
        ("inactive", "cancel"): "cancelled",
        ("active", "cancel"): "cancelled",
    },
    "returns": {
        ("draft", "request"): "requested",
        ("requested", "approve"): "approved",
        ("requested", "reject"): "rejected",
        ("shipped", "reject"): "rejected",
        ("approved", "ship"): "shipped",
        ("approved", "receive"): "received",
        ("shipped", "receive"): "received",
        ("received", "restock"): "received",
        ("draft", "cancel"): "cancelled",
        ("requested", "cancel"): "cancelled",
        ("approved", "cancel"): "cancelled",
    },
}
CASES = [
    (name, status, move)
    for name, model in MODELS.items()
    for status, move in itertools.product(
        model.Status.values, sorted({move for _, move in MOVES[name]})
    )
]


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "status", "move"), CASES)
def test_a_move_is_made_where_the_table_allows_it_and_else_changes_nothing(api, name, status, move):
    row = MAKE[name]()
    dated = {"placed_at": row.created_at} if (name, status) == ("orders", "placed") else {}
    if (name, status) == ("orders", "approved"):
        dated = {"placed_at": row.created_at, "approved_at": row.created_at}
    MODELS[name].objects.filter(pk=row.pk).update(status=status, **dated)
    before = api.get(f"/api/{name}/{row.pk}").json()
    response = api.update(name, row.pk, {f"_{move}": True, "reference": "new"})
    if wanted := MOVES[name].get((status, move)):
        assert attributes_of(response)["status"] == wanted
        stamp = f"{wanted}_at"
        if wanted != status and stamp in attributes_of(response):
            assert attributes_of(response)[stamp]
        topic = f"{name}.{move}"
        expected = topic in {"orders.pending", "orders.place", "orders.approve", "orders.cancel"}
        expected |= name == "order_subscriptions"
        expected |= name == "returns" and move != "cancel"
        assert (topic in topics(row)) is expected
    else:
        error_of(response, 422, "VALIDATION_ERROR", {"pointer": f"/data/attributes/_{move}"})
        assert api.get(f"/api/{name}/{row.pk}").json() == before
        assert topics(row) == []


@pytest.mark.parametrize("name", ["orders", "returns"])
def test_archiving_is_done_and_undone_once(api, name):
    row = MAKE[name]()
    refused = {"pointer": "/data/attributes/_unarchive"}
    error_of(api.update(name, row.pk, {"_unarchive": True}), 422, "VALIDATION_ERROR", refused)
    assert attributes_of(api.update(name, row.pk, {"_archive": True}))["archived_at"]
    refused = {"pointer": "/data/attributes/_archive"}
    error_of(api.update(name, row.pk, {"_archive": True}), 422, "VALIDATION_ERROR", refused)
    assert attributes_of(api.update(name, row.pk, {"_unarchive": True}))["archived_at"] is None


def test_a_trigger_that_is_false_does_nothing_and_one_that_is_no_boolean_is_refused(api):
    order = make_order()
    assert attributes_of(api.update("orders", order.pk, {"_place": False}))["status"] == "draft"
    for value in ("yes", "", 1, None):
        error_of(
            api.update("orders", order.pk, {"_place": value}),
            422,
            "VALIDATION_ERROR",
            {"pointer": "/data/attributes/_place"},
        )
    error_of(
        api.create("orders", {"_place": True}),
        400,
        "PARAM_NOT_ALLOWED",
        {"pointer": "/data/attributes/_place"},
    )


def test_booleans_and_whole_numbers_may_come_as_text_as_the_command_line_client_sends_them(api):
    order = make_order()
    members = {"_place": "true", "guest": "false", "total_amount_cents": "-1250", "number": "7"}
    attributes = attributes_of(api.update("orders", order.pk, members))
    assert {
        name: attributes[name] for name in ("status", "guest", "total_amount_cents", "number")
    } == {
        "status": "placed",
        "guest": False,
        "total_amount_cents": -1250,
        "number": "7",
    }


@pytest.mark.parametrize(("waits", "status"), [(True, "active"), (False, "draft")])
def test_a_subscription_may_wait_for_its_source_order(api, waits, status):
    order = make_order(customer=make_customer())
    subscription = make_order_subscription(source_order=order, activate_by_source_order=waits)
    cancelled = make_order_subscription(source_order=order, status="cancelled")
    place(api, order)
    api.update("orders", order.pk, {"_approve": True})
    subscription.refresh_from_db()
    cancelled.refresh_from_db()
    assert (subscription.status, cancelled.status) == (status, "cancelled")
    assert topics(subscription) == ["order_subscriptions.activate"] * waits
    logged = EventStore.objects.filter(resource_id=subscription.pk)
    assert (
        list(logged.values_list("event", "payload", "customer_id"))
        == [("update", {"status": {"from": "draft", "to": "active"}}, order.customer_id)] * waits
    )
    assert [entry.who["application"]["id"] for entry in logged] == [api.application.pk] * waits
    assert not EventStore.objects.filter(resource_id=cancelled.pk).exists()


def test_placing_makes_a_prospect_acquired_and_then_a_repeat_customer(api):
    customer = make_customer()
    seen = []
    for _ in range(3):
        assert place(api, make_order(customer=customer)).status_code == 200
        seen.append(standing(customer))
    assert seen == [("acquired", 1), ("repeat", 2), ("repeat", 3)]
    assert topics(customer) == ["customers.acquired", "customers.repeat"]


def test_a_draft_does_not_count_and_a_cancellation_takes_nothing_back(api):
    customer = make_customer()
    order = make_order(customer=customer)
    api.update("orders", order.pk, {"_pending": True})
    other = make_order()
    api.update("orders", other.pk, {}, {"customer": link(customer)})
    assert standing(customer) == ("prospect", 0)
    place(api, order)
    api.update("orders", order.pk, {"_cancel": True})
    assert standing(customer) == ("acquired", 1)


def test_an_order_placed_late_tells_when_it_was_placed(api):
    order = make_order(customer=make_customer())
    attributes = attributes_of(place(api, order, placed_at="2020-02-29T12:00:00+01:00"))
    assert (attributes["status"], attributes["placed_at"]) == ("placed", "2020-02-29T11:00:00.000Z")
    other = make_order()
    source = {"pointer": "/data/attributes/placed_at"}
    for members in (
        {"placed_at": "2020-01-01T00:00:00Z"},
        {"placed_at": "2020-01-01T00:00:00Z", "_place": False},
        {"placed_at": "2999-01-01T00:00:00Z", "_place": True},
        {"placed_at": "soon", "_place": True},
    ):
        error_of(api.update("orders", other.pk, members), 422, "VALIDATION_ERROR", source)
    assert Order.objects.get(pk=other.pk).placed_at is None


def test_an_order_without_a_customer_counts_when_it_gets_one(api):
    order, ada, bob = make_order(), make_customer(), make_customer()
    place(api, order)
    for customer, others in ((ada, bob), (bob, ada)):
        assert api.update("orders", order.pk, {}, {"customer": link(customer)}).status_code == 200
        assert standing(customer) == ("acquired", 1)
        assert standing(others) == ("prospect", 0)
    path = f"/api/orders/{order.pk}/relationships/customer"
    assert api.send("PATCH", path, {"data": None}).status_code == 204
    assert standing(bob) == ("prospect", 0)
    api.send("PATCH", path, {"data": link(ada)})
    assert standing(ada) == ("acquired", 1)
    assert topics(ada) == ["customers.acquired"]  # once in its life


def test_an_order_placed_and_given_a_customer_in_one_request_counts_once(api):
    order, customer = make_order(customer=make_customer()), make_customer()
    response = api.update("orders", order.pk, {"_place": True}, {"customer": link(customer)})
    assert response.status_code == 200
    assert standing(customer) == ("acquired", 1)
    assert standing(order.customer) == ("prospect", 0)


def test_a_placed_order_is_kept_and_a_draft_is_not(api):
    customer = make_customer()
    placed, draft = make_order(customer=customer), make_order(customer=customer)
    place(api, placed)
    found = error_of(api.delete(f"/api/orders/{placed.pk}"), 423, "LOCKED")
    assert found["detail"] == "It cannot be deleted: an order that has been placed is kept."
    assert api.delete(f"/api/orders/{draft.pk}").status_code == 204
    assert standing(customer) == ("acquired", 1)
    assert topics(placed) == ["orders.place"]


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_sixteen_orders_placed_at_once_count_sixteen():
    api, customer = Api(), make_customer()
    orders = [make_order(customer=customer) for _ in range(16)]
    responses = in_threads(16, lambda number: place(api, orders[number]))
    assert [response.status_code for response in responses] == [200] * 16
    assert standing(customer) == ("repeat", 16)
    assert topics(customer) == ["customers.acquired", "customers.repeat"]


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_one_order_placed_sixteen_times_at_once_counts_once():
    api, customer = Api(), make_customer()
    order = make_order(customer=customer)
    responses = in_threads(16, lambda number: place(api, order))
    assert sorted(response.status_code for response in responses) == [200] + [422] * 15
    assert standing(customer) == ("acquired", 1)
    assert topics(customer) == ["customers.acquired"]
    assert topics(order) == ["orders.place"]


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_orders_moved_between_customers_at_once_end_in_a_true_count():
    api, ada, bob = Api(), make_customer(), make_customer()
    orders = [make_order(customer=ada) for _ in range(8)]
    for order in orders:
        place(api, order)

    def act(number):
        customer = bob if number % 2 else ada
        relationships = {"customer": link(customer)}
        return api.update("orders", orders[number % 8].pk, {}, relationships)

    responses = in_threads(16, act)
    assert {response.status_code for response in responses} <= {200, 409}
    for customer in (ada, bob):
        count = Order.objects.filter(customer=customer).count()
        assert standing(customer)[1] == count


def test_a_return_and_a_subscription_take_the_orders_customer(api):
    order = make_order(customer=make_customer(email="ada@example.com"))
    for name, attributes, source in [
        ("returns", {}, "order"),
        ("order_subscriptions", {"frequency": "0 8 * * 1"}, "source_order"),
    ]:
        created = api.create(name, attributes, {source: link(order)})
        assert attributes_of(created)["customer_email"] == "ada@example.com"
        pk = created.json()["data"]["id"]
        assert ids(api.get(f"/api/customers/{order.customer_id}/{name}")) == [pk]
        missing = api.create(name, attributes)
        error_of(missing, 422, "VALIDATION_ERROR", {"pointer": f"/data/relationships/{source}"})
        refused = api.create(
            name, attributes, {source: link(order), "customer": link(order.customer)}
        )
        error_of(refused, 400, "PARAM_NOT_ALLOWED", {"pointer": "/data/relationships/customer"})


def test_a_return_and_a_subscription_go_with_their_order_to_another_customer(api):
    ada, bob = make_customer(), make_customer()
    order = make_order(customer=ada)
    of_order = [make_return(order=order), make_order_subscription(source_order=order)]
    other = make_return(order=make_order(customer=ada))
    assert api.update("orders", order.pk, {}, {"customer": link(bob)}).status_code == 200
    for row in of_order:
        row.refresh_from_db()
        assert row.customer == bob
        log = api.get(f"/api/{row._meta.db_table}/{row.pk}/event_stores").json()["data"]
        payload = {"customer_id": {"from": ada.pk, "to": bob.pk}}
        assert [line["attributes"]["payload"] for line in log] == [payload]
    other.refresh_from_db()
    assert other.customer == ada


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_returns_made_while_their_order_moves_have_its_customer():
    api, ada, bob = Api(), make_customer(), make_customer()
    order = make_order(customer=ada)

    def act(number):
        if number % 2:
            relationships = {"customer": link(bob if number % 4 == 1 else ada)}
            return api.update("orders", order.pk, {}, relationships)
        return api.create("returns", {}, {"order": link(order)})

    for _ in range(3):
        responses = in_threads(8, act)
        assert [response.status_code for response in responses] == [201, 200] * 4
        order.refresh_from_db()
        assert not order.returns.exclude(customer=order.customer).exists()
    assert order.returns.count() == 12


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_whoever_deletes_a_customer_while_things_are_hung_on_it_leaves_nothing_half_done():
    api = Api()
    for _ in range(3):
        Order.objects.all().delete()
        customer, address = make_customer(), make_address()
        own = {"customer": link(customer)}
        acts = [
            lambda customer=customer: api.delete(f"/api/customers/{customer.pk}"),
            lambda own=own: api.create("orders", {}, own),
            lambda own=own: api.create("customer_payment_sources", {}, own),
            lambda own=own: api.create("sku_lists", {"name": "Wishes"}, own),
            lambda own=own, address=address: api.create(
                "customer_addresses", {}, {**own, "address": link(address)}
            ),
        ]
        deleted, *made = in_threads(5, lambda number, acts=acts: acts[number]())
        assert {response.status_code for response in made} <= {201, 404, 409, 422}
        assert deleted.status_code in (204, 409, 423)
        gone = deleted.status_code == 204
        assert Customer.objects.filter(pk=customer.pk).exists() is not gone
        assert not (gone and Order.objects.exclude(customer=None).exists())


@pytest.mark.parametrize("frequency", ["fortnightly", "", "* * *", "61 * * * *", None, 5])
def test_a_frequency_is_a_word_or_a_cron_expression(api, frequency):
    response = api.create(
        "order_subscriptions", {"frequency": frequency}, {"source_order": link(make_order())}
    )
    error_of(response, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/frequency"})


def test_a_subscription_expires_after_it_starts(api):
    times = {"starts_at": "2026-02-01T00:00:00Z", "expires_at": "2026-01-01T00:00:00Z"}
    response = api.create(
        "order_subscriptions", {"frequency": "daily", **times}, {"source_order": link(make_order())}
    )
    error_of(response, 422, "VALIDATION_ERROR", {"pointer": "/data"})
