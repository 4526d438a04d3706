"""The OpenAPI 3.1 description of the API, made of what the types declare.

https://spec.openapis.org/oas/v3.1.1
"""

from functools import cache
from typing import Any

from django.conf import settings
from rest_framework import serializers as drf

from customers.api.errors import CONTENT_TYPE
from customers.api.router import LINKAGE_METHODS, LINKAGE_OF_ONE
from customers.resources import fields
from customers.resources.errors import ApiError
from customers.resources.registry import Registry

NAME = "[a-z_]+"
CONTENT = CONTENT_TYPE
KINDS = [  # the first that fits a serializer's field: its JSON type
    (drf.BooleanField, {"type": "boolean"}),
    (drf.IntegerField, {"type": "integer", "format": "int64"}),
    (drf.FloatField, {"type": "number"}),
    (drf.DateTimeField, {"type": "string", "format": "date-time"}),
    (drf.ChoiceField, {"type": "string"}),
    (drf.CharField, {"type": "string"}),
    (fields.MetadataSerializerField, {"type": "object"}),
    (drf.ListField, {"type": "array", "items": {"type": "string"}}),
]
SUMMARIES = {
    "list": "List {many}",
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
REFUSALS = {  # what may be refused: by what is done
    "read": [400, 401, 404, 406, 429, 500, 501, 503],
    "write": [400, 401, 404, 406, 409, 411, 412, 413, 415, 422, 429, 500, 501, 503, 507],
    "destroy": [400, 401, 404, 406, 409, 412, 422, 423, 429, 500, 501, 503, 507],
}


def ref(kind, name):
    return {"$ref": f"#/components/{kind}/{name}"}


def description(registry: Registry) -> dict[str, Any]:
    """The whole description, JSON, of the types that `registry` serves."""
    paths, schemas = {}, dict(SHARED)
    for resource in registry.types.values():
        described = _Type(resource)
        schemas |= described.schemas()
        paths |= described.paths()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{settings.ORGANIZATION_NAME} customer API",
            "version": "1.0.0",
            "description": (
                "Customers and everything that hangs on them, as JSON:API. Requests carry a token "
                "of POST /oauth/token; filters are written filter[q][attribute_predicate]=value, "
                "and those for equality filter[attribute]=value, too."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": settings.PUBLIC_URL}],
        "security": [{"token": []}],
        "tags": [
            {"name": name, "description": (resource.serializer_class.Meta.model.__doc__ or "")}
            for name, resource in registry.types.items()
        ],
        "paths": paths | PERSONAL_DATA | TOKEN_PATHS,
        "components": {
            "schemas": schemas,
            "responses": _refusals(),
            "parameters": PARAMETERS | _paging(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


class _Type:
    """One type's schemas and paths."""

    def __init__(self, resource):
        self.resource = resource
        self.name = resource.name
        self.serializer = resource.serializer_class()
        self.fields = self.serializer.fields
        self.filters = getattr(resource, "filterset_class", None)

    # schemas

    def schemas(self):
        found = {
            self.name: self._resource(),
            f"{self.name}.filter": self._filter(),
        }
        for act, creating in {"create": True, "partial_update": False}.items():
            if act in self.resource.actions:
                found[f"{self.name}.{act}"] = self._writable(creating)
        return found

    def _resource(self):
        shown = {
            name: _readable(self.serializer, name, field)
            for name, field in self.fields.items()
            if not field.write_only and name not in self.resource.relations
        }
        links = {name: ref("schemas", "relationship") for name in self.resource.relations}
        return _object(
            {
                "id": {"type": "string"},
                "type": {"const": self.name},
                "links": _object({"self": {"type": ["string", "null"]}}),
                "attributes": _object(shown),
                "relationships": _object(links),
                "meta": {"type": "object"},
            },
            required=["id", "type", "meta"],
        )

    def _writable(self, creating):
        names = self.serializer.writable(creating=creating)
        relations = self.resource.relations
        attributes = {
            name: _writable(self.serializer, name, field)
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
            "attributes": _object(attributes, required=required),
            "relationships": _object(
                {name: _object({"data": one}, ["data"]) for name, one in linkages.items()}, wanted
            ),
        }
        needed = ["type", *["attributes"] * bool(required), *["relationships"] * bool(wanted)]
        if not creating:
            resource["id"] = {"type": "string"}
            needed.append("id")
        return _object({"data": _object(resource, needed)}, ["data"])

    @staticmethod
    def _linkage(relation):
        types = sorted(relation.targets())
        one = _object({"type": {"enum": types}, "id": {"type": "string"}}, ["type", "id"])
        if relation.to_many:
            return {"type": "array", "items": one}
        return {"oneOf": [one, {"type": "null"}]} if relation.nullable else one

    def _filter(self):
        declared = self.filters
        if declared is None:
            return {"type": "object", "maxProperties": 0}
        by_predicates = {}
        for name, one in declared.base_filters.items():
            by_predicates.setdefault(tuple(one.predicates), []).append(name)
        patterns = [
            f"{_any(names)}(_or_{NAME})?_{_any(predicates)}"
            for predicates, names in by_predicates.items()
        ]
        if declared.relationships:
            patterns.append(f"{_any(declared.relationships)}_{NAME}")
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^({'|'.join(patterns)})$"},
            "additionalProperties": {"type": "string"},
            "description": "\n".join(
                f"{', '.join(names)}: {', '.join(predicates)}"
                for predicates, names in by_predicates.items()
            ),
        }

    # paths

    def paths(self):
        if "retrieve_singleton" in self.resource.actions:
            return {f"/api/{self.resource.path}": {"get": self._operation("retrieve_singleton")}}
        path = f"/api/{self.name}"
        found = {path: {}, f"{path}/{{id}}": {"parameters": [ref("parameters", "id")]}}
        verbs = {"list": (path, "get"), "create": (path, "post")}
        detail = f"{path}/{{id}}"
        verbs |= {"retrieve": (detail, "get"), "partial_update": (detail, "patch")}
        verbs |= {"destroy": (detail, "delete")}
        for act, (where, verb) in verbs.items():
            if act in self.resource.actions:
                found[where][verb] = self._operation(act)
        for name, relation in self.resource.relations.items():
            found |= self._relation_paths(name, relation, detail)
        return {where: item for where, item in found.items() if item.keys() - {"parameters"}}

    def _operation(self, act):
        words = {"many": self.name, "one": getattr(self.resource, "path", "")}
        operation = {
            "operationId": f"{self.name}.{act}",
            "summary": SUMMARIES[act].format(**words),
            "tags": [self.name],
            "responses": {},
        }
        if act in ("create", "partial_update"):
            content = {CONTENT: {"schema": ref("schemas", f"{self.name}.{act}")}}
            operation["requestBody"] = {"required": True, "content": content}
        parameters = [] if act == "destroy" else [self._include(), ref("parameters", "fields")]
        if act == "list":
            parameters += self._list_parameters()
            operation["responses"]["200"] = _listed(ref("schemas", self.name))
        elif act == "destroy":
            operation["responses"]["204"] = {"description": "It is gone."}
        else:
            status = "201" if act == "create" else "200"
            headers = (
                {"ETag": {"schema": {"type": "string"}}} if act != "retrieve_singleton" else {}
            )
            if act == "create":
                headers["Location"] = {"schema": {"type": "string"}}
            operation["responses"][status] = _shown(ref("schemas", self.name), headers)
        if act in ("create", "partial_update", "destroy"):
            parameters.append(ref("parameters", "Idempotency-Key"))
        if act in ("partial_update", "destroy"):
            parameters.append(ref("parameters", "If-Match"))
        kind = {"create": "write", "partial_update": "write"}.get(act, act)
        return _with_refusals({**operation, "parameters": parameters}, kind)

    def _page_parameters(self):
        by_number = not self.resource.paged_by_cursor
        names = [*["number"] * by_number, "after", "size"]
        return [ref("parameters", f"page[{name}]") for name in names]

    def _list_parameters(self):
        found = self._page_parameters()
        declared = self.filters
        if declared is None:
            return found
        if sortable := declared.sortable:
            one = f"-?{_any(sortable)}"
            found.append(_query("sort", {"type": "string", "pattern": f"^{one}(,{one})*$"}))
        if declared.base_filters:
            schema = ref("schemas", f"{self.name}.filter")
            found.append({**_query("filter[q]", schema), "style": "deepObject", "explode": True})
        return found

    def _include(self):
        names = sorted(self.resource.includable)
        one = f"{_any(names)}(\\.{NAME}){{0,{settings.MAX_INCLUDE_DEPTH - 1}}}"
        schema = {"type": "string", "pattern": f"^({one}(,{one})*)?$" if names else "^$"}
        return _query("include", schema)

    def _relation_paths(self, name, relation, detail):
        target = relation.target and _Type(relation.target)
        schema = ref("schemas", target.name) if target else {"type": "object"}
        related = {
            "operationId": f"{self.name}.{name}",
            "summary": f"{'List' if relation.to_many else 'Retrieve'} the related {name}",
            "tags": [self.name],
        }
        parameters = [_query("include", {"type": "string"}), ref("parameters", "fields")]
        if target:
            parameters[0] = target._include()
        if relation.to_many:
            parameters += target._list_parameters()
            related["responses"] = {"200": _listed(schema)}
        else:
            related["responses"] = {"200": _shown({"oneOf": [schema, {"type": "null"}]}, {})}
        related["parameters"] = parameters
        ids = [ref("parameters", "id")]
        found = {f"{detail}/{name}": {"parameters": ids, "get": _with_refusals(related, "list")}}
        linkage = found[f"{detail}/relationships/{name}"] = {"parameters": ids}
        for verb, act in (LINKAGE_METHODS if relation.to_many else LINKAGE_OF_ONE).items():
            linkage[verb] = self._linkage_operation(name, relation, act)
        return found

    def _linkage_operation(self, name, relation, act):
        operation = {
            "operationId": f"{self.name}.{name}.{act}",
            "summary": LINKAGE_SUMMARIES[act].format(name=name),
            "tags": [self.name],
            "parameters": [],
        }
        data = _object({"data": self._linkage(relation)}, ["data"])
        if act == "linkage":
            if relation.to_many:
                operation["parameters"] = _Type(relation.target)._page_parameters()
            operation["responses"] = {"200": _json("The identifiers", {**data, **OPEN})}
            return _with_refusals(operation, "list")
        operation["requestBody"] = {"required": True, "content": {CONTENT: {"schema": data}}}
        operation["parameters"] = [
            ref("parameters", "Idempotency-Key"),
            ref("parameters", "If-Match"),
        ]
        operation["responses"] = {"204": {"description": "It is done."}}
        return _with_refusals(operation, "write")


OPEN = {"additionalProperties": True}
SHARED = {
    "relationship": {
        "type": "object",
        "required": ["links"],
        "properties": {"links": {"type": "object"}, "data": {"type": ["object", "array", "null"]}},
    },
    "errors": {
        "type": "object",
        "required": ["errors"],
        "properties": {
            "errors": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["title", "detail", "code", "status"],
                    "properties": {
                        "title": {"type": "string"},
                        "detail": {"type": "string"},
                        "code": {"type": "string"},
                        "status": {"type": "string"},
                        "source": {"type": "object"},
                        "meta": {"type": "object"},
                    },
                },
            }
        },
    },
}


def _query(name, schema, description=""):
    found = {"name": name, "in": "query", "schema": schema}
    return {**found, "description": description} if description else found


PARAMETERS = {
    "id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
    "fields": {
        **_query("fields", {"type": "object", "additionalProperties": {"type": "string"}}),
        "style": "deepObject",
        "explode": True,
        "description": "fields[type]=a,b shows these members of a type alone.",
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Sent again with it, the request is answered again and not done again.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag of what you have seen; when it has changed, the answer is 412.",
        "schema": {"type": "string"},
    },
}


def _paging():
    number = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
    return {
        "page[number]": _query("page[number]", number),
        "page[size]": _query("page[size]", {**number, "maximum": settings.MAX_PAGE_SIZE}),
        "page[after]": _query("page[after]", {"type": "string", "pattern": "^[0-9A-Za-z]*$"}),
    }


def _object(properties, required=()):
    found = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": list(required)} if required else found


def _any(names):
    return f"({'|'.join(names)})"


def _kind(field):
    return dict(next((schema for kind, schema in KINDS if isinstance(field, kind)), {}))


def _column(serializer, name):
    """The model's column of a serializer's field, None when there is none."""
    meta = getattr(serializer.Meta.model, "_meta", None)  # the organization is no model
    return next((one for one in meta.get_fields() if one.name == name), None) if meta else None


def _readable(serializer, name, field):
    schema = _kind(field)
    column = _column(serializer, name)
    if isinstance(field, drf.ChoiceField):
        schema["enum"] = list(field.choices)
    if "type" in schema and (column is None or getattr(column, "null", True)):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"].append(None)
    return schema


def _writable(serializer, name, field):
    schema = _kind(field)
    if isinstance(field, drf.ChoiceField):
        schema["enum"] = list(field.choices)
    for member, value in {
        "minLength": getattr(field, "min_length", None),
        "maxLength": getattr(field, "max_length", None),
        "minimum": getattr(field, "min_value", None),
        "maximum": getattr(field, "max_value", None),
    }.items():
        if value is not None:
            schema[member] = value
    if field.allow_null and "type" in schema:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"].append(None)
    if move := getattr(serializer.Meta.model, "transitions", {}).get(name.removeprefix("_")):
        sources = ", ".join(sorted(move.sources)) or "any status"
        schema["description"] = f"Trigger: from {sources}" + (f" to {move.to}" if move.to else "")
    elif name.startswith("_"):
        schema["description"] = "Trigger"
    return schema


def _json(description, schema, headers=None):
    found = {"description": description, "content": {CONTENT: {"schema": schema}}}
    return {**found, "headers": headers} if headers else found


def _shown(schema, headers):
    document = {"data": schema, "included": {"type": "array", "items": {"type": "object"}}}
    return _json("The resource", _object(document, ["data"]), headers)


def _listed(schema):
    document = {
        "data": {"type": "array", "items": schema},
        "included": {"type": "array", "items": {"type": "object"}},
        "meta": {"type": "object"},
        "links": {"type": "object"},
    }
    return _json("A page of them", _object(document, ["data", "meta", "links"]))


def _with_refusals(operation, kind):
    kind = kind if kind in REFUSALS else "read"
    for status in REFUSALS[kind]:
        operation["responses"][str(status)] = ref("responses", f"Error{status}")
    operation["responses"]["414"] = ref("responses", "TooLong")
    return operation


def _refusals():
    """The errors by status, with all their codes."""
    codes, kinds = {}, [ApiError]
    for kind in kinds:
        codes.setdefault(kind.status, {})[kind.code] = kind.title
        kinds.extend(kind.__subclasses__())
    too_long = "The server in front reads no address of this length."
    found = {"TooLong": {"description": too_long, "content": {"text/html": {}}}}
    return found | {
        f"Error{status}": _json(
            "; ".join(f"{code}: {title}" for code, title in sorted(names.items())),
            ref("schemas", "errors"),
        )
        for status, names in sorted(codes.items())
    }


def _oauth(summary, members, answer):
    body = {
        kind: {"schema": {"type": "object", "required": ["client_id"], "properties": members}}
        for kind in ("application/json", "application/x-www-form-urlencoded")
    }
    error = {"application/json": {"schema": {"type": "object"}}}
    return {
        "post": {
            "operationId": summary.split(" (")[0].replace(" ", "_").lower(),
            "summary": summary,
            "tags": ["tokens"],
            "security": [],
            "requestBody": {"required": True, "content": body},
            "responses": {
                "200": {
                    "description": "Done",
                    "content": {"application/json": {"schema": answer}},
                },
                **{
                    str(status): {"description": "Refused", "content": error}
                    for status in (400, 401, 403, 413, 429, 501, 503)
                },
            },
        }
    }


TEXT = {"type": "string"}
PERSONAL_DATA = {
    "/api/customers/{id}/personal_data": {
        "parameters": [ref("parameters", "id")],
        "get": _with_refusals(
            {
                "operationId": "customers.personal_data",
                "summary": "Retrieve everything that is held on one customer",
                "tags": ["customers"],
                "responses": {
                    "200": _json(
                        "All of it, as one JSON object",
                        _object(
                            {
                                "data": {"type": "null"},
                                "meta": _object(
                                    {"personal_data": {"type": "object"}}, ["personal_data"]
                                ),
                            },
                            ["data", "meta"],
                        ),
                    )
                },
            },
            "read",
        ),
    }
}
TOKEN_PATHS = {
    "/oauth/token": _oauth(
        "Get a token",
        {
            "grant_type": {"enum": ["client_credentials", "password", "refresh_token"]},
            "client_id": TEXT,
            "client_secret": TEXT,
            "scope": TEXT,
            "username": TEXT,
            "password": TEXT,
            "refresh_token": TEXT,
        },
        {"type": "object", "required": ["access_token", "token_type", "expires_in"]},
    ),
    "/oauth/revoke": _oauth(
        "End a token",
        {"client_id": TEXT, "client_secret": TEXT, "token": TEXT},
        {"type": "object"},
    ),
}

described = cache(description)
