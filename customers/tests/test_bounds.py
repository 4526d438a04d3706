"""One caller cannot exhaust the service: how large what is given may be, at every door."""

import csv
import gzip
import io
import json
from urllib.parse import urlencode

import orjson
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers as drf

from customers.db.lookups import contains
from customers.jobs import exports, imports
from customers.models import Address, Attachment, Customer, Tag, Upload
from customers.resources import webhook_includes
from customers.resources.fields import TextField
from customers.resources.registry import registry
from customers.services import request_slots, sessions, spreadsheets
from customers.services.tokens import read_token
from customers.tests.conftest import Api, error_of, needs_postgresql
from customers.tests.factories import (
    FULL,
    SMALLEST,
    make_address,
    make_customer,
    make_customer_address,
    make_event,
    make_order,
    make_webhook,
)

pytestmark = pytest.mark.thorough

WRITTEN = sorted({*SMALLEST, "events"})
SECRETS = {"_current_password", "password", "customer_password"}  # bounded by what is hashed
every_written_type = pytest.mark.parametrize("name", WRITTEN)
once_or_later = pytest.mark.parametrize("creating", [True, False])


def written(name, kind, creating):
    """The attributes of the type, made of the field class `kind`, that a client may write."""
    serializer = registry.types[name].serializer_class
    names = serializer.writable(creating)
    return {
        attribute: field
        for attribute, field in serializer().fields.items()
        if attribute in names and isinstance(field, kind) and attribute != "inputs"
    }


def refusals_of(api, name, given, creating):
    """What a document with the attributes `given` is refused for, by attribute.

    It asserts that nothing was changed.
    """
    model = registry.types[name].serializer_class.Meta.model
    attributes, relationships = SMALLEST[name]() if creating else ({}, {})
    row = None if creating else FULL[name]()
    before = list(model.objects.order_by("pk").values())
    if creating:
        response = api.create(name, {**attributes, **given}, relationships)
    else:
        response = api.update(name, row.pk, given)
    assert response.status_code == 422, response.content
    assert list(model.objects.order_by("pk").values()) == before
    found = {}
    for error in response.json()["errors"]:
        attribute = error["source"]["pointer"].removeprefix("/data/attributes/")
        found.setdefault(attribute, []).append((error["meta"]["error"], error["title"]))
    return found


def test_the_contract_knows_texts_and_objects():
    texts = {(name, one) for name in WRITTEN for one in written(name, TextField, False)}
    assert texts >= {("addresses", "notes"), ("sku_lists", "description"), ("orders", "_add_tags")}
    assert len(texts) > 80
    objects = {(name, one) for name in WRITTEN for one in written(name, drf.JSONField, True)}
    assert objects >= {("exports", "filters"), ("webhooks", "include_resources")}
    assert objects >= {(name, "metadata") for name in SMALLEST}


@every_written_type
@once_or_later
def test_no_text_is_longer_than_its_limit(api, settings, name, creating):
    if name == "events" and creating:
        return
    fields = written(name, TextField, creating)
    most = {one: field.max_length or settings.MAX_TEXT for one, field in fields.items()}
    given = {one: "x" * (most[one] + 1) for one in most.keys() - SECRETS}
    found = refusals_of(api, name, given, creating)
    for attribute in given:
        longest = most[attribute]
        error = "too_long", f"is too long (maximum is {longest} characters)"
        assert error in found[attribute], attribute


@every_written_type
@once_or_later
def test_no_object_or_list_has_more_bytes_than_the_limit(api, settings, name, creating):
    if name == "events" and creating:
        return
    settings.MAX_METADATA_BYTES = 1024
    given = {
        attribute: {"size": "é" * 508} if dict in field.json_types else ["é" * 511]
        for attribute, field in written(name, drf.JSONField, creating).items()
    }
    assert {len(orjson.dumps(value)) for value in given.values()} <= {1027, 1026}
    found = refusals_of(api, name, given, creating)
    assert found.keys() >= given.keys()
    for attribute in given:
        assert found[attribute] == [("too_long", "is too large (maximum is 1024 bytes of JSON)")]


