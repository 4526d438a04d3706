"""Reading tokens: what is signed is remembered, what may have ended is looked up each time."""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cache
from threading import Lock

from django.conf import settings
from django.db.models import Exists, OuterRef

from customers.db.compiled import Parameter, Statement
from customers.db.execute import execute
from customers.models import Application, RevokedToken, Session
from customers.services import signing_keys
from customers.services.actors import Actor
from customers.services.tokens.signing import (
    ACCESS,
    CLAIMS_ERRORS,
    ID,
    REFRESH,
    Claims,
    InvalidTokenError,
    read_claims,
)

MOST_KNOWN = 1000  # tokens that one process remembers
MOST_COMPILED = 100  # statements for the bearer of one


@dataclass(frozen=True)
class Principal:
    """Who calls: an application, in its mode, with its token's claims.

    `compiled` holds what has been compiled for it, by whoever compiled it. `shown_password` is
    what is kept of the customer's password, where the customer has shown with this request to
    know it.
    """

    application: Application
    claims: Claims = field(repr=False)
    compiled: dict = field(default_factory=dict, repr=False, compare=False)
    shown_password: str | None = field(default=None, repr=False, compare=False)

    is_authenticated = True
    tells_secrets = True

    @property
    def mode(self) -> str:
        return self.application.mode

    @property
    def sees_all(self) -> bool:
        """Whether every row of its mode is its to see."""
        return self.application.kind == Application.Kind.INTEGRATION

    @property
    def role(self) -> str:
        return self.application.role

    @property
    def owner_id(self) -> str | None:
        """The id of the customer who holds the token, None when a program does."""
        return (self.claims.get("owner") or {}).get("id")

    @property
    def actor(self) -> Actor:
        """The caller as the audit log names it."""
        application = self.claims["application"]
        return {
            "application": {
                "id": application.get("id"),
                "client_id": application.get("client_id"),
                "kind": application.get("kind"),
                "public": application.get("public"),
            },
            "owner": self.claims.get("owner"),
        }


def read_token(token: str) -> Principal:
    """The Principal whom the access `token`, a string, stands for.

    Raises InvalidTokenError for any other string, an expired or revoked token, a foreign
    signature or algorithm, an application that is gone, and a session that has ended.
    """
    try:
        known = _known_token(token)
        if known.claims["exp"] + settings.TOKEN_LEEWAY < int(time.time()):
            raise InvalidTokenError
        application, compiled = _bearer_of(known)
    except CLAIMS_ERRORS as error:
        raise InvalidTokenError from error
    return Principal(application, known.claims, compiled)


def read_refresh_token(token: str) -> str:
    """The id of the session that the refresh `token`, a string, continues.

    Raises InvalidTokenError.
    """
    try:
        session_id = read_claims(token, REFRESH)["sid"]
        if not ID.fullmatch(session_id):
            raise InvalidTokenError
    except CLAIMS_ERRORS as error:
        raise InvalidTokenError from error
    return session_id


class _KnownToken:
    """The claims of a token that has been found to be ours.

    `bearer` is its application as last read, and what is compiled for that one.
    """

    def __init__(self, claims: Claims):
        self.claims = claims
        self.bearer: tuple[Application, dict] | None = None


def _bearer_of(known: _KnownToken) -> tuple[Application, dict]:
    """The `bearer` of `known`, read anew where it is not as it was or its session has ended.

    Raises InvalidTokenError and CLAIMS_ERRORS.
    """
    bearer = known.bearer
    if bearer is None or not _is_unchanged(bearer[0], known.claims):
        known.bearer = None
        bearer = known.bearer = _application_of(known.claims), {}
    if len(bearer[1]) > MOST_COMPILED:
        bearer[1].clear()
    return bearer


UNCHANGED = f"""
SELECT 1 FROM {Application._meta.db_table}
WHERE id = %s AND mode = %s AND kind = %s AND role = %s AND token_generation = %s
AND disabled_at IS NULL
AND NOT EXISTS (SELECT 1 FROM {RevokedToken._meta.db_table} WHERE jti = %s)
"""  # noqa: S608 names of our own
UNCHANGED_WITH_SESSION = f"""{UNCHANGED}
AND EXISTS (SELECT 1 FROM {Session._meta.db_table}
            WHERE id = %s AND customer_id = %s AND application_id = %s)
"""  # noqa: S608


def _is_unchanged(application: Application, claims: Claims) -> bool:
    """Whether `application` is as it was read, and the token that says `claims` has not ended."""
    params = [
        application.pk,
        application.mode,
        application.kind,
        application.role,
        application.token_generation,
        claims["jti"],
    ]
    session_id = claims.get("sid")
    if session_id:
        params += [session_id, claims["owner"]["id"], application.pk]
    return bool(execute(UNCHANGED_WITH_SESSION if session_id else UNCHANGED, params))


_known_tokens: OrderedDict[tuple, _KnownToken] = OrderedDict()  # by digest and who may have signed
_known_tokens_lock = Lock()


def _known_token(token: str) -> _KnownToken:
    """The _KnownToken of `token`. Raises InvalidTokenError and CLAIMS_ERRORS."""
    key = hashlib.sha256(token.encode()).digest(), settings.TOKEN_ISSUER, signing_keys.version()
    known = _known_tokens.get(key)
    if known is None:
        known = _KnownToken(read_claims(token, ACCESS))
        with _known_tokens_lock:
            _known_tokens[key] = known
            if len(_known_tokens) > MOST_KNOWN:
                _known_tokens.popitem(last=False)  # the one known longest
    return known


def _application_of(claims: Claims) -> Application:
    """The application whose token says `claims`.

    Raises InvalidTokenError when either or the session has ended.
    """
    owner, session_id = claims.get("owner") or {}, claims.get("sid") or ""
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
def _statement(with_session: bool) -> Statement[Application]:
    """One read by primary keys for all that may end a token before its time."""
    revoked = RevokedToken.objects.filter(jti=Parameter("jti"))
    applications = Application.objects.filter(
        ~Exists(revoked), pk=Parameter("pk"), disabled_at=None
    ).order_by()
    if with_session:
        session = Session.objects.filter(
            pk=Parameter("sid"), customer=Parameter("owner"), application=OuterRef("pk")
        )
        applications = applications.filter(Exists(session))
    return Statement(applications)
