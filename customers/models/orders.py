import secrets
from typing import Any

from django.db import models
from django.db.models import Q

from customers.db.declarations import clear, keep, scrub
from customers.db.fields import InstantField
from customers.db.indexes import RowCountTriggers, by_each
from customers.models.base import CustomerOwned, DeletionRefusedError, Viewer
from customers.models.money import CentsField, formatted, validate_currency_code
from customers.models.transitions import ARCHIVING, Transitional, move


def new_number() -> str:
    """A random number of 16 digits for people: of 100 million orders hardly two share one."""
    return str(10**15 + secrets.randbelow(9 * 10**15))


class Order(CustomerOwned, Transitional):
    """An order, mirrored from the system that takes orders.

    One that has been placed is kept, and so is one with returns or subscriptions, and
    with it its customer.
    """

    import_key = "number"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PENDING = "pending", "Pending"
        EDITING = "editing", "Editing"
        PLACING = "placing", "Placing"
        PLACED = "placed", "Placed"
        APPROVED = "approved", "Approved"
        CANCELLED = "cancelled", "Cancelled"

    class PaymentStatus(models.TextChoices):
        UNPAID = "unpaid", "Unpaid"
        AUTHORIZED = "authorized", "Authorized"
        PARTIALLY_AUTHORIZED = "partially_authorized", "Partially authorized"
        PAID = "paid", "Paid"
        PARTIALLY_PAID = "partially_paid", "Partially paid"
        VOIDED = "voided", "Voided"
        PARTIALLY_VOIDED = "partially_voided", "Partially voided"
        REFUNDED = "refunded", "Refunded"
        PARTIALLY_REFUNDED = "partially_refunded", "Partially refunded"
        FREE = "free", "Free"

    class FulfillmentStatus(models.TextChoices):
        UNFULFILLED = "unfulfilled", "Unfulfilled"
        IN_PROGRESS = "in_progress", "In progress"
        FULFILLED = "fulfilled", "Fulfilled"
        NOT_REQUIRED = "not_required", "Not required"

    transitions = {
        "pending": move("draft", to="pending"),
        "place": move("draft", "pending", to="placed", stamp="placed_at"),
        "approve": move("placed", to="approved", stamp="approved_at"),
        "cancel": move(
            "draft", "pending", "placed", "approved", to="cancelled", stamp="cancelled_at"
        ),
        **ARCHIVING,
    }

    number = keep(
        models.CharField(max_length=64, default=new_number),
        says=(
            "The number that people know the order by, which no two orders have; made where none "
            "is given."
        ),
    )
    status = keep(
        models.CharField(max_length=20, choices=Status, default=Status.DRAFT, editable=False),
        says="Where the order stands; it is moved by triggers alone.",
    )
    payment_status = keep(
        models.CharField(max_length=24, choices=PaymentStatus, default=PaymentStatus.UNPAID),
        says="How far the order is paid, as the order system says.",
    )
    fulfillment_status = keep(
        models.CharField(
            max_length=24, choices=FulfillmentStatus, default=FulfillmentStatus.UNFULFILLED
        ),
        says="How far the order is delivered, as the order system says.",
    )
    guest = keep(
        models.BooleanField(default=False), says="Whether it is ordered without logging in."
    )
    language_code = keep(
        models.CharField(max_length=16, default="en", null=True, blank=True),
        says="The language of the order (ISO 639-1), by which amounts are written for people.",
        example="en",
    )
    currency_code = keep(
        models.CharField(max_length=3, null=True, blank=True, validators=[validate_currency_code]),
        says="The currency of all amounts (ISO 4217).",
        example="EUR",
    )
    coupon_code = scrub(
        models.CharField(max_length=255, null=True, blank=True),
        says="The code that a discount was given for.",
        example="SPRING",
    )
    subtotal_amount_cents = keep(
        CentsField(), says="The sum of the items, in the currency's smallest unit.", example=2900
    )
    shipping_amount_cents = keep(
        CentsField(), says="What delivery costs, in the currency's smallest unit.", example=500
    )
    discount_amount_cents = keep(
        CentsField(), says="The discounts, in the currency's smallest unit.", example=0
    )
    total_tax_amount_cents = keep(
        CentsField(), says="The taxes, in the currency's smallest unit.", example=646
    )
    total_amount_cents = keep(
        CentsField(), says="The total, in the currency's smallest unit.", example=3400
    )
    total_amount_with_taxes_cents = keep(
        CentsField(), says="The total with taxes, in the currency's smallest unit.", example=4046
    )
    skus_count = keep(
        models.PositiveIntegerField(null=True, blank=True),
        says="How many SKUs are ordered.",
        example=2,
    )
    placed_at = keep(
        InstantField(null=True, editable=False),
        says=(
            "When the order was placed; `_place` dates it, and takes an earlier moment that comes "
            "along."
        ),
    )
    approved_at = keep(InstantField(null=True, editable=False), says="When the order was approved.")
    cancelled_at = keep(
        InstantField(null=True, editable=False), says="When the order was cancelled."
    )
    archived_at = keep(
        InstantField(null=True, editable=False),
        says="When the order was archived, null while it is not.",
    )
    customer = keep(
        models.ForeignKey("Customer", models.PROTECT, related_name="orders", null=True, blank=True),
        says="Whose order it is.",
    )
    shipping_address = keep(
        models.ForeignKey("Address", models.PROTECT, related_name="+", null=True, blank=True),
        says="Where the order goes.",
    )
    billing_address = keep(
        models.ForeignKey("Address", models.PROTECT, related_name="+", null=True, blank=True),
        says="Where the invoice goes.",
    )
    order_subscription = keep(
        models.ForeignKey(
            "OrderSubscription", models.PROTECT, related_name="orders", null=True, blank=True
        ),
        says="The subscription that has made the order.",
    )
    tags: "models.ManyToManyField[Any, Any]" = clear(
        models.ManyToManyField("Tag", related_name="orders", blank=True)
    )

    class Meta(CustomerOwned.Meta):
        db_table = "orders"
        constraints = [
            *CustomerOwned.Meta.constraints,
            models.UniqueConstraint(
                fields=["mode", "number"],
                name="orders_number_unique",
                violation_error_message="has already been taken",
                violation_error_code="taken",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["placed", "approved"], placed_at__isnull=False)
                | ~Q(status__in=["placed", "approved"]),
                name="orders_placed_is_dated",
                violation_error_message="must be dated",
            ),
        ]
        indexes = [
            *CustomerOwned.Meta.indexes,
            *by_each(
                "guest",
                "language_code",
                "currency_code",
                "coupon_code",
                "subtotal_amount_cents",
                "shipping_amount_cents",
                "discount_amount_cents",
                "total_tax_amount_cents",
            ),
            models.Index(fields=["mode", "status", "-created_at", "id"], name="orders_status"),
            models.Index(fields=["mode", "payment_status", "id"], name="orders_payment"),
            models.Index(fields=["mode", "fulfillment_status", "id"], name="orders_fulfillment"),
            models.Index(fields=["mode", "-placed_at", "id"], name="orders_placed"),
            models.Index(fields=["mode", "-approved_at", "id"], name="orders_approved"),
            models.Index(fields=["mode", "-cancelled_at", "id"], name="orders_cancelled"),
            models.Index(fields=["mode", "-archived_at", "id"], name="orders_archived"),
            models.Index(fields=["mode", "total_amount_cents", "id"], name="orders_total"),
            RowCountTriggers(fields=["mode", "status"], name="orders_tallied"),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """Delete a draft or pending order.

        Raises DeletionRefusedError for one that has been placed.
        """
        if self.placed_at is not None:
            raise DeletionRefusedError("an order that has been placed is kept")
        return super().delete(*args, **options)

    def is_editable_by(self, principal: Viewer) -> bool:
        """Whether it may change the order: a sales channel until the order is placed."""
        return principal.sees_all or self.status in (self.Status.DRAFT, self.Status.PENDING)

    @property
    def formatted_total_amount(self) -> str | None:
        """The total as people write it, None without an amount or a currency."""
        return formatted(self.total_amount_cents, self.currency_code, self.language_code)

    @property
    def formatted_total_amount_with_taxes(self) -> str | None:
        """The total with taxes as people write it, None without an amount or a currency."""
        return formatted(self.total_amount_with_taxes_cents, self.currency_code, self.language_code)
