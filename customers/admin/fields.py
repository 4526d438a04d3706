"""Fields of the admin's forms."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.fields import InvalidJSONInput

from customers.services import strict_json


class JsonFormField(forms.JSONField):
    """JSON that is read as the API does, of the type of `default()`, which no text stands for."""

    def __init__(self, *, default: Callable[[], Any], **options: Any) -> None:
        super().__init__(**options)
        self.default = default

    def to_python(self, value: Any) -> Any:
        if self.disabled:  # then it is the row's own
            return value
        try:
            found = _read(value)
        except strict_json.InvalidJsonError as error:
            raise ValidationError(error.about("This"), code="invalid") from error
        if found is None:
            return self.default()
        if not isinstance(found, type(self.default())):
            kind = "an object" if isinstance(self.default(), dict) else "a list"
            raise ValidationError(f"This must be {kind}.", code="invalid")
        return found

    def bound_data(self, data: str | None, initial: Any) -> Any:
        try:
            return _read(data)
        except strict_json.InvalidJsonError:
            return InvalidJSONInput(data)


def offered(form: forms.BaseForm, name: str, rows: QuerySet) -> forms.ModelChoiceField:
    """The field `name` of `form`, which lets `rows` be chosen from now on."""
    field = form.fields[name]
    if not isinstance(field, forms.ModelChoiceField):
        raise TypeError(f"{name} chooses no rows.")
    field.queryset = rows
    return field


def _read(text):
    """The value of `text`, None for none. Raises strict_json.Unfit."""
    return strict_json.read_strict_json(text.encode()) if text and text.strip() else None
