"""Choosing a new password by a token that was mailed, or handed over by a program."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from customers.models import Customer, CustomerPasswordReset, QueuedMail
from customers.services import audit, row_changes, sessions
from customers.services.actors import Actor
from customers.services.customers import ForgottenError
from customers.services.passwords import hash_password


class WrongResetTokenError(Exception):
    """The token is not the reset's, or has been used, or another one was used since."""


class ResetExpiredError(Exception):
    """The token is the reset's, and too late."""


def create_reset(
    customer: Customer, *, actor: Actor | None, lifetime: int | None = None
) -> CustomerPasswordReset:
    """A new reset for `customer`; its `reset_password_token` is readable on it only now.

    It lives `lifetime` seconds, without it settings.PASSWORD_RESET_LIFETIME. Raises
    ForgottenError.
    """
    given = {} if lifetime is None else {"expires_at": timezone.now() + timedelta(seconds=lifetime)}
    with transaction.atomic():
        row_changes.admit(customer)
        reset = CustomerPasswordReset.objects.create(customer=customer, mode=customer.mode, **given)
        audit.record(reset, "create", actor=actor)
    return reset


def find_reset(pk: str, token: str, *, mode: str) -> CustomerPasswordReset:
    """The reset `pk` if `token` opens it now. Raises WrongResetTokenError and ResetExpiredError."""
    try:
        reset = CustomerPasswordReset.objects.in_mode(mode).with_id(pk)
    except CustomerPasswordReset.DoesNotExist as error:
        raise WrongResetTokenError from error
    _check(reset, token)
    return reset


def complete_reset(
    reset: CustomerPasswordReset, token: str, password: str, *, actor: Actor | None
) -> None:
    """Let `password` be that of the locked `reset`'s customer, who is locked too.

    Every other reset, token and session of the customer is revoked with it. Raises
    WrongResetTokenError, ResetExpiredError, and ValidationError for a password that is not
    accepted; then nothing is changed. Runs in the caller's transaction, which enters the reset's
    change into the audit log.
    """
    _check(reset, token)
    hashed = hash_password(password, addresses=[reset.customer.email])
    set_password(reset.customer, hashed, actor=actor)
    reset.token_digest, reset.reset_password_at = None, timezone.now()
    reset.save(update_fields=["token_digest", "reset_password_at"])
    audit.publish(reset, "reset_password")


def redeem_reset(pk: str, token: str, password: str, *, mode: str) -> None:
    """As `complete_reset`, of the reset `pk`, in a transaction of its own."""
    with transaction.atomic():
        rows = CustomerPasswordReset.objects.in_mode(mode)
        try:
            reset = row_changes.lock(find_reset(pk, token, mode=mode), rows)
        except ForgottenError as error:  # the reset has gone with the person
            raise WrongResetTokenError from error
        before = audit.audited_values(reset)
        complete_reset(reset, token, password, actor=None)
        row_changes.record_update(reset, before, actor=None)


def has_set(pk: str, password: str, *, mode: str, client: str) -> bool:
    """Whether the reset `pk` has set `password`, as long as it would have worked.

    Whoever asks, from the network address `client`, asks as one who logs in: it raises
    limits.RateLimitedError and passwords.HashingBusyError.
    """
    rows = CustomerPasswordReset.objects.in_mode(mode).select_related("customer")
    try:
        reset = rows.exclude(reset_password_at=None).with_id(pk)
        if reset.is_over:
            return False
        sessions.authenticate(reset.customer.email, password, mode=mode, client=client)
    except (CustomerPasswordReset.DoesNotExist, sessions.LoginRefusedError):
        return False
    return True


def set_password(customer: Customer, hashed: str, *, actor: Actor | None) -> None:
    """Let `hashed`, of hash_password, be the locked `customer`'s password; tell it by mail."""
    before = audit.audited_values(customer)
    customer.password = hashed
    customer.save(update_fields=["password"])
    row_changes.record_update(customer, before, actor=actor)
    tell_change(customer, customer.email, actor=actor)


def tell_change(customer: Customer, email: str, *, actor: Actor | None) -> None:
    """Let the worker mail to `email` that the password of `customer` was changed."""
    QueuedMail.objects.create(
        mode=customer.mode,
        kind=QueuedMail.Kind.PASSWORD_CHANGED,
        email=email,
        customer=customer,
        actor=actor,
    )


def _check(reset, token):
    if not reset.accepts(token):
        raise WrongResetTokenError
    if reset.is_over:
        raise ResetExpiredError
