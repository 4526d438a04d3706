"""The requests that are recorded, in their order; what can be derived is, from `/api/schema`."""

import json
import re
from urllib.parse import urlencode

from customers.tests.recording import JSON_API

ABSENT = "0" * 16
PASSWORD, OTHER_PASSWORD = "correct horse battery", "a wholly new sentence"
FORM = "application/x-www-form-urlencoded"
HOME = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "line_1": "12 St James's Square",
    "city": "London",
    "zip_code": "SW1Y 4JH",
    "country_code": "GB",
    "phone": "+44 20 7946 0000",
}
STAMPED = re.compile("(?!created).*_at$")  # within a millisecond rows may come in either order
RANDOM = {("order_subscriptions", "number"), ("returns", "number")}
VALUES = {  # kind of attribute: what it is compared with
    "moment": "2021-01-01,2031-06-01T12:00:00Z",
    "number": "1,4200",
    "boolean": "true",
    "text": "ada,wholesale",
}


class Story:
    """Who asks what. `recorder.keep` takes each step and gives the answer's body."""

    def __init__(self, recorder):
        self.recorder, self.tokens, self.rows, self.clients = recorder, {}, {}, {}
        self.linkage = {}  # path of a relationship: its data

    def ask(self, method, path, document=None, *, by="program", **more):
        headers = {"accept": JSON_API, **more.pop("headers", {})}
        if by:
            headers["authorization"] = f"Bearer {self.tokens[by]}"
        if document is not None:
            more["body"] = document if isinstance(document, str) else json.dumps(document)
        return self.recorder.keep(method=method, path=path, headers=headers, **more)

    def get(self, path, query=(), **more):
        return self.ask(
            "GET", f"{path}?{urlencode(query, safe='[],:@')}" if query else path, **more
        )

    def create(self, kind, attributes=(), relationships=(), **more):
        data = document_of(kind, attributes, relationships)
        query = more.pop("query", "")
        body = self.ask("POST", f"/api/{kind}{query}", data, **more)
        return body.get("data", {}).get("id") if isinstance(body, dict) else None

    def change(self, kind, pk, attributes=(), relationships=(), **more):
        data = document_of(kind, attributes, relationships)
        data["data"]["id"] = pk
        return self.ask("PATCH", f"/api/{kind}/{pk}", data, **more)

    def delete(self, kind, pk, **more):
        return self.ask("DELETE", f"/api/{kind}/{pk}", **more)

    def link(self, kind, number=0):
        return {"type": kind, "id": self.rows[kind][number]}

    def make(self, kind, attributes=(), relationships=(), **more):
        made = self.create(kind, attributes, relationships, **more)
        assert made, self.recorder.body
        self.rows.setdefault(kind, []).append(made)

    def token(self, name, **members):
        body = self.ask("POST", "/oauth/token", members, by=None, type="application/json")
        self.tokens[name] = body.get("access_token", "none")
        return body

    def run(self, *arguments):
        return self.recorder.keep(run=list(arguments))

    def work(self):
        self.run("work", "--once")

    def set(self, **settings):
        self.recorder.keep(settings=settings)


def document_of(kind, attributes, relationships):
    data = {"type": kind}
    if attributes or not relationships:
        data["attributes"] = dict(attributes)
    if relationships:
        data["relationships"] = {
            name: {"data": value} for name, value in dict(relationships).items()
        }
    return {"data": data}


def tell(recorder):
    story = Story(recorder)
    log_in(story)
    fill(story)
    schema = recorder_schema(story)
    for kind in story.rows:
        look(story, schema, kind)
    for kind in story.rows:
        search(story, schema, kind)
    for kind in story.rows:
        others(story, kind)
    for kind in story.rows:
        spoil(story, schema, kind)
    misuse(story)
    orders_and_returns(story)
    tags(story)
    repeat_and_overwrite(story)
    for kind in story.rows:
        relate(story, schema, kind)
    for kind in story.rows:
        vary(story, schema, kind)
    passwords(story)
    shop(story)
    tokens(story)
    jobs(story)
    calls(story)
    forget(story)
    for kind in story.rows:
        end(story, kind)
    limits(story)


def recorder_schema(story):
    story.get("/api/schema", by=None)
    return json.loads(story.recorder.response.getvalue())


def log_in(story):
    for name, options in {
        "program": ["Orders", "--mode", "test"],
        "live": ["Orders", "--mode", "live"],
        "reader": ["Reports", "--mode", "test", "--read-only"],
        "guest": ["Shop", "--kind", "sales_channel"],
    }.items():
        found = story.run("create_application", *options)
        keys = dict(zip(["client_id", "client_secret"], found, strict=False))
        story.clients[name] = keys
        story.token(name, grant_type="client_credentials", **keys)


