from customers.models import SkuListItem
from customers.resources.base import ResourceType
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.serializers import ResourceSerializer


class SkuListItemSerializer(ResourceSerializer):
    class Meta:
        model = SkuListItem
        fields = ["position", "sku_code", "quantity"]
        relationships = ["sku_list"]
        writable = ["position", "sku_code", "quantity", "sku_list"]
        create_only = ["sku_code"]
        channel_writable = writable


class SkuListItemFilters(Filters):
    class Meta:
        model = SkuListItem
        fields = [*COMMON, "position", "sku_code", "quantity"]

    relationships = ["sku_list"]
    sortable = [*COMMON_SORT, "position", "sku_code", "quantity"]


class SkuListItemType(ResourceType):
    name = "sku_list_items"
    queryset = SkuListItem.objects.all()
    serializer_class = SkuListItemSerializer
    filterset_class = SkuListItemFilters
