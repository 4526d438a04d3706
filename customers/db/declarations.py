"""What a column means for a person, said around the field itself.

    note = clear(models.TextField(null=True, blank=True))

Django's fields know their type and nothing of what may be done with their values, and knowledge of
that kept elsewhere is a list that the next field is missing from. A field stays what it was, for
migrations too; without this module each of erasure, exports, imports, the audit log and merging
would have its own list of fields. It costs nothing on a request's way.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, TypedDict, TypeVar, Unpack

from django.db import models

GONE = "Anonymized"  # what stands where a person was named


class Erase(Enum):
    """What becomes of a value when the person is forgotten whose row it is in."""

    KEEP = "keep"
    CLEAR = "clear"
    REDACT = "redact"
    DELETE = "delete"
    SCRUB = "scrub"


class Tells(Enum):
    """How a value tells who a person is, in whatever text it stands."""

    EMAIL = "email"
    PHONE = "phone"
    CODE = "code"  # by which some system knows the person
    PLACE = "place"  # beside others only: it may be somebody else's, too


@dataclass(frozen=True)
class Declaration:
    """What is declared of one field; see the functions of this module for `erase`.

    `to` is what a redacted value becomes, or a function of the row that says it. `because` says
    why JSON that is kept quotes nobody. `way` says of a column that holds the id of a row, and
    is no foreign key, whether the row with it is about the row with that id. `searched` values
    are also emptied where the row is somebody else's and they quote the person.

    `secret` values are written down nowhere, `audited` ones in the audit log, `exported` ones in
    exports. `imported` ones are columns of the files that staff bring; without it those that may
    be edited are. `column` is one of the console's list. `moves` says of a key to a customer
    whether its rows move when two customers become one. `says` is what readers of the API's
    description are told of it, in full sentences with units, and `example` a value it may have.
    """

    erase: Erase
    to: Any = GONE
    tells: Tells | None = None
    because: str = ""
    way: bool | None = None
    searched: bool = False
    secret: bool = False
    audited: bool = True
    exported: bool = True
    imported: bool | None = None
    column: bool = False
    moves: bool = True
    says: str = ""
    example: Any = None


class Options(TypedDict, total=False):
    """What may be said beside what becomes of a value."""

    tells: Tells
    because: str
    way: bool
    searched: bool
    secret: bool
    audited: bool
    exported: bool
    imported: bool
    column: bool
    moves: bool
    says: str
    example: Any


F = TypeVar("F", bound="models.Field[Any, Any]")


def keep(field: F, **options: Unpack[Options]) -> F:
    """A value that tells of nobody. A key to a customer: the row stays, and is emptied."""
    return _declared(field, Declaration(Erase.KEEP, **options))


def clear(field: F, **options: Unpack[Options]) -> F:
    """A value that is emptied: None, where the column has that, otherwise its default."""
    return _declared(field, Declaration(Erase.CLEAR, **options))


def redact(field: F, *, to: Any = GONE, **options: Unpack[Options]) -> F:
    """A value that cannot be empty, and becomes `to`, a value or a function of the row."""
    return _declared(field, Declaration(Erase.REDACT, to=to, **options))


def delete(field: F, **options: Unpack[Options]) -> F:
    """A value that goes with its row. A key: the row goes with what the key points at."""
    return _declared(field, Declaration(Erase.DELETE, **options))


def scrub(field: F, **options: Unpack[Options]) -> F:
    """A value of whoever's row, of which only what quotes the person is taken out."""
    return _declared(field, Declaration(Erase.SCRUB, **options))


def declaration_of(field: object) -> Declaration | None:
    """What is declared of `field`; None of one that nobody has said anything about."""
    return getattr(field, "declaration", None)


def declared(model: type[models.Model]) -> dict[str, tuple[Any, Declaration]]:
    """The fields of `model` with their declarations, by name, those to many rows too.

    One that is computed from another (`of`) is none of its own.
    """
    fields = [*model._meta.concrete_fields, *model._meta.many_to_many]
    pairs = ((field, declaration_of(field)) for field in fields if not getattr(field, "of", None))
    return {field.name: (field, said) for field, said in pairs if said}


def erased_values(row: models.Model) -> dict[str, object]:
    """What the columns of `row` that are cleared or redacted become, by name."""
    values = {}
    for name, (field, said) in declared(type(row)).items():
        if said.erase is Erase.CLEAR and not field.many_to_many:
            values[name] = empty_value(field)
        elif said.erase is Erase.REDACT:
            values[name] = said.to(row) if callable(said.to) else said.to
    return values


def empty_value(field: "models.Field[Any, Any]") -> object:
    """What a cleared `field` holds."""
    return None if field.null else field.get_default()


def names_that_tell(*models_: type[models.Model], how: Tells | None = None) -> set[str]:
    """The names of the fields of the models that tell who a person is, or tell it so."""
    return {
        name
        for model in models_
        for name, (_, said) in declared(model).items()
        if said.tells and how in (None, said.tells)
    }


def keys_to(model: type[models.Model]) -> list[tuple[Any, Any]]:
    """The foreign keys that models declare to `model`: pairs of such a model and its field."""
    return [
        (relation.related_model, relation.field)
        for relation in model._meta.get_fields(include_hidden=True)
        if isinstance(relation, models.ManyToOneRel) and not relation.field.model._meta.auto_created
    ]


def _declared(field, declaration):
    field.declaration = declaration
    return field
