from django.db import models

from customers.db.declarations import keep
from customers.db.indexes import by_each
from customers.models.base import Resource


class CustomerGroup(Resource):
    """A set of customers, such as wholesale. A group that has customers is kept."""

    importable = False

    name = keep(
        models.CharField(max_length=255),
        column=True,
        says="What people call the group.",
        example="Wholesale",
    )
    code = keep(
        models.CharField(max_length=255, null=True, blank=True),
        column=True,
        says="What programs call the group; no two groups have the same.",
    )

    class Meta(Resource.Meta):
        db_table = "customer_groups"
        verbose_name = "customer group"
        constraints = [
            *Resource.Meta.constraints,
            models.UniqueConstraint(
                fields=["mode", "code"],
                name="customer_groups_code_unique",
                violation_error_message="has already been taken",
                violation_error_code="taken",
            ),
        ]
        indexes = [
            *Resource.Meta.indexes,
            *by_each("name"),
        ]

    def __str__(self) -> str:
        return self.name
