"""The files of exports and imports, for whoever has a link that is fresh."""

from django.core.exceptions import ObjectDoesNotExist
from django.http import StreamingHttpResponse

from customers.api import errors


@errors.read_only
def job_file(request, signed, service):
    """The file that `service`, services.exports or services.imports, has for the link's end."""
    try:
        job = service.file_of(signed)
    except ObjectDoesNotExist:
        return errors.respond(errors.RecordNotFoundError("The link is not valid, or not any more."))
    name = f"{job.resource_type}-{job.pk}.{job.format}.gz"
    return StreamingHttpResponse(
        service.content_of(job),
        content_type="application/gzip",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": errors.PRIVATE,
        },
    )
