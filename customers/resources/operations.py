"""The API's own language for other rooms: its filters, its documents and its checked writes.

This is a port: the functions are those of the module that settings.WIRE names, as Django
finds ROOT_URLCONF. So services and the admin speak the wire's language without
importing the door for programs, which is above the one and beside the other.
"""

from functools import cache
from importlib import import_module

from django.conf import settings


class WriteRefusedError(Exception):
    """The API would have refused it.

    `errors` is a list of pairs: the name of the member that is wrong, "" for the whole, and
    what is wrong with it.
    """

    def __init__(self, errors):
        super().__init__("; ".join(f"{name} {text}".strip() for name, text in errors))
        self.errors = errors


class TooLargeError(WriteRefusedError):
    """The document would be too large with what it is to include."""


def rows(resource_type, principal, filters=None):
    """The queryset of the rows of a type that `principal` may see and that fulfil `filters`.

    `filters` maps the names of filter[q] to values: {"email_end": "@example.com",
    "id_in": ["a", "b"], "metadata_jcont": {"size": "M"}}. Raises WriteRefusedError.
    """
    return _door().rows(resource_type, principal, filters or {})


def row(resource_type, pk, principal):
    """The row of a type with the id `pk` that `principal` may see, or None."""
    return _door().row(resource_type, pk, principal)


def check_include(resource_type, principal, include):
    """Check the relationship paths `include` of documents. Raises WriteRefusedError."""
    _door().check_include(resource_type, principal, include)


def remains(resource_type, pk, principal):
    """The document about a row that is gone: its id, and every attribute null."""
    return _door().remains(resource_type, pk, principal)


def document(row, principal, include=(), most_bytes=None):
    """The JSON:API document about `row`, a dictionary, with the relationship paths `include`.

    Raises WriteRefusedError for a path that leads nowhere, TooLargeError for more than
    `most_bytes`, without it settings.MAX_DOCUMENT_BYTES, with what is included.
    """
    return _door().document(row, principal, include, most_bytes)


def document_of(rows, principal, include=()):
    """As `document`, about several rows of one type."""
    return _door().document_of(rows, principal, include)


def model_of(resource_type):
    """The model of the rows of a type."""
    return _door().model_of(resource_type)


def relationships(resource_type):
    """For each relationship of a type: whether it is to-many, and the types it leads to."""
    return _door().relationships(resource_type)


def checked(resource_type, principal, found):
    """What the API makes of each of `found`, attributes of rows to be made: values for the model.

    None stands for what `create` would refuse.
    """
    return _door().checked(resource_type, principal, found)


def create(resource_type, principal, attributes, relationships=None):
    """Make and record a row as a POST would; return it.

    Raises WriteRefusedError, having changed nothing.

    `relationships` maps names to {"type", "id"}, a list of these, or None.
    """
    return _door().create(resource_type, principal, attributes, relationships or {})


def update(row, principal, attributes, relationships=None):
    """Change and record `row` as a PATCH would; return it. Raises as `create`."""
    return _door().update(row, principal, attributes, relationships or {})


@cache
def _door():
    return import_module(settings.WIRE)
