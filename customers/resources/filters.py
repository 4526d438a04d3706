"""The query language: `filter[q][…]`, the plain filters, and `sort`.

A type declares what may be filtered and sorted as a django-filter FilterSet; nothing
else in a query reaches the database.
"""

import re
from collections import namedtuple
from datetime import UTC, datetime
from functools import reduce
from operator import and_, or_

import django_filters
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.dateparse import parse_date, parse_datetime
from django_filters.utils import try_dbfield

from customers.db.fields import FoldedField, IdField, InstantField, MetadataField
from customers.db.indexes import has_trigrams
from customers.models import EmailKeyField, email_key
from customers.resources import errors
from customers.resources.relations import ToOne
from customers.services import strict_json

COMMON = ["id", "created_at", "updated_at", "reference", "reference_origin", "metadata"]
COMMON_SORT = ["id", "created_at", "updated_at", "reference", "reference_origin"]
MOST_RELATIONS = 4
LONGEST_NAME = 500
LONGEST_TEXT = 2000
LONGEST_PATTERN = 500
MOST_WILDCARDS = 20  # % and _ of one pattern
MOST_JSON, DEEPEST_JSON = 50, 8  # values in what metadata must contain, and levels of it
FEWEST_LETTERS = 3  # of a part that is looked for in an index of trigrams
WILDCARD = re.compile(r"(?<!\\)(?:\\\\)*[%_]")
HEAVY = 5  # comparisons that one counts for which has to read a long text
EQUALITY = ["eq", "not_eq", "in", "not_in", "not_eq_all"]
OR_NULL = ["eq_or_null", "not_eq_or_null", "in_or_null", "not_in_or_null"]
LISTS = ["any", "all"]
TEXT = [
    name
    for stem in ["matches", "start", "end", "cont", "i_cont"]
    for name in [stem, "does_not_match" if stem == "matches" else f"not_{stem}"]
    for name in [name, *(f"{name}_{ending}" for ending in LISTS)]
]
ORDER = [
    name
    for stem in ["lt", "lteq", "gt", "gteq"]
    for name in [stem, *(f"{stem}_{ending}" for ending in LISTS)]
]
PRESENCE = ["present", "blank"]
NULL = ["null", "not_null"]
BOOLEAN = ["true", "false"]


class WholeNumberField(forms.IntegerField):
    def __init__(self, **options):
        super().__init__(min_value=-(2**63), max_value=2**63 - 1, **options)

    def to_python(self, value):
        if value and not re.fullmatch(r"-?[0-9]{1,19}", value):
            raise ValidationError("must be a whole number")
        return super().to_python(value)


class FiniteField(forms.FloatField):
    """A number; the form field refuses infinity and NaN."""


class MomentField(forms.CharField):
    """ISO 8601: a moment, or a day, which stands for its first moment in UTC."""

    def to_python(self, value):
        value = super().to_python(value)
        try:
            moment = parse_datetime(value)
            if moment is None and (day := parse_date(value)):
                moment = datetime(day.year, day.month, day.day)
            if moment is None:
                raise ValueError(value)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            return moment.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValidationError("must be a date or a time in ISO 8601") from error


class TextField(forms.CharField):
    def __init__(self, **options):
        super().__init__(strip=False, max_length=LONGEST_TEXT, **options)


class FoldedTextField(TextField):
    def to_python(self, value):
        return FoldedField.fold(super().to_python(value))


class EmailTextField(TextField):
    def to_python(self, value):
        return email_key(super().to_python(value))


class Text(django_filters.CharFilter):
    field_class = TextField
    predicates = EQUALITY + OR_NULL + TEXT + PRESENCE + NULL
    weight = 1  # how many comparisons one is, where it reads the value


class LongText(Text):
    """Text that may fill pages."""

    weight = HEAVY


class Folded(Text):
    """Text that is equal in upper and lower case, kept folded in the column `field_name`."""

    field_class = FoldedTextField


class Email(Text):
    """An e-mail address, whose key is kept in the column `field_name`."""

    field_class = EmailTextField


class Id(django_filters.CharFilter):
    field_class = TextField
    predicates = EQUALITY + OR_NULL + ORDER + PRESENCE + NULL


class Number(django_filters.NumberFilter):
    field_class = WholeNumberField
    predicates = EQUALITY + OR_NULL + ORDER + PRESENCE + NULL


