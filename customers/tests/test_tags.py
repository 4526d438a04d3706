"""Tags and tagging."""

import pytest

from customers.models import Customer, Tag
from customers.services import tagging
from customers.tests.conftest import error_of, in_threads, needs_postgresql
from customers.tests.factories import make_customer, make_tag


def names(customer):
    return sorted(customer.tags.values_list("name", flat=True))


def linkage(*tags):
    return [{"type": "tags", "id": tag.pk} for tag in tags]


@pytest.fixture
def customer():
    return make_customer()


def test_a_tags_name_is_stored_in_lower_case(api):
    response = api.create("tags", {"name": "VIP-2_a:B"})
    assert response.json()["data"]["attributes"]["name"] == "vip-2_a:b"
    assert Tag.objects.get().name == "vip-2_a:b"


@pytest.mark.parametrize("name", ["", None, "two words", "a,b", "é", "a\n", "x" * 26, 5, "a.b"])
def test_a_name_that_breaks_the_rule_is_refused(api, name):
    response = api.create("tags", {"name": name})
    assert response.status_code == 422
    assert {e["source"]["pointer"] for e in response.json()["errors"]} == {"/data/attributes/name"}
    assert not Tag.objects.exists()


def test_a_name_is_taken_in_any_case_but_free_in_the_other_mode(api, live_api):
    make_tag(name="vip")
    found = error_of(
        api.create("tags", {"name": "VIP"}),
        422,
        "VALIDATION_ERROR",
        {"pointer": "/data/attributes/name"},
    )
    assert found["meta"] == {"error": "taken"}
    assert live_api.create("tags", {"name": "VIP"}).status_code == 201


def test_a_deleted_tag_is_taken_off_every_record(api, customer):
    tag, other = make_tag(), make_tag(name="other")
    customer.tags.add(tag, other)
    assert api.delete(f"/api/tags/{tag.pk}").status_code == 204
    assert names(customer) == ["other"]


def test_triggers_add_and_remove_by_name_and_pass_over_what_is_no_tag(api, customer):
    customer.tags.add(make_tag(name="old"), make_tag(name="stays"))
    make_tag(name="new")
    make_tag(name="live", mode="live")
    triggers = {"_add_tags": "NEW,unknown,two words,,live", "_remove_tags": "old,unknown"}
    response = api.update("customers", customer.pk, triggers)
    assert response.status_code == 200
    assert response.json()["data"]["attributes"].keys().isdisjoint(triggers)
    assert names(customer) == ["new", "stays"]
    assert Tag.objects.count() == 4


def test_a_name_that_only_looks_like_a_tags_is_passed_over(api, customer):
    make_tag(name="key")
    assert api.update("customers", customer.pk, {"_add_tags": "\u212aey"}).status_code == 200
    assert names(customer) == []


def test_a_tag_that_is_added_and_removed_at_once_is_gone(api, customer):
    make_tag(name="a")
    api.update("customers", customer.pk, {"_add_tags": "a", "_remove_tags": "a"})
    assert names(customer) == []


@pytest.mark.parametrize("trigger", ["_add_tags", "_remove_tags"])
def test_triggers_are_for_updates_and_take_text(api, customer, trigger):
    error_of(
        api.create("customers", {"email": "a@example.com", trigger: "a"}),
        400,
        "PARAM_NOT_ALLOWED",
        {"pointer": f"/data/attributes/{trigger}"},
    )
    for value in (["a"], 5, {"a": 1}):
        error_of(
            api.update("customers", customer.pk, {trigger: value}),
            422,
            "VALIDATION_ERROR",
            {"pointer": f"/data/attributes/{trigger}"},
        )


@pytest.mark.parametrize("nothing", ["", None, ","])
def test_triggers_without_names_change_nothing(api, customer, nothing):
    customer.tags.add(make_tag(name="kept"))
    triggers = {"_add_tags": nothing, "_remove_tags": nothing}
    assert api.update("customers", customer.pk, triggers).status_code == 200
    assert names(customer) == ["kept"]


def test_a_record_carries_ten_tags_at_most(api, customer):
    tags = [make_tag() for _ in range(11)]
    relationships = {"tags": linkage(*tags)}
    source = {"pointer": "/data/relationships/tags"}
    for response in (
        api.update("customers", customer.pk, {"reference": "new"}, relationships),
        api.create("customers", {"email": "a@example.com"}, relationships),
    ):
        error_of(response, 422, "VALIDATION_ERROR", source)
    assert Customer.objects.get().reference is None
    assert names(customer) == []
    ten = {"tags": linkage(*tags[:10])}
    assert api.update("customers", customer.pk, {}, ten).status_code == 200
    response = api.update("customers", customer.pk, {"_add_tags": tags[10].name})
    error_of(response, 422, "VALIDATION_ERROR", {"pointer": "/data/attributes/_add_tags"})
    swap = {"_add_tags": tags[10].name, "_remove_tags": tags[0].name}
    assert api.update("customers", customer.pk, swap).status_code == 200
    assert customer.tags.count() == 10


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_of_sixteen_tags_put_on_at_once_by_whoever_ten_stay():
    customer, tags = make_customer(), [make_tag() for _ in range(16)]

    def add(number):
        try:
            tagging.add_tags(customer, [tags[number]], actor=None)
        except tagging.TooManyTagsError:
            return False
        return True

    assert sorted(in_threads(16, add)) == [False] * 6 + [True] * 10
    assert customer.tags.count() == 10