def test_what_is_as_large_as_may_be_is_kept(api, settings):
    assert (settings.MAX_TEXT, settings.MAX_METADATA_BYTES) == (65_535, 32_768)
    text = "é" * 65_535
    metadata = {f"{number:03}": "" for number in range(settings.MAX_METADATA_KEYS - 1)}
    metadata["a"] = "x" * (32_768 - len(orjson.dumps({**metadata, "a": ""})))
    pk = make_address().pk
    shown = api.update("addresses", pk, {"notes": text, "metadata": metadata}).json()
    assert shown["data"]["attributes"]["notes"] == text
    assert shown["data"]["attributes"]["metadata"] == metadata
    row = Address.objects.get(pk=pk)
    assert (row.notes, row.metadata) == (text, metadata)


@pytest.mark.parametrize(
    ("metadata", "keys"),
    [
        ({"a": 1, "b": {"c": [{"d": 1}, [{"e": 1, "f": 1}]]}}, 6),
        ({str(number): None for number in range(12)}, 12),
    ],
)
def test_keys_are_counted_on_all_levels(api, settings, metadata, keys):
    pk = make_customer().pk
    settings.MAX_METADATA_KEYS = keys
    assert api.update("customers", pk, {"metadata": metadata}).status_code == 200
    settings.MAX_METADATA_KEYS = keys - 1
    error = error_of(
        api.update("customers", pk, {"metadata": {**metadata}}),
        422,
        "VALIDATION_ERROR",
        {"pointer": "/data/attributes/metadata"},
    )
    assert error["title"] == f"has too many keys (maximum is {keys - 1})"
    assert error["meta"] == {"error": "too_many"}
    assert Customer.objects.get(pk=pk).metadata == metadata


def test_what_was_larger_before_is_read_and_changed_elsewhere(api, admin_client, settings):
    """Rows that an earlier version took, or that were made before a setting was lowered."""
    row = make_address(notes="x" * 70_000, metadata={"a": "y" * 40_000})
    shown = api.get(f"/api/addresses/{row.pk}").json()["data"]["attributes"]
    assert (shown["notes"], shown["metadata"]) == (row.notes, row.metadata)
    assert api.update("addresses", row.pk, {"city": "Turin"}).status_code == 200
    url = f"/admin/customers/address/{row.pk}/change/"
    form = admin_client.get(url).context["adminform"].form
    fields = {name: form[name].value() for name in form.fields if name != "tags"}
    fields = {name: "" if value is None else value for name, value in fields.items()}
    fields = {**fields, "mode": "test", "metadata": json.dumps(row.metadata), "city": "Milan"}
    page = admin_client.post(url, fields)
    assert page.status_code == 302, page.context["adminform"].form.errors
    row.refresh_from_db()
    assert (row.city, len(row.notes), len(row.metadata["a"])) == ("Milan", 70_000, 40_000)
    fields["notes"] = "z" * 65_536
    page = admin_client.post(url, fields)
    errors = page.context["adminform"].form.errors
    assert errors == {"notes": ["This is too long (maximum is 65535 characters)."]}
    fields |= {"notes": "z", "metadata": json.dumps({"b": "y" * 40_000})}
    errors = admin_client.post(url, fields).context["adminform"].form.errors
    assert errors == {"metadata": ["This is too large (maximum is 32768 bytes of JSON)."]}
    row.refresh_from_db()
    assert (len(row.notes), list(row.metadata)) == (70_000, ["a"])


def test_the_console_makes_nothing_that_is_too_large(admin_client):
    form = {"name": "vip", "mode": "test", "metadata": json.dumps({"a": "y" * 40_000})}
    errors = admin_client.post("/admin/customers/tag/add/", form).context["adminform"].form.errors
    assert errors == {"metadata": ["This is too large (maximum is 32768 bytes of JSON)."]}
    assert not Tag.objects.exists()


