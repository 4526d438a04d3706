"""Writing rows for a principal, whoever asks: the API, the console, an import, a command.

Each function runs in the caller's transaction, which is undone when it raises: errors.ApiError
and errors.CombinedApiError for what the principal may not write, and whatever errors.explained
explains for what the rows or the database refuse.
"""

from typing import Any, Literal

from customers.models import Resource
from customers.resources import errors
from customers.resources.base import ResourceType
from customers.resources.protocols import Principal
from customers.resources.relations import Relation
from customers.resources.resource_objects import identifiers, resource_object
from customers.resources.serializers import ResourceSerializer
from customers.services import audit, row_changes

How = Literal["replace", "add", "remove"]
Values = dict[str, Any]  # of columns, by name
Related = dict[str, list[Resource]]  # rows, by the name of a to-many relationship


def create_row(resource: type[ResourceType], principal: Principal, data: object) -> Resource:
    """Make and record a row of `data`, a resource object."""
    serializer, values, related = _deserialize(resource, principal, data, None)
    values = serializer.fill_defaults(values)
    _check_required(resource, values)
    row_changes.admit(*values.values())
    row = serializer.create(values)
    if serializer.is_repeated:  # it is there already, which the caller is not to know
        return row
    audit.record(row, "create", actor=principal.actor)
    _set_related(serializer, row, related)
    return row


def update_row(
    resource: type[ResourceType], principal: Principal, pk: str, data: object
) -> Resource:
    """Change and record the row `pk` by `data`, a resource object."""
    alone = not hasattr(resource.queryset.model, "customer_id")  # no other is locked first
    row = (resource.locked_row if alone else resource.row)(principal, pk)
    serializer, values, related = _deserialize(resource, principal, data, row)
    values = serializer.fill_defaults(values)
    if alone:
        row_changes.check_writable(row)
        row_changes.admit(*values.values())
    else:
        row = _lock_row(resource, principal, row, values)
    return _change_row(serializer, row, values, related)


def delete_row(resource: type[ResourceType], principal: Principal, pk: str) -> None:
    """Delete and record the row `pk`."""
    rows = resource.rows(principal)
    row = row_changes.lock(rows.with_id(pk), rows, forgotten_too=True)
    _check_editable(row, principal)
    row_changes.delete(row, actor=principal.actor)


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
    others = _resolve_identifiers(relation, principal, linkage, "/data", missing_ok)
    if relation.to_many:
        row = row_changes.lock(row, resource.rows(principal))
        _check_editable(row, principal)
        serializer.set_related(row, name, others, how, "/data")
        return None
    if not others and not relation.nullable:
        raise errors.UnprocessableError("must exist", error="blank")
    values = {name: others[0] if others else None}
    row = _lock_row(resource, principal, row, values)
    return _change_row(serializer, row, values, {})


def _lock_row(
    resource: type[ResourceType], principal: Principal, row: Resource, values: Values
) -> Resource:
    def read(pk: str) -> Resource:
        return resource.locked_row(principal, pk)

    return row_changes.lock(row, read, *values.values())


def _change_row(
    serializer: ResourceSerializer, row: Resource, values: Values, related: Related
) -> Resource:
    """Set `values` and `related` of the locked `row`, and record it."""
    actor = serializer.principal.actor
    _check_editable(row, serializer.principal)
    before = audit.values_of(row)
    row = serializer.update(row, values)
    row_changes.record_update(row, before, actor=actor)
    _set_related(serializer, row, related)
    serializer.after_save(row)
    return row


def _set_related(serializer: ResourceSerializer, row: Resource, related: Related) -> None:
    for name, others in related.items():
        serializer.set_related(row, name, others, "replace", f"/data/relationships/{name}")


def _check_editable(row: Resource, principal: Principal) -> None:
    """Raise errors.UnauthorizedError when the locked `row` is closed to `principal`."""
    if not row.is_editable_by(principal):
        raise errors.UnauthorizedError


def _deserialize(
    resource: type[ResourceType], principal: Principal, data: object, row: Resource | None
) -> tuple[ResourceSerializer, Values, Related]:
    """A serializer and what `data` sets: values by name, and rows by to-many relationship."""
    attributes, linkages = resource_object(data, resource.name, row.pk if row else None)
    relations, serializer_class = resource.relations, resource.serializer_class
    for name in relations.keys() & attributes.keys():
        if attributes[name] in (None, []) and name not in linkages:  # as the SDK clears one
            empty: list | None = [] if relations[name].to_many else None
            linkages[name] = empty if attributes.pop(name) is None else []
    writable = serializer_class.writable_by(principal, creating=row is None)
    _refuse_unknown(attributes, writable - relations.keys(), "attributes")
    _refuse_unknown(linkages, writable & relations.keys(), "relationships")
    serializer = serializer_class(
        row, data=attributes, partial=row is not None, context={"principal": principal}
    )
    if not serializer.is_valid():
        raise errors.invalid_members(serializer.errors, "/data/attributes")
    values, related = dict(serializer.validated_data), Related()
    for name, linkage in linkages.items():
        _read_linkage(relations[name], principal, linkage, values, related)
    return serializer, values, related


def _read_linkage(
    relation: Relation, principal: Principal, linkage: object, values: Values, related: Related
) -> None:
    name, pointer = relation.name, f"/data/relationships/{relation.name}"
    others = _resolve_identifiers(relation, principal, linkage, f"{pointer}/data")
    if relation.to_many:
        related[name] = others
    elif others or relation.nullable:
        values[name] = others[0] if others else None
    else:
        raise errors.UnprocessableError("must exist", pointer=pointer, error="blank")


def _resolve_identifiers(
    relation: Relation,
    principal: Principal,
    linkage: object,
    pointer: str,
    missing_ok: bool = False,
) -> list[Resource]:
    """The rows that `linkage` identifies, as far as `principal` sees them.

    Raises errors.RecordNotFoundError for one that it does not see, unless `missing_ok`.
    """
    named = identifiers(linkage, relation.targets(), relation.to_many, pointer)
    found: dict[tuple[str, str], Resource] = {}
    for resource_type in {resource_type for resource_type, _ in named}:
        ids = [pk for name, pk in named if name == resource_type]
        rows = relation.targets()[resource_type].rows(principal).filter(pk__in=ids)
        found |= {(resource_type, row.pk): row for row in rows}
    for index, key in enumerate(named):
        if key not in found and not missing_ok:
            raise errors.RecordNotFoundError(
                f"There are no {key[0]} with this id.",
                pointer=f"{pointer}/{index}" if relation.to_many else pointer,
            )
    return list(found.values())


def _refuse_unknown(members: dict[str, Any], allowed: set[str], kind: str) -> None:
    if refused := [name for name in members if name not in allowed]:
        raise errors.CombinedApiError(
            [
                errors.ParamNotAllowedError(
                    f"{name[:100]} is not allowed.",
                    pointer=f"/data/{kind}/{errors.escaped(name)}",
                )
                for name in refused
            ]
        )


def _check_required(resource: type[ResourceType], values: Values) -> None:
    writable = resource.serializer_class.writable(creating=True)
    for name, relation in resource.relations.items():
        if name in writable and not relation.to_many | relation.nullable and name not in values:
            pointer = f"/data/relationships/{name}"
            raise errors.UnprocessableError("must exist", pointer=pointer, error="blank")
