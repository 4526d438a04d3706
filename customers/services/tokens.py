"""Tokens: signed statements of which program calls, for whom, in which mode, until when."""

import hashlib
import json
import random
import re
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from threading import Lock

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone
from joserfc import jws, jwt
from joserfc.errors import JoseError

from customers.db.compiled import Parameter, Statement, TokenCheck
from customers.models import Application, RevokedToken, Session
from customers.services import signing_keys

ALGORITHM = "RS512"
ACCESS, REFRESH = "JWT", "rt+jwt"  # the header `typ`, which tells the two apart (RFC 8725 3.11)

ID = re.compile("[0-9A-Za-z]{16}")
MOST_KNOWN = 1000  # tokens that one process remembers
MOST_COMPILED = 100  # statements for the bearer of one

# whatever reading a token may raise: of its signature, or of claims of another shape
CLAIMS_ERRORS = (
    JoseError,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
    Application.DoesNotExist,
)


class InvalidTokenError(Exception):
    """The token is not one of ours, has expired or has been revoked."""


class ForeignTokenError(Exception):
    """The token was given to another application."""


@dataclass(frozen=True)
class Principal:
    """Who calls: an application, in its mode, with its token's claims."""

    application: Application
    claims: dict = field(repr=False)
    compiled: dict = field(default_factory=dict, repr=False, compare=False)
    standing: TokenCheck | None = field(default=None, repr=False, compare=False)

    is_authenticated = True
    tells_secrets = True

    @property
    def mode(self):
        return self.application.mode

    @property
    def sees_all(self):
        """Whether every row of its mode is its to see."""
        return self.application.kind == Application.Kind.INTEGRATION

    @property
    def read_only(self):
        return self.application.read_only

    @property
    def owner_id(self):
        """The id of the customer who holds the token, None when a program does."""
        return (self.claims.get("owner") or {}).get("id")

    def settle(self):
        """Make sure that what is known of the token and its application still holds.

        Raises CheckFailedError when it does not: then the token is to be read again.
        """
        if self.standing:
            self.standing.settle()

    @property
    def actor(self):
        """The caller as the audit log names it."""
        application = self.claims["application"]
        return {
            "application": {
                name: application.get(name) for name in ("id", "client_id", "kind", "public")
            },
            "owner": self.claims.get("owner"),
        }


