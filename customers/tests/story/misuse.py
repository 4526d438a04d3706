"""Requests that are not understood, by parameter, header, body and route."""

from customers.tests.recording import JSON_API
from customers.tests.story.teller import FORM, document_of

QUERIES = [
    "include=unknown",
    "include=orders.customer.orders.customer.orders",
    "include=",
    "include=customer_group.customers.tags",
    "include=event_stores",
    "fields[cats]=name",
    "fields[customers]=unknown",
    "fields=email",
    "sort=unknown",
    "sort=password",
    "sort=",
    "page[size]=0",
    "page[size]=26",
    "page[size]=x",
    "page[number]=0",
    "page[number]=9999",
    "page[offset]=1",
    "page=1",
    "page[after]=%00",
    "filter=1",
    "filter[q]=1",
    "filter[q][password_eq]=x",
    "filter[password]=x",
    "filter[q][password_present]=true",
    "filter[q][email_cont]=ab",
    "filter[q][metadata_jcont]=x",
    "filter[q][email_true]=1",
    "filter[q][total_orders_count_gt]=x",
    "filter[q][tags_name_in]=vip,other",
    "filter[q][customer_group_code_not_eq_or_null]=staff",
    "filter[customer_group_id]=x",
    "filter[q][reference_or_email_start]=ada",
    "filter[q][orders_number_eq]=1001",
    "filter[email]=ADA@example.com",
    "filter[q][email_end]=@example.com",
    "filter[q][email_eq]=cid@xn--bcher-kva.example",
    "filter[q][email_matches]=%25a%25",
    "unknown=1",
    "include=tags&include=tags",
    "filter[q][email_eq]=a&filter[q][email_eq]=b",
    "filter[q][customer_addresses_address_city_eq]=London",
    "%FF=1",
    "filter[q][email_eq]=%00",
]
PATHS = [  # FIRST stands for the id of the first customer
    "/api",
    "/api/",
    "/api/cats",
    "/api/customers/",
    "/api/customers/FIRST/",
    "/api/docs",
    "/oauth/unknown",
    "/.well-known/unknown",
    "/.well-known/jwks.json",
    "/api/organization",
    "/api/application",
    "/api/exports/files/x",
    "/api/customers/FIRST/personal_data",
    "/api/customers/%00",
    "/api/customers/é",
    "/api/customers/FIRST/orders?include=customer",
    "/api/customers/FIRST/orders?filter[q][number_eq]=1001&sort=-number&page[size]=1",
    "/api/customers/FIRST/relationships/orders?page[size]=1",
    "/api/customers/FIRST/relationships/orders?include=customer",
    "/api/organization?x=1",
]
HEADERS = [
    {"accept": "text/html"},
    {"accept": "*/*"},
    {"accept": f"{JSON_API}; ext=bulk"},
    {"accept": f"{JSON_API}; q=0"},
    {"accept": "application/json"},
    {"authorization": "Bearer x"},
    {"authorization": "Basic eDp5"},
    {"authorization": "Bearer eyJh.eyJh.x"},
    {"authorization": ""},
]
BODIES = [
    "",
    "{",
    "not json",
    "[]",
    "5",
    "{}",
    '{"data": NaN}',
    '{"data": null}',
    '{"data": []}',
    '{"data": {}}',
    '{"data": {"type": null}}',
    '{"data": {"type": "tags", "type": "tags"}}',
    '{"data": {"type": "tags", "extra": 1}}',
    '{"data": {"type": "tags", "attributes": null}}',
    '{"data": {"type": "tags", "attributes": [1]}}',
    "[" * 1000 + "]" * 1000,
    '{"data": "a\\u0000b"}',
    '{"data": {"type": "tags", "relationships": [1]}}',
    '{"data": "\\ud800"}',
    '{"data": {"type": "tags", "attributes": {"metadata": {"a": 1e999}}}}',
]
TYPES = [
    "application/json",
    "text/plain",
    "",
    f"{JSON_API}; charset=utf-8",
    FORM,
    f"{JSON_API}; ext=bulk",
    f"{JSON_API}; version=1",
]
LINKAGES = [None, 5, [], {}, {"links": {}}, {"data": None}, {"data": {}}, {"data": [1]}]


def misuse(story):
    first = story.rows["customers"][0]
    for query in QUERIES:
        story.get(f"/api/customers?{query}")
    for path in PATHS:
        for by in ("program", "guest", None):
            story.get(path.replace("FIRST", first), by=by)
    for path in ("/api/organization", "/api/application", "/.well-known/jwks.json", "/api/schema"):
        story.ask("POST", path, {"data": {}})
        story.ask("HEAD", path)
    for headers in HEADERS:
        by = None if "authorization" in headers else "program"
        story.get("/api/tags", headers=headers, by=by)
    spoil_bodies(story, first)


def spoil_bodies(story, first):
    for body in BODIES:
        story.ask("POST", "/api/tags", body)
        story.ask("PATCH", f"/api/customers/{first}", body.replace("tags", "customers"))
    tag = document_of("tags", {"name": "typed"}, {})
    for kind in TYPES:
        story.ask("POST", "/api/tags", tag, type=kind)
    story.ask("POST", "/api/tags", tag, headers={"transfer-encoding": "chunked"})
    story.ask("POST", "/api/tags", " " * (2**20 + 1))
    for value in LINKAGES:
        for name in ("tags", "customer_group"):
            data = {"type": "customers", "id": first, "relationships": {name: value}}
            story.ask("PATCH", f"/api/customers/{first}", {"data": data})
