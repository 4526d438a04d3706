from customers.models import Attachment
from customers.resources.base import ResourceType
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.serializers import ResourceSerializer


class AttachmentSerializer(ResourceSerializer):
    class Meta:
        model = Attachment
        fields = ["name", "description", "url"]
        relationships = ["attachable", "event_stores"]
        writable = ["name", "description", "url", "attachable"]


class AttachmentFilters(Filters):
    class Meta:
        model = Attachment
        fields = [*COMMON, "name", "description"]

    sortable = [*COMMON_SORT, "name"]


class AttachmentType(ResourceType):
    name = "attachments"
    queryset = Attachment.objects.all()
    serializer_class = AttachmentSerializer
    filterset_class = AttachmentFilters
