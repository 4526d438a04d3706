"""Bodies and headers that are not as they should be: told by name, and nothing is changed."""

import json
import time

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client

from customers.models import Customer
from customers.tests.conftest import JSON_API, error_of
from customers.tests.factories import make_customer, make_group
from project.environ import clean_environ


def post(api, body):
    return api.send("POST", "/api/customers", body)


def nested(levels):
    return '{"data":{"type":"customers","attributes":{"email":"a@b.co","metadata":' + (
        '{"a":' * levels + "1" + "}" * levels + "}}}"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b'{"data": NaN}',
        b'{"data": Infinity}',
        b'{"data": {"type": "customers", "type": "customers"}}',
        b'{"data": {"attributes": {"metadata": {"a": 1e999}}}}',
        b'{"data": {"attributes": {"metadata": {"a": 9223372036854775808}}}}',
        b'{"data": {"attributes": {"metadata": {"a": ' + b"9" * 5000 + b"}}}}",
        b'{"data": {"attributes": {"metadata": {"a": 0.' + b"1" * 5000 + b"}}}}",
        b'{"data": {"attributes": {"metadata": {"a": "\\u0000"}}}}',
        b'{"data": {"attributes": {"metadata": {"\\u0000": 1}}}}',
        b'{"data": {"attributes": {"metadata": {"a": "\\ud800"}}}}',
        b'{"data": "\xff\xfe"}',
        b'{"data": "a\x00b"}',
        b'{"data": "a\nb"}',
        b"[" * 100_000,
        nested(40).encode(),
        b'\xef\xbb\xbf{"data": {}}',  # a byte order mark
    ],
    ids=lambda body: repr(body[:60]),
)
def test_what_is_not_exact_json_is_refused(api, body):
    response = post(api, body)
    assert response.status_code == 400, response.content
    (error,) = response.json()["errors"]
    assert error["code"] == ("BAD_REQUEST" if body else "PARAM_MISSING")
    assert not Customer.objects.exists()


def test_json_may_be_nested_to_the_limit(api, settings):
    settings.MAX_JSON_DEPTH = 10
    assert post(api, nested(6)).status_code == 201
    assert post(api, nested(7)).status_code == 400


@pytest.mark.parametrize(
    ("document", "code", "source"),
    [
        ([], "INVALID_DATA_FORMAT", None),
        (5, "INVALID_DATA_FORMAT", None),
        ({}, "PARAM_MISSING", ""),
        ({"data": None}, "INVALID_DATA_FORMAT", "/data"),
        ({"data": []}, "INVALID_DATA_FORMAT", "/data"),
        ({"data": {}}, "PARAM_MISSING", "/data/type"),
        ({"data": {"type": None}}, "INVALID_RESOURCE", "/data/type"),
        ({"data": {"type": "tags"}}, "INVALID_RESOURCE", "/data/type"),
        ({"data": {"type": {"a": 1}}}, "INVALID_RESOURCE", "/data/type"),
        (
            {"data": {"type": "customers", "attributes": None}},
            "INVALID_DATA_FORMAT",
            "/data/attributes",
        ),
        (
            {"data": {"type": "customers", "attributes": [1]}},
            "INVALID_DATA_FORMAT",
            "/data/attributes",
        ),
        (
            {"data": {"type": "customers", "relationships": [1]}},
            "INVALID_DATA_FORMAT",
            "/data/relationships",
        ),
        *(
            (
                {"data": {"type": "customers", "relationships": {"tags": value}}},
                "INVALID_LINKS_OBJECT",
                "/data/relationships/tags",
            )
            for value in (None, 5, [], {}, {"links": {}})
        ),
        (
            {"data": {"type": "customers", "relationships": {"tags": {"data": None}}}},
            "INVALID_LINKS_OBJECT",
            "/data/relationships/tags/data",
        ),
        (
            {"data": {"type": "customers", "relationships": {"customer_group": {"data": []}}}},
            "INVALID_LINKS_OBJECT",
            "/data/relationships/customer_group/data",
        ),
    ],
    ids=str,
)
def test_a_document_of_the_wrong_shape_is_refused(api, document, code, source):
    if isinstance(document, dict) and isinstance(document.get("data"), dict):
        document["data"].setdefault("attributes", {"email": "a@example.com"})
    response = post(api, document)
    assert response.status_code == 400, response.content
    (error,) = response.json()["errors"]
    assert error["code"] == code
    assert (error.get("source") or {}).get("pointer") == source
    assert not Customer.objects.exists()


