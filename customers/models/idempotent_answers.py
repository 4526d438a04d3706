from django.db import models

from customers.db.declarations import clear, keep
from customers.db.fields import IdField, InstantField


class IdempotentAnswer(models.Model):
    """What was answered to a request that carried an Idempotency-Key, kept to be given again.

    `key` and `fingerprint` are digests of the key and of the request, `answer` is
    encrypted with the key, which is not kept. `resource_id` is that of the row that was
    written, `customer_id` that of whose it is; `answer` is empty once they are forgotten.
    """

    key = keep(models.CharField(primary_key=True, max_length=64))
    fingerprint = keep(models.CharField(max_length=64))
    answer = clear(models.TextField(), secret=True)
    resource_id = keep(IdField(null=True, db_index=True), way=True)
    customer_id = keep(IdField(null=True, db_index=True), way=True)
    expires_at = keep(InstantField(db_index=True))

    class Meta:
        db_table = "idempotent_answers"

    def __str__(self) -> str:
        return self.key
