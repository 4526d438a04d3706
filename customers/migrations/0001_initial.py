import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import customers.models.addresses
import customers.models.customers
import customers.models.fields
import customers.models.indexes
import customers.models.money
import customers.models.order_subscriptions
import customers.models.orders
import customers.models.webhooks


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tag",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "name",
                    customers.models.fields.FoldedField(
                        max_length=25,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9_:-]+\\Z",
                                "may only have letters a to z, digits, and the signs _ : -",
                            )
                        ],
                    ),
                ),
            ],
            options={
                "db_table": "tags",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="tag_by_id"),
                    models.Index(fields=["mode", "-created_at", "id"], name="tag_created"),
                    models.Index(fields=["mode", "-updated_at", "id"], name="tag_updated"),
                    models.Index(fields=["mode", "reference", "id"], name="tag_ref"),
                    models.Index(fields=["mode", "reference_origin", "id"], name="tag_origin"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="tag_mode_known",
                        violation_error_message="must be test or live",
                    ),
                    models.UniqueConstraint(
                        fields=("mode", "name"),
                        name="tags_name_unique",
                        violation_error_code="taken",
                        violation_error_message="has already been taken",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Address",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("business", models.BooleanField(default=False)),
                ("first_name", models.CharField(blank=True, max_length=255, null=True)),
                ("last_name", models.CharField(blank=True, max_length=255, null=True)),
                ("company", models.CharField(blank=True, max_length=255, null=True)),
                ("line_1", models.CharField(max_length=255)),
                ("line_2", models.CharField(blank=True, max_length=255, null=True)),
                ("city", models.CharField(max_length=255)),
                ("zip_code", models.CharField(blank=True, max_length=32, null=True)),
                ("state_code", models.CharField(blank=True, max_length=64, null=True)),
                (
                    "country_code",
                    models.CharField(
                        max_length=2, validators=[customers.models.addresses.validate_country_code]
                    ),
                ),
                ("phone", models.CharField(blank=True, max_length=64, null=True)),
                (
                    "email",
                    models.CharField(blank=True, max_length=254, null=True, verbose_name="e-mail"),
                ),
                ("notes", models.TextField(blank=True, null=True)),
                ("lat", models.FloatField(blank=True, null=True)),
                ("lng", models.FloatField(blank=True, null=True)),
                ("billing_info", models.CharField(blank=True, max_length=255, null=True)),
                (
                    "tags",
                    models.ManyToManyField(
                        blank=True, related_name="addresses", to="customers.tag"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "addresses",
                "db_table": "addresses",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="address_by_id"),
                    models.Index(fields=["mode", "-created_at", "id"], name="address_created"),
                    models.Index(fields=["mode", "-updated_at", "id"], name="address_updated"),
                    models.Index(fields=["mode", "reference", "id"], name="address_ref"),
                    models.Index(fields=["mode", "reference_origin", "id"], name="address_origin"),
                    customers.models.indexes.Contained(
                        fields=["metadata"], name="address_metadata"
                    ),
                    models.Index(fields=["mode", "city", "id"], name="addresses_mode_82a138_idx"),
                    models.Index(
                        fields=["mode", "state_code", "id"], name="addresses_mode_dc1b80_idx"
                    ),
                    models.Index(
                        fields=["mode", "zip_code", "id"], name="addresses_mode_f1c0da_idx"
                    ),
                    models.Index(fields=["mode", "phone", "id"], name="addresses_mode_8ecf8c_idx"),
                    models.Index(fields=["mode", "line_1", "id"], name="addresses_mode_796a5e_idx"),
                    models.Index(
                        fields=["mode", "billing_info", "id"], name="addresses_mode_d95231_idx"
                    ),
                    models.Index(fields=["mode", "country_code", "id"], name="addresses_country"),
                    customers.models.indexes.Trigrams(
                        fields=["first_name"], name="addresses_first_name_parts"
                    ),
                    customers.models.indexes.Trigrams(
                        fields=["last_name"], name="addresses_last_name_parts"
                    ),
                    customers.models.indexes.Trigrams(
                        fields=["company"], name="addresses_company_parts"
                    ),
                    customers.models.indexes.Trigrams(
                        fields=["email"], name="addresses_email_parts"
                    ),
                    customers.models.indexes.Tallied(fields=["mode"], name="addresses_tallied"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="address_mode_known",
                        violation_error_message="must be test or live",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("lat", None),
                            models.Q(("lat__gte", -90), ("lat__lte", 90)),
                            _connector="OR",
                        ),
                        name="addresses_lat_in_range",
                        violation_error_message="must be between -90 and 90 degrees",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("lng", None),
                            models.Q(("lng__gte", -180), ("lng__lte", 180)),
                            _connector="OR",
                        ),
                        name="addresses_lng_in_range",
                        violation_error_message="must be between -180 and 180 degrees",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BulkAct",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(choices=[("test", "Test"), ("live", "Live")], max_length=4),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("add_tags", "Add tags"),
                            ("remove_tags", "Remove tags"),
                            ("set_group", "Set the group"),
                            ("send_reset", "Send a password reset"),
                            ("request_anonymization", "Request anonymization"),
                            ("send_invitation", "Send an invitation"),
                        ],
                        max_length=32,
                    ),
                ),
                ("options", customers.models.fields.JsonField(default=dict)),
                ("who", customers.models.fields.JsonField(null=True)),
                ("total", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("refusals", customers.models.fields.JsonField(default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(default=django.utils.timezone.now),
                ),
                ("finished_at", customers.models.fields.InstantField(null=True)),
            ],
            options={
                "db_table": "bulk_acts",
            },
        ),
        migrations.CreateModel(
            name="Counter",
            fields=[
                ("key", models.CharField(max_length=96, primary_key=True, serialize=False)),
                ("count", models.PositiveIntegerField()),
                ("expires_at", customers.models.fields.InstantField(db_index=True)),
            ],
            options={
                "db_table": "counters",
            },
        ),
        migrations.CreateModel(
            name="CustomerGroup",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                ("code", models.CharField(blank=True, max_length=255, null=True)),
            ],
            options={
                "verbose_name": "customer group",
                "db_table": "customer_groups",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="customergroup_by_id"),
                    models.Index(
                        fields=["mode", "-created_at", "id"], name="customergroup_created"
                    ),
                    models.Index(
                        fields=["mode", "-updated_at", "id"], name="customergroup_updated"
                    ),
                    models.Index(fields=["mode", "reference", "id"], name="customergroup_ref"),
                    models.Index(
                        fields=["mode", "reference_origin", "id"], name="customergroup_origin"
                    ),
                    models.Index(fields=["mode", "name", "id"], name="customer_gr_mode_b28b4d_idx"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="customergroup_mode_known",
                        violation_error_message="must be test or live",
                    ),
                    models.UniqueConstraint(
                        fields=("mode", "code"),
                        name="customer_groups_code_unique",
                        violation_error_code="taken",
                        violation_error_message="has already been taken",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "email",
                    models.CharField(
                        max_length=254,
                        validators=[customers.models.fields.validate_email_address],
                        verbose_name="e-mail",
                    ),
                ),
                ("email_key", customers.models.fields.FoldedField(max_length=762, of="email")),
                ("password", models.CharField(editable=False, max_length=255, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("prospect", "Prospect"),
                            ("acquired", "Acquired"),
                            ("repeat", "Repeat"),
                        ],
                        default="prospect",
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("total_orders_count", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "shopper_reference",
                    models.CharField(
                        blank=True,
                        default=customers.models.customers.new_reference,
                        max_length=128,
                        null=True,
                        validators=[django.core.validators.MinLengthValidator(3)],
                    ),
                ),
                (
                    "profile_id",
                    models.CharField(
                        blank=True,
                        default=customers.models.customers.new_reference,
                        max_length=255,
                        null=True,
                        verbose_name="profile id",
                    ),
                ),
                ("tax_exemption_code", models.CharField(blank=True, max_length=255, null=True)),
                (
                    "anonymization_status",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("started", "Started"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        editable=False,
                        max_length=10,
                        null=True,
                    ),
                ),
                (
                    "anonymization_info",
                    customers.models.fields.JsonField(editable=False, null=True),
                ),
                (
                    "anonymize_at",
                    customers.models.fields.InstantField(db_index=True, editable=False, null=True),
                ),
                (
                    "anonymization_attempts",
                    models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
                ),
                (
                    "customer_group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="customers",
                        to="customers.customergroup",
                    ),
                ),
                (
                    "tags",
                    models.ManyToManyField(
                        blank=True, related_name="customers", to="customers.tag"
                    ),
                ),
            ],
            options={
                "db_table": "customers",
                "ordering": ["id"],
                "permissions": [
                    (
                        "reset_customer_password",
                        "Can send customers a link to choose a new password",
                    ),
                    ("invite_customers", "Can invite guests to choose a password"),
                    ("merge_customers", "Can merge duplicate customers"),
                    ("anonymize_customers", "Can have customers anonymized"),
                    ("import_customers", "Can import customers from a file"),
                    ("export_customers", "Can export customers to a file"),
                ],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="customer_by_id"),
                    models.Index(fields=["mode", "-created_at", "id"], name="customer_created"),
                    models.Index(fields=["mode", "-updated_at", "id"], name="customer_updated"),
                    models.Index(fields=["mode", "reference", "id"], name="customer_ref"),
                    models.Index(fields=["mode", "reference_origin", "id"], name="customer_origin"),
                    models.Index(
                        fields=["mode", "status", "-created_at", "id"], name="customers_status"
                    ),
                    models.Index(fields=["mode", "status", "id"], name="customers_by_status"),
                    models.Index(
                        fields=["mode", "total_orders_count", "id"], name="customers_orders"
                    ),
                    models.Index(
                        fields=["mode", "anonymization_status", "id"],
                        name="customers_anonymization",
                    ),
                    customers.models.indexes.Trigrams(
                        fields=["email_key"], name="customers_email_parts"
                    ),
                    customers.models.indexes.Contained(
                        fields=["metadata"], name="customers_metadata"
                    ),
                    customers.models.indexes.Tallied(
                        fields=["mode", "status"], name="customers_tallied"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="customer_mode_known",
                        violation_error_message="must be test or live",
                    ),
                    models.UniqueConstraint(
                        fields=("mode", "email_key"),
                        name="customers_email_unique",
                        violation_error_code="taken",
                        violation_error_message="has already been taken",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "prospect"), ("total_orders_count", 0)),
                            models.Q(("status", "acquired"), ("total_orders_count", 1)),
                            models.Q(("status", "repeat"), ("total_orders_count__gte", 2)),
                            _connector="OR",
                        ),
                        name="customers_status_follows_orders",
                        violation_error_message="does not fit the number of orders",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotentAnswer",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("fingerprint", models.CharField(max_length=64)),
                ("answer", models.TextField()),
                ("expires_at", customers.models.fields.InstantField(db_index=True)),
            ],
            options={
                "db_table": "idempotent_answers",
            },
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("resource_type", models.CharField(max_length=32)),
                (
                    "format",
                    models.CharField(
                        choices=[("json", "JSON"), ("csv", "CSV")], default="json", max_length=4
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("in_progress", "In progress"),
                            ("interrupted", "Interrupted"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        editable=False,
                        max_length=11,
                    ),
                ),
                ("started_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("completed_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("interrupted_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("processed_count", models.PositiveIntegerField(default=0, editable=False)),
                ("errors_count", models.PositiveIntegerField(default=0, editable=False)),
                ("errors_log", customers.models.fields.JsonField(default=dict, editable=False)),
                ("who", customers.models.fields.JsonField(editable=False, null=True)),
                ("failures", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("try_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("parent_resource_id", models.CharField(blank=True, max_length=255, null=True)),
                ("inputs_size", models.PositiveIntegerField(editable=False)),
                ("skip_errors", models.BooleanField(default=False)),
                ("refusals", customers.models.fields.JsonField(default=list, editable=False)),
            ],
            options={
                "db_table": "imports",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="import_by_id"),
                    models.Index(fields=["mode", "-created_at", "id"], name="import_created"),
                    models.Index(fields=["mode", "-updated_at", "id"], name="import_updated"),
                    models.Index(fields=["mode", "reference", "id"], name="import_ref"),
                    models.Index(fields=["mode", "reference_origin", "id"], name="import_origin"),
                    models.Index(
                        condition=models.Q(("status__in", ["pending", "in_progress"])),
                        fields=["id"],
                        name="import_open",
                    ),
                    models.Index(
                        fields=["mode", "resource_type", "id"], name="imports_mode_2f96a9_idx"
                    ),
                    models.Index(fields=["mode", "format", "id"], name="imports_mode_1ce812_idx"),
                    models.Index(fields=["mode", "status", "id"], name="imports_mode_891fff_idx"),
                    models.Index(
                        fields=["mode", "processed_count", "id"], name="imports_mode_c56a05_idx"
                    ),
                    models.Index(
                        fields=["mode", "errors_count", "id"], name="imports_mode_605dec_idx"
                    ),
                    models.Index(
                        fields=["mode", "started_at", "id"], name="imports_mode_2f0a15_idx"
                    ),
                    models.Index(
                        fields=["mode", "completed_at", "id"], name="imports_mode_4bd301_idx"
                    ),
                    models.Index(
                        fields=["mode", "interrupted_at", "id"], name="imports_mode_934bf7_idx"
                    ),
                    models.Index(
                        fields=["mode", "parent_resource_id", "id"], name="imports_mode_729cdb_idx"
                    ),
                    models.Index(
                        fields=["mode", "inputs_size", "id"], name="imports_mode_2ee3b8_idx"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="import_mode_known",
                        violation_error_message="must be test or live",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomerPaymentSource",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("name", models.CharField(editable=False, max_length=64, null=True)),
                ("customer_token", models.CharField(blank=True, max_length=255, null=True)),
                ("payment_source_token", models.CharField(blank=True, max_length=255, null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="customer_payment_sources",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "customer payment source",
                "db_table": "customer_payment_sources",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="customerpaymentsource_by_id"),
                    models.Index(
                        fields=["mode", "-created_at", "id"], name="customerpaymentsource_created"
                    ),
                    models.Index(
                        fields=["mode", "-updated_at", "id"], name="customerpaymentsource_updated"
                    ),
                    models.Index(
                        fields=["mode", "reference", "id"], name="customerpaymentsource_ref"
                    ),
                    models.Index(
                        fields=["mode", "reference_origin", "id"],
                        name="customerpaymentsource_origin",
                    ),
                    customers.models.indexes.Contained(
                        fields=["metadata"], name="customerpaymentsource_metadata"
                    ),
                    models.Index(fields=["mode", "name", "id"], name="customer_pa_mode_a14dfc_idx"),
                    models.Index(
                        fields=["mode", "payment_source_token", "id"],
                        name="customer_pa_mode_87c56f_idx",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="customerpaymentsource_mode_known",
                        violation_error_message="must be test or live",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OrderSubscription",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "number",
                    models.CharField(
                        default=customers.models.orders.new_number, editable=False, max_length=64
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("inactive", "Inactive"),
                            ("active", "Active"),
                            ("running", "Running"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=20,
                    ),
                ),
                (
                    "frequency",
                    models.CharField(
                        max_length=255,
                        validators=[customers.models.order_subscriptions.validate_frequency],
                    ),
                ),
                ("activate_by_source_order", models.BooleanField(default=True, null=True)),
                ("place_target_order", models.BooleanField(default=True, null=True)),
                (
                    "renewal_alert_period",
                    models.PositiveIntegerField(blank=True, default=1, null=True),
                ),
                (
                    "starts_at",
                    customers.models.fields.InstantField(
                        blank=True, default=django.utils.timezone.now, null=True
                    ),
                ),
                ("expires_at", customers.models.fields.InstantField(blank=True, null=True)),
                ("last_run_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("next_run_at", customers.models.fields.InstantField(blank=True, null=True)),
                ("occurrencies", models.PositiveIntegerField(default=0, editable=False)),
                ("errors_count", models.PositiveIntegerField(default=0, editable=False)),
                ("succeeded_on_last_run", models.BooleanField(editable=False, null=True)),
                ("options", customers.models.fields.JsonField(blank=True, default=dict)),
                (
                    "customer",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="order_subscriptions",
                        to="customers.customer",
                    ),
                ),
                (
                    "customer_payment_source",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="customers.customerpaymentsource",
                    ),
                ),
                (
                    "tags",
                    models.ManyToManyField(
                        blank=True, related_name="order_subscriptions", to="customers.tag"
                    ),
                ),
            ],
            options={
                "verbose_name": "order subscription",
                "db_table": "order_subscriptions",
                "ordering": ["id"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "number",
                    models.CharField(default=customers.models.orders.new_number, max_length=64),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("pending", "Pending"),
                            ("editing", "Editing"),
                            ("placing", "Placing"),
                            ("placed", "Placed"),
                            ("approved", "Approved"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=20,
                    ),
                ),
                (
                    "payment_status",
                    models.CharField(
                        choices=[
                            ("unpaid", "Unpaid"),
                            ("authorized", "Authorized"),
                            ("partially_authorized", "Partially authorized"),
                            ("paid", "Paid"),
                            ("partially_paid", "Partially paid"),
                            ("voided", "Voided"),
                            ("partially_voided", "Partially voided"),
                            ("refunded", "Refunded"),
                            ("partially_refunded", "Partially refunded"),
                            ("free", "Free"),
                        ],
                        default="unpaid",
                        max_length=24,
                    ),
                ),
                (
                    "fulfillment_status",
                    models.CharField(
                        choices=[
                            ("unfulfilled", "Unfulfilled"),
                            ("in_progress", "In progress"),
                            ("fulfilled", "Fulfilled"),
                            ("not_required", "Not required"),
                        ],
                        default="unfulfilled",
                        max_length=24,
                    ),
                ),
                ("guest", models.BooleanField(default=False)),
                (
                    "language_code",
                    models.CharField(blank=True, default="en", max_length=16, null=True),
                ),
                (
                    "currency_code",
                    models.CharField(
                        blank=True,
                        max_length=3,
                        null=True,
                        validators=[customers.models.money.validate_currency_code],
                    ),
                ),
                ("coupon_code", models.CharField(blank=True, max_length=255, null=True)),
                ("subtotal_amount_cents", customers.models.money.CentsField(blank=True, null=True)),
                ("shipping_amount_cents", customers.models.money.CentsField(blank=True, null=True)),
                ("discount_amount_cents", customers.models.money.CentsField(blank=True, null=True)),
                (
                    "total_tax_amount_cents",
                    customers.models.money.CentsField(blank=True, null=True),
                ),
                ("total_amount_cents", customers.models.money.CentsField(blank=True, null=True)),
                (
                    "total_amount_with_taxes_cents",
                    customers.models.money.CentsField(blank=True, null=True),
                ),
                ("skus_count", models.PositiveIntegerField(blank=True, null=True)),
                ("placed_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("approved_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("cancelled_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("archived_at", customers.models.fields.InstantField(editable=False, null=True)),
                (
                    "billing_address",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.address",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orders",
                        to="customers.customer",
                    ),
                ),
                (
                    "shipping_address",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.address",
                    ),
                ),
                (
                    "order_subscription",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orders",
                        to="customers.ordersubscription",
                    ),
                ),
                (
                    "tags",
                    models.ManyToManyField(blank=True, related_name="orders", to="customers.tag"),
                ),
            ],
            options={
                "db_table": "orders",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="order_by_id"),
                    models.Index(fields=["mode", "-created_at", "id"], name="order_created"),
                    models.Index(fields=["mode", "-updated_at", "id"], name="order_updated"),
                    models.Index(fields=["mode", "reference", "id"], name="order_ref"),
                    models.Index(fields=["mode", "reference_origin", "id"], name="order_origin"),
                    customers.models.indexes.Contained(fields=["metadata"], name="order_metadata"),
                    models.Index(fields=["mode", "guest", "id"], name="orders_mode_c9f04e_idx"),
                    models.Index(
                        fields=["mode", "language_code", "id"], name="orders_mode_a20ccf_idx"
                    ),
                    models.Index(
                        fields=["mode", "currency_code", "id"], name="orders_mode_816a23_idx"
                    ),
                    models.Index(
                        fields=["mode", "coupon_code", "id"], name="orders_mode_110431_idx"
                    ),
                    models.Index(
                        fields=["mode", "subtotal_amount_cents", "id"],
                        name="orders_mode_4949c7_idx",
                    ),
                    models.Index(
                        fields=["mode", "shipping_amount_cents", "id"],
                        name="orders_mode_9118b1_idx",
                    ),
                    models.Index(
                        fields=["mode", "discount_amount_cents", "id"],
                        name="orders_mode_eea574_idx",
                    ),
                    models.Index(
                        fields=["mode", "total_tax_amount_cents", "id"],
                        name="orders_mode_aae88b_idx",
                    ),
                    models.Index(
                        fields=["mode", "status", "-created_at", "id"], name="orders_status"
                    ),
                    models.Index(fields=["mode", "payment_status", "id"], name="orders_payment"),
                    models.Index(
                        fields=["mode", "fulfillment_status", "id"], name="orders_fulfillment"
                    ),
                    models.Index(fields=["mode", "-placed_at", "id"], name="orders_placed"),
                    models.Index(fields=["mode", "-approved_at", "id"], name="orders_approved"),
                    models.Index(fields=["mode", "-cancelled_at", "id"], name="orders_cancelled"),
                    models.Index(fields=["mode", "-archived_at", "id"], name="orders_archived"),
                    models.Index(fields=["mode", "total_amount_cents", "id"], name="orders_total"),
                    customers.models.indexes.Tallied(
                        fields=["mode", "status"], name="orders_tallied"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="order_mode_known",
                        violation_error_message="must be test or live",
                    ),
                    models.UniqueConstraint(
                        fields=("mode", "number"),
                        name="orders_number_unique",
                        violation_error_code="taken",
                        violation_error_message="has already been taken",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("placed_at__isnull", False), ("status__in", ["placed", "approved"])
                            ),
                            models.Q(("status__in", ["placed", "approved"]), _negated=True),
                            _connector="OR",
                        ),
                        name="orders_placed_is_dated",
                        violation_error_message="must be dated",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="QueuedMail",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(choices=[("test", "Test"), ("live", "Live")], max_length=4),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("password_reset", "Password reset"),
                            ("invitation", "Invitation"),
                            ("password_changed", "Password changed"),
                            ("webhook_failing", "Webhook failing"),
                        ],
                        max_length=32,
                    ),
                ),
                ("email", models.CharField(max_length=254)),
                ("who", customers.models.fields.JsonField(null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                (
                    "try_at",
                    customers.models.fields.InstantField(
                        db_index=True, default=django.utils.timezone.now
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "db_table": "queued_mails",
            },
        ),
        migrations.CreateModel(
            name="Return",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "number",
                    models.CharField(
                        default=customers.models.orders.new_number, editable=False, max_length=64
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("requested", "Requested"),
                            ("approved", "Approved"),
                            ("cancelled", "Cancelled"),
                            ("shipped", "Shipped"),
                            ("rejected", "Rejected"),
                            ("received", "Received"),
                            ("refunded", "Refunded"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=20,
                    ),
                ),
                ("skus_count", models.PositiveIntegerField(editable=False, null=True)),
                (
                    "estimated_refund_amount_cents",
                    customers.models.money.CentsField(blank=True, editable=False, null=True),
                ),
                ("approved_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("cancelled_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("shipped_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("rejected_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("received_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("refunded_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("archived_at", customers.models.fields.InstantField(editable=False, null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="returns",
                        to="customers.customer",
                    ),
                ),
                (
                    "destination_address",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.address",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="returns",
                        to="customers.order",
                    ),
                ),
                (
                    "origin_address",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.address",
                    ),
                ),
                (
                    "tags",
                    models.ManyToManyField(blank=True, related_name="returns", to="customers.tag"),
                ),
            ],
            options={
                "db_table": "returns",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="return_by_id"),
                    models.Index(fields=["mode", "-created_at", "id"], name="return_created"),
                    models.Index(fields=["mode", "-updated_at", "id"], name="return_updated"),
                    models.Index(fields=["mode", "reference", "id"], name="return_ref"),
                    models.Index(fields=["mode", "reference_origin", "id"], name="return_origin"),
                    customers.models.indexes.Contained(fields=["metadata"], name="return_metadata"),
                    models.Index(fields=["mode", "status", "id"], name="returns_mode_1f8e27_idx"),
                    models.Index(
                        fields=["mode", "skus_count", "id"], name="returns_mode_66b3a1_idx"
                    ),
                    models.Index(
                        fields=["mode", "approved_at", "id"], name="returns_mode_bbb9ac_idx"
                    ),
                    models.Index(
                        fields=["mode", "cancelled_at", "id"], name="returns_mode_e87b70_idx"
                    ),
                    models.Index(
                        fields=["mode", "shipped_at", "id"], name="returns_mode_ab7001_idx"
                    ),
                    models.Index(
                        fields=["mode", "rejected_at", "id"], name="returns_mode_ed19b1_idx"
                    ),
                    models.Index(
                        fields=["mode", "received_at", "id"], name="returns_mode_9662db_idx"
                    ),
                    models.Index(
                        fields=["mode", "refunded_at", "id"], name="returns_mode_b482a7_idx"
                    ),
                    models.Index(
                        fields=["mode", "archived_at", "id"], name="returns_mode_a07081_idx"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="return_mode_known",
                        violation_error_message="must be test or live",
                    ),
                    models.UniqueConstraint(
                        fields=("mode", "number"),
                        name="returns_number_unique",
                        violation_error_code="taken",
                        violation_error_message="has already been taken",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RevokedToken",
            fields=[
                (
                    "jti",
                    models.CharField(
                        max_length=64, primary_key=True, serialize=False, verbose_name="token id"
                    ),
                ),
                ("expires_at", customers.models.fields.InstantField(db_index=True)),
            ],
            options={
                "db_table": "revoked_tokens",
            },
        ),
        migrations.CreateModel(
            name="Segment",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(choices=[("test", "Test"), ("live", "Live")], max_length=4),
                ),
                ("name", models.CharField(max_length=40)),
                ("shared", models.BooleanField(default=False)),
                ("filters", customers.models.fields.JsonField(default=list)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="segments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "segments",
                "ordering": ["name", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("mode", "owner", "name"),
                        name="segments_name_unique",
                        violation_error_message="You have a segment of this name already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Application",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("integration", "Integration"),
                            ("sales_channel", "Sales channel"),
                        ],
                        default="integration",
                        max_length=20,
                    ),
                ),
                ("client_id", models.CharField(editable=False, max_length=64, unique=True)),
                ("secret_digest", models.CharField(editable=False, max_length=64, null=True)),
                ("read_only", models.BooleanField(default=False)),
                ("token_generation", models.PositiveIntegerField(default=0, editable=False)),
            ],
            options={
                "db_table": "applications",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="application_by_id"),
                    models.Index(fields=["mode", "-created_at", "id"], name="application_created"),
                    models.Index(fields=["mode", "-updated_at", "id"], name="application_updated"),
                    models.Index(fields=["mode", "reference", "id"], name="application_ref"),
                    models.Index(
                        fields=["mode", "reference_origin", "id"], name="application_origin"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="application_mode_known",
                        violation_error_message="must be test or live",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "integration"), ("secret_digest__isnull", False)),
                            models.Q(
                                ("kind", "sales_channel"),
                                ("read_only", False),
                                ("secret_digest__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="applications_secret_fits_kind",
                        violation_error_message="must be an integration to have a secret or be read-only",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("scope", models.TextField()),
                ("refresh_digest", models.CharField(max_length=64)),
                (
                    "created_at",
                    customers.models.fields.InstantField(default=django.utils.timezone.now),
                ),
                ("expires_at", customers.models.fields.InstantField(db_index=True)),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to="customers.application",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "db_table": "sessions",
            },
        ),
        migrations.CreateModel(
            name="SkuList",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                ("slug", models.CharField(editable=False, max_length=255)),
                ("description", models.TextField(blank=True, null=True)),
                (
                    "image_url",
                    models.CharField(
                        blank=True,
                        max_length=2000,
                        null=True,
                        validators=[
                            django.core.validators.URLValidator(
                                ["http", "https"], message="must be a web address (http or https)"
                            )
                        ],
                    ),
                ),
                ("manual", models.BooleanField(default=True)),
                ("sku_code_regex", models.CharField(blank=True, max_length=5000, null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sku_lists",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "SKU list",
                "db_table": "sku_lists",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="skulist_by_id"),
                    models.Index(fields=["mode", "-created_at", "id"], name="skulist_created"),
                    models.Index(fields=["mode", "-updated_at", "id"], name="skulist_updated"),
                    models.Index(fields=["mode", "reference", "id"], name="skulist_ref"),
                    models.Index(fields=["mode", "reference_origin", "id"], name="skulist_origin"),
                    customers.models.indexes.Contained(
                        fields=["metadata"], name="skulist_metadata"
                    ),
                    models.Index(fields=["mode", "name", "id"], name="sku_lists_mode_b3afd1_idx"),
                    models.Index(fields=["mode", "slug", "id"], name="sku_lists_mode_7fa19b_idx"),
                    models.Index(fields=["mode", "manual", "id"], name="sku_lists_mode_e080c3_idx"),
                    customers.models.indexes.Trigrams(fields=["name"], name="sku_lists_name_parts"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="skulist_mode_known",
                        violation_error_message="must be test or live",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SkuListItem",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("position", models.IntegerField(blank=True, null=True)),
                ("sku_code", models.CharField(max_length=255)),
                ("quantity", models.IntegerField(blank=True, default=1, null=True)),
                (
                    "sku_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sku_list_items",
                        to="customers.skulist",
                    ),
                ),
            ],
            options={
                "verbose_name": "SKU list item",
                "db_table": "sku_list_items",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="skulistitem_by_id"),
                    models.Index(fields=["mode", "-created_at", "id"], name="skulistitem_created"),
                    models.Index(fields=["mode", "-updated_at", "id"], name="skulistitem_updated"),
                    models.Index(fields=["mode", "reference", "id"], name="skulistitem_ref"),
                    models.Index(
                        fields=["mode", "reference_origin", "id"], name="skulistitem_origin"
                    ),
                    models.Index(
                        fields=["mode", "position", "id"], name="sku_list_it_mode_ba7671_idx"
                    ),
                    models.Index(
                        fields=["mode", "sku_code", "id"], name="sku_list_it_mode_ccd702_idx"
                    ),
                    models.Index(
                        fields=["mode", "quantity", "id"], name="sku_list_it_mode_83021a_idx"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="skulistitem_mode_known",
                        violation_error_message="must be test or live",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("quantity", None), ("quantity__gte", 1), _connector="OR"
                        ),
                        name="sku_list_items_quantity_positive",
                        violation_error_code="greater_than_or_equal_to",
                        violation_error_message="must be greater than or equal to 1",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Upload",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(choices=[("test", "Test"), ("live", "Live")], max_length=4),
                ),
                ("text", models.TextField()),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        db_index=True, default=django.utils.timezone.now
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "uploads",
            },
        ),
        migrations.CreateModel(
            name="Webhook",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=255, null=True)),
                (
                    "topic",
                    models.CharField(
                        max_length=64, validators=[customers.models.webhooks.validate_topic]
                    ),
                ),
                ("callback_url", models.CharField(max_length=2000, verbose_name="callback URL")),
                (
                    "include_resources",
                    customers.models.fields.JsonField(
                        blank=True,
                        default=list,
                        null=True,
                        validators=[customers.models.webhooks.validate_paths],
                    ),
                ),
                (
                    "shared_secret",
                    models.CharField(
                        default=customers.models.webhooks.new_secret, editable=False, max_length=64
                    ),
                ),
                ("disabled_at", customers.models.fields.InstantField(editable=False, null=True)),
                (
                    "circuit_state",
                    models.CharField(
                        choices=[("closed", "Closed"), ("open", "Open")],
                        default="closed",
                        editable=False,
                        max_length=6,
                    ),
                ),
                ("circuit_failure_count", models.PositiveIntegerField(default=0, editable=False)),
            ],
            options={
                "db_table": "webhooks",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="webhook_by_id"),
                    models.Index(fields=["mode", "-created_at", "id"], name="webhook_created"),
                    models.Index(fields=["mode", "-updated_at", "id"], name="webhook_updated"),
                    models.Index(fields=["mode", "reference", "id"], name="webhook_ref"),
                    models.Index(fields=["mode", "reference_origin", "id"], name="webhook_origin"),
                    models.Index(fields=["mode", "topic", "id"], name="webhooks_mode_6264b1_idx"),
                    models.Index(
                        fields=["mode", "disabled_at", "id"], name="webhooks_mode_d771f8_idx"
                    ),
                    models.Index(
                        fields=["mode", "circuit_state", "id"], name="webhooks_mode_a27874_idx"
                    ),
                    models.Index(
                        fields=["mode", "circuit_failure_count", "id"],
                        name="webhooks_mode_2a102a_idx",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="webhook_mode_known",
                        violation_error_message="must be test or live",
                    ),
                    models.UniqueConstraint(
                        fields=("mode", "name"),
                        name="webhooks_name_unique",
                        violation_error_code="taken",
                        violation_error_message="has already been taken",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BulkChunk",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("customer_ids", customers.models.fields.JsonField()),
                (
                    "bulk_act",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="customers.bulkact",
                    ),
                ),
            ],
            options={
                "db_table": "bulk_chunks",
            },
        ),
        migrations.CreateModel(
            name="CustomerAddress",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "address",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="customer_addresses",
                        to="customers.address",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="customer_addresses",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "customer address",
                "verbose_name_plural": "customer addresses",
                "db_table": "customer_addresses",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="customeraddress_by_id"),
                    models.Index(
                        fields=["mode", "-created_at", "id"], name="customeraddress_created"
                    ),
                    models.Index(
                        fields=["mode", "-updated_at", "id"], name="customeraddress_updated"
                    ),
                    models.Index(fields=["mode", "reference", "id"], name="customeraddress_ref"),
                    models.Index(
                        fields=["mode", "reference_origin", "id"], name="customeraddress_origin"
                    ),
                    customers.models.indexes.Contained(
                        fields=["metadata"], name="customeraddress_metadata"
                    ),
                    customers.models.indexes.Tallied(
                        fields=["mode"], name="customer_addresses_tallied"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="customeraddress_mode_known",
                        violation_error_message="must be test or live",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                ("description", models.TextField(blank=True, null=True)),
                (
                    "url",
                    models.CharField(
                        blank=True,
                        max_length=2000,
                        null=True,
                        validators=[
                            django.core.validators.URLValidator(
                                ["http", "https"], message="must be a web address (http or https)"
                            )
                        ],
                        verbose_name="URL",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="customers.customer",
                    ),
                ),
                (
                    "customer_group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="customers.customergroup",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="customers.order",
                    ),
                ),
                (
                    "order_return",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="customers.return",
                    ),
                ),
                (
                    "sku_list",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="customers.skulist",
                    ),
                ),
            ],
            options={
                "db_table": "attachments",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="attachment_by_id"),
                    models.Index(fields=["mode", "-created_at", "id"], name="attachment_created"),
                    models.Index(fields=["mode", "-updated_at", "id"], name="attachment_updated"),
                    models.Index(fields=["mode", "reference", "id"], name="attachment_ref"),
                    models.Index(
                        fields=["mode", "reference_origin", "id"], name="attachment_origin"
                    ),
                    models.Index(fields=["mode", "name", "id"], name="attachments_mode_169898_idx"),
                    customers.models.indexes.Trigrams(
                        fields=["name"], name="attachments_name_parts"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="attachment_mode_known",
                        violation_error_message="must be test or live",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("customer__isnull", False),
                                ("customer_group__isnull", True),
                                ("order__isnull", True),
                                ("order_return__isnull", True),
                                ("sku_list__isnull", True),
                            ),
                            models.Q(
                                ("customer__isnull", True),
                                ("customer_group__isnull", False),
                                ("order__isnull", True),
                                ("order_return__isnull", True),
                                ("sku_list__isnull", True),
                            ),
                            models.Q(
                                ("customer__isnull", True),
                                ("customer_group__isnull", True),
                                ("order__isnull", False),
                                ("order_return__isnull", True),
                                ("sku_list__isnull", True),
                            ),
                            models.Q(
                                ("customer__isnull", True),
                                ("customer_group__isnull", True),
                                ("order__isnull", True),
                                ("order_return__isnull", False),
                                ("sku_list__isnull", True),
                            ),
                            models.Q(
                                ("customer__isnull", True),
                                ("customer_group__isnull", True),
                                ("order__isnull", True),
                                ("order_return__isnull", True),
                                ("sku_list__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="attachments_attached_to_one",
                        violation_error_message="must be attached to one resource",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomerPasswordReset",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("token_digest", models.CharField(editable=False, max_length=64, null=True)),
                ("expires_at", customers.models.fields.InstantField(editable=False)),
                (
                    "reset_password_at",
                    customers.models.fields.InstantField(editable=False, null=True),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="customer_password_resets",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "password reset",
                "db_table": "customer_password_resets",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="customerpasswordreset_by_id"),
                    models.Index(
                        fields=["mode", "-created_at", "id"], name="customerpasswordreset_created"
                    ),
                    models.Index(
                        fields=["mode", "-updated_at", "id"], name="customerpasswordreset_updated"
                    ),
                    models.Index(
                        fields=["mode", "reference", "id"], name="customerpasswordreset_ref"
                    ),
                    models.Index(
                        fields=["mode", "reference_origin", "id"],
                        name="customerpasswordreset_origin",
                    ),
                    customers.models.indexes.Contained(
                        fields=["metadata"], name="customerpasswordreset_metadata"
                    ),
                    models.Index(
                        fields=["mode", "reset_password_at", "id"],
                        name="customer_pa_mode_ffd66f_idx",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="customerpasswordreset_mode_known",
                        violation_error_message="must be test or live",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomerSubscription",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="customer_subscriptions",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "customer subscription",
                "db_table": "customer_subscriptions",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="customersubscription_by_id"),
                    models.Index(
                        fields=["mode", "-created_at", "id"], name="customersubscription_created"
                    ),
                    models.Index(
                        fields=["mode", "-updated_at", "id"], name="customersubscription_updated"
                    ),
                    models.Index(
                        fields=["mode", "reference", "id"], name="customersubscription_ref"
                    ),
                    models.Index(
                        fields=["mode", "reference_origin", "id"],
                        name="customersubscription_origin",
                    ),
                    customers.models.indexes.Contained(
                        fields=["metadata"], name="customersubscription_metadata"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="customersubscription_mode_known",
                        violation_error_message="must be test or live",
                    ),
                    models.UniqueConstraint(
                        fields=("mode", "customer", "reference"),
                        name="customer_subscriptions_reference_unique",
                        violation_error_code="taken",
                        violation_error_message="has already been taken",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reference__gt", "")),
                        name="customer_subscriptions_reference_given",
                        violation_error_code="blank",
                        violation_error_message="can't be blank",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("name", models.CharField(max_length=64)),
                ("resource_type", models.CharField(max_length=32)),
                ("resource_id", customers.models.fields.IdField(max_length=16)),
                ("waiting", models.BooleanField(default=True, editable=False)),
            ],
            options={
                "db_table": "events",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="event_by_id"),
                    models.Index(fields=["mode", "-created_at", "id"], name="event_created"),
                    models.Index(fields=["mode", "-updated_at", "id"], name="event_updated"),
                    models.Index(fields=["mode", "reference", "id"], name="event_ref"),
                    models.Index(fields=["mode", "reference_origin", "id"], name="event_origin"),
                    models.Index(fields=["resource_id", "id"], name="events_of_resource"),
                    models.Index(fields=["mode", "name", "id"], name="events_by_name"),
                    models.Index(
                        condition=models.Q(("waiting", True)), fields=["id"], name="events_waiting"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="event_mode_known",
                        violation_error_message="must be test or live",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("try_at", customers.models.fields.InstantField(default=django.utils.timezone.now)),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="customers.event",
                    ),
                ),
                (
                    "webhook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="customers.webhook",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "db_table": "deliveries",
                "indexes": [models.Index(fields=["webhook", "try_at"], name="deliveries_due")],
            },
        ),
        migrations.CreateModel(
            name="EventCallback",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("callback_url", models.CharField(max_length=2000, verbose_name="callback URL")),
                ("payload", customers.models.fields.JsonField(null=True)),
                ("response_code", models.CharField(max_length=3, null=True)),
                ("response_message", models.CharField(max_length=255, null=True)),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="last_event_callbacks",
                        to="customers.event",
                    ),
                ),
                (
                    "webhook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="last_event_callbacks",
                        to="customers.webhook",
                    ),
                ),
            ],
            options={
                "verbose_name": "event callback",
                "db_table": "event_callbacks",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="eventcallback_by_id"),
                    models.Index(
                        fields=["mode", "-created_at", "id"], name="eventcallback_created"
                    ),
                    models.Index(
                        fields=["mode", "-updated_at", "id"], name="eventcallback_updated"
                    ),
                    models.Index(fields=["mode", "reference", "id"], name="eventcallback_ref"),
                    models.Index(
                        fields=["mode", "reference_origin", "id"], name="eventcallback_origin"
                    ),
                    models.Index(
                        fields=["mode", "response_code", "id"], name="event_callb_mode_7cfd54_idx"
                    ),
                    models.Index(
                        fields=["mode", "response_message", "id"],
                        name="event_callb_mode_9369dd_idx",
                    ),
                    models.Index(
                        fields=["mode", "callback_url", "id"], name="event_callb_mode_be4a4c_idx"
                    ),
                    models.Index(fields=["created_at"], name="event_callbacks_by_age"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="eventcallback_mode_known",
                        violation_error_message="must be test or live",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EventStore",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("resource_type", models.CharField(max_length=32)),
                ("resource_id", customers.models.fields.IdField(max_length=16)),
                ("customer_id", customers.models.fields.IdField(max_length=16, null=True)),
                ("event", models.CharField(max_length=16)),
                ("payload", customers.models.fields.JsonField(default=dict)),
                ("who", customers.models.fields.JsonField(null=True)),
            ],
            options={
                "verbose_name": "event store",
                "db_table": "event_stores",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["resource_id", "id"], name="event_stores_of_resource"),
                    models.Index(
                        condition=models.Q(("customer_id__isnull", False)),
                        fields=["customer_id"],
                        name="event_stores_of_customer",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="eventstore_mode_known",
                        violation_error_message="must be test or live",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("test", "Test"), ("live", "Live")], default="test", max_length=4
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("reference_origin", models.CharField(blank=True, max_length=255, null=True)),
                ("metadata", customers.models.fields.MetadataField(blank=True, default=dict)),
                (
                    "created_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "updated_at",
                    customers.models.fields.InstantField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
                ("resource_type", models.CharField(max_length=32)),
                (
                    "format",
                    models.CharField(
                        choices=[("json", "JSON"), ("csv", "CSV")], default="json", max_length=4
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("in_progress", "In progress"),
                            ("interrupted", "Interrupted"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        editable=False,
                        max_length=11,
                    ),
                ),
                ("started_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("completed_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("interrupted_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("processed_count", models.PositiveIntegerField(default=0, editable=False)),
                ("errors_count", models.PositiveIntegerField(default=0, editable=False)),
                ("errors_log", customers.models.fields.JsonField(default=dict, editable=False)),
                ("who", customers.models.fields.JsonField(editable=False, null=True)),
                ("failures", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("try_at", customers.models.fields.InstantField(editable=False, null=True)),
                ("filters", customers.models.fields.JsonField(blank=True, default=dict, null=True)),
                (
                    "includes",
                    customers.models.fields.JsonField(blank=True, default=list, null=True),
                ),
                ("fields", customers.models.fields.JsonField(blank=True, default=list, null=True)),
                ("jwt_filters", models.BooleanField(default=False)),
                ("dry_data", models.BooleanField(default=False)),
                ("records_count", models.PositiveIntegerField(editable=False)),
                (
                    "last_id",
                    customers.models.fields.IdField(default="", editable=False, max_length=16),
                ),
                ("has_file", models.BooleanField(default=False, editable=False)),
            ],
            options={
                "db_table": "exports",
                "ordering": ["id"],
                "abstract": False,
                "indexes": [
                    models.Index(fields=["mode", "id"], name="export_by_id"),
                    models.Index(fields=["mode", "-created_at", "id"], name="export_created"),
                    models.Index(fields=["mode", "-updated_at", "id"], name="export_updated"),
                    models.Index(fields=["mode", "reference", "id"], name="export_ref"),
                    models.Index(fields=["mode", "reference_origin", "id"], name="export_origin"),
                    models.Index(
                        condition=models.Q(("status__in", ["pending", "in_progress"])),
                        fields=["id"],
                        name="export_open",
                    ),
                    models.Index(
                        fields=["mode", "resource_type", "id"], name="exports_mode_2848d6_idx"
                    ),
                    models.Index(fields=["mode", "format", "id"], name="exports_mode_ea8b2c_idx"),
                    models.Index(fields=["mode", "status", "id"], name="exports_mode_eef0e2_idx"),
                    models.Index(
                        fields=["mode", "processed_count", "id"], name="exports_mode_3260aa_idx"
                    ),
                    models.Index(
                        fields=["mode", "errors_count", "id"], name="exports_mode_3e52f7_idx"
                    ),
                    models.Index(
                        fields=["mode", "started_at", "id"], name="exports_mode_6e6afa_idx"
                    ),
                    models.Index(
                        fields=["mode", "completed_at", "id"], name="exports_mode_e47ba0_idx"
                    ),
                    models.Index(
                        fields=["mode", "interrupted_at", "id"], name="exports_mode_a9363a_idx"
                    ),
                    models.Index(
                        fields=["mode", "records_count", "id"], name="exports_mode_03631c_idx"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["test", "live"])),
                        name="export_mode_known",
                        violation_error_message="must be test or live",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ExportPart",
            fields=[
                (
                    "id",
                    customers.models.fields.IdField(
                        default=customers.models.fields.new_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("content", models.BinaryField()),
                (
                    "of",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="customers.export",
                    ),
                ),
            ],
            options={
                "db_table": "export_parts",
            },
        ),
        migrations.CreateModel(
            name="ImportInputs",
            fields=[
                (
                    "of",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="stored_inputs",
                        serialize=False,
                        to="customers.import",
                    ),
                ),
                ("rows", customers.models.fields.JsonField()),
                ("numbers", customers.models.fields.JsonField(null=True)),
            ],
            options={
                "verbose_name_plural": "import inputs",
                "db_table": "import_inputs",
            },
        ),
        migrations.AddField(
            model_name="ordersubscription",
            name="source_order",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="order_subscriptions",
                to="customers.order",
            ),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=models.Index(fields=["mode", "id"], name="ordersubscription_by_id"),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=models.Index(
                fields=["mode", "-created_at", "id"], name="ordersubscription_created"
            ),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=models.Index(
                fields=["mode", "-updated_at", "id"], name="ordersubscription_updated"
            ),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=models.Index(fields=["mode", "reference", "id"], name="ordersubscription_ref"),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=models.Index(
                fields=["mode", "reference_origin", "id"], name="ordersubscription_origin"
            ),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=customers.models.indexes.Contained(
                fields=["metadata"], name="ordersubscription_metadata"
            ),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=models.Index(fields=["mode", "status", "id"], name="order_subsc_mode_5818df_idx"),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=models.Index(
                fields=["mode", "frequency", "id"], name="order_subsc_mode_867711_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=models.Index(
                fields=["mode", "starts_at", "id"], name="order_subsc_mode_f17f62_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=models.Index(
                fields=["mode", "expires_at", "id"], name="order_subsc_mode_a86d9a_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=models.Index(
                fields=["mode", "last_run_at", "id"], name="order_subsc_mode_9a7376_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=models.Index(
                fields=["mode", "next_run_at", "id"], name="order_subsc_mode_7c7043_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=models.Index(
                fields=["mode", "occurrencies", "id"], name="order_subsc_mode_8814ae_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=models.Index(
                fields=["mode", "errors_count", "id"], name="order_subsc_mode_28094a_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=models.Index(
                fields=["mode", "succeeded_on_last_run", "id"], name="order_subsc_mode_16f1db_idx"
            ),
        ),
        migrations.AddConstraint(
            model_name="ordersubscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode__in", ["test", "live"])),
                name="ordersubscription_mode_known",
                violation_error_message="must be test or live",
            ),
        ),
        migrations.AddConstraint(
            model_name="ordersubscription",
            constraint=models.UniqueConstraint(
                fields=("mode", "number"),
                name="order_subscriptions_number_unique",
                violation_error_code="taken",
                violation_error_message="has already been taken",
            ),
        ),
        migrations.AddConstraint(
            model_name="ordersubscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expires_at", None),
                    ("starts_at", None),
                    ("expires_at__gt", models.F("starts_at")),
                    _connector="OR",
                ),
                name="order_subscriptions_expire_after_start",
                violation_error_message="must expire after it starts",
            ),
        ),
    ]
