"""Finishing a password reset by its token, and what is said where that cannot be."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError

from customers.models import CustomerPasswordReset
from customers.resources import errors
from customers.resources.collected_errors import ErrorCollector
from customers.resources.protocols import Principal
from customers.services import password_resets
from customers.services.passwords import hash_password

TOKEN = "/data/attributes/_reset_password_token"  # noqa: S105 a place in a document
PASSWORD = "/data/attributes/customer_password"  # noqa: S105
MEMBER_TOKEN, MEMBER_PASSWORD = (place.rpartition("/")[2] for place in (TOKEN, PASSWORD))
MEMBERS = {MEMBER_TOKEN, MEMBER_PASSWORD}


def finish_reset(
    row: CustomerPasswordReset,
    token: str | None,
    password: str | None,
    *,
    principal: Principal,
    found: ErrorCollector,
) -> None:
    """Give the customer of the locked reset `row` the new `password`, if `token` is its token.

    A program that sends neither changes the reset otherwise. What is wrong is added to `found`;
    where a member of them is wrong already, nothing is done. Raises errors.RecordNotFoundError to
    whom is not to know which resets there are.
    """
    if principal.sees_all and (token, password) == (None, None):
        return
    if found.members & MEMBERS:
        return
    try:
        with found.collecting():
            _complete_by_token(row, token, password, principal)
    except password_resets.WrongResetTokenError as error:
        if not principal.sees_all:
            raise errors.RecordNotFoundError from error
        found.add(errors.UnprocessableError("is not the token of this reset", pointer=TOKEN))
    except password_resets.ResetExpiredError:
        found.add(errors.UnprocessableError("has expired", pointer=TOKEN, error="expired"))
    if found.members & MEMBERS == {MEMBER_TOKEN} and password is not None:
        with found.collecting(), _refused_password():
            hash_password(password, addresses=[row.customer.email])


def _complete_by_token(
    row: CustomerPasswordReset, token: str | None, password: str | None, principal: Principal
) -> None:
    if token is None and principal.sees_all:
        raise errors.UnprocessableError("can't be blank", pointer=TOKEN, error="blank")
    if token is None or not row.accepts(token):
        raise password_resets.WrongResetTokenError
    if password is None:
        raise errors.UnprocessableError("can't be blank", pointer=PASSWORD, error="blank")
    with _refused_password():
        password_resets.complete_reset(row, token, password, actor=principal.actor)


@contextmanager
def _refused_password() -> Iterator[None]:
    """Let a ValidationError be one about the password."""
    try:
        yield
    except ValidationError as error:
        raise errors.UnprocessableError(
            error.messages[0], pointer=PASSWORD, error=errors.error_name(error.code)
        ) from error
