"""Mails to customers and operators: they wait in a queue until the worker sends them."""

import logging
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.template.loader import render_to_string
from django.utils import timezone

from customers.jobs.smtp import Mail, permanent_refusal
from customers.models import (
    Customer,
    CustomerPasswordReset,
    QueuedMail,
    Webhook,
    email_key,
    with_ascii_domain,
)
from customers.services import audit, password_resets
from customers.services.actors import Actor
from customers.services.customers import (
    ForgottenError,
    mark_deliverable,
    mark_undeliverable,
    refuse_forgotten,
)
from customers.services.transactions import reconnected, skip_locked

logger = logging.getLogger(__name__)

FIRST_RETRY = timedelta(seconds=30)  # doubled at each further one
MOST_ATTEMPTS = 10
ABOUT_WEBHOOKS = (QueuedMail.Kind.WEBHOOK_FAILING, QueuedMail.Kind.WEBHOOK_GONE)
CHANGES = (QueuedMail.Kind.PASSWORD_CHANGED, QueuedMail.Kind.EMAIL_CHANGED)
_done: set[str] = set()  # ids of mails that are done with, and whose rows could not be deleted yet
FAILURES = (OSError, SMTPException, ValueError)  # the last of an address that cannot be written


def request_reset(
    email: str, *, mode: str, actor: Actor | None = None, kind: str = QueuedMail.Kind.PASSWORD_RESET
) -> None:
    """Let the worker send a reset to `email`, a string of at most 254 characters.

    It does as much for an address that no one has. `actor` asked for it; without, the
    mails that one customer gets in an hour are limited. `kind` may also be INVITATION.
    """
    QueuedMail.objects.create(mode=mode, kind=kind, email=email, actor=actor)


def notify_operator(webhook: Webhook, kind: str = QueuedMail.Kind.WEBHOOK_FAILING) -> None:
    """Let the worker mail settings.OPERATOR_EMAIL, where it is set, that `webhook` is failing.

    `kind` may also be WEBHOOK_GONE: the receiver is gone, and the webhook disabled.
    """
    if settings.OPERATOR_EMAIL:
        QueuedMail.objects.create(
            mode=webhook.mode,
            kind=kind,
            email=settings.OPERATOR_EMAIL,
            actor={"application": None, "owner": {"type": "Webhook", "id": webhook.pk}},
        )


def mail_reset(
    customer: Customer,
    *,
    actor: Actor | None,
    template: str = "password_reset",
    most: int | None = None,
) -> CustomerPasswordReset | None:
    """Begin a reset and mail its link to `customer`, by a `template` of ours; return the reset.

    None is returned, and nothing done, when `most`, if given, have been begun in an hour.
    Raises ForgottenError, and one of FAILURES when the mail could not be sent; then the reset
    is gone.
    """
    invites = template == "invitation"
    lifetime = settings.INVITATION_LIFETIME if invites else settings.PASSWORD_RESET_LIFETIME
    with transaction.atomic():  # whoever changes the address waits, and ends the reset
        customer = Customer.objects.select_for_update().get(pk=customer.pk)
        refuse_forgotten(customer)
        if most is not None and _resets_this_hour(customer) >= most:
            return None
        reset = password_resets.create_reset(customer, actor=actor, lifetime=lifetime)
    context = {"link": link_of(reset), "span": _span(lifetime)}
    try:
        _send(template, customer.email, customer, **context)
    except Exception:
        reset.delete()
        raise
    return reset


def _span(seconds):
    """`seconds` in words, in the largest unit that they are many whole ones of."""
    for unit, length in (("days", 86_400), ("hours", 3600)):
        if seconds % length == 0 and seconds > length:
            return f"{seconds // length} {unit}"
    return f"{seconds // 60} minutes"


def link_of(reset: CustomerPasswordReset) -> str:
    """The page where a new `reset` is used. It holds the token: show it to the customer alone."""
    return (
        f"{settings.PUBLIC_URL}/{reset.mode}/password/reset/{reset.pk}"
        f"?token={reset.reset_password_token}"
    )


