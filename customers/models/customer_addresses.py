from django.db import models

from customers.models.base import OfCustomer
from customers.models.indexes import Tallied


class CustomerAddress(OfCustomer):
    """An entry of a customer's address book; it goes with the customer or the address."""

    customer = models.ForeignKey("Customer", models.CASCADE, related_name="customer_addresses")
    address = models.ForeignKey("Address", models.CASCADE, related_name="customer_addresses")

    class Meta(OfCustomer.Meta):
        db_table = "customer_addresses"
        indexes = [
            *OfCustomer.Meta.indexes,
            Tallied(fields=["mode"], name="customer_addresses_tallied"),
        ]
        verbose_name = "customer address"
        verbose_name_plural = "customer addresses"

    @property
    def name(self):
        return self.address.name
