"""The stock viewsets, serializers and routes, of the members that BENCHMARK_TYPES names."""

import json
import os
from typing import Any

from django.apps import apps
from django.urls import include, path
from rest_framework import routers
from rest_framework.serializers import HyperlinkedIdentityField
from rest_framework_json_api import serializers, views
from rest_framework_json_api.relations import HyperlinkedRelatedField, ResourceRelatedField

from customers.models import Customer
from deploy.checks.workloads import INCLUDED

TYPES = json.loads(os.environ["BENCHMARK_TYPES"])  # by deploy.checks.twins
MODELS: dict[str, Any] = {model._meta.db_table: model for model in apps.get_models()}


class Link(HyperlinkedRelatedField):
    model = Customer  # some of the relationships are no attribute of the model


def make_serializer(kind: str, included: dict[str, Any]) -> Any:
    """A serializer class of a type with all its links.

    The relationships that `included` maps to serializers have their data, too. Attributes that the
    model does not have, claims of a token, are left out.
    """
    options: dict[str, Any] = {
        "read_only": True,
        "self_link_view_name": f"{kind}-relationships",
        "related_link_view_name": f"{kind}-related",
    }
    members: dict[str, Any] = {
        name: ResourceRelatedField(many=to_many, **options) if name in included else Link(**options)
        for name, to_many in TYPES[kind]["relationships"].items()
    }
    names = [name for name in TYPES[kind]["attributes"] if hasattr(MODELS[kind], name)]
    members["url"] = HyperlinkedIdentityField(view_name=f"{kind}-detail")
    fields = [*names, *members]
    members["Meta"] = type("Meta", (), {"model": MODELS[kind], "fields": fields})
    members["included_serializers"] = included
    return type(f"{MODELS[kind].__name__}Serializer", (serializers.ModelSerializer,), members)


def make_viewset(kind: str, serializer: Any) -> Any:
    """A viewset class of a type."""
    members = {"queryset": MODELS[kind].objects.all(), "serializer_class": serializer}
    return type(f"{MODELS[kind].__name__}ViewSet", (views.ModelViewSet,), members)


SERIALIZERS = {name: make_serializer(kind, {}) for name, kind in INCLUDED.items()}
VIEWSETS = {kind: make_viewset(kind, SERIALIZERS[name]) for name, kind in INCLUDED.items()}
CustomerSerializer: Any = make_serializer("customers", SERIALIZERS)


class CustomerViewSet(views.ModelViewSet):
    queryset = Customer.objects.all()
    serializer_class = CustomerSerializer
    resource_name = "customers"
    filterset_fields = {"email": ["icontains"], "status": ["exact"]}
    ordering_fields = ["created_at"]
    select_for_includes = {"customer_group": ["customer_group"]}
    prefetch_for_includes = {"__all__": ["tags", "orders"]}

    def perform_create(self, serializer: Any) -> None:
        serializer.save(mode="live")  # as all rows are: it lists them together


VIEWSETS["customers"] = CustomerViewSet
router = routers.DefaultRouter(trailing_slash=False)
urlpatterns = []
for kind, viewset in VIEWSETS.items():
    router.register(kind, viewset, kind)
    relationships = views.RelationshipView.as_view(queryset=viewset.queryset)
    related = viewset.as_view({"get": "retrieve_related"})
    row = f"api/{kind}/<pk>"
    urlpatterns += [
        path(f"{row}/relationships/<related_field>", relationships, name=f"{kind}-relationships"),
        path(f"{row}/<related_field>", related, name=f"{kind}-related"),
    ]
urlpatterns.append(path("api/", include(router.urls)))
