"""Tokens: signed statements of which program calls, for whom, in which mode, until when."""

from customers.services.tokens.issuing import issue_refresh_token, issue_token
from customers.services.tokens.reading import Principal, read_refresh_token, read_token
from customers.services.tokens.revoking import ForeignTokenError, revoke_token
from customers.services.tokens.signing import InvalidTokenError

__all__ = [
    "ForeignTokenError",
    "InvalidTokenError",
    "Principal",
    "issue_refresh_token",
    "issue_token",
    "read_refresh_token",
    "read_token",
    "revoke_token",
]
