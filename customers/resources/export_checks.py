"""What an export may hold: types, fields, relationship paths and filters, checked beforehand."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from customers.db.declarations import declared
from customers.models import Export, models_by_type
from customers.resources import operations
from customers.resources.protocols import Principal
from customers.services.transactions import advisory_lock

TYPES = sorted(name for name, model in models_by_type().items() if model.exportable)
NO_COLUMNS = {"jwt_custom_claim", "reset_password_token"}  # told to their bearers alone
MOST_OPEN = 10  # exports of one mode at once


class ExportRefusedError(Exception):
    """There is nothing to export, or too much, or too many are under way; the message says.

    `code` is the error's short name.
    """

    def __init__(self, message: str, code: str = "invalid") -> None:
        super().__init__(message)
        self.code = code


class UnknownFieldError(Exception):
    """A field is none of what can be written; the message names it."""


def validate_export(values: Mapping[str, Any], principal: Principal) -> int:
    """How many rows the new export that `values` describe has.

    Raises ValidationError of all members that are wrong.
    """
    resource_type = values["resource_type"]
    found: dict[str, ValidationError] = {}
    with _collected_as("fields", found):
        check_fields(resource_type, values.get("fields"), principal)
    with _collected_as("includes", found):
        check_export_includes(resource_type, values.get("includes"), principal)
    counted = 0
    with _collected_as("filters", found):
        counted = count_exported(resource_type, values.get("filters"), principal)
    if found:
        raise ValidationError(found)
    return counted


@contextmanager
def _collected_as(member: str, found: dict[str, ValidationError]) -> Iterator[None]:
    """Enter into `found`, by name, what is wrong with `member`, or with the export as a whole."""
    try:
        yield
    except (UnknownFieldError, operations.WriteRefusedError) as error:
        found[member] = ValidationError(str(error)[:500], "invalid")
    except ExportRefusedError as error:
        found["resource_type"] = ValidationError(str(error), error.code)


def check_fields(resource_type: str, fields: Iterable[str] | None, principal: Principal) -> None:
    """Raise UnknownFieldError unless each of `fields` can be written of rows of the type.

    A field is a path of relationships, which may begin with the type itself, and the name of
    an attribute, or * for all.
    """
    for path, names in chosen_fields(resource_type, fields).items():
        try:
            operations.check_include(resource_type, principal, [path] if path else [])
        except operations.WriteRefusedError as error:
            raise UnknownFieldError(f"cannot have {path[:100]}") from error
        known = {
            "*",
            "id",
            *(f"{name}_id" for name in ([] if path else to_one_keys(resource_type))),
        }
        for one in _types_at(resource_type, path):
            document = operations.tombstone(one, "", principal)
            known |= document["data"]["attributes"].keys() - hidden(one)
        for name in sorted(names - known):
            raise UnknownFieldError(f"cannot have {'.'.join(filter(None, [path, name]))[:100]}")


def check_export_includes(
    resource_type: str, includes: Iterable[str] | None, principal: Principal
) -> None:
    """Raise operations.WriteRefusedError unless `includes` are relationship paths of the type."""
    operations.check_include(resource_type, principal, includes or ())


def count_exported(
    resource_type: str, filters: Mapping[str, Any] | None, principal: Principal
) -> int:
    """How many rows an export would have, that may be begun in this transaction.

    Raises operations.WriteRefusedError and ExportRefusedError.
    """
    found = operations.rows(resource_type, principal, filters or {}).count()
    if not 1 <= found <= settings.MAX_EXPORT_RECORDS:
        raise ExportRefusedError(
            f"selects {found} records; it must be 1 to {settings.MAX_EXPORT_RECORDS}"
        )
    advisory_lock(f"exports of {principal.mode}")
    if Export.objects.in_mode(principal.mode).filter(status__in=Export.OPEN).count() >= MOST_OPEN:
        message = f"has {MOST_OPEN} exports under way; wait until one is done"
        raise ExportRefusedError(message, "too_many")
    return found


@cache
def hidden(resource_type: str) -> set[str]:
    """The attributes of a type that no export holds."""
    columns = declared(models_by_type()[resource_type]) if resource_type in models_by_type() else {}
    return NO_COLUMNS | {name for name, (_, said) in columns.items() if not said.exported}


def chosen_fields(resource_type: str, fields: Iterable[str] | None) -> dict[str, set[str]]:
    """The names of attributes that `fields` hold, by the relationship path to them."""
    chosen: dict[str, set[str]] = {}
    for field in fields or ():
        *path, name = field.split(".")
        if path[:1] == [resource_type]:
            del path[0]
        chosen.setdefault(".".join(path), set()).add(name)
    return chosen


def to_one_keys(resource_type: str) -> list[str]:
    """The to-one relationships of a type that a column ties."""
    model = operations.model_of(resource_type)
    columns = {field.attname for field in model._meta.concrete_fields}
    return [name for name in operations.relationships(resource_type) if f"{name}_id" in columns]


def _types_at(resource_type: str, path: str) -> set[str]:
    types = {resource_type}
    for name in filter(None, path.split(".")):
        found = [operations.relationships(one).get(name, (False, [])) for one in types]
        types = {target for _, targets in found for target in targets}
    return types
