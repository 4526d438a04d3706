"""Request documents: exact JSON, then the shape that JSON:API asks of it.

https://jsonapi.org/format/1.1/#crud
"""

from django.conf import settings
from rest_framework.parsers import BaseParser
from rest_framework_json_api.parsers import JSONParser

from customers.api import errors
from customers.services import strict_json


def parse_json(body):
    """The value that `body`, bytes, holds as JSON. Raises errors.ApiError as strict_json does."""
    try:
        return strict_json.read(body)
    except strict_json.InvalidJsonError as error:
        raise errors.ApiError(error.about("The body")) from error


def is_json_api(media_type):
    """Whether a Content-Type is JSON:API's, without extensions (section Content Negotiation)."""
    name, _, parameters = media_type.lower().partition(";")
    return name.strip() == errors.CONTENT_TYPE and "ext=" not in parameters.replace(" ", "")


class ResourceParser(JSONParser):
    """Bytes to the value of the document's `data`; whoever reads it checks what it is."""

    def __init__(self):
        self.most_bytes = settings.MAX_BODY_BYTES

    def parse(self, stream, media_type=None, parser_context=None):
        """The `data` member. Raises errors.ApiError when there is no document around it."""
        if not is_json_api(media_type):
            raise errors.UnsupportedMediaTypeError
        request = parser_context["request"]
        length = request.META.get("CONTENT_LENGTH", "")  # what the server lets us read, at most
        if length.isdigit() and int(length) > self.most_bytes:
            raise errors.BodyTooLargeError(f"Send at most {self.most_bytes} bytes.")
        document = parse_json(stream.read())
        if not isinstance(document, dict):
            raise errors.InvalidDataFormatError("The body must be a JSON object.")
        if "data" not in document:
            raise errors.ParamMissingError("The required parameter, data, is missing.", pointer="")
        return document["data"]


class ImportParser(BaseParser):
    """As ResourceParser, for the many rows of an import.

    It is no JSONParser, for which DRF would read the body first, to Django's limit.
    """

    media_type = JSONParser.media_type

    def parse(self, stream, media_type=None, parser_context=None):
        parser = ResourceParser()
        parser.most_bytes = settings.MAX_IMPORT_BYTES
        return parser.parse(stream, media_type, parser_context)


def resource_object(data, resource_name, pk=None):
    """The attributes and the linkages of `data`, the request's resource object.

    Returns two dictionaries by member name; a linkage is what its `data` member holds.
    `pk` is the id in the URL when the resource exists. Raises errors.ApiError.
    """
    if not isinstance(data, dict):
        raise errors.InvalidDataFormatError("data must be an object.", pointer="/data")
    for name in data.keys() - {"type", "id", "attributes", "relationships", "links", "meta"}:
        raise errors.ParamNotAllowedError(
            f"{name[:100]} is not allowed.", pointer=f"/data/{errors.escaped(name)}"
        )
    if "type" not in data:
        raise errors.ParamMissingError(
            "The required parameter, type, is missing.", pointer="/data/type"
        )
    if data["type"] != resource_name:
        raise errors.InvalidResourceError(
            f"{data['type']!s:.100} is not the type here; it is {resource_name}.",
            pointer="/data/type",
        )
    _check_id(data, pk)
    attributes = _members(data, "attributes")
    relationships = _members(data, "relationships")
    linkages = {}
    for name, relationship in relationships.items():
        if not isinstance(relationship, dict) or "data" not in relationship:
            raise errors.InvalidLinkageError(
                f"{name} must be an object with a data member.",
                pointer=f"/data/relationships/{errors.escaped(name)}",
            )
        linkages[name] = relationship["data"]
    return attributes, linkages


def _check_id(data, pk):
    if pk is None:
        if "id" in data:
            raise errors.ParamNotAllowedError("id is given by the service.", pointer="/data/id")
    elif "id" not in data:
        raise errors.KeyMissingError("data must have the id of the resource.", pointer="/data/id")
    elif data["id"] != pk:
        raise errors.KeyNotInUrlError(
            f"The id {data['id']!s:.100} is not the one in the URL.", pointer="/data/id"
        )


def _members(data, name):
    members = data.get(name, {})
    if not isinstance(members, dict):
        raise errors.InvalidDataFormatError(f"{name} must be an object.", pointer=f"/data/{name}")
    return dict(members)  # the request may be read again


def identifiers(linkage, types, to_many, pointer):
    """The pairs of type and id that `linkage`, a resource identifier or a list of them, names.

    `types` are the types that may be named. Other members of an identifier are passed over. Raises
    errors.InvalidLinkageError and errors.TypeMismatchError, each pointing below `pointer`.
    """
    if to_many:
        if not isinstance(linkage, list):
            raise errors.InvalidLinkageError("It must be a list of identifiers.", pointer=pointer)
        return [
            _identifier(item, types, f"{pointer}/{index}") for index, item in enumerate(linkage)
        ]
    return [] if linkage is None else [_identifier(linkage, types, pointer)]


def _identifier(item, types, pointer):
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
