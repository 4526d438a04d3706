"""The paths that are of no type: tokens, and what is held on one customer."""

from customers.api.schema_parts import (
    ID,
    MAP,
    TEXT,
    Schema,
    json_answer,
    object_schema,
    ref,
    said,
    with_refusals,
)
from customers.services.oauth import OFFERED

CLIENT: dict[str, Schema] = {
    "client_id": said("The id of the application.", {**TEXT, "examples": ["your-client-id"]}),
    "client_secret": said("The secret of an integration.", TEXT),
}
TOKEN_SCHEMAS: dict[str, Schema] = {
    "TokenRequest": {
        "type": "object",
        "required": ["client_id", "grant_type"],
        "properties": {
            "grant_type": said(
                "client_credentials for the application itself, password for a customer who logs "
                "in, refresh_token for one who stays logged in, the last one for a customer whom "
                "your own identity provider has authenticated.",
                {**TEXT, "enum": sorted(OFFERED)},
            ),
            **CLIENT,
            "scope": said("What the token is to be limited to.", TEXT),
            "username": said("The customer's e-mail address, to log in.", TEXT),
            "password": said("The customer's password, to log in.", TEXT),
            "refresh_token": said("The refresh token of the answer before; it works once.", TEXT),
            "assertion": said("Whom your identity provider has authenticated (RFC 7523).", TEXT),
        },
    },
    "Token": {
        "type": "object",
        "required": ["access_token", "token_type", "expires_in"],
        "properties": {
            "access_token": said("What requests carry: Authorization: Bearer <token>.", TEXT),
            "token_type": said("Always bearer.", {**TEXT, "examples": ["bearer"]}),
            "expires_in": said(
                "Seconds for which it works.", {"type": "integer", "examples": [7200]}
            ),
            "created_at": said("When it was made, in seconds since 1970.", {"type": "integer"}),
            "scope": said("What it is limited to.", {**TEXT, "examples": ["market:all"]}),
            "refresh_token": said("What gets a customer the next token, once.", TEXT),
            "owner_id": said("The id of the customer who has logged in.", ID),
            "owner_type": said("customer, where one has logged in.", {"const": "customer"}),
        },
    },
    "TokenError": {
        "type": "object",
        "required": ["error", "error_description"],
        "properties": {
            "error": said("What is wrong, for programs (RFC 6749).", TEXT),
            "error_description": said("What is wrong, for people.", TEXT),
            "errors": said(
                "The same, nearly as all other addresses say it.",
                {"type": "array", "items": ref("schemas", "TokenErrorObject")},
            ),
        },
    },
    "TokenErrorObject": object_schema(
        {
            "title": said("What is wrong, for programs (RFC 6749).", TEXT),
            "detail": said("What is wrong, for people.", TEXT),
            "code": said("The kind of error.", TEXT),
            "status": said("The HTTP status, as a number.", {"type": "integer"}),
            "meta": said("What else is known: nothing.", MAP),
        },
        ["title", "detail", "code", "status"],
    ),
    "RevocationRequest": {
        "type": "object",
        "required": ["client_id", "token"],
        "properties": {
            **CLIENT,
            "token": said("The access or refresh token that is to end.", TEXT),
        },
    },
    "Nothing": object_schema({}),
    "PersonalDataDocument": object_schema(
        {
            "data": said("Nothing: it is no resource.", {"type": "null"}),
            "meta": said(
                "What is held.",
                object_schema(
                    {"personal_data": said("The rows of each type, by its name.", MAP)},
                    ["personal_data"],
                ),
            ),
        },
        ["data", "meta"],
    ),
}


def oauth_path(name: str, summary: str, description: str, asked: Schema, answer: Schema) -> Schema:
    """A path below /oauth that takes `asked` and answers `answer`.

    Forms are told of in words alone: generators write one function for each kind of body, or fail.
    """
    error = {"application/json": {"schema": ref("schemas", "TokenError")}}
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "description": f"{description} The members may be sent as a form, too (RFC 6749).",
            "tags": ["tokens"],
            "security": [],
            "requestBody": {"required": True, "content": {"application/json": asked}},
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


PERSONAL_DATA = {
    "/api/customers/{id}/personal_data": {
        "parameters": [ref("parameters", "id")],
        "get": with_refusals(
            {
                "operationId": "customers.personal_data",
                "summary": "Retrieve everything that is held on one customer",
                "description": "All rows of the person, as the law lets people ask for them. "
                "For integrations that may see everything.",
                "tags": ["customers"],
                "responses": {
                    "200": json_answer(
                        "All of it, as one JSON object", ref("schemas", "PersonalDataDocument")
                    )
                },
            },
            "read",
        ),
    }
}
TOKEN_PATHS = {
    "/oauth/token": oauth_path(
        "get_a_token",
        "Get a token",
        "An access token for an application, by its id and secret; for a customer who logs in, "
        "with a refresh token, which gets the next token when this one has expired. Beyond its "
        "rate limit an address is answered 429.",
        {
            "schema": ref("schemas", "TokenRequest"),
            "example": {
                "grant_type": "client_credentials",
                "client_id": "your-client-id",
                "client_secret": "your-client-secret",
            },
        },
        ref("schemas", "Token"),
    ),
    "/oauth/revoke": oauth_path(
        "end_a_token",
        "End a token",
        "From the next request on the token opens nothing. A refresh token that ends logs its "
        "customer out.",
        {
            "schema": ref("schemas", "RevocationRequest"),
            "example": {"client_id": "your-client-id", "token": "the-token"},
        },
        ref("schemas", "Nothing"),
    ),
}