def fill(story):
    """A few rows of each type, related to each other."""
    make, link = story.make, story.link
    make("customer_groups", {"name": "Wholesale", "code": "WHOLE"})
    make("customer_groups", {"name": "Retail", "reference": "r-1", "metadata": {"size": "S"}})
    make("tags", {"name": "vip"})
    make("tags", {"name": "early-bird", "reference": "tag-2"})
    make(
        "customers",
        {
            "email": "Ada@Example.com",
            "password": PASSWORD,
            "reference": "crm-1",
            "metadata": {"shoe": {"eu": 39}, "size": "M"},  # in the order that both databases keep
            "shopper_reference": "shopper-1",
        },
        {"customer_group": link("customer_groups"), "tags": [link("tags"), link("tags", 1)]},
        query="?include=customer_group,tags",
    )
    make("customers", {"email": "bob@example.com", "profile_id": "p-2"})
    make("customers", {"email": "cid@bücher.example", "metadata": {"size": "L"}})
    make("addresses", HOME, {"tags": [link("tags")]})
    company = {**HOME, "business": True, "company": "Engines Ltd", "lat": 51.5, "lng": -0.125}
    make("addresses", {**company, "email": "office@example.com", "billing_info": "VAT 1"})
    for number in (0, 1):
        owner = {"customer": link("customers"), "address": link("addresses", number)}
        make("customer_addresses", {"reference": f"book-{number}"}, owner)
    for token in ("pm_1NgABCDE", "pm_2OhBCDEF"):
        attributes = {"payment_source_token": token, "customer_token": "cus_1"}
        make("customer_payment_sources", attributes, {"customer": link("customers")})
    for reference in ("newsletter", "offers"):
        attributes = {"customer_email": "ada@example.com", "reference": reference}
        make("customer_subscriptions", attributes)
    places = {"shipping_address": link("addresses"), "billing_address": link("addresses", 1)}
    for number in range(4):
        attributes = {
            "number": f"100{number}",
            "currency_code": "EUR",
            "total_amount_cents": 4200 * number,
            "total_amount_with_taxes_cents": 5000 * number,
            "language_code": "de" if number else "en",
            "coupon_code": None if number else "SPRING",
            "skus_count": number,
        }
        make("orders", attributes, {"customer": link("customers"), **(places if number else {})})
    make("orders", {"customer_email": "new@example.com", "number": "1004", "guest": True})
    for number in (0, 1):
        attributes = {"frequency": "monthly", "options": {"a": number}}
        make(
            "order_subscriptions",
            {**attributes, "starts_at": "2031-01-01T00:00:00Z"},
            {"source_order": link("orders", number), "tags": [link("tags")]},
        )
    make("returns", {"reference": "back-1"}, {"order": link("orders", 1)})
    make("returns", {}, {"order": link("orders", 1), "tags": [link("tags", 1)]})
    make("sku_lists", {"name": "Wish list", "manual": True}, {"customer": link("customers")})
    make("sku_lists", {"name": "Shoes", "description": "All", "sku_code_regex": "^SHOE"})
    for number in (1, 2):
        attributes = {"sku_code": f"SHOE{number}", "quantity": number, "position": number}
        make("sku_list_items", attributes, {"sku_list": link("sku_lists")})
    for kind in ("customers", "customer_groups", "orders", "returns", "sku_lists"):
        attributes = {"name": f"Note on {kind}", "url": "https://example.com/note"}
        make("attachments", attributes, {"attachable": link(kind, 1)})
    make("customer_password_resets", {"customer_email": "ada@example.com"})
    make("customer_password_resets", {"customer_email": "bob@example.com"})
    address = "https://192.0.32.10/callbacks"
    make("webhooks", {"topic": "orders.place", "callback_url": address, "name": "Elsewhere"})
    make("webhooks", {"topic": "returns.request", "callback_url": address, "_disable": True})
    make("imports", {"resource_type": "tags", "inputs": [{"name": "imported"}]})
    make("exports", {"resource_type": "tags", "format": "csv"})
    story.work()
    found = story.get("/api/events", {"sort": "id", "page[size]": 25})
    story.rows["events"] = [row["id"] for row in found["data"][:2]]
    found = story.get("/api/customers/" + story.rows["customers"][0] + "/event_stores")
    story.rows["event_stores"] = [row["id"] for row in found["data"][:2]]


def names_in(pattern):
    """The names in an alternation such as ^-?(a|b)(,…)."""
    found = re.search(r"\(([a-z_|]+)\)", pattern)
    return found[1].split("|") if found else []


def query_of(schema, kind, name):
    """The pattern of the query parameter `name` of the list of `kind`, "" without one."""
    path = schema["paths"].get(f"/api/{kind}") or schema["paths"][f"/api/{kind}/{{id}}"]
    for parameter in path["get"].get("parameters", []):
        if parameter.get("name") == name:
            return parameter["schema"].get("pattern", "")
    return ""


def relations_of(schema, kind):
    prefix = f"/api/{kind}/{{id}}/relationships/"
    return [path.removeprefix(prefix) for path in schema["paths"] if path.startswith(prefix)]


