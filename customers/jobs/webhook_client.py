"""Posting to addresses that others have chosen, and to none of our own network by it.

The network address that was checked is the one that is connected to, so that a name cannot
lead elsewhere in between. Redirects are not followed.
"""

import asyncio
import re
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import NamedTuple

import httpcore
from django.conf import settings
from django.utils import timezone

from customers.services.webhook_addresses import (
    ForbiddenAddressError,
    check_addresses,
    check_host,
)

MOST_NAMES = 64  # resolved at once, each in a thread
MOST_READ = 2**16  # bytes of an answer, after which the connection is closed
FAILURES = (OSError, httpcore.ConnectError, httpcore.NetworkError, httpcore.ProtocolError)


class Answer(NamedTuple):
    """What a receiver answered: status, reason, and when it wants to be called again, if it says.

    The status is None, and the reason says why, when there was no answer in time.
    """

    status: str | None
    reason: str
    retry_at: datetime | None = None


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to the address that it has just checked."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        check_host(host)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        check_addresses(addresses, secure=self._secure)
        return await self._backend.connect_tcp(
            addresses[0], port, timeout, local_address, socket_options
        )

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


@cache
def _authorities() -> ssl.SSLContext:
    """Whose certificates are believed; reading them takes tens of milliseconds."""
    return ssl.create_default_context()


class WebhookClient:
    """Posts from a thread of its own, many at once, so that none waits for another."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(MOST_NAMES))
        self._pools = {
            scheme: httpcore.AsyncConnectionPool(
                ssl_context=_authorities(),
                max_connections=None,
                max_keepalive_connections=100,
                keepalive_expiry=30,
                network_backend=_CheckedNetwork(secure=scheme == "https"),
            )
            for scheme in ("http", "https")
        }
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> "Future[Answer]":
        """Begin to post `body`, bytes; return a Future of the answer."""
        return asyncio.run_coroutine_threadsafe(self._post(url, body, headers), self._loop)

    async def _post(self, url, body, headers):
        pool = self._pools["https" if url.lower().startswith("https:") else "http"]
        try:
            async with (
                asyncio.timeout(settings.WEBHOOK_TIMEOUT),
                pool.stream("POST", url, headers=headers, content=body) as answer,
            ):
                reason = answer.extensions.get("reason_phrase", b"").decode(errors="replace")
                await _read(answer)
                return Answer(str(answer.status), reason, _retry_at(answer))
        except TimeoutError:
            return Answer(None, f"no answer within {settings.WEBHOOK_TIMEOUT} seconds")
        except ForbiddenAddressError as error:
            return Answer(None, str(error))
        except (*FAILURES, ValueError) as error:
            return Answer(None, type(error).__name__)

    def close(self) -> None:
        """Give up what is under way and end the thread."""
        asyncio.run_coroutine_threadsafe(self._give_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _give_up(self):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for pool in self._pools.values():
            await pool.aclose()


async def _read(answer):
    """Read a short answer, so that its connection can be used again."""
    length = 0
    async for part in answer.aiter_stream():
        length += len(part)
        if length > MOST_READ:
            break


def _retry_at(answer):
    """The moment that `Retry-After` names (RFC 9110 section 10.2.3), up to a bound, if any."""
    found = [value for name, value in answer.headers if name.lower() == b"retry-after"]
    text, most = found[0].decode("latin-1") if found else "", settings.WEBHOOK_MAX_RETRY_AFTER
    if re.fullmatch("[0-9]+", text):
        return timezone.now() + timedelta(seconds=min(float(text), most))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(moment, timezone.now() + timedelta(seconds=most))
