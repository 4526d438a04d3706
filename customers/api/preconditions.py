"""A change is made only to what its sender has seen (RFC 9110 section 13.1.1)."""

import re

from customers.api import errors
from customers.resources import documents
from customers.services import row_changes

TAGS = re.compile(r'\s*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')


def check(wanted, row, rows, viewset, principal):
    """Lock `row` and compare it with `wanted`, the header If-Match.

    Raises errors.PreconditionFailedError when it has changed, errors.ApiError when the header
    is malformed.
    """
    locked = row_changes.lock(row, rows, forgotten_too=True)  # the act itself may refuse
    if wanted.strip() == "*":
        return
    tags = TAGS.findall(wanted)
    if not tags or TAGS.sub("", wanted).strip():
        raise errors.ApiError('If-Match is written as an ETag is given: "…", or *.')
    if (
        documents.Document(viewset, principal).etag(locked) not in tags
    ):  # W/ never matches, as the standard has it
        raise errors.PreconditionFailedError(
            "The resource has changed since; retrieve it again and decide anew."
        )