def test_an_import_refuses_the_row_that_is_too_large_and_no_other(tmp_path):
    path = tmp_path / "customers.json"
    rows = [
        {"email": "ada@example.com", "metadata": {"a": "y" * 40_000}},
        {"email": "bob@example.com", "metadata": {"a": "y"}},
    ]
    path.write_text(json.dumps(rows))
    call_command("import_customers", str(path), "--skip-errors")
    assert [one.email for one in Customer.objects.all()] == ["bob@example.com"]
    with pytest.raises(CommandError, match="Interrupted: 0 rows done, 1 refused"):
        call_command("import_customers", str(path))
    given = [{"name": "x", "description": "y" * 65_536}]
    (fault,), _ = imports.faults("sku_lists", given, mode="test", actor=None)
    assert fault == (0, [("description", "is too long (maximum is 65535 characters)")])


def test_a_note_in_the_console_is_bounded(admin_client):
    customer = make_customer()
    path = f"/admin/customers/{customer.pk}/note/"
    admin_client.post(path, {"text": "x" * 5001})
    assert not Attachment.objects.exists()
    admin_client.post(path, {"text": "x" * 5000})
    assert Attachment.objects.get().description == "x" * 5000


# What filters may cost


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (json.dumps({"a": [1] * 47}), None),
        (json.dumps({"a": [1] * 49}), "it has more than 50 values."),
        ('{"a":' * 7 + "1" + "}" * 7, None),
        ('{"a":' * 8 + "1" + "}" * 8, "it is nested deeper than 8 levels."),
    ],
)
def test_what_metadata_must_contain_is_small(api, text, told):
    response = api.query("/api/customers", {"filter[q][metadata_jcont]": text})
    if told is None:
        assert response.status_code == 200
        return
    source = {"parameter": "filter[q][metadata_jcont]"}
    assert error_of(response, 400, "INVALID_FILTER_VALUE", source)["detail"].endswith(told)


@pytest.mark.parametrize("predicate", ["matches", "does_not_match", "matches_any", "cont", "end"])
def test_a_pattern_is_short(api, predicate):
    parameter = f"filter[q][reference_{predicate}]"
    assert api.query("/api/customers", {parameter: "a" * 500}).status_code == 200
    response = api.query("/api/customers", {parameter: "a" * 501})
    detail = error_of(response, 400, "INVALID_FILTER_VALUE", {"parameter": parameter})["detail"]
    assert detail.endswith("it has more than 500 characters.")
    assert api.query("/api/customers", {"filter[q][reference_eq]": "a" * 501}).status_code == 200


def test_a_pattern_has_few_wildcards(api):
    parameter, pk = "filter[q][reference_matches]", make_customer(reference="a" * 30).pk
    found = api.query("/api/customers", {parameter: "a%_" * 10})
    assert [one["id"] for one in found.json()["data"]] == [pk]
    escaped = r"\%\_" * 11 + "%" * 20
    assert api.query("/api/customers", {parameter: escaped}).status_code == 200
    response = api.query("/api/customers", {parameter: "a%_" * 10 + "%"})
    detail = error_of(response, 400, "INVALID_FILTER_VALUE", {"parameter": parameter})["detail"]
    assert detail.endswith("it has more than 20 wildcards, % and _.")


@pytest.mark.parametrize(
    ("name", "value", "most"),
    [
        ("notes_cont_any", "a", 40),
        ("metadata_jcont", "{}", 40),
        ("events_metadata_jcont", "{}", 40),
        ("city_cont_any", "a", 200),
        ("notes_eq", "a", 200),
    ],
)
def test_what_reads_a_long_value_counts_as_five_comparisons(api, settings, name, value, most):
    settings.MAX_FILTERS = 500
    names = [f"filter[q][{name}]"] * (1 if name.endswith("_any") else most)
    texts = [",".join([value] * most)] if name.endswith("_any") else [value] * most
    query = urlencode(list(zip(names, texts, strict=True)))
    assert api.client.get(f"/api/addresses?{query}").status_code == 200
    query += "&" + urlencode({"filter[q][notes_cont]": value})
    source = {"parameter": "filter[q][notes_cont]"}
    error = error_of(api.client.get(f"/api/addresses?{query}"), 400, "INVALID_FILTER_VALUE", source)
    assert error["detail"] == "More than 200 comparisons are asked for."


