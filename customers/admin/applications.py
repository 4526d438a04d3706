from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from customers.admin.base import ResourceAdmin, actor_of, log_admin_action
from customers.admin.pages import Pages, action_page, paths_of, private_page
from customers.models import Application
from customers.services import applications
from customers.services.environments import mode_of

ACTS = {
    "disable": (
        applications.disable_application,
        "It gets no new tokens, and those that it has no longer work.",
    ),
    "enable": (applications.enable_application, "It can get and use tokens again."),
}
readable = method_decorator(require_http_methods(["GET", "HEAD", "POST"]))


class NewApplicationForm(forms.Form):
    """What a new application is called, is, and may do."""

    name = forms.CharField(max_length=Application.LONGEST_NAME)
    kind = forms.ChoiceField(choices=Application.Kind.choices)
    role = forms.ChoiceField(
        choices=Application.Role.choices,
        help_text="What an integration may do to which type; a sales channel's is Full.",
    )

    def create(self, mode: str) -> tuple[Application, str | None] | None:
        """The application and its secret; None, with an error in the form, where it is refused."""
        try:
            return applications.create_application(mode=mode, **self.cleaned_data)
        except ValueError as error:
            self.add_error(None, str(error))
            return None


@admin.register(Application)
class ApplicationAdmin(ResourceAdmin):
    """Who may call the API: made here, and given new secrets, which are shown once."""

    change_form_template = "admin/customers/application/change_form.html"
    list_display = ["name", "kind", "role", "client_id", "disabled_at", "created_at"]
    list_filter = ["kind", "role"]
    search_fields = ["name__holds", "client_id__exact"]
    readonly_fields = ["id", "kind", "client_id", "disabled_at", "created_at", "updated_at"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Application | None = None
    ) -> list[str] | tuple[Any, ...]:
        """A sales channel has no role to choose."""
        channel = obj is not None and obj.kind != Application.Kind.INTEGRATION
        return [*self.readonly_fields, *(["role"] if channel else [])]

    def get_urls(self) -> list[URLPattern]:
        """The admin's, and the page of one's credentials."""
        pages: Pages = {"<str:pk>/credentials/": ("credentials", self.credentials)}
        return [*paths_of(self, pages), *super().get_urls()]

    @readable
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Makes an application of the mode at work, and shows its secret once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewApplicationForm(request.POST if request.method == "POST" else None)
        if form.is_valid() and (made := form.create(mode_of(request.session))):
            application, secret = made
            log_admin_action(request, ADDITION, "Was made.", Application, application.pk)
            return self._page(request, application, secret=secret, is_new=True)
        return action_page(self, request, "new_application", form=form, title="Add application")

    @readable
    def credentials(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Gives the application a new secret, shown once, disables it, or enables it again."""
        application: Any = self.get_object(request, pk)
        if not self.has_change_permission(request, application):
            raise PermissionDenied
        act = request.POST.get("act")
        if act == "rotate":
            secret = applications.rotate_secret(application, actor=actor_of(request))
            sentence = "Was given a new secret."
            log_admin_action(request, CHANGE, sentence, Application, application.pk)
            application.refresh_from_db()
            return self._page(request, application, secret=secret)
        if act in ACTS:
            change, sentence = ACTS[act]
            change(application, actor=actor_of(request))
            log_admin_action(request, CHANGE, sentence, Application, application.pk)
            self.message_user(request, sentence)
            return redirect("admin:customers_application_change", application.pk)
        return self._page(request, application)

    def _page(self, request, application, **context):
        """The page of the credentials, which no cache keeps."""
        back = reverse("admin:customers_application_change", args=[application.pk])
        context |= {"application": application, "back": back, "title": "Credentials"}
        return private_page(self, request, "credentials", **context)
