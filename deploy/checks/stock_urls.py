"""The stock viewsets, serializers and routes."""

from typing import Any

from django.urls import include, path
from rest_framework import routers
from rest_framework.serializers import HyperlinkedIdentityField
from rest_framework_json_api import serializers, views
from rest_framework_json_api.relations import HyperlinkedRelatedField, ResourceRelatedField

from customers.models import Customer, CustomerGroup, Order, Tag

COMMON = ["created_at", "updated_at", "reference", "reference_origin", "metadata"]
MILLISECONDS = "%Y-%m-%dT%H:%M:%S.%fZ"


class Stock(serializers.ModelSerializer):
    created_at = serializers.DateTimeField(format=MILLISECONDS, read_only=True)
    updated_at = serializers.DateTimeField(format=MILLISECONDS, read_only=True)


class Link(HyperlinkedRelatedField):
    model = Customer  # some of the relationships are no attribute of the model


def linked(name: str, *links: str, **loaded: bool) -> Any:
    """A serializer class whose resources have links, and some relationships their data, too.

    `links` are relationships; `loaded` maps relationships to whether they are to many.
    """
    options: dict[str, Any] = {
        "read_only": True,
        "self_link_view_name": f"{name}-relationships",
        "related_link_view_name": f"{name}-related",
    }
    fields: dict[str, Any] = {one: Link(**options) for one in links}
    fields |= {one: ResourceRelatedField(many=many, **options) for one, many in loaded.items()}
    fields["url"] = HyperlinkedIdentityField(view_name=f"{name}-detail")
    metaclass: Any = type(Stock)
    return metaclass("Linked", (Stock,), fields)


GROUP = ["customers", "attachments", "event_stores"]
TAG = ["event_stores"]
ORDER = [
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
CUSTOMER = [
    "customer_addresses",
    "customer_payment_sources",
    "customer_subscriptions",
    "order_subscriptions",
    "returns",
    "sku_lists",
    "attachments",
    "events",
    "jwt_customer",
    "event_stores",
]
INCLUDED = {"customer_group": False, "tags": True, "orders": True}


LinkedGroup: Any = linked("group", *GROUP)


class GroupSerializer(LinkedGroup):
    class Meta:
        model = CustomerGroup
        fields = ["url", "name", "code", *COMMON, *GROUP]


LinkedTag: Any = linked("tag", *TAG)


class TagSerializer(LinkedTag):
    class Meta:
        model = Tag
        fields = ["url", "name", *COMMON, *TAG]


LinkedOrder: Any = linked("order", *ORDER)


class OrderSerializer(LinkedOrder):
    class Meta:
        model = Order
        fields = [
            "url",
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
            "status",
            "customer_email",
            "formatted_total_amount",
            "total_amount_with_taxes_cents",
            "formatted_total_amount_with_taxes",
            "skus_count",
            "placed_at",
            "approved_at",
            "cancelled_at",
            "archived_at",
            *COMMON,
            *ORDER,
        ]


LinkedCustomer: Any = linked("customer", *CUSTOMER, **INCLUDED)


class CustomerSerializer(LinkedCustomer):
    has_password = serializers.BooleanField(read_only=True)

    included_serializers = {
        "customer_group": GroupSerializer,
        "tags": TagSerializer,
        "orders": OrderSerializer,
    }

    class Meta:
        model = Customer
        fields = [
            "url",
            "email",
            "status",
            "has_password",
            "total_orders_count",
            "shopper_reference",
            "profile_id",
            "tax_exemption_code",
            "anonymization_info",
            "anonymization_status",
            *COMMON,
            *CUSTOMER,
            *INCLUDED,
        ]


class CustomerViewSet(views.ModelViewSet):
    queryset = Customer.objects.all()
    serializer_class = CustomerSerializer
    resource_name = "customers"
    filterset_fields = {"email": ["icontains"], "status": ["exact"]}
    ordering_fields = ["created_at"]
    select_for_includes = {"customer_group": ["customer_group"]}
    prefetch_for_includes = {"__all__": ["tags", "orders"]}

    def perform_create(self, serializer: Any) -> None:
        serializer.save(mode="live")  # as all rows are: it lists them together


class GroupViewSet(views.ModelViewSet):
    queryset = CustomerGroup.objects.all()
    serializer_class = GroupSerializer


class TagViewSet(views.ModelViewSet):
    queryset = Tag.objects.all()
    serializer_class = TagSerializer


class OrderViewSet(views.ModelViewSet):
    queryset = Order.objects.all()
    serializer_class = OrderSerializer


SERVED: dict[str, tuple[str, Any]] = {
    "customers": ("customer", CustomerViewSet),
    "customer_groups": ("group", GroupViewSet),
    "tags": ("tag", TagViewSet),
    "orders": ("order", OrderViewSet),
}
router = routers.DefaultRouter(trailing_slash=False)
urlpatterns = []
for route, (name, viewset) in SERVED.items():
    router.register(route, viewset, name)
    relationships = views.RelationshipView.as_view(queryset=viewset.queryset)
    related = viewset.as_view({"get": "retrieve_related"})
    row = f"api/{route}/<pk>"
    urlpatterns += [
        path(f"{row}/relationships/<related_field>", relationships, name=f"{name}-relationships"),
        path(f"{row}/<related_field>", related, name=f"{name}-related"),
    ]
urlpatterns.append(path("api/", include(router.urls)))
