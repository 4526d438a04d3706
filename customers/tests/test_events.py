"""What happened, and who did it: events and the audit log."""

import pytest

from customers.models import Event, EventStore
from customers.tests.conftest import error_of, ids
from customers.tests.factories import link, make_customer, make_group, make_order, make_tag
from customers.tests.forms import sent_by


def log_of(api, name, pk):
    """The audit log of a row, oldest first."""
    response = api.query(f"/api/{name}/{pk}/event_stores", {"page[size]": "25"})
    assert response.status_code == 200
    return [resource["attributes"] for resource in response.json()["data"]]


def topics_of(api, name, pk):
    return [o["attributes"]["name"] for o in api.get(f"/api/{name}/{pk}/events").json()["data"]]


def test_the_life_of_a_customer_is_told_by_its_events(api):
    make_tag(name="vip")
    pk = api.create("customers", {"email": "ada@example.com"}).json()["data"]["id"]
    api.update("customers", pk, {"reference": "R"})
    api.update("customers", pk, {"metadata": {"a": 1}})
    api.update("customers", pk, {"_add_tags": "vip"})
    api.update("customers", pk, {"password": "correct horse"})
    api.update("customers", pk, {"reference": "R", "metadata": {"a": 1}, "_add_tags": "vip"})
    assert topics_of(api, "customers", pk) == [
        "customers.create",
        "customers.metadata_update",
        "customers.tagged",
        "customers.create_password",
    ]
    assert api.delete(f"/api/customers/{pk}").status_code == 204
    names = Event.objects.filter(resource_id=pk).values_list("name", flat=True)
    assert list(names)[-1] == "customers.destroy"


def test_a_registered_customer_is_told_by_both_events(api):
    members = {"email": "ada@example.com", "password": "correct horse"}
    pk = api.create("customers", members).json()["data"]["id"]
    assert topics_of(api, "customers", pk) == ["customers.create", "customers.create_password"]


def test_the_audit_log_tells_who_changed_what_from_what_to_what(api):
    group = make_group()
    pk = api.create("customers", {"email": "ada@example.com"}).json()["data"]["id"]
    api.update("customers", pk, {"reference": "R"}, {"customer_group": link(group)})
    created, updated = log_of(api, "customers", pk)
    assert (created["event"], created["resource_type"], created["resource_id"]) == (
        "create",
        "customers",
        pk,
    )
    assert created["payload"]["email"] == {"from": None, "to": "ada@example.com"}
    assert "anonymization_attempts" not in created["payload"]
    assert updated["event"] == "update"
    assert updated["payload"] == {
        "reference": {"from": None, "to": "R"},
        "customer_group_id": {"from": None, "to": group.pk},
    }
    assert updated["who"] == {
        "application": {
            "id": api.application.pk,
            "client_id": api.application.client_id,
            "kind": "integration",
            "public": False,
        },
        "owner": None,
    }


def test_no_secret_is_in_the_log_or_an_event(api):
    members = {"email": "ada@example.com", "password": "correct horse"}
    customer = api.create("customers", members).json()["data"]
    api.update("customers", customer["id"], {"password": "another horse"})
    tokens = {"payment_source_token": "pm_secret_1", "customer_token": "cus_secret_2"}
    wallet = api.create(
        "customer_payment_sources",
        tokens,
        {"customer": {"type": "customers", "id": customer["id"]}},
    ).json()["data"]
    api.update("customer_payment_sources", wallet["id"], {"customer_token": "cus_secret_3"})
    written = str(list(EventStore.objects.values()) + list(Event.objects.values()))
    for secret in ("correct horse", "another horse", "argon2$", "_secret_", api.secret):
        assert secret not in written
    assert "password" not in written.replace("create_password", "")


def test_a_refused_request_writes_nothing_down(api):
    customer, order = make_customer(), make_order()
    api.update("customers", customer.pk, {"email": "no address"})
    api.create("customers", {"email": customer.email})
    api.update("orders", order.pk, {"reference": "R", "_approve": True})
    api.update(
        "customers",
        customer.pk,
        {"metadata": {"a": 1}},
        {"tags": [link(make_tag())] * 2 + [{"type": "tags", "id": "x"}]},
    )
    assert not EventStore.objects.exists()
    assert not Event.objects.exists()


