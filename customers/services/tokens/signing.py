"""The form of tokens: JSON Web Tokens (RFC 7519), signed by joserfc."""

import json
import re
import secrets
import time
from typing import Any

from django.conf import settings
from joserfc import jws, jwt
from joserfc.errors import JoseError

from customers.services import signing_keys

ALGORITHM = "RS512"
ACCESS, REFRESH = "JWT", "rt+jwt"  # the header `typ`, which tells the two apart (RFC 8725 3.11)
ID = re.compile("[0-9A-Za-z]{16}")
Claims = dict[str, Any]

# whatever reading a token may raise: of its signature, or of claims of another shape
CLAIMS_ERRORS = (JoseError, AttributeError, KeyError, TypeError, ValueError)


class InvalidTokenError(Exception):
    """The token is not one of ours, has expired or has been revoked."""


def sign(claims: Claims, kind: str, lifetime: int) -> str:
    """A token of the header `typ` `kind` that says `claims`, for `lifetime` seconds from now."""
    now = int(time.time())
    claims = {
        **claims,
        "iat": now,
        "exp": now + lifetime,
        "iss": settings.TOKEN_ISSUER,
        "jti": secrets.token_hex(16),
    }
    key = signing_keys.keys().keys[0]
    header = {"alg": ALGORITHM, "typ": kind, "kid": key.kid}
    return jws.serialize_compact(header, _plain_base64_json(claims), key, algorithms=[ALGORITHM])


def read_claims(token: str, kind: str) -> Claims:
    """The claims of `token`, one of ours of the header `typ` `kind` whose time is not over.

    Raises InvalidTokenError and CLAIMS_ERRORS.
    """
    found = jwt.decode(token, signing_keys.keys(), algorithms=[ALGORITHM])
    asked = {name: value for name, value in found.claims.items() if name != "iat"}  # it is an age
    jwt.JWTClaimsRegistry(
        leeway=settings.TOKEN_LEEWAY,
        iss={"essential": True, "value": settings.TOKEN_ISSUER},
        exp={"essential": True},
        jti={"essential": True},
    ).validate(asked)
    if found.header.get("typ") != kind or not re.fullmatch("[0-9a-f]{32}", found.claims["jti"]):
        raise InvalidTokenError
    return found.claims


def _plain_base64_json(claims: Claims) -> bytes:
    """JSON whose base64url has neither - nor _, for clients that decode plain base64.

    Those two signs come of bytes above 127 and of `>`, `?`, `~` and DEL, which JSON can escape.
    """
    text = json.dumps(claims, separators=(",", ":"))
    for character in ">?~\x7f":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()
