"""What is asked of each server, and whether they answer alike."""

import json
import random
import re
import secrets
from collections.abc import Iterator
from itertools import count as numbers
from typing import Any
from urllib.parse import urlencode

from deploy.checks.measure import Server

Request = tuple[bytes, int]  # and the status that must be answered
Comparable = tuple[list[dict[str, Any]], dict[tuple[str, str], dict[str, Any]], int | None]
LIST = {"sort": "-created_at", "page[size]": "25"}
# The relationships of customers that W3 includes, and the types that they lead to.
INCLUDED = {"customer_group": "customer_groups", "tags": "tags", "orders": "orders"}
PART = "ovelac"  # of the addresses of 100 customers, however many there are

READS: dict[str, dict[str, str] | None] = {
    "W1 retrieve one": None,
    "W2 list of 25, newest first, with its count": LIST,
    "W3 W2 with customer_group, tags and orders": {**LIST, "include": ",".join(INCLUDED)},
    "W4a W2 of those with a part of an e-mail address": {**LIST, "filter[q][email_cont]": PART},
    "W4b W2 of those with a status": {**LIST, "filter[q][status_eq]": "acquired"},
    "W5 W2, page {page}": {**LIST, "page[number]": "{page}"},
}
WRITES = ["W6 create", "W7 update metadata"]
NAMES = {name.split()[0]: name for name in [*READS, *WRITES]}

CLAIMS = {"jwt_custom_claim"}  # of a token, and of no row: the stock server shows rows alone
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")

STOCK_NAMES = {
    "filter[q][email_cont]": "filter[email.icontains]",
    "filter[q][status_eq]": "filter[status]",
}


def path_of(server: Server, query: dict[str, str]) -> str:
    """The path that asks `server` for a list."""
    if server.name == "stock":
        query = {STOCK_NAMES.get(name, name): value for name, value in query.items()}
    return f"/api/customers?{urlencode(query)}"


def far_page(size: int) -> int:
    """The page that W5 asks for, of lists of `size` customers."""
    return min(2000, size // 25)


def reads(server: Server, name: str, size: int) -> Iterator[Request]:
    """An endless iterator of the requests of a workload of READS against `size` customers."""
    query = READS[name]
    if query is None:
        pick = random.Random(1)  # noqa: S311 the same customers for every server
        while True:
            path = f"/api/customers/c{pick.randrange(size):015}"
            yield server.request("GET", path), 200
    query = {key: value.format(page=far_page(size)) for key, value in query.items()}
    request = server.request("GET", path_of(server, query)), 200
    while True:
        yield request


def writes(server: Server, name: str, size: int) -> Iterator[Request]:
    """As `reads`, of WRITES; every server has customers and addresses of its own."""
    run, share = secrets.token_hex(4), {"ours": 0, "stock": 1, "floor": 2}[server.name]
    for number in numbers():
        data: dict[str, Any] = {"type": "customers"}
        method, path, status = "POST", "/api/customers", 201
        if name == "W6 create":
            email = f"{server.name}.{run}.{number}@example.com"
            data["attributes"] = {"email": email, "metadata": {"size": "M"}}
        else:
            pk = f"c{(3 * number + share) % size:015}"
            data |= {"id": pk, "attributes": {"metadata": {"run": run, "number": number}}}
            method, path, status = "PATCH", f"{path}/{pk}", 200
        yield server.request(method, path, json.dumps({"data": data}).encode()), status


def check_alike(servers: list[Server], size: int) -> None:
    """Raise AssertionError unless all servers answer the reads with the same resources.

    The floor's documents equal ours; of the stock one, attributes and all links are compared.
    """
    for name in READS:
        documents = {}
        for server in servers:
            status, body = server.send(next(reads(server, name, size))[0])
            assert status == 200, (server.name, name, body[:500])
            documents[server.name] = _comparable(json.loads(body), server)
        for other in documents.keys() - {"ours"}:
            _compare(documents["ours"], documents[other], f"{name}, {other}")


def _comparable(document: dict[str, Any], server: Server) -> Comparable:
    """The resources in order, the included ones by key, and the count."""
    text = json.dumps(document).replace(f"http://127.0.0.1:{server.port}", "")
    document = json.loads(text)
    data = document["data"] if isinstance(document["data"], list) else [document["data"]]
    included = {(one["type"], one["id"]): one for one in document.get("included", [])}
    count = document.get("meta", {})
    count = count.get("record_count", count.get("pagination", {}).get("count"))
    return data, included, count


def _compare(ours: Comparable, others: Comparable, where: str) -> None:
    keys = [[(one["type"], one["id"]) for one in data] for data, _, _ in (ours, others)]
    assert keys[0] == keys[1], where
    assert _ids(ours[1]) == _ids(others[1]), where
    assert ours[2] == others[2], where
    for mine, theirs in [*zip(ours[0], others[0], strict=True)]:
        _compare_resource(mine, theirs, where)
    for key, theirs in others[1].items():
        mine = next(one for k, one in ours[1].items() if k[1] == key[1])
        _compare_resource(mine, theirs, where)


def _ids(included: dict[tuple[str, str], Any]) -> set[str]:
    return {pk for _, pk in included}


def _compare_resource(mine: dict[str, Any], theirs: dict[str, Any], where: str) -> None:
    if not where.endswith("floor"):
        mine, theirs = _stock_part(mine), _stock_part(theirs)
    assert mine == theirs, (where, mine, theirs)


def _stock_part(one: dict[str, Any]) -> dict[str, Any]:
    """What the stock server shows of a resource, too: all links, and all that a row has."""
    links = {name: it["links"] for name, it in one["relationships"].items()}
    attributes = {
        name: _to_the_second(value)
        for name, value in one["attributes"].items()
        if name not in CLAIMS
    }
    return {"links": one["links"], "attributes": attributes, "relationships": links}


def _to_the_second(value: Any) -> Any:
    """`value`, a moment without what comes after its seconds: not all write as many digits."""
    return value[:19] if isinstance(value, str) and MOMENT.match(value) else value
