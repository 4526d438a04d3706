"""What every type of resource shares in its declaration, and how its rows are written."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache, cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from rest_framework.fields import Field
from rest_framework_json_api.serializers import ModelSerializer

from customers.models import Application, Customer, Resource
from customers.resources import errors
from customers.resources.collected_errors import CollectingSerializer
from customers.resources.column_types import SERIALIZER_FIELDS
from customers.resources.fields import (
    ChoiceField,
    TagNamesField,
)
from customers.resources.protocols import Principal
from customers.services import strict_json, tagging

COMMON = ["reference", "reference_origin", "metadata"]
TAGGING = {
    "replace": tagging.replace_tags,
    "add": tagging.add_tags,
    "remove": tagging.remove_tags,
}


class ResourceSerializer(CollectingSerializer):
    """The attributes of one type, declared in its `Meta`, and what may be written.

    `fields` are the attributes; created_at, updated_at, reference, reference_origin and
    metadata need no mention. `relationships` are the relationships. `writable` are the
    members of both that a client may write, those of `create_only` and `update_only` on
    that occasion only; `channel_writable` are those of them that a sales channel may write.
    Everything else is refused. `full_only` are those that an integration needs the full role for.
    `volatile` are attributes whose values change by themselves,
    with time.
    """

    serializer_field_mapping = SERIALIZER_FIELDS
    serializer_choice_field = ChoiceField
    is_repeated = False  # whether the row that was to be made is there already
    has_more_to_check = False  # whether something can be wrong with what follows a save

    @classmethod
    def writable(cls, creating: bool) -> set[str]:
        """The names of the members that a client may write when creating, or when updating."""
        closed = getattr(cls.Meta, "update_only" if creating else "create_only", ())
        return {*cls.Meta.writable, *COMMON} - set(closed)

    @classmethod
    def writable_by(cls, principal: Principal, creating: bool) -> set[str]:
        """As `writable`, for `principal`.

        A sales channel gives no row to another customer but by `customer_email`, where its
        type has that.
        """
        names = cls.writable(creating)
        if not principal.sees_all:
            names &= {*getattr(cls.Meta, "channel_writable", ()), *COMMON}
            names -= set() if creating else {"customer"}
        elif principal.role != Application.Role.FULL:
            names -= {*getattr(cls.Meta, "full_only", ())}
        return names

    def get_field_names(self, declared_fields: dict[str, Field], info: object) -> list[str]:
        """The names of all attributes, those that every type has after its own."""
        attributes = [*self.Meta.fields, "created_at", "updated_at", *COMMON]
        return list(dict.fromkeys([*attributes, *declared_fields]))

    def get_fields(self) -> dict[str, Field]:
        """Copies of the fields, which are made once for each class; to write, of those written."""
        writes = hasattr(self, "initial_data")
        return {
            name: copy.copy(field)
            for name, field in _fields_of(type(self)).items()  # type: ignore[arg-type]
            if not (writes and field.read_only)
        }

    def get_extra_kwargs(self) -> dict[str, dict[str, Any]]:
        """Makes read-only what no client may write."""
        closed = {*self.Meta.fields, "created_at", "updated_at"} - set(self.Meta.writable)
        return {name: {"read_only": True} for name in closed}

    def get_validators(self) -> list[Callable]:
        """None: the database's constraints speak for themselves, see `_save`."""
        return []

    def draft(self, values: dict[str, Any]) -> Resource:
        """A row of those of `values` that columns have, to be checked and never saved."""
        row = self.Meta.model(mode=self.principal.mode)
        columns = {field.name for field in row._meta.concrete_fields}
        for name, value in values.items():
            if name in columns or getattr(getattr(type(row), name, None), "fset", None):
                setattr(row, name, value)
        return row

    def check(self, row: Resource) -> None:
        """Collect what the model and its constraints refuse of `row`, as far as it is not known.

        What is wrong with members that are known to be is not asked: `row` lacks their values.
        """
        known = self.collected.members
        try:
            row.clean()
        except ValidationError as error:
            told = [(name, one) for name, ones in error.error_dict.items() for one in ones]
            self.collected.add(*(errors.broken(row, *one) for one in told if one[0] not in known))
        for name, refused in row.violations(self.collected.members):
            self.collected.add(errors.broken(row, name, refused))

    def check_related(self, name: str, others: list[Resource], pointer: str) -> None:
        """Raise errors.UnprocessableError when a row cannot have `others` in the to-many `name`.

        `pointer` says where in the request's document they were named.
        """

    @property
    def principal(self) -> Principal:
        """Who writes."""
        return self.context["principal"]

    def fill_defaults(self, values: dict[str, Any]) -> dict[str, Any]:
        """`values`, attributes and to-one relationships by name, with what follows from them.

        What a customer makes is its own.
        """
        if self.instance is None and self.owner and "customer" in self.writable(creating=True):
            values["customer"] = values.get("customer") or self.owner
        return values

    @cached_property
    def owner(self) -> Customer | None:
        """The customer who is logged in, if any."""
        if not self.principal.owner_id:
            return None
        return Customer.objects.visible_to(self.principal).get()

    def create(self, values: dict[str, Any]) -> Resource:
        """Make and save a row of `values`."""
        row = self.Meta.model(mode=self.principal.mode, **values)
        self._save(row)
        self.collected.raise_all()
        return row

    def update(self, row: Resource, values: dict[str, Any]) -> Resource:
        """Set `values` on the locked `row` and save the columns that they change, if any.

        Where something is wrong, they are checked and not saved.
        """
        changed = {name: value for name, value in values.items() if not _holds(row, name, value)}
        for name, value in changed.items():
            setattr(row, name, value)
        if changed:
            self._save(row, update_fields=set(changed))
        return row

    def _save(self, row: Resource, update_fields: set[str] | None = None) -> None:
        """Save `row`, a new one or its `update_fields`; check it where something is wrong.

        Raises errors.ConstraintViolationError when a constraint refuses it: then the transaction
        is broken. Where there is more to check, what it refuses is collected like the rest.
        """
        try:
            if not self.collected:
                row.clean()
                with transaction.atomic() if self.has_more_to_check else nullcontext():
                    row.fast_save(update_fields=update_fields)
                return
        except ValidationError:
            pass
        except IntegrityError as error:
            if not self.has_more_to_check or not list(row.violations()):
                raise errors.ConstraintViolationError(row) from error
        self.check(row)

    def after_save(self, row: Resource) -> None:
        """Do what an update asks for after all else."""

    def set_related(
        self, row: Resource, name: str, others: list[Resource], how: str, pointer: str
    ) -> None:
        """Replace, add or remove (`how`) `others` in the writable to-many relationship `name`.

        `pointer` says where in the request's document they were named.
        """
        raise NotImplementedError(f"{type(self).__name__} writes no to-many relationship")


