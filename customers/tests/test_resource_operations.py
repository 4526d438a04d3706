"""The API's language for other rooms: filters, documents and writes without a request."""

import pytest
from django.contrib.auth import get_user_model

from customers.models import Customer, Event, EventStore
from customers.resources import operations
from customers.services import principals
from customers.tests.factories import (
    link,
    make_customer,
    make_event,
    make_event_callback,
    make_group,
    make_tag,
)

SERVICE = principals.service("test")


def test_rows_are_found_by_the_query_language_within_the_mode():
    ada = make_customer(email="Ada@example.com", metadata={"size": "M"})
    bob = make_customer(email="bob@example.com")
    make_customer(email="ada@example.com", mode="live")
    found = operations.rows("customers", SERVICE, {"email_eq": "ADA@example.com"})
    assert list(found) == [ada]
    found = operations.rows(
        "customers", SERVICE, {"id_in": [ada.pk, bob.pk], "password_present": False}
    )
    assert list(found) == [ada, bob]
    assert list(operations.rows("customers", SERVICE, {"metadata_jcont": {"size": "M"}})) == [ada]
    assert operations.rows("customers", SERVICE).count() == 2


@pytest.mark.parametrize(
    ("resource_type", "filters", "named"),
    [
        ("customers", {"shoe_size_eq": "1"}, "shoe_size_eq"),
        ("customers", {"created_at_gt": "soon"}, "created_at_gt"),
        ("shoes", {}, ""),
    ],
)
def test_what_cannot_be_found_is_refused_by_name(resource_type, filters, named):
    with pytest.raises(operations.WriteRefusedError) as refused:
        operations.rows(resource_type, SERVICE, filters)
    assert [name for name, _ in refused.value.errors] == [named]


def test_what_a_type_does_not_offer_is_refused():
    event = make_event()
    with pytest.raises(operations.WriteRefusedError):
        operations.create("events", SERVICE, {})
    with pytest.raises(operations.WriteRefusedError):
        operations.rows("event_stores", SERVICE)
    callback = make_event_callback(event=event)
    with pytest.raises(operations.WriteRefusedError):
        operations.update(callback, SERVICE, {"reference": "R"})
    callback.refresh_from_db()
    assert (Event.objects.get(), callback.reference) == (event, None)


def test_a_document_is_the_one_that_the_api_answers(api):
    customer = make_customer(customer_group=make_group())
    found = operations.document(customer, SERVICE, ["customer_group", "tags"])
    path = f"/api/customers/{customer.pk}"
    assert found == api.get(path, include="customer_group,tags").json()
    with pytest.raises(operations.WriteRefusedError):
        operations.document(customer, SERVICE, ["shoes"])


def test_a_row_is_made_and_changed_by_the_apis_rules_in_the_name_of_staff():
    user = get_user_model().objects.create_user("kim")
    kim, group, tag = principals.staff(user, "test"), make_group(), make_tag()
    made = operations.create(
        "customers",
        kim,
        {"email": "ada@example.com", "password": "correct horse"},
        {"customer_group": link(group), "tags": [link(tag)]},
    )
    assert (made.customer_group, list(made.tags.all())) == (group, [tag])
    assert made.has_password
    operations.update(
        made, kim, {"reference": "R-1", "_remove_tags": tag.name}, {"customer_group": None}
    )
    made.refresh_from_db()
    assert (made.reference, made.customer_group, made.tags.count()) == ("R-1", None, 0)
    actor = {"application": None, "owner": {"type": "User", "id": str(user.pk)}}
    assert {line.who["owner"]["id"] for line in EventStore.objects.all()} == {actor["owner"]["id"]}


def test_a_refused_write_names_its_members_and_changes_nothing():
    make_customer(email="ada@example.com")
    with pytest.raises(operations.WriteRefusedError) as refused:
        operations.create("customers", SERVICE, {"email": "ADA@example.com"})
    assert refused.value.errors == [("email", "has already been taken")]
    with pytest.raises(operations.WriteRefusedError) as refused:
        operations.create("customers", SERVICE, {"email": "bob@example.com", "status": "repeat"})
    assert refused.value.errors == [("status", "status is not allowed.")]
    bad = {"type": "customer_groups", "id": "none"}
    with pytest.raises(operations.WriteRefusedError) as refused:
        operations.create(
            "customers", SERVICE, {"email": "bob@example.com"}, {"customer_group": bad}
        )
    assert [name for name, _ in refused.value.errors] == ["customer_group"]
    assert Customer.objects.count() == 1
    assert not EventStore.objects.exists()
