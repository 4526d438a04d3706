import hashlib

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare, get_random_string

from customers.db.declarations import keep
from customers.models.base import Resource


class Application(Resource):
    """A program's credential: who it is, what kind, and in which mode it works."""

    exportable = importable = False

    class Kind(models.TextChoices):
        INTEGRATION = "integration", "Integration"  # a server with a secret, which sees all
        SALES_CHANNEL = "sales_channel", "Sales channel"  # in customers' hands

    class Role(models.TextChoices):
        FULL = "full", "Full"
        READ_ONLY = "read_only", "Read only"
        ORDERS = "orders", "Orders"
        MARKETING = "marketing", "Marketing"
        SUPPORT = "support", "Support"

    LONGEST_NAME = 255

    name = keep(
        models.CharField(max_length=LONGEST_NAME),
        says="What people call the application.",
        example="Storefront",
    )
    kind = keep(
        models.CharField(max_length=20, choices=Kind, default=Kind.INTEGRATION),
        says=(
            "Whether it is a program with a secret (integration) or one that customers run "
            "(sales_channel)."
        ),
    )
    client_id = keep(models.CharField(max_length=64, unique=True, editable=False))
    secret_digest = keep(models.CharField(max_length=64, null=True, editable=False), secret=True)
    previous_secret_digest = keep(
        models.CharField(max_length=64, null=True, editable=False), secret=True
    )
    previous_secret_until = keep(models.DateTimeField(null=True, editable=False))
    role = keep(
        models.CharField(
            max_length=20,
            choices=Role,
            default=Role.FULL,
            db_default=Role.FULL,
            help_text="what an integration may do to which type",
        )
    )
    disabled_at = keep(models.DateTimeField(null=True, editable=False))
    token_generation = keep(models.PositiveIntegerField(default=0, editable=False), secret=True)

    class Meta(Resource.Meta):
        db_table = "applications"
        constraints = [
            *Resource.Meta.constraints,
            models.CheckConstraint(
                condition=Q(kind="integration", secret_digest__isnull=False)
                | Q(kind="sales_channel", role="full"),
                name="applications_role_fits_kind",
                violation_error_message="must be an integration to have a role, with a secret",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def uid(self) -> str:
        """The client id."""
        return self.client_id

    @property
    def public_access(self) -> bool:
        """Whether it may call without a secret; one of its own is for assertions alone."""
        return self.kind == self.Kind.SALES_CHANNEL

    @property
    def redirect_uri(self) -> str | None:
        """Where a log-in leads back to; there is none."""
        return None

    @property
    def scopes(self) -> str:
        """What its tokens may be limited to."""
        return "market:all"

    def set_new_secret(self) -> str:
        """Give the application a new random secret; return it, for only its digest is kept."""
        secret = get_random_string(43)
        self.secret_digest = digest(secret)
        return secret

    def has_secret(self, secret: str) -> bool:
        """Whether `secret` is its own, or the one before, whose time is not over."""
        given, until = digest(secret), self.previous_secret_until
        known = constant_time_compare(self.secret_digest or "", given)
        before = constant_time_compare(self.previous_secret_digest or "", given)
        return known or (before and until is not None and timezone.now() < until)


def digest(secret: str) -> str:
    """SHA-256 of a random secret, in hex; too long a secret to be guessed needs no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()
