"""What Django's checks refuse of our models: what nobody has said what it means for a person."""

from typing import Any

from django.core.checks import Error
from django.db.models import CharField, Field, Model, TextField

from customers.db.declarations import Declaration, Erase, declaration_of, empty_value, keys_to
from customers.db.fields import IdField, JsonField
from customers.models import Address, Customer, all_models, goes_with_customer, is_way

SECRETS = ("password", "token", "secret", "digest")


def check_declarations(app_configs: Any = None, **options: Any) -> list[Error]:
    """An error for each column and each way to a customer of which something is not said."""
    found = []
    for model in all_models():
        for field in [*model._meta.concrete_fields, *model._meta.many_to_many]:
            if not getattr(field, "of", None):
                found += [_error(model, field, text) for text in _faults(model, field)]
    for model, key in keys_to(Address):
        if not any(field.name == "customer" for field in model._meta.concrete_fields):
            text = "a row that holds an address needs a key `customer`, None where it is nobody's"
            found.append(_error(model, key, text))
    return found


def _error(model, field, text):
    return Error(f"{model._meta.label}.{field.name}: {text}.", obj=model, id="customers.E001")


def _faults(model: type[Model], field: "Field[Any, Any]") -> list[str]:
    """What is missing in what is said about `field`, as sentences without an end."""
    said = declaration_of(field)
    if said is None:
        return [
            "say what becomes of it when a person is forgotten: write keep(…), clear(…), "
            "redact(…), delete(…) or scrub(…) of customers.db.declarations around the field"
        ]
    return [
        text
        for is_wrong, text in [
            (
                said.way is None and isinstance(field, IdField) and not field.primary_key,
                "say whether the row is about the one with this id: way=True, or way=False",
            ),
            (
                said.erase is Erase.KEEP and isinstance(field, JsonField) and not said.because,
                "JSON may quote a person: clear(…) or scrub(…) it, or say why it quotes nobody: "
                'keep(…, because="…")',
            ),
            (
                any(name in field.name for name in SECRETS)
                and isinstance(field, CharField | TextField)
                and not said.secret,
                "it is named as a secret is: write secret=True",
            ),
            (
                said.erase is Erase.CLEAR
                and not field.many_to_many
                and empty_value(field) is None
                and not field.null,
                "it cannot be emptied: let it be null, or write redact(…, to=…)",
            ),
            (
                _is_own(model, field) and _cannot_be_reached(model, said),
                "no key leads from here to a customer, so nothing would ever empty it: declare "
                "one, delete(models.ForeignKey(…)) or keep(models.ForeignKey('Customer', …)), "
                "or search it for what quotes somebody, scrub(…)",
            ),
            (
                said.erase is Erase.DELETE
                and not field.is_relation
                and not goes_with_customer(model),
                "its row stays when the customer is forgotten: write clear(…) or redact(…)",
            ),
        ]
        if is_wrong
    ]


def _is_own(model, field):
    """Whether `model` declares `field` itself, and has not got it from a base of all."""
    return not any(
        base._meta.abstract and field.name in {one.name for one in base._meta.fields}
        for base in model.__mro__[1:]
        if hasattr(base, "_meta")
    )


def _cannot_be_reached(model: type[Model], said: Declaration) -> bool:
    if said.erase not in (Erase.CLEAR, Erase.REDACT) or model in (Customer, Address):
        return False
    return not any(is_way(field) for field in model._meta.concrete_fields)
