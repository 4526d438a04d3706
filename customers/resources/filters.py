"""What a type declares to be filtered and sorted by; nothing else in a query reaches the database.

A query is read by filter_names, becomes conditions by filtering, and an order by ordering.
"""

from typing import Any

import django_filters
from django.db import models

from customers.resources.column_types import filter_of
from customers.resources.filter_types import AttributeFilter

COMMON = ["id", "created_at", "updated_at", "reference", "reference_origin", "metadata"]
COMMON_SORT = ["id", "created_at", "updated_at", "reference", "reference_origin"]


class Filters(django_filters.FilterSet):
    """What may be filtered (`Meta.fields` or declared), through which relations, and sorted."""

    relationships: list[str] = []
    sortable: list[str] = COMMON_SORT

    @classmethod
    def filter_for_lookup(
        cls, field: models.Field, lookup_type: str
    ) -> tuple[type[AttributeFilter], dict[str, Any]]:
        """The filter of the column `field`, as the table of column types has it."""
        return filter_of(field)
