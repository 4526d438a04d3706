"""What every answer carries, who may call from a browser, and which secrets nothing reaches."""

import itertools
import json

import pytest

from customers.models import Application, Customer, CustomerPasswordReset, Session
from customers.resources.predicates import PREDICATES
from customers.resources.registry import registry
from customers.tests.conftest import JSON_API, Api, error_of
from customers.tests.factories import make_customer, make_full_customer
from customers.tests.test_contract import include_paths

ORIGIN = "https://shop.example.com"
PATHS = [
    "/api/customers",
    "/api/nothing",
    "/oauth/token",
    "/oauth/nothing",
    "/.well-known/jwks.json",
    "/test/password/forgot",
    "/test/password/choose/x",
    "/admin/login/",
    "/admin/",
    "/nothing",
    "/",
    "/static/customers/pages.css",
]

SECRET_COLUMNS = ["password", "email_key", "token_digest", "refresh_digest", "secret_digest"]
SECRET_NAMES = [*SECRET_COLUMNS, "client_secret", "shared_secret", "reset_password_token"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "TRACE"])
def test_every_answer_carries_what_keeps_browsers_safe(client, path, method):
    response = client.generic(method, path)
    response.close()
    assert response.status_code < 500
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Referrer-Policy"] in ("same-origin", "no-referrer")
    policy = dict(part.split(" ", 1) for part in response["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
        "base-uri": "'none'",
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/customers", 200),
        ("HEAD", "/api/customers", 200),
        ("GET", "/api/customers/{}", 200),
        ("GET", "/api/customers/{}/orders", 200),
        ("GET", "/api/customers/{}/relationships/tags", 200),
        ("GET", "/api/customers/{}/personal_data", 200),
        ("GET", "/api/application", 200),
        ("POST", "/api/customers", 201),
        ("PATCH", "/api/customers/{}", 200),
        ("DELETE", "/api/customers/{}", 204),
        ("GET", "/api/customers/none", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/api/exports/files/none", 404),
        ("PUT", "/api/customers/{}", 405),
        ("GET", "/api/customers?shoes=1", 400),
        ("POST", "/oauth/token", 400),
        ("POST", "/oauth/revoke", 400),
        ("POST", "/oauth/nothing", 404),
    ],
)
def test_no_answer_about_somebody_is_stored_on_its_way(api, method, path, status):
    path = path.format(make_customer().pk)
    data = {"type": "customers", "attributes": {"metadata": {"a": 1}}}
    if method == "POST":
        data["attributes"]["email"] = "ada@example.com"
    elif method == "PATCH":
        data["id"] = path.rpartition("/")[2]
    body = {"data": data} if method in ("POST", "PATCH") and "/api" in path else b"x"
    answer = api.send(method, path, body if method != "GET" else b"")
    assert answer.status_code == status, answer.content
    assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))


def test_a_refused_caller_is_told_so_each_time(client):
    answer = client.get("/api/customers")
    assert (answer.status_code, answer["Cache-Control"]) == (401, "private, no-store")


