from django.db import migrations

import customers.db.fields


class Migration(migrations.Migration):
    """A session keeps what an assertion adds to its tokens."""

    dependencies = [("customers", "0002_application_roles")]
    operations = [
        migrations.AddField(
            "session", "custom_claim", customers.db.fields.JsonField(default=None, null=True)
        ),
    ]
