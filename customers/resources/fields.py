"""Attributes of requests: JSON values of the right type, taken as they are given."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Model
from rest_framework import serializers as drf

from customers.db.bounds import check_json, check_text
from customers.models import COLUMN_TYPES, Application
from customers.resources.protocols import Principal
from customers.services.passwords import hash_password

MESSAGES: dict[str, Any] = {
    "required": "can't be blank",
    "null": "can't be blank",
    "blank": "can't be blank",
    "max_length": "is too long (maximum is {max_length} characters)",
    "min_length": "is too short (minimum is {min_length} characters)",
    "max_value": "must be less than or equal to {max_value}",
    "min_value": "must be greater than or equal to {min_value}",
    "invalid_choice": "is not included in the list",
}


class StrictField(drf.Field):
    """A serializer field that takes JSON values of `json_types` alone, as they are given.

    Where `from_text` is set, it also takes a string that `from_text` can read: the official
    command line client sends every attribute as one. It raises ValueError.
    """

    json_types: ClassVar[tuple[type, ...]] = ()
    from_text: Callable[[str], object] | None = None
    default_error_messages = MESSAGES

    def to_internal_value(self, value: Any) -> Any:
        """What `value` sets the attribute to. Raises DRF's ValidationError."""
        if self.from_text and isinstance(value, str):
            try:
                value = self.from_text(value)
            except ValueError:
                self.fail("type")
        if not isinstance(value, self.json_types) or (
            isinstance(value, bool) and bool not in self.json_types
        ):
            self.fail("type")
        return super().to_internal_value(value)


@contextmanager
def _reported_by_field() -> Iterator[None]:
    """What a check of the models refuses, refused as a serializer's field does."""
    try:
        yield
    except ValidationError as error:
        raise drf.ValidationError(error.message, error.code) from error


class TextField(StrictField, drf.CharField):
    """A text of at most `max_length` characters, settings.MAX_TEXT where nothing is declared."""

    json_types = (str,)
    bounded = True
    default_error_messages = {**MESSAGES, "type": "must be a string"}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})

    def to_internal_value(self, value: Any) -> str:
        """The text `value`. Raises DRF's ValidationError, for required white space too."""
        value = super().to_internal_value(value)
        if self.required and not value.strip():
            self.fail("blank")
        if self.max_length is None and self.bounded:
            with _reported_by_field():
                check_text(value)
        return value


class PasswordField(TextField):
    """A password, of which only the hash goes on.

    `addresses` are the e-mail addresses of whose it is; the serializer knows them.
    """

    addresses: list[str] | tuple[()] = ()
    bounded = False  # hashing has a limit of its own

    def to_internal_value(self, value: Any) -> str:
        """The hash of the password `value`. Raises DRF's ValidationError."""
        return hash_password(super().to_internal_value(value), addresses=self.addresses)


class WholeNumberField(StrictField, drf.IntegerField):
    """64 bits, as the database keeps them."""

    json_types = (int,)
    from_text = staticmethod(COLUMN_TYPES["big integer"].from_cell)
    default_error_messages = {**MESSAGES, "type": "must be a whole number"}


class SmallWholeNumberField(WholeNumberField):
    """32 bits, as PostgreSQL keeps them."""

    def __init__(self, **options: Any) -> None:
        options["min_value"] = max(options.get("min_value", -(2**31)), -(2**31))
        options["max_value"] = min(options.get("max_value", 2**31 - 1), 2**31 - 1)
        super().__init__(**options)


class ChoiceField(StrictField, drf.ChoiceField):
    """One of a few texts."""

    json_types = (str,)
    default_error_messages = {**MESSAGES, "type": "must be a string"}


class BooleanField(StrictField, drf.BooleanField):
    """True or false."""

    json_types = (bool,)
    from_text = staticmethod(COLUMN_TYPES["boolean"].from_cell)
    default_error_messages = {**MESSAGES, "type": "must be true or false"}


class FlagField(BooleanField):
    """True or false; null is false."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, **options})

    def validate_empty_values(self, value: object) -> tuple[bool, Any]:
        """Whether `value` is all there is to check, and what it means."""
        return super().validate_empty_values(False if value is None else value)


class BoundedField(StrictField, drf.JSONField):
    """JSON that is kept as it is given, and no larger than `check_json` takes."""

    def to_internal_value(self, value: Any) -> dict | list:
        """The JSON `value`. Raises DRF's ValidationError."""
        value = super().to_internal_value(value)
        with _reported_by_field():
            check_json(value)
        return value


