from django.db import models

from customers.db.declarations import keep, scrub
from customers.db.fields import JsonField


class ImportInputs(models.Model):
    """What an import is to bring in, kept until it is done; secrets in it are encrypted.

    `numbers` are those of the rows in the file they are from, where others are between them.
    """

    job = keep(
        models.OneToOneField(
            "Import", models.CASCADE, primary_key=True, related_name="stored_inputs"
        )
    )
    rows = scrub(JsonField())
    numbers = keep(JsonField(null=True), because="they are numbers of lines")

    class Meta:
        db_table = "import_inputs"
        verbose_name_plural = "import inputs"

    def __str__(self) -> str:
        return self.pk
