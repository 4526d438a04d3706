"""Writing rows for a principal, whoever asks: the API, the console, an import, a command.

Each function runs in the caller's transaction, which is undone when it raises: errors.ApiError
and errors.CombinedApiError for what the principal may not write, and whatever errors.explained
explains for what the rows or the database refuse.
"""

from collections.abc import Iterator, Mapping, Set
from typing import Any, Literal

from customers.models import Resource
from customers.resources import errors
from customers.resources.base import ResourceType
from customers.resources.collected_errors import ErrorCollector
from customers.resources.protocols import Principal
from customers.resources.relations import Relation
from customers.resources.resource_objects import identifiers, resource_object
from customers.resources.serializers import ResourceSerializer
from customers.services import audit, row_changes

How = Literal["replace", "add", "remove"]
Values = dict[str, Any]  # of columns, by name
Related = dict[str, list[Resource]]  # rows, by the name of a to-many relationship
Identifiers = list[tuple[str, str]]  # pairs of type and id


def create_row(resource: type[ResourceType], principal: Principal, data: object) -> Resource:
    """Make and record a row of `data`, a resource object."""
    serializer, values, related = _deserialize(resource, principal, data, None)
    found = serializer.collected
    with found.collecting():
        values = serializer.fill_defaults(values)
    found.add(*_missing(resource, values, found.members))
    if found:
        serializer.check(serializer.draft(values))
        found.raise_all()
    row_changes.admit(*values.values())
    row = serializer.create(values)
    if serializer.is_repeated:  # it is there already, which the caller is not to know
        return row
    audit.record(row, "create", actor=principal.actor)
    _set_related(serializer, row, related)
    found.raise_all()
    return row


def update_row(
    resource: type[ResourceType], principal: Principal, pk: str, data: object
) -> Resource:
    """Change and record the row `pk` by `data`, a resource object."""
    alone = not hasattr(resource.queryset.model, "customer_id")  # no other is locked first
    row = (resource.locked_row if alone else resource.row)(principal, pk)
    serializer, values, related = _deserialize(resource, principal, data, row)
    with serializer.collected.collecting():
        values = serializer.fill_defaults(values)
    with serializer.collected.collecting():
        if alone:
            row_changes.check_writable(row)
            row_changes.admit(*values.values())
        else:
            row = _lock_row(resource, principal, row, values)
        row = _change_row(serializer, row, values, related)
    serializer.collected.raise_all()
    return row


def delete_row(resource: type[ResourceType], principal: Principal, pk: str) -> None:
    """Delete and record the row `pk`."""
    rows = resource.rows(principal)
    row = row_changes.lock(rows.with_id(pk), rows, forgotten_too=True)
    _check_editable(row, principal)
    row_changes.delete_locked_row(row, actor=principal.actor)


def relate_rows(
    resource: type[ResourceType],
    principal: Principal,
    pk: str,
    relation: Relation,
    linkage: object,
    how: How,
) -> Resource | None:
    """Replace, add or remove what `linkage`, resource linkage, names in a row's relationship.

    Returns the row when a column of it was changed.
    """
    name, serializer_class = relation.name, resource.serializer_class
    if name not in serializer_class.writable_by(principal, creating=False):
        raise errors.ParamNotAllowedError(f"{name} cannot be written.")
    row = resource.row(principal, pk)
    serializer = serializer_class(row, context={"principal": principal})
    missing_ok = how == "remove"  # what is not there has been removed
    named = identifiers(linkage, relation.targets(), relation.to_many, "/data")
    others = _find_rows(relation, principal, named, "/data", missing_ok)
    if relation.to_many:
        row = row_changes.lock(row, resource.rows(principal))
        _check_editable(row, principal)
        serializer.set_related(row, name, others, how, "/data")
        return None
    if not others and not relation.nullable:
        raise errors.UnprocessableError("must exist", error="blank")
    values = {name: others[0] if others else None}
    row = _change_row(serializer, _lock_row(resource, principal, row, values), values, {})
    serializer.collected.raise_all()
    return row


def _lock_row(
    resource: type[ResourceType], principal: Principal, row: Resource, values: Values
) -> Resource:
    def read(pk: str) -> Resource:
        return resource.locked_row(principal, pk)

    return row_changes.lock(row, read, *values.values())


def _change_row(
    serializer: ResourceSerializer, row: Resource, values: Values, related: Related
) -> Resource:
    """Set `values` and `related` of the locked `row`, and record it.

    What is wrong with them is in the serializer's `collected`, for the caller to raise.
    """
    actor = serializer.principal.actor
    _check_editable(row, serializer.principal)
    before = audit.audited_values(row)
    row = serializer.update(row, values)
    if not serializer.collected:
        row_changes.record_update(row, before, actor=actor)
    _set_related(serializer, row, related)
    serializer.after_save(row)
    return row


