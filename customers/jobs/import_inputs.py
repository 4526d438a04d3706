"""How one input of an import is read: which row it is about, and what is to be written of it."""

from collections.abc import Mapping
from typing import Any

from customers.models import (
    Customer,
    CustomerSubscription,
    Import,
    Resource,
    email_key,
    models_by_type,
)
from customers.resources import operations
from customers.services import principals, spreadsheets, tagging
from customers.services.csv_files import UnreadableInputError
from customers.services.imports import SECRET, opened

SPELLED = {"customers": "email", "customer_subscriptions": "customer_email"}  # a part of their keys
METADATA = "metadata"
TAG_LISTS = ("_add_tags", "_remove_tags")
Linkage = dict[str, str]  # a type and an id
Errors = list[tuple[str, str]]  # the name of a member, "" for the whole, and what is wrong


class InputWriter:
    """Writes the inputs of `job`, one by one, by the rules of the API."""

    def __init__(self, job: Import) -> None:
        self.job = job
        self.principal = principals.author(job.mode, job.actor)
        self.relationships = operations.relationships(job.resource_type)
        self.changeable, makeable = (
            operations.writable_members(job.resource_type, self.principal, creating=creating)
            for creating in (False, True)
        )
        self.writable = self.changeable | makeable
        self.passed_over: Errors = []  # of the present input, which is written nevertheless
        self.refused: dict[str, Errors] = {}  # of the present input, by the member left out of it

    def is_plain(self, row: Mapping[str, Any]) -> bool:
        """Whether `row` names attributes alone, and none that is more than a column."""
        return not any(map(self._is_more_than_plain, row))

    def _is_more_than_plain(self, name):
        stem, dot, _ = name.partition(".")
        is_related = stem.removesuffix("_id") in self.relationships
        return name in ("id", SECRET) or name.startswith("_") or bool(dot) or is_related

    def write(self, row: Mapping[str, Any]) -> Errors:
        """Make or change the row that the input `row` is about; what of it was passed over.

        Raises WriteRefusedError of all that is wrong; the caller undoes what was done.
        """
        self.passed_over, self.refused = [], {}
        try:
            self._write(dict(row))
        except operations.WriteRefusedError as error:
            others = [one for one in error.errors if one[0] not in self.refused]
            self.refused[""] = others
        if told := [one for errors in self.refused.values() for one in errors]:
            raise operations.WriteRefusedError(told)
        return self.passed_over

    def _write(self, row):
        if isinstance(row.get(SECRET), str):
            row[SECRET] = _plain_secret(row[SECRET])
        self._give_parent(row)
        pk = row.pop("id", None)
        attributes, relationships, members = self._split(row)
        found = self._found(pk, attributes)
        attributes |= _whole(members, attributes, found)
        if found:
            self._pass_over_same(found, attributes, relationships)
        attributes, relationships = self._allowed(attributes), self._allowed(relationships)
        tags = {name: attributes.pop(name) for name in TAG_LISTS if name in attributes}
        if found is None:
            found = operations.create(
                self.job.resource_type, self.principal, attributes, relationships
            )
            attributes, relationships = {}, {}
        elif pk is None:  # found by an address, which stays as it is spelled
            attributes.pop(SPELLED.get(self.job.resource_type), None)
        if attributes or relationships or tags:
            operations.update(found, self.principal, {**attributes, **tags}, relationships)
        self._pass_over_unknown(tags)

    def _pass_over_same(self, row, attributes, relationships):
        """Take out what nobody writes and `row` has already: an export can be imported."""
        closed = {*attributes, *relationships} - self.changeable
        shown = operations.document(row, self.principal)["data"]["attributes"] if closed else {}
        for name in closed & shown.keys() & attributes.keys():
            if attributes[name] in (shown[name], str(spreadsheets.as_cell(shown[name]))):
                del attributes[name]
        for name in closed & relationships.keys():
            linkage = relationships[name]
            if isinstance(linkage, dict) and linkage["id"] == getattr(row, f"{name}_id", None):
                del relationships[name]

    def _pass_over_unknown(self, tags):
        for name, names in tags.items():
            unknown = tagging.unknown_names(names or "", mode=self.job.mode)
            self.passed_over += [(name, _no_tag(one)) for one in unknown]

    def _give_parent(self, row):
        """Add the parent that the import names to a new `row` that names none of its own."""
        name, parent = (
            models_by_type()[self.job.resource_type].import_parent,
            self.job.parent_resource_id,
        )
        named = {key.partition(".")[0].removesuffix("_id") for key in row}
        if name and parent and not named & {name, "id"}:
            row[f"{name}_id"] = parent

    def _found(self, pk: Any, attributes: dict[str, Any]) -> Resource | None:
        """The row that an input is about, None when it is to be made.

        Raises operations.WriteRefusedError.
        """
        kind, mode = self.job.resource_type, self.job.mode
        if pk is not None:
            row = isinstance(pk, str) and operations.row(kind, pk, self.principal)
            if not row:
                raise operations.WriteRefusedError([("id", "is that of no resource")])
            return row
        email = attributes.get("customer_email")
        if kind == "customer_subscriptions" and isinstance(email, str):
            return CustomerSubscription.objects.filter(
                mode=mode,
                customer__email_key=email_key(email),
                reference=attributes.get("reference"),
            ).first()
        name = models_by_type()[kind].import_key
        key = attributes.get(name) if name else None
        if not isinstance(key, str):
            return None
        if kind == "customers":
            return Customer.objects.filter(mode=mode, email_key=email_key(key)).first()
        return operations.rows(kind, self.principal, {f"{name}_eq": key}).first()

    def _split(self, row):
        """The attributes that an input names, the relationships, and members of attributes.

        Relationships that cannot be read are `refused`.

        A related row is named as `customer_group_id`, as `customer_group: {"id": …}` or as
        `customer_group.id`; a customer also by `customer.email`, tags by `tags.name`; an
        address may be given whole, and is made. `metadata.size` is a member of `metadata`.
        """
        attributes: dict[str, Any] = {}
        relationships: dict[str, Any] = {}
        nested: dict[str, Any] = {}
        members: dict[str, dict[str, Any]] = {}
        for name, value in row.items():
            outer, dot, inner = name.partition(".")
            if dot:
                of = members if outer == METADATA else nested
                of.setdefault(outer, {})[inner] = value
            elif name in self.relationships:
                nested[name] = value
            elif name.removesuffix("_id") != name and name[:-3] in self.relationships:
                nested[name[:-3]] = {"id": value}
            else:
                attributes[name] = value
        for name, value in nested.items():
            if name == "customer" and name in self.relationships and _has_email(value):
                attributes["customer_email"] = value["email"]
                continue
            try:
                relationships[name] = self._linkage(name, value)
            except operations.WriteRefusedError as error:
                self.refused[name] = error.errors
        return attributes, relationships, members

    def _allowed(self, members):
        """Those of `members` that may be written; the others are `refused`."""
        for name in members.keys() - self.writable:
            self.refused[name] = [(name, f"{name[:100]} is not allowed.")]
        return {name: value for name, value in members.items() if name in self.writable}

    def _linkage(self, name: str, value: Any) -> Linkage | list[Linkage] | None:
        if name not in self.relationships:
            raise operations.WriteRefusedError([(name, "is no relationship")])
        to_many, kinds = self.relationships[name]
        if to_many:
            return self._linkages(name, kinds[0], value)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise operations.WriteRefusedError([(name, "must be an object")])
        if "id" in value:
            if value["id"] is None:
                return None
            return {"type": value.get("type", kinds[0]), "id": value["id"]}
        if name == "address":
            made = operations.create("addresses", self.principal, value)
            return {"type": "addresses", "id": made.pk}
        raise operations.WriteRefusedError([(name, "must have an id")])

    def _linkages(self, name, kind, value):
        if isinstance(value, dict):  # {"name": "vip,newsletter"}, as of a column tags.name
            value = [
                {inner: one}
                for inner, text in value.items()
                for one in (text.split(",") if isinstance(text, str) else [text])
            ]
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise operations.WriteRefusedError([(name, "must be a list of objects")])
        names = [one["name"].strip() for one in value if isinstance(one.get("name"), str)]
        rows = self._tags_named(kind, [name for name in names if name])
        ids = [row.pk for row in rows] + [one["id"] for one in value if "id" in one]
        if not all(isinstance(pk, str) for pk in ids):
            raise operations.WriteRefusedError([(name, "must have ids that are strings")])
        return [{"type": kind, "id": pk} for pk in dict.fromkeys(ids)]

    def _tags_named(self, kind, names):
        """The rows with one of `names`; the names of none are noted."""
        asked = {name.lower() for name in names if "," not in name}
        rows = list(operations.rows(kind, self.principal, {"name_in": [*asked]})) if asked else []
        known = {row.name for row in rows}
        unknown = dict.fromkeys(name for name in names if name.lower() not in known)
        self.passed_over += [(kind, _no_tag(name)) for name in unknown]
        return rows


def _whole(members, attributes, row):
    """The attributes of which an input names `members`, whole, with those that `row` has."""
    for name in members.keys() & attributes.keys():
        raise operations.WriteRefusedError([(name, "is given whole and by its members")])
    kept = operations.locked(row) if members and row else None
    return {name: {**getattr(kept, name, {}), **given} for name, given in members.items()}


def _no_tag(name):
    return f"names {name[:100]}, which is no tag"


def _has_email(value):
    return isinstance(value, dict) and "email" in value


def _plain_secret(sealed):
    try:
        return opened(sealed)
    except UnreadableInputError as error:
        raise operations.WriteRefusedError([(SECRET, str(error))]) from error
