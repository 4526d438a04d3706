from customers.models import CustomerGroup
from customers.resources.base import ResourceType
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.serializers import ResourceSerializer


class CustomerGroupSerializer(ResourceSerializer):
    class Meta:
        model = CustomerGroup
        fields = ["name", "code"]
        relationships = ["customers", "attachments", "event_stores"]
        writable = ["name", "code"]


class CustomerGroupFilters(Filters):
    class Meta:
        model = CustomerGroup
        fields = [*COMMON, "name", "code"]

    relationships = ["attachments"]
    sortable = [*COMMON_SORT, "name", "code"]


class CustomerGroupType(ResourceType):
    name = "customer_groups"
    queryset = CustomerGroup.objects.all()
    serializer_class = CustomerGroupSerializer
    filterset_class = CustomerGroupFilters
