"""What was written down about a person elsewhere than in the person's own rows, taken out."""

import json
from dataclasses import replace
from functools import reduce
from operator import or_

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session as StaffSession
from django.core.exceptions import ValidationError
from django.db.models import CharField, Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from customers.db.declarations import declared, keys_to
from customers.jobs import exports
from customers.jobs.erasure import erase, scrub_rows, scrubbed_fields
from customers.jobs.persons import Person
from customers.models import (
    Attachment,
    Event,
    EventCallback,
    EventStore,
    Export,
    ExportPart,
    Import,
    ImportInputs,
    QueuedMail,
    Resource,
    Segment,
    Upload,
    all_models,
    customer_paths,
    email_key,
    id_columns,
    is_way,
    models_by_type,
)
from customers.resources.filter_texts import join_list, split_list
from customers.services.csv_files import read_table, write_table

NOTES = ("name", "description", "url")
MOST_READ = 5000  # callbacks that are searched by one statement
LISTS = ("_in", "_in_or_null", "_any", "_all")  # how filters end that take several values


def forget_writings(person: Person) -> None:
    """Take out what was written down about the rows of `person`, and what quotes them.

    `person` has the `mode`, the ids of the `people` that were merged into one, all their
    `emails`, as keys, and `quotes`, whose ids are those of all that was ever theirs.
    """
    _forget_by_id(person)
    for search in SEARCHES.values():
        search(person)
    for model in all_models():
        if model not in (*SEARCHES, *customer_paths(), *SEARCHED_WITH_OTHERS):
            _forget_texts(person, model)
    _forget_references(person)
    _forget_of_staff(person)


def _forget_by_id(person):
    """Empty the audit log, the events, the answers … that are about a row of theirs by its id."""
    ids = person.quotes.ids
    events = Event.objects.filter(resource_id__in=ids)
    ids = {*ids, *events.values_list("pk", flat=True)}  # clients write on events, too
    for model, names in id_columns().items():
        rows = model.objects.filter(reduce(or_, (Q(**{f"{name}__in": ids}) for name in names)))
        erase(rows)
        for follower, key in keys_to(model):
            if is_way(key):
                erase(follower.objects.filter(**{f"{key.name}__in": rows}))


def _forget_callbacks(person):
    """Empty the callbacks that hold an address of theirs, searched part by part."""
    sent = EventCallback.objects.filter(mode=person.mode).order_by("pk")
    parts = person.quotes.email_parts  # a customer's document holds the address
    holding = _holding(parts, "text", "response_message")
    last = ""
    while ids := list(sent.filter(pk__gt=last).values_list("pk", flat=True)[:MOST_READ]):
        part = sent.filter(pk__gt=last, pk__lte=ids[-1])
        for callback in part.annotate(text=Cast("payload", TextField())).filter(holding):
            changed = set()
            if person.quotes.is_in(callback.payload):
                callback.payload, changed = None, {"payload"}
            if person.quotes.is_in(callback.response_message):
                callback.response_message = None
                changed.add("response_message")
            if changed:
                callback.save(update_fields=changed)
        last = ids[-1]


def _holding(parts, *columns):
    """The condition that one of `columns`, texts, holds one of `parts`, of what tells of a person.

    What fulfils it is looked at again: a part may be somebody else's.
    """
    return reduce(
        or_, (Q(**{f"{name}__icontains": part}) for name in columns for part in parts), Q(pk=None)
    )


def _forget_mails(person):
    waiting = QueuedMail.objects.filter(mode=person.mode).values_list("pk", "email", "customer_id")
    gone = [
        pk
        for pk, email, customer_id in waiting.iterator()
        if customer_id in person.people or email_key(email) in person.emails
    ]
    QueuedMail.objects.filter(pk__in=gone).delete()


def _forget_exports(person):
    exports.forget_exports(person.mode, person.quotes.is_in)


def _forget_imports(person):
    jobs = Import.objects.in_mode(person.mode).select_for_update(of=("self",)).order_by("pk")
    quotes = person.quotes
    for job in jobs.filter(Q(stored_inputs__isnull=False) | ~Q(errors_log={})):
        for kept in ImportInputs.objects.filter(job=job):
            rows = [{} if quotes.is_about(row) else row for row in kept.rows]
            if rows != kept.rows:
                kept.rows = rows
                kept.save(update_fields=["rows"])
        log = {
            name: told
            for name, told in job.errors_log.items()
            if not (quotes.is_in(name) or quotes.is_in(told))
        }
        refusals = [told for told in job.refusals if not quotes.is_in(told)]
        if (log, refusals) != (job.errors_log, job.refusals):
            job.errors_log, job.refusals = log, refusals
            job.save(update_fields=["errors_log", "refusals"])


def _forget_segments(person):
    """Take them out of the lists that segments ask for; a segment about them alone is deleted."""
    for segment in Segment.objects.in_mode(person.mode).select_for_update().order_by("pk"):
        filters = [_without(person, *pair) for pair in segment.filters]
        if None in filters:
            segment.delete()
            continue
        name = segment.name
        if person.quotes.is_value_of("first_name last_name", name):
            name = f"Segment {segment.pk}"
        if (filters, name) != (segment.filters, segment.name):
            segment.filters, segment.name = filters, name
            segment.save(update_fields=["filters", "name"])


