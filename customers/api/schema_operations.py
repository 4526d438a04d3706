"""The operations of one type: on its resources and on their relationships."""

from django.db.models import Model

from customers.api.errors import CONTENT_TYPE
from customers.api.router import LINKAGE_METHODS, LINKAGE_OF_ONE
from customers.api.schema_parts import (
    TEXT,
    Schema,
    json_answer,
    object_schema,
    ref,
    said,
    with_refusals,
)
from customers.api.schema_search import (
    include_of,
    list_parameters,
    page_parameters_of,
    search_operation,
)
from customers.api.schema_types import (
    TypeSchema,
    component_of,
    identifiers_document,
    linkage_of,
    meaning_of_type,
    target_of,
)
from customers.resources.base import ResourceType
from customers.resources.relations import Relation
from customers.services.permissions import GUEST, OWNER

ACTS = {  # how each is called, and what it does
    "list": (
        "List {many}",
        "A page of those that the token may see, the first made first unless `sort` says else. "
        "`filter` narrows it, `include` brings related resources along.",
    ),
    "create": ("Create {a_one}", "Makes one of what is sent, and answers with it."),
    "retrieve": ("Retrieve {a_one}", "The one with this id; `include` brings related resources."),
    "partial_update": (
        "Update {a_one}",
        "Changes what is sent and leaves the rest as it is; `metadata` is replaced as a whole. "
        "Triggers, whose names begin with an underscore, act after the changes.",
    ),
    "destroy": ("Delete {a_one}", "Removes it for good. 423 says why one is kept."),
    "retrieve_singleton": ("Retrieve the {one}", "The one that the token belongs to."),
}
LINKAGE_ACTS = {
    "linkage": ("Retrieve the relationship {words}", "The identifiers of what is related."),
    "replace_linkage": ("Replace the relationship {words}", "Relates what is sent, nothing else."),
    "add_linkage": ("Add to the relationship {words}", "Relates what is sent, too."),
    "remove_linkage": ("Remove from the relationship {words}", "Relates what is sent no longer."),
}
OPERATION_NAMES = {"retrieve_singleton": "only"}  # as clients that are made of it have them
BODIES = {"create": "Create", "partial_update": "Update"}
ETAG = {"ETag": said("The state of the resource, for If-Match.", {"schema": TEXT})}
LOCATION = {"Location": said("The address of the resource.", {"schema": TEXT})}


