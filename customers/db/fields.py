"""Column types that behave alike on SQLite and PostgreSQL.

Why not Django's: its text is compared by the collation of the database, its moments have digits
that the wire does not show, its JSON is read by another parser than it is written by. Nothing worth
counting is saved. Taken out, lists have another order on each database, and what was read is not
found again by a filter.
"""

import secrets
import threading
import time
import unicodedata
from datetime import datetime
from typing import Any, overload

import orjson
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression

ID_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # in byte order
ID_LENGTH = 16
RANDOM_BITS = 53


_last_number = 0
_last_number_lock = threading.Lock()


def new_id(at: datetime | None = None) -> str:
    """A new id: 16 letters and digits that sort, as bytes, by time of making.

    The upper 42 bits are milliseconds since 1970, the lower 53 are random. Ids made by one
    process ascend even within a millisecond. `at`, an aware datetime, dates the id
    otherwise than now.
    """
    global _last_number
    if at:
        return _in_letters(_number_at(int(at.timestamp() * 1000)))
    with _last_number_lock:
        number = _number_at(time.time_ns() // 1_000_000)
        if number <= _last_number:
            number = _last_number + 1 + secrets.randbits(RANDOM_BITS - 13)
        _last_number = number
    return _in_letters(number)


def _number_at(milliseconds: int) -> int:
    return (milliseconds << RANDOM_BITS) | secrets.randbits(RANDOM_BITS - 1)


def _in_letters(number: int) -> str:
    letters = []
    for _ in range(ID_LENGTH):
        number, digit = divmod(number, 62)
        letters.append(ID_ALPHABET[digit])
    return "".join(reversed(letters))


class IdField(models.CharField):
    """An id or a key that points at one, compared bytewise on every database."""

    def __init__(self, **options: Any):
        options.setdefault("max_length", ID_LENGTH)
        super().__init__(**options)

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict:
        collation = "C" if connection.vendor == "postgresql" else None
        return {**super().db_parameters(connection), "collation": collation}

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """PostgreSQL's long name of varchar, for which Django makes no second index for LIKE.

        Under the collation C the first one serves LIKE too.
        """
        name = super().db_type(connection)
        return name and name.replace("varchar", "character varying")


class InstantField(models.DateTimeField):
    """A moment to the millisecond, as the wire shows it: what is read can be filtered for."""

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        if isinstance(value, datetime):
            value = value.replace(microsecond=value.microsecond // 1000 * 1000)
        return super().get_db_prep_save(value, connection)


def instant(moment: datetime | None) -> str | None:
    """An aware UTC datetime as `2018-01-01T12:00:00.000Z`, and None as None."""
    return None if moment is None else f"{moment.isoformat(timespec='milliseconds')[:23]}Z"


class FoldedField(models.CharField):
    """The text of the field `of`, folded so that upper and lower case are one.

    Without `of`, the field's own text is folded. The database can then keep it unique
    and search it without regard to case, in any alphabet and on any engine.
    """

    def __init__(self, of: str | None = None, **options: Any):
        self.of = of
        if of:
            options["editable"] = False
        super().__init__(**options)

    def deconstruct(self) -> tuple:
        name, path, args, options = super().deconstruct()
        if self.of:
            options["of"] = self.of
            del options["editable"]
        return name, path, args, options

    def clean(self, value: str, instance: models.Model | None) -> str:
        return super().clean(self.fold(value), instance)

    def pre_save(self, instance: models.Model, add: bool) -> str | None:
        value = self.fold(getattr(instance, self.of or self.attname))
        setattr(instance, self.attname, value)
        return value

    @overload
    @staticmethod
    def fold(text: str) -> str: ...

    @overload
    @staticmethod
    def fold(text: None) -> None: ...

    @staticmethod
    def fold(text: str | None) -> str | None:
        """`text` without regard to case (Unicode's full case folding), normalized (NFKC)."""
        return text if text is None else unicodedata.normalize("NFKC", text.casefold())


class JsonField(models.JSONField):
    """JSON that is read as fast as it is written, with numbers that JSON can be made of again."""

    def from_db_value(
        self, value: Any, expression: Expression, connection: BaseDatabaseWrapper
    ) -> Any:
        # A number beyond 64 bits, which PostgreSQL writes out in full, comes back as a float.
        return orjson.loads(value) if isinstance(value, str) else value


class MetadataField(JsonField):
    """A JSON object of the client's own, {} when it gave none."""

    empty_values = ()  # [] is none of an object, and is checked

    def __init__(self, **options: Any):
        super().__init__(**{**options, "default": dict, "blank": True})

    def validate(self, value: Any, instance: models.Model | None) -> None:
        super().validate(value, instance)
        if not isinstance(value, dict):
            raise ValidationError("must be an object", code="invalid")
