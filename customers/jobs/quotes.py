"""What tells a person from others, and whether a text or a JSON value holds any of it."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any, TypeVar

from customers.db.declarations import GONE, Tells, names_that_tell
from customers.db.fields import FoldedField
from customers.models import address_spellings, all_models

T = TypeVar("T", str, None)
fold = FoldedField.fold

LONG = 8  # characters of a code that is nobody else's by chance
SHORTEST_PHONE = 7  # digits
BETWEEN_DIGITS = r"[\s()./-]{0,3}"
SHORTEST_PART = 4  # characters by which a database finds where to look
# An address is another one when it goes on to the left or right: x.ada@…, ada@example.com.au
EMAIL = r"(?<!\w)(?<!\w[.+-]){}(?![\w-])(?!\.\w)"
WORDS = r"(?<!\w){}(?!\w)"


@cache
def names_telling(how: Tells) -> set[str]:
    """The names of the attributes, of whatever type, that are declared to tell who a person is.

    A reference or a tax exemption code is no code that tells: it may be that of thousands, such as
    where they were imported from.
    """
    return names_that_tell(*all_models(), how=how)


class Quotes:
    """Values that tell of a person, learnt by the names of the attributes that had them."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.emails: set[str] = set()  # these three as they were spelled
        self.phones: set[str] = set()
        self.codes: set[str] = set()
        self.place: set[tuple[str, str]] = set()  # an attribute of an address, its folded value
        self.names: set[tuple[str, str]] = set()  # first and last

    def learn(self, values: Mapping[str, Any]) -> None:
        """Take in the personal ones of `values`, of one row by attribute; no e-mail addresses."""
        for name, value in values.items():
            if not isinstance(value, str) or not value.strip():
                continue
            if name in names_telling(Tells.PHONE):
                self.phones.add(value)
            elif name in names_telling(Tells.CODE):
                self.codes.add(value)
            elif name in names_telling(Tells.PLACE):
                self.place.add((name, fold(value)))
        if (first := values.get("first_name")) and (last := values.get("last_name")):
            self.names.add((first, last))
        self.__dict__.pop("_pattern", None)

    def learn_email(self, email: str) -> None:
        self.emails |= {email, fold(email), *address_spellings(email)}
        self.__dict__.pop("_pattern", None)

    @property
    def parts(self) -> set[str]:
        """Texts of which a text that quotes the person holds one, in ASCII, in any case."""
        return self.email_parts | _parts({*self.phones, *self._telling_codes, *self._full_names})

    @property
    def email_parts(self) -> set[str]:
        """As `parts`, of a text that quotes one of the addresses."""
        return _parts(self.emails)

    def is_in(self, value: Any) -> bool:
        """Whether the text or JSON `value` quotes them, at any depth.

        A single name, line or short code is a quote only where others of the person stand
        beside it: it may be somebody else's too.
        """
        if isinstance(value, str):
            return value in self.ids or self._pattern.search(fold(value)) is not None
        if isinstance(value, dict):
            if self._is_described_by(value):
                return True
            value = [*value, *value.values()]
        return isinstance(value, list) and any(map(self.is_in, value))

    def is_about(self, row: Mapping[str, Any]) -> bool:
        """Whether `row`, given to be written, quotes them.

        One with somebody else's e-mail address is somebody else's, who may have the same name
        or telephone; a code or an address is a quote there, too.
        """
        addresses = {fold(text) for name, text in _texts_in(row) if "mail" in name.casefold()}
        if not {text for text in addresses if "@" in text} - {fold(one) for one in self.emails}:
            return self.is_in(row)
        certain = Quotes()
        certain.ids, certain.emails, certain.codes = self.ids, self.emails, self.codes
        return certain.is_in(row)

    def is_value_of(self, name: str, text: str) -> bool:
        """Whether `text`, asked for or given under a `name` such as `last_name_eq`, quotes them."""
        names = names_telling(Tells.CODE)
        told = {(field, fold(code)) for code in self.codes for field in names} | self.place
        return self.is_in(text) or any(
            field in name and value == fold(text) for field, value in told
        )

    def redacted(self, text: T) -> T:
        """`text` with a word instead of each quote; the same when there is none."""
        if not text or not self.is_in(text):
            return text
        left = self._pattern.sub(GONE, unicodedata.normalize("NFKC", text))
        return GONE if self.is_in(left) else left

    def _is_described_by(self, row):
        """Whether the members of `row`, at any depth, have both names, or a code as such."""
        flat = {(name.rpartition(".")[2], fold(text)) for name, text in _texts_in(row)}
        codes, names = {fold(code) for code in self.codes}, names_telling(Tells.CODE)
        if any(name in names and text in codes for name, text in flat):
            return True
        return any(
            {("first_name", fold(first)), ("last_name", fold(last))} <= flat
            for first, last in self.names
        )

    @cached_property
    def _pattern(self):
        phones = [digits for phone in self.phones if (digits := re.sub(r"\D", "", phone))]
        ways = {EMAIL.format(re.escape(fold(email))) for email in self.emails}
        ways |= {
            WORDS.format(r"\+?" + BETWEEN_DIGITS.join(digits))
            for digits in phones
            if len(digits) >= SHORTEST_PHONE
        }
        for text in {*self._telling_codes, *self._full_names}:
            ways.add(WORDS.format(re.escape(fold(text))))
        return re.compile("|".join(sorted(ways)) or r"(?!)", re.IGNORECASE)

    @property
    def _telling_codes(self):
        return {code for code in self.codes if len(code) >= LONG}

    @property
    def _full_names(self):
        both = [f"{first} {last}" for first, last in self.names]
        return {*both, *(f"{last}{by}{first}" for first, last in self.names for by in (" ", ", "))}


def _parts(texts):
    """The longest part of each of `texts` that every database compares and writes alike."""
    longest = {max(re.findall(r"[\x20-\x7e]+", text) or [""], key=len) for text in texts}
    return {part for part in longest if len(part) >= SHORTEST_PART}


def _texts_in(row):
    for name, value in row.items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, dict):
            yield from _texts_in(value)