def test_several_unknown_members_are_told_at_once(api):
    response = api.create("customers", {"email": "a@example.com", "emial": "x", "mode": "live"})
    assert response.status_code == 400
    assert [error["source"]["pointer"] for error in response.json()["errors"]] == [
        "/data/attributes/emial",
        "/data/attributes/mode",
    ]
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"type": "customers"}, "KEY_ORDER_MISMATCH"),
        ({"type": "customers", "id": "another"}, "KEY_NOT_INCLUDED_IN_URL"),
        ({"type": "customers", "id": 5}, "KEY_NOT_INCLUDED_IN_URL"),
        ({"type": "customers", "id": None}, "KEY_NOT_INCLUDED_IN_URL"),
    ],
)
def test_an_update_names_the_resource_of_its_url(api, data, code):
    customer = make_customer(reference="old")
    document = {"data": {**data, "attributes": {"reference": "new"}}}
    response = api.send("PATCH", f"/api/customers/{customer.pk}", document)
    error_of(response, 400, code, {"pointer": "/data/id"})
    customer.refresh_from_db()
    assert customer.reference == "old"


def test_empty_members_links_meta_and_full_objects_as_linkage_are_tolerated(api):
    group = api.create("customer_groups", {"name": "VIP"}).json()["data"]
    data = {
        "type": "customers",
        "attributes": {"email": "a@example.com"},
        "relationships": {"customer_group": {"data": group}},
        "links": {},
        "meta": {},
    }
    response = post(api, {"data": data, "meta": {}, "jsonapi": {"version": "1.1"}})
    assert response.status_code == 201
    assert Customer.objects.get().customer_group_id == group["id"]


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "text/plain",
        "",
        "application/vnd",
        "*/*",
        "application/*",
        f"{JSON_API}; ext=bulk",
    ],
)
def test_a_body_of_another_media_type_is_refused(api, media_type):
    body = json.dumps({"data": {"type": "customers", "attributes": {"email": "a@example.com"}}})
    response = api.send("POST", "/api/customers", body, content_type=media_type)
    error_of(response, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", ""), ("PATCH", "/{pk}"), ("POST", "/{pk}/relationships/tags")],
)
def test_a_change_without_a_body_lacks_its_data(api, method, path):
    path = f"/api/customers{path}".format(pk=make_customer().pk)
    error_of(api.send(method, path, ""), 400, "PARAM_MISSING", {"pointer": ""})
    response = api.client.generic(method, path, CONTENT_TYPE=JSON_API)
    error_of(response, 400, "PARAM_MISSING", {"pointer": ""})
    response = api.client.generic(method, path, CONTENT_TYPE="text/plain")
    error_of(response, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_form_is_no_document(api):
    response = api.client.post("/api/customers", {"email": "a@example.com"})
    error_of(response, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (JSON_API, 200),
        ("*/*", 200),
        ("application/*", 200),
        ("text/html, application/xhtml+xml, */*;q=0.8", 200),
        ("text/html", 406),
        ("application/json", 406),
        (f"{JSON_API}; q=0", 406),
        (f"{JSON_API}; ext=bulk", 406),
        (f"{JSON_API}; ext=bulk, */*; q=0.1", 200),
    ],
)
def test_answers_come_to_those_who_accept_them(api, accept, status):
    response = api.client.get("/api/customers", headers={"accept": accept})
    assert response.status_code == status
    assert response["Content-Type"] == JSON_API
    if status == 406:
        error_of(response, 406, "NOT_ACCEPTABLE")


def test_no_accept_header_accepts_everything(api):
    client = Client(headers={"authorization": f"Bearer {api.token}"})
    assert client.get("/api/customers").status_code == 200


def test_a_charset_of_the_body_is_tolerated(api):
    body = json.dumps({"data": {"type": "customers", "attributes": {"email": "a@example.com"}}})
    content_type = f"{JSON_API}; charset=utf-8"
    assert api.send("POST", "/api/customers", body, content_type).status_code == 201


def test_many_names_with_one_given_twice_are_refused_at_once(api):
    names = ", ".join(f'"n{number}": 1' for number in range(60_000))
    start = time.process_time()
    response = post(api, f'{{{names}, "n59999": 1}}')
    error_of(response, 400, "BAD_REQUEST")
    assert time.process_time() - start < 5


def test_a_body_in_chunks_is_refused_rather_than_passed_over(api):
    response = api.client.generic(
        "POST", "/api/customers", content_type=JSON_API, headers={"transfer-encoding": "chunked"}
    )
    error_of(response, 411, "LENGTH_REQUIRED")


