from datetime import datetime
from typing import Any

from cronsim import CronSim, CronSimError
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from customers.db.declarations import clear, keep
from customers.db.fields import InstantField, JsonField
from customers.db.indexes import by_each
from customers.models.base import CustomerOwned
from customers.models.orders import new_number
from customers.models.transitions import Transitional, move

FREQUENCIES = {
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "two-month",
    "three-month",
    "four-month",
    "six-month",
    "yearly",
}


def validate_frequency(value: str) -> None:
    """Accept one of the named frequencies or a cron expression of five fields."""
    if value not in FREQUENCIES:
        try:
            CronSim(value, datetime(2026, 1, 1))
        except CronSimError as error:
            raise ValidationError(
                f"must be one of {', '.join(sorted(FREQUENCIES))}, or a cron expression"
            ) from error


class OrderSubscription(CustomerOwned, Transitional):
    """Orders that repeat after a source order, which is kept as long, as is its customer."""

    importable = False

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        INACTIVE = "inactive", "Inactive"
        ACTIVE = "active", "Active"
        RUNNING = "running", "Running"
        CANCELLED = "cancelled", "Cancelled"

    transitions = {
        "activate": move("draft", "inactive", to="active"),
        "deactivate": move("active", to="inactive"),
        "cancel": move("draft", "inactive", "active", to="cancelled"),
    }

    number = keep(
        models.CharField(max_length=64, default=new_number, editable=False),
        says="The number that people know the subscription by.",
    )
    status = keep(
        models.CharField(max_length=20, choices=Status, default=Status.DRAFT, editable=False),
        says="Where the subscription stands; it is moved by triggers alone.",
    )
    frequency = keep(
        models.CharField(max_length=255, validators=[validate_frequency]),
        says=(
            "How often it orders: hourly, daily, weekly, monthly, two-month, three-month, "
            "four-month, six-month, yearly, or a cron expression of five fields."
        ),
        example="monthly",
    )
    activate_by_source_order = keep(
        models.BooleanField(default=True, null=True),
        says="Whether placing the source order activates it.",
    )
    place_target_order = keep(
        models.BooleanField(default=True, null=True),
        says="Whether the orders that it makes are placed at once.",
    )
    renewal_alert_period = keep(
        models.PositiveIntegerField(default=1, null=True, blank=True),
        says="How many hours before a renewal the customer is told.",
        example=1,
    )
    starts_at = keep(
        InstantField(default=timezone.now, null=True, blank=True),
        says="The moment from which it orders.",
    )
    expires_at = keep(
        InstantField(null=True, blank=True),
        says="The moment at which it ends, null for never; later than `starts_at`.",
    )
    last_run_at = keep(InstantField(null=True, editable=False), says="When it last ordered.")
    next_run_at = keep(InstantField(null=True, blank=True), says="When it orders next.")
    occurrencies = keep(
        models.PositiveIntegerField(default=0, editable=False), says="How often it has ordered."
    )
    errors_count = keep(
        models.PositiveIntegerField(default=0, editable=False), says="How often ordering failed."
    )
    succeeded_on_last_run = keep(
        models.BooleanField(null=True, editable=False),
        says="Whether its last order succeeded, null before the first.",
    )
    options = clear(
        JsonField(default=dict, blank=True),
        says="What the order system needs to know of the subscription.",
    )
    source_order = keep(
        models.ForeignKey("Order", models.PROTECT, related_name="order_subscriptions"),
        says="The order that is repeated.",
    )
    customer = keep(
        models.ForeignKey(
            "Customer",
            models.PROTECT,
            related_name="order_subscriptions",
            null=True,
            editable=False,
        ),
        says="Whose subscription it is: the source order's customer.",
    )
    customer_payment_source = keep(
        models.ForeignKey(
            "CustomerPaymentSource", models.SET_NULL, related_name="+", null=True, blank=True
        ),
        says="What the customer pays with.",
    )
    tags: "models.ManyToManyField[Any, Any]" = clear(
        models.ManyToManyField("Tag", related_name="order_subscriptions", blank=True)
    )

    class Meta(CustomerOwned.Meta):
        db_table = "order_subscriptions"
        verbose_name = "order subscription"
        constraints = [
            *CustomerOwned.Meta.constraints,
            models.UniqueConstraint(
                fields=["mode", "number"],
                name="order_subscriptions_number_unique",
                violation_error_message="has already been taken",
                violation_error_code="taken",
            ),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(starts_at=None) | Q(expires_at__gt=F("starts_at")),
                name="order_subscriptions_expire_after_start",
                violation_error_message="must expire after it starts",
            ),
        ]
        indexes = [
            *CustomerOwned.Meta.indexes,
            *by_each(
                "status",
                "frequency",
                "starts_at",
                "expires_at",
                "last_run_at",
                "next_run_at",
                "occurrencies",
                "errors_count",
                "succeeded_on_last_run",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"