def look(story, schema, kind):
    """Lists, pages, inclusions, sparse fields and related routes."""
    first, path = story.rows[kind][0], f"/api/{kind}"
    story.get(path)
    story.get(path, {"page[size]": 1, "sort": "-id"})
    story.get(path, {"page[size]": 1, "page[number]": 2})
    story.get(path, {"page[size]": 1, "page[after]": first})
    story.get(f"{path}/{first}")
    story.get(f"{path}/{first}", {f"fields[{kind}]": "reference,created_at"})
    included = names_in(query_of(schema, kind, "include"))
    for name in included:
        story.get(f"{path}/{first}", {"include": name, f"fields[{kind}]": name})
    if included:
        story.get(path, {"include": ",".join(included), "page[size]": 2})
        story.get(f"{path}/{first}", {"include": ",".join(included)})
    for name in relations_of(schema, kind):
        story.get(f"{path}/{first}/{name}")
        link = f"{path}/{first}/relationships/{name}"
        story.linkage[link] = story.get(link).get("data")
    sortable = names_in(query_of(schema, kind, "sort"))
    steady = [name for name in sortable if (kind, name) not in RANDOM and not STAMPED.match(name)]
    for name in steady:
        sort = "created_at" if name == "created_at" else f"-{name},id"
        story.get(path, {"sort": sort, f"fields[{kind}]": name})
    story.get(path, {"sort": ",".join(steady[2:4]), "page[size]": 3, f"fields[{kind}]": "id"})


def kind_of(predicates):
    if "jcont" in predicates:
        return "json"
    if "true" in predicates:
        return "boolean"
    return "text" if "cont" in predicates else "ordered"


def value_for(story, kind, name, predicate):
    """What the attribute `name` is compared with."""
    if predicate == "jcont":
        return '{"size":"M"}'
    if name in ("id",):
        value = ",".join(story.rows[kind][:2])
    elif name.endswith("_at"):
        value = VALUES["moment"]
    elif re.search("count|cents|position|quantity|lat|lng|size|occurrencies", name):
        value = VALUES["number"]
    elif predicate in ("present", "blank", "null", "not_null", "true", "false"):
        value = VALUES["boolean"]
    else:
        value = VALUES["text"]
    listed = predicate.startswith(("in", "not_in")) or predicate.endswith(("_any", "_all"))
    return value if listed else value.split(",")[0]


def search(story, schema, kind):
    """Filters: of the great types every predicate, of others some for each attribute."""
    found = schema["components"]["schemas"].get(f"{kind}.filter")
    if not found or f"/api/{kind}" not in schema["paths"]:
        return
    turn = 0
    for line in found["description"].split("\n"):
        names, _, predicates = (part.strip() for part in line.partition(":"))
        names, predicates = names.split(", "), predicates.split(", ")
        all_of_them = kind in ("customers", "addresses") or "true" in predicates
        if all_of_them:
            asked = [(names[n % len(names)], one) for n, one in enumerate(predicates)]
        else:
            asked = [
                (name, predicates[(turn + 7 * n) % len(predicates)]) for n, name in enumerate(names)
            ]
        turn += 5
        for name, predicate in asked:
            value = value_for(story, kind, name, predicate)
            query = {f"filter[q][{name}_{predicate}]": value, f"fields[{kind}]": name}
            story.get(f"/api/{kind}", query)
    for query in (
        {"filter[reference]": "crm-1"},
        {"filter[ids]": ",".join(story.rows[kind])},
        {"filter[created_at_from]": "2021-01-01", "filter[created_at_to]": "2099-01-01"},
        {"filter[q][shoe_size_eq]": "1"},
        {"filter[q][id_resembles]": "1"},
        {"filter[q][created_at_gt]": "yesterday"},
    ):
        story.get(f"/api/{kind}", {**query, f"fields[{kind}]": "reference"})


def others(story, kind):
    """What others than a program of this mode that may write are answered."""
    first, path = story.rows[kind][0], f"/api/{kind}"
    for by in ("guest", "live", "reader"):
        story.get(path, {"page[size]": 1}, by=by)
        story.get(f"{path}/{first}", by=by)
        story.create(kind, {"metadata": {}}, by=by)
        story.change(kind, first, {"metadata": {}}, by=by)
        story.delete(kind, first, by=by)
    story.get(path, by=None)
    story.get(f"{path}/{ABSENT}")
    story.get(f"{path}/{first}/unknown")
    story.get(f"{path}/{first}/relationships/unknown")
    story.ask("PUT", f"{path}/{first}", {"data": {"type": kind, "id": first}})
    story.ask("DELETE", path)
    story.ask("OPTIONS", path)


def spoil(story, schema, kind):
    """Documents whose members are unknown, missing, or of the wrong kind."""
    found = schema["components"]["schemas"].get(f"{kind}.create")
    if not found:
        return
    attributes = found["properties"]["data"]["properties"]["attributes"].get("properties", {})
    for value in ([1], None, "", 5, True, {"a": "b"}, "x" * 70_000, "2021-01-01T00:00:00Z"):
        story.create(kind, dict.fromkeys(attributes, value))
    story.create(kind, {})
    story.create(kind, {"mode": "live", "shoe_size": 1, "created_at": "2021-01-01T00:00:00Z"})
    story.create(kind, {}, {"unknown": None})
    story.ask("POST", f"/api/{kind}", {"data": {"type": kind, "id": "mine", "attributes": {}}})
    story.ask("POST", f"/api/{kind}", {"data": {"type": "cats", "attributes": {}}})
    for name in relations_of(schema, kind):
        story.create(kind, {}, {name: {"type": "cats", "id": ABSENT}})


