"""Tokens: who gets one, what it says, and what else is no token."""

import base64
import hmac
import json
import os
import re
import time
from collections import OrderedDict
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from joserfc import jws, jwt
from joserfc.jwk import KeySet, RSAKey

from customers.models import Application, Customer, RevokedToken
from customers.services import signing_keys
from customers.services.tokens import InvalidTokenError, issue_token, read_token, reading
from customers.tests.conftest import Api, error_of
from customers.tests.factories import make_customer

FORM = "application/x-www-form-urlencoded"


def ask(client, members, path="/oauth/token", content_type=FORM, **options):
    body = urlencode(members) if content_type == FORM else json.dumps(members)
    return client.generic("POST", path, body, content_type=content_type, **options)


@pytest.fixture
def credential(api):
    return {
        "grant_type": "client_credentials",
        "client_id": api.application.client_id,
        "client_secret": api.secret,
    }


def segments(token):
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


def test_an_integration_gets_a_token_for_its_secret(client, credential, api):
    response = ask(client, credential, content_type="application/json")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    body = response.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("bearer", 7200, "market:all")
    assert abs(body["created_at"] - time.time()) < 5
    header, claims = segments(body["access_token"])
    assert (header["alg"], header["typ"]) == ("RS512", "JWT")
    assert claims["exp"] - claims["iat"] == 7200
    assert 0 <= claims["rand"] < 1
    assert {
        name: claims[name] for name in ("organization", "application", "scope", "iss", "test")
    } == {
        "organization": {
            "id": "clientele",
            "slug": "clientele",
            "enterprise": False,
            "region": "self-hosted",
        },
        "application": {
            "id": api.application.pk,
            "client_id": api.application.client_id,
            "kind": "integration",
            "public": False,
            "confidential": True,
        },
        "scope": "market:all",
        "iss": "https://auth.clientele.localhost",
        "test": True,
    }
    listed = client.get(
        "/api/customers", headers={"authorization": f"Bearer {body['access_token']}"}
    )
    assert listed.status_code == 200


def test_members_come_as_json_or_as_a_form_or_the_secret_in_a_header(client, credential):
    pair = f"{credential['client_id']}:{credential['client_secret']}".encode()
    basic = {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
    for response in (
        ask(client, credential, content_type="application/json"),
        ask(client, credential),
        ask(client, {"grant_type": "client_credentials"}, headers=basic),
        ask(
            client,
            {**credential, "slug": "acme", "scope": "", "n": 5},
            content_type="application/json",
        ),
    ):
        assert response.status_code == 200, response.content


def test_a_scope_that_is_asked_for_is_given(client, credential):
    scope = "market:id:abc stock_location:code:x"
    assert ask(client, {**credential, "scope": scope}).json()["scope"] == scope


READS = [
    ("/api/customers/{pk}", 2),
    ("/api/customers/0000000000000000", 2),
    ("/api/customers", 3),
    ("/api/customers?filter[q][email_eq]=nobody@example.com", None),
    ("/api/customers?filter[q][nothing]=1", 1),
    ("/api/customers/{pk}/orders", None),
    ("/api/customers/{pk}/customer_group", None),
    ("/api/customers/{pk}/relationships/tags", None),
    ("/api/organization", None),
]


@pytest.mark.parametrize(("path", "statements"), READS)
def test_each_read_asks_first_whether_its_token_has_ended(api, path, statements):
    """One statement, and a token is dead as soon as it is ended."""
    path = path.format(pk=make_customer().pk)
    before = api.client.get(path)
    assert before.status_code in (200, 400, 404)
    with CaptureQueriesContext(connection) as queries:
        assert api.client.get(path).status_code == before.status_code
    asked = [RevokedToken._meta.db_table in query["sql"] for query in queries]
    assert asked == [True] + [False] * (len(queries) - 1)
    assert statements in (None, len(queries))
    application = Application.objects.filter(pk=api.application.pk)
    application.update(kind="sales_channel", secret_digest=None)
    now = api.client.get(path)
    if path != "/api/organization":
        error_of(now, 401, "UNAUTHORIZED")
    application.update(token_generation=1)
    error_of(api.client.get(path), 401, "INVALID_TOKEN")
    error_of(api.client.get(path), 401, "INVALID_TOKEN")


@pytest.mark.parametrize("path", ["/api/customers", "/api/customers/{pk}", "/api/customers/none"])
def test_what_a_customer_reads_asks_for_the_session_too(path):
    customer = make_customer(email="ada@example.com", password="correct horse battery")
    api = Api(customer=customer)
    path = path.format(pk=customer.pk)
    status = api.client.get(path).status_code
    assert api.client.get(path).status_code == status
    api.session.delete()
    error_of(api.client.get(path), 401, "INVALID_TOKEN")


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_id": "unknown"}, 401, "invalid_client"),
        ({"client_id": "\0"}, 400, "invalid_request"),
        ({"client_id": "é"}, 401, "invalid_client"),
        ({"client_id": None}, 401, "invalid_client"),
        ({"client_id": 5}, 400, "invalid_request"),
        ({"client_secret": {"a": 1}}, 400, "invalid_request"),
        ({"scope": ["market:id:1"]}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unauthorized_client"),
        ({"grant_type": "implicit"}, 400, "unsupported_grant_type"),
        ({"grant_type": "clïent"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "unsupported_grant_type"),
        ({"scope": "a\nb"}, 400, "invalid_scope"),
        ({"scope": "é"}, 400, "invalid_scope"),
        ({"scope": "x" * 1001}, 400, "invalid_scope"),
    ],
)
def test_a_refusal_has_both_shapes_and_gives_no_token(client, credential, change, status, error):
    response = ask(client, {**credential, **change}, content_type="application/json")
    assert response.status_code == status, response.content
    body = response.json()
    assert body["error"] == error
    (found,) = body["errors"]
    assert (found["title"], found["status"]) == (error, status)
    assert found["code"] == {400: "BAD_REQUEST", 401: "UNAUTHORIZED"}[status]
    assert found["detail"] == body["error_description"]
    assert "access_token" not in body


def test_an_unknown_client_and_a_wrong_secret_are_told_alike(client, credential):
    unknown = ask(client, {**credential, "client_id": "unknown"})
    wrong = ask(client, {**credential, "client_secret": "wrong"})
    assert unknown.content == wrong.content


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"[1]", "application/json"),
        (b"{", "application/json"),
        (b"\xff", "application/json"),
        (b'{"grant_type": "client_credentials", "grant_type": "x"}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"grant_type=client_credentials", "text/plain"),
        (b"&".join(b"a%d=1" % number for number in range(1001)), FORM),
        (b"grant_type=password&client_id=x&username=%00&password=x", FORM),
    ],
)
def test_a_request_that_cannot_be_read(client, body, content_type):
    response = client.generic("POST", "/oauth/token", body, content_type=content_type)
    assert response.status_code == 400
    assert response.json()["errors"][0]["status"] == 400


