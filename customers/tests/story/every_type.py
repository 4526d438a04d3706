"""What is asked of every type, derived from the document at /api/schema."""

import re

from customers.tests.story.teller import ABSENT

STAMPED = re.compile("(?!created).*_at$")  # within a millisecond rows may come in either order
RANDOM = {("order_subscriptions", "number"), ("returns", "number")}
VALUES = {  # kind of attribute: what it is compared with
    "moment": "2021-01-01,2031-06-01T12:00:00Z",
    "number": "1,4200",
    "boolean": "true",
    "text": "ada,wholesale",
}


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


def end(story, kind):
    """What may be deleted is; the rest says what keeps it."""
    for pk in story.rows[kind]:
        story.delete(kind, pk)
        story.get(f"/api/{kind}/{pk}", {f"fields[{kind}]": "reference"})
