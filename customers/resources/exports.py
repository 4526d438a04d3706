from customers.api.base import ResourceViewSet
from customers.models import Export, validate_paths
from customers.resources import export_checks, serializers
from customers.resources.fields import ChoiceField, ListField, ObjectField
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.services import jobs

STATE = [
    "resource_type",
    "format",
    "status",
    "started_at",
    "completed_at",
    "interrupted_at",
    "records_count",
    "processed_count",
]
CHOICE = ["includes", "fields", "filters", "dry_data", "jwt_filters"]
GIVEN = ["resource_type", "format", *CHOICE]
COMPUTED = ["progress", "estimated_completion_at", "attachment_url", "errors_log"]


class ExportSerializer(serializers.ExportSerializer):
    resource_type = ChoiceField(export_checks.TYPES)
    includes = ListField(required=False, allow_null=True, validators=[validate_paths])
    fields = ListField(required=False, allow_null=True, validators=[validate_paths])
    filters = ObjectField(required=False, allow_null=True)
    triggers = {"_interrupt": jobs.interrupt, "_start": jobs.resume}

    class Meta:
        model = Export
        fields = [*STATE, *COMPUTED, *CHOICE]
        passing = ("attachment_url", "estimated_completion_at")
        relationships = ["events", "event_stores"]
        writable = create_only = GIVEN


class ExportFilters(Filters):
    class Meta:
        model = Export
        fields = [*COMMON, *STATE]

    relationships = ["events"]
    sortable = [*COMMON_SORT, *STATE]


class ExportViewSet(ResourceViewSet):
    resource_name = "exports"
    queryset = Export.objects.all()
    serializer_class = ExportSerializer
    filterset_class = ExportFilters