def test_a_filter_leads_through_four_relationships_and_no_further(api):
    names = ["customer_addresses", "customer", "customer_addresses", "customer", "email_eq"]
    parameter = f"filter[q][{'_'.join(names)}]"
    assert api.query("/api/customers", {parameter: "a@b.example"}).status_code == 200
    parameter = f"filter[q][{'_'.join(['customer', *names])}]"
    response = api.query("/api/customer_addresses", {parameter: "a@b.example"})
    error_of(response, 400, "FILTER_NOT_ALLOWED", {"parameter": parameter})


class Compared(int):
    """A number that counts how often it is compared."""

    times = 0
    __hash__ = int.__hash__

    def __eq__(self, other):
        Compared.times += 1
        return int(self) == other


def test_a_long_array_is_looked_through_once_whatever_it_must_contain():
    """As SQLite does, where PostgreSQL has `@>`."""
    outer = {"list": [Compared(number) for number in range(10_000)]}
    assert contains(outer, {"list": list(range(9_960, 10_000))})
    assert not contains(outer, {"list": [*range(9_960, 10_000), -1]})
    assert Compared.times < 200
    assert contains({"list": [1, [2, 3], {"a": True}]}, {"list": [{"a": True}, [3]]})
    assert not contains({"list": [1, True]}, {"list": [0]})
    assert not contains({"list": [1]}, {"list": [True]})
    assert not contains({"list": 1}, {"list": [1]})


# What is looked for by few letters


@pytest.mark.parametrize("predicate", ["cont", "i_cont", "end", "matches", "cont_any", "end_all"])
def test_fewer_letters_than_an_index_knows_are_refused_with_the_way_round(api, predicate):
    make_customer(email="ada@a.example")
    parameter, pattern = f"filter[q][email_{predicate}]", "{}"
    if predicate == "matches":
        pattern = "%{}%"
    for text in ("a@", "..", "a.b", "%%"):
        response = api.query("/api/customers", {parameter: pattern.format(text)})
        error = error_of(response, 400, "INVALID_FILTER_VALUE", {"parameter": parameter})
        assert "it needs 3 letters or digits; one or two are found by _start." in error["detail"]
    found = "ada@%" if predicate == "matches" else "a@a.example"
    assert api.query("/api/customers", {parameter: found}).json()["meta"]["record_count"] == 1
    refused = {f"filter[q][customer_{predicate}]": "a"}
    assert api.query("/api/customer_addresses", refused).status_code == 400


def test_the_letters_that_an_index_knows_stand_together(api):
    make_customer(email="ada@a.example")
    parameter = "filter[q][email_matches]"
    for pattern in ("%ad%am%", "a_a_a%", "%a%d%a%"):
        response = api.query("/api/customers", {parameter: pattern})
        error_of(response, 400, "INVALID_FILTER_VALUE", {"parameter": parameter})
    found = api.query("/api/customers", {parameter: "%ad%exa%"})
    assert found.json()["meta"]["record_count"] == 1


def test_a_beginning_may_have_one_letter_and_is_taken_to_the_letter(api):
    pks = [make_customer(email=f"{name}@a.example").pk for name in ("ada", "Adele", "a_d", "bob")]
    for text, found in {
        "A": pks[:3],
        "ad": pks[:2],
        "a_": pks[2:3],
        "%": [],
        "ada@": pks[:1],
    }.items():
        response = api.query("/api/customers", {"filter[q][email_start]": text})
        assert [one["id"] for one in response.json()["data"]] == found, text
    response = api.query("/api/customers", {"filter[q][email_start_any]": "a_,bo"})
    assert [one["id"] for one in response.json()["data"]] == pks[2:]
    response = api.query("/api/customers", {"filter[q][email_not_start]": "a"})
    assert [one["id"] for one in response.json()["data"]] == pks[3:]