def test_the_relationship_in_a_document_replaces_all_tags(api, customer):
    first, second = make_tag(name="first"), make_tag(name="second")
    customer.tags.add(first)
    response = api.update("customers", customer.pk, {}, {"tags": linkage(second)})
    assert response.status_code == 200
    assert names(customer) == ["second"]
    api.update("customers", customer.pk, {}, {"tags": []})
    assert names(customer) == []


@pytest.mark.parametrize(
    ("method", "found"),
    [("PATCH", ["b", "c"]), ("POST", ["a", "b", "c"]), ("DELETE", ["a"])],
)
def test_the_relationship_route_replaces_adds_and_removes(api, customer, method, found):
    a, b, c = (make_tag(name=name) for name in "abc")
    customer.tags.add(a, b)
    path = f"/api/customers/{customer.pk}/relationships/tags"
    response = api.send(method, path, {"data": linkage(b, c, b)})
    assert (response.status_code, response.content) == (204, b"")
    assert names(customer) == found
    assert Tag.objects.count() == 3


def test_an_emptied_relationship_deletes_no_tag(api, customer):
    customer.tags.add(make_tag())
    path = f"/api/customers/{customer.pk}/relationships/tags"
    assert api.send("PATCH", path, {"data": []}).status_code == 204
    assert (names(customer), Tag.objects.count()) == ([], 1)


def test_a_to_one_relationship_route_sets_and_clears(api, customer):
    group = api.create("customer_groups", {"name": "VIP"}).json()["data"]
    path = f"/api/customers/{customer.pk}/relationships/customer_group"
    data = {"type": "customer_groups", "id": group["id"]}
    assert api.send("PATCH", path, {"data": data}).status_code == 204
    assert api.get(path).json()["data"] == data
    assert api.send("PATCH", path, {"data": None}).status_code == 204
    assert api.get(path).json()["data"] is None
    error_of(api.send("POST", path, {"data": data}), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    ("data", "status", "code", "pointer"),
    [
        (None, 400, "INVALID_LINKS_OBJECT", "/data"),
        ({"type": "tags", "id": "x"}, 400, "INVALID_LINKS_OBJECT", "/data"),
        (["x"], 400, "INVALID_LINKS_OBJECT", "/data/0"),
        ([{"type": "tags"}], 400, "INVALID_LINKS_OBJECT", "/data/0"),
        ([{"type": "tags", "id": 5}], 400, "INVALID_LINKS_OBJECT", "/data/0"),
        ([{"type": "customers", "id": "x"}], 400, "TYPE_MISMATCH", "/data/0/type"),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "POST", "DELETE"])
def test_linkage_that_is_not_understood_changes_nothing(
    api, customer, method, data, status, code, pointer
):
    customer.tags.add(make_tag(name="kept"))
    path = f"/api/customers/{customer.pk}/relationships/tags"
    error_of(api.send(method, path, {"data": data}), status, code, {"pointer": pointer})
    assert names(customer) == ["kept"]


def test_a_tag_that_is_not_there_cannot_be_added_but_is_as_good_as_removed(api, customer):
    customer.tags.add(make_tag(name="kept"))
    path = f"/api/customers/{customer.pk}/relationships/tags"
    for pk in ("unknown", make_tag(mode="live").pk):
        for method in ("PATCH", "POST"):
            response = api.send(method, path, {"data": [{"type": "tags", "id": pk}]})
            error_of(response, 404, "RECORD_NOT_FOUND", {"pointer": "/data/0"})
        assert api.send("DELETE", path, {"data": [{"type": "tags", "id": pk}]}).status_code == 204
    assert names(customer) == ["kept"]


def test_names_are_added_to_and_taken_from_the_relationship_sent_along(api, customer):
    tags = [make_tag(name=f"t{number}") for number in range(12)]
    customer.tags.add(*tags[:10])
    response = api.update("customers", customer.pk, {"_add_tags": "t11"}, {"tags": []})
    assert response.status_code == 200
    assert names(customer) == ["t11"]
    triggers = {"_add_tags": "t5", "_remove_tags": "t1"}
    api.update("customers", customer.pk, triggers, {"tags": linkage(*tags[:3])})
    assert names(customer) == ["t0", "t2", "t5"]


def test_too_many_tags_on_the_relationship_route_are_pointed_at(api, customer):
    path = f"/api/customers/{customer.pk}/relationships/tags"
    response = api.send("POST", path, {"data": linkage(*(make_tag() for _ in range(11)))})
    error_of(response, 422, "VALIDATION_ERROR", {"pointer": "/data"})
    assert names(customer) == []


def test_a_tag_of_the_other_mode_is_as_one_that_is_missing(api, customer):
    foreign = make_tag(mode="live")
    answers = {
        api.update("customers", customer.pk, {}, {"tags": [{"type": "tags", "id": pk}]}).content
        for pk in (foreign.pk, "unknown")
    }
    assert len(answers) == 1
    assert names(customer) == []


def test_tagging_counts_as_a_change_of_the_record(api, customer):
    tag, before = make_tag(name="a"), customer.updated_at
    api.update("customers", customer.pk, {"_add_tags": "a"})
    customer.refresh_from_db()
    changed = customer.updated_at
    assert changed > before
    api.update("customers", customer.pk, {}, {"tags": linkage(tag)})
    customer.refresh_from_db()
    assert customer.updated_at == changed
