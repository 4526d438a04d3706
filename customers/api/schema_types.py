"""The description of one type: its schemas."""

from typing import Any

from customers.api.schema_attributes import meaning_of, readable, writable
from customers.api.schema_examples import body_example
from customers.api.schema_parts import (
    EXAMPLE_ID,
    ID,
    MAP,
    NAME,
    TEXT,
    Schema,
    any_of,
    object_schema,
    ref,
    said,
)
from customers.resources.base import ResourceType
from customers.resources.filters import Filters
from customers.resources.registry import registry
from customers.resources.relations import Relation

INCLUDED: Schema = said(
    "The resources that `include` has asked for.",
    {"type": "array", "items": ref("schemas", "Included")},
)


def component_of(resource: Any) -> str:
    """What the resource object of a type is called among the components."""
    return resource.serializer_class.Meta.model.__name__


def linkage_of(relation: Relation) -> Schema:
    """The identifiers that a relationship holds."""
    names = [f"{component_of(one)}Identifier" for _, one in sorted(relation.targets().items())]
    refs = [ref("schemas", name) for name in names]
    if relation.to_many:
        return {"type": "array", "items": refs[0] if len(refs) == 1 else {"oneOf": refs}}
    choices = [*refs, *([{"type": "null"}] if relation.nullable else [])]
    return choices[0] if len(choices) == 1 else {"oneOf": choices}


class TypeSchema:
    """One type's schemas."""

    def __init__(self, resource: type[ResourceType]) -> None:
        self.resource = resource
        self.name = resource.name
        self.component = component_of(resource)
        self.serializer = resource.serializer_class()
        self.fields = self.serializer.fields
        self.filters = getattr(resource, "filterset_class", None)

    def schemas(self) -> dict[str, Schema]:
        """The components: the resource, its documents and filters, and what a request may hold."""
        own = ref("schemas", self.component)
        found = {
            "": self._resource(),
            "Attributes": self._attributes(),
            "Identifier": object_schema({"type": self._type(), "id": ID}, ["type", "id"]),
            "Document": self.document(own),
        }
        if not self.resource.path:
            nullable = {"oneOf": [own, {"type": "null"}]}
            found |= {"OrNullDocument": self.document(nullable), "Page": self._page()}
            found |= {"Identifiers": self._identifiers(many=True)}
            found |= {"IdentifierDocument": self._identifiers(many=False)}
        if self.filters and self.has_filters:
            found["Filter"] = _filter(self.filters)
        for act, word in {"create": "Create", "partial_update": "Update"}.items():
            if act in self.resource.actions:
                found[word] = self._writable(creating=act == "create")
        return {f"{self.component}{word}": schema for word, schema in found.items()}

    @property
    def has_filters(self) -> bool:
        """Whether its lists are filtered."""
        return bool(self.filters and self.filters.base_filters)

    def body_example(self, creating: bool) -> Schema:
        """A request that makes one, or changes one."""
        data = self._writable(creating)["properties"]["data"]["properties"]
        attributes = data["attributes"]
        names = {"metadata"} if not creating else attributes.get("required", ())
        chosen = body_example(attributes["properties"], names)
        if not creating:
            chosen = {name: chosen[name] for name in ("reference", "metadata")}
        wanted = {
            name: {"data": _example_of_linkage(self.resource.relations[name])}
            for name in data["relationships"].get("required", ())
        }
        found = {"type": self.name, **({} if creating else {"id": EXAMPLE_ID})}
        return {
            "data": {
                **found,
                "attributes": chosen,
                **({"relationships": wanted} if wanted else {}),
            }
        }

    def document(self, data: Schema) -> Schema:
        """A document about one resource, `data`."""
        members = {"data": said("The resource.", data), "included": INCLUDED}
        return object_schema(members, ["data"])

    def _type(self) -> Schema:
        return said("The type of the resource.", {"const": self.name})

    def _resource(self) -> Schema:
        relations = {
            name: said(
                self._meaning(name, relation),
                object_schema(
                    {
                        "links": said("Where it is.", ref("schemas", "RelationshipLinks")),
                        "data": said(
                            "The identifiers, where the relationship is included.",
                            linkage_of(relation)
                            if relation.to_many
                            else _or_null(linkage_of(relation)),
                        ),
                    },
                    ["links"],
                ),
            )
            for name, relation in self.resource.relations.items()
        }
        found = object_schema(
            {
                "id": ID,
                "type": self._type(),
                "links": said("Where the resource is.", ref("schemas", "ResourceLinks")),
                "attributes": said(
                    "What is known of the resource.",
                    ref("schemas", f"{self.component}Attributes"),
                ),
                "relationships": said("What is related to it.", object_schema(relations)),
                "meta": said("What all resources are told by.", ref("schemas", "ResourceMeta")),
            },
            required=["id", "type", "links", "attributes", "meta"],
        )
        if not relations:
            del found["properties"]["relationships"]
        return said(meaning_of_type(self.resource), found)

    def _attributes(self) -> Schema:
        return object_schema(
            {
                name: readable(self.serializer, name, field)
                for name, field in self.fields.items()
                if not field.write_only and name not in self.resource.relations
            }
        )

    def _page(self) -> Schema:
        data = {"type": "array", "items": ref("schemas", self.component)}
        members = {
            "data": said("The resources of the page.", data),
            "meta": said("How many there are.", ref("schemas", "PageMeta")),
            "links": said("Where the other pages are.", ref("schemas", "PageLinks")),
            "included": INCLUDED,
        }
        return object_schema(members, ["data", "meta", "links"])

    def _identifiers(self, many: bool) -> Schema:
        one = ref("schemas", f"{self.component}Identifier")
        data = {"type": "array", "items": one} if many else _or_null(one)
        return identifiers_document(data)

    def _writable(self, creating: bool) -> Schema:
        names = self.serializer.writable(creating=creating)
        relations = self.resource.relations
        attributes = {
            name: writable(self.serializer, name, field)
            for name, field in self.fields.items()
            if name in names and name not in relations
        }
        required = [name for name in attributes if creating and self.fields[name].required]
        linkages = {name: relations[name] for name in relations if name in names}
        wanted = [
            name
            for name, relation in linkages.items()
            if creating
            and not (relation.to_many or relation.nullable)
            and not (name == "customer" and "customer_email" in names)
        ]
        written = {
            name: said(
                self._meaning(name, relation),
                object_schema({"data": said("What is named.", linkage_of(relation))}, ["data"]),
            )
            for name, relation in linkages.items()
        }
        resource = {
            "type": self._type(),
            "attributes": said("What is to be set.", object_schema(attributes, required)),
            "relationships": said("What is to be related.", object_schema(written, wanted)),
        }
        needed = ["type", *["attributes"] * bool(required), *["relationships"] * bool(wanted)]
        if not creating:
            resource["id"] = ID
            needed.append("id")
        data = said("The resource.", object_schema(resource, needed))
        return object_schema({"data": data}, ["data"])

    def _meaning(self, name: str, relation: Relation) -> str:
        """What the relationship means: as declared, or by its name."""
        types = " or ".join(sorted(relation.targets()))
        words = name.replace("_", " ")
        text = meaning_of(self.serializer, name) or f"Its {words}."
        return f"{text} {'Any number' if relation.to_many else 'One'} of {types}."


