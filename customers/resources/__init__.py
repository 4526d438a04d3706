"""The API's language: the list of its types, each in a file of its own.

What is not in the list is not on the wire.
"""

from customers.resources.addresses import AddressType
from customers.resources.applications import ApplicationType
from customers.resources.attachments import AttachmentType
from customers.resources.customer_addresses import CustomerAddressType
from customers.resources.customer_groups import CustomerGroupType
from customers.resources.customer_password_resets import CustomerPasswordResetType
from customers.resources.customer_payment_sources import CustomerPaymentSourceType
from customers.resources.customer_subscriptions import CustomerSubscriptionType
from customers.resources.customers import CustomerType
from customers.resources.event_callbacks import EventCallbackType
from customers.resources.event_stores import EventStoreType
from customers.resources.events import EventType
from customers.resources.exports import ExportType
from customers.resources.imports import ImportType
from customers.resources.order_subscriptions import OrderSubscriptionType
from customers.resources.orders import OrderType
from customers.resources.organizations import OrganizationType
from customers.resources.registry import registry
from customers.resources.returns import ReturnType
from customers.resources.sku_list_items import SkuListItemType
from customers.resources.sku_lists import SkuListType
from customers.resources.tags import TagType
from customers.resources.webhooks import WebhookType

for resource in (
    CustomerType,
    CustomerGroupType,
    CustomerAddressType,
    AddressType,
    CustomerPaymentSourceType,
    CustomerSubscriptionType,
    CustomerPasswordResetType,
    OrderType,
    OrderSubscriptionType,
    ReturnType,
    SkuListType,
    SkuListItemType,
    AttachmentType,
    TagType,
    EventType,
    WebhookType,
    ImportType,
    ExportType,
    EventCallbackType,
    EventStoreType,
    OrganizationType,
    ApplicationType,
):
    registry.register(resource)
