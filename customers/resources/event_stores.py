from customers.models import EventStore
from customers.resources.base import ResourceType
from customers.resources.filters import Filters
from customers.resources.serializers import ResourceSerializer


class EventStoreSerializer(ResourceSerializer):
    class Meta:
        model = EventStore
        fields = ["resource_type", "resource_id", "event", "payload", "who"]
        relationships = []
        writable = []


class EventStoreFilters(Filters):
    sortable = []


class EventStoreType(ResourceType):
    name = "event_stores"
    actions = frozenset({"retrieve"})
    paged_by_cursor = True
    queryset = EventStore.objects.all()
    serializer_class = EventStoreSerializer
    filterset_class = EventStoreFilters
