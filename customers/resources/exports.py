from typing import Any

from customers.models import Export, validate_paths
from customers.resources import export_checks
from customers.resources.base import ResourceType
from customers.resources.fields import ChoiceField, ListField, ObjectField
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.triggers import TriggeredSerializer
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


class ExportSerializer(TriggeredSerializer):
    """A job: how many rows it has is known at once, and none is refused."""

    resource_type = ChoiceField(export_checks.TYPES)
    includes = ListField(required=False, allow_null=True, validators=[validate_paths])
    fields = ListField(required=False, allow_null=True, validators=[validate_paths])
    filters = ObjectField(required=False, allow_null=True)
    triggers = {"_interrupt": jobs.interrupt, "_start": jobs.resume}

    class Meta:
        model = Export
        fields = [*STATE, *COMPUTED, *CHOICE]
        volatile = ("attachment_url", "estimated_completion_at")
        relationships = ["events", "event_stores"]
        writable = create_only = GIVEN

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Counts the rows of a new one."""
        if self.instance is None:
            count = export_checks.validate_export(values, mode=self.principal.mode)
            values |= {"records_count": count, "actor": self.principal.actor}
        return super().validate(values)


class ExportFilters(Filters):
    class Meta:
        model = Export
        fields = [*COMMON, *STATE, "errors_log"]

    relationships = ["events"]
    sortable = [*COMMON_SORT, *STATE]


class ExportType(ResourceType):
    name = "exports"
    queryset = Export.objects.all()
    serializer_class = ExportSerializer
    filterset_class = ExportFilters
