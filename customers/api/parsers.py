"""Request documents: their media type, how large they may be, and exact JSON.

https://jsonapi.org/format/1.1/#content-negotiation
"""

import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser
from rest_framework_json_api.parsers import JSONParser

from customers.api import errors
from customers.resources.errors import ApiError, InvalidDataFormatError, ParamMissingError
from customers.services import strict_json

KNOWN_PARAMETERS = {"charset", "profile"}  # `ext` would be one, if there were an extension here
PARAMETER = re.compile(r'([^=;\s]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')


def parse_json(body: bytes) -> Any:
    """The value that `body` holds as JSON. Raises ApiError as strict_json does."""
    try:
        return strict_json.read_strict_json(body)
    except strict_json.InvalidJsonError as error:
        raise ApiError(error.about("The body")) from error


def is_json_api(media_type: str | None) -> bool:
    """Whether a Content-Type is JSON:API's, without extensions and parameters of others."""
    name, parameters = parse_media_type(media_type or "")
    return name == errors.CONTENT_TYPE and parameters.keys() <= KNOWN_PARAMETERS


def parse_media_type(text: str) -> tuple[str, dict[str, str]]:
    """The name in a media type or a range of them, and its parameters, all in lower case."""
    name, _, rest = text.lower().partition(";")
    return name.strip(), dict(PARAMETER.findall(rest))


class ResourceParser(JSONParser):
    """Bytes to the value of the document's `data`; whoever reads it checks what it is."""

    def __init__(self) -> None:
        self.most_bytes = settings.MAX_BODY_BYTES

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """What is asked of the document. Raises ApiError when there is none."""
        if not is_json_api(media_type):
            raise errors.UnsupportedMediaTypeError
        request = (parser_context or {})["request"]
        length = request.META.get("CONTENT_LENGTH", "")  # what the server lets us read, at most
        if length.isdigit() and int(length) > self.most_bytes:
            raise errors.BodyTooLargeError(f"Send at most {self.most_bytes} bytes.")
        document = parse_json(stream.read())
        if not isinstance(document, dict):
            raise InvalidDataFormatError("The body must be a JSON object.")
        return self.asked_of(document)

    def asked_of(self, document: dict[str, Any]) -> Any:
        """The `data` member of `document`. Raises ApiError when there is none."""
        if "data" not in document:
            raise ParamMissingError("The required parameter, data, is missing.", pointer="")
        return document["data"]


class SearchParser(ResourceParser):
    """As ResourceParser, to the document itself, which is a query."""

    def asked_of(self, document: dict[str, Any]) -> Any:
        """All of it."""
        return document


class FileParser(BaseParser):
    """As ResourceParser, for a document with a file in it, as an import's.

    It is no JSONParser, for which DRF would read the body first, to Django's limit.
    """

    media_type = JSONParser.media_type

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """As ResourceParser.parse."""
        parser = ResourceParser()
        parser.most_bytes = settings.MAX_IMPORT_BYTES
        return parser.parse(stream, media_type, parser_context)
