"""Where the uses of limits are counted: in Redis, in the database or in the process."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from threading import Lock
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.db.models import F
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from customers.models import Counter

logger = logging.getLogger(__name__)

FORSAKEN_FOR = 5  # seconds in which a Redis that failed is not asked again
MOST_KEPT = 20_000  # counts in one process

# Of each limit, KEYS: this stretch of time and the one before; ARGV: how many, the length of
# a stretch and what of it has passed. All are counted up, or none.
COUNT_UP = """
local found, free = {}, 1
for i = 1, #KEYS, 2 do
  local most, length, elapsed = unpack(ARGV, (i - 1) / 2 * 3 + 1, (i - 1) / 2 * 3 + 3)
  local count = tonumber(redis.call('GET', KEYS[i]) or '0')
  local before = tonumber(redis.call('GET', KEYS[i + 1]) or '0')
  if (count + 1) * length + before * (length - elapsed) > most * length then free = 0 end
  found[i], found[i + 1] = count, before
end
if free == 1 then
  for i = 1, #KEYS, 2 do
    redis.call('INCR', KEYS[i])
    redis.call('PEXPIRE', KEYS[i], 2 * ARGV[(i - 1) / 2 * 3 + 2])
  end
end
return {free, unpack(found)}
"""


REFUND = """
if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end
"""


class CountedLimit(Protocol):
    """How often something may be done in `seconds`; one that is `local` counts in this process."""

    @property
    def seconds(self) -> int: ...

    @property
    def local(self) -> bool: ...

    @property
    def count(self) -> int: ...


@dataclass(frozen=True)
class WindowCount:
    """A limit at a moment: `keys` are those of this stretch of time and of the one before."""

    limit: CountedLimit
    keys: tuple[str, str]
    number: int  # of this stretch
    elapsed: int  # milliseconds of it

    @property
    def length(self) -> int:
        return self.limit.seconds * 1000

    def room(self, before: int) -> int:
        """How many uses this stretch may hold when the one before held `before`."""
        most = self.limit.count * self.length - before * (self.length - self.elapsed)
        return most // self.length

    def wait(self, count: int, before: int) -> int:
        """Milliseconds until one more use gets through, 0 when one does now."""
        length, most = self.length, self.limit.count
        if count < self.room(before):
            return 0
        if count < most:  # in this stretch, when the one before weighs little enough
            return length - (most - count - 1) * length // before - self.elapsed
        return 2 * length - (most - 1) * length // count - self.elapsed


State = tuple[int, int]  # what this stretch of time has counted, and the one before
Counted = tuple[bool, list[State]]


def count_up(counts: list[WindowCount]) -> Counted:
    """Count each of `counts` up if every limit allows it.

    Returns whether they do, and of each what this stretch and the one before counted until then.
    """
    return _asked_redis(counts) or _store_of(counts)(counts)


def count_down(key: str, *, local: bool) -> None:
    """Take one from what is counted under `key`."""
    if _asked_redis_for(lambda redis: redis.register_script(REFUND)(keys=[key])):
        return
    if local:
        _kept_here.count_down(key)
    else:
        Counter.objects.filter(key=key, count__gt=0).update(count=F("count") - 1)


def _asked_redis(counts):
    """As a store; None where there is no Redis that answers."""

    def ask(redis: Redis) -> Counted:
        keys = [key for one in counts for key in one.keys]
        numbers = [n for one in counts for n in (one.limit.count, one.length, one.elapsed)]
        free, *found = redis.register_script(COUNT_UP)(keys=keys, args=numbers)
        return free == 1, list(zip(found[::2], found[1::2], strict=True))

    return _asked_redis_for(ask)


def _store_of(counts):
    return _kept_here.count_up if counts[0].limit.local else _counted_in_database


def _counted_in_database(counts):
    states = _stored(counts)
    if not _all_free(counts, states):
        return False, states
    together = transaction.atomic() if len(counts) > 1 else nullcontext()
    try:
        with together:
            return True, [_counted(one, before) for one, (_, before) in _pairs(counts, states)]
    except _FullError:  # by others, meanwhile; what was counted before it has been undone
        return False, _stored(counts)


class _FullError(Exception):
    """A limit is used up."""


def _counted(one, before):
    expires_at = datetime.fromtimestamp((one.number + 2) * one.limit.seconds, UTC)
    count = Counter.count_up(one.keys[0], below=one.room(before), expires_at=expires_at)
    if count is None:
        raise _FullError
    return count - 1, before


def _stored(counts):
    keys = [key for one in counts for key in one.keys]
    found = dict(Counter.objects.filter(key__in=keys).values_list("key", "count"))
    return [tuple(found.get(key, 0) for key in one.keys) for one in counts]


def _all_free(counts, states):
    return all(count < one.room(before) for one, (count, before) in _pairs(counts, states))


def _pairs(counts, states):
    return zip(counts, states, strict=True)


class _Process:
    """Counts in this process: those that were asked for longest ago make room for others."""

    def __init__(self):
        self.counts, self.lock = OrderedDict(), Lock()

    def count_up(self, counts: list[WindowCount]) -> Counted:
        """As the function."""
        with self.lock:
            states = [tuple(self.counts.get(key, 0) for key in one.keys) for one in counts]
            free = _all_free(counts, states)
            for one, (count, _) in _pairs(counts, states) if free else ():
                self.counts[one.keys[0]] = count + 1
                self.counts.move_to_end(one.keys[0])
            while len(self.counts) > MOST_KEPT:
                self.counts.popitem(last=False)
        return free, states

    def count_down(self, key: str) -> None:
        with self.lock:
            if self.counts.get(key):
                self.counts[key] -= 1


_kept_here = _Process()
_forsaken: dict[str, float] = {}  # Redis' address: until when it is not asked


def _asked_redis_for(act: Callable) -> Any:
    """What `act` returns of Redis, or True; None where there is none that answers."""
    url = settings.REDIS_URL
    if not url or time.monotonic() < _forsaken.get(url, 0):
        return None
    try:
        return act(_redis()) or True
    except RedisError as error:
        _forsaken[url] = time.monotonic() + FORSAKEN_FOR
        logger.warning("Redis does not answer (%s).", type(error).__name__)
        return None


@cache
def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=1,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 0),  # what was counted must not be counted again
    )