def _set_related(serializer: ResourceSerializer, row: Resource, related: Related) -> None:
    for name, others in related.items():
        with serializer.collected.collecting():
            serializer.set_related(row, name, others, "replace", f"/data/relationships/{name}")


def _check_editable(row: Resource, principal: Principal) -> None:
    """Raise errors.UnauthorizedError when the locked `row` is closed to `principal`."""
    if not row.is_editable_by(principal):
        raise errors.UnauthorizedError


def _deserialize(
    resource: type[ResourceType], principal: Principal, data: object, row: Resource | None
) -> tuple[ResourceSerializer, Values, Related]:
    """A serializer and what `data` sets: values by name, and rows by to-many relationship.

    What is wrong with a value is left out, and is in the serializer's `collected`. Raises
    errors.CombinedApiError for what is wrong with the document's form.
    """
    found, relations = ErrorCollector(), resource.relations
    attributes, linkages = resource_object(data, resource.name, row.pk if row else None, found)
    for name in relations.keys() & attributes.keys():
        if attributes[name] in (None, []) and name not in linkages:  # as the SDK clears one
            empty: list | None = [] if relations[name].to_many else None
            linkages[name] = empty if attributes.pop(name) is None else []
    writable = resource.serializer_class.writable_by(principal, creating=row is None)
    related_to = {name: relation for name, relation in relations.items() if name in writable}
    found.add(*_not_allowed(attributes, writable - relations.keys(), "attributes"))
    found.add(*_not_allowed(linkages, related_to.keys(), "relationships"))
    named = _identifiers_in(linkages, related_to, found)
    found.raise_all()
    serializer = resource.serializer_class(
        row, data=attributes, partial=row is not None, context={"principal": principal}
    )
    values, related = serializer.read(), Related()
    for name, identified in named.items():
        with serializer.collected.collecting():
            _read_linkage(relations[name], serializer, identified, values, related)
    return serializer, values, related


def _identifiers_in(
    linkages: Values, relations: Mapping[str, Relation], found: ErrorCollector
) -> dict[str, Identifiers]:
    """What each of `linkages` names, as far as it is written as it must be."""
    named = {}
    for name, linkage in linkages.items():
        if relation := relations.get(name):
            with found.collecting():
                pointer = f"/data/relationships/{name}/data"
                named[name] = identifiers(linkage, relation.targets(), relation.to_many, pointer)
    return named


def _read_linkage(
    relation: Relation,
    serializer: ResourceSerializer,
    named: Identifiers,
    values: Values,
    related: Related,
) -> None:
    name, pointer = relation.name, f"/data/relationships/{relation.name}"
    others = _find_rows(relation, serializer.principal, named, f"{pointer}/data")
    if relation.to_many:
        serializer.check_related(name, others, pointer)
        related[name] = others
    elif others or relation.nullable:
        values[name] = others[0] if others else None
    else:
        raise errors.UnprocessableError("must exist", pointer=pointer, error="blank")


def _find_rows(
    relation: Relation,
    principal: Principal,
    named: Identifiers,
    pointer: str,
    missing_ok: bool = False,
) -> list[Resource]:
    """The rows that `named` identifies, as far as `principal` sees them.

    Raises errors.CombinedApiError of a RecordNotFoundError for each that it does not see, unless
    `missing_ok`.
    """
    rows: dict[tuple[str, str], Resource] = {}
    for resource_type in {resource_type for resource_type, _ in named}:
        ids = [pk for name, pk in named if name == resource_type]
        seen = relation.targets()[resource_type].rows(principal).filter(pk__in=ids)
        rows |= {(resource_type, row.pk): row for row in seen}
    missing = [
        errors.RecordNotFoundError(
            f"There are no {key[0]} with this id.",
            pointer=f"{pointer}/{index}" if relation.to_many else pointer,
        )
        for index, key in enumerate(named)
        if key not in rows
    ]
    if missing and not missing_ok:
        raise errors.CombinedApiError([*missing])
    return list(rows.values())


def _not_allowed(
    members: Values, allowed: Set[str], kind: str
) -> Iterator[errors.ParamNotAllowedError]:
    for name in members:
        if name not in allowed:
            yield errors.ParamNotAllowedError(
                f"{name[:100]} is not allowed.", pointer=f"/data/{kind}/{errors.escaped(name)}"
            )


def _missing(
    resource: type[ResourceType], values: Values, wrong: set[str]
) -> Iterator[errors.UnprocessableError]:
    """An error for each relationship that a row must have and `values` lacks, unless it is `wrong`.

    A customer may be named by the attribute customer_email, too.
    """
    writable = resource.serializer_class.writable(creating=True) - values.keys() - wrong
    if "customer_email" in wrong:
        writable.discard("customer")
    for name, relation in resource.relations.items():
        if name in writable and not relation.to_many | relation.nullable:
            pointer = f"/data/relationships/{name}"
            yield errors.UnprocessableError("must exist", pointer=pointer, error="blank")
