"""The paths that are of no type: tokens, and what is held on one customer."""

from collections.abc import Mapping

from customers.api.schema_parts import Schema, json_answer, object_schema, ref, with_refusals


def oauth_path(summary: str, members: Mapping[str, Schema], answer: Schema) -> Schema:
    """A path below /oauth that takes `members` and answers `answer`."""
    body = {
        kind: {"schema": {"type": "object", "required": ["client_id"], "properties": members}}
        for kind in ("application/json", "application/x-www-form-urlencoded")
    }
    error = {"application/json": {"schema": {"type": "object"}}}
    return {
        "post": {
            "operationId": summary.split(" (")[0].replace(" ", "_").lower(),
            "summary": summary,
            "tags": ["tokens"],
            "security": [],
            "requestBody": {"required": True, "content": body},
            "responses": {
                "200": {
                    "description": "Done",
                    "content": {"application/json": {"schema": answer}},
                },
                **{
                    str(status): {"description": "Refused", "content": error}
                    for status in (400, 401, 403, 413, 429, 501, 503)
                },
            },
        }
    }


TEXT = {"type": "string"}
PERSONAL_DATA = {
    "/api/customers/{id}/personal_data": {
        "parameters": [ref("parameters", "id")],
        "get": with_refusals(
            {
                "operationId": "customers.personal_data",
                "summary": "Retrieve everything that is held on one customer",
                "tags": ["customers"],
                "responses": {
                    "200": json_answer(
                        "All of it, as one JSON object",
                        object_schema(
                            {
                                "data": {"type": "null"},
                                "meta": object_schema(
                                    {"personal_data": {"type": "object"}}, ["personal_data"]
                                ),
                            },
                            ["data", "meta"],
                        ),
                    )
                },
            },
            "read",
        ),
    }
}
TOKEN_PATHS = {
    "/oauth/token": oauth_path(
        "Get a token",
        {
            "grant_type": {"enum": ["client_credentials", "password", "refresh_token"]},
            "client_id": TEXT,
            "client_secret": TEXT,
            "scope": TEXT,
            "username": TEXT,
            "password": TEXT,
            "refresh_token": TEXT,
        },
        {"type": "object", "required": ["access_token", "token_type", "expires_in"]},
    ),
    "/oauth/revoke": oauth_path(
        "End a token",
        {"client_id": TEXT, "client_secret": TEXT, "token": TEXT},
        {"type": "object"},
    ),
}
