"""Adding tags to a record and removing them; `actor` did it, for the audit log."""

from collections.abc import Collection, Iterable, Sequence

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from customers.models import Customer, Resource, Tag
from customers.services import audit, row_changes
from customers.services.actors import Actor


class TooManyTagsError(Exception):
    """The record would have more tags than settings.MAX_TAGS."""

    def __str__(self) -> str:
        return f"may have {settings.MAX_TAGS} tags at most"


def check_count(tags: Collection[Tag]) -> None:
    """Raise TooManyTagsError when `tags` are more than a record may have."""
    if len(tags) > settings.MAX_TAGS:
        raise TooManyTagsError


def replace_tags(record: Resource, tags: Iterable[Tag], *, actor: Actor | None) -> None:
    """Let `record` have exactly `tags`. Raises TooManyTagsError."""
    _change(record, lambda _now: set(tags), actor)


def add_tags(record: Resource, tags: Iterable[Tag], *, actor: Actor | None) -> None:
    """Add `tags` to those `record` has. Raises TooManyTagsError."""
    _change(record, lambda now: now | set(tags), actor)


def remove_tags(record: Resource, tags: Iterable[Tag], *, actor: Actor | None) -> None:
    """Remove `tags` from `record`; those it does not have are ignored."""
    _change(record, lambda now: now - set(tags), actor)


def retag(record: Resource, *, actor: Actor | None, add: str = "", remove: str = "") -> None:
    """Add, then remove, tags by comma-separated names; names of no tag are ignored.

    Raises TooManyTagsError when more remain than a record may have.
    """
    added, removed = _named(record, add), _named(record, remove)
    _change(record, lambda now: (now | added) - removed, actor)


def retag_all(
    records: Sequence[Resource], *, actor: Actor | None, add: str = "", remove: str = ""
) -> list[Resource]:
    """As `retag`, of locked records of one type and mode; returns those with too many tags.

    It asks the database as often for many as for one.
    """
    if not records:
        return []
    model, added, removed = type(records[0]), _named(records[0], add), _named(records[0], remove)
    now, skipped, changes = _tags_of(records), [], {}
    for record in records:
        wanted = (now[record.pk] | added) - removed
        if len(wanted) > settings.MAX_TAGS:
            skipped.append(record)
        elif wanted != now[record.pk]:
            changes[record] = now[record.pk], wanted
    links, key = _links_of(model)
    links.objects.bulk_create(
        links(**{key: record, "tag": tag})
        for record, (before, wanted) in changes.items()
        for tag in wanted - before
    )
    links.objects.filter(**{f"{key}__in": list(changes)}, tag__in=removed).delete()
    model.objects.filter(pk__in=[record.pk for record in changes]).update(updated_at=timezone.now())
    named = {
        record: {"tags": (sorted(map(str, before)), sorted(map(str, wanted)))}
        for record, (before, wanted) in changes.items()
    }
    audit.record_many(named, "update", actor=actor, also="tagged")
    return skipped


def unknown_names(names: str, *, mode: str) -> list[str]:
    """Those of the comma-separated `names` that no tag of `mode` has, as they are spelled."""
    given = dict.fromkeys(filter(None, map(str.strip, names.split(","))))
    known = set(Tag.objects.in_mode(mode).named(given).values_list("name", flat=True))
    return [name for name in given if not (name.isascii() and name.lower() in known)]


def _tags_of(records):
    """The tags of each of `records`, of one type: sets by id."""
    found: dict[str, set[Tag]] = {record.pk: set() for record in records}
    links, key = _links_of(type(records[0]))
    for link in links.objects.filter(**{f"{key}__in": records}).select_related("tag"):
        found[getattr(link, f"{key}_id")].add(link.tag)
    return found


def _links_of(model):
    """The table that says which rows of `model` have which tags, and its key to them."""
    return model.tags.through, model.tags.field.m2m_field_name()


def _named(record, names):
    return set(Tag.objects.in_mode(record.mode).named(names.split(","))) if names else set()


def _change(record, wanted_of, actor):
    with transaction.atomic():
        locked = type(record).objects.select_for_update().get(pk=record.pk)  # so counts hold
        if isinstance(locked, Customer):  # of other records the customer is locked before
            row_changes.check_writable(locked)
        now = set(record.tags.all())
        wanted = wanted_of(now)
        if wanted == now:
            return
        check_count(wanted)
        record.tags.remove(*(now - wanted))
        record.tags.add(*(wanted - now))
        record.save(update_fields=["updated_at"])
        changes = {"tags": (sorted(map(str, now)), sorted(map(str, wanted)))}
        audit.record(record, "update", actor=actor, changes=changes)
        audit.publish(record, "tagged")
