"""What is wrong with a request: what the error says, its code, and the member it is about.

https://jsonapi.org/format/1.1/#errors
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist, ValidationError
from django.db import DataError, IntegrityError
from django.db.models import ProtectedError, RestrictedError
from django.utils.text import capfirst
from rest_framework.exceptions import ErrorDetail

from customers.models import DeletionRefusedError, Resource
from customers.services.customers import ForgottenError
from customers.services.row_changes import counted_rows
from customers.services.transactions import ConcurrentUpdateError


class ApiError(Exception):
    """What is wrong with a request (`title`, `code`, `status`), on what (`detail`), and where.

    `pointer` names a member of the request's document, `parameter` one of its query.
    """

    status = 400
    code = "BAD_REQUEST"
    title = "Bad Request"

    def __init__(
        self,
        detail: str = "",
        *,
        pointer: str | None = None,
        parameter: str | None = None,
        title: str | None = None,
        meta: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.title = title or self.title
        where = {"pointer": pointer, "parameter": parameter}
        self.source = {name: place for name, place in where.items() if place is not None}
        self.meta = meta

    @property
    def errors(self) -> "list[ApiError]":
        """All errors that it stands for, as CombinedApiError has it."""
        return [self]

    @property
    def member(self) -> str:
        """The name of the attribute, relationship or parameter in question, "" for the whole."""
        parts = self.source.get("pointer", "").split("/")
        if len(parts) > 3:  # /data/attributes/email
            return parts[3].replace("~1", "/").replace("~0", "~")
        return self.source.get("parameter", "")

    @property
    def message(self) -> str:
        """What is wrong with the member, without its name."""
        return (self.detail or self.title).removeprefix(f"{self.member} - ")

    def as_json(self) -> dict[str, Any]:
        """The error object of JSON:API."""
        error: dict[str, Any] = {
            "title": self.title,
            "detail": self.detail or self.title,
            "code": self.code,
        }
        if self.source:
            error["source"] = self.source
        error["status"] = str(self.status)
        if self.meta:
            error["meta"] = self.meta
        return error


def escaped(name: str) -> str:
    """`name` as a part of a JSON pointer (RFC 6901 section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


class CombinedApiError(Exception):
    """Several errors of one status at once."""

    def __init__(self, errors: list[ApiError]) -> None:
        super().__init__()
        self.errors = errors


class ConstraintViolationError(Exception):
    """The database refused to save `row`; which constraints it breaks is asked for the answer.

    By then the transaction has been undone, and the database answers again.
    """

    def __init__(self, row: Resource) -> None:
        super().__init__()
        self.row = row


class UnauthorizedError(ApiError):
    status, code, title = 401, "UNAUTHORIZED", "Access denied"

    def __init__(self, **where: Any) -> None:
        super().__init__("You may not perform this action on this resource.", **where)


class RecordNotFoundError(ApiError):
    status, code, title = 404, "RECORD_NOT_FOUND", "Record not found"

    def __init__(
        self, detail: str = "There is no such resource; check its id.", **where: Any
    ) -> None:
        super().__init__(detail, **where)


class UnprocessableError(ApiError):
    """A value that breaks a rule: `message` on the member `name`."""

    status, code = 422, "VALIDATION_ERROR"

    def __init__(
        self, message: str, *, pointer: str = "/data", error: str = "invalid", **meta: Any
    ) -> None:
        message = message.rstrip(".")
        name = pointer.split("/")[3] if pointer.count("/") > 2 else None
        super().__init__(
            f"{name} - {message}" if name else capfirst(message),
            pointer=pointer,
            title=message,
            meta={"error": error, **meta},
        )


class LockedError(ApiError):
    status, code, title = 423, "LOCKED", "Locked resource"


class ConflictError(ApiError):
    status, code, title = 409, "CONFLICT", "Record not unique"


class ClientIdError(ApiError):
    status, code, title = 403, "FORBIDDEN", "Client-generated id"

    def __init__(self) -> None:
        super().__init__("The id is given by the service; leave it out.", pointer="/data/id")


class KeyNotInUrlError(ApiError):
    code, title = "KEY_NOT_INCLUDED_IN_URL", "Key is not included in URL"


class KeyMissingError(ApiError):
    code, title = "KEY_ORDER_MISMATCH", "A key is required"


class ParamNotAllowedError(ApiError):
    code, title = "PARAM_NOT_ALLOWED", "Param not allowed"


class ParamMissingError(ApiError):
    code, title = "PARAM_MISSING", "Missing parameter"


class InvalidResourceError(ApiError):
    code, title = "INVALID_RESOURCE", "Invalid resource"


class TypeMismatchError(ApiError):
    code, title = "TYPE_MISMATCH", "Type mismatch"


class InvalidLinkageError(ApiError):
    code, title = "INVALID_LINKS_OBJECT", "Invalid links object"


class InvalidDataFormatError(ApiError):
    code, title = "INVALID_DATA_FORMAT", "Invalid data format"


class InvalidFieldError(ApiError):
    code, title = "INVALID_FIELD", "Invalid field"


class InvalidFieldFormatError(ApiError):
    code, title = "INVALID_FIELD_FORMAT", "Invalid field format"


class InvalidIncludeError(ApiError):
    code, title = "INVALID_INCLUDE", "Invalid include"


class DocumentTooLargeError(InvalidIncludeError):
    """What is included would make a document of more than settings.MAX_DOCUMENT_BYTES."""


class InvalidSortError(ApiError):
    code, title = "INVALID_SORT_CRITERIA", "Invalid sort criteria"


class InvalidPageObjectError(ApiError):
    code, title = "INVALID_PAGE_OBJECT", "Invalid page object"


class InvalidPageValueError(ApiError):
    code, title = "INVALID_PAGE_VALUE", "Invalid page value"


class FilterNotAllowedError(ApiError):
    code, title = "FILTER_NOT_ALLOWED", "Filter not allowed"


class InvalidFilterValueError(ApiError):
    code, title = "INVALID_FILTER_VALUE", "Invalid filter value"


class InvalidFilterSyntaxError(ApiError):
    code, title = "INVALID_FILTERS_SYNTAX", "Invalid filters syntax"


# What Django and its validators call an error, and what the API does.
ERROR_NAMES = {
    "required": "blank",
    "null": "blank",
    "blank": "blank",
    "max_length": "too_long",
    "min_length": "too_short",
    "password_too_short": "too_short",
    "invalid_choice": "inclusion",
    "max_value": "less_than_or_equal_to",
    "min_value": "greater_than_or_equal_to",
    "unique": "taken",
}


def error_name(code: str | None) -> str:
    """What the API calls the error that Django's validators call `code`."""
    return ERROR_NAMES.get(code or "", code or "invalid")


def invalid_members(found: Mapping[str, list[ErrorDetail]], pointer: str) -> CombinedApiError:
    """The errors `found`, DRF's validation errors by member name, below the JSON `pointer`."""
    return CombinedApiError(
        [
            UnprocessableError(
                str(error),
                pointer=f"{pointer}/{name}",
                error=error_name(error.code),
            )
            for name, details in found.items()
            for error in details
        ]
    )


def broken(row: Resource, name: str, error: ValidationError) -> UnprocessableError:
    """The error for `error`, which is about the member `name` of `row`."""
    pointer = "/data"
    if name != NON_FIELD_ERRORS:
        kind = "relationships" if row._meta.get_field(name).is_relation else "attributes"
        pointer = f"/data/{kind}/{name}"
    return UnprocessableError(error.messages[0], pointer=pointer, error=error.code or "invalid")


def explained(exception: Exception) -> list[ApiError]:
    """What `exception`, raised by an act on rows, says of the request; nothing if it is another."""
    match exception:
        case ApiError() | CombinedApiError():
            return exception.errors
        case ObjectDoesNotExist():
            return [RecordNotFoundError()]
        case ProtectedError(protected_objects=kept) | RestrictedError(restricted_objects=kept):
            still = counted_rows(Counter(map(type, kept)))
            return [LockedError(f"It cannot be deleted: it still has {still}.")]
        case DeletionRefusedError():
            return [LockedError(f"It cannot be deleted: {exception}.")]
        case ForgottenError():
            return [LockedError(str(exception))]
        case ConstraintViolationError(row=row) if found := list(row.violations()):
            return [broken(row, *one) for one in found]
        case ConstraintViolationError() | IntegrityError() | ConcurrentUpdateError():
            return [ConflictError("Another change got in the way; send the request again.")]
        case DataError():
            return [UnprocessableError("does not fit its column")]
    return []
