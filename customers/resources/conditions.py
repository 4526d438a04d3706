"""What a predicate asks of a row: a condition on the column that a filter names."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import Model, Q

from customers.db.compositions import (
    FEWEST_LETTERS,
    equals_any,
    escape_wildcards,
    has_letters,
)
from customers.db.indexes import has_trigrams
from customers.resources.filter_fields import TextFormField
from customers.resources.relations import Relation
from customers.services import strict_json

if TYPE_CHECKING:
    from customers.resources.filter_types import AttributeFilter

LONGEST_PATTERN = 500
MOST_WILDCARDS = 20  # % and _ of one pattern
MOST_JSON, DEEPEST_JSON = 50, 8  # values in what metadata must contain, and levels of it
ESCAPED = re.compile(r"\\.", re.DOTALL)
SPELLED_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}

Combine = Callable[[Q, Q], Q]


class FilterTarget(NamedTuple):
    """An attribute that a filter names: reached through `relations`, in `column` of `model`."""

    relations: tuple[Relation, ...]
    declared: "AttributeFilter"
    column: str
    model: type[Model]

    def compare(self, lookup: str, value: object) -> Q:
        """The condition that the column fulfils `lookup` of `value`."""
        return Q(**{f"{self.column}__{lookup}": value})

    @property
    def finds_parts(self) -> bool:
        """Whether an index finds parts of the text, of which it knows each spelling by itself."""
        return self.declared.has_spellings and has_trigrams(self.model, self.column)

    def equal_any(self, values: list) -> Q:
        """The condition that the column has one of `values`, of text in any spelling."""
        if self.declared.has_spellings:
            return equals_any(self.column, values)
        if len(values) == 1:
            return self.compare("exact", values[0])
        return self.compare("in", values)

    def is_null(self) -> Q:
        """The condition that the row has no value."""
        return self.compare("isnull", True)

    def negate(self, q: Q) -> Q:
        """Not `q`; a row without a value fulfils neither, as in SQL."""
        return self.compare("isnull", False) & ~q

    def read(self, text: str) -> Any:
        """The value in `text`, of the attribute's type. Raises ValidationError."""
        value = self.declared.field.clean(text)
        if value is None:
            raise ValidationError("it is not a valid value.")
        return value

    def read_all(self, texts: list[str]) -> list:
        """The values in `texts`. Raises ValidationError."""
        return [self.read(text) for text in texts]


class Condition(NamedTuple):
    """What a row must fulfil, and whether a missing value or row fulfils it too."""

    q: Q
    or_missing: bool = False


@dataclass(frozen=True)
class Equality:
    """Whether the value is the one that is asked for, or with `many` one of a list."""

    meaning: str
    many: bool = False
    negated: bool = False
    or_null: bool = False
    reads_value: ClassVar[bool] = False  # whether it has to read the whole of a long value

    @property
    def takes_list(self) -> bool:
        """Whether the text that it takes is a list."""
        return self.many

    def condition(self, target: FilterTarget, texts: list[str]) -> Condition:
        """The Condition that `texts` ask for. Raises ValidationError."""
        q = target.equal_any(target.read_all(texts))
        return Condition(target.negate(q) if self.negated else q, self.or_null)


@dataclass(frozen=True)
class Comparison:
    """Whether the value comes before or after the one that is asked for, or those of a list."""

    lookup: str
    meaning: str
    combine: Combine | None = None
    reads_value: ClassVar[bool] = False

    @property
    def takes_list(self) -> bool:
        """As of Equality."""
        return self.combine is not None

    def condition(self, target: FilterTarget, texts: list[str]) -> Condition:
        """The Condition that `texts` ask for. Raises ValidationError."""
        values = target.read_all(texts)
        found = [target.compare(self.lookup, value) for value in values]
        return Condition(reduce(self.combine or and_, found))


@dataclass(frozen=True)
class Pattern:
    """Whether the text matches what `pattern` makes of the one that is asked for."""

    pattern: Callable[[str], str]
    meaning: str
    negated: bool = False
    combine: Combine | None = None
    reads_value: ClassVar[bool] = True

    @property
    def takes_list(self) -> bool:
        """As of Equality."""
        return self.combine is not None

    def condition(self, target: FilterTarget, texts: list[str]) -> Condition:
        """The Condition that `texts` ask for. Raises ValidationError."""
        values = target.read_all(texts)
        if any(len(value) > LONGEST_PATTERN for value in values):
            raise ValidationError(f"it has more than {LONGEST_PATTERN} characters.")
        found = [self.match(target, value) for value in values]
        return Condition(reduce(self.combine or and_, found))

    def match(self, target: FilterTarget, value: str) -> Q:
        """The condition that the text matches the pattern of `value`. Raises ValidationError."""
        if self.negated:
            return target.negate(target.compare("ilike", self.pattern(value)))
        if has_trigrams(target.model, target.column):
            if self.pattern is not begin_with:
                check_letters(self.pattern(value))
            elif target.declared.is_folded:
                return target.compare("prefix", value)
        return target.compare("ilike", self.pattern(value))


