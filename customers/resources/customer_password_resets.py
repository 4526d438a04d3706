from typing import Any

from customers.models import CustomerPasswordReset, Resource
from customers.resources.base import ResourceType
from customers.resources.customer_emails import CustomerEmailSerializer
from customers.resources.fields import TextField
from customers.resources.filters import COMMON, Filters
from customers.resources.reset_completion import finish_reset


class CustomerPasswordResetSerializer(CustomerEmailSerializer):
    """A reset: made for an address, and finished by its token and the new password."""

    makes_customers = False
    customer_email = TextField()
    customer_password = TextField(write_only=True, required=False)
    _reset_password_token = TextField(write_only=True, required=False)

    class Meta:
        model = CustomerPasswordReset
        fields = ["customer_email", "reset_password_token", "reset_password_at"]
        relationships = ["customer", "events", "event_stores"]
        writable = ["customer_email", "customer_password", "_reset_password_token"]
        create_only = ["customer_email"]
        update_only = channel_writable = ["customer_password", "_reset_password_token"]

    def update(self, row: Any, values: dict[str, Any]) -> Resource:
        """Finish the locked reset `row` by its token."""
        token = values.pop("_reset_password_token", None)
        password = values.pop("customer_password", None)
        finish_reset(row, token, password, principal=self.principal, found=self.collected)
        return super().update(row, values)


class CustomerPasswordResetFilters(Filters):
    class Meta:
        model = CustomerPasswordReset
        fields = [*COMMON, "reset_password_at"]

    relationships = ["customer", "events"]


class CustomerPasswordResetType(ResourceType):
    name = "customer_password_resets"
    queryset = CustomerPasswordReset.objects.select_related("customer")
    serializer_class = CustomerPasswordResetSerializer
    filterset_class = CustomerPasswordResetFilters