class Decimal(django_filters.NumberFilter):
    field_class = FiniteField
    predicates = EQUALITY + OR_NULL + ORDER + PRESENCE + NULL


class Moment(django_filters.IsoDateTimeFilter):
    field_class = MomentField
    predicates = EQUALITY + OR_NULL + ORDER + PRESENCE + NULL


class Boolean(django_filters.BooleanFilter):
    predicates = ["eq", "not_eq", *OR_NULL[:2], *BOOLEAN, *PRESENCE, *NULL]
    field_class = forms.NullBooleanField


class Json(django_filters.CharFilter):
    field_class = TextField
    predicates = ["jcont", *NULL]
    weight = HEAVY


class Presence(django_filters.CharFilter):
    """Whether there is a value; the value itself cannot be asked about."""

    field_class = TextField
    predicates = ["present"]


class Filters(django_filters.FilterSet):
    """What may be filtered (`Meta.fields` or declared), through which relations, and sorted."""

    FILTER_DEFAULTS = {
        models.CharField: {"filter_class": Text},
        models.TextField: {"filter_class": LongText},
        models.IntegerField: {"filter_class": Number},
        models.BooleanField: {"filter_class": Boolean},
        models.FloatField: {"filter_class": Decimal},
        models.JSONField: {"filter_class": Json},
        EmailKeyField: {"filter_class": Email},
        FoldedField: {"filter_class": Folded},
        IdField: {"filter_class": Id},
        InstantField: {"filter_class": Moment},
        MetadataField: {"filter_class": Json},
    }
    relationships = []
    sortable = COMMON_SORT

    @classmethod
    def filter_for_lookup(cls, field, lookup_type):
        return try_dbfield(cls.FILTER_DEFAULTS.get, type(field))["filter_class"], {}


Asked = namedtuple("Asked", "relations declared column model")
Asked.__doc__ = """An attribute a filter names: through which relations, declared how, in what
column of what model."""

Condition = namedtuple("Condition", "q or_missing")
Condition.__doc__ = """What a row must fulfil, and whether a missing value or row fulfils it too."""


def filtered(rows, viewset, principal, asked):
    """`rows` of `viewset`'s type that fulfil every filter in `asked`.

    `asked` is a list of query parameter, name and text; the name is the part in
    brackets, with `q` before it or not: [("filter[q][email_eq]", ("q", "email_eq"), "a@b.c")].
    Raises errors.FilterNotAllowedError and errors.InvalidFilterValueError, naming the parameter.
    """
    comparisons = 0
    for parameter, names, text in asked:
        found = _query_filter(viewset, names[1]) if len(names) > 1 else _plain(viewset, names[0])
        if isinstance(found, str):
            raise errors.FilterNotAllowedError(found, parameter=parameter)
        attributes, predicate = found
        compared = text.count(",") + 1 if predicate.endswith(("_any", "_all")) else 1
        reads = predicate in READING
        comparisons += compared * sum(one.declared.weight if reads else 1 for one in attributes)
        if comparisons > settings.MAX_FILTER_VALUES:
            raise errors.InvalidFilterValueError(
                f"More than {settings.MAX_FILTER_VALUES} comparisons are asked for.",
                parameter=parameter,
            )
        try:
            rows = rows.filter(
                reduce(or_, (_applied(one, predicate, text, principal) for one in attributes))
            )
        except ValidationError as error:
            raise errors.InvalidFilterValueError(
                f"'{text[:100]}' cannot be compared: {' '.join(error.messages)}",
                parameter=parameter,
            ) from error
    return rows


def ordered(rows, viewset, text):
    """`rows` in the order that `text` asks for: comma-separated names, `-` for descending.

    Rows that are equal, and all where nothing is asked, come in the order they were
    made. Without a value is last, as PostgreSQL has it. Raises errors.InvalidSortError.
    """
    filters = viewset.filterset_class
    terms = []
    for name in text.split(",") if text else []:
        attribute = name.removeprefix("-")
        if attribute not in filters.sortable:
            raise errors.InvalidSortError(
                f"{attribute[:100]} is not a valid sort criteria for {viewset.name}.",
                parameter="sort",
            )
        column = filters.base_filters[attribute].field_name
        nullable = rows.model._meta.get_field(column).null or None
        if name.startswith("-"):
            terms.append(F(column).desc(nulls_first=nullable))
        else:
            terms.append(F(column).asc(nulls_last=nullable))
    return rows.order_by(*terms, "id")


