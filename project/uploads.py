"""What a page takes: a body no larger than it needs, and a file where staff bring one.

A form is read to find the token against forgery, long before a view asks who sent it; so
this stands before. Bodies of the API and of /oauth are bounded by those who parse them.
"""

from collections.abc import Callable
from typing import NoReturn

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from customers.api import errors

Answer = Callable[[HttpRequest], HttpResponse]
NO_FILE = "This page takes no file."


def bounded(get_response: Answer) -> Answer:
    """Refuse too large a body by its Content-Length, and files as soon as one begins."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if errors.is_api(request):
            return get_response(request)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length == "0":  # without it, in chunks too, Django reads nothing
            return get_response(request)
        most = settings.MAX_BODY_BYTES
        if may_bring_a_file(request):
            most += settings.MAX_UPLOAD_BYTES
        else:
            request.upload_handlers = [_NoFile(request)]
        if not length.isdecimal() or int(length) > most:
            raise RequestDataTooBig(f"A page takes at most {most} bytes.")
        return get_response(request)

    return middleware


def may_bring_a_file(request: HttpRequest) -> bool:
    """Whether this is the page for files of customers, and staff have sent it."""
    is_for_files = request.path == reverse("admin:customers_customer_import")
    return is_for_files and admin.site.has_permission(request)


class _NoFile(FileUploadHandler):
    def new_file(self, *args: object, **options: object) -> NoReturn:
        raise BadRequest(NO_FILE)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> NoReturn:
        raise BadRequest(NO_FILE)

    def file_complete(self, file_size: int) -> NoReturn:
        raise BadRequest(NO_FILE)
