"""What may be filtered by: for each type of attribute its predicates and the value they take."""

from collections.abc import Iterable

import django_filters
from django import forms

from customers.resources.filter_fields import (
    DateFormField,
    DecimalFormField,
    EmailKeyFormField,
    FloatFormField,
    FoldedTextFormField,
    InstantFormField,
    IntegerFormField,
    TextFormField,
)
from customers.resources.predicates import (
    BOOLEAN,
    EQUALITY,
    EQUALITY_OR_NULL,
    JSON,
    NULL,
    ORDER,
    PRESENCE,
    TEXT,
)

HEAVY = 5  # comparisons that one counts for which has to read a long text
COMPARABLE = [*EQUALITY, *EQUALITY_OR_NULL, *ORDER, *PRESENCE, *NULL]


class AttributeFilter(django_filters.Filter):
    """An attribute in a filter: `predicates` are the names of those that apply to it.

    `weight` is how many comparisons one is that has to read the value; `is_folded` says whether
    the column keeps the text folded, so that a btree finds its beginning; `may_hold_commas` that
    a text with commas is one value and no list, unless a predicate asks for a list;
    `has_spellings` that the column may keep the text in any of several that are equivalent.
    """

    predicates: Iterable[str] = ()
    weight = 1
    is_folded = False
    may_hold_commas = False
    has_spellings = False


class TextFilter(AttributeFilter):
    """A text."""

    field_class = TextFormField
    predicates = [*EQUALITY, *EQUALITY_OR_NULL, *TEXT, *PRESENCE, *NULL]
    may_hold_commas = True
    has_spellings = True


class LongTextFilter(TextFilter):
    """A text that may fill pages."""

    weight = HEAVY


class FoldedTextFilter(TextFilter):
    """A text that is equal in upper and lower case, kept folded in the column `field_name`."""

    field_class = FoldedTextFormField
    is_folded = True
    has_spellings = False  # what is folded is composed


class EmailFilter(TextFilter):
    """An e-mail address, whose key is kept in the column `field_name`."""

    field_class = EmailKeyFormField
    may_hold_commas = False
    has_spellings = False


class IdFilter(AttributeFilter):
    """An id, which is ordered by when its row was made."""

    field_class = TextFormField
    predicates = COMPARABLE


class IntegerFilter(AttributeFilter, django_filters.NumberFilter):
    """A whole number."""

    field_class = IntegerFormField
    predicates = COMPARABLE


class FloatFilter(AttributeFilter, django_filters.NumberFilter):
    """A number."""

    field_class = FloatFormField
    predicates = COMPARABLE


class DecimalFilter(AttributeFilter, django_filters.NumberFilter):
    """A number with so many digits behind the point."""

    field_class = DecimalFormField
    predicates = COMPARABLE


class InstantFilter(AttributeFilter):
    """An instant, or a day for its first instant."""

    field_class = InstantFormField
    predicates = COMPARABLE


class DateFilter(AttributeFilter):
    """A day."""

    field_class = DateFormField
    predicates = COMPARABLE


class BooleanFilter(AttributeFilter):
    """True or false."""

    field_class = forms.NullBooleanField
    predicates = ["eq", "not_eq", "eq_or_null", "not_eq_or_null", *BOOLEAN, *PRESENCE, *NULL]


class JsonFilter(AttributeFilter):
    """JSON, of which may be asked what it contains."""

    field_class = TextFormField
    predicates = [*JSON, *NULL]
    weight = HEAVY


class PresenceFilter(AttributeFilter):
    """Whether there is a value; the value itself cannot be asked about."""

    field_class = TextFormField
    predicates = ["present"]
