"""Single values, formatted for pages."""

import re
from zlib import crc32

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from customers.models import Customer

TINTS = 6
KINDS = {
    "good": "placed approved active received restocked completed repeat fulfilled paid",
    "progress": "acquired requested pending shipped authorized in_progress started",
    "warn": "draft editing placing inactive partially_paid partially_refunded running",
    "bad": "cancelled rejected failed voided refunded",
}
KIND_OF = {status: kind for kind, statuses in KINDS.items() for status in statuses.split()}


def initials(email: str) -> str:
    """One or two letters for an address: `ad` for ada@…, `al` for ada.lovelace@…."""
    words = re.findall(r"[^\W_]+", email.partition("@")[0]) or [email]
    return words[0][0] + words[1][0] if len(words) > 1 else words[0][:2]


def tint(pk: str) -> int:
    """Which of the colours an avatar has: always the same for one customer."""
    return crc32(pk.encode()) % TINTS


def breakable(email: str) -> SafeString:
    """An e-mail address that breaks before its @ where it does not fit into a line."""
    name, at, host = email.rpartition("@")
    return format_html("{}<wbr>{}{}", name, at, host)


def person(customer: Customer) -> SafeString:
    """A customer in a list: initials, address, and whether it is registered."""
    return format_html(
        '<span class="person"><span class="avatar tint-{}" aria-hidden="true">{}</span>'
        "<span>{} <small>{}</small></span></span>",
        tint(customer.pk),
        initials(customer.email),
        breakable(customer.email),
        "Registered" if customer.has_password else "Guest",
    )


def pill(status: str, label: str) -> SafeString:
    """The status of a row, in a colour that says what it means."""
    return format_html('<span class="pill {}">{}</span>', KIND_OF.get(status, ""), label)


def shown_tags(customer: Customer) -> SafeString | str:
    """The names of the customer's tags, which are loaded."""
    found = sorted(tag.name for tag in customer.tags.all())
    marks = format_html_join("", '<span class="tag">{}</span>', ((name,) for name in found))
    return format_html('<span class="tags">{}</span>', marks) if found else "—"


def counted_customers(number: int) -> str:
    """`3 customers`, `1 customer`."""
    return f"{number:,} customer{'s' * (number != 1)}"