def test_a_picker_finds_by_two_letters_what_begins_with_them(admin_client):
    names = ["Lovelace", "lot", "Slow", "King"]
    rows = {name: make_address(last_name=name, company=None) for name in names}
    entries = make_customer_address(
        address=rows["lot"], customer=make_customer(email="zoe@a.example")
    )
    for model, text, found in [
        ("address", "lo", {rows["Lovelace"].pk, rows["lot"].pk}),
        ("customer", "zo", {entries.customer_id}),
        ("customer", "lo", {entries.customer_id}),  # known by the name
    ]:
        query = {"app_label": "customers", "model_name": "customeraddress", "field_name": model}
        shown = admin_client.get("/admin/autocomplete/", {**query, "term": text}).json()["results"]
        assert {one["id"] for one in shown} == found, (model, text)


@needs_postgresql
def test_few_letters_are_found_by_an_index(api):
    Customer.objects.bulk_create(
        Customer(email=f"c{n}@a.example", email_key=f"c{n}@a.example") for n in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers")
    rows = Customer.objects.filter(mode="test", email_key__prefix="c2").order_by()
    assert "customers_email_begins" in rows.filter(email_key__prefix="c29").explain()
    assert rows.count() == 1111


# How large a document may be


def rows_of_a_megabyte(customer, count=12):
    """Orders of `customer` and addresses in its book, with metadata as long as it may be."""
    metadata = {"a": "x" * 32_000}
    for number in range(count):
        address = make_address(notes="é" * 32_000, metadata=metadata)
        make_customer_address(customer=customer, address=address)
        make_order(customer=customer, number=f"N{number}", metadata=metadata)


@pytest.fixture
def large(settings):
    """A customer of more than a megabyte, and documents of a megabyte at most."""
    settings.MAX_DOCUMENT_BYTES = 2**20
    customer = make_customer(email="ada@a.example")
    rows_of_a_megabyte(customer)
    return customer


def test_what_is_included_is_bounded_in_bytes_and_the_way_round_leads_there(api, large):
    path = f"/api/customers/{large.pk}"
    included = api.get(path, include="orders").json()["included"]
    assert len(included) == 12  # 400 KB
    for include, named in {
        "customer_addresses.address": "customer_addresses.address",
        "orders,customer_addresses.address": "customer_addresses.address",
    }.items():
        response = api.get(path, include=include)
        error = error_of(response, 400, "INVALID_INCLUDE", {"parameter": "include"})
        assert error["detail"] == (
            f"Including {named} would make the document larger than 1048576 bytes; ask for a "
            "smaller page[size] or for fewer members by fields[type], or page through the "
            "relationship's related link instead."
        )
    query = {"include": "customer_addresses.address", "fields[addresses]": "city,metadata"}
    shown = api.query(path, query).json()["included"]
    assert [one["attributes"]["city"] for one in shown if one["type"] == "addresses"] == [
        "London"
    ] * 12
    pages = [
        api.query(
            f"{path}/customer_addresses",
            {"include": "address", "page[size]": "6", "page[number]": str(number)},
        )
        for number in (1, 2)
    ]
    assert [len(page.json()["included"]) for page in pages] == [6, 6]


def test_a_page_is_bounded_in_bytes_but_a_resource_never_refused(api, large, settings):
    source = {"parameter": "page[size]"}
    error = error_of(
        api.query("/api/addresses", {"page[size]": "25"}), 400, "INVALID_PAGE_VALUE", source
    )
    assert error["detail"] == (
        "This page is larger than 1048576 bytes; ask for a smaller page[size], or for fewer "
        "members by fields[addresses]."
    )
    assert len(api.query("/api/addresses", {"page[size]": "6"}).json()["data"]) == 6
    few = {"page[size]": "25", "fields[addresses]": "city"}
    assert len(api.query("/api/addresses", few).json()["data"]) == 12
    settings.MAX_DOCUMENT_BYTES = 1000
    address = large.customer_addresses.first().address
    assert api.get(f"/api/addresses/{address.pk}").status_code == 200
    assert api.query("/api/addresses", {"page[size]": "1"}).status_code == 200


def test_what_is_rendered_is_bounded_too(api, settings):
    """Links and short members count, which are not counted as they are loaded."""
    customer = make_customer()
    for number in range(30):
        make_order(customer=customer, number=f"N{number}")
    body = api.get(f"/api/customers/{customer.pk}", include="orders").content
    settings.MAX_DOCUMENT_BYTES = len(body)
    assert api.get(f"/api/customers/{customer.pk}", include="orders").status_code == 200
    settings.MAX_DOCUMENT_BYTES = len(body) - 1
    response = api.get(f"/api/customers/{customer.pk}", include="orders")
    error = error_of(response, 400, "INVALID_INCLUDE", {"parameter": "include"})
    assert error["detail"].startswith("What is included makes the document larger than ")


def test_a_change_whose_answer_is_too_large_is_not_made(api, large):
    data = {"type": "customers", "id": large.pk, "attributes": {"reference": "R"}}
    path = f"/api/customers/{large.pk}?include=customer_addresses.address"
    response = api.send("PATCH", path, {"data": data})
    error_of(response, 400, "INVALID_INCLUDE", {"parameter": "include"})
    large.refresh_from_db()
    assert large.reference is None
    assert api.update("customers", large.pk, {"reference": "R"}).status_code == 200


def test_no_long_text_of_a_relative_that_is_not_shown_is_read(api):
    customer = make_customer(metadata={"a": "x" * 30_000})
    for number in range(3):
        make_order(customer=customer, number=f"N{number}")
    with CaptureQueriesContext(connection) as queries:
        shown = api.get("/api/orders").json()["data"]
    assert {one["attributes"]["customer_email"] for one in shown} == {customer.email}
    (read,) = [one["sql"] for one in queries if '"orders"."number"' in one["sql"]]
    assert '"customers"."email"' in read
    assert '"customers"."metadata"' not in read


def test_a_webhook_is_told_without_what_is_too_large_to_include(large, settings):
    settings.MAX_DOCUMENT_BYTES = 2**23  # a worker holds many payloads, of a megabyte at most
    webhook = make_webhook(
        topic="customers.create", include_resources=["customer_addresses.address", "orders"]
    )
    event = make_event(large)
    payload = webhook_includes.payload_of(event, webhook)
    assert payload["data"]["id"] == large.pk
    assert payload["meta"] == {"included_left_out": True}
    assert "included" not in payload
    webhook.include_resources = ["orders"]
    payload = webhook_includes.payload_of(event, webhook)
    assert len(payload["included"]) == 12
    assert "meta" not in payload


def test_an_export_writes_parts_as_large_as_may_be(large, settings):
    settings.MAX_EXPORT_RECORDS = 100
    job = exports.begin_export(
        "customer_addresses", mode="test", actor=None, includes=["address"], fields=[]
    )
    while exports.do_export_part():
        pass
    job.refresh_from_db()
    assert (job.status, job.processed_count) == ("completed", 12)
    records = json.loads(gzip.decompress(b"".join(exports.export_content(job))))
    assert len({record["id"] for record in records}) == 12
    assert {len(record["address"]["notes"]) for record in records} == {32_000}


# What is sent to pages


class Untouched:
    """A body that must not be read."""

    def __init__(self, *args):
        self.size = 0

    def read(self, *args):
        raise AssertionError("The body was read.")

    readline = read


def multipart(**parts):
    """A form with files, its bytes by name, and its Content-Type."""
    lines = []
    for name, content in parts.items():
        head = f'--edge\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.csv"'
        lines += [f"{head}\r\nContent-Type: text/csv\r\n\r\n".encode(), content, b"\r\n"]
    return b"".join([*lines, b"--edge--\r\n"]), "multipart/form-data; boundary=edge"


OPEN_PAGES = ["/test/password/forgot", "/live/password/choose/x", "/admin/login/"]


@pytest.mark.parametrize("path", [*OPEN_PAGES, "/admin/customers/customer/import/", "/nowhere"])
def test_too_large_a_body_is_refused_before_it_is_read(client, settings, path):
    large = {"CONTENT_LENGTH": str(settings.MAX_BODY_BYTES + 1), "wsgi.input": Untouched()}
    kind = "multipart/form-data; boundary=edge"
    response = client.generic("POST", path, b"", content_type=kind, **large)
    assert response.status_code == 413
    assert response["Content-Type"].startswith("text/html")
    assert "too large for this page" in response.content.decode()


@pytest.mark.parametrize("kind", ["json", "x-www-form-urlencoded"])
def test_the_token_endpoint_reads_nothing_that_is_too_large(client, settings, kind):
    large = {"CONTENT_LENGTH": str(settings.MAX_BODY_BYTES + 1), "wsgi.input": Untouched()}
    kind = f"application/{kind}"
    response = client.generic("POST", "/oauth/token", b"", content_type=kind, **large)
    assert (response.status_code, response["Content-Type"]) == (413, "application/json")
    assert response.json()["error"] == "invalid_request"
    assert response.json()["errors"][0]["code"] == "CONTENT_TOO_LARGE"


@pytest.mark.parametrize("path", ["/test/password/forgot", "/admin/login/"])
def test_no_file_is_taken_by_a_page_without_a_login(client, path):
    body, kind = multipart(file=b"x" * 200_000)
    response = client.generic("POST", path, body, content_type=kind)
    assert (response.status_code, response["Content-Type"][:9]) == (400, "text/html")
    small, _ = multipart()
    assert client.generic("POST", path, small, content_type=kind).status_code == 200


def test_files_are_taken_from_those_alone_who_may_import(client, admin_client, settings):
    body, kind = multipart(file=b"email\nada@example.com\n")
    path = "/admin/customers/customer/import/"
    large = {"CONTENT_LENGTH": "900000", "wsgi.input": Untouched()}
    unread = client.generic("POST", path, b"", content_type=kind, **large)
    assert (unread.status_code, unread.url.split("?")[0]) == (302, "/admin/login/")
    client.force_login(User.objects.create_user("grace", is_staff=True))
    assert client.generic("POST", path, body, content_type=kind).status_code == 403
    assert not Upload.objects.exists()
    assert admin_client.generic("POST", path, body, content_type=kind).status_code == 302
    assert Upload.objects.count() == 1
    settings.MAX_BODY_BYTES, settings.MAX_UPLOAD_BYTES = 1024, 1024
    large, _ = multipart(file=b"email\n" + b"x" * 2048)
    assert admin_client.generic("POST", path, large, content_type=kind).status_code == 413
    less, _ = multipart(file=b"email\n" + b"x" * 1200)
    assert 1024 < len(less) < 2048
    assert admin_client.generic("POST", path, less, content_type=kind).status_code != 413
    assert Client().generic("POST", path, less, content_type=kind).status_code == 413
    elsewhere = "/admin/customers/tag/add/"
    assert admin_client.generic("POST", elsewhere, body, content_type=kind).status_code == 400


def test_a_body_in_chunks_is_not_read_by_a_page(client):
    chunks = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "", "wsgi.input": Untouched()}
    kind = "application/x-www-form-urlencoded"
    response = client.generic("POST", "/test/password/forgot", b"", content_type=kind, **chunks)
    assert response.status_code == 200  # the form, as if nothing had been sent


