"""Customers: what is given, what is kept, what is refused."""

import pytest
from django.contrib.auth.hashers import check_password
from django.db import IntegrityError, transaction

from customers.models import Customer, CustomerGroup
from customers.tests.conftest import Api, error_of, ids, in_threads, needs_postgresql
from customers.tests.factories import make_customer, make_group, make_tag


def attributes_of(response):
    assert response.status_code in (200, 201), response.content
    return response.json()["data"]["attributes"]


def test_a_new_customer_is_a_guest_and_a_prospect(api):
    attributes = attributes_of(api.create("customers", {"email": "Ada@Example.com"}))
    generated = {attributes.pop(name) for name in ("shopper_reference", "profile_id")}
    assert {len(text) for text in generated} == {32}
    assert len(generated) == 2
    del attributes["created_at"], attributes["updated_at"]
    assert attributes == {
        "email": "Ada@Example.com",
        "status": "prospect",
        "has_password": False,
        "total_orders_count": 0,
        "tax_exemption_code": None,
        "reference": None,
        "reference_origin": None,
        "jwt_custom_claim": None,
        "metadata": {},
        "anonymization_info": None,
        "anonymization_status": None,
    }


def test_a_password_is_kept_as_an_argon2id_hash_and_shown_nowhere(api, hashes_at_full_cost):
    response = api.create("customers", {"email": "a@example.com", "password": "correct horse"})
    assert attributes_of(response)["has_password"] is True
    customer = Customer.objects.get()
    assert customer.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert check_password("correct horse", customer.password)
    shown = response.content + api.get("/api/customers").content + repr(customer).encode()
    assert b"correct horse" not in shown
    assert b"argon2" not in shown


@pytest.mark.parametrize("password", ["correct horse", " 8 chars", "ünïcödé-pässwörd", "x9" * 256])
def test_a_password_is_taken_to_the_letter(api, password):
    api.create("customers", {"email": "a@example.com", "password": password})
    stored = Customer.objects.get().password
    assert check_password(password, stored)
    assert not check_password(password.strip() + "x", stored)
    assert not check_password(password[:-1], stored)


