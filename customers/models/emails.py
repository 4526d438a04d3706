"""E-mail addresses: which are taken, which are one, and how mail servers take them."""

import re
import unicodedata
from collections import defaultdict
from contextlib import suppress
from functools import lru_cache
from typing import overload

import idna
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from customers.db.fields import FoldedField

APART = "\uffff"  # no address holds it: it is no character (Unicode, section 23.7)
A_LABEL = "xn--"
LONGEST = 2000  # characters that are looked at; an address has 254 at most
# HTML's e-mail field (html.spec.whatwg.org, "valid e-mail address"), and what is beyond ASCII
LOCAL_PART = re.compile(r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~\u00a1-\U0010ffff-]+")
LABEL = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")


def validate_email_address(value: str) -> None:
    """Accept what HTML's e-mail field accepts, and addresses in any alphabet (RFC 6531).

    Each in one spelling alone (NFKC of UAX #15), and with a domain that there can be
    (IDNA 2008, RFC 5891). Raises ValidationError for anything else, such as a quoted local part.
    """
    local, at, domain = value.rpartition("@")
    fits = at and len(value) <= LONGEST and LOCAL_PART.fullmatch(local)
    if not (fits and all(map(_is_label, domain.split(".")))):
        raise ValidationError("is not an e-mail address", code="invalid")
    if not unicodedata.is_normalized("NFKC", value) or not local.isprintable():
        raise ValidationError("holds characters with another, equal spelling", code="invalid")


@overload
def email_key(text: str) -> str: ...


@overload
def email_key(text: None) -> None: ...


def email_key(text: str | None) -> str | None:
    """What `text`, an e-mail address or a part of one, is compared by; None of None.

    The local part in lower case, which is no case folding: ß is not ss. The domain in lower case
    with U-labels for A-labels, which are one (RFC 5890 section 2.3.2.1); ß and ss are two there
    (RFC 5892 section 2.6). Text in NFD is as in NFC; any other that is not in NFKC, such as the
    sign for kelvin, has a key that no address has which validate_email_address takes.

    Unicode never changes the case and the composition of a character that it has, and others are
    refused, so that a key that is kept stays right; but for an A-label of letters that idna's
    tables do not have yet, which is compared as it is.
    """
    if text is None:
        return None
    if text.isascii():
        lower = text.lower()
        if A_LABEL not in lower:
            return lower
    if len(text) > LONGEST:
        return APART + text
    composed = unicodedata.normalize("NFC", text) if _is_decomposed(text) else text
    if not unicodedata.is_normalized("NFKC", composed):
        return APART + text
    local, at, domain = composed.rpartition("@")
    if not at:  # a part of either
        domain = domain.lower()
    return f"{local.lower()}{at}{'.'.join(map(_label_key, domain.split('.')))}"


def address_spellings(address: str) -> set[str]:
    """How a text may name the mailbox of `address`, apart from upper and lower case."""
    key = email_key(address)
    found = {address, key}
    with suppress(ValueError):  # of what is no domain, and has one spelling
        found.add(with_ascii_domain(key))
    return found


def with_ascii_domain(address: str) -> str:
    """`address` with a domain of A-labels, as mail servers take it (RFC 5891 section 4.4).

    Raises ValueError, which idna's errors are, where there can be no such domain.
    """
    local, at, domain = address.rpartition("@")
    return local + at + ".".join(map(_ascii_label, domain.split(".")))


def _is_decomposed(text):
    return unicodedata.is_normalized("NFD", text)


def _is_label(label):
    if label.isascii():
        return bool(LABEL.fullmatch(label))
    try:
        return bool(_ascii_label(label))
    except idna.IDNAError:
        return False


@lru_cache(maxsize=4096)
def _label_key(label):
    label = _in_lower_case(label)
    if label.isascii() and label.startswith(A_LABEL):
        try:
            return idna.ulabel(label)
        except idna.IDNAError:  # of a domain that there can be, though not by IDNA 2008
            return label
    return label


def _ascii_label(label):
    """`label` as an A-label where it is not in ASCII. Raises idna.IDNAError."""
    return label if label.isascii() else idna.alabel(_in_lower_case(label)).decode()


def _in_lower_case(label):
    """`label` as RFC 5895 section 2 maps it; letter by letter, whatever stands beside it."""
    return unicodedata.normalize("NFC", "".join(letter.lower() for letter in label))


def stale_keys(customers: QuerySet) -> dict[str, str]:
    """The key by id of each of the rows `customers` whose email_key is another's, an older one."""
    found = customers.order_by().values_list("pk", "email", "email_key")
    return {
        pk: key for pk, email, kept in found.iterator(5000) if (key := email_key(email)) != kept
    }


def collisions(customers: QuerySet, keys: dict[str, str]) -> list[tuple[str, list[str]]]:
    """The modes and ids of rows that would have one key, if they had `keys`, of stale_keys."""
    holders = defaultdict(list)
    for part in _parts_of(keys):
        for pk, mode in customers.filter(pk__in=part).values_list("pk", "mode"):
            holders[mode, keys[pk]].append(pk)
    for part in _parts_of({key for _, key in holders}):
        kept = customers.filter(email_key__in=part).values_list("pk", "mode", "email_key")
        for pk, mode, key in kept:
            if pk not in keys and (mode, key) in holders:
                holders[mode, key].append(pk)
    return sorted((mode, sorted(ids)) for (mode, _), ids in holders.items() if len(ids) > 1)


def _parts_of(values):
    values = list(values)
    return [values[start : start + 500] for start in range(0, len(values), 500)]


class EmailKeyField(FoldedField):
    """What the e-mail address in the field `of` is compared by: email_key."""

    fold = staticmethod(email_key)  # type: ignore[assignment]  # staticmethod's keeps one overload
