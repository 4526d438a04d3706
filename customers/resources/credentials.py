"""What a customer logs in by: a change of it, and the password that is shown with it."""

import dataclasses
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ValidationError

from customers.models import Customer, Resource, email_key
from customers.resources import errors
from customers.resources.fields import PasswordField, TextField
from customers.resources.protocols import Principal
from customers.resources.serializers import ResourceSerializer
from customers.services import password_resets, sessions, tokens

CURRENT_PASSWORD = "_current_password"  # noqa: S105 the name of an attribute
POINTER = f"/data/attributes/{CURRENT_PASSWORD}"
PASSWORD = "/data/attributes/password"  # noqa: S105 a place in a document
WRONG = "is wrong"
CHOSEN = "has been chosen; it is changed by a reset (customer_password_resets)"


class CredentialsSerializer(ResourceSerializer):
    """A customer's address and password.

    A program changes the address; a password that has been chosen is changed by a reset alone. A
    customer who is logged in changes both, with the password that it has; the address without it,
    too, as in the modelled API, unless settings.EMAIL_CHANGE_NEEDS_PASSWORD.
    """

    password = PasswordField(
        write_only=True,
        required=False,
        allow_null=True,
        help_text="What the customer logs in with, 8 to 512 characters. Given once, it makes a "
        "guest a registered customer; later it is changed by a password reset, or by the customer.",
    )
    _current_password = TextField(
        write_only=True,
        required=False,
        help_text="The password that the customer has, with which it changes it or its address.",
    )

    @classmethod
    def writable_by(cls, principal: Principal, creating: bool) -> set[str]:
        """As of any type; a program has no password to show."""
        shown_by_none = {CURRENT_PASSWORD} if principal.owner_id is None else set()
        return super().writable_by(principal, creating) - shown_by_none

    def validate__current_password(self, value: str) -> str:
        """Refuses one that has not been found right."""
        if self.principal.shown_password is None:
            raise ValidationError(WRONG, "invalid")
        return value

    def update(self, row: Any, values: dict[str, Any]) -> Resource:
        """Change the locked `row`, and tell it by mail when it has another password.

        Raises errors.UnprocessableError.
        """
        values.pop(CURRENT_PASSWORD, None)
        email, replaces = row.email, "password" in values and row.has_password
        moves = email_key(values.get("email", email)) != row.email_key
        shown = self.principal.shown_password
        asked = shown or (moves and settings.EMAIL_CHANGE_NEEDS_PASSWORD)
        if self.principal.owner_id and row.has_password and asked:
            with self.collected.collecting():
                _check_shown(row, shown)
        elif replaces:
            del values["password"]
            self.collected.add(errors.UnprocessableError(CHOSEN, pointer=PASSWORD, error="taken"))
        row = super().update(row, values)
        if replaces:
            password_resets.tell_change(row, email, actor=self.principal.actor)
        return row


def recognize(principal: tokens.Principal, data: object, *, client: str) -> tokens.Principal:
    """`principal`, a customer, and whether it shows its password in `data`, a resource object.

    That costs a hash and is counted, so it is no part of a transaction. `client` is the network
    address that sends it. Raises limits.RateLimitedError and passwords.HashingBusyError.
    """
    attributes = data.get("attributes") if isinstance(data, dict) else None
    password = attributes.get(CURRENT_PASSWORD) if isinstance(attributes, dict) else None
    if not isinstance(password, str) or principal.owner_id is None:
        return principal
    shown = sessions.show_password(principal.owner_id, password, mode=principal.mode, client=client)
    return dataclasses.replace(principal, shown_password=shown)


def _check_shown(row: Customer, shown: str | None) -> None:
    """Raise errors.UnprocessableError unless `shown` is what is kept of the locked `row`'s."""
    if shown is None:
        raise errors.UnprocessableError("can't be blank", pointer=POINTER, error="blank")
    if shown != row.password:  # which has just been changed
        raise errors.UnprocessableError(WRONG, pointer=POINTER, error="invalid")
