"""The list of types: nothing is on the wire that is not in it."""

from django.urls import path

from customers.api.downloads import job_file
from customers.api.personal_data import PersonalDataView
from customers.api.router import Router
from customers.jobs import exports, imports
from customers.resources.addresses import AddressViewSet
from customers.resources.applications import ApplicationViewSet
from customers.resources.attachments import AttachmentViewSet
from customers.resources.customer_addresses import CustomerAddressViewSet
from customers.resources.customer_groups import CustomerGroupViewSet
from customers.resources.customer_password_resets import CustomerPasswordResetViewSet
from customers.resources.customer_payment_sources import CustomerPaymentSourceViewSet
from customers.resources.customer_subscriptions import CustomerSubscriptionViewSet
from customers.resources.customers import CustomerViewSet
from customers.resources.event_callbacks import EventCallbackViewSet
from customers.resources.event_stores import EventStoreViewSet
from customers.resources.events import EventViewSet
from customers.resources.exports import ExportViewSet
from customers.resources.imports import ImportViewSet
from customers.resources.order_subscriptions import OrderSubscriptionViewSet
from customers.resources.orders import OrderViewSet
from customers.resources.organizations import OrganizationViewSet
from customers.resources.returns import ReturnViewSet
from customers.resources.sku_list_items import SkuListItemViewSet
from customers.resources.sku_lists import SkuListViewSet
from customers.resources.tags import TagViewSet
from customers.resources.webhooks import WebhookViewSet

router = Router()
router.register(CustomerViewSet)
router.register(CustomerGroupViewSet)
router.register(CustomerAddressViewSet)
router.register(AddressViewSet)
router.register(CustomerPaymentSourceViewSet)
router.register(CustomerSubscriptionViewSet)
router.register(CustomerPasswordResetViewSet)
router.register(OrderViewSet)
router.register(OrderSubscriptionViewSet)
router.register(ReturnViewSet)
router.register(SkuListViewSet)
router.register(SkuListItemViewSet)
router.register(AttachmentViewSet)
router.register(TagViewSet)
router.register(EventViewSet)
router.register(WebhookViewSet)
router.register(ImportViewSet)
router.register(ExportViewSet)
router.register(EventCallbackViewSet)
router.register(EventStoreViewSet)
router.register(OrganizationViewSet)
router.register(ApplicationViewSet)

urlpatterns = [
    path("exports/files/<str:signed>", job_file, {"service": exports}),
    path("imports/files/<str:signed>", job_file, {"service": imports}),
    path("customers/<str:pk>/personal_data", PersonalDataView.as_view()),
    *router.urls,
]
