"""What the columns of a file of CSV are called, and what its cells are in JSON."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db.models import Field, JSONField, Model

from customers.models import column_type_of, models_by_type
from customers.services import strict_json

KNOWN_AS = {"e-mail": "email", "mail": "email", "tags": "_add_tags", "group": "customer_group_id"}


def spelled(column: str) -> str:
    """The name that a `column` of a file has by what is written over it: E-Mail is email."""
    outer, dot, inner = column.partition(".")
    name = "_".join(outer.lower().split())  # one space may be another kind, or the end of a line
    return f"{KNOWN_AS.get(name, name)}{dot}{inner}"


def meant_name(column: str, resource_type: str) -> str:
    """The name that a `column` of rows of a type is meant to have, itself where none is known."""
    fields = _fields(models_by_type()[resource_type])
    known = {*fields, *(field.attname for field in fields.values())}
    known |= {"_add_tags", "_remove_tags"} if "tags" in fields else set()
    name = spelled(column)
    is_meant = column.partition(".")[0] not in known and name.partition(".")[0] in known
    return name if is_meant else column


def cell_values(cells: Mapping[str, str], resource_type: str) -> dict[str, Any]:
    """The `cells` of a row of a type, by name, as JSON has their values.

    A cell of what is not a text holds it as JSON; one that does not stays a text, which is
    refused where it is written. Tags may also be listed by their names.
    """
    model = models_by_type()[resource_type]
    values = {name: _value(model, name, cell) for name, cell in cells.items()}
    if isinstance(values.get("tags"), str) and "_add_tags" not in values:
        values["_add_tags"] = values.pop("tags")
    return values


def _value(model, name, cell):
    outer, dot, inner = name.partition(".")
    field = _fields(model).get(outer)
    if field is None or (dot and not field.is_relation):
        return cell
    if dot:
        return _value(field.related_model, inner, cell)
    try:
        is_json = field.is_relation or isinstance(field, JSONField)
        return _json_in(cell) if is_json else column_type_of(field).value_in(cell)
    except ValueError:
        return cell


def _json_in(cell):
    """The list or object that a `cell` holds. Raises ValueError."""
    try:
        value = strict_json.read_strict_json(cell.encode())
    except strict_json.InvalidJsonError as error:
        raise ValueError(cell) from error
    if not isinstance(value, list | dict):
        raise ValueError(cell)
    return value


@cache
def _fields(model: type[Model]) -> dict[str, Field]:
    return {
        field.name: field for field in (*model._meta.concrete_fields, *model._meta.many_to_many)
    }