def test_names_in_pointers_are_escaped(api):
    response = api.create("customers", {"email": "a@example.com", "a/b~c": 1})
    error_of(response, 400, "PARAM_NOT_ALLOWED", {"pointer": "/data/attributes/a~1b~0c"})


def test_a_relationship_given_as_attribute_too_is_refused(api):
    group = api.create("customer_groups", {"name": "VIP"}).json()["data"]
    members = {"email": "a@example.com", "customer_group": None}
    response = api.create("customers", members, {"customer_group": group})
    source = {"pointer": "/data/attributes/customer_group"}
    error_of(response, 400, "PARAM_NOT_ALLOWED", source)
    assert not Customer.objects.exists()


def test_a_parameter_without_a_name_is_named(api):
    error_of(api.client.get("/api/customers?=1"), 400, "PARAM_NOT_ALLOWED", {"parameter": ""})


def test_a_document_that_cannot_be_written_undoes_the_change(api, settings):
    settings.MAX_INCLUDED = 25
    group = make_group()
    customers = [make_customer(customer_group=group) for _ in range(30)]
    include = "?include=customer_group.customers"
    link = {"customer_group": {"data": {"type": "customer_groups", "id": group.pk}}}
    data = {"type": "customers", "attributes": {"email": "new@example.com"}, "relationships": link}
    response = api.send("POST", f"/api/customers{include}", {"data": data})
    error_of(response, 400, "INVALID_INCLUDE", {"parameter": "include"})
    pk = customers[0].pk
    data = {"type": "customers", "id": pk, "attributes": {"reference": "new"}}
    response = api.send("PATCH", f"/api/customers/{pk}{include}", {"data": data})
    error_of(response, 400, "INVALID_INCLUDE", {"parameter": "include"})
    assert Customer.objects.count() == 30
    assert not Customer.objects.exclude(reference=None).exists()


def test_a_body_over_the_limit_is_refused_before_it_is_read(api, settings):
    settings.MAX_BODY_BYTES = 200
    response = api.create("customers", {"email": "a@example.com", "reference": "x" * 200})
    error_of(response, 413, "CONTENT_TOO_LARGE")
    settings.MAX_BODY_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2**20
    error_of(post(api, b"x" * (2**20 + 1)), 413, "CONTENT_TOO_LARGE")
    assert not Customer.objects.exists()


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_content_type_without_a_body_is_tolerated(api, method):
    customer = make_customer()
    response = api.client.generic(method, f"/api/customers/{customer.pk}", content_type=JSON_API)
    assert response.status_code == {"GET": 200, "DELETE": 204}[method]


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nothing", "/api/customers/1/nothing", "/api/customers/1/2/3/4"]
)
def test_a_route_that_is_not_there(api, client, path):
    error_of(api.client.get(path, follow=True), 404, "RECORD_NOT_FOUND")
    error_of(client.get(path, follow=True), 401, "INVALID_TOKEN")
    error_of(client.get("/.well-known/nothing"), 404, "RECORD_NOT_FOUND")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=punycode",
        "application/json; charset=rot13",
        "application/json; charset=undefined",
        "application/vnd.api+json; charset=utf-7",
        "application/json; charset*=foo'",
        "multipart/form-data; boundary=é",
    ],
)
@pytest.mark.parametrize("path", ["/api/customers", "/oauth/token", "/admin/login/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_odd_content_type_is_no_fault_of_ours(api, rf, method, path, content_type):
    environ = rf.generic(method, f"{path}?filter[email]=%ff%fe").environ
    environ |= {"CONTENT_TYPE": content_type, "HTTP_AUTHORIZATION": f"Bearer {api.token}"}
    answered = []
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)  # the test's transaction is on this connection
    try:
        response = WSGIHandler()(
            clean_environ(environ), lambda status, _: answered.append(int(status[:3]))
        )
        response.close()
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
    assert len(answered) == 1
    assert answered[0] < 500


def test_a_query_in_bytes_is_utf_8(api):
    customer = make_customer(reference="José")
    query = "filter[q][reference_eq]=José".encode().decode("latin-1")  # as WSGI has it
    response = api.client.get("/api/customers", QUERY_STRING=query)
    assert [one["id"] for one in response.json()["data"]] == [customer.pk]


def test_too_many_parameters_are_refused(api):
    response = api.client.get("/api/customers?" + "&".join(f"a{n}=1" for n in range(1001)))
    error_of(response, 400, "BAD_REQUEST")


def test_an_unknown_host_is_refused(api):
    response = api.client.get("/api/customers", headers={"host": "evil.example"})
    error_of(response, 400, "BAD_REQUEST")
