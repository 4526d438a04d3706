from django.db import models

from customers.db.declarations import keep
from customers.db.fields import InstantField


class WorkerHeartbeat(models.Model):
    """When a worker, on whatever machine, last looked for one kind of work."""

    work = keep(models.CharField(primary_key=True, max_length=32))
    seen_at = keep(InstantField())

    class Meta:
        db_table = "worker_heartbeats"

    def __str__(self) -> str:
        return self.work
