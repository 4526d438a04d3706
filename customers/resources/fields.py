"""Attributes of requests: JSON values of the right type, taken as they are given."""

import re
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from rest_framework import serializers as drf

from customers.db.bounds import check_json, check_text
from customers.services.passwords import hash_password

MESSAGES = {
    "required": "can't be blank",
    "null": "can't be blank",
    "blank": "can't be blank",
    "max_length": "is too long (maximum is {max_length} characters)",
    "min_length": "is too short (minimum is {min_length} characters)",
    "max_value": "must be less than or equal to {max_value}",
    "min_value": "must be greater than or equal to {min_value}",
    "invalid_choice": "is not included in the list",
}


class StrictField:
    """A serializer field that takes JSON values of `json_types` alone, as they are given.

    Where `from_text` is set, it also takes a string that `from_text` can read: the official
    command line client sends every attribute as one. It raises KeyError or ValueError.
    """

    json_types = ()
    from_text = None
    default_error_messages = MESSAGES

    def to_internal_value(self, value):
        if self.from_text and isinstance(value, str):
            try:
                value = self.from_text(value)
            except (KeyError, ValueError):
                self.fail("type")
        if not isinstance(value, self.json_types) or (
            isinstance(value, bool) and bool not in self.json_types
        ):
            self.fail("type")
        return super().to_internal_value(value)


@contextmanager
def _told():
    """What a check of the models says, said by a field."""
    try:
        yield
    except ValidationError as error:
        raise drf.ValidationError(error.message, error.code) from error


class TextField(StrictField, drf.CharField):
    """A text of at most `max_length` characters, settings.MAX_TEXT where nothing is declared."""

    json_types = (str,)
    bounded = True
    default_error_messages = {**MESSAGES, "type": "must be a string"}

    def __init__(self, **options):
        super().__init__(**{"trim_whitespace": False, **options})

    def to_internal_value(self, value):
        value = super().to_internal_value(value)
        if self.max_length is None and self.bounded:
            with _told():
                check_text(value)
        return value


class PasswordField(TextField):
    """A password, of which only the hash goes on.

    `addresses` are the e-mail addresses of whose it is; the serializer knows them.
    """

    addresses = ()

    bounded = False  # hashing has a limit of its own

    def to_internal_value(self, value):
        return hash_password(super().to_internal_value(value), addresses=self.addresses)


class WholeNumberField(StrictField, drf.IntegerField):
    json_types = (int,)
    default_error_messages = {**MESSAGES, "type": "must be a whole number"}

    @staticmethod
    def from_text(text):
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise ValueError(text)
        return int(text)


class SmallWholeNumberField(WholeNumberField):
    """32 bits, as PostgreSQL keeps them."""

    def __init__(self, **options):
        options["min_value"] = max(options.get("min_value", -(2**31)), -(2**31))
        options["max_value"] = min(options.get("max_value", 2**31 - 1), 2**31 - 1)
        super().__init__(**options)


class ChoiceField(StrictField, drf.ChoiceField):
    json_types = (str,)
    default_error_messages = {**MESSAGES, "type": "must be a string"}


class BooleanField(StrictField, drf.BooleanField):
    json_types = (bool,)
    from_text = {"true": True, "false": False}.__getitem__
    default_error_messages = {**MESSAGES, "type": "must be true or false"}


class BoundedField(StrictField, drf.JSONField):
    """JSON that is kept as it is given, and no larger than `check_json` takes."""

    def to_internal_value(self, value):
        value = super().to_internal_value(value)
        with _told():
            check_json(value)
        return value


class ObjectField(BoundedField):
    json_types = (dict,)
    default_error_messages = {**MESSAGES, "type": "must be an object"}


class ListField(BoundedField):
    json_types = (list,)
    default_error_messages = {**MESSAGES, "type": "must be a list"}


class InputsField(StrictField, drf.JSONField):
    """Rows to import: a list, or a text of CSV."""

    json_types = (list, str)
    default_error_messages = {**MESSAGES, "type": "must be a list, or a text of CSV"}


class FiniteField(StrictField, drf.FloatField):
    json_types = (int, float)
    default_error_messages = {**MESSAGES, "type": "must be a number"}


class MomentField(StrictField, drf.DateTimeField):
    json_types = (str,)
    default_error_messages = {
        **MESSAGES,
        "type": "must be a string",
        "invalid": "must be a time in ISO 8601",
    }


STRICT = {
    drf.BigIntegerField: WholeNumberField,
    drf.BooleanField: BooleanField,
    drf.CharField: TextField,
    drf.DateTimeField: MomentField,
    drf.FloatField: FiniteField,
    drf.IntegerField: SmallWholeNumberField,
    drf.JSONField: ObjectField,
}


def strict(field):
    """The field class to use where DRF would use `field`."""
    return next((mine for theirs, mine in STRICT.items() if issubclass(field, theirs)), field)


class MetadataSerializerField(ObjectField):
    """A JSON object, replaced as a whole; null empties it."""

    def __init__(self, **options):
        super().__init__(**{**options, "allow_null": True, "required": False})

    def validate_empty_values(self, value):
        return super().validate_empty_values({} if value is None else value)


class TagNamesField(TextField):
    """Comma-separated names of tags, for one of the two triggers."""

    def __init__(self, **options):
        defaults = {"write_only": True, "required": False, "allow_blank": True, "allow_null": True}
        super().__init__(**defaults, **options)


class TriggerField(BooleanField):
    """An act to be done when it is true."""

    def __init__(self, **options):
        super().__init__(**{"write_only": True, "required": False, **options})
