from customers.models import SkuList
from customers.resources.base import ResourceType
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.serializers import ResourceSerializer


class SkuListSerializer(ResourceSerializer):
    class Meta:
        model = SkuList
        fields = ["name", "slug", "description", "image_url", "manual", "sku_code_regex"]
        relationships = ["customer", "sku_list_items", "attachments", "event_stores"]
        writable = ["name", "description", "image_url", "manual", "sku_code_regex", "customer"]
        channel_writable = writable


class SkuListFilters(Filters):
    class Meta:
        model = SkuList
        fields = [*COMMON, "name", "slug", "description", "image_url", "manual"]

    relationships = ["customer", "sku_list_items", "attachments"]
    sortable = [*COMMON_SORT, "name", "slug", "manual"]


class SkuListType(ResourceType):
    name = "sku_lists"
    queryset = SkuList.objects.all()
    serializer_class = SkuListSerializer
    filterset_class = SkuListFilters
