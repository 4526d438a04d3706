"""Exports: the rows of one type, filtered as lists are, written to a file part by part.

Each part of the file and the place where the next begins are written in one transaction.
"""

import gzip
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import orjson
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from customers.db.declarations import declared
from customers.db.fields import new_id
from customers.jobs import lifecycle
from customers.models import Export, ExportPart, column_type_of
from customers.resources import operations
from customers.resources.export_checks import (
    check_export_includes,
    chosen_fields,
    count_exported,
    hidden,
    to_one_keys,
)
from customers.services import audit, jobs, principals, spreadsheets
from customers.services.actors import Actor
from customers.services.transactions import advisory_lock

DRY = {"id", "created_at", "updated_at"}
PART = 100  # rows of one transaction
KEPT = timedelta(days=7)
ERASED = ["errors_log", "filters", "has_file", "last_id", "processed_count", "status"]


def begin_export(
    resource_type: str,
    *,
    mode: str,
    actor: Actor | None,
    format: str = Export.Format.JSON,
    filters: Mapping[str, Any] | None = None,
    includes: Iterable[str] = (),
    fields: Iterable[str] = (),
) -> Export:
    """A new export, recorded, for the worker to do.

    Raises operations.WriteRefusedError and ExportRefusedError.
    """
    principal = principals.author(mode, actor)
    check_export_includes(resource_type, includes, principal)
    with transaction.atomic():
        job = Export.objects.create(
            resource_type=resource_type,
            mode=mode,
            actor=actor,
            format=format,
            filters=filters or {},
            includes=list(includes),
            fields=list(fields),
            records_count=count_exported(resource_type, filters, principal),
        )
        audit.record(job, "create", actor=actor)
    return job


def do_export_part(rows: QuerySet[Export] | None = None) -> Export | None:
    """As lifecycle.do_job_part, of the exports in the queryset `rows`, without it of all."""
    return lifecycle.do_job_part(Export.objects.all() if rows is None else rows, _do_part)


def _do_part(job):
    try:
        with transaction.atomic():
            _write_part(job)
    except operations.WriteRefusedError as error:
        job.status, job.errors_log = Export.Status.FAILED, {"base": dict(error.errors)}


def linked_export(signed: str) -> Export:
    """The export that a link's end `signed` leads to. Raises Export.DoesNotExist."""
    return jobs.linked(Export.objects.filter(has_file=True), signed)


def export_content(job: Export) -> Iterator[bytes]:
    """The bytes of the finished `job`'s file, part by part, compressed with gzip."""
    parts = job.parts.order_by("pk").values_list("content", flat=True)
    return (bytes(part) for part in parts.iterator(chunk_size=10))


def forget_exports(mode: str, names: Callable[[Any], bool]) -> None:
    """Delete the files of `mode`, and let what is under way begin again.

    `names` is a function that says whether a value names whom to forget: an export whose
    filters do cannot go on. Of one that has ended the filters are deleted anyway.
    """
    advisory_lock(f"exports of {mode}")  # one that is begun now reads what is left
    for job in Export.objects.in_mode(mode).select_for_update().order_by("pk"):
        if job.status != Export.Status.COMPLETED:
            job.last_id, job.processed_count = "", 0
            if names(job.filters):
                job.status = Export.Status.FAILED
        if names(job.errors_log):
            job.errors_log = {}
        if job.status in (Export.Status.COMPLETED, Export.Status.FAILED):
            job.filters = {}
        job.has_file = False
        job.save(update_fields=ERASED)
    ExportPart.objects.filter(job__mode=mode).delete()


def delete_expired_exports(now: datetime) -> None:
    """Delete the files whose time is over; what was interrupted would begin again."""
    oldest = now - KEPT
    ended = Q(completed_at__lt=oldest)
    stopped = Q(status__in=[Export.Status.INTERRUPTED, Export.Status.FAILED])
    over = Export.objects.filter(ended | (stopped & Q(updated_at__lt=oldest)))
    with transaction.atomic():
        left = over.filter(parts__isnull=False).values("pk")
        found = list(Export.objects.filter(pk__in=left).select_for_update())
        for job in found:
            if job.status != Export.Status.COMPLETED:
                job.last_id, job.processed_count = "", 0
            job.has_file = False
            job.save(update_fields=["has_file", "last_id", "processed_count"])
        ExportPart.objects.filter(job__in=found).delete()


