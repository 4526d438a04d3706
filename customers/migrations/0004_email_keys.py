"""The keys that e-mail addresses are compared by: no case folding, and domains by IDNA 2008."""

from django.core.management.base import CommandError
from django.db import migrations
from django.db.models import F

import customers.models.emails
import customers.models.fields

PART = 500  # rows that one statement changes


def compute_keys(apps, schema_editor):
    """Give every customer the key of its address, or change nothing where two would have one."""
    rows = apps.get_model("customers", "Customer").objects.using(schema_editor.connection.alias)
    keys = customers.models.emails.stale_keys(rows)
    if found := customers.models.emails.collisions(rows, keys):
        pairs = "; ".join(" and ".join(ids) for _, ids in found[:10])
        raise CommandError(
            f"No address was changed: customers have spellings of one e-mail address ({pairs}). "
            "Merge them in the console of the version before, or change an address, then migrate "
            "again. `manage.py list_email_collisions` lists all of them."
        )
    ids = list(keys)
    parts = [ids[start : start + PART] for start in range(0, len(ids), PART)]
    for part in parts:  # first a key that is nobody's: one may get what another has until then
        rows.filter(pk__in=part).update(email_key=F("id"))
    for part in parts:
        changed = list(rows.filter(pk__in=part).only("pk"))
        for row in changed:
            row.email_key = keys[row.pk]
        rows.bulk_update(changed, ["email_key"])


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_secrets")]

    operations = [
        migrations.SeparateDatabaseAndState(  # the column stays as it is
            state_operations=[
                migrations.AlterField(
                    "customer",
                    "email_key",
                    customers.models.fields.EmailKeyField(max_length=762, of="email"),
                ),
            ]
        ),
        migrations.RunPython(compute_keys, migrations.RunPython.noop),
    ]
