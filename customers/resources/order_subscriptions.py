from typing import Any

from customers.models import OrderSubscription, Resource
from customers.resources import errors
from customers.resources.base import ResourceType
from customers.resources.fields import TriggerField
from customers.resources.filter_types import EmailFilter
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.serializers import TaggableSerializer
from customers.resources.triggers import TransitionalSerializer

CONVERT = "/data/attributes/_convert"
NO_MODEL = "needs a subscription model, and the subscription has none"
KNOWN = [
    "number",
    "status",
    "frequency",
    "starts_at",
    "expires_at",
    "last_run_at",
    "next_run_at",
    "occurrencies",
    "errors_count",
    "succeeded_on_last_run",
]


class OrderSubscriptionSerializer(TransitionalSerializer, TaggableSerializer):
    _convert = TriggerField(
        help_text="Refused: it needs a subscription model, of which there are none here."
    )
    inherits_customer_of = "source_order"

    class Meta:
        model = OrderSubscription
        fields = [
            *KNOWN,
            "activate_by_source_order",
            "place_target_order",
            "renewal_alert_period",
            "customer_email",
            "options",
        ]
        relationships = [
            "source_order",
            "customer",
            "customer_payment_source",
            "orders",
            "events",
            "tags",
            "event_stores",
        ]
        writable = [
            "frequency",
            "activate_by_source_order",
            "place_target_order",
            "renewal_alert_period",
            "starts_at",
            "expires_at",
            "next_run_at",
            "options",
            "source_order",
            "customer_payment_source",
            "_convert",
        ]
        create_only = ["starts_at", "source_order"]
        update_only = ["next_run_at", "customer_payment_source", "_convert"]

    def update(self, row: Any, values: dict[str, Any]) -> Resource:
        """Refuses to convert it: it has no subscription model, of which there are none here."""
        if values.pop("_convert", False):
            refused = errors.UnprocessableError(NO_MODEL, pointer=CONVERT, error="forbidden")
            self.collected.add(refused)
        return super().update(row, values)


class OrderSubscriptionFilters(Filters):
    customer_email = EmailFilter("customer__email_key")

    class Meta:
        model = OrderSubscription
        fields = [*COMMON, *KNOWN]

    relationships = ["source_order", "customer", "customer_payment_source", "events", "tags"]
    sortable = [*COMMON_SORT, *KNOWN]


class OrderSubscriptionType(ResourceType):
    name = "order_subscriptions"
    queryset = OrderSubscription.objects.select_related("customer")
    serializer_class = OrderSubscriptionSerializer
    filterset_class = OrderSubscriptionFilters
