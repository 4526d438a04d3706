from django.db import models

from customers.db.declarations import keep
from customers.db.fields import InstantField


class RevokedToken(models.Model):
    """An access token that was ended before its time; the row may go when that time has come."""

    jti = keep(models.CharField("token id", primary_key=True, max_length=64))
    expires_at = keep(InstantField(db_index=True))

    class Meta:
        db_table = "revoked_tokens"

    def __str__(self) -> str:
        return self.jti