def _query_filter(viewset, name):
    """The attributes and the predicate that `name` spells, or a sentence on what is wrong."""
    problem = f"{name[:100]} ends in no known predicate."
    if len(name) > LONGEST_NAME:
        return problem
    for predicate in PREDICATES:
        stem = name.removesuffix(f"_{predicate}")
        if stem != name:
            attributes = _attributes(viewset, stem)
            if attributes is None:
                problem = f"{stem[:100]} is not an attribute of {viewset.name} to filter by."
                continue
            for attribute in attributes:
                if predicate not in attribute.declared.predicates:
                    return f"{predicate} does not apply to {stem[:100]}."
            return attributes, predicate
    return problem


def _plain(viewset, name):
    """As _query_filter, for filters without `q`: equal, or one of a list, or within dates."""
    stems = {name: "in", name.removesuffix("_from"): "gteq", name.removesuffix("_to"): "lteq"}
    stems["id" if name == "ids" else name] = "in"
    for stem, predicate in stems.items():
        attribute = _attribute(viewset, stem, 1)
        if attribute and predicate in attribute.declared.predicates:
            return [attribute], predicate
    return f"{name[:100]} is not a filter of {viewset.name}."


def _attributes(viewset, stem):
    """The attributes of `a_or_b`, None when one is unknown."""
    if attribute := _attribute(viewset, stem, MOST_RELATIONS):
        return [attribute]
    for joint in re.finditer("_or_", stem):
        first = _attribute(viewset, stem[: joint.start()], MOST_RELATIONS)
        if first and (others := _attributes(viewset, stem[joint.end() :])):
            return [first, *others]
    return None


def _attribute(viewset, name, hops):
    """The Asked that `name` means: an attribute of the type, or one of a related type, prefixed."""
    filters = viewset.filterset_class
    if declared := filters.base_filters.get(name):
        return Asked([], declared, declared.field_name, viewset.queryset.model)
    for relationship in sorted(filters.relationships, key=len, reverse=True):
        rest = name.removeprefix(f"{relationship}_")
        if rest != name and hops:
            relation = viewset.relations[relationship]
            if rest == "id" and isinstance(relation, ToOne):
                return Asked([], Id(), relation.column, viewset.queryset.model)
            if found := _attribute(relation.target, rest, hops - 1):
                return found._replace(relations=[relation, *found.relations])
    return None


def _applied(attribute, predicate, text, principal):
    condition = PREDICATES[predicate](attribute, text)
    if condition.or_missing:
        null = Q(**{f"{attribute.column}__isnull": True})
        condition = condition._replace(q=condition.q | null)
    for relation in reversed(attribute.relations):
        q = relation.has(principal, condition.q)
        if condition.or_missing:
            q |= ~relation.has(principal, Q())
        condition = condition._replace(q=q)
    return condition.q


def _value(attribute, text):
    value = attribute.declared.field.clean(text)
    if value is None:
        raise ValidationError("it is not a value of this attribute.")
    return value


def _values(attribute, text):
    return [_value(attribute, part) for part in text.split(",")]


def _true(text):
    try:
        return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
    except KeyError:
        raise ValidationError("it must be true or false.") from None


def _negated(attribute, q):
    """Not `q`; a row without a value fulfils neither, as in SQL."""
    return Q(**{f"{attribute.column}__isnull": False}) & ~q


def _equals(lookup, *, many=False, negative=False, or_missing=False):
    def build(attribute, text):
        value = (_values if many else _value)(attribute, text)
        q = Q(**{f"{attribute.column}__{lookup}": value})
        return Condition(_negated(attribute, q) if negative else q, or_missing)

    return build


def _compares(lookup, *, combine=None):
    def build(attribute, text):
        values = _values(attribute, text) if combine else [_value(attribute, text)]
        found = [Q(**{f"{attribute.column}__{lookup}": value}) for value in values]
        return Condition(reduce(combine or and_, found), False)

    return build


def _likes(pattern, *, negative=False, combine=None):
    def build(attribute, text):
        values = _values(attribute, text) if combine else [_value(attribute, text)]
        if any(len(value) > LONGEST_PATTERN for value in values):
            raise ValidationError(f"it has more than {LONGEST_PATTERN} characters.")
        if not negative and has_trigrams(attribute.model, attribute.column):
            if pattern is _begun and isinstance(attribute.declared, Folded):
                found = [Q(**{f"{attribute.column}__prefix": value}) for value in values]
                return Condition(reduce(combine or and_, found), False)
            if pattern is not _begun:
                _check_letters(pattern(value) for value in values)
        found = [Q(**{f"{attribute.column}__ilike": pattern(value)}) for value in values]
        if negative:
            found = [_negated(attribute, q) for q in found]
        return Condition(reduce(combine or and_, found), False)

    return build


