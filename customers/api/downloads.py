"""The files of exports and imports, for whoever has a link that is fresh."""

from types import ModuleType

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from customers.api import errors
from customers.resources.errors import RecordNotFoundError


@errors.read_only
def job_file(request: HttpRequest, signed: str, service: ModuleType) -> HttpResponseBase:
    """The file that `service`, jobs.exports or jobs.imports, has for the link's end."""
    try:
        job = service.file_of(signed)
    except ObjectDoesNotExist:
        return errors.respond(RecordNotFoundError("The link is not valid, or not any more."))
    name = f"{job.resource_type}-{job.pk}.{job.format}.gz"
    return StreamingHttpResponse(
        service.content_of(job),
        content_type="application/gzip",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": errors.PRIVATE,
        },
    )
