from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare, get_random_string

from customers.db.declarations import delete, keep
from customers.db.fields import InstantField
from customers.db.indexes import by_each
from customers.models.applications import digest
from customers.models.base import CustomerOwned, Viewer

RESET_TOKEN_LENGTH = 20  # letters and digits: 119 bits


class CustomerPasswordReset(CustomerOwned):
    """Leave to choose a new password, once: for whoever forgot the old one and shows the token.

    The token is known when the row is made and never again: only a digest of it is kept,
    and that no longer than it opens something.
    """

    importable = False

    customer = delete(
        models.ForeignKey("Customer", models.CASCADE, related_name="customer_password_resets"),
        moves=False,
        says="Who chooses a new password.",
    )
    token_digest = delete(models.CharField(max_length=64, null=True, editable=False), secret=True)
    expires_at = keep(InstantField(editable=False))
    reset_password_at = keep(
        InstantField(null=True, editable=False),
        says="When the password was chosen with it, null while it was not.",
    )

    reset_password_token = None

    class Meta(CustomerOwned.Meta):
        db_table = "customer_password_resets"
        verbose_name = "password reset"
        indexes = [
            *CustomerOwned.Meta.indexes,
            *by_each("reset_password_at"),
        ]

    def __str__(self) -> str:
        return self.id

    def prepare_save(self, update_fields: Iterable[str] | None) -> set[str] | None:
        """A new row is given its token, in `reset_password_token`, and its time."""
        if self._state.adding:
            self.reset_password_token = get_random_string(RESET_TOKEN_LENGTH)
            self.token_digest = digest(self.reset_password_token)
            if self.expires_at is None:
                lifetime = timedelta(seconds=settings.PASSWORD_RESET_LIFETIME)
                self.expires_at = timezone.now() + lifetime
        return super().prepare_save(update_fields)

    @classmethod
    def visible_q(cls, principal: Viewer) -> Q:
        """Any: what a sales channel does to one, it does by the token alone."""
        return Q()

    def accepts(self, token: str) -> bool:
        """Whether `token`, a string, is the one that was given, and has opened nothing yet."""
        return self.token_digest is not None and constant_time_compare(
            self.token_digest, digest(token)
        )

    @property
    def is_over(self) -> bool:
        """Whether its time has run out."""
        return self.expires_at <= timezone.now()
