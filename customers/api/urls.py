"""The list of types: nothing is on the wire that is not in it."""

from django.urls import path

from customers.api.downloads import job_file
from customers.api.personal_data import PersonalDataView
from customers.api.resources.addresses import AddressViewSet
from customers.api.resources.applications import ApplicationViewSet
from customers.api.resources.attachments import AttachmentViewSet
from customers.api.resources.customer_addresses import CustomerAddressViewSet
from customers.api.resources.customer_groups import CustomerGroupViewSet
from customers.api.resources.customer_password_resets import CustomerPasswordResetViewSet
from customers.api.resources.customer_payment_sources import CustomerPaymentSourceViewSet
from customers.api.resources.customer_subscriptions import CustomerSubscriptionViewSet
from customers.api.resources.customers import CustomerViewSet
from customers.api.resources.event_callbacks import EventCallbackViewSet
from customers.api.resources.event_stores import EventStoreViewSet
from customers.api.resources.events import EventViewSet
from customers.api.resources.exports import ExportViewSet
from customers.api.resources.imports import ImportViewSet
from customers.api.resources.order_subscriptions import OrderSubscriptionViewSet
from customers.api.resources.orders import OrderViewSet
from customers.api.resources.organizations import OrganizationViewSet
from customers.api.resources.returns import ReturnViewSet
from customers.api.resources.sku_list_items import SkuListItemViewSet
from customers.api.resources.sku_lists import SkuListViewSet
from customers.api.resources.tags import TagViewSet
from customers.api.resources.webhooks import WebhookViewSet
from customers.api.router import Router
from customers.services import exports, imports

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