def deliver_next() -> bool:
    """Send the mail that is due longest. Returns whether one was due.

    Raises DatabaseError; a mail that was sent by then is not sent again.
    """
    _delete_done()
    with transaction.atomic():
        due = QueuedMail.objects.filter(next_attempt_at__lte=timezone.now()).order_by(
            "next_attempt_at"
        )
        mail = skip_locked(due).first()
        if mail is None:
            return False
        mail.next_attempt_at = timezone.now() + FIRST_RETRY * 2**mail.attempts
        mail.attempts += 1
        mail.save(update_fields=["attempts", "next_attempt_at"])
    try:
        _deliver(mail)
    except ForgottenError:  # the address is no one's any more
        pass
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:  # one mail's fault is not that of the others
        if not _is_given_up(mail, error):
            return True
    _done.add(mail.pk)
    _delete_done()
    return True


def _is_given_up(mail, error):
    """Whether `mail`, which failed by `error`, is not to be sent again."""
    if permanent_refusal(error):
        logger.warning("Mail %s was refused for good (%s).", mail.pk, type(error).__name__)
        return True
    logger.warning("Mail %s was not sent (%s).", mail.pk, type(error).__name__)
    if mail.attempts < MOST_ATTEMPTS:
        return False
    logger.error("Mail %s is given up after %d attempts.", mail.pk, mail.attempts)
    return True


def _delete_done():
    """Delete the rows of the mails that are done with, also of those of which it failed before."""
    if gone := [*_done]:
        QueuedMail.objects.filter(pk__in=gone).delete()
        _done.difference_update(gone)


def _deliver(mail):
    if mail.kind in ABOUT_WEBHOOKS:
        webhook = mail.actor["owner"]["id"]
        _message(mail.kind, mail.email, webhook=webhook, url=settings.PUBLIC_URL).send()
        return
    if mail.kind in CHANGES:
        _send(mail.kind, mail.email, mail.customer)
        return
    customer = Customer.objects.filter(mode=mail.mode, email_key=email_key(mail.email)).first()
    if customer is None:
        return
    if mail.kind == QueuedMail.Kind.INVITATION:
        if not customer.has_password:
            mail_reset(customer, actor=mail.actor, template="invitation")
    else:
        most = None if mail.actor else settings.MAX_RESET_MAILS
        mail_reset(customer, actor=mail.actor, most=most)


def _resets_this_hour(customer):
    recent = timezone.now() - timedelta(hours=1)
    return customer.customer_password_resets.filter(created_at__gt=recent).count()


def _send(name, email, customer, **context):
    """Send the mail of templates/emails/`name`, as text and HTML, to `email`.

    Writes the outcome into the audit log of `customer`, who may be gone, None, and whether the
    address can be delivered to. Raises one of FAILURES.
    """
    try:
        _message(name, email, **context).send()
    except Exception as error:
        if customer:
            _record_failure(customer, name, email, permanent_refusal(error))
        raise
    if customer:
        try:
            reconnected(lambda: _record_success(customer, name, email))
        except (DatabaseError, InterfaceError) as error:  # it is sent, whatever is known of it
            logger.warning("A mail is not in the audit log (%s).", type(error).__name__)


@transaction.atomic
def _record_failure(customer, name, email, answer):
    """Keep that the mail `name` failed, or was refused for good by `answer`."""
    _record(customer, name, "refused" if answer else "failed")
    if answer:
        mark_undeliverable(customer, email, answer)


@transaction.atomic
def _record_success(customer, name, email):
    _record(customer, name, "sent")
    mark_deliverable(customer, email)


def _record(customer, name, outcome):
    """Enter into the audit log that the mail `name` was "sent", "refused" or has "failed"."""
    changes = {"mail": (None, f"{name} {outcome}")}
    audit.record(customer, audit.MAIL, actor=None, changes=changes)


def _message(name, email, **context):
    """The mail of templates/emails/`name` to `email`, as text and HTML."""
    context = {"name": settings.ORGANIZATION_NAME, "support": settings.SUPPORT_EMAIL, **context}
    text = render_to_string(f"emails/{name}.txt", context)
    subject, _, body = text.partition("\n\n")
    headers = {"Auto-Submitted": "auto-generated"}  # RFC 3834: no reply is expected
    to = [with_ascii_domain(email)]  # Django would make another domain of one with ß (IDNA 2003)
    message = Mail(subject.strip(), body, to=to, headers=headers)
    message.attach_alternative(render_to_string(f"emails/{name}.html", context), "text/html")
    return message
