"""What is true: one model a file. This module is the only door to them."""

from customers.models.addresses import Address, address_foreign_keys
from customers.models.applications import Application, digest
from customers.models.attachments import Attachment
from customers.models.base import (
    CustomerOwned,
    DeletionRefusedError,
    Mode,
    Resource,
    ResourceQuerySet,
    bulk_insert,
    optional_codes,
)
from customers.models.bulk_acts import BulkAct, BulkChunk
from customers.models.callback_headers import validate_callback_headers
from customers.models.column_types import (
    COLUMN_TYPES,
    ColumnType,
    UnknownColumnTypeError,
    column_kind,
    column_type_of,
)
from customers.models.counters import Counter
from customers.models.customer_addresses import CustomerAddress
from customers.models.customer_groups import CustomerGroup
from customers.models.customer_password_resets import (
    RESET_TOKEN_LENGTH,
    CustomerPasswordReset,
)
from customers.models.customer_payment_sources import CustomerPaymentSource
from customers.models.customer_subscriptions import CustomerSubscription
from customers.models.customers import Customer, new_reference
from customers.models.deliveries import Delivery
from customers.models.emails import (
    EmailKeyField,
    address_spellings,
    collisions,
    email_key,
    stale_keys,
    validate_email_address,
    with_ascii_domain,
)
from customers.models.event_callbacks import EventCallback
from customers.models.event_stores import EventStore
from customers.models.events import TOPICS, Event
from customers.models.export_parts import ExportPart
from customers.models.exports import Export
from customers.models.idempotent_answers import IdempotentAnswer
from customers.models.import_inputs import ImportInputs
from customers.models.imports import Import, Job
from customers.models.money import formatted
from customers.models.order_subscriptions import OrderSubscription
from customers.models.orders import Order
from customers.models.organizations import Organization
from customers.models.queued_mails import QueuedMail
from customers.models.restored_copies import RestoredCopy
from customers.models.returns import Return
from customers.models.revoked_tokens import RevokedToken
from customers.models.segments import Segment
from customers.models.sessions import Session
from customers.models.sku_list_items import SkuListItem
from customers.models.sku_lists import SkuList
from customers.models.staff_preferences import StaffPreference
from customers.models.tags import Tag
from customers.models.timelines import Timeline
from customers.models.transitions import Move, Transitional, TransitionError
from customers.models.uploads import Upload
from customers.models.ways import (
    all_models,
    customer_paths,
    goes_with_customer,
    id_columns,
    is_way,
    models_by_type,
    owned_rows,
)
from customers.models.webhooks import Webhook, new_secret, validate_paths
from customers.models.worker_heartbeats import WorkerHeartbeat

__all__ = [
    "COLUMN_TYPES",
    "RESET_TOKEN_LENGTH",
    "TOPICS",
    "Address",
    "Application",
    "Attachment",
    "BulkAct",
    "BulkChunk",
    "ColumnType",
    "Counter",
    "Customer",
    "CustomerAddress",
    "CustomerGroup",
    "CustomerOwned",
    "CustomerPasswordReset",
    "CustomerPaymentSource",
    "CustomerSubscription",
    "DeletionRefusedError",
    "Delivery",
    "EmailKeyField",
    "Event",
    "EventCallback",
    "EventStore",
    "Export",
    "ExportPart",
    "IdempotentAnswer",
    "Import",
    "ImportInputs",
    "Job",
    "Mode",
    "Move",
    "Order",
    "OrderSubscription",
    "Organization",
    "QueuedMail",
    "Resource",
    "ResourceQuerySet",
    "RestoredCopy",
    "Return",
    "RevokedToken",
    "Segment",
    "Session",
    "SkuList",
    "SkuListItem",
    "StaffPreference",
    "Tag",
    "Timeline",
    "TransitionError",
    "Transitional",
    "UnknownColumnTypeError",
    "Upload",
    "Webhook",
    "WorkerHeartbeat",
    "address_foreign_keys",
    "address_spellings",
    "all_models",
    "bulk_insert",
    "collisions",
    "column_kind",
    "column_type_of",
    "customer_paths",
    "digest",
    "email_key",
    "formatted",
    "goes_with_customer",
    "id_columns",
    "is_way",
    "models_by_type",
    "new_reference",
    "new_secret",
    "optional_codes",
    "owned_rows",
    "stale_keys",
    "validate_callback_headers",
    "validate_email_address",
    "validate_paths",
    "with_ascii_domain",
]
