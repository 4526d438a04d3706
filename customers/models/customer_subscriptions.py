from django.db import models

from customers.db.declarations import delete
from customers.models.base import CustomerOwned


class CustomerSubscription(CustomerOwned):
    """A customer's subscription to a topic, `reference`, such as a newsletter."""

    import_parent = None  # it is found by the e-mail address

    customer = delete(
        models.ForeignKey("Customer", models.CASCADE, related_name="customer_subscriptions"),
        says="Who has subscribed.",
    )

    class Meta(CustomerOwned.Meta):
        db_table = "customer_subscriptions"
        verbose_name = "customer subscription"
        constraints = [
            *CustomerOwned.Meta.constraints,
            models.UniqueConstraint(
                fields=["mode", "customer", "reference"],
                name="customer_subscriptions_reference_unique",
                violation_error_message="has already been taken",
                violation_error_code="taken",
            ),
            models.CheckConstraint(
                condition=models.Q(reference__gt=""),
                name="customer_subscriptions_reference_given",
                violation_error_message="can't be blank",
                violation_error_code="blank",
            ),
        ]

    def __str__(self) -> str:
        return self.reference or self.pk
