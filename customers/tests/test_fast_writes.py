"""save() is Django's; the API's writes are faster, and say so by their name."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.db.models import signals

from customers.db.compiled import Parameter, Statement, UncompilableError
from customers.models import Customer, Tag
from customers.tests.factories import make_customer

SIGNALS = [signals.pre_save, signals.post_save]


@pytest.fixture
def heard():
    """The names of the types whose saves are signalled."""
    senders = []

    def hear(sender, **_):
        senders.append(sender.__name__)

    for signal in SIGNALS:
        signal.connect(hear)
    yield senders
    for signal in SIGNALS:
        signal.disconnect(hear)


def test_save_sends_djangos_signals_and_the_fast_way_none(db, heard):
    tag = Tag(name="a")
    tag.save(force_insert=True)
    tag.save(update_fields=["name"])
    assert heard == ["Tag"] * 4
    heard.clear()
    Tag(name="b").fast_save()
    tag.fast_save(update_fields=["name"])
    assert heard == []


def test_both_ways_date_a_row_and_write_what_follows_from_a_column(db):
    made = Customer(email="Ada@Example.com")
    made.fast_save()
    kept = Customer.objects.get(pk=made.pk)
    assert (kept.email_key, kept.updated_at) == ("ada@example.com", kept.created_at)
    long_ago = made.created_at - timedelta(days=1)
    for number, save in enumerate((made.save, made.fast_save)):
        Customer.objects.filter(pk=made.pk).update(updated_at=long_ago)
        made.email = f"Bob{number}@Example.com"
        save(update_fields=["email"])
        fresh = Customer.objects.get(pk=made.pk)
        assert fresh.email_key == f"bob{number}@example.com"
        assert fresh.updated_at >= kept.created_at


def test_the_fast_way_writes_its_columns_alone_and_tells_a_row_that_is_gone(db):
    customer = make_customer(reference="before")
    Customer.objects.filter(pk=customer.pk).update(reference="between")
    customer.shopper_reference = "S-1"
    customer.fast_save(update_fields=["shopper_reference"])
    fresh = Customer.objects.get(pk=customer.pk)
    assert (fresh.reference, fresh.shopper_reference) == ("between", "S-1")
    Customer.objects.filter(pk=customer.pk).delete()
    with pytest.raises(DatabaseError):
        customer.fast_save(update_fields=["shopper_reference"])


def test_a_statement_finds_what_its_queryset_does(db):
    ada = make_customer(metadata={"n": [1, None]})
    rows = Customer.objects.select_related("customer_group").defer("reference")
    (found,) = Statement(rows.filter(pk=Parameter("pk")))(pk=ada.pk)
    expected = rows.get(pk=ada.pk)
    assert found == expected
    assert vars(found).keys() == vars(expected).keys()
    for field in Customer._meta.concrete_fields:
        assert getattr(found, field.attname) == getattr(expected, field.attname)


@pytest.mark.parametrize(
    "rows",
    [
        Tag.objects.values_list("pk"),
        Tag.objects.values("name"),
        Tag.objects.union(Tag.objects.all()),
    ],
    ids=["values_list", "values", "union"],
)
def test_a_queryset_that_fetches_no_whole_rows_is_not_compiled(db, rows):
    with pytest.raises(UncompilableError):
        Statement(rows)
