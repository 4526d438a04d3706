"""Writing down what happens: the audit log, and an event for each topic."""

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cache

from django.db.models import Model

from customers.db.declarations import declared
from customers.db.fields import instant
from customers.models import TOPICS, Event, EventStore, bulk_insert

MAIL = "mail"  # the act of an entry about a mail

_webhooks_told = ContextVar("webhooks_told", default=True)


def record(row, act, *, actor, changes):
    """Write down that `act` ("create", "update" or "destroy") was done to `row`, by `who`.

    `changes` maps names to pairs of the value before and after, `who` is a JSON object
    or None. Of secrets nothing is written. Runs in the caller's transaction.
    """
    shown = _shown(type(row), changes)
    acts = [act]
    if act != "destroy" and (pair := changes.get("password")) and pair[0] is None and pair[1]:
        acts.append("create_password")
    if act == "update" and "metadata" in shown:
        acts.append("metadata_update")
    bulk_insert(_entry(row, act, shown, actor), *_events(row, acts))


def record_all(rows, act, *, actor, changes):
    """Write down that `act`, of which no topic tells, was done to all of `rows` alike."""
    entries = [_entry(row, act, _shown(type(row), changes), actor) for row in rows]
    EventStore.objects.bulk_create(entries, batch_size=500)


def record_mail(customer, kind, outcome):
    """Write down that a mail to `customer` was "sent" or has "failed"; `kind` is its template."""
    shown = {"mail": {"from": None, "to": f"{kind} {outcome}"}}
    _entry(customer, MAIL, shown, None).save(force_insert=True)


def record_updates(changes, act, *, actor):
    """Write down the `changes` of several rows of one type, by row, and announce `act` of each."""
    entries = [
        _entry(row, "update", _shown(type(row), pairs), actor) for row, pairs in changes.items()
    ]
    EventStore.objects.bulk_create(entries, batch_size=500)
    for topic in {f"{row._meta.db_table}.{act}" for row in changes} & TOPICS:
        Event.objects.bulk_create(Event(**_event(row, topic)) for row in changes)


def record_create(row, *, actor):
    """Write down that `row` was made with the values it has."""
    record(row, "create", actor=actor, changes=changes_between({}, values_of(row)))


def announce(row, act):
    """Write the event `{type}.{act}` of `row` where it is one of the topics."""
    bulk_insert(*_events(row, [act]))


def _events(row, acts):
    """The new events of what was done to `row`, as far as they are topics."""
    topics = [f"{row._meta.db_table}.{act}" for act in acts]
    return [Event(**_event(row, topic)) for topic in topics if topic in TOPICS]


def record_creates(rows, *, actor):
    """As record_create, of several new rows of one type with neither password nor tags."""
    EventStore.objects.bulk_create(
        _entry(row, "create", _shown(type(row), changes_between({}, values_of(row))), actor)
        for row in rows
    )
    topic = f"{rows[0]._meta.db_table}.create"
    if topic in TOPICS:
        Event.objects.bulk_create(Event(**_event(row, topic)) for row in rows)


@contextmanager
def suppress_webhooks(told):
    """Whether webhooks are called for the events that are written inside."""
    token = _webhooks_told.set(told)
    try:
        yield
    finally:
        _webhooks_told.reset(token)


def _event(row, topic):
    return {
        "mode": row.mode,
        "name": topic,
        "resource_type": row._meta.db_table,
        "resource_id": row.pk,
        "undispatched": _webhooks_told.get(),
    }


def values_of(row):
    """The values of `row` by column, of those that are audited."""
    return {name: getattr(row, name) for name in _audited(type(row))}


@cache
def _audited(model):
    return [
        field.attname
        for field, declaration in declared(model).values()
        if declaration.audited and not field.many_to_many
    ]


@cache
def secret_columns(model: type[Model]) -> frozenset[str]:
    """The columns of `model` whose values are written down nowhere."""
    return frozenset(
        field.attname for field, declaration in declared(model).values() if declaration.secret
    )


def changes_between(before, after):
    """The names whose value differs between two results of `values_of`, with both values."""
    return {
        name: (before.get(name), after.get(name))
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    }


def _shown(model, changes):
    """The payload of the audit log for `changes` of a row of `model`, in which is no secret."""
    secret = secret_columns(model)
    return {
        name: {"from": _as_json(before), "to": _as_json(after)}
        for name, (before, after) in changes.items()
        if name not in secret and before != after
    }


def _entry(row, act, shown, actor):
    return EventStore(
        mode=row.mode,
        resource_type=row._meta.db_table,
        resource_id=row.pk,
        customer_id=row.owning_customer_id,
        event=act,
        payload=shown,
        who=actor,
    )


def _as_json(value):
    return instant(value) if isinstance(value, datetime) else value