def misuse(story):
    """Requests that are not understood, by parameter, header, body and route."""
    first = story.rows["customers"][0]
    for query in (
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
    ):
        story.get(f"/api/customers?{query}")
    for path in (
        "/api",
        "/api/",
        "/api/cats",
        "/api/customers/",
        f"/api/customers/{first}/",
        "/api/docs",
        "/oauth/unknown",
        "/.well-known/unknown",
        "/.well-known/jwks.json",
        "/api/organization",
        "/api/application",
        "/api/exports/files/x",
        f"/api/customers/{first}/personal_data",
        "/api/customers/%00",
        "/api/customers/é",
        f"/api/customers/{first}/orders?include=customer",
        f"/api/customers/{first}/orders?filter[q][number_eq]=1001&sort=-number&page[size]=1",
        f"/api/customers/{first}/relationships/orders?page[size]=1",
        f"/api/customers/{first}/relationships/orders?include=customer",
        "/api/organization?x=1",
    ):
        for by in ("program", "guest", None):
            story.get(path, by=by)
    for path in ("/api/organization", "/api/application", "/.well-known/jwks.json", "/api/schema"):
        story.ask("POST", path, {"data": {}})
        story.ask("HEAD", path)
    for headers in (
        {"accept": "text/html"},
        {"accept": "*/*"},
        {"accept": f"{JSON_API}; ext=bulk"},
        {"accept": f"{JSON_API}; q=0"},
        {"accept": "application/json"},
        {"authorization": "Bearer x"},
        {"authorization": "Basic eDp5"},
        {"authorization": "Bearer eyJh.eyJh.x"},
        {"authorization": ""},
    ):
        by = None if "authorization" in headers else "program"
        story.get("/api/tags", headers=headers, by=by)
    bodies = [
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
        "[" * 1000,
        '{"data": "a\\u0000b"}',
        '{"data": {"type": "tags", "relationships": [1]}}',
        '{"data": "\\ud800"}',
        '{"data": {"type": "tags", "attributes": {"metadata": {"a": 1e999}}}}',
    ]
    for body in bodies:
        story.ask("POST", "/api/tags", body)
        story.ask("PATCH", f"/api/customers/{first}", body.replace("tags", "customers"))
    tag = document_of("tags", {"name": "typed"}, {})
    for kind in (
        "application/json",
        "text/plain",
        "",
        f"{JSON_API}; charset=utf-8",
        FORM,
        f"{JSON_API}; ext=bulk",
        f"{JSON_API}; version=1",
    ):
        story.ask("POST", "/api/tags", tag, type=kind)
    story.ask("POST", "/api/tags", tag, headers={"transfer-encoding": "chunked"})
    story.ask("POST", "/api/tags", " " * (2**20 + 1))
    for value in (None, 5, [], {}, {"links": {}}, {"data": None}, {"data": {}}, {"data": [1]}):
        data = {"type": "customers", "id": first, "relationships": {"tags": value}}
        story.ask("PATCH", f"/api/customers/{first}", {"data": data})
        data["relationships"] = {"customer_group": value}
        story.ask("PATCH", f"/api/customers/{first}", {"data": data})


def orders_and_returns(story):
    """Every trigger, in and out of its order, and what a customer becomes by them."""
    orders, returns = story.rows["orders"], story.rows["returns"]
    customer = f"/api/customers/{story.rows['customers'][0]}"
    for pk, trigger in (
        (orders[1], "_approve"),
        (orders[1], "_pending"),
        (orders[1], "_place"),
        (orders[1], "_place"),
        (orders[1], "_approve"),
        (orders[1], "_archive"),
        (orders[1], "_unarchive"),
        (orders[2], "_place"),
        (orders[2], "_cancel"),
        (orders[3], "_cancel"),
        (orders[3], "_place"),
        (orders[1], "_pending"),
    ):
        story.change("orders", pk, {trigger: True})
        if trigger == "_place":
            story.get(customer)
    story.change("orders", orders[4], {"_place": True, "placed_at": "2021-03-04T05:06:07Z"})
    story.change("orders", orders[0], {"placed_at": "2021-03-04T05:06:07Z"})
    story.change("orders", orders[0], {"_place": False})
    story.change("orders", orders[0], {"_place": "yes", "_cancel": None})
    story.change("orders", orders[0], {"status": "placed"})
    story.get("/api/orders", {"filter[q][placed_at_lt]": "2022-01-01", "include": "customer"})
    for trigger in (
        "_approve",
        "_request",
        "_approve",
        "_ship",
        "_receive",
        "_restock",
        "_reject",
        "_cancel",
        "_archive",
        "_unarchive",
    ):
        story.change("returns", returns[0], {trigger: True})
    for trigger in ("_request", "_reject", "_cancel"):
        story.change("returns", returns[1], {trigger: True})
    for trigger in ("_deactivate", "_activate", "_activate", "_deactivate", "_cancel", "_activate"):
        story.change("order_subscriptions", story.rows["order_subscriptions"][1], {trigger: True})
    source = {"customer_payment_source": story.link("customer_payment_sources")}
    story.change("order_subscriptions", story.rows["order_subscriptions"][0], {}, source)
    for trigger in (
        "_disable",
        "_disable",
        "_enable",
        "_reset_circuit",
        "_regenerate_shared_secret",
    ):
        story.change("webhooks", story.rows["webhooks"][1], {trigger: True})
    story.change("webhooks", story.rows["webhooks"][1], {"_disable": True})
    for kind in ("imports", "exports"):
        for trigger in ("_interrupt", "_start"):
            story.change(kind, story.rows[kind][0], {trigger: True})