def test_a_header_that_is_no_text_is_no_client(client):
    encoded = [base64.b64encode(text).decode() for text in (bytes([255, 254]), b"a\0:b")]
    for value in (*encoded, "ÿ", "", "a b c"):
        headers = {"authorization": f"Basic {value}"}
        response = ask(client, {"grant_type": "client_credentials"}, headers=headers)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


def test_a_large_request_for_a_token_is_not_read(client, credential):
    response = ask(client, {**credential, "padding": "x" * 2**20})
    assert response.status_code == 413
    assert response.json()["errors"][0]["code"] == "CONTENT_TOO_LARGE"


def test_only_a_digest_of_the_secret_is_kept(api):
    values = Application.objects.filter(pk=api.application.pk).values().get()
    assert api.secret not in str(values)
    assert values["secret_digest"] not in repr(api.application)


def test_the_published_keys_verify_the_token_and_hold_no_private_part(client, api):
    published = client.get("/.well-known/jwks.json").json()
    (key,) = published["keys"]
    assert key.keys() == {"kty", "n", "e", "use", "alg", "kid"}
    claims = jwt.decode(api.token, KeySet.import_key_set(published), algorithms=["RS512"]).claims
    assert claims["application"]["id"] == api.application.pk


def test_tokens_can_be_decoded_as_plain_base64(settings):
    settings.ORGANIZATION_SLUG = "a?>~\x7fÿ"  # as no setting allows, to be sure of every sign
    token = Api().token.split(".")[1]
    assert not re.search("[-_]", token)
    assert segments(f"{token}.{token}")[0]["organization"]["slug"] == "a?>~\x7fÿ"


def forged(claims, header, key):
    return jws.serialize_compact(header, json.dumps(claims).encode(), key, [header["alg"]])


