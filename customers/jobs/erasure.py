"""Emptying rows as their columns are declared."""

from django.db.models import Field, Model, QuerySet, TextField

from customers.db.declarations import Erase, declared, erased_values
from customers.jobs.quotes import Quotes


def erase(rows: QuerySet) -> None:
    """Empty what is declared to be cleared or redacted of each of `rows`."""
    if any(callable(said.to) for _, said in declared(rows.model).values()):
        for row in rows:
            _write(row, erased_values(row))
    elif values := erased_values(rows.model()):
        rows.update(**values)
    for name in _cleared_relations(rows.model):
        for row in rows:
            getattr(row, name).clear()


def erase_row(row: Model) -> None:
    """As `erase`, of one row, which is saved with what is computed from its columns."""
    values = erased_values(row)
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=set(values))
    for name in _cleared_relations(type(row)):
        getattr(row, name).clear()


def scrub_rows(rows: QuerySet, quotes: Quotes) -> None:
    """Take what `quotes` somebody out of the scrubbed columns of each of `rows`."""
    fields = scrubbed_fields(rows.model)
    for row in rows if fields else ():
        found = {field.name: (field, getattr(row, field.name)) for field in fields}
        _write(
            row,
            {
                name: _without(field, value, quotes)
                for name, (field, value) in found.items()
                if quotes.is_in(value)
            },
        )


def scrubbed_fields(model: type[Model]) -> list[Field]:
    """The fields of `model` that are searched for what quotes somebody."""
    return [field for field, said in declared(model).values() if said.erase is Erase.SCRUB]


def _without(field, value, quotes):
    """`value` without the quote: a code or JSON goes as a whole, in a text a word stands for it."""
    if field.null and not isinstance(field, TextField):
        return None
    return quotes.redacted(value) if isinstance(value, str) else field.get_default()


def _write(row, values):
    if values:
        type(row)._default_manager.filter(pk=row.pk).update(**values)


def _cleared_relations(model):
    return [
        name
        for name, (field, said) in declared(model).items()
        if field.many_to_many and said.erase is Erase.CLEAR
    ]