def tags(story):
    for kind in ("customers", "orders", "addresses", "returns", "order_subscriptions"):
        pk = story.rows[kind][0]
        for attributes in (
            {"_add_tags": "vip,unknown"},
            {"_remove_tags": "vip"},
            {"_add_tags": "vip,early-bird", "_remove_tags": "imported"},
            {"_add_tags": ["vip"]},
            {"_add_tags": None},
        ):
            story.change(kind, pk, attributes)
            story.get(f"/api/{kind}/{pk}/relationships/tags")
    for number in range(11):
        story.create("tags", {"name": f"label{number}"})
    names = ",".join(f"label{number}" for number in range(11))
    story.change("customers", story.rows["customers"][1], {"_add_tags": names})
    for attributes in ({"name": "VIP"}, {"name": "a,b"}, {"name": "x" * 30}, {"name": " "}):
        story.create("tags", attributes)


def repeat_and_overwrite(story):
    """Idempotency-Key and If-Match."""
    key = {"idempotency-key": "5f0c"}
    once = story.create("tags", {"name": "once"}, headers=key)
    story.create("tags", {"name": "once"}, headers=key)
    story.create("tags", {"name": "twice"}, headers=key)
    story.create("tags", {"name": "once"}, headers={"idempotency-key": ""})
    story.create("tags", {"name": "once"}, headers={"idempotency-key": "é"})
    story.create("tags", {"name": "once"}, headers={"idempotency-key": "k" * 256})
    story.create("tags", {"name": "?"}, headers={"idempotency-key": "bad"})
    story.create("tags", {"name": "?"}, headers={"idempotency-key": "bad"})
    path = f"/api/tags/{once}"
    story.get(path)
    seen = story.recorder.response["ETag"]
    for match in ('"another"', "*", seen, seen, f'"x", {seen}', "unquoted"):
        story.change("tags", once, {"reference": f"for {match[:3]}"}, headers={"if-match": match})
        story.change("tags", ABSENT, {"reference": "r"}, headers={"if-match": match})
    story.ask("DELETE", path, headers={"if-match": seen})
    story.ask("GET", path, headers={"if-none-match": seen})
    story.ask("HEAD", path)
    story.ask("DELETE", path, headers={"idempotency-key": "gone"})
    story.ask("DELETE", path, headers={"idempotency-key": "gone"})


def relate(story, schema, kind):
    """Each relationship is written by its own route."""
    first = story.rows[kind][0]
    for name in relations_of(schema, kind):
        path = f"/api/{kind}/{first}/relationships/{name}"
        found = story.linkage[path]
        story.ask("PATCH", path, {"data": found})
        story.ask("DELETE", path, {"data": []})
        if name in ("tags", "customer_group"):
            others = [story.link("tags", 1)] if name == "tags" else story.link("customer_groups", 1)
            story.ask("PATCH", path, {"data": {"type": "cats", "id": ABSENT}})
            story.ask("PATCH", path, {"data": others})
            story.ask("PATCH", path, {"data": [] if name == "tags" else None})
            story.ask("POST", path, {"data": others})
            story.ask("DELETE", path, {"data": others})
            story.ask("PATCH", path, {"data": found})
            story.ask("PATCH", path, {"data": found}, by="reader")
            story.ask("PATCH", path, {"data": found}, by="guest")


def vary(story, schema, kind):
    """Each attribute is changed for itself, to a value of its own kind."""
    found = schema["components"]["schemas"].get(f"{kind}.partial_update")
    if not found:
        return
    pk = story.rows[kind][-1]
    attributes = found["properties"]["data"]["properties"]["attributes"]["properties"]
    for name, about in attributes.items():
        if name.startswith("_"):
            continue
        kinds = about.get("type", "string")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        values = {
            "integer": 7,
            "number": 7.5,
            "boolean": True,
            "array": ["tags"],
            "object": {"a": {"b": [1, "é"]}},
            "string": about.get("enum", ["a new value"])[0],
        }
        story.change(kind, pk, {name: values[kinds[0]]})
        if "null" in kinds:
            story.change(kind, pk, {name: None})
    story.get(f"/api/{kind}/{pk}")
    story.get(f"/api/{kind}/{pk}/event_stores", {"page[size]": 25})
    story.get(f"/api/{kind}/{pk}/event_stores", {"page[size]": 2})
    story.change(kind, pk, {"metadata": {str(n): n for n in range(501)}})
    story.change(kind, ABSENT, {"reference": "r"})
    story.change(kind, "another", {"reference": "r"}, headers={"if-match": "*"})


