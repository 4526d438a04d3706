"""What the servers beside ours show: the members of our types, as these declare them."""

from typing import TypedDict

from customers.resources.registry import registry
from customers.resources.shapes import readable_fields
from deploy.checks.workloads import INCLUDED


class Members(TypedDict):
    """The attributes of a type, and its relationships with whether they are to many."""

    attributes: list[str]
    relationships: dict[str, bool]


def members() -> dict[str, Members]:
    """The members of customers and of the types that are included with them, by type."""
    return {
        name: {
            "attributes": list(readable_fields(registry.types[name])),
            "relationships": {
                relation.name: relation.to_many
                for relation in registry.types[name].relations.values()
            },
        }
        for name in ["customers", *INCLUDED.values()]
    }