@dataclass(frozen=True)
class Presence:
    """Whether there is a value, for the text true; with `empty` an empty text is none."""

    meaning: str
    wanted: bool
    empty: bool
    reads_value: ClassVar[bool] = False
    takes_list: ClassVar[bool] = False

    def condition(self, target: FilterTarget, texts: list[str]) -> Condition:
        """The Condition that the one text, true or false, asks for. Raises ValidationError."""
        present = read_filter_boolean(*texts) is self.wanted
        missing = target.is_null()
        if self.empty and isinstance(target.declared.field, TextFormField):
            missing |= Q(**{target.column: ""})
        return Condition(~missing if present else missing, not present)


@dataclass(frozen=True)
class Truth:
    """Whether the value is `wanted`, for the text true."""

    meaning: str
    wanted: bool
    reads_value: ClassVar[bool] = False
    takes_list: ClassVar[bool] = False

    def condition(self, target: FilterTarget, texts: list[str]) -> Condition:
        """The Condition that the one text, true or false, asks for. Raises ValidationError."""
        return Condition(Q(**{target.column: read_filter_boolean(*texts) is self.wanted}))


@dataclass(frozen=True)
class Containment:
    """Whether the JSON contains the object that is asked for."""

    meaning: str
    reads_value: ClassVar[bool] = True
    takes_list: ClassVar[bool] = False

    def condition(self, target: FilterTarget, texts: list[str]) -> Condition:
        """The Condition that the one text, a JSON object, asks for. Raises ValidationError."""
        (text,) = texts
        try:
            value = strict_json.read_strict_json(text.encode())
        except strict_json.InvalidJsonError as error:
            raise ValidationError(error.about("it")) from error
        if not isinstance(value, dict):
            raise ValidationError("it must be a JSON object.")
        check_json_size(value)
        return Condition(target.compare("jcont", value))


Predicate = Equality | Comparison | Pattern | Presence | Truth | Containment


def match_whole(text: str) -> str:
    """`text`, which is a pattern already. Raises ValidationError where it is none."""
    backslashes = len(text) - len(text.rstrip("\\"))
    if backslashes % 2:
        raise ValidationError("it ends in a backslash that escapes nothing.")
    if len(re.findall(r"[%_]", ESCAPED.sub("", text))) > MOST_WILDCARDS:
        raise ValidationError(f"it has more than {MOST_WILDCARDS} wildcards, % and _.")
    return text


def begin_with(text: str) -> str:
    """The pattern of what begins with `text`."""
    return f"{escape_wildcards(text)}%"


def end_with(text: str) -> str:
    """The pattern of what ends with `text`."""
    return f"%{escape_wildcards(text)}"


def contain(text: str) -> str:
    """The pattern of what contains `text`."""
    return f"%{escape_wildcards(text)}%"


def check_letters(pattern: str) -> None:
    """Raise ValidationError where no part of `pattern` is in an index of trigrams."""
    if not has_letters(pattern):
        raise ValidationError(
            f"it needs {FEWEST_LETTERS} letters or digits; one or two are found by _start."
        )


def check_json_size(value: dict) -> None:
    """Raise ValidationError where looking for the JSON `value` would cost too much of each row."""
    count, depth, level = 1, 1, [value]
    while level:
        level = [inner for outer in level for inner in members_of(outer)]
        count, depth = count + len(level), depth + bool(level)
    if count > MOST_JSON:
        raise ValidationError(f"it has more than {MOST_JSON} values.")
    if depth > DEEPEST_JSON:
        raise ValidationError(f"it is nested deeper than {DEEPEST_JSON} levels.")


def members_of(value: object) -> list:
    """The values directly in the JSON `value`, of which only lists and objects have any."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def read_filter_boolean(text: str) -> bool:
    """The boolean that `text` spells. Raises ValidationError."""
    try:
        return SPELLED_BOOLEANS[text.lower()]
    except KeyError:
        raise ValidationError("it must be true or false.") from None