# How many requests of one customer are answered at once


def test_a_customer_has_so_many_requests_at_once_and_programs_as_many_as_they_like(settings):
    settings.MAX_CONCURRENT_REQUESTS = 2
    ada, bob = make_customer(), make_customer()
    principals = [read_token(Api(customer=one).token) for one in (ada, ada, bob)]
    guest, program = read_token(Api(kind="sales_channel").token), read_token(Api().token)
    places = [request_slots.acquire_slot(principal) for principal in (*principals, guest)]
    assert [place.caller for place in places[:3]] == [ada.pk, ada.pk, bob.pk]
    for _ in range(3):
        assert request_slots.acquire_slot(program) is None
    with pytest.raises(request_slots.TooManyAtOnceError):
        request_slots.acquire_slot(principals[0])
    second = request_slots.acquire_slot(guest)
    with pytest.raises(request_slots.TooManyAtOnceError):
        request_slots.acquire_slot(guest)
    places[0].release()
    request_slots.acquire_slot(principals[1]).release()
    for place in (*places[1:], second):
        place.release()


def test_beside_a_request_that_takes_long_there_is_room_for_one_more(settings, monkeypatch):
    customer = make_customer()
    principal = read_token(Api(customer=customer).token)
    places = [
        request_slots.acquire_slot(principal) for _ in range(settings.MAX_CONCURRENT_REQUESTS - 1)
    ]
    monkeypatch.setattr(request_slots, "LONG", 0)
    with pytest.raises(request_slots.TooManyAtOnceError):
        request_slots.acquire_slot(principal)
    while len(places) > 1:
        places.pop().release()
    places.append(request_slots.acquire_slot(principal))
    with pytest.raises(request_slots.TooManyAtOnceError):
        request_slots.acquire_slot(principal)
    for place in places:
        place.release()
    request_slots.acquire_slot(principal).release()


