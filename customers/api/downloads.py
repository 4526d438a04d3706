"""The files of exports and imports, for whoever has a link that is fresh."""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from customers.api import errors
from customers.resources.errors import RecordNotFoundError


@errors.read_only
def job_file(
    request: HttpRequest,
    signed: str,
    *,
    linked: Callable[[str], Any],
    content: Callable[[Any], Iterable[bytes]],
) -> HttpResponseBase:
    """The file for the link's end `signed`: `content` of the job that it is `linked` to."""
    try:
        job = linked(signed)
    except ObjectDoesNotExist:
        return errors.respond(RecordNotFoundError("The link is not valid, or not any more."))
    name = f"{job.resource_type}-{job.pk}.{job.format}.gz"
    return StreamingHttpResponse(
        content(job),
        content_type="application/gzip",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": errors.PRIVATE,
        },
    )
