"""What is declared of columns: what is refused that nobody has said, and what follows from it."""

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import models
from django.test.utils import isolate_apps

from customers.checks import errors_of
from customers.db.declarations import clear, delete, keep, redact, scrub
from customers.db.fields import IdField, JsonField
from customers.models import (
    Attachment,
    Customer,
    Event,
    Order,
    OrderSubscription,
    Resource,
    SkuListItem,
    address_foreign_keys,
    all_models,
    customer_paths,
    goes_with_customer,
    id_columns,
)


def key(model, **options):
    return models.ForeignKey(model, models.CASCADE, related_name="+", **options)


def text(**options):
    return models.CharField(max_length=9, **options)


def told_of(base=Resource, **fields):
    """What the check says of a model with `fields`, by name, without what it says each is."""
    with isolate_apps("customers"):
        meta = type("Meta", (), {"app_label": "customers"})
        model = type("Card", (base,), {"__module__": __name__, "Meta": meta, **fields})
        return {
            error.msg.partition(": ")[0].partition(".")[2]: error.msg for error in errors_of(model)
        }


def test_of_every_column_there_is_all_is_said():
    assert [error for error in run_checks() if error.id == "customers.E001"] == []


@pytest.mark.parametrize(
    ("fields", "name", "told"),
    [
        ({"note": text()}, "Card.note", "say what becomes of it when a person is forgotten"),
        ({"owner": key(Customer)}, "Card.owner", "say what becomes of it"),
        ({"tags": models.ManyToManyField("customers.Tag", related_name="+")}, "Card.tags", "say"),
        ({"row_id": keep(IdField())}, "Card.row_id", "say whether the row is about the one"),
        (
            {"thing_type": keep(text()), "thing_id": keep(text())},
            "Card.thing_id",
            "say whether the row is about the one",
        ),
        ({"seen": keep(JsonField(null=True))}, "Card.seen", "JSON may quote a person"),
        ({"pin_token": keep(text())}, "Card.pin_token", "it is named as a secret is"),
        (
            {"owner": delete(key(Customer)), "on": clear(models.DateField())},
            "Card.on",
            "it cannot be empty",
        ),
        ({"owner": scrub(key(Customer))}, "Card.owner", "a key is kept, cleared"),
        ({"note": clear(text(null=True))}, "Card.note", "no key leads from here to a customer"),
        (
            {"order": keep(key(Order)), "note": redact(text())},
            "Card.note",
            "no key leads from here to a customer",
        ),
        (
            {"owner": keep(key(Customer)), "note": delete(text())},
            "Card.note",
            "its row stays when the customer is forgotten",
        ),
    ],
)
def test_what_is_not_said_of_a_column_is_refused_with_what_to_write(fields, name, told):
    errors = told_of(**fields)
    assert errors.keys() == {name}
    assert errors[name].startswith(f"customers.{name}: {told}")


@pytest.mark.parametrize(
    "fields",
    [
        {"note": keep(text())},
        {"note": scrub(text())},
        {"owner": delete(key(Customer)), "note": delete(text())},
        {"owner": keep(key(Customer)), "note": clear(text(null=True)), "name": redact(text())},
        {"order": delete(key(Order)), "note": clear(text(default=""))},
        {"row_id": keep(IdField(), way=True), "note": clear(text(null=True))},
        {"row_id": keep(IdField(), way=False)},
        {"seen": keep(JsonField(null=True), because="it holds numbers")},
        {"pin_token": keep(text(), secret=True)},
    ],
)
def test_what_is_said_is_taken(fields):
    assert told_of(**fields) == {}


def test_a_holder_of_addresses_has_a_customer():
    for model, _ in address_foreign_keys():
        assert model._meta.get_field("customer")


def test_a_declaration_changes_no_migration():
    declared, plain = keep(text(), secret=True), text()
    assert declared.deconstruct() == plain.deconstruct()


def test_what_hangs_on_a_customer_is_found_by_all_its_keys():
    paths = customer_paths()
    assert set(paths[Attachment]) == {
        "customer",
        "order__customer",
        "order_return__customer",
        "sku_list__customer",
    }
    assert paths[SkuListItem] == ["sku_list__customer"]
    assert paths[Order] == paths[OrderSubscription] == ["customer"]
    assert goes_with_customer(Attachment)
    assert not goes_with_customer(Order)
    assert list(paths).index(SkuListItem) < list(paths).index(Order)
    assert id_columns()[Event] == ["resource_id"]


def test_the_page_about_what_is_held_tells_of_every_column(capsys):
    call_command("describe_columns")
    page = (settings.BASE_DIR / "docs" / "personal-data.md").read_text()
    assert page == capsys.readouterr().out, "write it anew by manage.py describe_columns"


def test_every_type_of_a_customer_says_whether_it_stays():
    keyed = {
        model
        for model in all_models()
        if any(field.related_model is Customer for field in model._meta.concrete_fields)
    }
    assert keyed <= customer_paths().keys()
