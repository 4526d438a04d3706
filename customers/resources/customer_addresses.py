from customers.api.base import ResourceViewSet
from customers.models import CustomerAddress
from customers.resources.filter_types import TextFilter
from customers.resources.filters import COMMON, Filters
from customers.resources.serializers import CustomerEmailSerializer


class CustomerAddressSerializer(CustomerEmailSerializer):
    makes_customers = False

    class Meta:
        model = CustomerAddress
        fields = ["name", "customer_email"]
        relationships = ["customer", "address", "events", "event_stores"]
        writable = ["customer_email", "customer", "address"]
        create_only = ["customer_email"]
        channel_writable = writable


class CustomerAddressFilters(Filters):
    country_code = TextFilter("address__country_code")

    class Meta:
        model = CustomerAddress
        fields = COMMON

    relationships = ["customer", "address", "events"]


class CustomerAddressViewSet(ResourceViewSet):
    resource_name = "customer_addresses"
    queryset = CustomerAddress.objects.select_related("customer", "address")
    serializer_class = CustomerAddressSerializer
    filterset_class = CustomerAddressFilters
