from customers.api.base import ResourceViewSet
from customers.models import CustomerSubscription
from customers.resources.fields import TextField
from customers.resources.filters import COMMON, Filters
from customers.resources.serializers import SubscriptionSerializer


class CustomerSubscriptionSerializer(SubscriptionSerializer):
    customer_email = TextField()
    reference = TextField(max_length=255)

    class Meta:
        model = CustomerSubscription
        fields = ["customer_email"]
        relationships = ["customer", "events", "event_stores"]
        writable = ["customer_email"]
        create_only = ["customer_email"]
        channel_writable = writable


class CustomerSubscriptionFilters(Filters):
    class Meta:
        model = CustomerSubscription
        fields = COMMON

    relationships = ["customer", "events"]


class CustomerSubscriptionViewSet(ResourceViewSet):
    resource_name = "customer_subscriptions"
    queryset = CustomerSubscription.objects.select_related("customer")
    serializer_class = CustomerSubscriptionSerializer
    filterset_class = CustomerSubscriptionFilters
