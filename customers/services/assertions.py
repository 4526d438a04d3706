"""Assertions by which a shop's server says whom its own identity provider has authenticated.

RFC 7523 section 2.1, in the form that the modelled API gives it: a JSON Web Token, signed with a
word that everybody knows, so that it proves nothing by itself. The client's secret does.
"""

import warnings
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from joserfc import jwt
from joserfc.jwk import OctKey

from customers.models import Customer
from customers.services.tokens.signing import CLAIMS_ERRORS

ALGORITHM = "HS512"
with warnings.catch_warnings(action="ignore"):  # of a key that is short, and no secret
    KEY = OctKey.import_key("cl")  # as the official client signs
CLAIMS = "https://commercelayer.io/claims"
LONGEST = 4096  # characters


class InvalidAssertionError(Exception):
    """The assertion is none, says nothing, or names somebody who is no customer."""


@dataclass(frozen=True)
class Assertion:
    """What is said: the id of a customer, or what is to stand in the token, or both."""

    customer_id: str | None
    custom_claim: Any = None


def read_assertion(text: str) -> Assertion:
    """What the assertion `text` says. Raises InvalidAssertionError."""
    if len(text) > LONGEST:
        raise InvalidAssertionError
    try:
        claims = jwt.decode(text, KEY, algorithms=[ALGORITHM]).claims
        jwt.JWTClaimsRegistry(leeway=settings.TOKEN_LEEWAY).validate(_lifetime(claims))
        owner, custom_claim = claims[CLAIMS].get("owner"), claims[CLAIMS].get("custom_claim")
        kind, pk = ("Customer", None) if owner is None else (owner["type"], owner["id"])
    except CLAIMS_ERRORS as error:
        raise InvalidAssertionError from error
    says_nothing = owner is None and custom_claim is None
    names_nobody = owner is not None and not isinstance(pk, str)
    if kind != "Customer" or says_nothing or names_nobody:
        raise InvalidAssertionError
    return Assertion(pk, custom_claim)


def _lifetime(claims):
    return {name: claims[name] for name in ("exp", "nbf") if name in claims}


def asserted_customer(assertion: Assertion, mode: str) -> Customer:
    """The customer of `mode` whom `assertion` names. Raises InvalidAssertionError."""
    try:
        return Customer.objects.in_mode(mode).with_id(assertion.customer_id or "")
    except Customer.DoesNotExist as error:
        raise InvalidAssertionError from error
