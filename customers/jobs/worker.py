"""The worker: what is done beside requests, and the deletion of what has expired."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from django.contrib.sessions.models import Session as StaffSession
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from customers.jobs import (
    anonymization,
    bulk,
    deliveries,
    exports,
    heartbeats,
    imports,
    mails,
    uploads,
    webhook_dispatcher,
)
from customers.models import Customer, Export, Import, RevokedToken, Session
from customers.services import database_errors, idempotency, limits, restored_copies
from customers.services.transactions import retry_on_conflict

logger = logging.getLogger(__name__)

MAIL_PAUSE = 2  # seconds between two looks for mails
CALL_PAUSE = 0.5  # and for calls
JOB_PAUSE = 1  # and for jobs
LONGEST_PAUSE = 15  # seconds, to which they grow while the database is away
EXPIRY_PAUSE = 60.0  # seconds between two deletions of what has expired


def run(stop: threading.Event) -> None:
    """Work until `stop` is set; what has been begun is finished.

    Each kind of work has a thread of its own, so that none waits for another's slow
    receivers. A database that is away or fails is waited for, with growing pauses; any other
    error ends the work, and is raised.
    """
    failed: list[BaseException] = []
    threads = [
        threading.Thread(target=_guarded, args=[loop, stop, failed]) for loop in LOOPS.values()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def run_once() -> dict[str, int]:
    """Do what is due now; return how much of each kind that was."""
    heartbeats.beat(*heartbeats.WORKS)
    acted = mailed = parts = 0
    while bulk.do_next():  # which may ask for mails
        acted += 1
    while _deliver_next():
        mailed += 1
    called = 0 if restored_copies.is_held() else webhook_dispatcher.deliver_all()
    while do_next_part():
        parts += 1
    delete_expired_rows()
    return {"bulk_chunks": acted, "mails": mailed, "webhooks": called, "parts": parts}


def do_next_part() -> Import | Export | Customer | None:
    """Do one part of a job that is due; return the job, None when none is."""
    return imports.do_import_part() or exports.do_export_part() or anonymization.anonymize_next()


def delete_expired_rows() -> None:
    """Delete the rows whose time is over."""
    now = timezone.now()
    limits.delete_expired_counts(now)
    uploads.delete_expired_uploads(now)
    idempotency.delete_expired_answers(now)
    deliveries.delete_expired_callbacks(now)
    exports.delete_expired_exports(now)
    for model in (RevokedToken, Session):
        model.objects.filter(expires_at__lt=now).delete()
    StaffSession.objects.filter(expire_date__lt=now).delete()


def _guarded(work, stop, failed):
    try:
        work(stop)
    except BaseException as error:
        failed.append(error)
        raise
    finally:
        stop.set()  # the others end too, and whoever watches the process starts it again
        connection.close()


def _send_mails(stop):
    expired_at, patience = -EXPIRY_PAUSE, _Patience(stop)
    while not stop.is_set():
        with patience:
            while _goes_on("mails", stop) and _deliver_next():
                pass
            if time.monotonic() - expired_at >= EXPIRY_PAUSE:
                expired_at = time.monotonic()
                delete_expired_rows()
        patience.rest(MAIL_PAUSE)


def _deliver_next():
    return not restored_copies.is_held() and mails.deliver_next()


def _call_due(dispatcher):
    if not restored_copies.is_held():
        dispatcher.step(CALL_PAUSE)


def _do_bulk_acts(stop):
    patience = _Patience(stop)
    while not stop.is_set():
        with patience:
            while _goes_on("bulk_chunks", stop) and bulk.do_next():
                pass
        patience.rest(MAIL_PAUSE)


def _call_webhooks(stop):
    dispatcher, patience = webhook_dispatcher.WebhookDispatcher(), _Patience(stop)
    try:
        while not stop.is_set():
            with patience:
                heartbeats.beat("webhooks")
                _call_due(dispatcher)
            if dispatcher.is_idle or patience.failures:
                patience.rest(CALL_PAUSE)
    finally:
        with patience:
            dispatcher.finish()


def _loop_of(name: str, do_part: Callable[[], Any]) -> Callable[[threading.Event], None]:
    """A function that calls `do_part`, true while there is more to do, until it is stopped."""

    def work(stop):
        patience = _Patience(stop)
        while not stop.is_set():
            with patience:
                while _goes_on(name, stop) and retry_on_conflict(do_part):
                    pass
            patience.rest(JOB_PAUSE)

    return work


def _goes_on(work, stop):
    """Whether to look for more of `work`; the heartbeat that goes with it is written."""
    heartbeats.beat(work)
    return not stop.is_set()


LOOPS = {  # kind of work: the function that looks for it until it is stopped
    "mails": _send_mails,
    "webhooks": _call_webhooks,
    "bulk_chunks": _do_bulk_acts,
    "imports": _loop_of("imports", imports.do_import_part),
    "exports": _loop_of("exports", exports.do_export_part),
    "anonymizations": _loop_of("anonymizations", anonymization.anonymize_next),
}


class _Patience:
    """Lets a database that fails a loop fail: the loop goes on, over a new connection.

    Its pauses grow with each failure in a row, until `stop` is set.
    """

    def __init__(self, stop: threading.Event) -> None:
        self.stop, self.failures = stop, 0

    def __enter__(self) -> None:
        close_old_connections()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if not isinstance(error, DatabaseError | InterfaceError):
            self.failures = 0
            return False
        self.failures += 1
        connection.close()
        fault = database_errors.fault_of(error)
        logger.log(
            fault.level if fault else logging.ERROR,
            "%s (%s)",
            fault.detail if fault else "A statement of the worker's failed.",
            ", ".join(filter(None, [type(error).__name__, database_errors.place_of(error)])),
        )
        return True

    def rest(self, seconds: float) -> None:
        """Wait for `seconds`, after failures longer, until it is time to stop."""
        self.stop.wait(min(seconds * 2**self.failures, max(seconds, LONGEST_PAUSE)))
