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
from customers.services import principals
from customers.services.imports import SECRET, UnreadableInputError, opened

SPELLED = {"customers": "email", "customer_subscriptions": "customer_email"}  # a part of their keys
Linkage = dict[str, str]  # a type and an id
Errors = list[tuple[str, str]]  # the name of a member, "" for the whole, and what is wrong


class InputWriter:
    """Writes the inputs of `job`, one by one, by the rules of the API."""

    def __init__(self, job: Import) -> None:
        self.job = job
        self.principal = principals.InternalPrincipal(job.mode, job.actor)
        self.relationships = operations.relationships(job.resource_type)
        self.writable = operations.writable_members(job.resource_type, self.principal)
        self.refused: dict[str, Errors] = {}  # of the present input, by the member left out of it

    def is_plain(self, row: Mapping[str, Any]) -> bool:
        """Whether `row` names attributes alone, and none that is more than a column."""
        return not any(map(self._is_more_than_plain, row))

    def _is_more_than_plain(self, name):
        stem = name.partition(".")[0].removesuffix("_id")
        return name in ("id", SECRET) or name.startswith("_") or stem in self.relationships

    def write(self, row: Mapping[str, Any]) -> None:
        """Make or change the row that the input `row` is about.

        Raises WriteRefusedError of all that is wrong; the caller undoes what was done.
        """
        self.refused = {}
        try:
            self._write(row)
        except operations.WriteRefusedError as error:
            others = [one for one in error.errors if one[0] not in self.refused]
            self.refused[""] = others
        if told := [one for errors in self.refused.values() for one in errors]:
            raise operations.WriteRefusedError(told)

    def _write(self, row):
        row = dict(row)
        if isinstance(row.get(SECRET), str):
            row[SECRET] = _plain_secret(row[SECRET])
        self._give_parent(row)
        pk = row.pop("id", None)
        attributes, relationships = self._split(row)
        tags = {
            name: attributes.pop(name)
            for name in ("_add_tags", "_remove_tags")
            if name in attributes
        }
        found = self._found(pk, attributes)
        if found is None:
            found = operations.create(
                self.job.resource_type, self.principal, attributes, relationships
            )
            attributes, relationships = {}, {}
        elif pk is None:  # found by an address, which stays as it is spelled
            attributes.pop(SPELLED.get(self.job.resource_type), None)
        if attributes or relationships or tags:
            operations.update(found, self.principal, {**attributes, **tags}, relationships)

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
        """The attributes and the relationships that an input names, without those `refused`.

        A related row is named as `customer_group_id`, as `customer_group: {"id": …}` or as
        `customer_group.id`; a customer also by `customer.email`, tags by `tags.name`; an
        address may be given whole, and is made.
        """
        attributes: dict[str, Any] = {}
        relationships: dict[str, Any] = {}
        nested: dict[str, Any] = {}
        for name, value in row.items():
            outer, dot, inner = name.partition(".")
            if dot:
                nested.setdefault(outer, {})[inner] = value
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
        for name in [*attributes, *relationships]:
            if name not in self.writable:
                self.refused[name] = [(name, f"{name[:100]} is not allowed.")]
        return _without(attributes, self.refused), _without(relationships, self.refused)

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
        names = [one["name"] for one in value if isinstance(one.get("name"), str)]
        rows = []
        if names:
            rows = list(
                operations.rows(kind, self.principal, {"name_in": [n.lower() for n in names]})
            )
        ids = [row.pk for row in rows] + [one["id"] for one in value if "id" in one]
        if not all(isinstance(pk, str) for pk in ids):
            raise operations.WriteRefusedError([(name, "must have ids that are strings")])
        return [{"type": kind, "id": pk} for pk in dict.fromkeys(ids)]


def _has_email(value):
    return isinstance(value, dict) and "email" in value


def _without(members, names):
    return {name: value for name, value in members.items() if name not in names}


def _plain_secret(sealed):
    try:
        return opened(sealed)
    except UnreadableInputError as error:
        raise operations.WriteRefusedError([(SECRET, str(error))]) from error
