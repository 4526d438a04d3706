"""What Django's checks refuse of our models: what nobody has said what it means for a person."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import Error
from django.db.models import CharField, Field, Model, TextField

from customers.db.declarations import Declaration, Erase, declaration_of, empty_value
from customers.db.fields import IdField, JsonField
from customers.models import (
    Address,
    Customer,
    address_foreign_keys,
    all_models,
    goes_with_customer,
    is_way,
)

SECRETS = ("password", "token", "secret", "digest")
UNDECLARED = (
    "say what becomes of it when a person is forgotten: write keep(…), clear(…), redact(…), "
    "delete(…) or scrub(…) of customers.db.declarations around the field"
)


def check_declarations(
    app_configs: Sequence[AppConfig] | None = None,  # noqa: ARG001 Django names it
    **options: Any,
) -> list[Error]:
    """An error for each column and each way to a customer of which something is not said."""
    return [error for model in all_models() for error in errors_of(model)]


def errors_of(model: type[Model]) -> list[Error]:
    """As `check_declarations`, of one model."""
    found = []
    for field in [*model._meta.concrete_fields, *model._meta.many_to_many]:
        if getattr(field, "of", None):  # computed of another one, as which it is declared
            continue
        said = declaration_of(field)
        faults = [UNDECLARED] if said is None else _faults(model, field, said)
        found += [_error(model, field.name, text) for text in faults]
    for key in [name for holder, name in address_foreign_keys() if holder is model]:
        if not any(field.name == "customer" for field in model._meta.concrete_fields):
            text = "a row that holds an address needs a key `customer`, None where it is nobody's"
            found.append(_error(model, key, text))
    return found


def _error(model, name, text):
    return Error(f"{model._meta.label}.{name}: {text}.", obj=model, id="customers.E001")


def _faults(model: type[Model], field: Field, said: Declaration) -> list[str]:
    return [text for is_broken, text in RULES if is_broken(model, field, said)]


def _is_untold_id(model, field, said):
    """Whether it may be the id of any row, by its type or by a column of types beside it."""
    if field.is_relation or field.primary_key or said.way is not None:
        return False
    beside = f"{field.name.removesuffix('_id')}_type"
    is_generic = beside in {one.name for one in model._meta.concrete_fields}
    return isinstance(field, IdField) or (field.name.endswith("_id") and is_generic)


def _is_unexplained_json(_model, field, said):
    return said.erase is Erase.KEEP and isinstance(field, JsonField) and not said.because


def _is_open_secret(_model, field, said):
    named = any(name in field.name for name in SECRETS)
    return named and isinstance(field, CharField | TextField) and not said.secret


def _cannot_be_empty(_model, field, said):
    is_column = said.erase is Erase.CLEAR and not field.many_to_many
    return is_column and not field.null and empty_value(field) is None


def _is_rewritten_key(_model, field, said):
    return field.is_relation and said.erase in (Erase.REDACT, Erase.SCRUB)


def _is_out_of_reach(model, field, said):
    is_personal = said.erase in (Erase.CLEAR, Erase.REDACT) and not field.is_relation
    if not is_personal or model in (Customer, Address) or not _is_own(model, field):
        return False
    return not any(is_way(one) for one in model._meta.concrete_fields)


def _is_own(model, field):
    """Whether `model` declares `field` itself, and has not got it from a base."""
    bases = [base for base in model.__mro__[1:] if hasattr(base, "_meta")]
    return not any(field.name in {one.name for one in base._meta.fields} for base in bases)


def _outlives(model, field, said):
    return said.erase is Erase.DELETE and not field.is_relation and not goes_with_customer(model)


RULES = [
    (_is_untold_id, "say whether the row is about the one with this id: way=True, or way=False"),
    (
        _is_unexplained_json,
        "JSON may quote a person: clear(…) or scrub(…) it, or say why it quotes nobody, "
        'keep(…, because="…")',
    ),
    (_is_open_secret, "it is named as a secret is: write secret=True"),
    (_cannot_be_empty, "it cannot be empty: let it be null, or write redact(…, to=…)"),
    (_is_rewritten_key, "a key is kept, cleared, or deletes its row: keep(…), clear(…), delete(…)"),
    (
        _is_out_of_reach,
        "no key leads from here to a customer, so nothing would ever empty it: write "
        'delete(models.ForeignKey(…)) or keep(models.ForeignKey("Customer", …)) around one, or '
        "scrub(…) around this field, which is then searched for what quotes somebody",
    ),
    (_outlives, "its row stays when the customer is forgotten: write clear(…) or redact(…)"),
]
