"""Who asks what: the steps of the story, taken by a recorder."""

import json
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
