from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.utils.text import slugify

from customers.db.declarations import delete, keep
from customers.db.indexes import TrigramIndex, by_each
from customers.models.base import CustomerOwned

validate_web_address = URLValidator(
    ["http", "https"], message="must be a web address (http or https)"
)


class SkuList(CustomerOwned):
    """A list of SKUs, such as a customer's wish list, with which it goes."""

    name = delete(
        models.CharField(max_length=255), says="What people call the list.", example="Wish list"
    )
    slug = delete(
        models.CharField(max_length=255, editable=False),
        says="The name as a part of web addresses.",
    )
    description = delete(
        models.TextField(null=True, blank=True),
        says="What the list is for.",
        example="For the winter",
    )
    image_url = delete(
        models.CharField(max_length=2000, null=True, blank=True, validators=[validate_web_address]),
        says="The web address of a picture (http or https).",
        example="https://example.com/list.png",
    )
    manual = keep(
        models.BooleanField(default=True),
        says=(
            "Whether the list holds the SKUs added to it, rather than those that `sku_code_regex` "
            "fits."
        ),
    )
    sku_code_regex = delete(
        models.CharField(max_length=5000, null=True, blank=True),
        says="The regular expression of the SKUs' codes; required unless `manual`.",
        example="^A",
    )
    customer = delete(
        models.ForeignKey(
            "Customer", models.CASCADE, related_name="sku_lists", null=True, blank=True
        ),
        says="Whose list it is.",
    )

    class Meta(CustomerOwned.Meta):
        db_table = "sku_lists"
        verbose_name = "SKU list"
        indexes = [
            *CustomerOwned.Meta.indexes,
            *by_each("name", "slug", "manual"),
            TrigramIndex(fields=["name"], name="sku_lists_name_parts"),
        ]

    def __str__(self) -> str:
        return self.name

    def prepare_save(self, update_fields: Iterable[str] | None) -> set[str] | None:
        """The slug is what the name gives."""
        self.slug = slugify(self.name, allow_unicode=True)
        if update_fields is not None:
            update_fields = {*update_fields, "slug"}
        return super().prepare_save(update_fields)

    def clean(self) -> None:
        super().clean()
        if not self.manual and not (self.sku_code_regex or "").strip():
            blank = ValidationError("can't be blank", code="blank")
            raise ValidationError({"sku_code_regex": blank})
