from customers.models import OrderSubscription
from customers.resources.base import ResourceType
from customers.resources.filter_types import EmailFilter
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.serializers import TaggableSerializer
from customers.resources.triggers import TransitionalSerializer

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
        ]
        create_only = ["starts_at", "source_order"]
        update_only = ["next_run_at", "customer_payment_source"]


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
