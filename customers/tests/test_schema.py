"""The API's description tells what the API does, and its page shows it."""

import re

import pytest
from django.template.loader import render_to_string

from customers.api import errors, schema
from customers.resources.registry import registry
from customers.tests.conftest import error_of
from customers.tests.factories import FULL, SMALLEST


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
    components, paths = described["components"], described["paths"]
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
    told = " ".join(one["description"] for one in components["responses"].values())
    kinds = [errors.ApiError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
        assert f"{kind.code}: " in told


@pytest.mark.parametrize("name", sorted(FULL))
def test_a_resource_has_the_members_that_are_described(described, api, name):
    row = FULL[name]()
    data = api.get(f"/api/{name}/{row.pk}").json()["data"]
    properties = described["components"]["schemas"][name]["properties"]
    assert data["attributes"].keys() == properties["attributes"]["properties"].keys()
    assert data.get("relationships", {}).keys() == properties["relationships"]["properties"].keys()
    for member, value in data["attributes"].items():
        kinds = properties["attributes"]["properties"][member].get("type", [])
        if kinds and value is None:
            assert "null" in kinds, member


@pytest.mark.parametrize("name", sorted(SMALLEST))
def test_what_a_body_may_have_is_what_is_described(described, api, name):
    attributes, relationships = SMALLEST[name]()
    created = described["components"]["schemas"][f"{name}.create"]
    body = created["properties"]["data"]["properties"]
    assert attributes.keys() <= body["attributes"]["properties"].keys()
    assert relationships.keys() <= body["relationships"]["properties"].keys()
    response = api.create(name, {**attributes, "no_such_attribute": 1}, relationships)
    source = {"pointer": "/data/attributes/no_such_attribute"}
    error_of(response, 400, "PARAM_NOT_ALLOWED", source)


def test_filters_and_sorts_are_told_by_patterns_that_the_api_agrees_with(described, api):
    pattern = described["components"]["schemas"]["customers.filter"]["propertyNames"]["pattern"]
    for name in ("email_cont", "email_or_reference_start", "tags_name_in", "metadata_jcont"):
        assert re.fullmatch(pattern, name)
        value = '{"a": 1}' if "jcont" in name else "abc"
        assert api.get("/api/customers", **{f"filter[q][{name}]": value}).status_code == 200
    for name in ("password_eq", "email_like", "email"):
        assert not re.fullmatch(pattern, name)
        assert api.get("/api/customers", **{f"filter[q][{name}]": "a"}).status_code == 400


def test_triggers_say_what_they_do(described):
    members = described["components"]["schemas"]["orders.partial_update"]["properties"]["data"]
    place = members["properties"]["attributes"]["properties"]["_place"]
    assert place == {"type": "boolean", "description": "Trigger: from draft, pending to placed"}


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
