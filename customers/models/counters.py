from datetime import datetime

from django.db import connection, models

from customers.db.declarations import keep
from customers.db.fields import InstantField


class Counter(models.Model):
    """How often something was done in one stretch of time; `key` says what, by whom and when."""

    key = keep(models.CharField(primary_key=True, max_length=96))
    count = keep(models.PositiveIntegerField())
    expires_at = keep(InstantField(db_index=True))

    class Meta:
        db_table = "counters"

    def __str__(self) -> str:
        return self.key

    @classmethod
    def count_up(cls, key: str, *, below: int, expires_at: datetime) -> int | None:
        """Add one to `key`'s count if it is `below` the number given.

        Returns the new count, or None when it was not added. One statement, so that of
        any number at once no more get through.
        """
        field = cls.expires_at.field
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO counters (key, count, expires_at) VALUES (%s, 1, %s) "
                "ON CONFLICT (key) DO UPDATE SET count = counters.count + 1 "
                "WHERE counters.count < %s RETURNING count",
                [key, field.get_db_prep_save(expires_at, connection), below],
            )
            row = cursor.fetchone()
        return row and row[0]
