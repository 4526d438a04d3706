"""Imports: many rows made or changed by the API's own rules, part by part.

Each part and the count of what is done are written in one transaction, so that a worker
that is killed leaves nothing half done and nothing is done twice: whoever comes next goes on
at the next input.
"""

import gzip
import time

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from customers.jobs import lifecycle
from customers.models import Customer, CustomerSubscription, Import, email_key
from customers.resources import operations
from customers.services import audit, jobs, principals, spreadsheets
from customers.services.imports import SECRET, UnreadableInputError, check_open, opened, read, store

KEYS = {"customers": "email", "orders": "number", "tags": "name"}
SPELLED = {"customers": "email", "customer_subscriptions": "customer_email"}  # a part of their keys
PARENTS = {
    "customer_addresses": "customer",
    "customer_payment_sources": "customer",
    "orders": "customer",
    "sku_list_items": "sku_list",
    "sku_lists": "customer",
}
PART = 250  # inputs of one transaction, at most
LONGEST_PART = 1  # seconds, after which it ends: others wait for what it has locked


def begin(
    resource_type,
    given,
    *,
    mode,
    actor,
    format=Import.Format.JSON,
    skip_errors=False,
    numbers=None,
):
    """A new import of `given`, for the worker to do.

    Raises UnreadableInputError and TooManyJobsError.

    `numbers` are those by which whoever has the rows knows them.
    """
    rows = read(given, format)
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
        store(job, rows, numbers)
        audit.record(job, "create", actor=actor)
    return job


def faults(resource_type, rows, *, mode, actor, most=20, tries=300):
    """What an import of `rows` would refuse, by trying it: pairs of an index and its errors.

    The first `most`; nothing is kept. Errors are pairs of a name and what is wrong with it.
    Rows that make new customers of plain attributes are checked at once, of the others
    `tries` at most are tried.
    """
    part, found = _Part(Import(resource_type=resource_type, mode=mode, actor=actor)), []
    ready = part._ready(rows)
    others = [number for number in range(len(rows)) if number not in ready]
    with transaction.atomic():
        for number in others[:tries]:
            try:
                with transaction.atomic():
                    part._write(rows[number])
            except operations.WriteRefusedError as error:
                found.append((number, error.errors))
                if len(found) == most:
                    break
        transaction.set_rollback(True)
    return found


def step(rows=None):
    """As jobs.step, of the imports in the queryset `rows`, without it of all."""
    return lifecycle.step(Import.objects.all() if rows is None else rows, _do_part)


def _do_part(job):
    _Part(job).run()
    if job.status == Import.Status.IN_PROGRESS and job.position >= job.inputs_size:
        job.status, job.completed_at = Import.Status.COMPLETED, timezone.now()
        job.stored_inputs.delete()
        audit.publish(job, "complete")


def file_of(signed):
    """The import whose inputs a link's end `signed` leads to. Raises Import.DoesNotExist."""
    return jobs.linked(Import.objects.filter(stored_inputs__isnull=False), signed)


def content_of(job):
    """The bytes of a file of the `job`'s inputs without secrets, compressed with gzip."""
    rows = [
        {name: value for name, value in row.items() if not audit.is_secret(name)}
        for row in job.stored_inputs.rows
    ]
    if job.format == Import.Format.CSV:
        names = dict.fromkeys(name for row in rows for name in row)
        return [gzip.compress(spreadsheets.table(rows, list(names)))]
    return [gzip.compress(orjson.dumps(rows))]


