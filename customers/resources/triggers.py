"""Attributes that do something: triggers of acts, and of moves from one status to the next."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.fields import Field

from customers.models import Resource, Transitional, TransitionError
from customers.resources import errors
from customers.resources.fields import TriggerField
from customers.resources.serializers import ResourceSerializer
from customers.services import row_changes, transitions


class TriggeredSerializer(ResourceSerializer):
    """A type with triggers: the attribute `_disable` does what `triggers["_disable"]` does.

    `triggers` maps names to functions of the locked row and, by keyword, `actor`. Those that are
    `allowed_on_create` may come with a new row, too.
    """

    triggers: ClassVar[dict[str, Callable]] = {}
    allowed_on_create: ClassVar[frozenset[str]] = frozenset()

    def get_fields(self) -> dict[str, Field]:
        """The attributes, and a trigger for each act."""
        return {**super().get_fields(), **{name: TriggerField() for name in self.triggers}}

    @classmethod
    def writable(cls, creating: bool) -> set[str]:
        """As of any type, and the triggers."""
        return super().writable(creating).union(cls.allowed_on_create if creating else cls.triggers)

    def create(self, values: dict[str, Any]) -> Resource:
        """Make a row and fire the triggers in `values`."""
        names = self.pop_triggers(values)
        row = super().create(values)
        self.fire_triggers(names, row)
        return row

    def update(self, row: Resource, values: dict[str, Any]) -> Resource:
        """Change the locked `row` and fire the triggers in `values`."""
        names = self.pop_triggers(values)
        self.has_more_to_check |= bool(names)
        row = super().update(row, values)
        self.fire_triggers(names, row)
        return row

    def pop_triggers(self, values: dict[str, Any]) -> list[str]:
        """The names of the triggers in `values`, which are taken out of them."""
        return [name for name in self.triggers if values.pop(name, False)]

    def fire_triggers(self, names: list[str], row: Resource) -> None:
        """Do what the triggers `names` do to the locked `row`, and collect what they may not do."""
        for name in names:
            with self.collected.collecting(), _transition_by(name):
                self.triggers[name](row, actor=self.principal.actor)


class TransitionalSerializer(ResourceSerializer):
    """A type whose status moves: the trigger `_place` makes the model's move `place`.

    `dated_by` maps an attribute to the trigger whose moment it tells, when sent along.
    `inherits_customer_of` names the relationship whose customer a new row takes over.
    """

    dated_by: ClassVar[dict[str, str]] = {}
    inherits_customer_of: ClassVar[str | None] = None

    def get_fields(self) -> dict[str, Field]:
        """The attributes, and a trigger for each move."""
        triggers = {f"_{name}": TriggerField() for name in self.Meta.model.transitions}
        return {**super().get_fields(), **triggers}

    @classmethod
    def writable(cls, creating: bool) -> set[str]:
        """As of any type, and on update the triggers."""
        triggers = () if creating else (f"_{name}" for name in cls.Meta.model.transitions)
        return super().writable(creating).union(triggers)

    def fill_defaults(self, values: dict[str, Any]) -> dict[str, Any]:
        """As of any type, and the customer of the row that a new one is made for."""
        values = super().fill_defaults(values)
        if self.instance is None and self.inherits_customer_of in values:
            source = values[self.inherits_customer_of]
            source = row_changes.lock(source, type(source).objects)  # it keeps its customer
            values = {**values, self.inherits_customer_of: source, "customer": source.customer}
        return values

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError for a moment without its trigger, and for one to come."""
        for attribute, trigger in self.dated_by.items():
            if attribute in values and not values.get(trigger) and trigger not in self.wrong:
                message = f"is set by {trigger} alone"
                raise ValidationError({attribute: ErrorDetail(message, "invalid")})
            if (at := values.get(attribute)) and at > timezone.now():
                raise ValidationError({attribute: ErrorDetail("is not past", "invalid")})
        return super().validate(values)

    def update(self, row: Resource, values: dict[str, Any]) -> Resource:
        """Change the locked `row`, then make the moves that `values` ask for."""
        names = [name for name in self.Meta.model.transitions if values.pop(f"_{name}", False)]
        dates = {trigger: values.pop(name, None) for name, trigger in self.dated_by.items()}
        self.has_more_to_check |= bool(names)
        row = super().update(row, values)
        if isinstance(row, Transitional):
            for name in names:
                with self.collected.collecting(), _transition_by(f"_{name}"):
                    transitions.apply_transition(row, name, at=dates.get(f"_{name}"))
        return row


@contextmanager
def _transition_by(trigger: str) -> Iterator[None]:
    """Let a TransitionError be one about the attribute `trigger`."""
    try:
        yield
    except TransitionError as error:
        raise errors.UnprocessableError(
            str(error), pointer=f"/data/attributes/{trigger}", error="forbidden"
        ) from error
