"""The servers that the benchmark sets beside ours show all that ours shows, and are compared."""

import copy
import json
import os
import subprocess
import sys
from functools import cache

import pytest
from django.conf import settings

from customers.resources.registry import registry
from deploy.checks import workloads
from deploy.checks.twins import members

STOCK = """
from deploy.checks import stock, stock_urls
serializers = {"customers": stock_urls.CustomerSerializer}
for name, kind in stock_urls.INCLUDED.items():
    serializers[kind] = stock_urls.SERIALIZERS[name]
print(json.dumps({kind: list(one().fields) for kind, one in serializers.items()}))
"""
FLOOR = """
from deploy.checks import floor
print(json.dumps({
    kind: [*floor.COLUMNS[kind].split(", "), *floor.resource(kind, "x", values)["relationships"]]
    for kind, them in floor.MEMBERS.items()
    for values in [[None] * len(them["attributes"])]
}))
"""
COMMON = ["created_at", "updated_at", "reference", "reference_origin", "metadata"]
TYPES = ["customers", "customer_groups", "tags", "orders"]


@cache
def shown_by(code):
    """What a program prints as JSON that begins as the benchmark's servers do."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
        "PUBLIC_URL": "http://127.0.0.1:1",
        "BENCHMARK_TYPES": json.dumps(members()),
    }
    done = subprocess.run(
        [sys.executable, "-c", f"import json{code}"],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def declared(kind):
    """The names of a type's members, as its serializer declares them."""
    meta = registry.types[kind].serializer_class.Meta
    return {*meta.fields, *COMMON}, {*meta.relationships}


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: f"{kind}-")
def test_the_stock_server_shows_all_members_that_a_type_declares(kind):
    attributes, relationships = declared(kind)
    assert {*shown_by(STOCK)[kind]} == attributes | relationships | {"url"}


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: f"{kind}-")
def test_sql_by_hand_shows_all_members_that_a_type_declares(kind):
    attributes, relationships = declared(kind)
    columns = {field.name for field in registry.types[kind].queryset.model._meta.concrete_fields}
    shown = {*shown_by(FLOOR)[kind]}
    assert shown - {"NULL", "password IS NOT NULL"} == attributes & columns | relationships


SEEN = "2026-01-02T03:04:05.678Z"


class Canned:
    """A server that answers every request with one document."""

    port, headers = 1, {}

    def __init__(self, name, document):
        self.name, self.document = name, document

    def request(self, method, path):
        return path.encode()

    def send(self, request):
        return 200, json.dumps(self.document).encode()


def one(pk, **attributes):
    links = {"self": f"/api/customers/{pk}/relationships/orders"}
    return {
        "type": "customers",
        "id": pk,
        "links": {"self": f"/api/customers/{pk}"},
        "attributes": {
            "email": "ada@example.com",
            "seen": "2026-01-02T03:04:05.678Z",
            **attributes,
        },
        "relationships": {"orders": {"links": links}},
    }


DOCUMENT = {
    "data": [one("a", jwt_custom_claim=None), one("b", jwt_custom_claim=None)],
    "included": [one("c")],
    "meta": {"record_count": 2},
}


def check(name, change):
    changed = copy.deepcopy(DOCUMENT)
    change(changed)
    workloads.check_alike([Canned("ours", DOCUMENT), Canned(name, changed)], 10_000)


def forget_claims(document):
    for row in document["data"]:
        del row["attributes"]["jwt_custom_claim"]


def write_more_digits(document):
    document["data"][0]["attributes"]["seen"] = "2026-01-02T03:04:05.678901Z"


@pytest.mark.parametrize("change", [forget_claims, write_more_digits])
def test_the_stock_server_may_lack_claims_and_write_moments_otherwise(change):
    check("stock", change)
    with pytest.raises(AssertionError):
        check("floor", change)


CHANGES = {
    "an attribute less": lambda them: them["data"][0]["attributes"].pop("email"),
    "an attribute less of what is included": lambda them: them["included"][0]["attributes"].pop(
        "email"
    ),
    "another value": lambda them: them["data"][1]["attributes"].update(email="x"),
    "another second": lambda them: them["data"][1]["attributes"].update(
        seen="2026-01-02T03:04:06.678Z"
    ),
    "a relationship less": lambda them: them["data"][0]["relationships"].pop("orders"),
    "another link": lambda them: them["data"][0]["links"].update(self="/api/customers/x"),
    "another order": lambda them: them["data"].reverse(),
    "a resource less": lambda them: them["data"].pop(),
    "nothing included": lambda them: them["included"].clear(),
    "another count": lambda them: them["meta"].update(record_count=3),
}


@pytest.mark.parametrize("name", ["stock", "floor"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_servers_that_answer_otherwise_are_not_measured(name, change):
    with pytest.raises(AssertionError):
        check(name, change)
