from typing import Any

from customers.models import Customer
from customers.resources.base import ResourceType
from customers.resources.credentials import CredentialsSerializer
from customers.resources.fields import TextField, TokenClaimField
from customers.resources.filter_types import EmailFilter, PresenceFilter
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.serializers import TaggableSerializer
from customers.resources.triggers import TriggeredSerializer
from customers.services.anonymization import cancel_anonymization, request_anonymization


class CustomerSerializer(CredentialsSerializer, TriggeredSerializer, TaggableSerializer):
    triggers = {
        "_request_anonymization": request_anonymization,
        "_cancel_anonymization": cancel_anonymization,
    }
    shopper_reference = TextField(required=False, allow_null=True, min_length=3, max_length=128)
    jwt_custom_claim = TokenClaimField(
        "custom_claim", help_text="The custom claim of the token that asks, null without one."
    )

    class Meta:
        model = Customer
        fields = [
            "email",
            "status",
            "has_password",
            "total_orders_count",
            "shopper_reference",
            "profile_id",
            "tax_exemption_code",
            "anonymization_info",
            "anonymization_status",
        ]
        relationships = [
            "customer_group",
            "customer_addresses",
            "customer_payment_sources",
            "customer_subscriptions",
            "orders",
            "order_subscriptions",
            "returns",
            "sku_lists",
            "attachments",
            "events",
            "tags",
            "jwt_customer",
            "event_stores",
        ]
        writable = [
            "email",
            "password",
            "_current_password",
            "shopper_reference",
            "profile_id",
            "tax_exemption_code",
            "customer_group",
        ]
        update_only = ["_current_password"]
        channel_writable = ["email", "password", "_current_password"]
        full_only = ["password", "_request_anonymization", "_cancel_anonymization"]

    def to_internal_value(self, data: dict[str, Any]) -> dict[str, Any]:
        """Knows whose the password will be, which must not be their e-mail address."""
        if "password" in data:
            found = data.get("email"), self.instance and self.instance.email
            self.fields["password"].addresses = [one for one in found if isinstance(one, str)]
        return super().to_internal_value(data)

    def validate_password(self, value: str | None) -> str | None:
        """Refuses to take a password away."""
        if value is None and self.instance:
            self.fields["password"].fail("null")
        return value


class CustomerFilters(Filters):
    email = EmailFilter("email_key")
    password = PresenceFilter()

    class Meta:
        model = Customer
        fields = [*COMMON, "status", "total_orders_count", "anonymization_status"]

    relationships = [
        "customer_group",
        "customer_addresses",
        "customer_payment_sources",
        "customer_subscriptions",
        "order_subscriptions",
        "returns",
        "sku_lists",
        "attachments",
        "events",
        "tags",
    ]
    sortable = [*COMMON_SORT, "email", "status", "total_orders_count", "anonymization_status"]


class CustomerType(ResourceType):
    name = "customers"
    queryset = Customer.objects.all()
    serializer_class = CustomerSerializer
    shows_password = True
    filterset_class = CustomerFilters
