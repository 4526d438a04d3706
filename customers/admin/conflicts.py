"""Forms that write what their user changed of a row, and ask where somebody else changed it too.

A page carries, signed, what it showed: a digest of each field, and the states of its customers.
When it is sent, its row is locked and read again. What differs from what was shown was changed
by whoever sent the page; nothing else is written.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import QueryDict
from django.utils.choices import flatten_choices
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.timezone import localtime

from customers.models import Customer
from customers.services import row_history
from customers.services.customers import ForgottenError

VERSION = "page_version"  # the form's hidden field
MINE, SAVED = "mine", "saved"
ASK = "This was changed in the meantime. Choose above which value to keep."
EMPTY = "(empty)"


@dataclass(frozen=True)
class PageVersion:
    """What a page showed: digests by field, its customers' states, and what it asked about."""

    fields: dict = field(default_factory=dict)
    customers: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def sign(self, row: Model) -> str:
        """The text by which a page of `row` carries it."""
        return signing.dumps([self.fields, self.customers, self.asked], salt=_salt(row))

    @classmethod
    def read(cls, text: str | None, row: Model) -> "PageVersion | None":
        """The version that `text` is, of a page of `row`; None when it is none that was signed."""
        try:
            return cls(*signing.loads(text or "", salt=_salt(row)))
        except (signing.BadSignature, TypeError):
            return None


def _salt(row):
    return f"{VERSION}:{row._meta.label_lower}:{row.pk}"


@dataclass(frozen=True)
class Conflict:
    """A field that two have changed: both values in words, and who saved the other one."""

    name: str
    label: str
    mine: str
    saved: str
    choice: str | None
    change: row_history.Change | None


class FreshForm(forms.ModelForm):
    """A ModelForm that changes, of a row that exists, what its user changed of what was shown.

    The instance is the locked row as it is now. Whatever was not touched, or was not sent,
    keeps its value, and is neither checked nor saved with the value of the page.
    """

    data: QueryDict  # of a request
    is_of_row = False  # which exists, and is to be changed
    page_customers: dict[
        str, list
    ] = {}  # the states of the row's customers, of row_history.states_of

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fresh = self.instance.pk if self.is_of_row else None
        self.compared = []
        if self.fresh:
            self.compared = [name for name, one in self.fields.items() if not one.disabled]
            self.fields[VERSION] = forms.CharField(
                required=False, widget=forms.HiddenInput, initial=self._version
            )

    def _version(self):
        """The version of a page that shows the row as it is."""
        fields = {name: self._digest(name, self[name].initial) for name in self.compared}
        return PageVersion(fields, self.page_customers).sign(self.instance)

    @cached_property
    def shown(self) -> PageVersion | None:
        """The version of the page that was sent; None when it had none."""
        return PageVersion.read(self.data.get(VERSION), self.instance)

    @cached_property
    def _saved(self):
        """The digests of what is saved."""
        return {name: self._digest(name, self[name].initial) for name in self.compared}

    @cached_property
    def _sent(self):
        """The digests of what was sent, of the fields that were."""
        return {
            name: self._digest(name, self[name].data)
            for name in self.compared
            if not self.fields[name].widget.value_omitted_from_data(
                self.data, self.files, self.add_prefix(name)
            )
        }

    def _digest(self, name, value):
        text = json.dumps(_comparable(self.fields[name], value), sort_keys=True, default=str)
        return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=12).hexdigest()

    def _choice(self, name):
        """What was chosen where a page asked which value of the field to keep."""
        asked = self.shown and name in self.shown.asked
        choice = self.data.get(f"keep_{name}") if asked else None
        return choice if choice in (MINE, SAVED) else None

    @cached_property
    def changed_data(self) -> list[str]:
        """The names of the fields that were touched, and whose value is to be another one."""
        if not self.fresh:
            return super().changed_data
        before = self.shown.fields if self.shown else self._saved
        return [
            name
            for name, sent in self._sent.items()
            if sent not in (before.get(name), self._saved[name]) and self._choice(name) != SAVED
        ]

    @cached_property
    def conflicting(self) -> list[str]:
        """The names of those that somebody else has changed, too, or that must yet be chosen."""
        before = self.shown.fields if self.shown else {}
        asked = self.shown.asked if self.shown else ()
        return [
            name
            for name in self.changed_data
            if before.get(name) != self._saved[name] or (name in asked and not self._choice(name))
        ]

    @property
    def has_only_conflicts(self) -> bool:
        """Whether nothing is wrong with what was sent but that others changed the same."""
        return bool(self.errors) and {*self.errors} == {*self.conflicting}

    def full_clean(self) -> None:
        """Check what was changed as it was sent, and the rest as it is saved.

        A page that is shown again shows the rest as it is saved, too, and is of that version.
        """
        rest = {*self.compared} - {*self.changed_data} if self.is_bound else ()
        for name in rest:
            self.fields[name].disabled = True
        super().full_clean()
        for name in rest:
            self.fields[name].disabled = False
            if not self._choice(name):  # or else what was typed can still be chosen
                self.fields[name].bound_data = _as_saved  # type: ignore[method-assign]  # of this field alone
        if self.fresh and self.is_bound and self.errors:
            self._renew_version()

    def clean(self) -> dict[str, Any]:
        """The values to be written; the fields that are in conflict are errors."""
        values = super().clean()
        values = self.cleaned_data if values is None else values
        if not self.fresh:
            self._refuse_forgotten(values)
            return values
        for name in self.conflicting:
            if name not in self.errors:
                self.add_error(name, ValidationError(ASK, code="conflict"))
        changed = {name: values[name] for name in self.changed_data if name in self.cleaned_data}
        self._refuse_forgotten(changed)
        return changed

    def _refuse_forgotten(self, values):
        """Let nothing be given to a customer whose anonymization has begun."""
        for name, value in [*values.items()]:
            if isinstance(value, Customer) and value.is_forgotten:
                self.add_error(name, ValidationError(str(ForgottenError()), code="forgotten"))

    def _renew_version(self):
        """Let the page, which is shown again, ask about the conflicts, and be of this version."""
        shown = self.shown or PageVersion(customers=self.page_customers)
        known = {*shown.asked, *self.conflicting}
        asked = [name for name in self.compared if name in known]
        self.data = self.data.copy()
        self.data[VERSION] = PageVersion(self._saved, shown.customers, asked).sign(self.instance)

    @property
    def conflicts(self) -> list[Conflict]:
        """The Conflicts that the page, shown again, asks about."""
        if not (self.fresh and self.is_bound):
            return []
        asked = PageVersion.read(self.data.get(VERSION), self.instance)
        names = [name for name in (asked.asked if asked else ()) if name in self.compared]
        names = [name for name in names if self._sent.get(name) != self._saved[name]]
        if not names:
            return []
        row = type(self.instance).objects.get(pk=self.fresh)
        columns = {name: _column(row, name) for name in names}
        changes = row_history.latest_changes(row, columns.values())
        return [
            Conflict(
                name,
                str(self[name].label),
                self._mine(name),
                _words(self.fields[name], _value_of(row, name)),
                None if name in self.conflicting else self._choice(name),
                changes.get(columns[name]),
            )
            for name in names
        ]

    def _mine(self, name):
        """What was entered, in words."""
        data = self[name].data
        try:
            return _words(self.fields[name], self.fields[name].clean(data))
        except ValidationError:
            return str(data)


