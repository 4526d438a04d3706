"""Revoking tokens (RFC 7009)."""

from datetime import UTC, datetime

from django.conf import settings
from django.utils import timezone

from customers.models import Application, RevokedToken, Session
from customers.services.tokens.reading import read_refresh_token, read_token
from customers.services.tokens.signing import InvalidTokenError


class ForeignTokenError(Exception):
    """The token was given to another application."""


def revoke_token(token: str, application: Application) -> None:
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


def _revoke_access_token(token: str, application: Application) -> None:
    try:
        principal = read_token(token)
    except InvalidTokenError:
        return
    if principal.application != application:
        raise ForeignTokenError
    RevokedToken.objects.filter(expires_at__lt=timezone.now()).delete()
    over_at = principal.claims["exp"] + settings.TOKEN_LEEWAY  # as long as it would be taken
    RevokedToken.objects.get_or_create(
        jti=principal.claims["jti"],
        defaults={"expires_at": datetime.fromtimestamp(over_at, UTC)},
    )
