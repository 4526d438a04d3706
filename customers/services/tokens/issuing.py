"""Issuing tokens."""

import random

from django.conf import settings

from customers.models import Application, Session
from customers.services.tokens.signing import ACCESS, REFRESH, Claims, sign


def issue_token(
    application: Application,
    *,
    scope: str,
    confidential: bool,
    session: Session | None = None,
    custom_claim: object = None,
) -> str:
    """A signed JWT (RFC 7519) for `application`, valid for settings.ACCESS_TOKEN_LIFETIME.

    `confidential` says whether the application proved itself by its secret; `session`
    is that of the customer who is logged in, if any; `custom_claim` what an assertion adds.
    """
    claims: Claims = {
        "organization": {
            "id": settings.ORGANIZATION_ID,
            "slug": settings.ORGANIZATION_SLUG,
            "enterprise": False,
            "region": "self-hosted",
        },
        "application": {
            "id": application.pk,
            "client_id": application.client_id,
            "kind": application.kind,
            "public": not confidential,
            "confidential": confidential,
        },
        "scope": scope,
        "generation": application.token_generation,
        "rand": random.random(),  # noqa: S311 a claim that clients expect; nothing rests on it
        "test": application.mode == "test",
    }
    if session and custom_claim is None:
        custom_claim = session.custom_claim
    if custom_claim is not None:
        claims["custom_claim"] = custom_claim
    if session:
        claims["owner"] = {"id": session.customer_id, "type": "Customer"}
        claims["sid"] = session.pk
    return sign(claims, ACCESS, settings.ACCESS_TOKEN_LIFETIME)


def issue_refresh_token(session: Session) -> str:
    """A signed JWT that continues `session`, valid for settings.REFRESH_TOKEN_LIFETIME."""
    return sign({"sid": session.pk}, REFRESH, settings.REFRESH_TOKEN_LIFETIME)