def test_an_update_that_changes_nothing_writes_nothing_down(api):
    customer = make_customer(reference="R", metadata={"a": 1})
    api.update("customers", customer.pk, {"reference": "R", "metadata": {"a": 1}})
    assert log_of(api, "customers", customer.pk) == []


@pytest.mark.parametrize("number", [1e300, 1e20, 2**63 - 1])
def test_numbers_beyond_what_a_column_holds_are_read_again(api, number):
    members = {"email": "ada@example.com", "metadata": {"n": number}}
    pk = api.create("customers", members).json()["data"]["id"]
    (created,) = log_of(api, "customers", pk)
    assert created["payload"]["metadata"]["to"] == {"n": number}
    subscription = api.create(
        "order_subscriptions",
        {"frequency": "daily", "options": {"n": number}},
        {"source_order": link(make_order())},
    ).json()["data"]["id"]
    shown = api.get(f"/api/order_subscriptions/{subscription}").json()["data"]["attributes"]
    assert shown["options"] == {"n": number}


def test_tags_and_moves_are_in_the_log_by_name(api):
    order = make_order()
    make_tag(name="a")
    api.update("orders", order.pk, {"_add_tags": "a", "_place": True})
    moved, tagged = sorted(
        log_of(api, "orders", order.pk), key=lambda one: "tags" in one["payload"]
    )
    assert moved["payload"]["status"] == {"from": "draft", "to": "placed"}
    assert tagged["payload"] == {"tags": {"from": [], "to": ["a"]}}
    assert sorted(topics_of(api, "orders", order.pk)) == ["orders.place", "orders.tagged"]


def test_the_log_is_read_on_by_a_cursor_without_counts(api):
    pk = api.create("customers", {"email": "ada@example.com"}).json()["data"]["id"]
    for number in range(4):
        api.update("customers", pk, {"reference": str(number)})
    path = f"/api/customers/{pk}/event_stores"
    seen, url = [], f"{path}?page[size]=2"
    while url:
        page = api.client.get(url).json()
        assert page["meta"] == {}
        assert page["links"].keys() <= {"next"}
        seen += [resource["id"] for resource in page["data"]]
        url = page["links"].get("next", "").removeprefix("http://127.0.0.1:8000")
    assert len(seen) == 5
    assert seen == sorted(seen)
    one = api.get(f"/api/event_stores/{seen[0]}").json()["data"]
    assert one["attributes"]["event"] == "create"


@pytest.mark.parametrize(
    ("parameter", "code"),
    [
        ("page[number]", "PARAM_NOT_ALLOWED"),
        ("sort", "INVALID_SORT_CRITERIA"),
        ("filter[q][event_eq]", "FILTER_NOT_ALLOWED"),
        ("filter[q][id_eq]", "FILTER_NOT_ALLOWED"),
        ("page[after]", "INVALID_PAGE_VALUE"),
    ],
)
def test_the_log_is_not_searched_or_sorted(api, parameter, code):
    path = f"/api/customers/{make_customer().pk}/event_stores"
    error_of(api.query(path, {parameter: "id/"}), 400, code, {"parameter": parameter})


def test_the_log_as_a_whole_is_not_listed(api):
    error_of(api.get("/api/event_stores"), 404, "RECORD_NOT_FOUND")


def test_events_are_found_by_name_across_the_customer(api):
    pk = api.create("customers", {"email": "ada@example.com"}).json()["data"]["id"]
    make_customer()
    query = {"filter[q][events_name_eq]": "customers.create"}
    assert ids(api.query("/api/customers", query)) == [pk]


def test_staff_are_named_in_the_log_by_their_id(admin_client, admin_user, api):
    group = make_group(name="Old")
    page = f"/admin/customers/customergroup/{group.pk}/change/"
    values = sent_by(admin_client.get(page)) | {"name": "New"}
    assert admin_client.post(page, values).status_code == 302
    (entry,) = log_of(api, "customer_groups", group.pk)
    assert entry["payload"]["name"] == {"from": "Old", "to": "New"}
    assert entry["who"]["owner"] == {"type": "User", "id": str(admin_user.pk)}
    assert (
        admin_client.post(
            f"/admin/customers/customergroup/{group.pk}/delete/", {"post": "yes"}
        ).status_code
        == 302
    )
    assert EventStore.objects.filter(resource_id=group.pk, event="destroy").exists()