@pytest.mark.parametrize("path", ["/.well-known/jwks.json", "/api/schema", "/api/docs"])
def test_what_is_for_everybody_may_be_stored(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert "no-store" not in answer.get("Cache-Control", "")


def test_an_answer_given_again_and_one_to_another_site_are_not_stored_either(api, settings):
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    headers = {"idempotency-key": "k1", "origin": ORIGIN}
    body = {"data": {"type": "customers", "attributes": {"email": "ada@example.com"}}}
    for again in (None, "true"):
        answer = api.client.post(
            "/api/customers", json.dumps(body), content_type=JSON_API, headers=headers
        )
        assert (answer.status_code, answer.get("Idempotent-Replayed")) == (201, again)
        assert answer["Cache-Control"] == "private, no-store"


def preflight(client, path, origin=ORIGIN):
    headers = {
        "origin": origin,
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "authorization,content-type",
    }
    return client.options(path, headers=headers)


@pytest.mark.parametrize(
    "path",
    ["/api/customers", "/api/customers/search", "/oauth/token", "/.well-known/jwks.json"],
)
def test_a_storefront_that_is_set_may_call_from_a_browser(client, settings, path):
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    response = preflight(client, path)
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == ORIGIN
    assert "PATCH" in response["Access-Control-Allow-Methods"]
    allowed = response["Access-Control-Allow-Headers"]
    assert {"authorization", "content-type", "accept"} <= set(allowed.split(", "))
    answer = client.get(path, headers={"origin": ORIGIN})
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert "X-Ratelimit-Remaining" in answer["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer
    assert "Access-Control-Allow-Origin" not in preflight(client, path, "https://evil.example")


@pytest.mark.parametrize("path", ["/admin/login/", "/test/password/forgot"])
def test_no_other_site_reads_the_pages(client, settings, path):
    settings.CORS_ALLOW_ALL_ORIGINS = True
    assert "Access-Control-Allow-Origin" not in client.get(path, headers={"origin": ORIGIN})
    assert preflight(client, "/api/customers")["Access-Control-Allow-Origin"] == "*"


def test_by_default_no_site_may_call(client):
    assert "Access-Control-Allow-Origin" not in preflight(client, "/api/customers")


TOLD = [  # once, or to programs that verify our calls
    ("customer_password_resets", "reset_password_token"),
    ("webhooks", "shared_secret"),
]


def prefixes(resource, depth):
    """Every way to spell an attribute of a related type, up to `depth` relationships."""
    yield ""
    if depth:
        for relationship in resource.filterset_class.relationships:
            for rest in prefixes(resource.relations[relationship].target, depth - 1):
                yield f"{relationship}_{rest}"


@pytest.mark.thorough
@pytest.mark.parametrize("name", registry.types)
def test_no_filter_sort_field_or_inclusion_reaches_a_secret(api, name):
    resource = registry.types[name]
    if "list" in resource.actions:
        depth = 2 if name == "customers" else 1
        spellings = [p + s for p in prefixes(resource, depth) for s in SECRET_NAMES]
        for spelling, predicate in zip(spellings, itertools.cycle(PREDICATES), strict=False):
            if spelling.endswith("password") and predicate == "present":
                predicate = "start"  # whether there is one may be asked
            parameter = f"filter[q][{spelling}_{predicate}]"
            response = api.query(f"/api/{name}", {parameter: "a"})
            error_of(response, 400, "FILTER_NOT_ALLOWED", {"parameter": parameter})
    path = f"/api/{resource.path}" if "retrieve_singleton" in resource.actions else f"/api/{name}/x"
    for secret in SECRET_NAMES:
        if "list" in resource.actions:
            for form in ("filter[{}]", "filter[{}__startswith]", "filter[q][{}__startswith]"):
                parameter = form.format(secret)
                response = api.query(f"/api/{name}", {parameter: "a"})
                error_of(response, 400, "FILTER_NOT_ALLOWED", {"parameter": parameter})
            for sort in (secret, f"-{secret}", f"customer.{secret}", f"customer__{secret}"):
                response = api.query(f"/api/{name}", {"sort": sort})
                error_of(response, 400, "INVALID_SORT_CRITERIA", {"parameter": "sort"})
        if (name, secret) not in TOLD:
            parameter = f"fields[{name}]"
            error_of(
                api.query(path, {parameter: secret}), 400, "INVALID_FIELD", {"parameter": parameter}
            )
        error_of(
            api.query(path, {"include": secret}), 400, "INVALID_INCLUDE", {"parameter": "include"}
        )


def test_no_document_of_anything_holds_a_secret(api):
    ada = make_full_customer(password="argon2$argon2id$the-hash")
    as_ada = Api(customer=ada)
    reset = CustomerPasswordReset.objects.get()
    secrets = [
        ada.password,
        reset.token_digest,
        Session.objects.get().refresh_digest,
        *Application.objects.exclude(secret_digest=None).values_list("secret_digest", flat=True),
        as_ada.refresh_token,
        api.secret,
    ]
    shown = b""
    for name, resource in registry.types.items():
        if "list" in resource.actions:
            include = ",".join(include_paths(resource, 2))
            response = api.query(f"/api/{name}", {"include": include})
            assert response.status_code == 200
            shown += response.content
    for row in (ada, *Customer.objects.all()[:1]):
        shown += api.get(f"/api/customers/{row.pk}/event_stores").content
    shown += as_ada.get("/api/application").content + api.get("/api/application").content
    assert len(shown) > 10_000
    for secret in secrets:
        assert secret.encode() not in shown
