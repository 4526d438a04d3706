from django.db import models
from django.utils import timezone

from customers.db.declarations import delete, keep
from customers.db.fields import IdField, InstantField, JsonField, new_id


class Session(models.Model):
    """A customer who is logged in through an application; its tokens live as long as it does.

    Of its refresh token only a digest is kept. Each use of it replaces it.
    """

    id = keep(IdField(primary_key=True, default=new_id, editable=False))
    application = keep(models.ForeignKey("Application", models.CASCADE, related_name="sessions"))
    customer = delete(
        models.ForeignKey("Customer", models.CASCADE, related_name="sessions"), moves=False
    )
    scope = keep(models.TextField())
    custom_claim = delete(JsonField(null=True, default=None), because="it goes with its row")
    refresh_digest = delete(models.CharField(max_length=64), secret=True)
    created_at = keep(InstantField(default=timezone.now))
    expires_at = keep(InstantField(db_index=True))

    class Meta:
        db_table = "sessions"

    def __str__(self) -> str:
        return self.id