def issue_token(application, *, scope, confidential, session=None):
    """A signed JWT (RFC 7519) for `application`, valid for settings.ACCESS_TOKEN_LIFETIME.

    `confidential` says whether the application proved itself by its secret; `session`
    is that of the customer who is logged in, if any.
    """
    claims = {
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
    if session:
        claims["owner"] = {"id": session.customer_id, "type": "Customer"}
        claims["sid"] = session.pk
    return _signed(claims, ACCESS, settings.ACCESS_TOKEN_LIFETIME)


def issue_refresh_token(session):
    """A signed JWT that continues `session`, valid for settings.REFRESH_TOKEN_LIFETIME."""
    return _signed({"sid": session.pk}, REFRESH, settings.REFRESH_TOKEN_LIFETIME)


def read_token(token):
    """The Principal whom the access `token`, a string, stands for.

    Raises InvalidTokenError for any other string, an expired or revoked token, a foreign
    signature or algorithm, an application that is gone, and a session that has ended.
    Whether the latter are true of a token that was read before is asked by Principal.settle.
    """
    try:
        known = _known_token(token)
        if known.claims["exp"] < int(time.time()):
            raise InvalidTokenError
        bearer = known.bearer
        if bearer is None:
            bearer = known.bearer = _application_of(known.claims), {}
            return Principal(bearer[0], known.claims, bearer[1])
    except CLAIMS_ERRORS as error:
        raise InvalidTokenError from error
    application, compiled = bearer
    if len(compiled) > MOST_COMPILED:
        compiled.clear()
    return Principal(application, known.claims, compiled, _Standing(known, application))


class _KnownToken:
    """The claims of a token that has been found to be ours.

    `bearer` is its application as last read, and what is compiled for that one.
    """

    def __init__(self, claims):
        self.claims = claims
        self.bearer = None


class _Standing(TokenCheck):
    """Whether `application` is as it was read, and the token `known` has not been ended."""

    def __init__(self, known, application):
        self.known, claims = known, known.claims
        params = [
            application.pk,
            application.mode,
            application.kind,
            application.read_only,
            application.token_generation,
            claims["jti"],
        ]
        session_id = claims.get("sid")
        if session_id:
            params += [session_id, claims["owner"]["id"], application.pk]
        super().__init__(STANDS_WITH_SESSION if session_id else STANDS, params)

    def told(self, value):
        if value is None:
            self.known.bearer = None
        super().told(value)


STANDS = f"""
SELECT id FROM {Application._meta.db_table}
WHERE id = %s AND mode = %s AND kind = %s AND read_only = %s AND token_generation = %s
AND NOT EXISTS (SELECT 1 FROM {RevokedToken._meta.db_table} WHERE jti = %s)
"""  # noqa: S608
STANDS_WITH_SESSION = f"""{STANDS}
AND EXISTS (SELECT 1 FROM {Session._meta.db_table}
            WHERE id = %s AND customer_id = %s AND application_id = %s)
"""  # noqa: S608


_known_tokens = OrderedDict()  # digest of the token and who may have signed it: _KnownToken
_known_tokens_lock = Lock()


def _known_token(token):
    """The _KnownToken of `token`. Raises InvalidTokenError and CLAIMS_ERRORS."""
    key = hashlib.sha256(token.encode()).digest(), settings.TOKEN_ISSUER, signing_keys.version()
    known = _known_tokens.get(key)
    if known is None:
        known = _KnownToken(_claims(token, ACCESS))
        with _known_tokens_lock:
            _known_tokens[key] = known
            if len(_known_tokens) > MOST_KNOWN:
                _known_tokens.popitem(last=False)  # the one known longest
    return known


def _application_of(claims):
    """The application whose token says `claims`.

    Raises InvalidTokenError when either or the session has ended.
    """
    owner, session_id = claims.get("owner"), claims.get("sid")
    values = {"pk": claims["application"]["id"], "jti": claims["jti"]}
    if not ID.fullmatch(values["pk"]):
        raise InvalidTokenError
    if owner or session_id:
        if not (ID.fullmatch(session_id) and ID.fullmatch(owner["id"])):
            raise InvalidTokenError
        values |= {"sid": session_id, "owner": owner["id"]}
    for application in _statement("sid" in values)(**values):
        same_mode = claims["test"] is (application.mode == "test")
        if same_mode and claims["generation"] == application.token_generation:
            return application
    raise InvalidTokenError


@cache
def _statement(with_session):
    """One read by primary keys for all that may end a token before its time."""
    revoked = RevokedToken.objects.filter(jti=Parameter("jti"))
    applications = Application.objects.filter(~Exists(revoked), pk=Parameter("pk")).order_by()
    if with_session:
        session = Session.objects.filter(
            pk=Parameter("sid"), customer=Parameter("owner"), application=OuterRef("pk")
        )
        applications = applications.filter(Exists(session))
    return Statement(applications)


def read_refresh_token(token):
    """The id of the session that the refresh `token`, a string, continues.

    Raises InvalidTokenError.
    """
    try:
        session_id = _claims(token, REFRESH)["sid"]
        if not ID.fullmatch(session_id):
            raise InvalidTokenError
    except CLAIMS_ERRORS as error:
        raise InvalidTokenError from error
    return session_id


def revoke_token(token, application):
    """End `token`, a string, if it is one of `application`'s; one that is none is passed over.

    With a refresh token the session ends, and its access tokens with it. Raises ForeignTokenError
    for the token of another application (RFC 7009 section 2.1).
    """
    try:
        session = Session.objects.filter(pk=read_refresh_token(token)).first()
    except InvalidTokenError:
        _revoke_access_token(token, application)
    else:
        if session and session.application_id != application.pk:
            raise ForeignTokenError
        if session:
            session.delete()


def _revoke_access_token(token, application):
    try:
        principal = read_token(token)
    except InvalidTokenError:
        return
    if principal.application != application:
        raise ForeignTokenError
    RevokedToken.objects.filter(expires_at__lt=timezone.now()).delete()
    RevokedToken.objects.get_or_create(
        jti=principal.claims["jti"],
        defaults={"expires_at": datetime.fromtimestamp(principal.claims["exp"], UTC)},
    )


def _signed(claims, kind, lifetime):
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


def _claims(token, kind):
    """The claims of `token`, one of ours of the header `typ` `kind` whose time is not over.

    Raises InvalidTokenError and CLAIMS_ERRORS.
    """
    found = jwt.decode(token, signing_keys.keys(), algorithms=[ALGORITHM])
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": settings.TOKEN_ISSUER},
        exp={"essential": True},
        jti={"essential": True},
    ).validate(found.claims)
    if found.header.get("typ") != kind or not re.fullmatch("[0-9a-f]{32}", found.claims["jti"]):
        raise InvalidTokenError
    return found.claims


def _plain_base64_json(claims):
    """JSON bytes whose base64url has neither - nor _, for clients that decode plain base64.

    Those two signs come of bytes above 127 and of `>`, `?`, `~` and DEL, which JSON can escape.
    """
    text = json.dumps(claims, separators=(",", ":"))
    for sign in ">?~\x7f":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.encode()
