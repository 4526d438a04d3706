from django.db import models

from customers.db.fields import IdField, new_id


class ExportPart(models.Model):
    """A part of an export's file, compressed; one after the other they are a gzip file."""

    id = IdField(primary_key=True, default=new_id, editable=False)
    job = models.ForeignKey("Export", models.CASCADE, related_name="parts")
    content = models.BinaryField()

    class Meta:
        db_table = "export_parts"

    def __str__(self):
        return self.pk