def signed_by_secret(claims, header, secret):
    """A token under HMAC, as by someone who takes the public key for a shared secret."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in (header, claims)
    ]
    signature = hmac.digest(secret, b".".join(parts), "sha512")
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def test_what_is_no_token_of_ours_is_refused(api, client):
    header, claims = segments(api.token)
    key = signing_keys.keys().keys[0]
    bare = RSAKey.import_key(key.as_pem(private=True))
    secret = {**header, "alg": "HS512"}
    head, body, signature = api.token.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    tokens = {
        "expired": forged({**claims, "exp": int(time.time()) - 61}, header, key),
        "without an end": forged({k: v for k, v in claims.items() if k != "exp"}, header, key),
        "of another issuer": forged({**claims, "iss": "https://auth.evil.example"}, header, key),
        "without an application": forged({**claims, "application": None}, header, key),
        "of an application of the wrong shape": forged({**claims, "application": "x"}, header, key),
        "of a missing application": forged({**claims, "application": {"id": "x"}}, header, key),
        "of a NUL application": forged({**claims, "application": {"id": "\0"}}, header, key),
        "of the other mode": forged({**claims, "test": False}, header, key),
        "of no mode": forged({k: v for k, v in claims.items() if k != "test"}, header, key),
        "of another key": forged(claims, header, RSAKey.generate_key(2048)),
        "of the public key as a secret": signed_by_secret(
            claims, secret, key.as_pem(private=False)
        ),
        "of a weaker algorithm": forged(claims, {**header, "alg": "RS256"}, bare),
        "unsigned": f"{none}.{body}.",
        "with a signature cut": f"{head}.{body}.{signature[:-5]}",
        "with claims changed": f"{head}.{body[:-2]}AA.{signature}",
        "without an id": forged({k: v for k, v in claims.items() if k != "jti"}, header, key),
        "of a number for an application": forged({**claims, "application": {"id": 5}}, header, key),
        "with a NUL for an id": forged({**claims, "jti": "\0"}, header, key),
        "with a list for an id": forged({**claims, "jti": [1]}, header, key),
        "of an unknown key id": forged(claims, {**header, "kid": "unknown"}, key),
        "empty": "",
        "text": "text",
        "dots": "..",
        "not ASCII": "é.é.é",
        "a list": forged([1], header, key),
    }
    for what, token in tokens.items():
        with pytest.raises(InvalidTokenError):
            read_token(token)
        headers = {"authorization": f"Bearer {token}".encode().decode("latin-1")}
        error_of(client.get("/api/customers", headers=headers), 401, "INVALID_TOKEN"), what
    assert (
        client.get("/api/customers", headers={"authorization": f"Bearer {api.token}"}).status_code
        == 200
    )


@pytest.mark.parametrize("scheme", ["Basic", "Token", "JWT", "DPoP", "", "Bearer,", "XBearer"])
def test_a_token_opens_nothing_but_by_the_scheme_bearer(client, api, scheme):
    for kind, status in ((scheme, 401), ("Bearer", 200), ("bearer", 200)):
        headers = {"authorization": f"{kind} {api.token}"}
        assert client.get("/api/customers", headers=headers).status_code == status, kind
    headers = {"x-authorization": f"Bearer {api.token}"}
    cookies = {"access_token": api.token}
    client.cookies.load(cookies)
    answer = client.get("/api/customers", {"access_token": api.token}, headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Token x", "bearer"])
def test_a_header_without_a_bearer_token_is_refused(client, header):
    error_of(client.get("/api/customers", headers={"authorization": header}), 401, "INVALID_TOKEN")


def test_the_token_of_a_deleted_application_is_dead_at_once(api):
    assert api.get("/api/customers").status_code == 200
    Application.objects.filter(pk=api.application.pk).delete()
    error_of(api.get("/api/customers"), 401, "INVALID_TOKEN")


def revoke(client, api, **change):
    members = {"client_id": api.application.client_id, "client_secret": api.secret}
    return ask(client, {**members, "token": api.token, **change}, path="/oauth/revoke")


def test_a_revoked_token_is_dead_at_the_next_request_and_others_live(client, api):
    other = issue_token(api.application, scope="", confidential=True)
    assert api.get("/api/customers").status_code == 200
    response = revoke(client, api)
    assert (response.status_code, response.json()) == (200, {})
    error_of(api.get("/api/customers"), 401, "INVALID_TOKEN")
    assert revoke(client, api).status_code == 200  # again, it is none
    headers = {"authorization": f"Bearer {other}"}
    assert client.get("/api/customers", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_id": "unknown"}, 401, "invalid_client"),
    ],
)
def test_only_who_proves_itself_revokes(client, api, change, status, error):
    response = revoke(client, api, **change)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert api.get("/api/customers").status_code == 200


def test_nobody_revokes_the_token_of_another(client, api, live_api):
    response = revoke(client, live_api, token=api.token)
    assert response.status_code == 403
    (found,) = response.json()["errors"]
    assert (found["code"], found["title"]) == ("FORBIDDEN", "unauthorized_client")
    assert api.get("/api/customers").status_code == 200


def test_a_known_token_that_was_revoked_writes_nothing(client, api):
    customer = make_customer()
    assert api.get("/api/customers").status_code == 200
    revoke(client, api)
    for answer in (
        api.create("customers", {"email": "ada@example.com"}),
        api.update("customers", customer.pk, {"reference": "R"}),
        api.delete(f"/api/customers/{customer.pk}"),
    ):
        error_of(answer, 401, "INVALID_TOKEN")
    assert [(one.pk, one.reference) for one in Customer.objects.all()] == [(customer.pk, None)]


def test_revoking_one_token_revives_no_other(client, api):
    second = issue_token(api.application, scope="", confidential=True)
    for token in (api.token, second):
        assert revoke(client, api, token=token).status_code == 200
    for token in (api.token, second):
        response = client.get("/api/customers", headers={"authorization": f"Bearer {token}"})
        error_of(response, 401, "INVALID_TOKEN")
    assert RevokedToken.objects.count() == 2


@pytest.mark.parametrize("token", ["", "text", "a.b.c"])
def test_revoking_what_is_no_token_is_no_error(client, api, token):
    assert revoke(client, api, token=token).status_code == 200


def test_rows_of_revoked_tokens_go_when_their_time_has_come(client, api):
    RevokedToken.objects.create(jti="old", expires_at=timezone.now() - timedelta(seconds=1))
    revoke(client, api)
    assert RevokedToken.objects.count() == 1
    assert not RevokedToken.objects.filter(jti="old").exists()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/oauth/token", 405),
        ("DELETE", "/oauth/revoke", 405),
        ("POST", "/oauth/nothing", 404),
        ("GET", "/oauth/a/b", 404),
    ],
)
def test_other_requests_are_refused_in_json(client, method, path, status):
    response = client.generic(method, path)
    assert response.status_code == status
    assert response.json()["errors"][0]["status"] == status


@pytest.mark.parametrize(
    "path", ["/.well-known/jwks.json", "/api/schema", "/api/docs", "/api/exports/files/x"]
)
def test_what_is_only_read_says_so(client, path):
    response = client.post(path)
    error_of(response, 405, "METHOD_NOT_ALLOWED")
    assert response["Allow"] == "GET, HEAD"
    assert client.head(path).status_code == client.get(path).status_code


def test_the_custom_claim_of_the_caller_is_echoed(api):
    header, claims = segments(api.token)
    key = signing_keys.keys().keys[0]
    token = forged({**claims, "custom_claim": {"tier": 1}}, header, key)
    pk = api.create("customers", {"email": "a@example.com"}).json()["data"]["id"]
    response = api.client.get(f"/api/customers/{pk}", headers={"authorization": f"Bearer {token}"})
    assert response.json()["data"]["attributes"]["jwt_custom_claim"] == {"tier": 1}


def test_keys_are_files_of_their_owner_and_older_ones_still_verify(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(signing_keys, "LOOK_EVERY", 0)
    settings.DATA_DIR = tmp_path
    api = Api()
    (first,) = (tmp_path / "keys").iterdir()
    assert first.stat().st_mode & 0o077 == 0
    signing_keys.make_key()
    assert read_token(api.token).application == api.application
    newer = issue_token(api.application, scope="", confidential=True)
    assert segments(newer)[0]["kid"] != segments(api.token)[0]["kid"]
    first.unlink()
    with pytest.raises(InvalidTokenError):
        read_token(api.token)
    assert read_token(newer).mode == "test"


def test_a_token_that_is_known_is_refused_when_its_time_is_over(api, settings, monkeypatch):
    assert api.get("/api/customers").status_code == 200
    exp = segments(api.token)[1]["exp"] + settings.TOKEN_LEEWAY
    monkeypatch.setattr("time.time", lambda: exp)
    assert api.get("/api/customers").status_code == 200
    monkeypatch.setattr("time.time", lambda: exp + 1)
    error_of(api.get("/api/customers"), 401, "INVALID_TOKEN")


def test_a_token_that_is_known_is_refused_by_another_issuer(api, settings):
    assert read_token(api.token)
    settings.TOKEN_ISSUER = "https://auth.elsewhere.example"
    with pytest.raises(InvalidTokenError):
        read_token(api.token)


def test_a_process_remembers_the_latest_tokens_alone(api, monkeypatch):
    monkeypatch.setattr(reading, "MOST_KNOWN", 2)
    monkeypatch.setattr(reading, "_known_tokens", OrderedDict())
    made = [issue_token(api.application, scope="", confidential=True) for _ in range(4)]
    for token in made:
        assert read_token(token).application == api.application
    assert len(reading._known_tokens) == 2
    assert all(read_token(token) for token in made)


def test_a_token_of_a_key_that_was_dropped_is_known_for_an_instant_at_most(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    api = Api()
    os.utime(tmp_path / "keys", (0, 0))  # a file system may take times that are close for one
    assert api.get("/api/tags").status_code == 200
    signing_keys.make_key()
    assert signing_keys.drop_old(all_of_them=True) == 1
    time.sleep(signing_keys.LOOK_EVERY)
    error_of(api.get("/api/tags"), 401, "INVALID_TOKEN")
