"""What every resource has, and who may see its rows."""

from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Any, Protocol, Self, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from customers.db.declarations import clear, keep
from customers.db.fast_writes import fast_insert, fast_update
from customers.db.fields import FoldedField, IdField, InstantField, MetadataField, new_id
from customers.db.indexes import JsonContainmentIndex
from customers.db.routing import PRIMARY

__all__ = [
    "CustomerOwned",
    "DeletionRefusedError",
    "Mode",
    "Resource",
    "ResourceQuerySet",
    "Viewer",
    "bulk_insert",
    "optional_codes",
]


class Mode(models.TextChoices):
    """The two environments of an installation, which never mix."""

    TEST = "test", "Test"
    LIVE = "live", "Live"


class Viewer(Protocol):
    """Of a principal, whoever it is, what decides which rows it may see."""

    @property
    def mode(self) -> str:
        """The environment it works in."""

    @property
    def sees_all(self) -> bool:
        """Whether it may see all rows there."""

    @property
    def owner_id(self) -> str | None:
        """The id of the customer who is logged in, None without one."""


class DeletionRefusedError(Exception):
    """The row must not be deleted; the message says why."""


R = TypeVar("R", bound="Resource")


class ResourceQuerySet(models.QuerySet[R]):
    def in_mode(self, mode: str) -> Self:
        return self.filter(mode=mode)

    def with_id(self, pk: str) -> R:
        """The row with the id `pk`, any string. Raises DoesNotExist."""
        if not (pk.isascii() and pk.isalnum()):  # NUL is more than databases take
            raise self.model.DoesNotExist
        return self.get(pk=pk)

    def visible_to(self, principal: Viewer) -> Self:
        """The rows that `principal` may see: those of its mode and within its reach."""
        rows = self.in_mode(principal.mode)
        return rows if principal.sees_all else rows.filter(self.model.visible_q(principal))


