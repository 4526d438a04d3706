"""Pages of the console beside those that the admin makes for each type."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.cache import add_never_cache_headers

Actions: TypeAlias = Sequence[str | Callable[..., HttpResponseBase | None]]  # of a list
Pages: TypeAlias = Mapping[str, tuple[str, Callable[..., HttpResponseBase]]]


def paths_of(model_admin: ModelAdmin, pages: Pages) -> list[URLPattern]:
    """The paths of `pages`, which map routes to the name and the view of each, for staff only."""
    prefix = f"{model_admin.opts.app_label}_{model_admin.opts.model_name}"
    return [
        path(route, model_admin.admin_site.admin_view(view), name=f"{prefix}_{name}")
        for route, (name, view) in pages.items()
    ]


def private_page(
    model_admin: ModelAdmin, request: HttpRequest, name: str, **context: Any
) -> HttpResponse:
    """As `action_page`, which no cache keeps."""
    response = action_page(model_admin, request, name, **context)
    add_never_cache_headers(response)
    return response


def action_page(
    model_admin: ModelAdmin, request: HttpRequest, name: str, **context: Any
) -> HttpResponse:
    """The page templates/admin/actions/`name` with `context`."""
    context |= {**model_admin.admin_site.each_context(request), "opts": model_admin.opts}
    return TemplateResponse(request, f"admin/actions/{name}.html", context)
