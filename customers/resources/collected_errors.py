"""All that is wrong with one document, so that its sender is told all of it at once."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import ErrorDetail
from rest_framework.exceptions import ValidationError as InvalidMembersError
from rest_framework.fields import empty
from rest_framework.serializers import as_serializer_error
from rest_framework_json_api.serializers import ModelSerializer

from customers.models import optional_codes
from customers.resources.errors import (
    ApiError,
    CombinedApiError,
    RecordNotFoundError,
    UnprocessableError,
    error_name,
    invalid_members,
)
from customers.services.customers import ForgottenError

UNSEEN, UNPROCESSABLE = RecordNotFoundError.status, UnprocessableError.status


class ErrorCollector:
    """Errors of one status, of which what is not found may be one beside what is not valid.

    It is true when there are any.
    """

    def __init__(self) -> None:
        self.found: list[ApiError] = []

    def __bool__(self) -> bool:
        return bool(self.found)

    @property
    def members(self) -> set[str]:
        """The names of the members that are wrong."""
        return {error.member for error in self.found}

    def add(self, *errors: ApiError) -> None:
        """Collect `errors`; one that cannot stand beside those before it ends the search.

        Then it raises what was found first: CombinedApiError, or the error itself.
        """
        for error in errors:
            if error.status == UNSEEN and not error.source:  # the resource itself
                raise error
            if self.found and _group(error) != _group(self.found[0]):
                self.raise_all()
            self.found.append(error)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Collect what is raised within, as far as it is about the document.

        That a customer has been anonymized counts only where nothing else is wrong.
        """
        try:
            yield
        except (ApiError, CombinedApiError) as error:
            self.add(*error.errors)
        except ForgottenError:
            if not self.found:
                raise

    def raise_all(self) -> None:
        """Raise CombinedApiError when there are errors."""
        if self.found:
            raise CombinedApiError(_of_one_status(self.found))


def _group(error: ApiError) -> int:
    return UNPROCESSABLE if error.status == UNSEEN else error.status


def _of_one_status(found: list[ApiError]) -> list[ApiError]:
    """`found`, in which what is not there is not valid where other members are not."""
    if len({error.status for error in found}) == 1:
        return found
    return [
        UnprocessableError("must exist", error="blank", pointer=error.source["pointer"])
        if error.status == UNSEEN
        else error
        for error in found
    ]


class CollectingSerializer(ModelSerializer):
    """A serializer that knows what is right of its data where something else is wrong.

    `right` are the values of what is valid, `wrong` says by member what is not.
    """

    right: dict[str, Any] = {}
    wrong: Mapping[str, list[ErrorDetail]] = {}

    @cached_property
    def collected(self) -> ErrorCollector:
        """What was found to be wrong with what is to be written."""
        return ErrorCollector()

    def read(self) -> dict[str, Any]:
        """The values in the request's attributes, without those that are wrong."""
        if self.is_valid():
            return dict(self.validated_data)
        self.collected.add(*invalid_members(self.errors, "/data/attributes").errors)
        return {name: value for name, value in self.right.items() if name not in self.wrong}

    def lacks(self, name: str) -> bool:
        """Whether the attribute `name` must be given, and was not."""
        return any(error_name(error.code) == "blank" for error in self.wrong.get(name, ()))

    def require(self, name: str, values: Mapping[str, Any]) -> None:
        """Raise DRF's ValidationError unless `values` have a text by this name."""
        if not (values.get(name) or "").strip():
            raise InvalidMembersError({name: [ErrorDetail("can't be blank", "blank")]})

    def run_validation(self, data: Any = empty) -> dict[str, Any]:
        """As DRF's, but that `validate` is asked about what is right even where something is not.

        Raises DRF's ValidationError, by member.
        """
        self.right, self.wrong = {}, {}
        try:
            self.to_internal_value(self._without_empty_codes(data))
        except InvalidMembersError as error:
            self.wrong = as_serializer_error(error)
        try:
            self.right = self.validate(dict(self.right))
        except (InvalidMembersError, ValidationError) as error:
            self.wrong = {**as_serializer_error(error), **self.wrong}
        if self.wrong:
            raise InvalidMembersError(self.wrong)
        return self.right

    def set_value(self, dictionary: dict[str, Any], keys: list[str], value: Any) -> None:
        """DRF's, of what is read: it is kept where something else is wrong, too."""
        super().set_value(dictionary, keys, value)
        self.right = dictionary

    def _without_empty_codes(self, data: dict[str, Any]) -> dict[str, Any]:
        """`data`, in which an optional code that is blank is none."""
        for column in optional_codes(self.Meta.model):
            text = data.get(column.name)
            if isinstance(text, str) and not text.strip():
                rest = {name: value for name, value in data.items() if name != column.name}
                if column.null:
                    data = {**rest, column.name: None}
                elif self.instance is None:  # it gets a new one
                    data = rest
        return data
