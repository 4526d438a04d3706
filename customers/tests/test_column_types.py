"""One table leads from a kind of column to all that is written of it, inside and on the wire."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import orjson
import pytest
from django.apps import apps
from django.db import connection, models
from django.test.utils import isolate_apps

from customers.db.fields import JsonField
from customers.models import (
    COLUMN_TYPES,
    Customer,
    Resource,
    UnknownColumnTypeError,
    Webhook,
    column_kind,
    column_type_of,
)
from customers.resources import errors
from customers.resources.column_types import (
    SERIALIZER_FIELDS,
    WIRE_TYPES,
    column_type_of_field,
    schema_of,
)
from customers.resources.documents import Document
from customers.resources.filtering import filter_rows
from customers.resources.filters import Filters
from customers.resources.ordering import order_rows
from customers.resources.registry import registry
from customers.resources.serializers import ResourceSerializer
from customers.services import principals

pytestmark = pytest.mark.thorough

COLUMNS = [
    column
    for model in apps.get_app_config("customers").get_models()
    if issubclass(model, Resource)
    for column in model._meta.concrete_fields
]
WRITTEN = {  # a value of each kind: as JSON has it, and what a cell of CSV holds
    "choice": ("draft", "draft", "draft"),
    "email key": ("a@b.c", "a@b.c", "a@b.c"),
    "folded text": ("vip", "vip", "vip"),
    "id": ("0a", "0a", "0a"),
    "text": ("true", "true", "true"),
    "long text": ("a\nb", "a\nb", "a\nb"),
    "big integer": (2**53, 2**53, 2**53),
    "integer": (-1, -1, -1),
    "boolean": (False, False, "false"),
    "float": (1.5, 1.5, 1.5),
    "decimal": (Decimal("-10.50"), "-10.50", Decimal("-10.50")),
    "instant": (
        datetime(2026, 1, 31, 12, 0, 0, 1000, UTC),
        "2026-01-31T12:00:00.001Z",
        "2026-01-31T12:00:00.001Z",
    ),
    "date": (date(2026, 1, 31), "2026-01-31", "2026-01-31"),
    "metadata": ({"a": [1, None]}, {"a": [1, None]}, '{"a":[1,null]}'),
    "list": (["a"], ["a"], '["a"]'),
    "object": ({}, {}, "{}"),
    "foreign key": ("0a", "0a", "0a"),
}


def test_a_kind_of_column_is_a_row_inside_and_one_on_the_wire():
    assert list(COLUMN_TYPES) == list(WIRE_TYPES) == list(WRITTEN)


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_each_column_of_a_resource_is_of_one_kind(column):
    assert column_type_of(column) is COLUMN_TYPES[column_kind(column)]


@pytest.mark.parametrize(
    ("model", "name", "kind"),
    [
        (Customer, "status", "choice"),
        (Customer, "email_key", "email key"),
        (Customer, "id", "id"),
        (Customer, "customer_group", "foreign key"),
        (Customer, "created_at", "instant"),
        (Customer, "metadata", "metadata"),
        (Customer, "anonymization_info", "object"),
        (Webhook, "include_resources", "list"),
    ],
)
def test_the_first_kind_that_fits_is_that_of_a_column(model, name, kind):
    assert column_kind(model._meta.get_field(name)) == kind


def test_a_column_of_no_kind_is_refused_by_name():
    with pytest.raises(UnknownColumnTypeError, match="DurationField: add a row"):
        column_kind(models.DurationField())


@pytest.mark.parametrize("kind", COLUMN_TYPES)
def test_a_value_is_written_as_json_and_as_a_cell_and_read_from_one(kind):
    row, (value, as_json, cell) = COLUMN_TYPES[kind], WRITTEN[kind]
    assert row.json_of(value) == as_json
    assert type(row.json_of(value)) is type(as_json)
    assert orjson.loads(orjson.dumps(row.json_of(value))) == as_json
    assert row.cell_of(as_json) == cell
    assert type(row.cell_of(as_json)) is type(cell)
    assert row.value_in(str(cell)) == as_json
    assert type(row.value_in(str(cell))) is type(as_json)
    assert (row.json_of(None), row.cell_of(None), row.value_in("")) == (None, "", None)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("boolean", "yes"),
        ("boolean", "True"),
        ("integer", "1.0"),
        ("big integer", "1" * 19),
        ("float", "nan"),
        ("float", "x"),
        ("decimal", "1e5"),
        ("decimal", "NaN"),
        ("metadata", "{"),
        ("list", '"a"'),
    ],
)
def test_a_cell_that_holds_no_such_value_is_refused(kind, text):
    with pytest.raises(ValueError):  # noqa: PT011 each kind words it in its own way
        COLUMN_TYPES[kind].value_in(text)


def field_pairs():
    """The shown fields of all serializers that are columns of their own, with the columns."""
    for resource in registry.types.values():
        if resource.name == "organizations":
            continue  # made of settings, it has no columns
        model, serializer = resource.serializer_class.Meta.model, resource.serializer_class()
        columns = {one.name: one for one in model._meta.concrete_fields}
        for field in serializer.fields.values():
            if field.source in columns and not field.write_only:
                yield pytest.param(field, columns[field.source], id=str(columns[field.source]))


@pytest.mark.parametrize(("field", "column"), [*field_pairs()])
def test_a_field_writes_json_as_the_row_of_its_column_does(field, column):
    assert column_type_of_field(field).to_json is column_type_of(column).to_json


def test_fields_of_no_kind_are_described_as_anything():
    assert schema_of(ResourceSerializer.serializer_related_field(read_only=True)) == {}
    assert SERIALIZER_FIELDS[models.DateField].__name__ == "DateField"


@pytest.fixture
def vouchers(transactional_db):
    """A type with a date and a decimal, of which nothing is written but model and declarations."""
    with isolate_apps("customers"):

        class Voucher(Resource):
            amount = models.DecimalField(max_digits=6, decimal_places=2, null=True)
            valid_until = models.DateField(null=True)
            codes = JsonField(default=list)

            class Meta(Resource.Meta):
                db_table = "vouchers"

        class VoucherSerializer(ResourceSerializer):
            class Meta:
                model = Voucher
                fields = ["amount", "valid_until", "codes"]
                relationships = []
                writable = ["amount", "valid_until"]

        class VoucherFilters(Filters):
            class Meta:
                model = Voucher
                fields = ["amount", "valid_until"]

            sortable = ["amount", "valid_until"]

        class Vouchers:
            name = "vouchers"
            queryset = Voucher.objects.all()
            serializer_class = VoucherSerializer
            filterset_class = VoucherFilters
            relations = {}

            @classmethod
            def rows(cls, principal):
                return cls.queryset.all().visible_to(principal)

            @classmethod
            def link_to(cls, row):
                return f"/vouchers/{row.pk}"

        with connection.schema_editor() as editor:
            editor.create_model(Voucher)
        yield Vouchers
        with connection.schema_editor() as editor:
            editor.delete_model(Voucher)


def written(vouchers, attributes):
    serializer = vouchers.serializer_class(
        data=attributes, context={"principal": principals.service("test")}
    )
    serializer.is_valid()
    return serializer


def test_a_date_and_a_decimal_are_written_and_read(vouchers):
    principal = principals.service("test")
    serializer = written(vouchers, {"amount": "10.50", "valid_until": "2026-01-31"})
    assert serializer.errors == {}
    row = serializer.create(dict(serializer.validated_data))
    row = vouchers.rows(principal).get(pk=row.pk)
    assert (row.amount, row.valid_until) == (Decimal("10.50"), date(2026, 1, 31))
    attributes = json.loads(Document(vouchers, principal).one(row))["data"]["attributes"]
    assert (attributes["amount"], attributes["valid_until"]) == ("10.50", "2026-01-31")
    assert schema_of(serializer.fields["amount"]) == {"type": "string", "format": "decimal"}
    assert schema_of(serializer.fields["valid_until"]) == {"type": "string", "format": "date"}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("amount", 10.5, "must be a string"),
        ("amount", "ten", "must be a decimal number"),
        ("amount", "NaN", "must be a decimal number"),
        ("valid_until", 20260131, "must be a string"),
        ("valid_until", "2026-02-30", "must be a date in ISO 8601"),
        ("valid_until", "2026-01-31T12:00:00Z", "must be a date in ISO 8601"),
    ],
)
def test_what_is_no_date_and_no_decimal_is_refused(vouchers, name, value, message):
    assert written(vouchers, {name: value}).errors == {name: [message]}


def test_a_date_and_a_decimal_are_filtered_and_sorted(vouchers):
    principal, model = principals.service("test"), vouchers.queryset.model
    found = {}
    for name, amount, day in [("a", "9.99", "2026-01-31"), ("b", "10.5", "2026-02-01")]:
        found[name] = model(mode="test", reference=name, amount=amount, valid_until=day)
        found[name].save(force_insert=True)
    model(mode="test", reference="none").save(force_insert=True)

    def references(name, text):
        asked = [("filter", ("q", name), text)]
        rows = filter_rows(vouchers.rows(principal), vouchers, principal, asked)
        return [row.reference for row in order_rows(rows, vouchers, "-amount")]

    assert references("amount_eq", "10.50") == ["b"]
    assert references("amount_gteq", "9.99") == ["b", "a"]
    assert references("amount_lt_any", "9.99,10") == ["a"]
    assert references("valid_until_eq", "2026-01-31") == ["a"]
    assert references("valid_until_in", "2026-01-31,2026-02-01") == ["b", "a"]
    assert references("valid_until_lteq", "2026-02-01") == ["b", "a"]
    assert references("valid_until_null", "true") == references("amount_null", "true") == ["none"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("amount_gt", "1.234"),
        ("amount_gt", "1e9"),
        ("amount_gt", "1e-9999"),
        ("amount_gt", "NaN"),
        ("amount_gt", "ten"),
        ("valid_until_gt", "2026-02-30"),
        ("valid_until_gt", "2026-01-31T12:00:00Z"),
        ("valid_until_gt", ""),
        ("valid_until_cont", "2026"),
    ],
)
def test_a_filter_that_asks_for_no_such_value_is_refused(vouchers, name, text):
    principal, asked = principals.service("test"), [("filter", ("q", name), text)]
    with pytest.raises((errors.InvalidFilterValueError, errors.FilterNotAllowedError)) as refused:
        filter_rows(vouchers.rows(principal), vouchers, principal, asked)
    assert refused.value.source == {"parameter": "filter"}
