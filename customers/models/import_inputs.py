from django.db import models

from customers.db.fields import JsonField


class ImportInputs(models.Model):
    """What an import is to bring in, kept until it is done; secrets in it are encrypted.

    `numbers` are those of the rows in the file they are from, where others are between them.
    """

    job = models.OneToOneField(
        "Import", models.CASCADE, primary_key=True, related_name="stored_inputs"
    )
    rows = JsonField()
    numbers = JsonField(null=True)

    class Meta:
        db_table = "import_inputs"
        verbose_name_plural = "import inputs"

    def __str__(self):
        return self.pk
