"""JSON:API documents: what a resource looks like, and what comes with it.

https://jsonapi.org/format/1.1/#document-structure
"""

import hashlib
from functools import lru_cache
from operator import attrgetter

import orjson
from django.conf import settings
from rest_framework import serializers

from customers.db.bounds import ByteBudget, TooManyBytesError, is_long
from customers.db.fields import instant
from customers.resources import errors
from customers.resources.relations import Load
from customers.services import permissions

PLAIN_FIELDS = (
    serializers.BooleanField,
    serializers.CharField,
    serializers.ChoiceField,
    serializers.FloatField,
    serializers.IntegerField,
    serializers.JSONField,
    serializers.ReadOnlyField,
)


class FromCaller(serializers.ReadOnlyField):
    """An attribute whose value is a claim of the caller's token, named `claim` there."""

    def __init__(self, claim, **options):
        self.claim = claim
        super().__init__(**options)

    def value_for(self, principal, row):
        return principal.claims.get(self.claim)


class ForWriters(serializers.CharField):
    """A secret of the row, told to a program that may change it, and to nobody else.

    It is null to a program that may only read, and in whatever the service writes of its own
    accord: what webhooks are told and what is kept of it, exports, a person's data.
    """

    def __init__(self):
        super().__init__(read_only=True, allow_null=True)

    def value_for(self, principal, row):
        told = principal.tells_secrets and not principal.read_only
        return getattr(row, self.field_name) if told else None


class Shape:
    """A type as it is written: its attributes' getters and its relationships' names."""

    def __init__(self, viewset, fields=None):
        readable = {
            name: field
            for name, field in viewset.serializer_class().fields.items()
            if not field.write_only and name not in viewset.relations
        }
        if fields is not None:
            unknown = fields - readable.keys() - viewset.relations.keys() - {"id"}
            if unknown:
                raise errors.InvalidFieldError(
                    f"{min(unknown)} is not a field of {viewset.name}.",
                    parameter=f"fields[{viewset.name}]",
                )
        shown = {*readable, *viewset.relations} if fields is None else fields
        attributes = {name: field for name, field in readable.items() if name in shown}
        self.callers = [
            field for field in attributes.values() if isinstance(field, FromCaller | ForWriters)
        ]
        own = {name: field for name, field in attributes.items() if field not in self.callers}
        self.names = list(own)
        sources = [field.source for field in own.values()]
        self.read = _reader(sources)
        read = {source.partition(".")[0] for source in sources}
        columns = viewset.serializer_class.Meta.model
        columns = getattr(columns, "_meta", None) and columns._meta.concrete_fields
        self.unread = tuple(
            one.name for one in columns or () if is_long(one) and one.name not in read
        )
        self.converters = [
            (name, converter) for name, field in own.items() if (converter := _converter(field))
        ]
        self.relationships = [name for name in viewset.relations if name in shown]
        self.links = {name: _links(name) for name in self.relationships}
        self.all_links = _between(self.links.values())
        self.type = viewset.name

    def attributes_of(self, row):
        """The attributes of `row` by name, without those that hang on the caller."""
        attributes = dict(zip(self.names, self.read(row), strict=True))
        for name, convert in self.converters:
            attributes[name] = convert(attributes[name])
        return attributes

    def relationships_of(self, link, linkages):
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


def _reader(sources):
    """A function that reads all `sources`, paths of attributes, from a row, into a tuple."""
    if len(sources) < 2:  # attrgetter of one is no tuple
        return lambda row: tuple(attrgetter(source)(row) for source in sources)
    return attrgetter(*sources)


def _converter(field):
    """What makes JSON's value of that of `field`; None where it is one."""
    if isinstance(field, serializers.DateTimeField):
        return instant
    return None if isinstance(field, PLAIN_FIELDS) else field.to_representation


def _links(name):
    """The JSON of a relationship, cut where the link of its resource stands."""
    return [
        f'"{name}":{{"links":{{"self":"',
        f'/relationships/{name}","related":"',
        f'/{name}"}}}}',
    ]


