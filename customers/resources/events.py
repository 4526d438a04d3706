from customers.models import Event
from customers.resources.base import ResourceType
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.triggers import TriggeredSerializer
from customers.services import webhooks


class EventSerializer(TriggeredSerializer):
    triggers = {"_trigger": webhooks.replay}

    class Meta:
        model = Event
        fields = ["name"]
        relationships = ["webhooks", "last_event_callbacks", "event_stores"]
        writable = []


class EventFilters(Filters):
    class Meta:
        model = Event
        fields = [*COMMON, "name"]

    sortable = [*COMMON_SORT, "name"]


class EventType(ResourceType):
    name = "events"
    actions = frozenset({"list", "retrieve", "partial_update"})
    queryset = Event.objects.all()
    serializer_class = EventSerializer
    filterset_class = EventFilters
