from django.db import models

from customers.db.declarations import keep, scrub
from customers.db.fields import IdField, new_id


class ExportPart(models.Model):
    """A part of an export's file, compressed; one after the other they are a gzip file."""

    id = keep(IdField(primary_key=True, default=new_id, editable=False))
    job = keep(models.ForeignKey("Export", models.CASCADE, related_name="parts"))
    content = scrub(models.BinaryField())

    class Meta:
        db_table = "export_parts"

    def __str__(self) -> str:
        return self.pk
