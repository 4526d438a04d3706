from typing import Any

from customers.models import Import
from customers.resources.base import ResourceType
from customers.resources.errors import UnauthorizedError
from customers.resources.fields import ChoiceField, FlagField, InputsField
from customers.resources.filters import COMMON, COMMON_SORT, Filters
from customers.resources.triggers import TriggeredSerializer
from customers.services import imports, jobs, permissions

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
    "warnings_count",
    "processed_count",
]
GIVEN = ["resource_type", "format", "parent_resource_id", "inputs", "skip_errors"]


class ImportSerializer(TriggeredSerializer):
    """A job: its inputs are kept apart, and never shown again."""

    resource_type = ChoiceField(imports.TYPES)
    inputs = InputsField(
        write_only=True,
        help_text="The resources: a list of their attributes by name, or a text of CSV with a "
        "line of names first.",
    )
    skip_errors = FlagField()
    triggers = {"_interrupt": jobs.interrupt, "_start": jobs.resume}

    class Meta:
        model = Import
        fields = [*STATE, "errors_log", "skip_errors", "attachment_url"]
        volatile = ("attachment_url",)
        relationships = ["events", "event_stores"]
        writable = create_only = GIVEN

    def validate_resource_type(self, value: str) -> str:
        """Raises UnauthorizedError for a type that the caller may not import."""
        if not permissions.may_import(self.principal, value):
            raise UnauthorizedError(pointer="/data/attributes/resource_type")
        return value

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Reads the inputs of a new one; those of a format that is none may be of either."""
        known = "format" not in self.wrong or isinstance(values.get("inputs"), list)
        if known and "inputs" in values:
            values["inputs"] = imports.validate_inputs(values, mode=self.principal.mode)
        return super().validate(values)

    def create(self, values: dict[str, Any]) -> Any:
        """Make one and store its inputs."""
        rows, actor = values.pop("inputs"), self.principal.actor
        row: Any = super().create({**values, "actor": actor, "inputs_size": len(rows)})
        imports.store_inputs(row, rows)
        return row


class ImportFilters(Filters):
    class Meta:
        model = Import
        fields = [*COMMON, *STATE, "errors_log"]

    relationships = ["events"]
    sortable = [*COMMON_SORT, *STATE]


class ImportType(ResourceType):
    name = "imports"
    takes_files = True
    queryset = Import.objects.all()
    serializer_class = ImportSerializer
    filterset_class = ImportFilters
