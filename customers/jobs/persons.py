"""Whose rows are whose, and what is known of a person: by keys, and by the audit log."""

from collections import defaultdict
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, OuterRef, Q

from customers.db.declarations import Tells, names_that_tell
from customers.jobs.quotes import Quotes
from customers.models import (
    Address,
    Customer,
    EventStore,
    Resource,
    address_foreign_keys,
    customer_paths,
    email_key,
    models_by_type,
    owned_rows,
)
from customers.services import audit

Rows = dict[str, list[Resource]]


class Person:
    """What the audit log knows of `customer` and of all who were merged into it.

    `people` are their ids, `emails` the keys of the addresses they have had, `once` the ids of
    what has ever been theirs, by type, and `quotes` what tells of them.
    """

    def __init__(self, customer: Customer) -> None:
        self.mode: str = customer.mode
        self.people: set[str] = set()
        self.emails: set[str] = set()
        self.once: dict[str, set[str]] = defaultdict(set)
        self.quotes = Quotes()
        self._address_columns = {f"{key}_id" for _, key in address_foreign_keys()}
        self._learn("customers", audit.audited_values(customer))
        new = {customer.pk}
        while new:
            self.people |= new
            logged = self._log().filter(Q(customer_id__in=new) | Q(resource_id__in=new))
            new = {pk for entry in logged.iterator() for pk in self._read(entry)} - self.people
        self.once["customers"] |= self.people
        self.quotes.ids |= self.people

    def learn_rows(self, rows: Rows) -> None:
        """Take in what `rows`, of `rows_of_person`, say, and the log of their addresses."""
        for name, found in rows.items():
            self.once[name].update(row.pk for row in found)
            for row in found:
                self._learn(name, audit.audited_values(row))
        for entry in self._log().filter(resource_id__in=self.once["addresses"]).iterator():
            self._read(entry)

    def _log(self):
        return EventStore.objects.filter(mode=self.mode)

    def _read(self, entry):
        """Take in what `entry` tells; the ids of who was merged by it."""
        self.once[entry.resource_type].add(entry.resource_id)
        told = {name: [*filter(None, pair.values())] for name, pair in entry.payload.items()}
        for name in self._address_columns & told.keys():
            self.once["addresses"].update(told[name])
        for when in ("from", "to"):
            values = {name: pair[when] for name, pair in entry.payload.items()}
            self._learn(entry.resource_type, values)
        for note in told.get("merged", ()):
            self._learn("customers", note["attributes"])
        return {note["id"] for note in told.get("merged", ())}

    def _learn(self, resource_type: str, values: dict[str, Any]) -> None:
        model = models_by_type().get(resource_type)
        if model is None or not names_that_tell(model):
            return
        self.quotes.learn(values)
        for name in names_that_tell(model, how=Tells.EMAIL):
            if (email := values.get(name)) and "@" in email:
                self.emails.add(email_key(email))
                self.quotes.learn_email(email)


def rows_of_customer(customer: Customer) -> Rows:
    """The rows that hang on `customer`, by type, addresses last; the customer itself is not one."""
    return rows_of_person(customer, Person(customer))


def rows_of_person(customer: Customer, person: Person) -> Rows:
    """As `rows_of_customer`, of a customer of whom `person` is what the audit log knows."""
    found = {
        model._meta.db_table: list(owned_rows(model, customer))
        for model in customer_paths()
        if issubclass(model, Resource)
    }
    ids = {
        getattr(row, f"{key}_id")
        for model, key in address_foreign_keys()
        for row in found[model._meta.db_table]
    }
    once = Q(pk__in=person.once["addresses"]) & ~held_addresses()
    addresses = list(Address.objects.filter(Q(pk__in=ids - {None}) | once))
    return {**found, "addresses": [*addresses, *_nobodys_addresses(person, but=addresses)]}


def held_addresses(**by: object) -> Q:
    """The condition on the addresses that somebody holds, by a row that is as `by` says."""
    return reduce(
        or_,
        (
            Q(Exists(model.objects.filter(**{key: OuterRef("pk")}, **by)))
            for model, key in address_foreign_keys()
        ),
    )


def _nobodys_addresses(person, *, but):
    """Those that nobody holds, as of an order that was never made, with an e-mail of theirs."""
    written = reduce(or_, (Q(email__holds=part) for part in person.quotes.email_parts), Q(pk=None))
    rows = Address.objects.in_mode(person.mode).filter(written & ~held_addresses())
    known = {row.pk for row in but}
    return [row for row in rows if email_key(row.email) in person.emails and row.pk not in known]
