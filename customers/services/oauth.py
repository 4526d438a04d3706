"""The token endpoint's grammar (RFC 6749), by Authlib."""

import re
import time
from collections.abc import Mapping
from typing import Any, TypeAlias

from authlib.oauth2 import AuthorizationServer, OAuth2Error
from authlib.oauth2.rfc6749 import BaseGrant, ClientMixin, OAuth2Request, grants
from authlib.oauth2.rfc6749.errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
    UnsupportedGrantTypeError,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from django.conf import settings

from customers.models import Application, Customer, Session
from customers.services import assertions, sessions
from customers.services.tokens import ForeignTokenError, issue_token, revoke_token

SCOPE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e,]{0,1000}")  # RFC 6749 section 3.3
EVERYTHING = "market:all"
SECRET_METHODS = ["client_secret_basic", "client_secret_post"]
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GRANTS: dict[str, set[str]] = {
    Application.Kind.INTEGRATION: {"client_credentials"},
    Application.Kind.SALES_CHANNEL: {
        "client_credentials",
        "password",
        "refresh_token",
        JWT_BEARER,
    },
}

Answer: TypeAlias = tuple[int, dict[str, Any]]  # the status and the JSON to send


class Client(ClientMixin):
    """An application as Authlib asks about it."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def check_client_secret(self, client_secret: str) -> bool:
        return self.application.has_secret(client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        if self.application.kind == Application.Kind.INTEGRATION:
            return method in SECRET_METHODS
        return method == "none" or self.application.secret_digest is not None

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in GRANTS[self.application.kind]


class Grant(BaseGrant):
    """Every kind of client may try; which method it must use is the client's to say."""

    TOKEN_ENDPOINT_AUTH_METHODS = [*SECRET_METHODS, "none"]

    def authenticate_token_endpoint_client(self) -> Client:
        self.request.client = super().authenticate_token_endpoint_client()
        return self.request.client

    @property
    def application(self) -> Application:
        return self.request.client.application

    @property
    def scope(self) -> str:
        return self.request.payload.scope or EVERYTHING

    def respond(self, **members: Any) -> Answer:
        """The answer that gives a token, of `members` beside those that every grant's has."""
        return 200, {
            "token_type": "bearer",
            "expires_in": settings.ACCESS_TOKEN_LIFETIME,
            "created_at": int(time.time()),
            **members,
        }

    def respond_for(self, session: Session, refresh_token: str, scope: str) -> Answer:
        """The answer that gives the tokens of a customer's `session`."""
        token = issue_token(self.application, scope=scope, confidential=False, session=session)
        return self.respond(
            access_token=token,
            refresh_token=refresh_token,
            scope=scope,
            owner_id=session.customer_id,
            owner_type="customer",
        )


class ClientCredentials(Grant, grants.ClientCredentialsGrant):
    """A program by itself."""

    def create_token_response(self) -> Answer:
        confidential = not self.application.public_access
        token = issue_token(self.application, scope=self.scope, confidential=confidential)
        return self.respond(access_token=token, scope=self.scope)


class Password(Grant, grants.ResourceOwnerPasswordCredentialsGrant):
    """A customer, by e-mail address and password, through a sales channel."""

    def authenticate_user(self, username: str, password: str) -> Customer:
        mode, client = self.application.mode, self.request.address
        return sessions.authenticate(username, password, mode=mode, client=client)

    def create_token_response(self) -> Answer:
        session, token = sessions.start(self.application, self.request.user, scope=self.scope)
        return self.respond_for(session, token, session.scope)


class Refresh(Grant, grants.RefreshTokenGrant):
    """A customer who stays logged in."""

    def validate_token_request(self) -> None:
        self._validate_request_client()
        if not self.request.form.get("refresh_token"):
            raise InvalidRequestError("Missing 'refresh_token' in request.")
        self.validate_requested_scope()

    def create_token_response(self) -> Answer:
        token, scope = self.request.form["refresh_token"], self.request.payload.scope
        session, token = sessions.refresh(self.application, token, scope=scope)
        return self.respond_for(session, token, scope or session.scope)