def _given(pattern):
    backslashes = len(pattern) - len(pattern.rstrip("\\"))
    if backslashes % 2:
        raise ValidationError("it ends in a backslash that escapes nothing.")
    if len(re.findall(r"[%_]", re.sub(r"\\.", "", pattern, flags=re.DOTALL))) > MOST_WILDCARDS:
        raise ValidationError(f"it has more than {MOST_WILDCARDS} wildcards, % and _.")
    return pattern


def _begun(text):
    return f"{_literal(text)}%"


def _check_letters(patterns):
    """Raise ValidationError where one of `patterns` has no part that is in an index of trigrams."""
    for pattern in patterns:
        parts = WILDCARD.split(pattern)
        if not any(sum(map(str.isalnum, part)) >= FEWEST_LETTERS for part in parts):
            raise ValidationError(
                f"it needs {FEWEST_LETTERS} letters or digits; one or two are found by _start."
            )


def _literal(text):
    return re.sub(r"([\\%_])", r"\\\1", text)


def _presence(*, wanted, empty):
    """Whether there is a value; `empty` counts "" as none."""

    def build(attribute, text):
        column, present = attribute.column, _true(text) is wanted
        missing = Q(**{f"{column}__isnull": True})
        if empty and isinstance(attribute.declared.field, TextField):
            missing |= Q(**{column: ""})
        return Condition(~missing if present else missing, not present)

    return build


def _is(wanted):
    def build(attribute, text):
        return Condition(Q(**{attribute.column: _true(text) is wanted}), False)

    return build


def _contains_json(attribute, text):
    try:
        value = strict_json.read(text.encode())
    except strict_json.InvalidJsonError as error:
        raise ValidationError(error.about("it")) from error
    if not isinstance(value, dict):
        raise ValidationError("it must be a JSON object.")
    _check_work(value)
    return Condition(Q(**{f"{attribute.column}__jcont": value}), False)


def _check_work(value):
    """Raise ValidationError where looking for the JSON `value` would cost too much of each row."""
    count, depth, level = 1, 1, [value]
    while level:
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        count, depth = count + len(level), depth + bool(level)
    if count > MOST_JSON:
        raise ValidationError(f"it has more than {MOST_JSON} values.")
    if depth > DEEPEST_JSON:
        raise ValidationError(f"it is nested deeper than {DEEPEST_JSON} levels.")


def _predicates():
    equal = {
        "eq": ("exact", {}),
        "not_eq": ("exact", {"negative": True}),
        "in": ("in", {"many": True}),
        "not_in": ("in", {"many": True, "negative": True}),
    }
    found = {"not_eq_all": _equals("in", many=True, negative=True), "jcont": _contains_json}
    for name, (lookup, how) in equal.items():
        found[name] = _equals(lookup, **how)
        found[f"{name}_or_null"] = _equals(lookup, **how, or_missing=True)
    found |= {
        "present": _presence(wanted=True, empty=True),
        "blank": _presence(wanted=False, empty=True),
        "not_null": _presence(wanted=True, empty=False),
        "null": _presence(wanted=False, empty=False),
        "true": _is(True),
        "false": _is(False),
    }
    patterns = {
        "matches": _given,
        "start": _begun,
        "end": lambda text: f"%{_literal(text)}",
        "cont": lambda text: f"%{_literal(text)}%",
        "i_cont": lambda text: f"%{_literal(text)}%",
    }
    for ending, combine in {"": None, "_any": or_, "_all": and_}.items():
        for stem, pattern in patterns.items():
            negated = "does_not_match" if stem == "matches" else f"not_{stem}"
            found[f"{stem}{ending}"] = _likes(pattern, combine=combine)
            found[f"{negated}{ending}"] = _likes(pattern, negative=True, combine=combine)
        for stem, lookup in {"lt": "lt", "lteq": "lte", "gt": "gt", "gteq": "gte"}.items():
            found[f"{stem}{ending}"] = _compares(lookup, combine=combine)
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))  # longest name first


PREDICATES = _predicates()
# those that have to read the whole value
READING = {name for name in PREDICATES if name in TEXT or name == "jcont"}
