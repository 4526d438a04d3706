"""The order of a list, from the query member `sort`."""

from django.db.models import F, QuerySet
from django.db.models.expressions import OrderBy

from customers.resources import errors
from customers.resources.protocols import ServedType


def order_rows(rows: QuerySet, viewset: ServedType, text: str) -> QuerySet:
    """`rows` in the order that `text` asks for: comma-separated names, `-` for descending.

    Rows that are equal, and all where nothing is asked, come in the order they were
    made. Without a value is last, as PostgreSQL has it. Raises errors.InvalidSortError.
    """
    names = text.split(",") if text else []
    return rows.order_by(*(_build_term(rows, viewset, name) for name in names), "id")


def _build_term(rows: QuerySet, viewset: ServedType, name: str) -> OrderBy:
    attribute, filters = name.removeprefix("-"), viewset.filterset_class
    if attribute not in filters.sortable:
        raise errors.InvalidSortError(
            f"{attribute[:100]} is not a valid sort criteria for {viewset.name}.",
            parameter="sort",
        )
    column = filters.base_filters[attribute].field_name
    nullable = rows.model._meta.get_field(column).null or None
    if name.startswith("-"):
        return F(column).desc(nulls_first=nullable)
    return F(column).asc(nulls_last=nullable)
