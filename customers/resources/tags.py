from customers.models import Tag
from customers.resources.base import ResourceType
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.serializers import ResourceSerializer


class TagSerializer(ResourceSerializer):
    class Meta:
        model = Tag
        fields = ["name"]
        relationships = ["event_stores"]
        writable = ["name"]


class TagFilters(Filters):
    class Meta:
        model = Tag
        fields = [*COMMON, "name"]

    sortable = [*COMMON_SORT, "name"]


class TagType(ResourceType):
    name = "tags"
    queryset = Tag.objects.all()
    serializer_class = TagSerializer
    filterset_class = TagFilters
