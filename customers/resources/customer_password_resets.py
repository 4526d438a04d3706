from typing import Any

from customers.models import CustomerPasswordReset, Resource
from customers.resources.base import ResourceType
from customers.resources.customer_emails import EXAMPLE_EMAIL, CustomerEmailSerializer
from customers.resources.fields import TextField
from customers.resources.filters import COMMON, Filters
from customers.resources.reset_completion import finish_reset


class CustomerPasswordResetSerializer(CustomerEmailSerializer):
    """A reset: made for an address, and finished by its token and the new password."""

    makes_customers = False
    customer_email = TextField(
        help_text="The e-mail address of the customer who chooses a new password.",
        initial=EXAMPLE_EMAIL,
    )
    customer_password = TextField(
        write_only=True, required=False, help_text="The new password, 8 to 512 characters."
    )
    reset_password_token = TextField(
        read_only=True,
        allow_null=True,
        help_text="The token to send to the customer; told to an integration in the answer that "
        "makes the reset, and null ever after.",
    )
    _reset_password_token = TextField(
        write_only=True, required=False, help_text="The token that the customer was sent."
    )

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
