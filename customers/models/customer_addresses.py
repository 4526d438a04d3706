from django.db import models

from customers.db.declarations import delete, keep
from customers.db.indexes import RowCountTriggers
from customers.models.base import CustomerOwned


class CustomerAddress(CustomerOwned):
    """An entry of a customer's address book; it goes with the customer or the address."""

    customer = delete(
        models.ForeignKey("Customer", models.CASCADE, related_name="customer_addresses"),
        says="Whose address book it is in.",
    )
    address = keep(
        models.ForeignKey("Address", models.CASCADE, related_name="customer_addresses"),
        says="The address itself.",
    )

    class Meta(CustomerOwned.Meta):
        db_table = "customer_addresses"
        indexes = [
            *CustomerOwned.Meta.indexes,
            RowCountTriggers(fields=["mode"], name="customer_addresses_tallied"),
        ]
        verbose_name = "customer address"
        verbose_name_plural = "customer addresses"

    @property
    def name(self) -> str:
        """Who and where in one line, of the address."""
        return self.address.name