class ObjectField(BoundedField):
    """A JSON object."""

    json_types = (dict,)
    default_error_messages = {**MESSAGES, "type": "must be an object"}


class ListField(BoundedField):
    """A list of JSON values."""

    json_types = (list,)
    default_error_messages = {**MESSAGES, "type": "must be a list"}


class InputsField(StrictField, drf.JSONField):
    """Rows to import: a list, or a text of CSV."""

    json_types = (list, str)
    default_error_messages = {**MESSAGES, "type": "must be a list, or a text of CSV"}


class FiniteField(StrictField, drf.FloatField):
    """A number."""

    json_types = (int, float)
    default_error_messages = {**MESSAGES, "type": "must be a number"}


class DecimalField(StrictField, drf.DecimalField):
    """A number to its last digit, as a string: a number of JSON would be read as a float."""

    json_types = (str,)
    default_error_messages = {
        **MESSAGES,
        "type": "must be a string",
        "invalid": "must be a decimal number",
    }

    def to_internal_value(self, value: Any) -> Decimal:
        """The number in the text `value`. Raises DRF's ValidationError."""
        return super().to_internal_value(value)


class MomentField(StrictField, drf.DateTimeField):
    """An instant, in ISO 8601."""

    json_types = (str,)
    default_error_messages = {
        **MESSAGES,
        "type": "must be a string",
        "invalid": "must be a time in ISO 8601",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"default_timezone": UTC, **options})  # whatever the console works in

    def to_internal_value(self, value: Any) -> datetime:
        """The instant in the text `value`. Raises DRF's ValidationError."""
        text = value.upper() if isinstance(value, str) else value  # t and z are RFC 3339's, too
        return super().to_internal_value(text)


class DateField(StrictField, drf.DateField):
    """A day, in ISO 8601."""

    json_types = (str,)
    default_error_messages = {
        **MESSAGES,
        "type": "must be a string",
        "invalid": "must be a date in ISO 8601",
    }

    def to_internal_value(self, value: Any) -> date:
        """The day in the text `value`. Raises DRF's ValidationError."""
        return super().to_internal_value(value)


class MetadataSerializerField(ObjectField):
    """A JSON object, replaced as a whole; null empties it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "allow_null": True, "required": False})

    def validate_empty_values(self, value: object) -> tuple[bool, Any]:
        """Whether `value` is all there is to check, and what it means."""
        return super().validate_empty_values({} if value is None else value)


class TagNamesField(TextField):
    """Comma-separated names of tags, for one of the two triggers."""

    def __init__(self, **options: Any) -> None:
        defaults = {"write_only": True, "required": False, "allow_blank": True, "allow_null": True}
        super().__init__(**defaults, **options)


class TriggerField(BooleanField):
    """Something to be done when it is true."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"write_only": True, "required": False, **options})


class PrincipalField(drf.Field):
    """An attribute that hangs on who reads it: what it is, `value_for` says."""

    def value_for(self, principal: Principal, row: Model) -> object:
        """The attribute of `row` as `principal` sees it."""
        raise NotImplementedError


class TokenClaimField(PrincipalField, ObjectField):
    """An attribute whose value is a claim of the reader's token, named `claim` there."""

    def __init__(self, claim: str, **options: Any) -> None:
        self.claim = claim
        super().__init__(read_only=True, allow_null=True, **options)

    def value_for(self, principal: Principal, row: Model) -> object:
        """The claim, None where the token has none."""
        return principal.claims.get(self.claim)


class SecretField(PrincipalField, TextField):
    """A secret of the row, shown to a program that may change it, and to nobody else.

    It is null to a program that may only read, and in whatever the service writes of its own
    accord: what webhooks send and what is kept of it, exports, a person's data.
    """

    def __init__(self) -> None:
        super().__init__(read_only=True, allow_null=True)

    def value_for(self, principal: Principal, row: Model) -> str | None:
        """The secret, None where it is not to be shown."""
        shown = principal.tells_secrets and principal.role == Application.Role.FULL
        return self.get_attribute(row) if shown else None