class _Part:
    """The next inputs of an import, and what becomes of each."""

    def __init__(self, job):
        self.job = job
        self.principal = principals.InternalPrincipal(job.mode, job.actor)
        self.relationships = operations.relationships(job.resource_type)
        self.new = []  # of the inputs before the present one, customers to be made at once

    def run(self):
        job = self.job
        rows = job.stored_inputs.rows[job.position : job.position + PART]
        until = time.monotonic() + LONGEST_PART
        with audit.suppress_webhooks(not settings.IMPORTS_TRIGGER_WEBHOOKS):
            ready = self._ready(rows)
            for number, row in enumerate(rows):
                if job.status != Import.Status.IN_PROGRESS:
                    return
                if number in ready:
                    self.new.append((row, ready[number]))
                else:
                    self._make_new()
                    self._one(row)
                    if time.monotonic() > until:
                        return
            self._make_new()

    def _ready(self, rows):
        """The inputs that make new customers of plain attributes, checked: values by number."""
        if self.job.resource_type != "customers":
            return {}
        plain = {}
        for number, row in enumerate(rows):
            email = row.get("email")
            if isinstance(email, str) and not any(map(self._is_more_than_plain, row)):
                plain.setdefault(email_key(email), (number, row))
        known = set(
            Customer.objects.in_mode(self.job.mode)
            .filter(email_key__in=plain)
            .values_list("email_key", flat=True)
        )
        plain = [found for key, found in plain.items() if key not in known]
        checked = operations.validated("customers", self.principal, [values for _, values in plain])
        return {
            number: values
            for (number, _), values in zip(plain, checked, strict=True)
            if values is not None
        }

    def _is_more_than_plain(self, name):
        stem = name.partition(".")[0].removesuffix("_id")
        return name in ("id", SECRET) or name.startswith("_") or stem in self.relationships

    def _make_new(self):
        """Make the customers in `new` at once; should one have been made meanwhile, one by one."""
        new, self.new = self.new, []
        if not new:
            return
        customers = [Customer(mode=self.job.mode, **values) for _, values in new]
        for customer in customers:
            customer.updated_at = customer.created_at
        try:
            with transaction.atomic():
                Customer.objects.bulk_create(customers)
                audit.record_many(dict.fromkeys(customers), "create", actor=self.job.actor)
        except IntegrityError:
            for row, _ in new:
                self._one(row)
        else:
            self.job.processed_count += len(new)

    def _one(self, row):
        """Make or change the row that one input is about, and count it."""
        job = self.job
        if job.status != Import.Status.IN_PROGRESS:
            return
        try:
            with transaction.atomic():
                self._write(row)
        except operations.WriteRefusedError as error:
            self._log(row, error.errors)
        else:
            job.processed_count += 1

    def _log(self, row, errors):
        job = self.job
        key = row.get(KEYS.get(job.resource_type, "id")) or row.get("id")
        key = key if isinstance(key, str) else None
        numbers = job.stored_inputs.numbers
        number = numbers[job.position] if numbers else job.position + 1
        told = job.errors_log.setdefault(key or f"input {job.position + 1}", {})
        for name, message in errors:
            told.setdefault(name or "base", []).append(message)
            job.refusals.append([number, key, name or "base", message])
        job.errors_count += 1
        if job.too_many_errors:
            jobs.interrupt(job)

    def _write(self, row):
        row = dict(row)
        if isinstance(row.get(SECRET), str):
            row[SECRET] = _plain_secret(row[SECRET])
        self._give_parent(row)
        pk = row.pop("id", None)
        attributes, relationships = self._split(row)
        tags = {
            name: attributes.pop(name)
            for name in ("_add_tags", "_remove_tags")
            if name in attributes
        }
        found = self._found(pk, attributes)
        if found is None:
            found = operations.create(
                self.job.resource_type, self.principal, attributes, relationships
            )
            attributes, relationships = {}, {}
        elif pk is None:  # found by an address, which stays as it is spelled
            attributes.pop(SPELLED.get(self.job.resource_type), None)
        if attributes or relationships or tags:
            operations.update(found, self.principal, {**attributes, **tags}, relationships)

    def _give_parent(self, row):
        """Add the parent that the import names to a new `row` that names none of its own."""
        name, parent = PARENTS.get(self.job.resource_type), self.job.parent_resource_id
        named = {key.partition(".")[0].removesuffix("_id") for key in row}
        if name and parent and not named & {name, "id"}:
            row[f"{name}_id"] = parent

    def _found(self, pk, attributes):
        """The row that an input is about, None when it is to be made.

        Raises operations.WriteRefusedError.
        """
        kind, mode = self.job.resource_type, self.job.mode
        if pk is not None:
            row = isinstance(pk, str) and operations.row(kind, pk, self.principal)
            if not row:
                raise operations.WriteRefusedError([("id", "is that of no resource")])
            return row
        email = attributes.get("customer_email")
        if kind == "customer_subscriptions" and isinstance(email, str):
            return CustomerSubscription.objects.filter(
                mode=mode,
                customer__email_key=email_key(email),
                reference=attributes.get("reference"),
            ).first()
        key = attributes.get(KEYS.get(kind))
        if not isinstance(key, str):
            return None
        if kind == "customers":
            return Customer.objects.filter(mode=mode, email_key=email_key(key)).first()
        return operations.rows(kind, self.principal, {f"{KEYS[kind]}_eq": key}).first()

    def _split(self, row):
        """The attributes and the relationships that an input names.

        Raises operations.WriteRefusedError.

        A related row is named as `customer_group_id`, as `customer_group: {"id": …}` or as
        `customer_group.id`; a customer also by `customer.email`, tags by `tags.name`; an
        address may be given whole, and is made.
        """
        attributes, relationships, nested = {}, {}, {}
        for name, value in row.items():
            outer, dot, inner = name.partition(".")
            if dot:
                nested.setdefault(outer, {})[inner] = value
            elif name in self.relationships:
                nested[name] = value
            elif name.removesuffix("_id") != name and name[:-3] in self.relationships:
                nested[name[:-3]] = {"id": value}
            else:
                attributes[name] = value
        for name, value in nested.items():
            if name not in self.relationships:
                raise operations.WriteRefusedError([(name, "is no relationship")])
            if name == "customer" and isinstance(value, dict) and "email" in value:
                attributes["customer_email"] = value["email"]
            else:
                relationships[name] = self._linkage(name, value)
        return attributes, relationships

    def _linkage(self, name, value):
        to_many, kinds = self.relationships[name]
        if to_many:
            return self._linkages(name, kinds[0], value)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise operations.WriteRefusedError([(name, "must be an object")])
        if "id" in value:
            if value["id"] is None:
                return None
            return {"type": value.get("type", kinds[0]), "id": value["id"]}
        if name == "address":
            made = operations.create("addresses", self.principal, value)
            return {"type": "addresses", "id": made.pk}
        raise operations.WriteRefusedError([(name, "must have an id")])

    def _linkages(self, name, kind, value):
        if isinstance(value, dict):  # {"name": "vip,newsletter"}, as of a column tags.name
            value = [
                {inner: one}
                for inner, text in value.items()
                for one in (text.split(",") if isinstance(text, str) else [text])
            ]
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise operations.WriteRefusedError([(name, "must be a list of objects")])
        names = [one["name"] for one in value if isinstance(one.get("name"), str)]
        rows = []
        if names:
            rows = list(
                operations.rows(kind, self.principal, {"name_in": [n.lower() for n in names]})
            )
        ids = [row.pk for row in rows] + [one["id"] for one in value if "id" in one]
        if not all(isinstance(pk, str) for pk in ids):
            raise operations.WriteRefusedError([(name, "must have ids that are strings")])
        return [{"type": kind, "id": pk} for pk in dict.fromkeys(ids)]


def _plain_secret(sealed):
    try:
        return opened(sealed)
    except UnreadableInputError as error:
        raise operations.WriteRefusedError([(SECRET, str(error))]) from error
