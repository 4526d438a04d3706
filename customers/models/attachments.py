from collections.abc import Collection, Iterable, Iterator

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from customers.db.declarations import delete, keep, scrub
from customers.db.indexes import TrigramIndex, by_each
from customers.models.base import Resource
from customers.models.sku_lists import validate_web_address

ATTACHABLE = ["customer", "customer_group", "order", "order_return", "sku_list"]


def _attached_to(model: str) -> models.ForeignKey:
    return models.ForeignKey(
        model, models.CASCADE, related_name="attachments", null=True, blank=True
    )


def _columns(names):
    """`names` of columns, with all the keys that it may be in for `attachable`."""
    if names is None or "attachable" not in names:
        return names
    return {*names, *ATTACHABLE} - {"attachable"}


class Attachment(Resource):
    """A link or a note on one other resource, with which it goes."""

    importable = False

    ATTACHABLE = ATTACHABLE

    name = scrub(models.CharField(max_length=255), says="What people call it.", example="Invoice")
    description = scrub(
        models.TextField(null=True, blank=True),
        says="The note itself, or what the link leads to.",
        example="Sent by post",
    )
    url = scrub(
        models.CharField(
            "URL", max_length=2000, null=True, blank=True, validators=[validate_web_address]
        ),
        says="A web address (http or https).",
        example="https://example.com/invoice.pdf",
    )
    customer = delete(_attached_to("Customer"))
    customer_group = keep(_attached_to("CustomerGroup"))
    order = delete(_attached_to("Order"))
    order_return = delete(_attached_to("Return"))
    sku_list = delete(_attached_to("SkuList"))

    class Meta(Resource.Meta):
        db_table = "attachments"
        constraints = [
            *Resource.Meta.constraints,
            models.CheckConstraint(
                condition=Q(
                    *[
                        Q(**{f"{name}__isnull": name != kept for name in ATTACHABLE})
                        for kept in ATTACHABLE
                    ],
                    _connector=Q.OR,
                ),
                name="attachments_attached_to_one",
                violation_error_message="must be attached to one resource",
            ),
        ]
        indexes = [
            *Resource.Meta.indexes,
            *by_each("name"),
            TrigramIndex(fields=["name"], name="attachments_name_parts"),
            TrigramIndex(fields=["description"], name="attachments_description_parts"),
        ]

    def __str__(self) -> str:
        return self.name

    def prepare_save(self, update_fields: Iterable[str] | None) -> set[str] | None:
        """`attachable` among `update_fields` means all the keys that it may be in."""
        return super().prepare_save(_columns(update_fields))

    def violations(self, exclude: Collection[str] = ()) -> Iterator[tuple[str, ValidationError]]:
        """As of any resource; `attachable` in `exclude` means all the keys that it may be in."""
        return super().violations(_columns(exclude))

    @property
    def owning_customer_id(self) -> str | None:
        return self.customer_id or self.attachable.owning_customer_id

    @classmethod
    def key_of(cls, resource: Resource) -> str:
        """The name of the foreign key to resources such as `resource`."""
        return next(
            name
            for name in ATTACHABLE
            if isinstance(resource, cls._meta.get_field(name).related_model or ())
        )

    @property
    def attachable(self) -> Resource:
        """The resource that it is attached to."""
        name = next(name for name in ATTACHABLE if getattr(self, f"{name}_id"))
        return getattr(self, name)

    @attachable.setter
    def attachable(self, resource: Resource) -> None:
        for name in ATTACHABLE:
            setattr(self, name, None)
        setattr(self, self.key_of(resource), resource)
