"""What a request's document may hold: resource objects, and identifiers of other resources.

https://jsonapi.org/format/1.1/#crud
"""

from collections.abc import Collection
from typing import Any

from customers.resources import errors
from customers.resources.collected_errors import ErrorCollector


def resource_object(
    data: object, resource_type: str, pk: str | None, found: ErrorCollector
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The attributes and the linkages of `data`, the request's resource object.

    Returns two dictionaries by member name; a linkage is what its `data` member holds. Members
    that JSON:API does not know are passed over, as it asks of whoever reads them; `lid`, a name
    of the client's own, is one. `pk` is the id of the resource when it exists. What is wrong is
    left out, and is in `found`.
    """
    if not isinstance(data, dict):
        raise errors.InvalidDataFormatError("data must be an object.", pointer="/data")
    attributes, linkages = {}, {}
    with found.collecting():
        _check_type(data, resource_type)
    with found.collecting():
        _check_id(data, pk)
    with found.collecting():
        attributes = _members_of(data, "attributes")
    with found.collecting():
        linkages = _members_of(data, "relationships")
    return attributes, _linkages_of(linkages, found)


def identifiers(
    linkage: object, types: Collection[str], to_many: bool, pointer: str
) -> list[tuple[str, str]]:
    """The pairs of type and id that `linkage`, a resource identifier or a list of them, names.

    `types` are the types that may be named. Other members of an identifier are passed over. Raises
    errors.InvalidLinkageError, or errors.CombinedApiError of all identifiers that are wrong, each
    pointing below `pointer`.
    """
    if not to_many:
        return [] if linkage is None else [_identifier(linkage, types, pointer)]
    if not isinstance(linkage, list):
        raise errors.InvalidLinkageError("It must be a list of identifiers.", pointer=pointer)
    named, found = [], ErrorCollector()
    for index, item in enumerate(linkage):
        with found.collecting():
            named.append(_identifier(item, types, f"{pointer}/{index}"))
    found.raise_all()
    return named


def _check_type(data: dict[str, Any], resource_type: str) -> None:
    if "type" not in data:
        raise errors.ParamMissingError(
            "The required parameter, type, is missing.", pointer="/data/type"
        )
    if data["type"] != resource_type:
        raise errors.InvalidResourceError(
            f"{data['type']!s:.100} is not the type here; it is {resource_type}.",
            pointer="/data/type",
        )


def _check_id(data: dict[str, Any], pk: str | None) -> None:
    if pk is None:
        if "id" in data:
            raise errors.ClientIdError
    elif "id" not in data:
        raise errors.KeyMissingError("data must have the id of the resource.", pointer="/data/id")
    elif data["id"] != pk:
        raise errors.KeyNotInUrlError(
            f"The id {data['id']!s:.100} is not the one in the URL.", pointer="/data/id"
        )


def _members_of(data: dict[str, Any], name: str) -> dict[str, Any]:
    members = data.get(name, {})
    if not isinstance(members, dict):
        raise errors.InvalidDataFormatError(f"{name} must be an object.", pointer=f"/data/{name}")
    return dict(members)  # the request may be read again


def _linkages_of(relationships: dict[str, Any], found: ErrorCollector) -> dict[str, Any]:
    linkages = {}
    for name, relationship in relationships.items():
        if isinstance(relationship, dict) and "data" in relationship:
            linkages[name] = relationship["data"]
        else:
            found.add(
                errors.InvalidLinkageError(
                    f"{name} must be an object with a data member.",
                    pointer=f"/data/relationships/{errors.escaped(name)}",
                )
            )
    return linkages


def _identifier(item: object, types: Collection[str], pointer: str) -> tuple[str, str]:
    if not isinstance(item, dict) or not all(isinstance(item.get(n), str) for n in ("type", "id")):
        raise errors.InvalidLinkageError(
            "A resource identifier is an object with a type and an id.", pointer=pointer
        )
    if item["type"] not in types:
        raise errors.TypeMismatchError(
            f"{item['type'][:100]} is not a type of this relationship; "
            f"{' or '.join(sorted(types))} is.",
            pointer=f"{pointer}/type",
        )
    return item["type"], item["id"]
