from typing import Any

from django.db import migrations, models
from django.db.models import Q


def read_only_as_role(apps: Any, schema_editor: Any) -> None:
    """An application that was read-only has the role of that name."""
    found = apps.get_model("customers", "Application").objects.filter(read_only=True)
    found.update(role="read_only")


class Migration(migrations.Migration):
    """Roles instead of `read_only`, a second secret for a while, and a way to disable.

    The column `read_only` stays where the database can keep it, with a default: a service of the
    version before goes on beside it until all are new.
    """

    dependencies = [("customers", "0001_initial")]
    operations = [
        migrations.AddField(
            "application",
            "role",
            models.CharField(
                choices=[
                    ("full", "Full"),
                    ("read_only", "Read only"),
                    ("orders", "Orders"),
                    ("marketing", "Marketing"),
                    ("support", "Support"),
                ],
                db_default="full",
                default="full",
                help_text="what an integration may do to which type",
                max_length=20,
            ),
        ),
        migrations.AddField(
            "application",
            "previous_secret_digest",
            models.CharField(editable=False, max_length=64, null=True),
        ),
        migrations.AddField(
            "application",
            "previous_secret_until",
            models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            "application", "disabled_at", models.DateTimeField(editable=False, null=True)
        ),
        migrations.RunPython(read_only_as_role, migrations.RunPython.noop),
        migrations.RemoveConstraint("application", "applications_secret_fits_kind"),
        migrations.AddConstraint(
            "application",
            models.CheckConstraint(
                condition=Q(kind="integration", secret_digest__isnull=False)
                | Q(kind="sales_channel", role="full"),
                name="applications_role_fits_kind",
                violation_error_message="must be an integration to have a role, with a secret",
            ),
        ),
        migrations.AlterField(
            "application", "read_only", models.BooleanField(db_default=False, default=False)
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("application", "read_only")]
        ),
    ]