def identifiers_document(data: Schema) -> Schema:
    """What the address of a relationship answers, with the identifiers `data`."""
    members = {
        "data": said("The identifiers.", data),
        "links": said(
            "Where it is, and where its other pages are.",
            {"type": "object", "additionalProperties": TEXT},
        ),
        "meta": said("How many there are.", MAP),
    }
    return object_schema(members, ["data", "links"])


def meaning_of_type(resource: type[ResourceType]) -> str:
    """What a resource of the type is: its model's docstring, as one paragraph."""
    text = resource.serializer_class.Meta.model.__doc__ or ""
    return " ".join(text.split()).replace("`", "").replace("None", "null")


def target_of(relation: Relation) -> TypeSchema | None:
    """The type that `relation` leads to, None where it leads to several."""
    return TypeSchema(registry.types[relation.target.name]) if relation.target else None


def _or_null(schema: Schema) -> Schema:
    choices = schema.get("oneOf", [schema])
    return {"oneOf": [*choices, *([] if {"type": "null"} in choices else [{"type": "null"}])]}


def _example_of_linkage(relation: Relation) -> Any:
    one = {"type": min(relation.targets()), "id": EXAMPLE_ID}
    return [one] if relation.to_many else one


def _filter(filters: type[Filters]) -> Schema:
    by_predicates: dict[tuple[str, ...], list[str]] = {}
    for name, one in filters.base_filters.items():
        by_predicates.setdefault(tuple(one.predicates), []).append(name)
    patterns = [
        f"{any_of(names)}(_or_{NAME})?_{any_of(predicates)}"
        for predicates, names in by_predicates.items()
    ]
    if filters.relationships:
        patterns.append(f"{any_of(filters.relationships)}_{NAME}")
    return {
        "type": "object",
        "propertyNames": {"pattern": f"^({'|'.join(patterns)})$"},
        "additionalProperties": TEXT,
        "description": "\n".join(
            f"{', '.join(names)}: {', '.join(predicates)}"
            for predicates, names in by_predicates.items()
        ),
    }
