from django.db import migrations, models
from django.db.models import TextField
from django.db.models.functions import Cast


def forget_secrets(apps, schema_editor):
    """Forget payloads that were kept with a webhook's secret; what else they told is in the rows."""
    callbacks = apps.get_model("customers", "EventCallback").objects
    text = Cast("payload", TextField())
    callbacks.annotate(text=text).filter(text__contains='"shared_secret"').update(payload=None)


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0002_bounds"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="customer",
            options={
                "ordering": ["id"],
                "permissions": [
                    (
                        "reset_customer_password",
                        "Can send customers a link to choose a new password",
                    ),
                    ("invite_customers", "Can invite guests to choose a password"),
                    ("change_customer_email", "Can change the e-mail addresses of customers"),
                    ("merge_customers", "Can merge duplicate customers"),
                    ("anonymize_customers", "Can have customers anonymized"),
                    ("import_customers", "Can import customers from a file"),
                    ("export_customers", "Can export customers to a file"),
                ],
            },
        ),
        migrations.AlterField(
            model_name="queuedmail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("password_reset", "Password reset"),
                    ("invitation", "Invitation"),
                    ("password_changed", "Password changed"),
                    ("email_changed", "E-mail address changed"),
                    ("webhook_failing", "Webhook failing"),
                ],
                max_length=32,
            ),
        ),
        migrations.RunPython(forget_secrets, migrations.RunPython.noop),
    ]