def _write_part(job):
    principal = principals.author(job.mode, job.actor)
    rows = operations.rows(job.resource_type, principal, job.filters or {})
    found = list(rows.filter(pk__gt=job.last_id).order_by("pk")[:PART])
    records = _records_that_fit(job, found, principal)
    last, found = len(records) < PART and len(records) == len(found), found[: len(records)]
    first = job.processed_count == 0
    if job.format == Export.Format.CSV:
        text = (spreadsheets.MARK if first else b"") + spreadsheets.table(
            records,
            _columns(job, principal),
            column_types=_column_types(job.resource_type),
            with_names=first,
        )
    else:
        text = _as_json(records, first=first, last=last)
    ExportPart.objects.create(id=new_id(), job=job, content=gzip.compress(text))
    job.processed_count += len(found)
    if found:
        job.last_id = found[-1].pk
    if last:
        job.status, job.completed_at = Export.Status.COMPLETED, timezone.now()
        job.has_file = True
        audit.publish(job, "complete")


def _records_that_fit(job, rows, principal):
    """As `_records`, of as many of `rows` as make a document of the size that is allowed."""
    try:
        return _records(job, rows, principal)
    except operations.TooLargeError:
        if len(rows) == 1:
            raise
    return _records_that_fit(job, rows[: len(rows) // 2], principal)


def _records(job, rows, principal):
    """What is written of each of `rows`: its attributes, and what it includes by name."""
    if not rows:
        return []
    choice = _choice(job)
    paths = sorted(filter(None, choice))
    document = operations.documents_of(rows, principal, paths)
    included = {(one["type"], one["id"]): one for one in document.get("included", ())}
    included |= {(one["type"], one["id"]): one for one in document["data"]}
    keys = to_one_keys(job.resource_type)
    tree, records = _tree(paths), []
    for row, resource in zip(rows, document["data"], strict=True):
        extra = {f"{name}_id": getattr(row, f"{name}_id") for name in keys}
        record = _flat(resource, included, tree, choice, extra=extra)
        if job.dry_data:
            record = {
                name: value
                for name, value in record.items()
                if name not in DRY and value not in (None, "", {}, [])
            }
        records.append(record)
    return records


def _flat(resource, included, tree, choice, path="", extra=()):
    """What is written of `resource`, at the relationship `path`, and of what it includes."""
    unseen = hidden(resource["type"])
    shown = {name: v for name, v in resource["attributes"].items() if name not in unseen}
    record = {"id": resource["id"], **shown, **dict(extra)}
    names = choice.get(path, ())
    record = {name: value for name, value in record.items() if _is_chosen(name, names)}
    for name, branch in tree.items():
        linkage = resource["relationships"][name].get("data")
        many = isinstance(linkage, list)
        others = [
            _flat(included[key], included, branch, choice, f"{path}.{name}".strip("."))
            for one in (linkage if many else [linkage] if linkage else [])
            if (key := (one["type"], one["id"])) in included
        ]
        record[name] = others if many else (others[0] if others else None)
    return record


def _choice(job):
    """As `chosen_fields`, of all that is written: * where nothing is chosen, and so below."""
    chosen = chosen_fields(job.resource_type, job.fields or ["*"])
    return {path: {"*"} for path in job.includes or ()} | chosen


def _is_chosen(name, names):
    return name in names or "*" in names


def _tree(paths):
    tree: dict[str, Any] = {}
    for path in paths or ():
        branch = tree
        for name in path.split("."):
            branch = branch.setdefault(name, {})
    return tree


def _columns(job, principal):
    """The names of the columns of CSV: a relationship to many has one, of JSON."""
    choice = _choice(job)
    attributes = operations.tombstone(job.resource_type, "", principal)["data"]["attributes"]
    names = ["id", *(name for name in attributes if name not in hidden(job.resource_type))]
    names += [f"{name}_id" for name in to_one_keys(job.resource_type)]
    names = [name for name in names if _is_chosen(name, choice.get("", ()))]
    names += list(_tree(sorted(filter(None, choice))))
    return [name for name in names if not (job.dry_data and name in DRY)]


@cache
def _column_types(resource_type):
    """What kind of column each attribute of a type is that is one, by name."""
    columns = declared(operations.model_of(resource_type)).values()
    return {field.name: column_type_of(field) for field, _ in columns if not field.is_relation}


def _as_json(records, *, first, last):
    lines = b",\n".join(orjson.dumps(record) for record in records)
    start = b"[" if first else b",\n" if records else b""
    return start + lines + (b"]\n" if last else b"")
