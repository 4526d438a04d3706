from django.db import models

from customers.db.declarations import delete, keep
from customers.db.indexes import by_each
from customers.models.base import Resource, Viewer
from customers.models.sku_lists import SkuList


class SkuListItem(Resource):
    """One SKU of a list, with which it goes."""

    import_parent = "sku_list"

    position = keep(
        models.IntegerField(null=True, blank=True),
        says="The place in the list, from the lowest number up.",
        example=1,
    )
    sku_code = delete(
        models.CharField(max_length=255), says="The code of the SKU.", example="SHIRT-M"
    )
    quantity = keep(
        models.IntegerField(default=1, null=True, blank=True),
        says="How many of the SKU, at least 1.",
        example=1,
    )
    sku_list = delete(
        models.ForeignKey("SkuList", models.CASCADE, related_name="sku_list_items"),
        says="The list that it is in.",
    )

    class Meta(Resource.Meta):
        db_table = "sku_list_items"
        verbose_name = "SKU list item"
        constraints = [
            *Resource.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(quantity=None) | models.Q(quantity__gte=1),
                name="sku_list_items_quantity_positive",
                violation_error_message="must be greater than or equal to 1",
                violation_error_code="greater_than_or_equal_to",
            ),
        ]
        indexes = [
            *Resource.Meta.indexes,
            *by_each("position", "sku_code", "quantity"),
        ]

    @classmethod
    def visible_q(cls, principal: Viewer) -> models.Q:
        """The items of the lists that the caller may see."""
        return models.Q(sku_list__in=SkuList.objects.visible_to(principal))

    @property
    def owning_customer_id(self) -> str | None:
        return self.sku_list.owning_customer_id

    def __str__(self) -> str:
        return self.sku_code
