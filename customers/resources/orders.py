from customers.models import Order
from customers.resources.base import ResourceType
from customers.resources.customer_emails import CustomerEmailSerializer
from customers.resources.fields import MomentField
from customers.resources.filter_types import EmailFilter
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.serializers import TaggableSerializer
from customers.resources.triggers import TransitionalSerializer

MIRRORED = [
    "number",
    "payment_status",
    "fulfillment_status",
    "guest",
    "language_code",
    "currency_code",
    "coupon_code",
    "subtotal_amount_cents",
    "shipping_amount_cents",
    "discount_amount_cents",
    "total_tax_amount_cents",
    "total_amount_cents",
]
DATED = ["placed_at", "approved_at", "cancelled_at", "archived_at"]


class OrderSerializer(CustomerEmailSerializer, TransitionalSerializer, TaggableSerializer):
    placed_at = MomentField(required=False)
    dated_by = {"placed_at": "_place"}

    class Meta:
        model = Order
        fields = [
            *MIRRORED,
            "status",
            "customer_email",
            "formatted_total_amount",
            "total_amount_with_taxes_cents",
            "formatted_total_amount_with_taxes",
            "skus_count",
            *DATED,
        ]
        relationships = [
            "customer",
            "shipping_address",
            "billing_address",
            "returns",
            "order_subscription",
            "order_subscriptions",
            "attachments",
            "events",
            "tags",
            "event_stores",
        ]
        writable = [
            *MIRRORED,
            "customer_email",
            "total_amount_with_taxes_cents",
            "skus_count",
            "placed_at",
            "customer",
            "shipping_address",
            "billing_address",
        ]
        update_only = ["placed_at"]
        channel_writable = [
            "guest",
            "language_code",
            "coupon_code",
            "customer_email",
            "customer",
            "shipping_address",
            "billing_address",
        ]


class OrderFilters(Filters):
    customer_email = EmailFilter("customer__email_key")

    class Meta:
        model = Order
        fields = [*COMMON, *MIRRORED, "status", *DATED]

    relationships = [
        "customer",
        "shipping_address",
        "billing_address",
        "returns",
        "order_subscription",
        "order_subscriptions",
        "attachments",
        "events",
        "tags",
    ]
    sortable = [*COMMON_SORT, *MIRRORED, "status", *DATED]


class OrderType(ResourceType):
    name = "orders"
    queryset = Order.objects.select_related("customer")
    serializer_class = OrderSerializer
    filterset_class = OrderFilters