def _as_saved(_data, initial):
    return initial


def _column(row, name):
    found = row._meta.get_field(name)
    return found.name if found.many_to_many else found.attname


def _value_of(row, name):
    many = row._meta.get_field(name).many_to_many
    return list(getattr(row, name).all()) if many else getattr(row, name)


def _comparable(field, value):
    """`value`, of a row or as a form sent it, as JSON; that of equal values is equal."""
    if isinstance(field, forms.ModelMultipleChoiceField):
        return sorted(str(field.prepare_value(one)) for one in value or ())
    if isinstance(field, forms.ModelChoiceField):
        return str(field.prepare_value(value) or "")
    if isinstance(field, forms.MultiValueField):
        values = value if isinstance(value, list) else field.widget.decompress(value)
        return [_comparable(*pair) for pair in zip(field.fields, values, strict=True)]
    if isinstance(field, forms.JSONField) and not isinstance(value, str | None):
        return value
    try:
        value = field.to_python(value)
    except ValidationError:
        return {"unfit": str(value)}
    if isinstance(value, str):
        return value.replace("\r\n", "\n")  # as browsers send the lines of a text
    return "" if value is None else value


def _words(field, value):
    """`value`, of a row or a checked form, for people."""
    if value is None or value == "":
        return EMPTY
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return date_format(localtime(value), "j M Y, H:i:s T")
    if isinstance(value, dict | list) and isinstance(field, forms.JSONField):
        return json.dumps(value, indent=1, ensure_ascii=False)
    if isinstance(field, forms.ModelMultipleChoiceField):
        return ", ".join(sorted(map(str, value))) or EMPTY
    if not isinstance(value, Model) and isinstance(field, forms.ChoiceField):
        pairs: Iterable[tuple[Any, Any]] = flatten_choices(field.choices)  # type: ignore[arg-type]  # which it takes
        return str(dict(pairs).get(value, value))
    return str(value)
