"""Who calls the API: the bearer of an access token (RFC 6750)."""

from rest_framework.authentication import BaseAuthentication

from customers.api.errors import UnauthenticatedError
from customers.services import tokens


class BearerToken(BaseAuthentication):
    def authenticate(self, request):
        """The Principal and the token of the request. Raises InvalidTokenError when it has none."""
        kind, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "bearer":
            raise UnauthenticatedError
        try:
            return tokens.read_token(token.strip()), token
        except tokens.InvalidTokenError as error:
            raise UnauthenticatedError from error
