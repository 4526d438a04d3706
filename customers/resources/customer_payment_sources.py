from customers.models import CustomerPaymentSource
from customers.resources.base import ResourceType
from customers.resources.filters import COMMON, Filters
from customers.resources.serializers import ResourceSerializer


class CustomerPaymentSourceSerializer(ResourceSerializer):
    class Meta:
        model = CustomerPaymentSource
        fields = ["name", "customer_token", "payment_source_token"]
        relationships = ["customer", "event_stores"]
        writable = ["customer_token", "payment_source_token", "customer"]


class CustomerPaymentSourceFilters(Filters):
    class Meta:
        model = CustomerPaymentSource
        fields = [*COMMON, "name", "payment_source_token"]

    relationships = ["customer"]


class CustomerPaymentSourceType(ResourceType):
    name = "customer_payment_sources"
    queryset = CustomerPaymentSource.objects.all()
    serializer_class = CustomerPaymentSourceSerializer
    filterset_class = CustomerPaymentSourceFilters
