"""The description of one type: its schemas and its paths."""

from django.conf import settings

from customers.api.errors import CONTENT_TYPE
from customers.api.router import LINKAGE_METHODS, LINKAGE_OF_ONE
from customers.api.schema_attributes import readable, writable
from customers.api.schema_parts import (
    NAME,
    OPEN,
    Schema,
    any_of,
    json_answer,
    listed,
    object_schema,
    query_parameter,
    ref,
    search_document,
    shown,
    with_refusals,
)
from customers.resources.base import ResourceType
from customers.resources.registry import registry
from customers.resources.relations import Relation

SUMMARIES = {
    "list": "List {many}",
    "search": "List {many} by a document",
    "create": "Create one of {many}",
    "retrieve": "Retrieve one of {many}",
    "partial_update": "Change one of {many}",
    "destroy": "Delete one of {many}",
    "retrieve_singleton": "Retrieve the {one}",
}
LINKAGE_SUMMARIES = {
    "linkage": "Retrieve the relationship {name}",
    "replace_linkage": "Replace the relationship {name}",
    "add_linkage": "Add to the relationship {name}",
    "remove_linkage": "Take from the relationship {name}",
}
OPERATION_NAMES = {"retrieve_singleton": "only"}  # as clients that are made of it have them


class TypeSchema:
    """One type's schemas and paths."""

    def __init__(self, resource: type[ResourceType]) -> None:
        self.resource = resource
        self.name = resource.name
        self.serializer = resource.serializer_class()
        self.fields = self.serializer.fields
        self.filters = getattr(resource, "filterset_class", None)

    def schemas(self) -> dict[str, Schema]:
        """The components: the resource, its filters, and what a request may hold."""
        found = {
            self.name: self._resource(),
            f"{self.name}.filter": self._filter(),
        }
        for act, creating in {"create": True, "partial_update": False}.items():
            if act in self.resource.actions:
                found[f"{self.name}.{act}"] = self._writable(creating)
        return found

    def _resource(self) -> Schema:
        shown = {
            name: readable(self.serializer, name, field)
            for name, field in self.fields.items()
            if not field.write_only and name not in self.resource.relations
        }
        links = {name: ref("schemas", "relationship") for name in self.resource.relations}
        return object_schema(
            {
                "id": {"type": "string"},
                "type": {"const": self.name},
                "links": object_schema({"self": {"type": ["string", "null"]}}),
                "attributes": object_schema(shown),
                "relationships": object_schema(links),
                "meta": {"type": "object"},
            },
            required=["id", "type", "meta"],
        )

    def _writable(self, creating: bool) -> Schema:
        names = self.serializer.writable(creating=creating)
        relations = self.resource.relations
        attributes = {
            name: writable(self.serializer, name, field)
            for name, field in self.fields.items()
            if name in names and name not in relations
        }
        required = [name for name in attributes if creating and self.fields[name].required]
        linkages = {name: self._linkage(relations[name]) for name in relations if name in names}
        wanted = [
            name
            for name in linkages
            if creating
            and not (relations[name].to_many or relations[name].nullable)
            and "customer_email" not in names
        ]
        resource = {
            "type": {"const": self.name},
            "attributes": object_schema(attributes, required=required),
            "relationships": object_schema(
                {name: object_schema({"data": one}, ["data"]) for name, one in linkages.items()},
                wanted,
            ),
        }
        needed = ["type", *["attributes"] * bool(required), *["relationships"] * bool(wanted)]
        if not creating:
            resource["id"] = {"type": "string"}
            needed.append("id")
        return object_schema({"data": object_schema(resource, needed)}, ["data"])

    @staticmethod
    def _linkage(relation: Relation) -> Schema:
        types = sorted(relation.targets())
        one = object_schema({"type": {"enum": types}, "id": {"type": "string"}}, ["type", "id"])
        if relation.to_many:
            return {"type": "array", "items": one}
        return {"oneOf": [one, {"type": "null"}]} if relation.nullable else one

    def _filter(self) -> Schema:
        declared = self.filters
        if declared is None:
            return {"type": "object", "maxProperties": 0}
        by_predicates: dict[tuple[str, ...], list[str]] = {}
        for name, one in declared.base_filters.items():
            by_predicates.setdefault(tuple(one.predicates), []).append(name)
        patterns = [
            f"{any_of(names)}(_or_{NAME})?_{any_of(predicates)}"
            for predicates, names in by_predicates.items()
        ]
        if declared.relationships:
            patterns.append(f"{any_of(declared.relationships)}_{NAME}")
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^({'|'.join(patterns)})$"},
            "additionalProperties": {"type": "string"},
            "description": "\n".join(
                f"{', '.join(names)}: {', '.join(predicates)}"
                for predicates, names in by_predicates.items()
            ),
        }

    def paths(self) -> dict[str, Schema]:
        """The paths of the type and of its relationships, with their operations."""
        if "retrieve_singleton" in self.resource.actions:
            return self._singleton_paths(f"/api/{self.resource.path}")
        path = f"/api/{self.name}"
        found: dict[str, Schema] = {
            path: {},
            f"{path}/{{id}}": {"parameters": [ref("parameters", "id")]},
        }
        verbs = {"list": (path, "get"), "create": (path, "post")}
        detail = f"{path}/{{id}}"
        verbs |= {"retrieve": (detail, "get"), "partial_update": (detail, "patch")}
        verbs |= {"destroy": (detail, "delete")}
        for act, (where, verb) in verbs.items():
            if act in self.resource.actions:
                found[where][verb] = self._operation(act)
        if "list" in self.resource.actions:
            found[f"{path}/search"] = {"post": self._search()}
        for name, relation in self.resource.relations.items():
            found |= self._relation_paths(name, relation, detail)
        return {where: item for where, item in found.items() if item.keys() - {"parameters"}}

    def _singleton_paths(self, path: str) -> dict[str, Schema]:
        found: dict[str, Schema] = {path: {"get": self._operation("retrieve_singleton")}}
        for name, relation in self.resource.relations.items():
            for where, item in self._relation_paths(name, relation, path).items():
                found[where] = {"get": item["get"]}
        return found

    def _operation(self, act: str) -> Schema:
        words = {"many": self.name, "one": getattr(self.resource, "path", "")}
        operation: Schema = {
            "operationId": f"{self.name}.{OPERATION_NAMES.get(act, act)}",
            "summary": SUMMARIES[act].format(**words),
            "tags": [self.name],
            "responses": {},
        }
        if act in ("create", "partial_update"):
            content = {CONTENT_TYPE: {"schema": ref("schemas", f"{self.name}.{act}")}}
            operation["requestBody"] = {"required": True, "content": content}
        parameters = [] if act == "destroy" else [self.include(), ref("parameters", "fields")]
        if act == "list":
            parameters += self.list_parameters()
            operation["responses"]["200"] = listed(ref("schemas", self.name))
        elif act == "destroy":
            operation["responses"]["204"] = {"description": "It is gone."}
        else:
            status = "201" if act == "create" else "200"
            headers = (
                {"ETag": {"schema": {"type": "string"}}} if act != "retrieve_singleton" else {}
            )
            if act == "create":
                headers["Location"] = {"schema": {"type": "string"}}
            operation["responses"][status] = shown(ref("schemas", self.name), headers)
        if act in ("create", "partial_update", "destroy"):
            parameters.append(ref("parameters", "Idempotency-Key"))
        if act in ("partial_update", "destroy"):
            parameters.append(ref("parameters", "If-Match"))
        kind = {"create": "write", "partial_update": "write"}.get(act, act)
        return with_refusals({**operation, "parameters": parameters}, kind)

    def _search(self) -> Schema:
        document = search_document(self.name, [self.include(), *self.list_parameters()])
        operation = {
            "operationId": f"{self.name}.search",
            "summary": SUMMARIES["search"].format(many=self.name),
            "tags": [self.name],
            "parameters": self.page_parameters(),
            "requestBody": {"required": True, "content": {CONTENT_TYPE: {"schema": document}}},
            "responses": {"200": listed(ref("schemas", self.name))},
        }
        return with_refusals(operation, "search")

    def page_parameters(self) -> list[Schema]:
        """The parameters that ask for a page of it."""
        by_number = not self.resource.paged_by_cursor
        names = [*["number"] * by_number, "after", "size"]
        return [ref("parameters", f"page[{name}]") for name in names]

    def list_parameters(self) -> list[Schema]:
        """The parameters of its list: page, order and filters."""
        found = self.page_parameters()
        declared = self.filters
        if declared is None:
            return found
        if sortable := declared.sortable:
            one = f"-?{any_of(sortable)}"
            found.append(
                query_parameter("sort", {"type": "string", "pattern": f"^{one}(,{one})*$"})
            )
        if declared.base_filters:
            schema = ref("schemas", f"{self.name}.filter")
            found.append(
                {**query_parameter("filter[q]", schema), "style": "deepObject", "explode": True}
            )
        return found

    def include(self) -> Schema:
        """The parameter that includes related resources."""
        names = sorted(self.resource.includable)
        one = f"{any_of(names)}(\\.{NAME}){{0,{settings.MAX_INCLUDE_DEPTH - 1}}}"
        schema = {"type": "string", "pattern": f"^({one}(,{one})*)?$" if names else "^$"}
        return query_parameter("include", schema)

    def _relation_paths(self, name: str, relation: Relation, detail: str) -> dict[str, Schema]:
        target = _target_of(relation)
        schema = ref("schemas", target.name) if target else {"type": "object"}
        related: Schema = {
            "operationId": f"{self.name}.{name}",
            "summary": f"{'List' if relation.to_many else 'Retrieve'} the related {name}",
            "tags": [self.name],
        }
        parameters = [query_parameter("include", {"type": "string"}), ref("parameters", "fields")]
        if target:
            parameters[0] = target.include()
        if target and relation.to_many:
            parameters += target.list_parameters()
            related["responses"] = {"200": listed(schema)}
        else:
            related["responses"] = {"200": shown({"oneOf": [schema, {"type": "null"}]}, {})}
        related["parameters"] = parameters
        ids = [ref("parameters", "id")]
        found = {f"{detail}/{name}": {"parameters": ids, "get": with_refusals(related, "list")}}
        linkage = found[f"{detail}/relationships/{name}"] = {"parameters": ids}
        for verb, act in (LINKAGE_METHODS if relation.to_many else LINKAGE_OF_ONE).items():
            linkage[verb] = self._linkage_operation(name, relation, act)
        return found

    def _linkage_operation(self, name: str, relation: Relation, act: str) -> Schema:
        operation: Schema = {
            "operationId": f"{self.name}.{name}.{act}",
            "summary": LINKAGE_SUMMARIES[act].format(name=name),
            "tags": [self.name],
            "parameters": [],
        }
        data = object_schema({"data": self._linkage(relation)}, ["data"])
        if act == "linkage":
            if relation.to_many and (target := _target_of(relation)):
                operation["parameters"] = target.page_parameters()
            operation["responses"] = {"200": json_answer("The identifiers", {**data, **OPEN})}
            return with_refusals(operation, "list")
        operation["requestBody"] = {"required": True, "content": {CONTENT_TYPE: {"schema": data}}}
        operation["parameters"] = [
            ref("parameters", "Idempotency-Key"),
            ref("parameters", "If-Match"),
        ]
        operation["responses"] = {"204": {"description": "It is done."}}
        return with_refusals(operation, "write")


def _target_of(relation: Relation) -> TypeSchema | None:
    """The type that `relation` leads to, None where it leads to several."""
    return TypeSchema(registry.types[relation.target.name]) if relation.target else None
