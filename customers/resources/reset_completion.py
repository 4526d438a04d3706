"""Finishing a password reset by its token, and what is said where that cannot be."""

from django.core.exceptions import ValidationError

from customers.models import CustomerPasswordReset
from customers.resources import errors
from customers.resources.protocols import Principal
from customers.services import password_resets

TOKEN = "/data/attributes/_reset_password_token"  # noqa: S105 a place in a document
PASSWORD = "/data/attributes/customer_password"  # noqa: S105


def complete_reset(
    row: CustomerPasswordReset, token: str | None, password: str | None, *, principal: Principal
) -> None:
    """Give the customer of the locked reset `row` the new `password`, if `token` is its token.

    A program that sends neither changes the reset otherwise. Raises errors.UnprocessableError, and
    errors.RecordNotFoundError to whom is not to know which resets there are.
    """
    if principal.sees_all and (token, password) == (None, None):
        return
    try:
        _complete_by_token(row, token, password, principal)
    except password_resets.WrongResetTokenError as error:
        if not principal.sees_all:
            raise errors.RecordNotFoundError from error
        raise errors.UnprocessableError("is not the token of this reset", pointer=TOKEN) from error
    except password_resets.ResetExpiredError as error:
        raise errors.UnprocessableError("has expired", pointer=TOKEN, error="expired") from error


def _complete_by_token(
    row: CustomerPasswordReset, token: str | None, password: str | None, principal: Principal
) -> None:
    if token is None and principal.sees_all:
        raise errors.UnprocessableError("can't be blank", pointer=TOKEN, error="blank")
    if not row.accepts(token or ""):
        raise password_resets.WrongResetTokenError
    if password is None:
        raise errors.UnprocessableError("can't be blank", pointer=PASSWORD, error="blank")
    try:
        password_resets.complete(row, token, password, actor=principal.actor)
    except ValidationError as error:
        raise errors.UnprocessableError(
            error.messages[0], pointer=PASSWORD, error=errors.wire_name(error.code)
        ) from error
