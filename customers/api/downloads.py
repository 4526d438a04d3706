"""The files of exports, for whoever has a link that is fresh."""

from django.http import StreamingHttpResponse
from django.views.decorators.http import require_GET

from customers.api import errors
from customers.models import Export
from customers.services import exports


@require_GET
def export_file(request, signed):
    try:
        job = exports.file_of(signed)
    except Export.DoesNotExist:
        return errors.respond(errors.RecordNotFound("The link is not valid, or not any more."))
    name = f"{job.resource_type}-{job.pk}.{job.format}.gz"
    return StreamingHttpResponse(
        exports.content_of(job),
        content_type="application/gzip",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )
