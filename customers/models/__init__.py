"""What is true: one model a file. This module is the only door to them."""

from customers.models.addresses import HOLDERS, Address
from customers.models.applications import Application, digest
from customers.models.attachments import Attachment
from customers.models.base import (
    Kept,
    Mode,
    OfCustomer,
    Resource,
    ResourceQuerySet,
    append,
    new_id,
)
from customers.models.bounds import (
    ByteBudget,
    TooManyBytesError,
    check_json,
    check_size,
    check_text,
    is_long,
    without_long_relatives,
)
from customers.models.bulk_acts import BulkAct, BulkChunk
from customers.models.counters import Counter
from customers.models.customer_addresses import CustomerAddress
from customers.models.customer_groups import CustomerGroup
from customers.models.customer_password_resets import CustomerPasswordReset
from customers.models.customer_payment_sources import CustomerPaymentSource
from customers.models.customer_subscriptions import CustomerSubscription
from customers.models.customers import Customer, new_reference
from customers.models.deliveries import Delivery
from customers.models.emails import (
    collisions,
    email_key,
    spellings,
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
from customers.models.indexes import Trigrams, has_trigrams
from customers.models.lists import Listing, beyond, count, order_of, window
from customers.models.money import formatted
from customers.models.order_subscriptions import OrderSubscription
from customers.models.orders import Order
from customers.models.organizations import Organization
from customers.models.queued_mails import QueuedMail
from customers.models.reading import PRIMARY, REPLICA, from_replica
from customers.models.returns import Return
from customers.models.revoked_tokens import RevokedToken
from customers.models.segments import Segment
from customers.models.sessions import Session
from customers.models.sku_list_items import SkuListItem
from customers.models.sku_lists import SkuList
from customers.models.statements import (
    Question,
    Refuted,
    Slot,
    Statement,
    Uncompilable,
    asked_along,
    execute,
)
from customers.models.tags import Tag
from customers.models.timelines import Timeline
from customers.models.transitions import ForbiddenMove, Transitional
from customers.models.uploads import Upload
from customers.models.webhooks import Webhook, new_secret, validate_paths
from customers.models.worker_heartbeats import WorkerHeartbeat

__all__ = [
    "HOLDERS",
    "PRIMARY",
    "REPLICA",
    "TOPICS",
    "Address",
    "Application",
    "Attachment",
    "BulkAct",
    "BulkChunk",
    "ByteBudget",
    "Counter",
    "Customer",
    "CustomerAddress",
    "CustomerGroup",
    "CustomerPasswordReset",
    "CustomerPaymentSource",
    "CustomerSubscription",
    "Delivery",
    "Event",
    "EventCallback",
    "EventStore",
    "Export",
    "ExportPart",
    "ForbiddenMove",
    "IdempotentAnswer",
    "Import",
    "ImportInputs",
    "Job",
    "Kept",
    "Listing",
    "Mode",
    "OfCustomer",
    "Order",
    "OrderSubscription",
    "Organization",
    "Question",
    "QueuedMail",
    "Refuted",
    "Resource",
    "ResourceQuerySet",
    "Return",
    "RevokedToken",
    "Segment",
    "Session",
    "SkuList",
    "SkuListItem",
    "Slot",
    "Statement",
    "Tag",
    "Timeline",
    "TooManyBytesError",
    "Transitional",
    "Trigrams",
    "Uncompilable",
    "Upload",
    "Webhook",
    "WorkerHeartbeat",
    "append",
    "asked_along",
    "beyond",
    "check_json",
    "check_size",
    "check_text",
    "collisions",
    "count",
    "digest",
    "email_key",
    "execute",
    "formatted",
    "from_replica",
    "has_trigrams",
    "is_long",
    "new_id",
    "new_reference",
    "new_secret",
    "order_of",
    "spellings",
    "stale_keys",
    "validate_email_address",
    "validate_paths",
    "window",
    "with_ascii_domain",
    "without_long_relatives",
]
