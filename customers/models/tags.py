from collections.abc import Iterable
from typing import ClassVar, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from customers.db.declarations import keep
from customers.db.fields import FoldedField
from customers.models.base import Resource, ResourceQuerySet, Viewer


class TagQuerySet(ResourceQuerySet["Tag"]):
    def named(self, names: Iterable[str]) -> Self:
        """The tags that have one of the given names, in any case and with spaces around it."""
        texts = {name.strip() for name in names}
        return self.filter(name__in={text.lower() for text in texts if text.isascii()})


class Tag(Resource):
    """A lower-case label. Deleting it takes it off every record."""

    import_key = "name"

    name = keep(
        FoldedField(
            max_length=25,
            validators=[
                RegexValidator(
                    r"^[A-Za-z0-9_:-]+\Z",
                    "may only have letters a to z, digits, and the signs _ : -",
                )
            ],
        ),
        column=True,
        says=(
            "The label, which no two tags have: up to 25 of the letters a to z, digits and _ : -; "
            "capitals are made small."
        ),
        example="vip",
    )

    objects: ClassVar = TagQuerySet.as_manager()

    class Meta(Resource.Meta):
        db_table = "tags"
        constraints = [
            *Resource.Meta.constraints,
            models.UniqueConstraint(
                fields=["mode", "name"],
                name="tags_name_unique",
                violation_error_message="has already been taken",
                violation_error_code="taken",
            ),
        ]

    @classmethod
    def visible_q(cls, principal: Viewer) -> Q:
        """The tags of the records that the caller may see."""
        found = Q()
        for relation in cls._meta.related_objects:
            model = relation.related_model
            if (
                isinstance(relation, models.ManyToManyRel)
                and relation.through
                and issubclass(model, Resource)
            ):
                rows = model.objects.visible_to(principal)
                of_them = {f"{relation.field.m2m_field_name()}__in": rows}
                pairs = relation.through._default_manager.filter(**of_them)
                found |= Q(pk__in=pairs.values("tag"))
        return found

    def __str__(self) -> str:
        return self.name
