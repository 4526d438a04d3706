from customers.models import Return
from customers.resources.base import ResourceType
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.serializers import TaggableSerializer
from customers.resources.triggers import TransitionalSerializer

SORTED = [
    "number",
    "status",
    "approved_at",
    "cancelled_at",
    "shipped_at",
    "rejected_at",
    "received_at",
    "refunded_at",
    "archived_at",
]


class ReturnSerializer(TransitionalSerializer, TaggableSerializer):
    inherits_customer_of = "order"

    class Meta:
        model = Return
        fields = [
            *SORTED,
            "customer_email",
            "skus_count",
            "estimated_refund_amount_cents",
            "formatted_estimated_refund_amount",
        ]
        relationships = [
            "order",
            "customer",
            "origin_address",
            "destination_address",
            "attachments",
            "events",
            "tags",
            "event_stores",
        ]
        writable = ["order"]
        create_only = ["order"]
        channel_writable = ["order", "_request", "_cancel"]


class ReturnFilters(Filters):
    class Meta:
        model = Return
        fields = [*COMMON, *SORTED, "skus_count"]

    relationships = [
        "order",
        "customer",
        "origin_address",
        "destination_address",
        "attachments",
        "events",
        "tags",
    ]
    sortable = [*COMMON_SORT, *SORTED]


class ReturnType(ResourceType):
    name = "returns"
    queryset = Return.objects.select_related("customer", "order")
    serializer_class = ReturnSerializer
    filterset_class = ReturnFilters
