from customers.models import CustomerAddress
from customers.resources.base import ResourceType
from customers.resources.customer_emails import CustomerEmailSerializer
from customers.resources.filter_types import TextFilter
from customers.resources.filters import COMMON, Filters


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


class CustomerAddressType(ResourceType):
    name = "customer_addresses"
    queryset = CustomerAddress.objects.select_related("customer", "address")
    serializer_class = CustomerAddressSerializer
    filterset_class = CustomerAddressFilters
