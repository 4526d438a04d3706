"""The mode that a member of staff works in, kept in their session: test until they switch."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from customers.models import Mode

KEY = "mode"


def mode_of(session: Mapping[str, Any]) -> Mode:
    """The mode chosen in `session`, a mapping."""
    mode = session.get(KEY)
    return Mode(mode) if mode in Mode.values else Mode.TEST


def choose(session: MutableMapping[str, Any], mode: str | None) -> None:
    """Work in `mode` from now on. Raises ValueError when there is no such mode."""
    session[KEY] = Mode(mode).value


def other(mode: str) -> Mode:
    """The mode that `mode` is not."""
    return Mode.LIVE if mode == Mode.TEST else Mode.TEST