def passwords(story):
    """A reset from its token to the new password."""
    made = story.ask(
        "POST",
        "/api/customer_password_resets",
        document_of("customer_password_resets", {"customer_email": "ADA@example.com"}, {}),
    )["data"]
    pk, token = made["id"], made["attributes"]["reset_password_token"]
    for email in ("nobody@example.com", "no address", ""):
        story.create("customer_password_resets", {"customer_email": email})
    for by in ("guest", "program"):
        for attributes in (
            {"customer_password": OTHER_PASSWORD},
            {"_reset_password_token": token},
            {"_reset_password_token": "wrong", "customer_password": OTHER_PASSWORD},
            {"_reset_password_token": token, "customer_password": "short"},
            {"_reset_password_token": token, "customer_password": "password123"},
        ):
            story.change("customer_password_resets", pk, attributes, by=by)
    good = {"_reset_password_token": token, "customer_password": OTHER_PASSWORD}
    story.change("customer_password_resets", pk, good, by="guest")
    story.change("customer_password_resets", pk, good, by="guest")
    story.get(f"/api/customer_password_resets/{pk}", {"include": "customer"})
    for password in (PASSWORD, OTHER_PASSWORD):
        members = {"username": "ada@example.com", "password": password}
        story.token("ada", grant_type="password", **story.clients["guest"], **members)
    story.change("customers", story.rows["customers"][0], {"password": "yet another one"})
    for password in ("", "1234567", "password", "ada@example.com", None, 5, "x" * 513):
        story.create("customers", {"email": "dora@example.com", "password": password})


def shop(story):
    """What a guest and a customer who is logged in may do through a sales channel."""
    ada = story.rows["customers"][0]
    story.create("customers", {"email": "eve@example.com", "password": PASSWORD}, by="guest")
    story.create("customers", {"email": "ada@example.com", "password": PASSWORD}, by="guest")
    story.create("customers", {"email": "fay@example.com", "profile_id": "x"}, by="guest")
    given = {"customer_email": "guest@example.com", "reference": "newsletter"}
    for by in ("guest", "ada"):
        subscription = story.create("customer_subscriptions", given, by=by)
        story.create("customer_subscriptions", given, by=by)
        wishes = story.create("sku_lists", {"name": "Mine"}, by=by)
        owner = {"sku_list": {"type": "sku_lists", "id": wishes}}
        item = story.create("sku_list_items", {"sku_code": "HAT"}, owner, by=by)
        address = story.create("addresses", HOME, by=by)
        order = story.create("orders", {"customer_email": "ada@example.com"}, by=by)
        back = story.create("returns", {}, {"order": {"type": "orders", "id": order}}, by=by)
        links = {"customer": story.link("customers"), "address": story.link("addresses")}
        entry = story.create("customer_addresses", {}, links, by=by)
        made = {
            "customer_subscriptions": subscription,
            "sku_lists": wishes,
            "sku_list_items": item,
            "addresses": address,
            "orders": order,
            "returns": back,
            "customer_addresses": entry,
            "customers": ada,
            "customer_payment_sources": story.rows["customer_payment_sources"][0],
            "order_subscriptions": story.rows["order_subscriptions"][0],
            "tags": story.rows["tags"][0],
            "attachments": story.rows["attachments"][0],
            "events": story.rows["events"][0],
            "imports": story.rows["imports"][0],
        }
        for kind, pk in made.items():
            pk = pk or ABSENT
            story.get(f"/api/{kind}", {"page[size]": 2}, by=by)
            story.get(f"/api/{kind}/{pk}", by=by)
            story.change(kind, pk, {"metadata": {"by": by}}, by=by)
            story.change(kind, pk, {"reference": by}, by=by)
        story.change("orders", order or ABSENT, {"_place": True}, by=by)
        story.change("returns", back or ABSENT, {"_request": True}, by=by)
        for path in (
            "organization",
            "application",
            f"customers/{ada}/orders?include=customer",
            f"customers/{ada}?include=customer_addresses.address,jwt_customer",
            "orders?include=customer,shipping_address",
            "customers?filter[q][email_cont]=example",
            f"customers/{ada}/event_stores",
            "webhooks",
            "exports",
        ):
            story.get(f"/api/{path}", by=by)
        for kind in (
            "sku_list_items",
            "sku_lists",
            "addresses",
            "orders",
            "customer_subscriptions",
        ):
            story.delete(kind, made[kind] or ABSENT, by=by)
    story.change("customers", story.rows["customers"][1], {"metadata": {}}, by="ada")
    story.change("customers", ada, {"profile_id": "x"}, by="ada")


