"""Imports: many rows made or changed by the API's own rules, part by part.

Each part and the count of what is done are written in one transaction, so that a worker
that is killed leaves nothing half done and nothing is done twice: whoever comes next goes on
at the next input.
"""

import gzip

import orjson
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from customers.jobs import lifecycle
from customers.jobs.import_inputs import Errors
from customers.jobs.import_parts import ImportPart
from customers.models import Import
from customers.resources import operations
from customers.services import audit, jobs, spreadsheets
from customers.services.actors import Actor
from customers.services.imports import (
    Rows,
    check_open,
    looks_secret,
    read_inputs,
    store_inputs,
)

TRIES = 300  # rows of a preview


def begin_import(
    resource_type: str,
    given: object,
    *,
    mode: str,
    actor: Actor | None,
    format: str = Import.Format.JSON,
    skip_errors: bool = False,
    numbers: list[int] | None = None,
) -> Import:
    """A new import of `given`, for the worker to do.

    Raises UnreadableInputError and TooManyJobsError.

    `numbers` are those by which whoever has the rows knows them.
    """
    rows = read_inputs(given, format, resource_type)
    with transaction.atomic():
        check_open(mode)
        job = Import.objects.create(
            resource_type=resource_type,
            mode=mode,
            actor=actor,
            format=format,
            skip_errors=skip_errors,
            inputs_size=len(rows),
        )
        store_inputs(job, rows, numbers)
        audit.record(job, "create", actor=actor)
    return job


def faults(
    resource_type: str, rows: Rows, *, mode: str, actor: Actor | None
) -> tuple[list[tuple[int, Errors]], bool]:
    """What an import of `rows` would tell, by trying it: pairs of an index and its errors.

    Nothing is kept. Errors are pairs of a name and what is wrong with it. Rows that make new
    customers of plain attributes are checked at once, of the others TRIES at most are tried;
    beside them is said whether these are all.
    """
    part, found = ImportPart(Import(resource_type=resource_type, mode=mode, actor=actor)), []
    ready = part.ready(rows)
    others = [number for number in range(len(rows)) if number not in ready]
    with transaction.atomic():
        for number in others[:TRIES]:
            if errors := _tried(part, rows[number]):
                found.append((number, errors))
        transaction.set_rollback(True)
    return found, len(others) <= TRIES


def _tried(part, row):
    try:
        with transaction.atomic():
            return part.writer.write(row)
    except operations.WriteRefusedError as error:
        return error.errors


def do_import_part(rows: QuerySet[Import] | None = None) -> Import | None:
    """As lifecycle.do_job_part, of the imports in the queryset `rows`, without it of all."""
    return lifecycle.do_job_part(Import.objects.all() if rows is None else rows, _do_part)


def _do_part(job):
    ImportPart(job).run()
    if job.status == Import.Status.IN_PROGRESS and job.position >= job.inputs_size:
        job.status, job.completed_at = Import.Status.COMPLETED, timezone.now()
        job.stored_inputs.delete()
        audit.publish(job, "complete")


def linked_import(signed: str) -> Import:
    """The import whose inputs a link's end `signed` leads to. Raises Import.DoesNotExist."""
    return jobs.linked(Import.objects.filter(stored_inputs__isnull=False), signed)


def import_content(job: Import) -> list[bytes]:
    """The bytes of a file of the `job`'s inputs without secrets, compressed with gzip."""
    rows = [
        {name: value for name, value in row.items() if not looks_secret(name)}
        for row in job.stored_inputs.rows
    ]
    if job.format == Import.Format.CSV:
        names = dict.fromkeys(name for row in rows for name in row)
        return [gzip.compress(spreadsheets.MARK + spreadsheets.table(rows, list(names)))]
    return [gzip.compress(orjson.dumps(rows))]
