from django.db import models

from customers.db.declarations import keep


class Timeline(models.Model):
    """A random token for each of PostgreSQL's timelines that the service has written on.

    PostgreSQL begins a new timeline whenever a replica is promoted. Who holds the token of the
    present one has replayed what was written on it; a server that stayed on an older one, or on
    another one of the same number, never gets it.
    """

    number = keep(models.BigIntegerField(primary_key=True))
    token = keep(models.CharField(max_length=64), secret=True)

    class Meta:
        db_table = "timelines"

    def __str__(self) -> str:
        return str(self.number)
