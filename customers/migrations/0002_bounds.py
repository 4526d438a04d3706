from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                fields=["mode", "email_key"],
                name="customers_email_begins",
                opclasses=["", "varchar_pattern_ops"],
            ),
        ),
    ]