@pytest.mark.parametrize(
    ("password", "error"),
    [
        ("short 7", "too_short"),
        ("password1", "common"),
        ("x9" * 256 + "x", "too_long"),
        ("", "blank"),
        (12345678, "type"),
    ],
)
def test_a_bad_password_is_refused_and_makes_no_customer(api, password, error):
    response = api.create("customers", {"email": "a@example.com", "password": password})
    found = error_of(response, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/password"})
    assert found["meta"]["error"] == error
    assert not Customer.objects.exists()


def test_no_password_makes_a_guest_and_takes_no_password_away(api):
    created = api.create("customers", {"email": "a@example.com", "password": None})
    assert attributes_of(created)["has_password"] is False
    customer = make_customer(password="argon2$kept")
    for row in (customer, make_customer()):
        error_of(
            api.update("customers", row.pk, {"password": None}),
            422,
            "VALIDATION_ERROR",
            {"pointer": "/data/attributes/password"},
        )
    customer.refresh_from_db()
    assert customer.password == "argon2$kept"


@pytest.mark.parametrize(
    ("email", "error"),
    [
        (None, "blank"),
        ("", "blank"),
        ("ada", "invalid"),
        ("ada@", "invalid"),
        ("@example.com", "invalid"),
        ("ada @example.com", "invalid"),
        (" ada@example.com", "invalid"),
        ("ada@example.com\n", "invalid"),
        ("a\u0301da@example.com", "invalid"),  # two code points where one would do
        ("ﬁ@example.com", "invalid"),  # a ligature that NFKC takes apart
        ("a\u200bda@example.com", "invalid"),  # a space of no width
        ("a" * 250 + "@example.com", "too_long"),
        (7, "type"),
        (["ada@example.com"], "type"),
        ({"a": 1}, "type"),
    ],
)
def test_what_is_no_address_is_refused(api, email, error):
    response = api.create("customers", {"email": email})
    assert response.status_code == 422, response.content
    for found in response.json()["errors"]:
        assert found["source"] == {"pointer": "/data/attributes/email"}
        assert found["code"] == "VALIDATION_ERROR"
        assert found["detail"].startswith("email - ")
    assert error in [found["meta"]["error"] for found in response.json()["errors"]]
    assert not Customer.objects.exists()


def test_an_address_is_needed(api):
    found = error_of(
        api.create("customers"), 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/email"}
    )
    assert (found["title"], found["detail"]) == ("can't be blank", "email - can't be blank")
    assert found["meta"] == {"error": "blank"}


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@EXAMPLE.COM"])
def test_an_address_that_is_taken_in_any_case_is_refused(api, email):
    make_customer(email="Ada@Example.com")
    found = error_of(
        api.create("customers", {"email": email}),
        422,
        "VALIDATION_ERROR",
        {"pointer": "/data/attributes/email"},
    )
    assert (found["title"], found["meta"]) == ("has already been taken", {"error": "taken"})
    assert Customer.objects.count() == 1


def test_an_address_outside_ascii_is_unique_without_regard_to_case_too(api):
    make_customer(email="zoë@example.com")
    error_of(
        api.create("customers", {"email": "ZOË@example.com"}),
        422,
        "VALIDATION_ERROR",
        {"pointer": "/data/attributes/email"},
    )


def test_an_address_is_free_in_the_other_mode(api, live_api):
    for caller in (api, live_api):
        assert caller.create("customers", {"email": "ada@example.com"}).status_code == 201
    assert sorted(Customer.objects.values_list("mode", flat=True)) == ["live", "test"]


def test_a_changed_address_is_found_and_kept_unique_by_its_new_spelling(api):
    ada, bob = make_customer(email="ada@example.com"), make_customer(email="bob@example.com")
    assert attributes_of(api.update("customers", ada.pk, {"email": "ADA2@example.com"}))
    found = ids(api.query("/api/customers", {"filter[q][email_eq]": "ada2@example.com"}))
    assert found == [ada.pk]
    error_of(
        api.update("customers", bob.pk, {"email": "ada2@example.com"}),
        422,
        "VALIDATION_ERROR",
        {"pointer": "/data/attributes/email"},
    )
    bob.refresh_from_db()
    assert bob.email == "bob@example.com"


def test_the_database_itself_keeps_addresses_unique():
    make_customer(email="ada@example.com")
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.bulk_create([Customer(email="ADA@example.com")])


def test_the_database_itself_keeps_the_status_true_to_the_orders():
    customer = make_customer()
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.filter(pk=customer.pk).update(status="repeat")


def test_an_update_changes_what_it_names_and_nothing_else(api):
    customer = make_customer(reference="R", metadata={"a": 1}, tax_exemption_code="T")
    before = attributes_of(api.get(f"/api/customers/{customer.pk}"))
    after = attributes_of(api.update("customers", customer.pk, {"tax_exemption_code": None}))
    assert after.pop("updated_at") > before.pop("updated_at")
    assert after == {**before, "tax_exemption_code": None}


def test_metadata_is_replaced_as_a_whole(api):
    customer = make_customer(metadata={"a": 1, "b": 2})
    after = attributes_of(api.update("customers", customer.pk, {"metadata": {"b": 3}}))
    assert after["metadata"] == {"b": 3}


@pytest.mark.parametrize("metadata", ["text", 7, [1], True])
def test_metadata_is_an_object(api, metadata):
    error_of(
        api.create("customers", {"email": "a@example.com", "metadata": metadata}),
        422,
        "VALIDATION_ERROR",
        {"pointer": "/data/attributes/metadata"},
    )


@pytest.mark.parametrize(
    "value", [2**63 - 1, -(2**63), 0.1, 1e300, 1e20, 5e-324, -0.0, "\\u0000", "é\U0001f600", "", []]
)
def test_metadata_comes_back_as_it_went(api, value):
    pk = api.create("customers", {"email": "a@example.com", "metadata": {"v": value}}).json()
    stored = api.get(f"/api/customers/{pk['data']['id']}")
    assert attributes_of(stored)["metadata"] == {"v": value}


def test_an_address_that_grows_in_lower_case_is_kept(api):
    email = "İ" * 240 + "@b.cc"
    pk = api.create("customers", {"email": email}).json()["data"]["id"]
    found = api.query("/api/customers", {"filter[q][email_eq]": "i\u0307" * 240 + "@B.CC"})
    assert ids(found) == [pk]


@pytest.mark.parametrize(
    ("length", "status"), [(0, 422), (2, 422), (3, 200), (128, 200), (129, 422)]
)
def test_a_shopper_reference_has_3_to_128_characters(api, length, status):
    customer = make_customer()
    response = api.update("customers", customer.pk, {"shopper_reference": "x" * length})
    assert response.status_code == status
    if status == 422:
        source = {"pointer": "/data/attributes/shopper_reference"}
        found = error_of(response, 422, "VALIDATION_ERROR", source)
        assert found["meta"]["error"] == {0: "blank", 2: "too_short", 129: "too_long"}[length]


def test_several_wrong_attributes_are_told_at_once(api):
    response = api.create("customers", {"email": "x", "password": "short", "profile_id": 5})
    assert response.status_code == 422
    assert {error["source"]["pointer"] for error in response.json()["errors"]} == {
        "/data/attributes/email",
        "/data/attributes/password",
        "/data/attributes/profile_id",
    }


def test_a_group_is_set_moved_and_cleared(api):
    first, second = make_group(), make_group()
    link = {"customer_group": {"type": "customer_groups", "id": first.pk}}
    created = api.create("customers", {"email": "a@example.com"}, link).json()["data"]
    path = f"/api/customers/{created['id']}"
    assert api.get(f"{path}/customer_group").json()["data"]["id"] == first.pk
    api.update(
        "customers",
        created["id"],
        {},
        {"customer_group": {**link["customer_group"], "id": second.pk}},
    )
    assert api.get(f"{path}/customer_group").json()["data"]["id"] == second.pk
    api.update("customers", created["id"], {}, {"customer_group": None})
    assert api.get(f"{path}/customer_group").json() == {"data": None}


@pytest.mark.parametrize("empty", [None, []])
def test_an_empty_attribute_named_like_a_relationship_clears_it_as_in_the_sdk(api, empty):
    customer = make_customer(customer_group=make_group())
    customer.tags.add(make_tag())
    response = api.update("customers", customer.pk, {"customer_group": None, "tags": empty})
    assert response.status_code == 200
    customer.refresh_from_db()
    assert (customer.customer_group, list(customer.tags.all())) == (None, [])


@pytest.mark.parametrize("value", ["text", {"type": "customer_groups", "id": "1"}, 0, False])
def test_any_other_attribute_named_like_a_relationship_is_refused(api, value):
    customer = make_customer(customer_group=make_group())
    error_of(
        api.update("customers", customer.pk, {"customer_group": value}),
        400,
        "PARAM_NOT_ALLOWED",
        {"pointer": "/data/attributes/customer_group"},
    )
    customer.refresh_from_db()
    assert customer.customer_group is not None


def test_a_missing_group_and_one_of_the_other_mode_are_the_same_404_and_change_nothing(api):
    customer, foreign = make_customer(), make_group(mode="live")
    bodies = set()
    for pk in (foreign.pk, "unknown", "a\0b"):
        link = {"customer_group": {"type": "customer_groups", "id": pk}}
        response = api.update("customers", customer.pk, {"email": "new@example.com"}, link)
        error_of(
            response,
            404,
            "RECORD_NOT_FOUND",
            {"pointer": "/data/relationships/customer_group/data"},
        ) if "\0" not in pk else error_of(response, 400, "BAD_REQUEST")
        if "\0" not in pk:
            bodies.add(response.content)
    assert len(bodies) == 1
    customer.refresh_from_db()
    assert (customer.customer_group, customer.email.startswith("customer")) == (None, True)


def test_a_group_with_customers_is_kept(api):
    group = make_group()
    customer = make_customer(customer_group=group)
    make_customer(customer_group=group)
    response = api.delete(f"/api/customer_groups/{group.pk}")
    found = error_of(response, 423, "LOCKED")
    assert found["detail"] == "It cannot be deleted: it still has 2 customers."
    customer.refresh_from_db()
    assert customer.customer_group == group


def test_a_groups_code_is_unique_in_its_mode_and_may_be_missing(api, live_api):
    make_group(code="vip")
    found = error_of(
        api.create("customer_groups", {"name": "Another", "code": "vip"}),
        422,
        "VALIDATION_ERROR",
        {"pointer": "/data/attributes/code"},
    )
    assert found["meta"] == {"error": "taken"}
    assert live_api.create("customer_groups", {"name": "VIP", "code": "vip"}).status_code == 201
    for _ in range(2):
        assert api.create("customer_groups", {"name": "No code"}).status_code == 201
    assert CustomerGroup.objects.count() == 4


def test_deleting_a_customer_leaves_its_group_and_tags(api):
    customer = make_customer(customer_group=make_group())
    customer.tags.add(make_tag())
    assert api.delete(f"/api/customers/{customer.pk}").status_code == 204
    for name in ("customer_groups", "tags"):
        assert api.get(f"/api/{name}").json()["meta"]["record_count"] == 1


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_of_many_that_take_one_address_at_once_one_gets_it():
    api = Api()
    responses = in_threads(16, lambda number: api.create("customers", {"email": "A@example.com"}))
    created = [response for response in responses if response.status_code == 201]
    assert len(created) == Customer.objects.count() == 1
    for response in set(responses) - set(created):
        found = error_of(response, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/email"})
        assert found["meta"] == {"error": "taken"}


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_of_many_that_tag_one_customer_at_once_none_passes_the_limit():
    api, customer = Api(), make_customer()
    tags = [make_tag() for _ in range(16)]
    path = f"/api/customers/{customer.pk}/relationships/tags"
    responses = in_threads(
        16,
        lambda number: api.send("POST", path, {"data": [{"type": "tags", "id": tags[number].pk}]}),
    )
    statuses = sorted(response.status_code for response in responses)
    assert statuses == [204] * 10 + [422] * 6
    assert customer.tags.count() == 10


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_group_is_never_deleted_from_under_a_customer_that_joins_it():
    api = Api()
    for _ in range(5):
        group, customer = make_group(), make_customer()
        link = {"customer_group": {"type": "customer_groups", "id": group.pk}}
        acts = [
            lambda link=link, pk=customer.pk: api.update("customers", pk, {}, link),
            lambda pk=group.pk: api.delete(f"/api/customer_groups/{pk}"),
        ]
        joined, deleted = in_threads(2, lambda number, acts=acts: acts[number]())
        assert joined.status_code in (200, 404, 409)
        assert deleted.status_code in (204, 409, 423)
        customer.refresh_from_db()
        exists = CustomerGroup.objects.filter(pk=group.pk).exists()
        assert exists == (deleted.status_code != 204)
        assert (customer.customer_group_id == group.pk) == (joined.status_code == 200)
