"""Finding rows by what staff have at hand."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from customers.db.compositions import equals_any
from customers.db.fields import FoldedField
from customers.db.indexes import has_trigrams
from customers.models import Customer, CustomerAddress, Order, email_key

SHORTEST_PART = 3  # shorter ones are in no index of trigrams
MOST = 200  # rows that one reference, order number or name brings


def found_rows(rows: QuerySet, text: str, lookups: Iterable[str], mode: str) -> QuerySet:
    """Those of `rows`, of `mode`, that one of `lookups` finds by `text`.

    A lookup is `column__lookup` or `key__column__lookup`. What a key leads to is looked up by
    itself, by its own index: one condition across tables would make the database read them.
    One or two letters, which are in no trigram, are looked for at the beginning of a column.
    """
    text, found = text.strip(), Q()
    for lookup in lookups:
        name, _, rest = lookup.partition("__")
        field = rows.model._meta.get_field(name)
        model, own = (field.related_model, rest) if field.is_relation else (rows.model, lookup)
        condition = _condition(model, own, text)
        if field.is_relation:
            known = model.objects.in_mode(mode).filter(condition).order_by()
            found |= Q(**{f"{name}__in": list(known.values_list("pk", flat=True)[:MOST])})
        else:
            found |= condition
    return rows.filter(found)


def _condition(model, lookup, text):
    column = lookup.partition("__")[0]
    field = model._meta.get_field(column)
    folded = isinstance(field, FoldedField)
    if len(text) < SHORTEST_PART and has_trigrams(model, column):
        lookup = f"{column}__{'prefix' if folded else 'begins'}"
    if folded:
        text = field.fold(text)
    text = text.removeprefix("#") if column == "number" else text
    return equals_any(column, [text]) if lookup == f"{column}__exact" else Q(**{lookup: text})


def found_customers(rows: QuerySet[Customer], text: str, mode: str) -> QuerySet[Customer]:
    """Those of `rows`, customers of `mode`, with `text` as a part of the e-mail address.

    And those that have it as id, reference, order number or name in the address book.
    Each of these is looked up by itself, by its own index: one condition across the
    tables would make the database read all customers. One or two letters, which are in no
    trigram, are looked for at the beginning of an address where nothing else fits.
    """
    text = text.strip()
    if "\0" in text:
        return rows.none()
    known = Q(pk__in=_known_as(text, mode))
    if len(text) < SHORTEST_PART:
        is_known = rows.filter(known).exists()
        return rows.filter(known if is_known else Q(email_key__prefix=email_key(text)))
    return rows.filter(Q(email_key__holds=email_key(text)) | known)


def _known_as(text, mode):
    """The ids of the customers of `mode` that are known by `text`, as a whole."""
    number = text.removeprefix("#")
    ways = [
        Customer.objects.filter(Q(pk=text) | equals_any("reference", [text])).values_list("pk"),
        Order.objects.filter(equals_any("number", [number])).values_list("customer"),
        CustomerAddress.objects.filter(_named(text)).values_list("customer"),
    ]
    return {pk for rows in ways for (pk,) in rows.filter(mode=mode).order_by()[:MOST] if pk}


def _named(text):
    """The address of the company, of either name, or of the first and last name `text`."""
    first, _, last = text.rpartition(" ")
    names = ("first_name", "last_name", "company")
    named = reduce(or_, (Q(**{f"address__{name}__begins": text}) for name in names))
    if first:
        named |= Q(address__first_name__begins=first, address__last_name__begins=last)
    return named