def test_a_request_too_many_is_told_when_to_come_again_and_each_leaves_its_place(settings):
    settings.MAX_CONCURRENT_REQUESTS = 1
    customer = make_customer()
    api, path = Api(customer=customer), f"/api/customers/{customer.pk}"
    for _ in range(2):
        assert api.get(path).status_code == 200
        assert api.get(path, include="nonsense").status_code == 400
        assert api.get("/api/customers/0000000000000000").status_code == 404
        assert api.update("customers", customer.pk, {"email": "x"}).status_code == 422
    place = request_slots.acquire_slot(read_token(api.token))
    response = api.get(path)
    detail = error_of(response, 429, "TOO_MANY_REQUESTS")["detail"]
    assert detail == "Too many requests at once; try again in 1 second."
    assert response["Retry-After"] == "1"
    assert Api().get(path).status_code == 200
    settings.MAX_CONCURRENT_REQUESTS = 0
    assert api.get(path).status_code == 200
    settings.MAX_CONCURRENT_REQUESTS = 1
    place.release()
    sessions.log_out_everywhere(customer)  # the token is refuted in the midst of the request
    assert api.get(path).status_code == 401
    request_slots.acquire_slot(read_token(Api(customer=customer).token)).release()


# Rules of which each has a number


def test_pages_and_includes_have_the_size_and_the_depth_that_are_set(api, settings):
    for _ in range(4):
        make_customer()
    settings.PAGE_SIZE, settings.MAX_PAGE_SIZE, settings.MAX_INCLUDE_DEPTH = 2, 3, 2
    assert len(api.get("/api/customers").json()["data"]) == 2
    assert len(api.query("/api/customers", {"page[size]": "3"}).json()["data"]) == 3
    for member in ({"page[size]": "4"}, {"page[size]": "4", "page[after]": ""}):
        response = api.query("/api/customers", member)
        error = error_of(response, 400, "INVALID_PAGE_VALUE", {"parameter": "page[size]"})
        assert error["detail"] == "size exceeds maximum page size of 3."
    assert api.get("/api/customers", include="customer_group.customers").status_code == 200
    response = api.get("/api/customers", include="customer_group.customers.tags")
    error = error_of(response, 400, "INVALID_INCLUDE", {"parameter": "include"})
    assert error["detail"] == "customer_group.customers.tags is deeper than 2 relationships."


def test_the_api_and_the_pages_are_limited_by_their_own_settings(api, client, settings):
    settings.API_REQUESTS_PER_MINUTE, settings.PAGE_REQUESTS_PER_MINUTE = 3, 2
    statuses = [api.get("/api/customers").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    form = {"email": "not an address"}
    statuses = [client.post("/test/password/forgot", form).status_code for _ in range(3)]
    assert statuses == [422, 422, 429]
    assert client.get("/test/password/forgot").status_code == 200  # only what is sent counts


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_cell_that_a_spreadsheet_would_calculate_is_defused_and_comes_back(begins):
    text = f"{begins}1+1"
    table = spreadsheets.table([{"a": text}], ["a"]).decode()
    (row,) = csv.DictReader(io.StringIO(table, newline=""))
    assert row["a"] == f"'{text}"
    assert spreadsheets.plain(row["a"]) == text
    assert spreadsheets.defused(f"a{text}") == f"a{text}"
    assert spreadsheets.plain("'quoted'") == "'quoted'"