def tokens(story):
    """The token endpoint, in its own shapes."""
    program, guest = story.clients["program"], story.clients["guest"]
    ask = {"grant_type": "client_credentials"}
    for members in (
        {},
        ask,
        {**ask, "client_id": "unknown"},
        {**ask, **program, "client_secret": "wrong"},
        {**ask, **program, "scope": "market:all"},
        {**ask, **program, "scope": "market:1"},
        {**ask, **program, "grant_type": "authorization_code"},
        {**program, "grant_type": "x"},
        {**program, "grant_type": "password", "username": "ada@example.com", "password": "x"},
        {**guest, "grant_type": "password", "username": "ada@example.com", "password": "x"},
        {**guest, "grant_type": "password", "username": "bob@example.com", "password": "x"},
        {**guest, "grant_type": "password", "username": "nobody@example.com", "password": "x"},
        {**guest, "grant_type": "password", "username": "ada@example.com"},
        {**guest, "grant_type": "refresh_token", "refresh_token": "wrong"},
        {**guest, "grant_type": "refresh_token"},
        {**ask, "client_id": 5},
    ):
        for kind in ("application/json", FORM):
            body = json.dumps(members) if kind != FORM else urlencode(members)
            story.ask("POST", "/oauth/token", body, by=None, type=kind)
    login = {"grant_type": "password", "username": "ada@example.com", "password": OTHER_PASSWORD}
    first = story.token("ada", **guest, **login)
    again = {"grant_type": "refresh_token", **guest, "refresh_token": first["refresh_token"]}
    story.token("refreshed", **again)
    story.get("/api/customers", {"fields[customers]": "email"}, by="refreshed")
    story.token("replayed", **again)
    story.get("/api/customers", {"fields[customers]": "email"}, by="refreshed")
    for method, path, body in (
        ("GET", "/oauth/token", None),
        ("PUT", "/oauth/revoke", "{}"),
        ("POST", "/oauth/token", "{"),
        ("POST", "/oauth/token", "[]"),
        ("POST", "/oauth/revoke", "{}"),
        ("POST", "/oauth/other", "{}"),
    ):
        story.ask(method, path, body, by=None, type="application/json")
    story.ask("POST", "/oauth/token", "grant_type=%00", by=None, type=FORM)
    story.ask("POST", "/oauth/token", "x", by=None, type="text/plain")
    story.token("ended", **ask, **program)
    story.get("/api/tags", {"page[size]": 1}, by="ended")
    for keys in (guest, {**program, "client_secret": "wrong"}, program, program):
        members = {**keys, "token": story.tokens["ended"]}
        story.ask("POST", "/oauth/revoke", members, by=None, type="application/json")
    story.get("/api/tags", {"page[size]": 1}, by="ended")
    story.token("ada", **guest, **login)


def download(story, kind, pk):
    found = story.get(f"/api/{kind}/{pk}")["data"]["attributes"]["attachment_url"]
    if found:
        story.get(re.sub("^https?://[^/]+", "", found), by=None)


def jobs(story):
    """Imports and exports, before and after the worker."""
    rows = [
        {"email": "gus@example.com", "reference": "i-1", "tags.name": "vip"},
        {"email": "bob@example.com", "metadata": {"a": 1}},
        {"email": "no address"},
        {"reference": "nothing"},
    ]
    table = "email,_add_tags,reference\nhal@example.com,vip,i-2\nida@example.com,,i-3\n"
    for attributes in (
        {"resource_type": "customers", "inputs": rows, "skip_errors": True},
        {"resource_type": "customers", "inputs": rows},
        {"resource_type": "customers", "format": "csv", "inputs": table},
        {
            "resource_type": "orders",
            "inputs": [{"number": "2001", "customer.email": "gus@example.com"}],
        },
        {"resource_type": "addresses", "inputs": [HOME]},
        {
            "resource_type": "customer_addresses",
            "inputs": [
                {
                    "customer.email": "bob@example.com",
                    **{f"address.{k}": v for k, v in HOME.items()},
                }
            ],
        },
        {
            "resource_type": "sku_list_items",
            "parent_resource_id": story.rows["sku_lists"][1],
            "inputs": [{"sku_code": "SHOE9", "quantity": 2}],
        },
        {"resource_type": "cats", "inputs": []},
        {"resource_type": "tags", "inputs": []},
        {"resource_type": "tags", "inputs": "x", "format": "csv"},
        {"resource_type": "tags", "inputs": [5]},
    ):
        pk = story.create("imports", attributes)
        if pk:
            download(story, "imports", pk)
            story.work()
            download(story, "imports", pk)
            story.get(f"/api/imports/{pk}/events")
    for attributes in (
        {
            "resource_type": "customers",
            "includes": ["customer_group", "tags"],
            "dry_data": True,
            "filters": {"email_end": "example.com"},
        },
        {
            "resource_type": "customers",
            "format": "csv",
            "dry_data": True,
            "fields": ["customers.email", "customer_group.name", "tags.*"],
        },
        {
            "resource_type": "orders",
            "format": "csv",
            "filters": {"number_in": "1000,1001"},
            "fields": ["orders.number", "customer.email"],
        },
        {"resource_type": "orders", "filters": {"number_in": "1001,1002"}},
        {"resource_type": "addresses", "dry_data": True},
        {"resource_type": "sku_list_items"},
        {"resource_type": "cats"},
        {"resource_type": "tags", "filters": {"x_eq": 1}},
        {"resource_type": "tags", "includes": ["x"]},
        {"resource_type": "tags", "fields": ["x"]},
        {"resource_type": "tags", "format": "pdf"},
    ):
        pk = story.create("exports", attributes)
        if pk:
            story.work()
            download(story, "exports", pk)
            story.get(f"/api/exports/{pk}/events")
            story.change("exports", pk, {"_interrupt": True})


