"""How a type is written: what is compiled once of its serializer, for each choice of fields."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Any

import orjson
from django.db.models import Model
from rest_framework import serializers as drf

from customers.db.bounds import is_long
from customers.resources import errors
from customers.resources.column_types import column_type_of_field
from customers.resources.fields import PrincipalField
from customers.resources.protocols import ServedType

Identifiers = list[dict[str, str]] | dict[str, str] | None
Reader = Callable[[Model], tuple]


class Shape:
    """A type as it is written: its attributes' getters and its relationships' names.

    `fields` are the names to show, without them all. Raises errors.InvalidFieldError for an
    unknown one.
    """

    def __init__(self, viewset: ServedType, fields: frozenset[str] | None = None) -> None:
        readable = readable_fields(viewset)
        if fields is not None:
            _check_names(fields, viewset, readable)
        shown = {*readable, *viewset.relations} if fields is None else fields
        attributes = {name: field for name, field in readable.items() if name in shown}
        own = {n: one for n, one in attributes.items() if not isinstance(one, PrincipalField)}
        sources = [field.source for field in own.values()]
        self.type = viewset.name
        self.names = list(own)
        self.read = _make_reader(sources)
        self.converters = _converters(own)
        self.principal_fields = [one for n, one in attributes.items() if n not in own]
        self.deferred = _unread_columns(viewset, sources)
        self.relationships = [name for name in viewset.relations if name in shown]
        self.links = {name: _split_links(name) for name in self.relationships}
        self.all_links = _join_members(self.links.values())

    def attributes_of(self, row: Model) -> dict[str, Any]:
        """The attributes of `row` by name, without those that hang on who reads them."""
        attributes = dict(zip(self.names, self.read(row), strict=True))
        for name, convert in self.converters:
            attributes[name] = convert(attributes[name])
        return attributes

    def relationships_of(self, link: str, linkages: Mapping[str, Identifiers]) -> orjson.Fragment:
        """The relationships of the resource at `link`, in JSON.

        `linkages` maps the names of those that are loaded to their identifiers.
        """
        link = orjson.dumps(link).decode()[1:-1]
        if linkages.keys().isdisjoint(self.links):
            return orjson.Fragment(link.join(self.all_links))
        members = []
        for name, pieces in self.links.items():
            text = link.join(pieces)
            if name in linkages:
                text = f'{text[:-1]},"data":{orjson.dumps(linkages[name]).decode()}}}'
            members.append(text)
        return orjson.Fragment(f"{{{','.join(members)}}}")


shape_of = lru_cache(maxsize=512)(Shape)


def readable_fields(viewset: ServedType) -> dict[str, drf.Field]:
    """The serializer's fields that are shown as attributes, by name."""
    return {
        name: field
        for name, field in viewset.serializer_class().fields.items()
        if not field.write_only and name not in viewset.relations
    }


def _check_names(fields: frozenset[str], viewset: ServedType, readable: Iterable[str]) -> None:
    unknown = fields - {*readable} - viewset.relations.keys() - {"id"}
    if unknown:
        raise errors.InvalidFieldError(
            f"{min(unknown)} is not a field of {viewset.name}.",
            parameter=f"fields[{viewset.name}]",
        )


def _make_reader(sources: list[str]) -> Reader:
    """A function that reads all `sources`, paths of attributes, from a row, into a tuple."""
    if len(sources) < 2:  # attrgetter of one is no tuple
        return lambda row: tuple(attrgetter(source)(row) for source in sources)
    return attrgetter(*sources)


def _converters(fields: Mapping[str, drf.Field]) -> list[tuple[str, Callable]]:
    """What makes JSON's value of that of a field, for those of which it is another."""
    found = [(name, _converter(field)) for name, field in fields.items()]
    return [(name, convert) for name, convert in found if convert]


def _converter(field: drf.Field) -> Callable | None:
    if isinstance(field, drf.ReadOnlyField):
        return None
    kind = column_type_of_field(field)
    if kind is None:
        return field.to_representation
    return kind.json_of if kind.is_converted else None


def _unread_columns(viewset: ServedType, sources: list[str]) -> tuple[str, ...]:
    """The names of the model's long columns that none of `sources` reads."""
    meta = getattr(viewset.serializer_class.Meta.model, "_meta", None)  # of settings there is none
    read = {source.partition(".")[0] for source in sources}
    columns = meta.concrete_fields if meta else ()
    return tuple(one.name for one in columns if is_long(one) and one.name not in read)


def _split_links(name: str) -> list[str]:
    """The JSON of a relationship, cut where the link of its resource stands."""
    return [
        f'"{name}":{{"links":{{"self":"',
        f'/relationships/{name}","related":"',
        f'/{name}"}}}}',
    ]


def _join_members(members: Iterable[list[str]]) -> list[str]:
    """The pieces of an object of which `members` are the members, all cut in pieces."""
    pieces = ["{"]
    for first, *middle, last in members:
        pieces[-1] += first if pieces[-1] == "{" else f",{first}"
        pieces += [*middle, last]
    pieces[-1] += "}"
    return pieces
