"""Requests that may be sent twice and are done once.

https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

import orjson
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from customers.models import IdempotentAnswer, Resource


class KeyReuseError(Exception):
    """The key was used before, with another request."""


class ForgottenAnswerError(Exception):
    """The request was done; the answer was about someone who has been forgotten."""


class Once:
    """One use of `key`, which the caller `actor` made up, for `request`, all of it as bytes."""

    def __init__(self, key: str, *, actor: str, request: bytes) -> None:
        self.key = _digest("key", actor, key)
        self.fingerprint = _digest("request", actor, request)
        secret = _hmac("answer", actor, key)
        self.cipher = Fernet(base64.urlsafe_b64encode(secret))

    def begin(self) -> Any:
        """The answer given before, as `store` got it, or None when the request is new.

        Runs in the transaction that does what is asked. One with the same key waits here
        for the other one to end. Raises KeyReuseError and ForgottenAnswerError.
        """
        IdempotentAnswer.objects.filter(key=self.key, expires_at__lt=timezone.now()).delete()
        expires_at = timezone.now() + timedelta(seconds=settings.IDEMPOTENCY_KEY_LIFETIME)
        new = IdempotentAnswer(
            key=self.key, fingerprint=self.fingerprint, answer="", expires_at=expires_at
        )
        try:
            with transaction.atomic():
                new.save(force_insert=True)
        except IntegrityError:
            found = IdempotentAnswer.objects.get(key=self.key)
        else:
            return None
        if not hmac.compare_digest(found.fingerprint, self.fingerprint):
            raise KeyReuseError
        if not found.answer:
            raise ForgottenAnswerError
        return orjson.loads(self.cipher.decrypt(found.answer.encode()))

    def store(self, answer: Any, *, about: Resource | None = None) -> None:
        """Store `answer`, JSON, to be given again; `about` is the row that was written, if any."""
        hidden = self.cipher.encrypt(orjson.dumps(answer)).decode()
        owners = {"resource_id": about.pk, "customer_id": about.owning_customer_id} if about else {}
        IdempotentAnswer.objects.filter(key=self.key).update(answer=hidden, **owners)


def delete_expired_answers(now: datetime) -> None:
    """Delete the answers that have expired at `now`."""
    IdempotentAnswer.objects.filter(expires_at__lt=now).delete()


def _hmac(purpose, *parts):
    digest = hmac.new(settings.SECRET_KEY.encode(), purpose.encode(), hashlib.sha256)
    for part in parts:
        part = part if isinstance(part, bytes) else part.encode()
        digest.update(b"%d:" % len(part) + part)
    return digest.digest()


def _digest(purpose, *parts):
    return _hmac(purpose, *parts).hex()
