"""A part of an import: its next inputs, in one transaction, and what becomes of each."""

import time
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from customers.jobs.import_inputs import InputWriter
from customers.models import Customer, Import, email_key, models_by_type
from customers.resources import operations
from customers.services import audit, jobs
from customers.services.imports import Rows

PART = 250  # inputs of one transaction, at most
LONGEST_PART = 1  # seconds, after which it ends: others wait for what it has locked


class ImportPart:
    """The next inputs of an import, and what becomes of each."""

    def __init__(self, job: Import) -> None:
        self.job = job
        self.writer = InputWriter(job)
        # of the inputs before the present one, customers to be made at once, with their values
        self.new: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def run(self) -> None:
        """Do what fits into one transaction, and count it in the job, which is not saved."""
        job = self.job
        rows = job.stored_inputs.rows[job.position : job.position + PART]
        until = time.monotonic() + LONGEST_PART
        with audit.suppress_webhooks(not settings.IMPORTS_TRIGGER_WEBHOOKS):
            ready = self.ready(rows)
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

    def ready(self, rows: Rows) -> dict[int, dict[str, Any]]:
        """The inputs that make new customers of plain attributes, checked: values by number."""
        if self.job.resource_type != "customers":
            return {}
        plain: dict[str | None, tuple[int, dict[str, Any]]] = {}
        for number, row in enumerate(rows):
            email = row.get("email")
            if isinstance(email, str) and self.writer.is_plain(row):
                plain.setdefault(email_key(email), (number, row))
        known = set(
            Customer.objects.in_mode(self.job.mode)
            .filter(email_key__in=plain)
            .values_list("email_key", flat=True)
        )
        unknown = [found for key, found in plain.items() if key not in known]
        given = [row for _, row in unknown]
        checked = operations.validated("customers", self.writer.principal, given)
        return {
            number: values
            for (number, _), values in zip(unknown, checked, strict=True)
            if values is not None
        }

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
                passed_over = self.writer.write(row)
        except operations.WriteRefusedError as error:
            self._log(row, error.errors)
            job.errors_count += 1
            if job.too_many_errors:
                jobs.interrupt(job)
        else:
            if passed_over:
                self._log(row, passed_over)
                job.warnings_count += 1
            job.processed_count += 1

    def _log(self, row, errors):
        """Write down `errors` of `row`, the next one, whether it is refused or not."""
        job = self.job
        key = row.get(models_by_type()[job.resource_type].import_key or "id") or row.get("id")
        key = key if isinstance(key, str) else None
        numbers = job.stored_inputs.numbers
        number = numbers[job.position] if numbers else job.position + 1
        told = job.errors_log.setdefault(key or f"input {job.position + 1}", {})
        for name, message in errors:
            told.setdefault(name or "base", []).append(message)
            job.refusals.append([number, key, name or "base", message])
