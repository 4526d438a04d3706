"""The same documents by hand: WSGI, SQL and orjson, with nothing checked; what is left to pay."""

import os
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

import django
import orjson
import psycopg
from psycopg.types.json import Jsonb, set_json_loads

django.setup()
from django.db.models import Model  # noqa: E402

from customers.db.fields import new_id  # noqa: E402
from customers.models import column_type_of, email_key  # noqa: E402 needs the settings
from customers.models.money import formatted  # noqa: E402
from customers.resources.registry import registry  # noqa: E402
from deploy.checks.twins import members  # noqa: E402

set_json_loads(orjson.loads)
URL = os.environ["PUBLIC_URL"] + "/api"
META = {"mode": "live", "organization_id": "clientele"}
JSON_API = [("Content-Type", "application/vnd.api+json")]
EXPRESSIONS = {"has_password": "password IS NOT NULL"}  # of attributes that are no column
MEMBERS = members()
MODELS: dict[str, type[Model]] = {name: registry.types[name].queryset.model for name in MEMBERS}


def select_list(kind: str) -> str:
    """The SQL of all attributes of a type; NULL for what is neither column nor expression."""
    known = {field.name: field.column for field in MODELS[kind]._meta.concrete_fields}
    names = MEMBERS[kind]["attributes"]
    return ", ".join(known.get(name) or EXPRESSIONS.get(name, "NULL") for name in names)


def converters(kind: str) -> list[tuple[str, Callable[[Any], Any]]]:
    """What makes JSON's value of those columns of a type of which it is another."""
    types = {field.name: column_type_of(field) for field in MODELS[kind]._meta.concrete_fields}
    shown = [(name, types[name]) for name in MEMBERS[kind]["attributes"] if name in types]
    return [(name, one.to_json) for name, one in shown if one.is_converted]


COLUMNS = {kind: select_list(kind) for kind in MEMBERS}
CONVERTERS = {kind: converters(kind) for kind in MEMBERS}
RETURNED = "id, customer_group_id, " + COLUMNS["customers"]
EMAIL = 2 + MEMBERS["customers"]["attributes"].index("email")  # its place in a row
SELECT = "SELECT " + RETURNED
LIVE = " FROM customers WHERE mode = 'live'"
local = threading.local()


def database() -> psycopg.Connection:
    """This thread's connection."""
    if not hasattr(local, "connection"):
        local.connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
        local.connection.prepare_threshold = 2
    connection: psycopg.Connection = local.connection
    return connection


def fetch_one(sql: str, values: list[Any]) -> tuple[Any, ...]:
    """The row of a statement that has one."""
    row = database().execute(sql, values).fetchone()
    if row is None:
        raise LookupError(sql)
    return row


