"""Lists that are asked for by a document, whose filters are too long or too private for an address.

It has the members of a list's query string: {"filter": {"q": {"id_in": ["a", "b"]}}, "sort": "-id",
"include": "tags", "fields": {"customers": "email"}, "page": {"size": 25}}.
"""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from customers.api import parsers
from customers.api.methods import replica_read
from customers.api.views import ListView
from customers.resources.errors import (
    ApiError,
    InvalidDataFormatError,
    ParamNotAllowedError,
    escaped,
)
from customers.resources.filter_texts import filter_text
from customers.resources.query import BRACKETED, Query

NESTED = {"filter", "fields", "page"}  # members that are objects
Pairs = Iterator[tuple[str, str]]


class SearchView(ListView):
    """/{type}/search, which answers as the list does and changes nothing.

    The links to its pages have the page in their query, which then stands for that of the
    document; they are followed by sending the same document.
    """

    actions = {"POST": "list"}
    limited_as = "GET"

    def get_parsers(self) -> list[BaseParser]:
        """The one parser, of whole documents."""
        return [parsers.SearchParser()]

    @replica_read
    def post(self, request: Request) -> HttpResponse:
        """A page of the rows that the document asks for."""
        in_address = self.query("page").pairs
        asked = [
            (name, value)
            for name, value in pairs_of(self.searched)
            if not (in_address and name.startswith("page["))
        ]
        query = Query([*asked, *in_address], ("include", "fields", "sort", "page", "filter"))
        paged = [(name, value) for name, value in query.pairs if name.startswith("page[")]
        return self.list_response(query, paged)

    @property
    def searched(self) -> dict[str, Any]:
        """The request's document. Raises ApiError."""
        if self.request.stream is None:  # no body, which DRF hands to no parser
            raise InvalidDataFormatError("The body must be a JSON object.")
        return dict(self.request.data)

    def handle_exception(  # type: ignore[override]
        self, exception: Exception
    ) -> HttpResponseBase:
        """The answer to `exception`, which points at the document, not at a query string."""
        for error in exception.errors if isinstance(exception, ApiError) else ():
            name = error.source.get("parameter")
            if name is not None and name not in self.request.GET:
                error.source = {"pointer": _pointer(name)}
        return super().handle_exception(exception)


def pairs_of(document: dict[str, Any]) -> Pairs:
    """The members of `document` as names and values of a query string. Raises ApiError."""
    for name, value in document.items():
        if name not in NESTED:
            yield name, _text_at(name, value)
        elif not isinstance(value, dict):
            raise InvalidDataFormatError("It must be an object.", pointer=_pointer(name))
        else:
            yield from _members(name, value)


def _members(outer: str, document: dict[str, Any]) -> Pairs:
    for name, value in document.items():
        path = f"{outer}[{name}]"
        if "[" in name or "]" in name:
            raise ParamNotAllowedError(f"{name[:100]} is not allowed.", parameter=path)
        if path == "filter[q]" and isinstance(value, dict):
            yield from _members(path, value)
        else:
            yield path, _text_at(path, value)


def _text_at(path: str, value: Any) -> str:
    if value is None and not path.startswith("filter["):
        raise InvalidDataFormatError("null is not a value here; leave it out.", parameter=path)
    try:
        return filter_text(value)
    except ApiError as error:
        raise ApiError(error.detail, parameter=path) from error


def _pointer(name: str) -> str:
    """Where the document has what a query string calls `name` (RFC 6901)."""
    outer, _, rest = name.partition("[")
    return "".join(f"/{escaped(part)}" for part in (outer, *BRACKETED.findall(f"[{rest}")))
