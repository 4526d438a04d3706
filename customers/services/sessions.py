"""Customers who log in, stay logged in, and are logged out."""

import re
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from customers.models import Application, Customer, QueuedMail, Session, digest, email_key
from customers.services import limits, passwords, tokens
from customers.services.actors import Actor
from customers.services.audit import Changes
from customers.services.customers import ForgottenError
from customers.services.orders import lock_customers

WRONG = "The e-mail address or the password is wrong."
OVER = "The refresh token is not valid, or has been used before."


class LoginRefusedError(Exception):
    """The address or the password is wrong, or the session is over."""


class ScopeExceededError(Exception):
    """More is asked for than the session was given."""


def authenticate(email: str, password: str, *, mode: str, client: str) -> Customer:
    """The customer with this address and password, which `client`, an address, sends.

    Raises LoginRefusedError, after the same work, for an address that is unknown, one without a
    password, and a wrong password; limits.RateLimitedError after too many of these; and
    passwords.HashingBusyError.
    """
    passwords.customer_slots.check_free()
    key = email_key(email)
    used = limits.consume_all(
        [(limits.LOGINS, mode, key, client), (limits.ACCOUNT_LOGINS, mode, key)]
    )
    customer = Customer.objects.filter(mode=mode, email_key=key).first()
    try:
        right = passwords.verify_password(password, customer.password if customer else None)
    except passwords.HashingBusyError:
        limits.refund_all(used)
        raise
    if customer is None or not right:
        raise LoginRefusedError(WRONG)
    limits.refund_all(used)
    return customer


def show_password(customer_id: str, password: str, *, mode: str, client: str) -> str | None:
    """What is kept of the customer's password, where it is `password`; else None.

    It is counted as logging in: raises limits.RateLimitedError and passwords.HashingBusyError.
    """
    customer = Customer.objects.filter(mode=mode, pk=customer_id).first()
    if customer is None:
        return None
    try:
        return authenticate(customer.email, password, mode=mode, client=client).password
    except LoginRefusedError:
        return None


def start(
    application: Application, customer: Customer, *, scope: str, custom_claim: object = None
) -> tuple[Session, str]:
    """Log `customer`, just authenticated, in through `application`.

    Its tokens say `custom_claim`, which whoever has authenticated the customer adds to them.
    Returns the Session and its refresh token. Raises LoginRefusedError when the password or the
    address has been changed since they were found right.
    """
    with transaction.atomic():
        _lock(customer.pk, WRONG)
        same = {"password": customer.password, "email_key": customer.email_key}
        if not Customer.objects.filter(pk=customer.pk, **same).exists():
            raise LoginRefusedError(WRONG)
        customer.sessions.filter(expires_at__lt=timezone.now()).delete()
        session = Session(
            application=application, customer=customer, scope=scope, custom_claim=custom_claim
        )
        return session, _with_new_token(session)


def refresh(
    application: Application, refresh_token: str, *, scope: str | None = None
) -> tuple[Session, str]:
    """Continue the session of `refresh_token`, a string, which this use replaces.

    Returns the Session and its new refresh token. Raises ScopeExceededError when `scope` is more
    than the session's. Raises LoginRefusedError for any other string, and for a token that has been
    used: then somebody has a copy of it, and the session ends (RFC 9700 section 4.14.2).
    """
    try:
        found = Session.objects.filter(pk=tokens.read_refresh_token(refresh_token)).first()
    except tokens.InvalidTokenError as error:
        raise LoginRefusedError(OVER) from error
    if found is None or found.application_id != application.pk:
        raise LoginRefusedError(OVER)
    if scope and not _parts(scope) <= _parts(found.scope):
        raise ScopeExceededError("The session has no such scope.")
    with transaction.atomic():
        _lock(found.customer_id, OVER)
        session = Session.objects.select_for_update().filter(pk=found.pk).first()
        if session and session.refresh_digest == digest(refresh_token):
            return session, _with_new_token(session)
        if session:
            session.delete()
    raise LoginRefusedError(OVER)


def log_out_everywhere(customer: Customer) -> None:
    """Log `customer` out everywhere: its tokens are dead at the next request."""
    Session.objects.filter(customer=customer).delete()


def follow_customer(customer: Customer, changes: Changes, *, actor: Actor | None) -> None:
    """End what an old password or an old address of the locked `customer` still opened.

    `changes` is what audit.changes_between found. Open resets were mailed to the old
    address; whoever knows the old password, or had the address, may be logged in. Who has an
    account is told at the old address that it belongs to another one now (OWASP ASVS 5.0,
    section 6.3.7).
    """
    before, after = changes.get("email", (None, None))
    moved = email_key(before) != email_key(after)
    if moved or "password" in changes:
        log_out_everywhere(customer)
    if "password" in changes or "email" in changes:
        end_resets(customer)
    had_password = changes.get("password", (customer.password,))[0] is not None
    if moved and had_password:
        QueuedMail.objects.create(
            mode=customer.mode,
            kind=QueuedMail.Kind.EMAIL_CHANGED,
            email=before,
            customer=customer,
            actor=actor,
        )


def end_resets(customer: Customer) -> None:
    """Let no token of a reset that is still open set `customer`'s password."""
    customer.customer_password_resets.exclude(token_digest=None).update(token_digest=None)


def _lock(customer_id, refusal):
    try:
        lock_customers(customer_id)
    except ForgottenError as error:  # as whoever has no account any more
        raise LoginRefusedError(refusal) from error


def _parts(scope):
    return set(re.split("[ ,]+", scope))


def _with_new_token(session):
    token = tokens.issue_refresh_token(session)
    session.refresh_digest = digest(token)
    lifetime = timedelta(seconds=settings.REFRESH_TOKEN_LIFETIME)
    session.expires_at = timezone.now() + lifetime
    session.save(update_fields=["refresh_digest", "expires_at"])
    return token