def calls(story):
    """Webhooks, and what their receiver is sent."""
    place = story.recorder.receiver.url
    hooks = []
    for topic, more in (
        ("customers.create", {"include_resources": ["customer_group", "tags"]}),
        ("customers.metadata_update", {}),
        ("orders.place", {"include_resources": ["customer"]}),
        ("customers.destroy", {}),
        ("customer_subscriptions.create", {"name": "Subscribed"}),
    ):
        hooks.append(story.create("webhooks", {"topic": topic, "callback_url": place, **more}))
    for attributes in (
        {"topic": "cats.create", "callback_url": place},
        {"topic": "orders.create"},
        {"topic": "orders.create", "callback_url": "ftp://example.com"},
        {"topic": "orders.create", "callback_url": "http://10.0.0.1/x"},
        {"topic": "orders.create", "callback_url": "https://127.1/x"},
        {"topic": "orders.create", "callback_url": place, "include_resources": ["x"]},
    ):
        story.create("webhooks", attributes)
    story.get(f"/api/webhooks/{hooks[0]}", by="reader")
    group, tag = story.link("customer_groups"), story.link("tags")
    attributes = {"email": "jo@example.com", "reference": "called"}
    jo = story.create("customers", attributes, {"customer_group": group, "tags": [tag]})
    story.work()
    story.change("customers", jo, {"metadata": {"size": "XL"}})
    story.work()
    order = story.create("orders", {"customer_email": "jo@example.com", "number": "3001"})
    story.change("orders", order, {"_place": True})
    story.change("webhooks", story.rows["webhooks"][0], {"_disable": True})
    story.work()
    story.create(
        "customer_subscriptions", {"customer_email": "jo@example.com", "reference": "called"}
    )
    story.work()
    kim = story.create("customers", {"email": "kim@example.com"})
    story.work()
    story.delete("customers", kim)
    story.work()
    for hook in hooks:
        story.get(f"/api/webhooks/{hook}/last_event_callbacks")
        story.get(f"/api/webhooks/{hook}", {"include": "last_event_callbacks"})
    found = story.get(f"/api/customers/{jo}/events")["data"]
    for event in found:
        story.get(f"/api/events/{event['id']}/webhooks")
        story.get(f"/api/events/{event['id']}", {"include": "last_event_callbacks,webhooks"})
    story.change("events", found[0]["id"], {"_trigger": True})
    story.work()
    callbacks = story.get("/api/event_callbacks", {"sort": "id"})["data"]
    story.get(f"/api/event_callbacks/{callbacks[0]['id']}", {"include": "webhook"})
    story.delete("event_callbacks", callbacks[0]["id"])
    story.recorder.keep(receiver=500)
    story.create("customers", {"email": "lee@example.com"})
    story.work()
    story.recorder.keep(receiver=200)
    story.get(f"/api/webhooks/{hooks[0]}", {"include": "last_event_callbacks"})
    for hook in hooks:
        story.delete("webhooks", hook)


def forget(story):
    """Anonymization, and that the customer is closed from then on."""
    bob = story.rows["customers"][1]
    story.get(f"/api/customers/{bob}/personal_data")
    for trigger in ("_cancel_anonymization", "_request_anonymization", "_cancel_anonymization"):
        story.change("customers", bob, {trigger: True})
    story.change("customers", bob, {"_request_anonymization": True}, by="ada")
    story.change("customers", bob, {"_request_anonymization": True})
    story.work()
    story.get(f"/api/customers/{bob}", {"include": "orders,tags,attachments"})
    story.get(f"/api/customers/{bob}/event_stores")
    story.change("customers", bob, {"reference": "again"})
    story.create("sku_lists", {"name": "For nobody"}, {"customer": story.link("customers", 1)})
    story.create("customer_password_resets", {"customer_email": "bob@example.com"})
    story.create("customers", {"email": "bob@example.com"})


def end(story, kind):
    """What may be deleted is; the rest says what keeps it."""
    for pk in story.rows[kind]:
        story.delete(kind, pk)
        story.get(f"/api/{kind}/{pk}", {f"fields[{kind}]": "reference"})


def limits(story):
    """The last steps, since they leave counts behind."""
    story.set(TOKEN_REQUESTS_PER_MINUTE=1)
    ask = {"grant_type": "client_credentials", **story.clients["program"]}
    for _ in range(2):
        story.ask("POST", "/oauth/token", ask, by=None, type="application/json")
    story.set(CHANNEL_BURST_TEST=1)
    for _ in range(3):
        story.get("/api/organization", by="guest")
    story.set(CHANNEL_BURST_TEST=0, API_REQUESTS_PER_MINUTE=1)
    for _ in range(2):
        story.get("/api/organization")
