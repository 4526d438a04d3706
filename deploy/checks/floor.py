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
from customers.db.fields import instant, new_id  # noqa: E402
from customers.models import email_key  # noqa: E402 needs the settings
from customers.models.money import formatted  # noqa: E402

set_json_loads(orjson.loads)
URL = os.environ["PUBLIC_URL"] + "/api"
META = {"mode": "live", "organization_id": "clientele"}
JSON_API = [("Content-Type", "application/vnd.api+json")]
COMMON = ["created_at", "updated_at", "reference", "reference_origin", "metadata"]
CUSTOMER = [
    "email",
    "status",
    "total_orders_count",
    "shopper_reference",
    "profile_id",
    "tax_exemption_code",
    "anonymization_info",
    "anonymization_status",
    *COMMON,
]
DATED = ["placed_at", "approved_at", "cancelled_at", "archived_at"]
ORDER = [
    "number",
    "payment_status",
    "fulfillment_status",
    "guest",
    "language_code",
    "currency_code",
    "coupon_code",
    "subtotal_amount_cents",
    "shipping_amount_cents",
    "discount_amount_cents",
    "total_tax_amount_cents",
    "total_amount_cents",
    "status",
    "total_amount_with_taxes_cents",
    "skus_count",
    *DATED,
    *COMMON,
]
COLUMNS = {
    "customers": CUSTOMER,
    "customer_groups": ["name", "code", *COMMON],
    "tags": ["name", *COMMON],
    "orders": ORDER,
}
RELATIONSHIPS = {
    "customers": [
        "customer_group",
        "customer_addresses",
        "customer_payment_sources",
        "customer_subscriptions",
        "orders",
        "order_subscriptions",
        "returns",
        "sku_lists",
        "attachments",
        "events",
        "tags",
        "jwt_customer",
        "event_stores",
    ],
    "customer_groups": ["customers", "attachments", "event_stores"],
    "tags": ["event_stores"],
    "orders": [
        "customer",
        "shipping_address",
        "billing_address",
        "returns",
        "order_subscription",
        "order_subscriptions",
        "attachments",
        "events",
        "tags",
        "event_stores",
    ],
}
SELECT = "SELECT id, customer_group_id, password IS NOT NULL, " + ", ".join(CUSTOMER)
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
    kind: str, pk: str, attributes: dict[str, Any], linkages: dict[str, Any]
) -> dict[str, Any]:
    """The resource object of a row."""
    link = f"{URL}/{kind}/{pk}"
    for name in ("created_at", "updated_at", *DATED):
        if attributes.get(name):
            attributes[name] = instant(attributes[name])
    relationships: dict[str, dict[str, Any]] = {}
    for name in RELATIONSHIPS[kind]:
        links = {"self": f"{link}/relationships/{name}", "related": f"{link}/{name}"}
        relationships[name] = {"links": links}
        if name in linkages:
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
    pk, _, password, *values = row
    attributes = dict(zip(CUSTOMER, values, strict=True))
    attributes |= {"has_password": password, "jwt_custom_claim": None}
    return resource("customers", pk, attributes, linkages or {})


def included(kind: str, sql: str, ids: list[str]) -> dict[str, dict[str, Any]]:
    """The resources of a type by id."""
    columns = ", ".join(f"t.{name}" for name in COLUMNS[kind])
    rows = database().execute(f"SELECT t.id, {columns} {sql}", [ids]).fetchall()
    found: dict[str, dict[str, Any]] = {}
    for pk, *values in rows:
        if pk not in found:
            attributes = dict(zip(COLUMNS[kind], values, strict=True))
            found[pk] = resource(kind, pk, attributes, {})
    return found


def with_included(
    rows: list[tuple[Any, ...]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The resource objects of the rows, and those that they include."""
    ids = [row[0] for row in rows]
    groups = included(
        "customer_groups", "FROM customer_groups t WHERE id = ANY(%s)", [row[1] for row in rows]
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
    tags = included("tags", "FROM tags t WHERE id = ANY(%s)", wanted)
    owners: dict[str, list[dict[str, str]]] = {}
    orders = {}
    columns = ", ".join(ORDER)
    rows_of_orders = database().execute(
        f"SELECT id, customer_id, {columns} FROM orders WHERE customer_id = ANY(%s) ORDER BY id",
        [ids],
    )
    emails = {row[0]: row[3] for row in rows}
    for pk, owner, *values in rows_of_orders.fetchall():
        owners.setdefault(owner, []).append({"type": "orders", "id": pk})
        attributes = dict(zip(ORDER, values, strict=True))
        attributes["customer_email"] = emails[owner]
        for name in ("total_amount", "total_amount_with_taxes"):
            cents, code = attributes[f"{name}_cents"], attributes["currency_code"]
            attributes[f"formatted_{name}"] = formatted(cents, code, attributes["language_code"])
        orders[pk] = resource("orders", pk, attributes, {})
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
            " RETURNING id, customer_group_id, false, " + ", ".join(CUSTOMER),
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
            " RETURNING id, customer_group_id, password IS NOT NULL, " + ", ".join(CUSTOMER),
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
