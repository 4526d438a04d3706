from typing import Any

from django.db import models

from customers.db.declarations import clear, keep
from customers.db.fields import InstantField
from customers.db.indexes import by_each
from customers.models.base import CustomerOwned
from customers.models.money import CentsField, formatted
from customers.models.orders import new_number
from customers.models.transitions import ARCHIVING, Transitional, move


class Return(CustomerOwned, Transitional):
    """What a customer sends back of an order, which is kept as long, as is the customer."""

    importable = False

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        REQUESTED = "requested", "Requested"
        APPROVED = "approved", "Approved"
        CANCELLED = "cancelled", "Cancelled"
        SHIPPED = "shipped", "Shipped"
        REJECTED = "rejected", "Rejected"
        RECEIVED = "received", "Received"
        REFUNDED = "refunded", "Refunded"

    transitions = {
        "request": move("draft", to="requested"),
        "approve": move("requested", to="approved", stamp="approved_at"),
        "cancel": move("draft", "requested", "approved", to="cancelled", stamp="cancelled_at"),
        "ship": move("approved", to="shipped", stamp="shipped_at"),
        "reject": move("requested", "shipped", to="rejected", stamp="rejected_at"),
        "receive": move("approved", "shipped", to="received", stamp="received_at"),
        "restock": move("received"),
        **ARCHIVING,
    }

    number = keep(
        models.CharField(max_length=64, default=new_number, editable=False),
        says="The number that people know the return by.",
    )
    status = keep(
        models.CharField(max_length=20, choices=Status, default=Status.DRAFT, editable=False),
        says="Where the return stands; it is moved by triggers alone.",
    )
    skus_count = keep(
        models.PositiveIntegerField(null=True, editable=False), says="How many SKUs are sent back."
    )
    estimated_refund_amount_cents = keep(
        CentsField(editable=False),
        says="What will be refunded, in the smallest unit of the order's currency.",
    )
    approved_at = keep(
        InstantField(null=True, editable=False), says="When the return was approved."
    )
    cancelled_at = keep(
        InstantField(null=True, editable=False), says="When the return was cancelled."
    )
    shipped_at = keep(
        InstantField(null=True, editable=False), says="When the goods were sent back."
    )
    rejected_at = keep(
        InstantField(null=True, editable=False), says="When the return was rejected."
    )
    received_at = keep(InstantField(null=True, editable=False), says="When the goods arrived.")
    refunded_at = keep(InstantField(null=True, editable=False), says="When the money was refunded.")
    archived_at = keep(
        InstantField(null=True, editable=False),
        says="When the return was archived, null while it is not.",
    )
    order = keep(
        models.ForeignKey("Order", models.PROTECT, related_name="returns"),
        says="The order that something is sent back of.",
    )
    customer = keep(
        models.ForeignKey(
            "Customer", models.PROTECT, related_name="returns", null=True, editable=False
        ),
        says="Whose return it is: the order's customer.",
    )
    origin_address = keep(
        models.ForeignKey("Address", models.PROTECT, related_name="+", null=True, editable=False),
        says="Where the goods are sent from.",
    )
    destination_address = keep(
        models.ForeignKey("Address", models.PROTECT, related_name="+", null=True, editable=False),
        says="Where the goods are sent to.",
    )
    tags: "models.ManyToManyField[Any, Any]" = clear(
        models.ManyToManyField("Tag", related_name="returns", blank=True)
    )

    class Meta(CustomerOwned.Meta):
        db_table = "returns"
        constraints = [
            *CustomerOwned.Meta.constraints,
            models.UniqueConstraint(
                fields=["mode", "number"],
                name="returns_number_unique",
                violation_error_message="has already been taken",
                violation_error_code="taken",
            ),
        ]
        indexes = [
            *CustomerOwned.Meta.indexes,
            *by_each(
                "status",
                "skus_count",
                "approved_at",
                "cancelled_at",
                "shipped_at",
                "rejected_at",
                "received_at",
                "refunded_at",
                "archived_at",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"

    @property
    def formatted_estimated_refund_amount(self) -> str | None:
        """The refund as people write it, None without an amount or a currency."""
        order = self.order
        return formatted(
            self.estimated_refund_amount_cents, order.currency_code, order.language_code
        )
