"""An address and header fields that are too long are refused in the API's own shape."""

import pytest


@pytest.mark.parametrize("path", ["/api/customers", "/admin/login/", "/oauth/token"])
@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("x" * 8190, {}, 414, "URI_TOO_LONG"),
        ("", {"x-long": "x" * 8191}, 431, "HEADERS_TOO_LARGE"),
        ("", {"cookie": "x" * 8191}, 431, "HEADERS_TOO_LARGE"),
    ],
)
def test_what_is_too_long_is_refused_in_the_shape_of_the_api(
    client, path, query, headers, status, code
):
    answer = client.get(path, QUERY_STRING=query, headers=headers)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/vnd.api+json"
    assert answer["Cache-Control"] == "no-store"
    (error,) = answer.json()["errors"]
    assert (error["status"], error["code"]) == (str(status), code)


def test_as_much_as_fits_is_answered(client):
    path = "/.well-known/jwks.json"
    answer = client.get(path, QUERY_STRING="x" * (8190 - len(path)), headers={"x-l": "x" * 8190})
    assert answer.status_code == 200