def _holds(row: Resource, name: str, value: Any) -> bool:
    """Whether `value` is the attribute `name` of `row` already."""
    columns = {field.name: field.attname for field in row._meta.concrete_fields}
    kept = getattr(row, columns.get(name, name))
    is_row = name in columns and isinstance(value, Resource)
    return strict_json.is_equal(kept, value.pk if is_row else value)


class TaggableSerializer(ResourceSerializer):
    """A type whose rows carry tags: by the relationship and, on update, by their names."""

    _add_tags = TagNamesField(help_text="Names of tags to add, separated by commas.")
    _remove_tags = TagNamesField(help_text="Names of tags to take off, separated by commas.")

    names: dict[str, str] = {}

    @classmethod
    def writable(cls, creating: bool) -> set[str]:
        """As of any type, and tags."""
        triggers = set() if creating else {"_add_tags", "_remove_tags"}
        return super().writable(creating) | {"tags"} | triggers

    def update(self, row: Resource, values: dict[str, Any]) -> Resource:
        """As of any type; the names of tags are kept until everything else is done."""
        triggers = {"add": "_add_tags", "remove": "_remove_tags"}
        self.names = {act: values.pop(name, None) or "" for act, name in triggers.items()}
        self.has_more_to_check |= any(self.names.values())
        return super().update(row, values)

    def after_save(self, row: Resource) -> None:
        """Add and remove the tags named."""
        super().after_save(row)
        if any(self.names.values()):
            with self.collected.collecting(), _tag_limit_at("/data/attributes/_add_tags"):
                tagging.retag(row, **self.names, actor=self.principal.actor)

    def check_related(self, name: str, others: list[Any], pointer: str) -> None:
        """Raise errors.UnprocessableError for too many tags."""
        with _tag_limit_at(pointer):
            tagging.check_count(others)

    def set_related(
        self, row: Resource, name: str, others: list[Any], how: str, pointer: str
    ) -> None:
        """Replace, add or remove tags."""
        with _tag_limit_at(pointer):
            TAGGING[how](row, others, actor=self.principal.actor)


@cache
def _fields_of(serializer_class: Any) -> dict[str, Field]:
    """The fields that DRF makes of a declaration, which takes longer than most requests."""
    return ModelSerializer.get_fields(serializer_class())


@contextmanager
def _tag_limit_at(pointer: str) -> Iterator[None]:
    """Let a TooManyTagsError be one about what stands at `pointer`."""
    try:
        yield
    except tagging.TooManyTagsError as error:
        raise errors.UnprocessableError(str(error), pointer=pointer, error="too_many") from error