class TypeOperations:
    """One type's paths."""

    def __init__(self, resource: type[ResourceType]) -> None:
        self.resource = resource
        self.name = resource.name
        self.schema = TypeSchema(resource)

    def paths(self) -> dict[str, Schema]:
        """The paths of the type and of its relationships, with their operations."""
        if "retrieve_singleton" in self.resource.actions:
            return self._singleton_paths(f"/api/{self.resource.path}")
        path, detail = f"/api/{self.name}", f"/api/{self.name}/{{id}}"
        found: dict[str, Schema] = {path: {}, detail: {"parameters": [ref("parameters", "id")]}}
        verbs = {
            "list": (path, "get"),
            "create": (path, "post"),
            "retrieve": (detail, "get"),
            "partial_update": (detail, "patch"),
            "destroy": (detail, "delete"),
        }
        for act, (where, verb) in verbs.items():
            if act in self.resource.actions:
                found[where][verb] = self._operation(act)
        if "list" in self.resource.actions:
            found[f"{path}/search"] = {"post": search_operation(self.schema)}
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
        summary, description = ACTS[act]
        operation: Schema = {
            "operationId": f"{self.name}.{OPERATION_NAMES.get(act, act)}",
            "summary": summary.format(**_words(self.resource)),
            "description": " ".join(
                [meaning_of_type(self.resource), description, self._who(act)]
            ).strip(),
            "tags": [self.name],
            "responses": self._answer(act),
        }
        if word := BODIES.get(act):
            content = {
                "schema": ref("schemas", f"{self.schema.component}{word}"),
                "example": self.schema.body_example(creating=act == "create"),
            }
            operation["requestBody"] = {"required": True, "content": {CONTENT_TYPE: content}}
        kind = "write" if act in BODIES else act
        return with_refusals({**operation, "parameters": self._parameters(act)}, kind)

    def _answer(self, act: str) -> dict[str, Schema]:
        component = self.schema.component
        if act == "list":
            return {"200": json_answer("A page of them", ref("schemas", f"{component}Page"))}
        if act == "destroy":
            return {"204": {"description": "It is gone."}}
        headers = {} if act == "retrieve_singleton" else dict(ETAG)
        if act == "create":
            headers |= LOCATION
        document = ref("schemas", f"{component}Document")
        return {"201" if act == "create" else "200": json_answer("The resource", document, headers)}

    def _parameters(self, act: str) -> list[Schema]:
        found = [] if act == "destroy" else [include_of(self.resource), ref("parameters", "fields")]
        if act == "list":
            found += list_parameters(self.schema)
        if act in (*BODIES, "destroy"):
            found.append(ref("parameters", "Idempotency-Key"))
        if act in ("partial_update", "destroy"):
            found.append(ref("parameters", "If-Match"))
        return found

    def _who(self, act: str) -> str:
        """Which applications may do it, and what of a body is a sales channel's to send."""
        if act in GUEST.get(self.name, ()):
            text = "For integrations and sales channels."
        elif act in OWNER.get(self.name, ()):
            text = "For integrations, and for customers who are logged in."
        else:
            return "For integrations alone."
        if act not in BODIES:
            return text
        names = getattr(self.schema.serializer.Meta, "channel_writable", ())
        if sent := sorted({*names} & self.schema.serializer.writable(act == "create")):
            text += f" A sales channel may send {', '.join(sent)}, references and metadata."
        return text

    def _relation_paths(self, name: str, relation: Relation, detail: str) -> dict[str, Schema]:
        ids = [ref("parameters", "id")]
        related = with_refusals(self._related_operation(name, relation), "list")
        found = {f"{detail}/{name}": {"parameters": ids, "get": related}}
        linkage = found[f"{detail}/relationships/{name}"] = {"parameters": ids}
        for verb, act in (LINKAGE_METHODS if relation.to_many else LINKAGE_OF_ONE).items():
            linkage[verb] = self._linkage_operation(name, relation, act)
        return found

    def _related_operation(self, name: str, relation: Relation) -> Schema:
        words = _words(self.resource)
        own = f"the {name.replace('_', ' ')} of {words['a_one']}"
        operation: Schema = {
            "operationId": f"{self.name}.{name}",
            "summary": f"{'List' if relation.to_many else 'Retrieve'} {own}",
            "tags": [self.name],
        }
        target = target_of(relation)
        if target and relation.to_many:
            text = "A page of them, which is filtered, sorted and included as their own list is."
            answer = json_answer("A page of them", ref("schemas", f"{target.component}Page"))
        elif target:
            text = "The one resource; data is null where there is none."
            document = ref("schemas", f"{target.component}OrNullDocument")
            answer = json_answer("The resource", document)
        else:
            text = "The one resource, of whichever type it is."
            choices = [ref("schemas", component_of(one)) for one in relation.targets().values()]
            answer = json_answer("The resource", self.schema.document({"oneOf": choices}))
        includes = include_of(target.resource) if target else include_of(None)
        parameters = [includes, ref("parameters", "fields")]
        if target and relation.to_many:
            parameters += list_parameters(target)
        responses = {"200": answer}
        return {**operation, "description": text, "parameters": parameters, "responses": responses}

    def _linkage_operation(self, name: str, relation: Relation, act: str) -> Schema:
        summary, description = LINKAGE_ACTS[act]
        words = f"{name.replace('_', ' ')} of {_words(self.resource)['a_one']}"
        operation: Schema = {
            "operationId": f"{self.name}.{name}.{act}",
            "summary": summary.format(words=words),
            "description": description,
            "tags": [self.name],
            "parameters": [],
        }
        target = target_of(relation)
        if act == "linkage":
            if relation.to_many and target:
                operation["parameters"] = page_parameters_of(target.resource)
            answer = json_answer("The identifiers", _linkage_answer(relation, target))
            return with_refusals({**operation, "responses": {"200": answer}}, "list")
        data = object_schema({"data": said("What is named.", linkage_of(relation))}, ["data"])
        operation["requestBody"] = {"required": True, "content": {CONTENT_TYPE: {"schema": data}}}
        operation["parameters"] = [
            ref("parameters", "Idempotency-Key"),
            ref("parameters", "If-Match"),
        ]
        operation["responses"] = {"204": {"description": "It is done."}}
        return with_refusals(operation, "write")


def _linkage_answer(relation: Relation, target: TypeSchema | None) -> Schema:
    if target is None:
        return identifiers_document(linkage_of(relation))
    word = "Identifiers" if relation.to_many else "IdentifierDocument"
    return ref("schemas", f"{target.component}{word}")


def _words(resource: type[ResourceType]) -> dict[str, str]:
    """What one resource of a type, and many, are called in sentences."""
    model = resource.serializer_class.Meta.model
    if not issubclass(model, Model):
        return {"one": resource.path or "", "many": resource.name, "a_one": resource.path or ""}
    one, many = str(model._meta.verbose_name), str(model._meta.verbose_name_plural)
    return {"one": one, "many": many, "a_one": f"{'an' if one[0] in 'aeiou' else 'a'} {one}"}
