"""How the status of a row may move: a table that the model declares."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models

from customers.models.base import Resource


class TransitionError(Exception):
    """The row's state does not allow the move; the message says why."""


@dataclass(frozen=True)
class Move:
    """From one of the statuses `sources` (any when empty) to the status `to` (unchanged when None).

    `stamp` is the column that the move dates; `clears` the one that it empties.
    """

    sources: frozenset[str]
    to: str | None = None
    stamp: str | None = None
    clears: str | None = None


def move(
    *sources: str, to: str | None = None, stamp: str | None = None, clears: str | None = None
) -> Move:
    return Move(frozenset(sources), to, stamp, clears)


ARCHIVING = {"archive": move(stamp="archived_at"), "unarchive": move(clears="archived_at")}


class Transitional(Resource):
    """A model whose `transitions` name the moves of its status."""

    status: "models.CharField[Any, str]"
    transitions: dict[str, Move] = {}

    class Meta(Resource.Meta):
        abstract = True

    def apply_transition(self, name: str, at: datetime) -> set[str]:
        """Set, without saving, what the move `name` changes; return the columns' names.

        `at` is the moment that it is dated. Raises TransitionError.
        """
        step = self.transitions[name]
        if step.sources and self.status not in step.sources:
            raise TransitionError(f"cannot follow the status {self.status}")
        changed: dict[str, Any] = {}
        if step.to:
            changed["status"] = step.to
        if step.stamp:
            if not step.to and getattr(self, step.stamp) is not None:
                raise TransitionError(f"has been done: {step.stamp} is set")
            changed[step.stamp] = at
        if step.clears:
            if getattr(self, step.clears) is None:
                raise TransitionError(f"has nothing to undo: {step.clears} is not set")
            changed[step.clears] = None
        for column, value in changed.items():
            setattr(self, column, value)
        return set(changed)