def _between(members):
    """The pieces of an object of which `members` are the members, all cut in pieces."""
    pieces = ["{"]
    for first, *middle, last in members:
        pieces[-1] += first if pieces[-1] == "{" else f",{first}"
        pieces += [*middle, last]
    pieces[-1] += "}"
    return pieces


class Document:
    """Writes what `principal` asked for of the type that `viewset` serves.

    `include` is a tree of relationship names, {"customer_group": {"customers": {}}};
    `fields` maps a type to the set of its names to show. A document of more than one resource
    has `most_bytes` at most, without it settings.MAX_DOCUMENT_BYTES.
    """

    def __init__(self, viewset, principal, include=None, fields=None, most_bytes=None):
        self.viewset = viewset
        self.principal = principal
        self.include = include or {}
        self.fields = fields or {}
        self.most_bytes = most_bytes or settings.MAX_DOCUMENT_BYTES
        self.budget = ByteBudget(self.most_bytes)  # of what is included
        self.primary = 0  # how many of `rows` are not included but primary data
        self.rows = {}  # (type, id): (row, viewset), in the order met
        self.linkages = {}  # (type, id): {relationship: identifiers}

    def one(self, row, **members):
        """The bytes of a document about `row`, or about nothing when it is None."""
        rows = [] if row is None else [row]
        self.primary = len(rows)
        self._gather(rows, self.viewset, self.include)
        data = self._resource(row, self.viewset) if rows else None
        return self._encode(data, rows, members)

    def etag(self, row, body=None):
        """The ETag of `row`, of which `body` is this document: the same whatever is included.

        It changes with the row's attributes, but for those in its serializer's Meta.volatile, and
        with updated_at, which every write of the row moves, one of its tags, too.
        """
        volatile = getattr(self.viewset.serializer_class.Meta, "volatile", ())
        if body is None or self.include or self.fields or volatile:
            fields = {self.viewset.name: _all_but(self.viewset, volatile)} if volatile else {}
            body = Document(self.viewset, self.principal, fields=fields).one(row)
        return f'"{hashlib.sha256(body).hexdigest()[:32]}"'

    def many(self, rows, **members):
        """The bytes of a document that lists `rows`."""
        self.primary = len(rows)
        self._gather(rows, self.viewset, self.include)
        data = [self._resource(row, self.viewset) for row in rows]
        return self._encode(data, rows, members)

    def _encode(self, data, rows, members):
        document = {"data": data}
        if self.include:
            primary = {self._key(row, self.viewset) for row in rows}
            document["included"] = [
                self._resource(row, viewset)
                for key, (row, viewset) in self.rows.items()
                if key not in primary
            ]
        body = orjson.dumps({**document, **members})
        if len(body) > self.most_bytes:
            self._refuse(len(rows))
        return body

    def _refuse(self, count):
        """Refuse to write more bytes than may be, and say the way round, where there is one."""
        most = self.most_bytes
        if self.include:
            raise errors.DocumentTooLargeError(
                f"What is included makes the document larger than {most} bytes; include less, ask "
                "for a smaller page[size] or for fewer members by fields[type], or page through "
                "the related links of the relationships instead.",
                parameter="include",
            )
        if count > 1:
            raise errors.InvalidPageValueError(
                f"This page is larger than {most} bytes; ask for a smaller page[size], or for "
                f"fewer members by fields[{self.viewset.name}].",
                parameter="page[size]",
            )

    def _unshown(self, viewset):
        """The long columns that are left out of resources of the type of `viewset`."""
        fields = self.fields.get(viewset.name)
        return () if fields is None else shape_of(viewset, fields).unread

    def _gather(self, rows, viewset, tree, path=""):
        """Load what `tree` names, level by level, with a fixed number of queries for each name.

        `path` leads to `rows`. Raises errors.InvalidIncludeError when it is too much.
        """
        if not self.include:
            return
        for row in rows:
            self.rows.setdefault(self._key(row, viewset), (row, viewset))
        if not rows:
            return
        for name, branch in tree.items():
            relation = viewset.relations[name]
            limit = max(settings.MAX_INCLUDED - len(self.rows) + self.primary, 0)
            try:
                load = Load(self.budget, limit, self._unshown)
                found = relation.load(rows, self.principal, load)
            except TooManyBytesError as error:
                raise errors.DocumentTooLargeError(
                    f"Including {path}{name} would make the document larger than "
                    f"{self.most_bytes} bytes; ask for a smaller page[size] or for "
                    "fewer members by fields[type], or page through the relationship's related "
                    "link instead.",
                    parameter="include",
                ) from error
            for row in rows:
                identifiers = [
                    identifier(relation.viewset_for(other), other)
                    for other in found.get(row.pk, [])
                ]
                if not relation.to_many:
                    identifiers = identifiers[0] if identifiers else None
                self.linkages.setdefault(self._key(row, viewset), {})[name] = identifiers
            unique = {}
            for others in found.values():
                for other in others:
                    unique.setdefault(relation.viewset_for(other), {})[other.pk] = other
            for target, others in unique.items():
                self._gather(list(others.values()), target, branch, f"{path}{name}.")

    def _resource(self, row, viewset):
        fields = self.fields.get(viewset.name)
        shape = shape_of(viewset, fields)
        link = viewset.link_to(row)
        attributes = shape.attributes_of(row)
        for field in shape.callers:
            attributes[field.field_name] = field.value_for(self.principal, row)
        resource = {
            "id": row.pk,
            "type": shape.type,
            "links": {"self": link},
            "attributes": attributes,
        }
        if shape.relationships:
            linkages = self.linkages.get((shape.type, row.pk), {})
            resource["relationships"] = shape.relationships_of(link, linkages)
        resource["meta"] = _meta(self.principal.mode, settings.ORGANIZATION_ID)
        return resource

    @staticmethod
    def _key(row, viewset):
        return viewset.name, row.pk