class JwtBearer(Grant):
    """A customer whom the shop's own identity provider has authenticated (RFC 7523)."""

    GRANT_TYPE = JWT_BEARER
    TOKEN_ENDPOINT_AUTH_METHODS = SECRET_METHODS  # it alone proves what the assertion says

    def validate_token_request(self) -> None:
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError
        self.validate_requested_scope()

    def create_token_response(self) -> Answer:
        assertion = assertions.read_assertion(self.request.form.get("assertion", ""))
        if assertion.customer_id is None:
            token = issue_token(
                self.application,
                scope=self.scope,
                confidential=True,
                custom_claim=assertion.custom_claim,
            )
            return self.respond(access_token=token, scope=self.scope)
        customer = assertions.asserted_customer(assertion, self.application.mode)
        session, token = sessions.start(
            self.application, customer, scope=self.scope, custom_claim=assertion.custom_claim
        )
        return self.respond_for(session, token, session.scope)


OFFERED = {grant.GRANT_TYPE: grant for grant in (ClientCredentials, Password, Refresh, JwtBearer)}


class TokenRequest(OAuth2Request):
    """A token request by its members, whether they came as JSON or as a form."""

    def __init__(self, members: dict[str, str], headers: Mapping[str, str], address: str) -> None:
        super().__init__("POST", settings.TOKEN_ISSUER, headers=headers)
        self.address = address
        self.members = members
        self.payload = BasicOAuth2Payload(members)

    @property
    def form(self) -> dict[str, str]:
        return self.members


class TokenServer(AuthorizationServer):
    def answer(self, members: dict[str, str], headers: Mapping[str, str], address: str) -> Answer:
        """Answer a token request.

        Takes its members, a dictionary of strings, its headers, and the client's network
        address. Returns the HTTP status and the JSON object to send: a token, or the error
        in RFC 6749's shape. Raises limits.RateLimitedError and
        passwords.HashingBusyError.
        """
        request = TokenRequest(members, headers, address)
        try:
            return self.create_token_response(request)
        except ValueError:  # an Authorization header that is no text
            return self.handle_error_response(request, InvalidClientError())
        except sessions.LoginRefusedError as error:
            return self.handle_error_response(request, InvalidGrantError(str(error)))
        except assertions.InvalidAssertionError:
            refused = OAuth2Error("The assertion is not valid.", error="invalid_assertion")
            return self.handle_error_response(request, refused)
        except sessions.ScopeExceededError as error:
            return self.handle_error_response(request, InvalidScopeError(str(error)))

    def answer_revocation(
        self, members: dict[str, str], headers: Mapping[str, str], address: str
    ) -> Answer:
        """As `answer`, for a request to revoke the token in its member `token` (RFC 7009)."""
        request = TokenRequest(members, headers, address)
        try:
            methods = Grant.TOKEN_ENDPOINT_AUTH_METHODS
            client = self.authenticate_client(request, methods, "revocation")
            revoke_token(members.get("token", ""), client.application)
        except ForeignTokenError:
            error = UnauthorizedClientError("You are not authorized to revoke this token.")
            error.status_code = 403
            return self.handle_error_response(request, error)
        except (OAuth2Error, ValueError):
            return self.handle_error_response(request, InvalidClientError())
        return 200, {}

    def handle_error_response(self, request: OAuth2Request, error: OAuth2Error) -> Answer:
        if isinstance(
            error, InvalidClientError
        ):  # an unknown id and a wrong secret get the same answer
            error = InvalidClientError("The client is unknown or its secret is wrong.", None, 401)
        if isinstance(error, UnsupportedGrantTypeError):
            error = OAuth2Error("This grant type is not offered.", error=error.error)
        return super().handle_error_response(request, error)

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        return request

    def get_token_grant(self, request: OAuth2Request) -> Grant:
        if grant := OFFERED.get(request.payload.grant_type):
            return grant(request, self)
        raise UnsupportedGrantTypeError(None)

    def query_client(self, client_id: str) -> Client | None:
        if client_id.isascii() and client_id.isprintable():
            application = Application.objects.filter(client_id=client_id, disabled_at=None).first()
            return Client(application) if application else None
        return None

    def validate_requested_scope(self, scope: str | None) -> None:
        if scope and not SCOPE.fullmatch(scope):
            raise InvalidScopeError

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nothing listens."""

    def handle_response(self, status: int, body: Any, headers: Any = None) -> Answer:
        return status, body


server = TokenServer()
