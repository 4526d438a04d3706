"""The API's description tells what the API does, and its page shows it."""

import re

import pytest
from django.template.loader import render_to_string

from customers.api import errors, schema
from customers.api.schema_parts import EXAMPLE_ID
from customers.api.schema_types import component_of
from customers.models import Tag
from customers.resources.registry import registry
from customers.tests.conftest import JSON_API, error_of
from customers.tests.factories import FULL, SMALLEST, make_customer


@pytest.fixture
def described(api):
    api.get("/api/customers/none/relationships/tags")  # answering changes nothing of it
    return schema.described(registry)


def references(node):
    if isinstance(node, dict):
        yield from [node["$ref"]] if "$ref" in node else []
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_it_names_every_type_route_and_error(described, client):
    response = client.get("/api/schema")
    assert response["Content-Type"] == "application/json"
    assert response.json() == described
    assert described["openapi"] == "3.1.0"
    paths = described["paths"]
    for reference in set(references(described)):
        part = described
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]
    for name, resource in registry.types.items():
        offered = {"list": "get", "create": "post"}
        if "retrieve_singleton" not in resource.actions:
            listed = paths.get(f"/api/{name}", {})
            assert {offered[act] for act in resource.actions & offered.keys()} == listed.keys()
            assert ("list" in resource.actions) == (f"/api/{name}/search" in paths)
            for relation in resource.relations:
                assert "get" in paths[f"/api/{name}/{{id}}/{relation}"]
    told = " ".join(one["description"] for one in schema.refusals().values())
    kinds = [errors.ApiError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
        assert f"{kind.code}: " in told


@pytest.mark.parametrize("name", sorted(FULL))
def test_a_resource_has_the_members_that_are_described(described, api, name):
    row = FULL[name]()
    data = api.get(f"/api/{name}/{row.pk}").json()["data"]
    component = component_of(registry.types[name])
    properties = described["components"]["schemas"][component]["properties"]
    attributes = described["components"]["schemas"][f"{component}Attributes"]["properties"]
    assert data["attributes"].keys() == attributes.keys()
    related = properties.get("relationships", {"properties": {}})["properties"]
    assert data.get("relationships", {}).keys() == related.keys()
    for member, value in data["attributes"].items():
        if value is None:
            assert "null" in attributes[member]["type"], member


@pytest.mark.parametrize("name", sorted(SMALLEST))
def test_what_a_body_may_have_is_what_is_described(described, api, name):
    attributes, relationships = SMALLEST[name]()
    component = component_of(registry.types[name])
    created = described["components"]["schemas"][f"{component}Create"]
    body = created["properties"]["data"]["properties"]
    assert attributes.keys() <= body["attributes"]["properties"].keys()
    assert relationships.keys() <= body["relationships"]["properties"].keys()
    response = api.create(name, {**attributes, "no_such_attribute": 1}, relationships)
    source = {"pointer": "/data/attributes/no_such_attribute"}
    error_of(response, 400, "PARAM_NOT_ALLOWED", source)


def test_filters_and_sorts_are_told_by_patterns_that_the_api_agrees_with(described, api):
    pattern = described["components"]["schemas"]["CustomerFilter"]["propertyNames"]["pattern"]
    for name in ("email_cont", "email_or_reference_start", "tags_name_in", "metadata_jcont"):
        assert re.fullmatch(pattern, name)
        value = '{"a": 1}' if "jcont" in name else "abc"
        assert api.get("/api/customers", **{f"filter[q][{name}]": value}).status_code == 200
    for name in ("password_eq", "email_like", "email"):
        assert not re.fullmatch(pattern, name)
        assert api.get("/api/customers", **{f"filter[q][{name}]": "a"}).status_code == 400


def nodes(node, path=""):
    """Every object of a document, with the place where it stands."""
    if isinstance(node, list):
        for index, value in enumerate(node):
            yield from nodes(value, f"{path}/{index}")
    elif isinstance(node, dict):
        yield path, node
        for name, value in node.items():
            yield from nodes(value, f"{path}/{name}")


def operations_of(document):
    for item in document["paths"].values():
        yield from (one for verb, one in item.items() if verb != "parameters")


def silent(document):
    """The places of members and parameters that do not say what they mean."""
    found = []
    for path, node in nodes(document):
        is_member = path.rpartition("/")[0].endswith("/properties")
        if (is_member or "in" in node) and not node.get("description", "").strip():
            found.append(path)
    return found


def test_every_operation_attribute_and_parameter_says_what_it_means(described):
    assert silent(described) == []
    for operation in operations_of(described):
        assert operation["summary"], operation
        assert operation["description"].endswith("."), operation
    for tag in described["tags"]:
        assert tag["description"].endswith(".")


def test_an_attribute_of_which_nothing_is_said_is_found(monkeypatch, api):
    monkeypatch.setattr(Tag._meta.get_field("name"), "declaration", None)
    place = "/components/schemas/Tag{}/properties/name"
    written = "{}/properties/data/properties/attributes"
    assert silent(schema.description(registry)) == [
        place.format("Attributes"),
        place.format(written.format("Create")),
        place.format(written.format("Update")),
    ]


def test_everything_has_a_type_that_says_what_is_in_it(described):
    for path, node in nodes(described["components"]["schemas"]):
        kinds = node.get("type", ())
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if "object" in kinds:
            assert node.keys() & {"properties", "additionalProperties"}, path
        if "array" in kinds:
            assert "items" in node, path
        if path.rpartition("/")[0].endswith("/properties"):
            assert node.keys() & {"type", "$ref", "oneOf", "const"}, path


def test_names_of_components_and_operations_are_lawful_and_differ_for_generators(described):
    for kind, components in described["components"].items():
        for name in components:
            assert re.fullmatch(r"[A-Za-z0-9._-]+", name), kind
    names = [operation["operationId"] for operation in operations_of(described)]
    assert len({re.sub("[^a-z]", "", name.lower()) for name in names}) == len(names)
    schemas = described["components"]["schemas"]
    assert len({name.lower() for name in schemas}) == len(schemas)


@pytest.mark.parametrize("name", sorted(SMALLEST))
def test_what_is_required_of_a_new_one_is_refused_without_it(described, api, name):
    component = component_of(registry.types[name])
    created = described["components"]["schemas"][f"{component}Create"]["properties"]["data"]
    for kind in ("attributes", "relationships"):
        for member in created["properties"][kind].get("required", ()):
            parts = dict(zip(("attributes", "relationships"), SMALLEST[name](), strict=True))
            del parts[kind][member]
            response = api.create(name, parts["attributes"], parts["relationships"])
            assert response.status_code == 422, member
            pointers = [one["source"]["pointer"] for one in response.json()["errors"]]
            assert f"/data/{kind}/{member}" in pointers


def with_ids(value, ids):
    """`value` in which each identifier's example of an id is that of a row there is."""
    if isinstance(value, list):
        return [with_ids(one, ids) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("id") == EXAMPLE_ID:
        return {**value, "id": ids(value["type"])}
    return {name: with_ids(one, ids) for name, one in value.items()}


@pytest.mark.parametrize("name", sorted(SMALLEST))
def test_the_examples_of_bodies_work_as_they_are(described, api, name):
    make_customer(email="ada@example.com") if name != "customers" else None
    body = described["paths"][f"/api/{name}"]["post"]["requestBody"]["content"][JSON_API]
    example = with_ids(body["example"], lambda wanted: FULL[wanted]().pk)
    made = api.send("POST", f"/api/{name}", example)
    assert made.status_code == 201, made.content
    pk = made.json()["data"]["id"]
    if change := described["paths"][f"/api/{name}/{{id}}"].get("patch"):
        body = change["requestBody"]["content"][JSON_API]
        changed = api.send("PATCH", f"/api/{name}/{pk}", with_ids(body["example"], lambda _: pk))
        assert changed.status_code == 200, changed.content
        assert changed.json()["data"]["attributes"]["metadata"] == {"source": "store"}


def test_triggers_say_what_they_do(described):
    members = described["components"]["schemas"]["OrderUpdate"]["properties"]["data"]
    place = members["properties"]["attributes"]["properties"]["_place"]
    does = (
        "Trigger. True sets the status to placed and dates placed_at, from draft or pending only."
    )
    assert place == {"type": "boolean", "description": does}


def test_the_page_shows_every_operation_and_runs_nothing_inline(client, described):
    response = client.get("/api/docs")
    page = response.content.decode()
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page)
    operations = [
        operation["operationId"]
        for item in described["paths"].values()
        for verb, operation in item.items()
        if verb != "parameters"
    ]
    assert len(operations) == len(set(operations)) > 200
    for name in operations:
        assert f'id="{name}"' in page


def test_the_pages_own_text_is_escaped():
    group = {"name": "<b>", "description": "<i>", "operations": [{"id": "x", "summary": "<u>"}]}
    page = render_to_string("docs/api.html", {"groups": [group], "errors": {}, "name": "<s>"})
    assert not re.search("<[bius]>", page)