def resource(
    kind: str, pk: str, values: list[Any], linkages: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The resource object of a row of COLUMNS."""
    attributes = dict(zip(MEMBERS[kind]["attributes"], values, strict=True))
    link = f"{URL}/{kind}/{pk}"
    for name, convert in CONVERTERS[kind]:
        if attributes[name] is not None:
            attributes[name] = convert(attributes[name])
    relationships: dict[str, dict[str, Any]] = {}
    for name in MEMBERS[kind]["relationships"]:
        links = {"self": f"{link}/relationships/{name}", "related": f"{link}/{name}"}
        relationships[name] = {"links": links}
        if linkages and name in linkages:
            relationships[name]["data"] = linkages[name]
    return {
        "id": pk,
        "type": kind,
        "links": {"self": link},
        "attributes": attributes,
        "relationships": relationships,
        "meta": META,
    }


def customer(row: tuple[Any, ...], linkages: dict[str, Any] | None = None) -> dict[str, Any]:
    """The resource object of a row of SELECT."""
    pk, _, *values = row
    return resource("customers", pk, values, linkages)


def included(kind: str, sql: str, ids: list[str]) -> dict[str, dict[str, Any]]:
    """The resources of a type by id."""
    rows = database().execute(f"SELECT id, {COLUMNS[kind]} {sql}", [ids]).fetchall()
    return {pk: resource(kind, pk, values) for pk, *values in rows}


def with_included(
    rows: list[tuple[Any, ...]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The resource objects of the rows, and those that they include."""
    ids = [row[0] for row in rows]
    groups = included(
        "customer_groups", "FROM customer_groups WHERE id = ANY(%s)", [row[1] for row in rows]
    )
    pairs = database().execute(
        "SELECT customer_id, tag_id FROM customers_tags WHERE customer_id = ANY(%s)"
        " ORDER BY tag_id",
        [ids],
    )
    tagged: dict[str, list[dict[str, str]]] = {}
    for pk, tag in pairs.fetchall():
        tagged.setdefault(pk, []).append({"type": "tags", "id": tag})
    wanted = list({link["id"] for links in tagged.values() for link in links})
    tags = included("tags", "FROM tags WHERE id = ANY(%s)", wanted)
    owners: dict[str, list[dict[str, str]]] = {}
    orders = {}
    columns = "id, customer_id, " + COLUMNS["orders"]
    rows_of_orders = database().execute(
        f"SELECT {columns} FROM orders WHERE customer_id = ANY(%s) ORDER BY id", [ids]
    )
    emails = {row[0]: row[EMAIL] for row in rows}
    for pk, owner, *values in rows_of_orders.fetchall():
        owners.setdefault(owner, []).append({"type": "orders", "id": pk})
        orders[pk] = resource("orders", pk, values)
        attributes = orders[pk]["attributes"]
        attributes["customer_email"] = emails[owner]
        for name in ("total_amount", "total_amount_with_taxes"):
            cents, code = attributes[f"{name}_cents"], attributes["currency_code"]
            attributes[f"formatted_{name}"] = formatted(cents, code, attributes["language_code"])
    data = []
    for row in rows:
        group = row[1] and {"type": "customer_groups", "id": row[1]}
        linkages = {"tags": tagged.get(row[0], []), "orders": owners.get(row[0], [])}
        data.append(customer(row, {"customer_group": group, **linkages}))
    return data, [*groups.values(), *tags.values(), *orders.values()]


def listed(query: dict[str, list[str]]) -> dict[str, Any]:
    """The document of a list."""
    where, values = "", list[Any]()
    if part := query.get("filter[q][email_cont]"):
        where, values = " AND email_key ILIKE %s", [f"%{email_key(part[0])}%"]
    if status := query.get("filter[q][status_eq]"):
        where, values = " AND status = %s", [status[0]]
    size = int(query["page[size]"][0])
    number = int(query.get("page[number]", ["1"])[0])
    (count,) = fetch_one("SELECT count(*)" + LIVE + where, values)
    order = " ORDER BY created_at DESC, id LIMIT %s OFFSET %s"
    page = [size, (number - 1) * size]
    rows = database().execute(SELECT + LIVE + where + order, [*values, *page]).fetchall()
    document: dict[str, Any] = {"meta": {"record_count": count, "page_count": -(-count // size)}}
    document["links"] = {"first": f"{URL}/customers?page[number]=1"}
    if "include" in query:
        document["data"], document["included"] = with_included(rows)
    else:
        document["data"] = [customer(row) for row in rows]
    return document


def record(pk: str, act: str, payload: dict[str, Any], *topics: str) -> None:
    """Write the audit log and the events."""
    execute = database().execute
    log = (
        "INSERT INTO event_stores (id, mode, metadata, created_at, updated_at, resource_type,"
        " resource_id, event, payload) VALUES (%s, 'live', '{}', now(), now(), 'customers', %s,"
        " %s, %s)"
    )
    execute(log, [new_id(), pk, act, Jsonb(payload)])
    for topic in topics:
        execute(
            "INSERT INTO events (id, mode, metadata, created_at, updated_at, name, resource_type,"
            " resource_id, undispatched)"
            " VALUES (%s, 'live', '{}', now(), now(), %s, 'customers', %s, true)",
            [new_id(), topic, pk],
        )


def created(body: dict[str, Any]) -> dict[str, Any]:
    """The document of a new customer."""
    attributes, pk = body["data"]["attributes"], new_id()
    with database().transaction():
        row = fetch_one(
            "INSERT INTO customers (id, email, email_key, status, total_orders_count,"
            " shopper_reference, profile_id, mode, metadata, created_at, updated_at) VALUES"
            " (%s, %s, %s, 'prospect', 0, %s, %s, 'live', %s, now(), now())"
            f" RETURNING {RETURNED}",
            [
                pk,
                attributes["email"],
                email_key(attributes["email"]),
                uuid.uuid4().hex,
                uuid.uuid4().hex,
                Jsonb(attributes.get("metadata", {})),
            ],
        )
        record(
            pk, "create", {"email": {"from": None, "to": attributes["email"]}}, "customers.create"
        )
    return {"data": customer(row)}


def updated(pk: str, body: dict[str, Any]) -> dict[str, Any]:
    """The document of a customer with other metadata."""
    metadata = body["data"]["attributes"]["metadata"]
    with database().transaction():
        (before,) = fetch_one("SELECT metadata FROM customers WHERE id = %s FOR UPDATE", [pk])
        row = fetch_one(
            "UPDATE customers SET metadata = %s, updated_at = now() WHERE mode = 'live' AND id = %s"
            f" RETURNING {RETURNED}",
            [Jsonb(metadata), pk],
        )
        payload = {"metadata": {"from": before, "to": metadata}}
        record(pk, "update", payload, "customers.metadata_update")
    return {"data": customer(row)}


def application(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    """The WSGI application."""
    path, status = environ["PATH_INFO"], "200 OK"
    if environ["REQUEST_METHOD"] == "GET":
        if path == "/api/customers":
            document = listed(parse_qs(environ["QUERY_STRING"]))
        else:
            sql = SELECT + LIVE + " AND id = %s"
            document = {"data": customer(fetch_one(sql, [path.rpartition("/")[2]]))}
    else:
        length = int(environ["CONTENT_LENGTH"])
        body = orjson.loads(environ["wsgi.input"].read(length))
        if environ["REQUEST_METHOD"] == "POST":
            document, status = created(body), "201 Created"
        else:
            document = updated(path.rpartition("/")[2], body)
    answer = orjson.dumps(document)
    start_response(status, [*JSON_API, ("Content-Length", str(len(answer)))])
    return [answer]