def _without(person, name, value):
    """A filter without the values that quote the person; None when nothing is left of it."""
    if not person.quotes.is_value_of(name, value) and "," not in value:
        return [name, value]
    values = _values_of(name, value)
    left = [one for one in values if not person.quotes.is_value_of(name, one.strip())]
    return [name, join_list(left) if len(values) > 1 else value] if left else None


def _values_of(name, value):
    """The values of a filter; one that was kept before a quote had a meaning is one of its own."""
    try:
        return split_list(value) if name.endswith(LISTS) else [value]
    except ValidationError:
        return value.split(",")


def _forget_uploads(person):
    """Take out the lines about them; the others keep their numbers. One without a head goes."""
    for upload in Upload.objects.filter(mode=person.mode).select_for_update().order_by("pk"):
        table = read_table(upload.text, ",")
        if person.quotes.is_in(table.names):
            upload.delete()
            continue
        records = list(table.records)
        kept = [one for one in records if not person.quotes.is_about(_by_name(table, one))]
        if kept != records:
            upload.text = write_table(replace(table, records=iter(kept)))
            upload.save(update_fields=["text"])


def _by_name(table, record):
    """The cells of `record` by the names over them, each made one of its own by its place."""
    return {
        f"{at}.{name}": cell
        for at, (name, cell) in enumerate(zip(table.names, record.cells, strict=False))
    }


def _forget_notes(person):
    """Put a word in the place of what quotes them in links and notes on others."""
    found = Q()
    for part in person.quotes.parts:
        found |= Q(name__holds=part) | Q(description__holds=part)
    if not found:
        return
    changed = []
    for note in Attachment.objects.in_mode(person.mode).filter(found).order_by("pk"):
        values = {name: person.quotes.redacted(getattr(note, name)) for name in NOTES}
        if values["url"] != note.url:
            values["url"] = None
        if any(getattr(note, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(note, name, value)
            note.save(update_fields=set(NOTES))
            changed.append(note.pk)
    _forget_values(person, changed)


SEARCHES = {  # types that are searched in ways of their own
    EventCallback: _forget_callbacks,
    QueuedMail: _forget_mails,
    Import: _forget_imports,
    Export: _forget_exports,
    Segment: _forget_segments,
    Upload: _forget_uploads,
    Attachment: _forget_notes,
}
SEARCHED_WITH_OTHERS = (ImportInputs, ExportPart)


def _forget_texts(person, model):
    """Take what quotes them out of the scrubbed columns of any other type that is nobody's."""
    names = [field.name for field in scrubbed_fields(model)]
    texts = {f"{name}_as_text": Cast(name, TextField()) for name in names}
    if names:
        rows = model.objects.annotate(**texts).filter(_holding(person.quotes.parts, *texts))
        scrub_rows(
            rows.in_mode(person.mode) if issubclass(model, Resource) else rows, person.quotes
        )


def _forget_references(person):
    """Empty the references of other rows that are what tells of the person, by their indexes."""
    telling = person.quotes.emails | person.quotes.phones
    for model in models_by_type().values():
        for name in _references(model):
            rows = model.objects.in_mode(person.mode).filter(**{f"{name}__in": telling})
            ids = list(rows.values_list("pk", flat=True))
            model.objects.filter(pk__in=ids).update(**{name: None})
            _forget_values(person, ids)


def _references(model):
    """The columns of `model` that are searched by their indexes, which the audit log has not."""
    return [
        name
        for name, (field, said) in declared(model).items()
        if said.searched and isinstance(field, CharField) and model is not EventStore
    ]


def _forget_values(person, ids):
    """Empty what quotes them in the audit log of the rows with these ids."""
    for entry in EventStore.objects.filter(mode=person.mode, resource_id__in=ids):
        quoting = [name for name, pair in entry.payload.items() if person.quotes.is_in(pair)]
        if quoting:
            entry.payload |= {name: {"from": None, "to": None} for name in quoting}
            entry.save(update_fields=["payload"])


def _forget_of_staff(person):
    """Take them out of the admin's log, and of staff's sessions."""
    about = Q(object_id__in=person.quotes.ids, content_type__app_label="customers")
    quoting = _holding(person.quotes.parts, "object_repr", "change_message")
    for entry in LogEntry.objects.filter(about | quoting).select_related("content_type"):
        named = entry.content_type and entry.content_type.app_label == "customers"
        if named and entry.object_id in person.quotes.ids:
            entry.object_repr, entry.change_message = entry.object_id or "", ""
        else:
            entry.object_repr = person.quotes.redacted(entry.object_repr)
            entry.change_message = person.quotes.redacted(entry.change_message)
        entry.save(update_fields=["object_repr", "change_message"])
    for session in StaffSession.objects.filter(expire_date__gte=timezone.now()):
        kept = session.get_decoded()
        left = {
            name: value for name, value in kept.items() if not person.quotes.is_in(_opened(value))
        }
        if left != kept:
            session.session_data = StaffSession.objects.encode(left)
            session.save(update_fields=["session_data"])


def _opened(value):
    """A value of a session; messages to staff are JSON in a text."""
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value
