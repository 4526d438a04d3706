"""Moving the status of a row."""

from datetime import datetime

from django.utils import timezone

from customers.models import Transitional
from customers.services import audit


def apply_transition(row: Transitional, name: str, *, at: datetime | None = None) -> None:
    """Make the move `name` of the locked `row`, dated `at` or now, save it and announce it.

    Raises TransitionError, and changes nothing, when the row's status does not allow it.
    """
    row.save(update_fields=row.apply_transition(name, at or timezone.now()))
    audit.publish(row, name)
