from customers.api.base import ResourceViewSet
from customers.api.parsers import ImportParser
from customers.models import Import
from customers.resources import serializers
from customers.resources.fields import ChoiceField, InputsField
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.services import imports, jobs

STATE = [
    "resource_type",
    "format",
    "parent_resource_id",
    "status",
    "started_at",
    "completed_at",
    "interrupted_at",
    "inputs_size",
    "errors_count",
    "processed_count",
]
GIVEN = ["resource_type", "format", "parent_resource_id", "inputs", "skip_errors"]


class ImportSerializer(serializers.ImportSerializer):
    resource_type = ChoiceField(imports.TYPES)
    inputs = InputsField(write_only=True)
    triggers = {"_interrupt": jobs.interrupt, "_start": jobs.resume}

    class Meta:
        model = Import
        fields = [*STATE, "errors_log", "skip_errors", "attachment_url"]
        passing = ("attachment_url",)
        relationships = ["events", "event_stores"]
        writable = create_only = GIVEN


class ImportFilters(Filters):
    class Meta:
        model = Import
        fields = [*COMMON, *STATE]

    relationships = ["events"]
    sortable = [*COMMON_SORT, *STATE]


class ImportViewSet(ResourceViewSet):
    resource_name = "imports"
    parser_classes = [ImportParser]
    queryset = Import.objects.all()
    serializer_class = ImportSerializer
    filterset_class = ImportFilters
