from customers.api.base import ResourceViewSet
from customers.models import Event
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.serializers import TriggeredSerializer
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


class EventViewSet(ResourceViewSet):
    resource_name = "events"
    offers = {"list", "retrieve", "partial_update"}
    queryset = Event.objects.all()
    serializer_class = EventSerializer
    filterset_class = EventFilters
