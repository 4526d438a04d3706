"""Texts that are canonically equivalent (UAX #15): of the same characters, composed or not.

Why not a column or an index of normalized text: what is kept stays as it was given, each index that
is there would be needed twice, and nearly all texts are composed. So what is looked for is spelled
in each way that is equivalent, and the indexes that are there find them, mixed spellings too. A
text of more ways than `MOST` is compared with the normalized column, which reads every row. Taken
out (`exact` and `in`), `Mu` U+0308 `nchen` is not found by `M` U+00FC `nchen`.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import combinations
from typing import NamedTuple

from django.db.models import Q

MOST = 1000  # spellings of one text that are looked for
MOST_MORE = 10_000  # of a list of texts, beyond one of each
MOST_PATTERNS = 64  # of one pattern
LONGEST_SEGMENT = 5  # characters that compose with each other
FEWEST_LETTERS = 3  # of a part that is looked for in an index of trigrams
AFTER_LAST = 0x30000  # of the characters that are composed
JAMO = {chr(code) for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
SEVERAL_WAYS = re.compile("[^\\0-\\x7f]|[;`K]")  # three signs of ASCII have a double beyond it
TOKEN = re.compile(r"\\(.)|([%_])|([^\\%_]+)", re.DOTALL)


def compose(text: str) -> str:
    """`text` in the one spelling (NFC) that equivalent texts share."""
    return unicodedata.normalize("NFC", text)


def equals_any(column: str, texts: list[str]) -> Q:
    """The condition that the text in `column` is equivalent to one of `texts`."""
    found: list[str] = []
    for text in texts:
        ways = equivalent_texts(text)
        found += ways
        if not ways or len(found) > len(texts) + MOST_MORE:
            return Q(**{f"{column}__nfc__in": [compose(one) for one in texts]})
    return Q(**{f"{column}__in": found}) if len(found) > 1 else Q(**{column: found[0]})


def equivalent_texts(text: str) -> list[str]:
    """All texts that are equivalent to `text`, itself among them; none where they are too many."""
    if not SEVERAL_WAYS.search(text):
        return [text]
    found = [""]
    for segment in _segments(text):
        ways = _spell(segment)
        if not ways or len(found) * len(ways) > MOST:
            return []
        found = [begun + way for begun in found for way in ways]
    return found


def widen(pattern: str) -> str:
    """A pattern of LIKE for all text, in any spelling, that matches `pattern` when it is composed.

    What can be spelled in several ways is left open in it.
    """
    parts = (
        "".join(escape_wildcards(one) if _is_steady(one) else "%" for one in part) or "%"
        for part in _parts(pattern)
    )
    return _merge("".join(parts))


def widen_to_any(pattern: str) -> list[str]:
    """As `widen`, several patterns for all that text, in each of which a trigram is found.

    It is the one where that has letters enough; else what can be spelled in several ways is
    written out, from the left, as far as MOST_PATTERNS allows.
    """
    wide = widen(pattern)
    if pattern.isascii() or has_letters(wide):
        return [wide]
    found = [""]
    for segment in (one for part in _parts(pattern) for one in _segments(part) or [""]):
        ways = [escape_wildcards(way) for way in _spell(segment)] if segment else []
        ways = ways if 0 < len(ways) * len(found) <= MOST_PATTERNS else ["%"]
        found = [begun + way for begun in found for way in ways]
    return [_merge(one) for one in found]


def has_letters(pattern: str) -> bool:
    """Whether a part of `pattern` between wildcards has as many letters as a trigram needs."""
    return any(sum(map(str.isalnum, part)) >= FEWEST_LETTERS for part in _parts(pattern))


def escape_wildcards(text: str) -> str:
    """`text` as a pattern of LIKE that means itself."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def _parts(pattern: str) -> list[str]:
    """The texts, composed, in a pattern of LIKE, and "" for each of its wildcards."""
    found: list[str] = []
    for escaped, wildcard, plain in TOKEN.findall(compose(pattern)):
        text = escaped or plain
        if wildcard or not found or not found[-1]:
            found.append(text)
        else:
            found[-1] += text
    return found


def _merge(pattern: str) -> str:
    """`pattern` with one % in place of several beside each other."""
    return re.sub(r"(?<!\\)((?:\\\\)*)%%+", r"\1%", pattern)


def _is_steady(character: str) -> bool:
    """Whether the `character` of a composed text is itself in each spelling of that, or in case."""
    if character.isascii():
        return character not in ";`"
    is_whole = unicodedata.is_normalized("NFD", character) and not unicodedata.combining(character)
    return is_whole and character not in _composed().left_over


def _segments(text: str) -> list[str]:
    """`text`, decomposed, in parts that are spelled each by itself."""
    found: list[str] = []
    for one in unicodedata.normalize("NFD", text):
        if found and (unicodedata.combining(one) or one in _composed().followers):
            found[-1] += one
        else:
            found.append(one)
    return found


@lru_cache(maxsize=4096)
def _spell(segment: str) -> list[str]:
    """All spellings of a decomposed `segment`; none where they are too many to be looked for."""
    if len(segment) > LONGEST_SEGMENT:
        return []
    ways = {way for way in _arrange(segment) if unicodedata.normalize("NFD", way) == segment}
    return sorted(ways)


def _arrange(marks: str) -> Iterator[str]:
    """The characters `marks` in every order, any of them composed."""
    if not marks:
        yield ""
    for size in range(1, len(marks) + 1):
        for places in combinations(range(len(marks)), size):
            chosen = "".join(marks[place] for place in places)
            rest = "".join(one for place, one in enumerate(marks) if place not in places)
            for one in (compose(chosen), *_composed().doubles.get(chosen, ())):
                if len(one) == 1:
                    yield from (one + after for after in _arrange(rest))


class _Composed(NamedTuple):
    """What Unicode's own table of decompositions holds."""

    doubles: dict[str, list[str]]  # by what they decompose to, those that nothing composes to
    followers: set[str]  # that may be composed with what is before them, and are no marks
    left_over: set[str]  # that may be of what was another character before it was composed


@cache
def _composed() -> _Composed:
    doubles: dict[str, list[str]] = defaultdict(list)
    followers, left_over = set(JAMO), set[str]()
    for one in map(chr, range(AFTER_LAST)):
        parts = unicodedata.normalize("NFD", one)
        followers.update(part for part in parts[1:] if not unicodedata.combining(part))
        if compose(one) != one:
            doubles[parts].append(one)
            left_over.update(compose(one))
    return _Composed(doubles, followers, left_over)
