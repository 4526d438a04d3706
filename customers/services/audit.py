"""The audit log, and the events that webhooks are called for.

`record` writes an entry, and the events that follow from it; `publish` writes an event alone, of
a change that is recorded by itself; `record_many` is `record` for several rows. All run in the
caller's transaction, so that neither is there without the change.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, TypeAlias

from django.db.models import Model

from customers.db.declarations import declared
from customers.models import (
    TOPICS,
    ColumnType,
    Event,
    EventStore,
    Resource,
    bulk_insert,
    column_type_of,
)
from customers.services import strict_json
from customers.services.actors import Actor

MAIL = "mail"  # the act of an entry about a mail

Values: TypeAlias = Mapping[str, Any]  # of a row, by column
Changes: TypeAlias = Mapping[str, tuple[Any, Any]]  # the value before and after, by column

_webhooks_suppressed = ContextVar("webhooks_suppressed", default=False)


def record(row: Resource, act: str, *, actor: Actor | None, changes: Changes | None = None) -> None:
    """Enter into the audit log that `actor` did `act` to `row`, and write the events of it.

    `act` is "create", "update", "destroy" or MAIL. Without `changes` all values of a row that is
    made or deleted are entered, of another none. Secrets never are.
    """
    changes = _all_values(row, act) if changes is None else changes
    bulk_insert(_entry(row, act, changes, actor), *_events(row, _acts(act, changes)))


def record_many(
    changes: Mapping[Resource, Changes | None],
    act: str,
    *,
    actor: Actor | None,
    also: str | None = None,
) -> None:
    """As `record`, of rows of one type, by row; the event of the act `also` is written of each."""
    entries, events = [], []
    for row, changed in changes.items():
        changed = _all_values(row, act) if changed is None else changed
        entries.append(_entry(row, act, changed, actor))
        events += _events(row, [*_acts(act, changed), *([also] if also else [])])
    EventStore.objects.bulk_create(entries, batch_size=500)
    Event.objects.bulk_create(events, batch_size=500)


def publish(row: Resource, act: str) -> None:
    """Write the event `{type}.{act}` of `row` where it is one of the topics."""
    bulk_insert(*_events(row, [act]))


@contextmanager
def suppress_webhooks(suppressed: bool = True) -> Iterator[None]:
    """Let no webhook be called for the events that are written inside, if `suppressed`."""
    token = _webhooks_suppressed.set(suppressed)
    try:
        yield
    finally:
        _webhooks_suppressed.reset(token)


def audited_values(row: Resource) -> dict[str, Any]:
    """The values of `row` by column, of those that are declared to be audited."""
    return {name: getattr(row, name) for name in _audited_columns(type(row))}


@cache
def _audited_columns(model: type[Model]) -> list[str]:
    return [
        field.attname
        for field, said in declared(model).values()
        if said.audited and not field.many_to_many
    ]


@cache
def secret_columns(model: type[Model]) -> frozenset[str]:
    """The columns of `model` whose values are shown to nobody."""
    return frozenset(field.attname for field, said in declared(model).values() if said.secret)


def changes_between(before: Values, after: Values) -> dict[str, tuple[Any, Any]]:
    """The names whose value differs between two results of `audited_values`, with both values."""
    return {
        name: (before.get(name), after.get(name))
        for name in before.keys() | after.keys()
        if not strict_json.is_equal(before.get(name), after.get(name))
    }


def _all_values(row: Resource, act: str) -> Changes:
    if act == "create":
        return changes_between({}, audited_values(row))
    return changes_between(audited_values(row), {}) if act == "destroy" else {}


def _acts(act: str, changes: Changes) -> list[str]:
    """`act`, and what else was done with it by `changes`, as topics name it."""
    acts = [act]
    if act != "destroy" and (pair := changes.get("password")) and pair[0] is None and pair[1]:
        acts.append("create_password")
    if act == "update" and not strict_json.is_equal(*changes.get("metadata", (None, None))):
        acts.append("metadata_update")
    return acts


def _events(row: Resource, acts: Iterable[str]) -> list[Event]:
    """The new events of what was done to `row`, as far as they are topics."""
    topics = [f"{row._meta.db_table}.{act}" for act in acts]
    return [
        Event(
            mode=row.mode,
            name=topic,
            resource_type=row._meta.db_table,
            resource_id=row.pk,
            undispatched=not _webhooks_suppressed.get(),
        )
        for topic in topics
        if topic in TOPICS
    ]


def _entry(row: Resource, act: str, changes: Changes, actor: Actor | None) -> EventStore:
    return EventStore(
        mode=row.mode,
        resource_type=row._meta.db_table,
        resource_id=row.pk,
        customer_id=row.owning_customer_id,
        event=act,
        payload=_shown(type(row), changes),
        who=actor,
    )


def _shown(model: type[Model], changes: Changes) -> dict[str, dict[str, Any]]:
    """The payload of the audit log for `changes` of a row of `model`, in which is no secret."""
    secret = secret_columns(model)
    return {
        name: {"from": json_of(model, name, before), "to": json_of(model, name, after)}
        for name, (before, after) in changes.items()
        if name not in secret and not strict_json.is_equal(before, after)
    }


def json_of(model: type[Model], name: str, value: Any) -> Any:
    """The `value` of the column `name` as the audit log has it; as it is where there is none."""
    column_type = _column_types(model).get(name)
    return column_type.json_of(value) if column_type else value


@cache
def _column_types(model: type[Model]) -> dict[str, ColumnType]:
    audited = set(_audited_columns(model))
    return {
        field.attname: column_type_of(field)
        for field in model._meta.concrete_fields
        if field.attname in audited
    }
