from customers.api.base import ResourceViewSet
from customers.api.pagination import Cursor
from customers.models import EventStore
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


class EventStoreViewSet(ResourceViewSet):
    resource_name = "event_stores"
    offers = {"retrieve"}
    paging = Cursor
    queryset = EventStore.objects.all()
    serializer_class = EventStoreSerializer
    filterset_class = EventStoreFilters