class Resource(models.Model):
    """A row that the API serves: an id, a mode, and the client's own reference and metadata."""

    id = keep(IdField(primary_key=True, default=new_id, editable=False), audited=False)
    mode = keep(
        models.CharField(max_length=4, choices=Mode, default=Mode.TEST),
        audited=False,
        imported=False,
    )
    reference = clear(
        models.CharField(max_length=255, null=True, blank=True),
        searched=True,
        says="The identifier that another system has for it; free text.",
        example="A-1",
    )
    reference_origin = clear(
        models.CharField(max_length=255, null=True, blank=True),
        searched=True,
        says="The system that `reference` is of.",
        example="erp",
    )
    metadata = clear(
        MetadataField(),
        says="Your own names and JSON values; sent, it replaces all of it, and null empties it.",
        example={"source": "store"},
    )
    created_at = keep(
        InstantField(default=timezone.now, editable=False),
        audited=False,
        says="When it was made, in UTC.",
    )
    updated_at = keep(
        InstantField(default=timezone.now, editable=False),
        audited=False,
        says="When it was last changed, in UTC.",
    )

    exportable = importable = True  # whether exports and imports take the type
    import_key: str | None = None  # the attribute by which an import finds a row, beside the id
    import_parent: str | None = None  # the relationship that an import fills for all its rows

    objects = ResourceQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(mode__in=Mode.values),
                name="%(class)s_mode_known",
                violation_error_message="must be test or live",
            )
        ]
        indexes = [  # one for each order that every list offers
            models.Index(fields=["mode", "id"], name="%(class)s_by_id"),
            models.Index(fields=["mode", "-created_at", "id"], name="%(class)s_created"),
            models.Index(fields=["mode", "-updated_at", "id"], name="%(class)s_updated"),
            models.Index(fields=["mode", "reference", "id"], name="%(class)s_ref"),
            models.Index(fields=["mode", "reference_origin", "id"], name="%(class)s_origin"),
        ]

    def __str__(self) -> str:
        return self.id

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """Django's, after `prepare_save`."""
        super().save(update_fields=self.prepare_save(update_fields), **options)

    def fast_save(self, *, update_fields: Iterable[str] | None = None) -> None:
        """As `save`, of a new row or of `update_fields`, for the API: it sends no signals."""
        names = self.prepare_save(update_fields)
        if names is not None:
            fast_update(self, names)
            return
        fast_insert(self)
        self._state.adding, self._state.db = False, PRIMARY

    def prepare_save(self, update_fields: Iterable[str] | None) -> set[str] | None:
        """Date the row and set what follows from its values; the names to write, None for all.

        `update_fields` brings the columns computed from those it names.
        """
        self.updated_at = self.created_at if self._state.adding else timezone.now()
        for column in optional_codes(type(self)):
            is_written = update_fields is None or column.name in update_fields
            if is_written and not (getattr(self, column.attname) or "").strip():
                setattr(self, column.attname, column.get_default())
        if update_fields is None:
            return None
        return {*update_fields, *self._computed_from(update_fields), "updated_at"}

    def _computed_from(self, names: Iterable[str]) -> set[str]:
        return {
            field.name
            for field in self._meta.concrete_fields
            if isinstance(field, FoldedField) and field.of and field.of in names
        }

    @classmethod
    def visible_q(cls, principal: Viewer) -> Q:
        """The condition on the rows that `principal`, a sales channel, may see: none."""
        return Q(pk__in=[])

    @property
    def owning_customer_id(self) -> str | None:
        """The id of the customer whose the row is, None when it is nobody's."""
        return getattr(self, "customer_id", None)

    def is_editable_by(self, principal: Viewer) -> bool:
        """Whether the state of the row, which `principal` may see, lets it change the row."""
        return True

    def clean(self) -> None:
        """Raise ValidationError for what no constraint refuses, such as a row of the other mode."""
        super().clean()
        strays = {
            field.name: "belongs to the other mode"
            for field in self._meta.concrete_fields
            if isinstance(field, models.ForeignKey) and field.is_cached(self)
            if (target := getattr(self, field.name)) and target.mode != self.mode
        }
        if strays:
            raise ValidationError(strays)

    def validate_constraints(self, exclude: Iterable[str] | None = None) -> None:
        """Raise ValidationError with what each broken constraint says, on what it is about."""
        told: dict[str, list[ValidationError]] = {}
        for name, error in self.violations():
            told.setdefault(NON_FIELD_ERRORS if name in (exclude or ()) else name, []).append(error)
        if told:
            raise ValidationError(told)

    def violations(self, exclude: Collection[str] = ()) -> Iterator[tuple[str, ValidationError]]:
        """Ask the database which constraints the row breaks.

        Yields, for each, the name of the member it is about and a ValidationError in the
        constraint's own words; the name is NON_FIELD_ERRORS when it is about several. What is
        about the members named in `exclude` is not asked.
        """
        left_out = set(exclude)
        for field in self._meta.concrete_fields:
            if isinstance(field, FoldedField):
                field.pre_save(self, add=self._state.adding)
                if field.of in exclude:
                    left_out.add(field.name)
        for constraint in self._meta.constraints:
            try:
                constraint.validate(type(self), self, exclude=left_out)
            except ValidationError as error:
                code = constraint.violation_error_code or error.code
                message = constraint.get_violation_error_message()
                yield self._member_of(constraint), ValidationError(message, code=code)

    def _member_of(self, constraint):
        names = getattr(constraint, "fields", ()) or constraint.condition.referenced_base_fields
        names = {self._meta.get_field(name) for name in names if name != "mode"}
        names = {field for field in names if not field.is_relation} or names
        if len(names) != 1:
            return NON_FIELD_ERRORS
        (field,) = names
        return getattr(field, "of", None) or field.name


@cache
def optional_codes(model: type[Resource]) -> list[models.Field]:
    """The columns of `model` that tell its rows apart and need not be given: blank is none."""
    unique = [one for one in model._meta.constraints if isinstance(one, models.UniqueConstraint)]
    alone = {one.fields[1] for one in unique if len(one.fields) == 2 and one.fields[0] == "mode"}
    return [
        field
        for field in model._meta.concrete_fields
        if field.name in alone and (field.null or field.has_default())
    ]


def bulk_insert(*rows: Resource) -> None:
    """Insert new rows, which no constraint can refuse and nobody saves again, by fast_insert."""
    for row in rows:
        row.updated_at = row.created_at
    if rows:
        fast_insert(*rows)


class CustomerOwned(Resource):
    """A row that may belong to a customer."""

    customer: "models.ForeignKey[Any, Any]"

    import_parent: str | None = "customer"

    class Meta(Resource.Meta):
        abstract = True
        indexes = [
            *Resource.Meta.indexes,
            JsonContainmentIndex(fields=["metadata"], name="%(class)s_metadata"),
        ]

    @classmethod
    def visible_q(cls, principal: Viewer) -> Q:
        """The logged in customer's own rows; without one, those of no registered customer."""
        if principal.owner_id:
            return Q(customer=principal.owner_id)
        return Q(customer__password=None)  # nor has a row without a customer one

    sent_email = None  # by a guest, who is not to learn whose address it is and how it is kept

    @property
    def customer_email(self) -> str | None:
        """The e-mail address of the customer whose it is."""
        return self.sent_email or (self.customer and self.customer.email)