@lru_cache(maxsize=8)
def _meta(mode, organization_id):
    return orjson.Fragment(orjson.dumps({"mode": mode, "organization_id": organization_id}))


@lru_cache(maxsize=32)
def _all_but(viewset, names):
    return frozenset(shape_of(viewset).names) - {*names}


def identifier(viewset, row):
    return {"type": viewset.name, "id": row.pk}


def relationship_links(resource_link, name):
    return {
        "self": f"{resource_link}/relationships/{name}",
        "related": f"{resource_link}/{name}",
    }


def include_tree(text, viewset, principal):
    """The tree that the query member `include` asks for: comma-separated dotted paths.

    Raises errors.InvalidIncludeError for a path that leads nowhere or too deep, and
    errors.UnauthorizedError for one that leads to a type `principal` may not retrieve.
    """
    tree = {}
    for path in text.split(",") if text else []:
        names = path.split(".")
        if len(names) > settings.MAX_INCLUDE_DEPTH:
            raise errors.InvalidIncludeError(
                f"{path} is deeper than {settings.MAX_INCLUDE_DEPTH} relationships.",
                parameter="include",
            )
        branch, here = tree, viewset
        for name in names:
            if here is None or name not in here.includable:
                raise errors.InvalidIncludeError(
                    f"{name} in {path} is no relationship that can be included there.",
                    parameter="include",
                )
            branch = branch.setdefault(name, {})
            here = here.relations[name].target
            if here and not permissions.allow(principal, here.name, "retrieve"):
                raise errors.UnauthorizedError(parameter="include")
    return tree


def fieldsets(asked, router):
    """The names to show of each type, from `asked`, a dictionary of type to comma-separated names.

    Raises errors.InvalidResourceError for an unknown type, errors.InvalidFieldError for an unknown
    name.
    """
    fields = {}
    for resource_name, text in asked.items():
        if resource_name not in router.types:
            raise errors.InvalidResourceError(
                f"{resource_name} is not a type of resource.",
                parameter=f"fields[{resource_name}]",
            )
        fields[resource_name] = frozenset(text.split(",")) - {""}
        shape_of(router.types[resource_name], fields[resource_name])
    return fields
