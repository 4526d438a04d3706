"""What every type of resource promises; a new type is tested by being registered."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.resources.filters import COMMON
from customers.resources.predicates import PREDICATES
from customers.resources.registry import registry
from customers.tests.conftest import error_of, ids
from customers.tests.factories import FULL, ONE, SMALLEST


def every_type_that(*offers):
    names = [name for name, found in registry.types.items() if found.actions >= set(offers)]
    return pytest.mark.parametrize("name", names)


every_type = every_type_that("retrieve")
every_listed_type = every_type_that("list")
every_written_type = every_type_that("create", "partial_update", "destroy")
TOLD_ONCE = {"reset_password_token"}
LOCAL = "http://127.0.0.1:8000"


def paths(name, pk):
    """Every path of the type `name` that starts from the row `pk`."""
    yield f"/api/{name}/{pk}"
    for relationship in registry.types[name].relations:
        yield f"/api/{name}/{pk}/{relationship}"
        yield f"/api/{name}/{pk}/relationships/{relationship}"


def key_of(resource):
    return {"type": resource["type"], "id": resource["id"]}


def include_paths(resource, depth):
    """Every include path from `resource`, up to `depth` relationships."""
    for name in sorted(resource.includable):
        yield name
        if depth > 1 and resource.relations[name].target:
            for rest in include_paths(resource.relations[name].target, depth - 1):
                yield f"{name}.{rest}"


@every_written_type
def test_a_created_resource_is_retrieved_and_listed_as_it_was_answered(api, name):
    created = api.create(name, *SMALLEST[name]())
    assert created.status_code == 201, created.content
    resource = created.json()["data"]
    assert (
        created["Location"] == resource["links"]["self"] == f"{LOCAL}/api/{name}/{resource['id']}"
    )
    assert list(resource)[:4] == ["id", "type", "links", "attributes"]
    assert resource["type"] == name
    assert resource["meta"] == {"mode": "test", "organization_id": "clientele"}
    assert resource["attributes"]["created_at"].endswith("Z")
    assert len(resource["attributes"]["created_at"]) == len("2018-01-01T12:00:00.000Z")
    assert resource["attributes"]["metadata"] == {}
    assert resource["attributes"]["updated_at"] == resource["attributes"]["created_at"]
    for attribute in TOLD_ONCE & resource["attributes"].keys():
        assert resource["attributes"][attribute]
        resource["attributes"][attribute] = None
    assert api.get(f"/api/{name}/{resource['id']}").json() == {"data": resource}
    assert api.get(f"/api/{name}").json()["data"] == [resource]


@every_listed_type
def test_a_list_tells_its_count_and_its_pages(api, name):
    rows = [ONE[name]() for _ in range(3)]
    first = api.query(f"/api/{name}", {"page[size]": "2", "sort": "-id"}).json()
    assert first["meta"] == {"record_count": 3, "page_count": 2}
    assert "prev" not in first["links"]
    second = api.client.get(first["links"]["next"].removeprefix(LOCAL)).json()
    assert "next" not in second["links"]
    assert second["links"]["first"] == first["links"]["first"]
    assert second["links"]["last"] == first["links"]["next"]
    shown = [resource["id"] for resource in first["data"] + second["data"]]
    assert shown == sorted((row.pk for row in rows), reverse=True)


@every_type
def test_relationships_are_links_and_have_data_only_when_included(api, name):
    row = FULL[name]()
    relations = registry.types[name].relations
    resource = api.get(f"/api/{name}/{row.pk}").json()["data"]
    assert resource.get("relationships", {}).keys() == relations.keys()
    for relationship, links in resource.get("relationships", {}).items():
        assert links == {
            "links": {
                "self": f"{LOCAL}/api/{name}/{row.pk}/relationships/{relationship}",
                "related": f"{LOCAL}/api/{name}/{row.pk}/{relationship}",
            }
        }


EVERY_RELATIONSHIP = [
    (name, relationship)
    for name, resource in registry.types.items()
    for relationship in sorted(resource.relations)
    if not resource.path
]


@pytest.mark.parametrize(("name", "relationship"), EVERY_RELATIONSHIP)
def test_the_links_and_the_inclusion_of_a_relationship_tell_the_same(api, name, relationship):
    row, resource = FULL[name](), registry.types[name]
    to_many = resource.relations[relationship].to_many
    links = api.get(f"/api/{name}/{row.pk}").json()["data"]["relationships"][relationship]["links"]
    related = api.client.get(links["related"].removeprefix(LOCAL)).json()["data"]
    linkage = api.client.get(links["self"].removeprefix(LOCAL)).json()["data"]
    if relationship == "jwt_customer":  # a program's token has no customer
        assert (related, linkage) == (None, None)
        shown = []
    else:
        shown = [
            {"type": other["type"], "id": other["id"]}
            for other in (related if to_many else [related])
        ]
        assert shown, "the factory leaves it empty"
        assert linkage == (shown if to_many else shown[0])
    included = api.get(f"/api/{name}/{row.pk}", include=relationship)
    if relationship == "event_stores":
        error_of(included, 400, "INVALID_INCLUDE", {"parameter": "include"})
        return
    assert included.json()["data"]["relationships"][relationship]["data"] == linkage
    found = [key_of(other) for other in included.json()["included"]]
    assert found == [key for key in shown if key["id"] != row.pk]


@every_listed_type
def test_more_rows_cost_no_more_queries(api, name):
    include = ",".join(include_paths(registry.types[name], 2))
    rows = [FULL[name]().pk for _ in range(25 if name == "customers" else 4)]
    counts = []
    for some in (rows[:1], rows[:1], rows):
        query = {"include": include, "page[size]": "25", "filter[q][id_in]": ",".join(some)}
        with CaptureQueriesContext(connection) as queries:
            response = api.query(f"/api/{name}", query)
        assert ids(response) == sorted(some)
        counts.append(len(queries))
    assert counts[0] == counts[1] == counts[2]


@every_listed_type
def test_every_included_resource_is_linked_and_comes_once(api, name):
    FULL[name]()
    FULL[name]()
    include = ",".join(include_paths(registry.types[name], 2))
    document = api.get(f"/api/{name}", include=include).json()
    resources = document["data"] + document.get("included", [])
    keys = [(resource["type"], resource["id"]) for resource in resources]
    assert len(keys) == len(set(keys))
    linked = set()
    for resource in resources:
        for relationship in resource.get("relationships", {}).values():
            found = relationship.get("data") or []
            linked |= {
                (o["type"], o["id"]) for o in (found if isinstance(found, list) else [found])
            }
    assert {(o["type"], o["id"]) for o in document.get("included", [])} <= linked


@every_type
def test_a_missing_a_malformed_and_an_other_modes_id_are_the_same_404(api, live_api, name):
    foreign = FULL[name](mode="live")
    assert live_api.get(f"/api/{name}/{foreign.pk}").status_code == 200
    bodies = set()
    for pk in ["0" * 16, "%00", "é", "a.b", foreign.pk]:
        for path in paths(name, pk):
            response = api.get(path)
            error_of(response, 404, "RECORD_NOT_FOUND")
            bodies.add(response.content)
        if registry.types[name].actions >= {"partial_update", "destroy"}:
            update = {"data": {"type": name, "id": pk, "attributes": {}}}
            bodies.add(api.send("PATCH", f"/api/{name}/{pk}", update).content)
            bodies.add(api.delete(f"/api/{name}/{pk}").content)
    assert len(bodies) == 1
    assert type(foreign).objects.filter(pk=foreign.pk).exists()


@every_listed_type
def test_another_modes_rows_are_in_no_list(api, name):
    ONE[name](mode="live")
    assert api.get(f"/api/{name}").json()["meta"] == {"record_count": 0, "page_count": 0}


@every_written_type
@pytest.mark.parametrize("creating", [True, False])
def test_what_is_listed_as_writable_is_written(name, creating):
    serializer = registry.types[name].serializer_class
    attributes = serializer.writable(creating) - registry.types[name].relations.keys()
    fields = serializer().fields
    assert not [attribute for attribute in attributes if fields[attribute].read_only]


# What is given with a new row alone, and what a new row does not take; other types have neither.
FIXED = {
    "customer_addresses": "customer_email",
    "customer_password_resets": "customer_email",
    "customer_subscriptions": "customer_email",
    "exports": "resource_type format includes fields filters dry_data jwt_filters",
    "imports": "resource_type format parent_resource_id inputs skip_errors",
    "order_subscriptions": "starts_at source_order",
    "returns": "order",
    "sku_list_items": "sku_code",
}
TAGGED = "_add_tags _remove_tags"
LATER = {
    "addresses": TAGGED,
    "customer_password_resets": "_reset_password_token customer_password",
    "customers": f"{TAGGED} _request_anonymization _cancel_anonymization _current_password",
    "exports": "_interrupt _start",
    "imports": "_interrupt _start",
    "order_subscriptions": f"{TAGGED} _activate _deactivate _cancel _convert"
    " next_run_at customer_payment_source",
    "orders": f"{TAGGED} _pending _place _approve _cancel _archive _unarchive placed_at",
    "returns": f"{TAGGED} _request _approve _cancel _ship _reject _receive _restock"
    " _archive _unarchive",
    "webhooks": "_reset_circuit _regenerate_shared_secret",
}


def pointer_to(name, member):
    kind = "relationships" if member in registry.types[name].relations else "attributes"
    return {"pointer": f"/data/{kind}/{member}"}


def members_of(name, member):
    """The attributes and the relationships of a document that has `member`, of any value."""
    return ({}, {member: None}) if member in registry.types[name].relations else ({member: "1"},)


@every_written_type
def test_what_is_given_with_a_new_row_alone_is_never_changed(api, name):
    row, fixed = ONE[name](), set(FIXED.get(name, "").split())
    before = api.get(f"/api/{name}/{row.pk}").json()
    for member in fixed:
        response = api.update(name, row.pk, *members_of(name, member))
        error_of(response, 400, "PARAM_NOT_ALLOWED", pointer_to(name, member))
    assert api.get(f"/api/{name}/{row.pk}").json() == before
    serializer = registry.types[name].serializer_class
    assert serializer.writable(creating=True) - serializer.writable(creating=False) == fixed


@every_written_type
def test_what_a_new_row_does_not_take_makes_none(api, name):
    later = set(LATER.get(name, "").split())
    attributes, relationships = SMALLEST[name]()
    for member in later:
        more, others = [*members_of(name, member), {}][:2]
        response = api.create(name, {**attributes, **more}, {**dict(relationships), **others})
        error_of(response, 400, "PARAM_NOT_ALLOWED", pointer_to(name, member))
    assert api.get(f"/api/{name}").json()["data"] == []
    serializer = registry.types[name].serializer_class
    assert serializer.writable(creating=False) - serializer.writable(creating=True) == later


@every_written_type
def test_what_is_not_listed_cannot_be_written(api, name):
    row = FULL[name]()
    before = api.get(f"/api/{name}/{row.pk}").json()
    serializer = registry.types[name].serializer_class
    relations = registry.types[name].relations
    closed = {*before["data"]["attributes"], "id", "mode", "nonsense"}
    closed -= serializer.writable(creating=False)
    assert closed >= {"created_at", "updated_at", "nonsense"}
    for attribute in closed:
        response = api.update(name, row.pk, {attribute: "prospect"})
        error_of(response, 400, "PARAM_NOT_ALLOWED", {"pointer": f"/data/attributes/{attribute}"})
    for relationship in {*relations, "nonsense"} - serializer.writable(creating=False):
        response = api.update(name, row.pk, relationships={relationship: []})
        error_of(
            response, 400, "PARAM_NOT_ALLOWED", {"pointer": f"/data/relationships/{relationship}"}
        )
    assert api.get(f"/api/{name}/{row.pk}").json() == before


@every_type
def test_a_relationship_that_is_not_writable_refuses_every_method(api, name):
    row = FULL[name]()
    resource = registry.types[name]
    for relationship, relation in resource.relations.items():
        if relationship in resource.serializer_class.writable(creating=False):
            continue
        path = f"/api/{name}/{row.pk}/relationships/{relationship}"
        before = api.get(path).json()
        for method in ["PATCH", "POST", "DELETE"] if relation.to_many else ["PATCH"]:
            error_of(api.send(method, path, {"data": []}), 400, "PARAM_NOT_ALLOWED")
        assert api.get(path).json() == before


@every_listed_type
@pytest.mark.parametrize(
    ("parameter", "value", "code"),
    [
        ("nonsense", "1", "PARAM_NOT_ALLOWED"),
        ("include", "nonsense", "INVALID_INCLUDE"),
        ("sort", "nonsense", "INVALID_SORT_CRITERIA"),
        ("sort", "password", "INVALID_SORT_CRITERIA"),
        ("fields[nonsense]", "id", "INVALID_RESOURCE"),
        ("fields", "id", "INVALID_FIELD_FORMAT"),
        ("page[nonsense]", "1", "PARAM_NOT_ALLOWED"),
        ("page", "1", "INVALID_PAGE_OBJECT"),
        ("page[size]", "26", "INVALID_PAGE_VALUE"),
        ("page[size]", "0", "INVALID_PAGE_VALUE"),
        ("page[number]", "0", "INVALID_PAGE_VALUE"),
        ("page[number]", "-1", "INVALID_PAGE_VALUE"),
        ("page[number]", "9" * 5000, "INVALID_PAGE_VALUE"),
        ("page[number]", "٣", "INVALID_PAGE_VALUE"),
        ("filter", "x", "INVALID_FILTERS_SYNTAX"),
        ("filter[q]", "x", "INVALID_FILTERS_SYNTAX"),
        ("filter[nonsense]", "1", "FILTER_NOT_ALLOWED"),
        ("filter[q][nonsense_eq]", "1", "FILTER_NOT_ALLOWED"),
        ("filter[q][id_nonsense]", "1", "FILTER_NOT_ALLOWED"),
        ("filter[q][password_start]", "1", "FILTER_NOT_ALLOWED"),
        ("filter[q][created_at_gt]", "soon", "INVALID_FILTER_VALUE"),
        ("filter[q][reference_eq]", "a\0b", "INVALID_FILTER_VALUE"),
        ("filter[q][id_null]", "perhaps", "INVALID_FILTER_VALUE"),
        ("filter[q][metadata_jcont]", "[1]", "INVALID_FILTER_VALUE"),
        ("filter[q][metadata_jcont]", "{", "INVALID_FILTER_VALUE"),
        ("filter[q][reference_matches]", "a\\", "INVALID_FILTER_VALUE"),
    ],
)
def test_a_query_that_is_not_understood_is_refused_by_name(api, name, parameter, value, code):
    error_of(api.query(f"/api/{name}", {parameter: value}), 400, code, {"parameter": parameter})


def sample(kind, predicate):
    """A text that `predicate` takes of an attribute declared as `kind`."""
    if predicate in ("null", "not_null", "present", "blank", "true", "false"):
        return "true"
    texts = {"BooleanFilter": "true", "JsonFilter": "{}"}
    texts |= dict.fromkeys(["InstantFilter", "DateFilter"], "2026-01-01")
    return texts.get(kind, "123")


@every_listed_type
def test_every_filter_takes_every_predicate_it_offers_and_no_other(api, name):
    row = ONE[name]()
    for attribute, declared in registry.types[name].filterset_class.base_filters.items():
        if attribute in COMMON and name != "customers":
            continue  # the same declaration for all
        kind = type(declared).__name__
        texts = {
            predicate: (f"filter[q][{attribute}_{predicate}]", sample(kind, predicate))
            for predicate in PREDICATES
        }
        offered = dict(texts[predicate] for predicate in declared.predicates)
        assert api.query(f"/api/{name}", offered).status_code == 200, attribute
        refused = sorted(PREDICATES.keys() - declared.predicates)
        for predicate in refused if name == "customers" else refused[::9]:
            parameter, text = texts[predicate]
            response = api.query(f"/api/{name}", {parameter: text})
            error_of(response, 400, "FILTER_NOT_ALLOWED", {"parameter": parameter})
    assert ids(api.query(f"/api/{name}", {"filter[q][id_eq]": row.pk})) == [row.pk]


@every_listed_type
def test_every_sortable_attribute_sorts_both_ways_and_ties_keep_their_order(api, name):
    made = sorted(ONE[name]().pk for _ in range(3))
    for attribute in registry.types[name].filterset_class.sortable:
        up = ids(api.get(f"/api/{name}", sort=attribute))
        down = ids(api.get(f"/api/{name}", sort=f"-{attribute}"))
        assert sorted(up) == sorted(down) == made
        values = {
            resource["id"]: resource["attributes"].get(attribute, resource["id"])
            for resource in api.get(f"/api/{name}").json()["data"]
        }
        if len(set(values.values())) == 1:
            assert up == down == made
        else:
            assert [values[pk] for pk in up] == [values[pk] for pk in reversed(down)]
            assert [values[pk] for pk in up] == sorted(values.values())


@every_type
def test_a_sparse_fieldset_shows_what_it_names(api, name):
    row = FULL[name]()
    whole = api.get(f"/api/{name}/{row.pk}").json()["data"]
    for attribute, value in whole["attributes"].items():
        response = api.query(f"/api/{name}/{row.pk}", {f"fields[{name}]": f"id,{attribute}"})
        resource = response.json()["data"]
        assert resource["attributes"] == {attribute: value}
        assert "relationships" not in resource
        assert resource.keys() == {"id", "type", "links", "attributes", "meta"}
    for relationship in whole.get("relationships", {}):
        response = api.query(f"/api/{name}/{row.pk}", {f"fields[{name}]": relationship})
        resource = response.json()["data"]
        assert resource["attributes"] == {}
        assert list(resource["relationships"]) == [relationship]
    refused = api.query(f"/api/{name}/{row.pk}", {f"fields[{name}]": "password"})
    error_of(refused, 400, "INVALID_FIELD", {"parameter": f"fields[{name}]"})


@every_type
def test_a_trailing_slash_changes_nothing(api, name):
    row = FULL[name]()
    for path in [f"/api/{name}", *paths(name, row.pk)]:
        if path.count("/") > 2 or "list" in registry.types[name].actions:
            assert api.get(f"{path}/").json()["data"] == api.get(path).json()["data"]


@every_type
def test_without_a_token_nothing_is_answered(client, name):
    row = FULL[name]()
    for path in [f"/api/{name}", *paths(name, row.pk)]:
        response = client.get(path)
        error_of(response, 401, "INVALID_TOKEN")
        assert response["WWW-Authenticate"] == "Bearer"
    error_of(client.delete(f"/api/{name}/{row.pk}"), 401, "INVALID_TOKEN")
    assert type(row).objects.filter(pk=row.pk).exists()


@every_written_type
def test_a_deleted_resource_is_gone(api, name):
    pk = api.create(name, *SMALLEST[name]()).json()["data"]["id"]
    response = api.delete(f"/api/{name}/{pk}")
    assert (response.status_code, response.content) == (204, b"")
    error_of(api.get(f"/api/{name}/{pk}"), 404, "RECORD_NOT_FOUND")


@every_type
def test_methods_that_are_not_offered_are_refused_with_those_that_are(api, name):
    path = f"/api/{name}/{ONE[name]().pk}"
    response = api.send("PUT", path, {})
    error_of(response, 405, "METHOD_NOT_ALLOWED")
    acts = {"retrieve": "GET", "partial_update": "PATCH", "destroy": "DELETE"}
    offered = {verb for act, verb in acts.items() if act in registry.types[name].actions}
    assert set(response["Allow"].split(", ")) - {"HEAD"} == offered
    for verb in set(acts.values()) - offered:
        error_of(api.send(verb, path, {}), 405, "METHOD_NOT_ALLOWED")


@every_written_type
def test_common_attributes_are_written_and_cleared(api, name):
    given = {
        "reference": "R-1",
        "reference_origin": "shop",
        "metadata": {"a": [1, None, {"b": 2.5}]},
    }
    attributes, relationships = SMALLEST[name]()
    pk = api.create(name, {**attributes, **given}, relationships).json()["data"]["id"]
    stored = api.get(f"/api/{name}/{pk}").json()["data"]["attributes"]
    assert {key: stored[key] for key in given} == given
    cleared = api.update(name, pk, {"reference_origin": None, "metadata": None})
    attributes = cleared.json()["data"]["attributes"]
    assert (attributes["reference_origin"], attributes["metadata"]) == (None, {})
    assert attributes["reference"] == "R-1"
