"""How often somebody may do something, counted in Redis or in the database."""

import hashlib
import hmac
import ipaddress
import logging
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from django.conf import settings
from django.db.models import F

from customers.models import Counter

logger = logging.getLogger(__name__)

# KEYS: this stretch of time and the one before; ARGV: limit, weight of the one before, seconds.
COUNT_UP = """
local allowed = math.floor(ARGV[1] - tonumber(redis.call('GET', KEYS[2]) or '0') * ARGV[2])
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
if count >= allowed then return {-1, allowed} end
count = redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], 2 * ARGV[3])
return {count, allowed}
"""


GIVE_BACK = """
if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end
"""


class Limited(Exception):
    """It was done too often; it may be tried again in `retry_after` seconds."""

    def __init__(self, limit, retry_after):
        super().__init__(f"Too many requests; try again in {retry_after} seconds.")
        self.headers = {**Use(limit, 0).headers, "Retry-After": str(retry_after)}


@dataclass(frozen=True)
class Limit:
    """`setting` names the setting that says how often `what` may be done in `seconds`."""

    what: str
    setting: str
    seconds: int

    @property
    def count(self):
        return getattr(settings, self.setting)


@dataclass(frozen=True)
class Use:
    """One use of a limit, after which `remaining` are left; it is counted under `key`."""

    limit: Limit
    remaining: int
    key: str = ""

    @property
    def headers(self):
        """What the API's clients read: the number, its seconds, and what is left."""
        return {
            "X-Ratelimit-Limit": str(self.limit.count),
            "X-Ratelimit-Interval": str(self.limit.seconds),
            "X-Ratelimit-Remaining": str(self.remaining),
        }


API = Limit("api", "API_REQUESTS_PER_MINUTE", 60)
TOKENS = Limit("tokens", "TOKEN_REQUESTS_PER_MINUTE", 60)
PAGES = Limit("pages", "PAGE_REQUESTS_PER_MINUTE", 60)
LOGINS = Limit("logins", "LOGIN_FAILURES_PER_CLIENT", 600)  # of one account from one address
ACCOUNT_LOGINS = Limit("account logins", "LOGIN_FAILURES_PER_ACCOUNT", 3600)  # from anywhere


def use(limit, *who):
    """Count one use of `limit` by `who`, strings. Returns a Use. Raises Limited.

    The window slides: what was done in the stretch of time before counts by the part of
    it that the window still covers. What is refused is not counted, so that nobody can be
    kept out by trying.
    """
    number, elapsed = divmod(time.time(), limit.seconds)
    weight = 1 - elapsed / limit.seconds
    keys = [_key(limit, who, int(number) - back) for back in (0, 1)]
    count, allowed = _count_up(limit, keys, int(number), weight)
    if count is None:
        raise Limited(limit, math.ceil(max(1, limit.seconds - elapsed)))
    return Use(limit, allowed - count, keys[0])


def give_back(used):
    """Take `used`, a Use, back: it was no failure."""
    if settings.REDIS_URL:
        try:
            _redis().register_script(GIVE_BACK)(keys=[used.key])
            return
        except _redis_errors():
            pass
    Counter.objects.filter(key=used.key, count__gt=0).update(count=F("count") - 1)


def sweep(now):
    """Delete the counts that no window covers at `now` any more."""
    Counter.objects.filter(expires_at__lt=now).delete()


def client_of(meta):
    """The network address of the client that sent a request with the WSGI environment `meta`.

    A proxy among settings.TRUSTED_PROXIES is believed about who stands behind it
    (X-Forwarded-For, read from the right). Of an IPv6 address it is the first 64 bits,
    which one client has to itself.
    """
    hops = [meta.get("REMOTE_ADDR", ""), *reversed(meta.get("HTTP_X_FORWARDED_FOR", "").split(","))]
    if not hops[0] and "unix" in settings.TRUSTED_PROXIES:  # a Unix socket has no address
        hops.pop(0)
    address = None
    for hop in hops:
        try:
            address = ipaddress.ip_address(hop.strip())
        except ValueError:
            break
        if not any(address in network for network in settings.PROXY_NETWORKS):
            break
    if address is None:
        return "unknown"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def axes_address(request):
    """`client_of` a request as an address alone, for django-axes, None when it is unknown."""
    client = client_of(request.META)
    return None if client == "unknown" else client.partition("/")[0]


def _count_up(limit, keys, number, weight):
    """Count one more in the stretch `number` if the window allows it.

    `keys` are those of that stretch and of the one before. Returns the count, None when it is
    refused, and how many the window allows in the stretch.
    """
    if settings.REDIS_URL:
        try:
            script = _redis().register_script(COUNT_UP)
            count, allowed = script(keys=keys, args=[limit.count, weight, limit.seconds])
            return None if count < 0 else count, allowed
        except _redis_errors() as error:
            logger.warning("Redis does not answer (%s).", type(error).__name__)
    before = Counter.objects.filter(key=keys[1]).values_list("count", flat=True).first() or 0
    allowed = math.floor(limit.count - before * weight)
    if allowed < 1:
        return None, allowed
    expires_at = datetime.fromtimestamp((number + 2) * limit.seconds, UTC)
    return Counter.count_up(keys[0], below=allowed, expires_at=expires_at), allowed


def _key(limit, who, number):
    """The key of a count: nobody's address can be read off it."""
    text = "\0".join([limit.what, *who]).encode(errors="surrogatepass")
    hidden = hmac.new(settings.SECRET_KEY.encode(), text, hashlib.sha256).hexdigest()
    return f"{hidden}:{number}"


@cache
def _redis():
    import redis  # only where it is used
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=1,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 0),  # what was counted must not be counted again
    )


def _redis_errors():
    import redis

    return redis.RedisError
