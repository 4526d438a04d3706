"""Mails to addresses beyond ASCII, and what a mail server refuses.

Django would write such addresses as encoded words (RFC 2047 section 5). These mails are sent with
SMTPUTF8 (RFC 6531), and have their addresses as they are (RFC 6532).
"""

from collections.abc import Iterable
from email import policy
from email.generator import BytesGenerator
from email.message import Message
from email.utils import parseaddr
from io import BytesIO
from smtplib import SMTP, SMTPDataError, SMTPNotSupportedError, SMTPRecipientsRefused
from typing import Any

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends import smtp

PERMANENT = 5  # the first digit of such a reply


class Mail(EmailMultiAlternatives):
    """A mail whose recipients' addresses are written as they are."""

    @property
    def is_international(self) -> bool:
        return not all(address.isascii() for address in self.to)

    def message(self, **options: Any) -> Message:  # type: ignore[override]  # stubs of Django 6
        """The mail as it is sent; `options` are those of Django, which differ by its version."""
        if not self.is_international:
            return super().message(**options)
        recipients, self.to = self.to, []
        try:
            found = super().message(**options)
        finally:
            self.to = recipients
        found.policy = policy.SMTPUTF8
        Message.__setitem__(found, "To", ", ".join(recipients))  # Django's encodes it
        return found


def permanent_refusal(error: Exception) -> str | None:
    """What the server said where it refused a recipient, or the mail, for good.

    At most 255 characters in one line. None for any other error: also where the server refuses
    us, the sender or the login, which is no fault of the address (RFC 5321 section 4.2.1).
    """
    if isinstance(error, SMTPRecipientsRefused):
        answers: list[tuple[int, Any]] = list(error.recipients.values())
    elif isinstance(error, SMTPDataError):
        answers = [(error.smtp_code, error.smtp_error)]
    else:
        return None
    if not answers or any(code // 100 != PERMANENT for code, _ in answers):
        return None
    code, said = answers[0]
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    words = "".join(one if one.isprintable() else " " for one in text).split()
    return " ".join([str(code), *words])[:255]


class EmailBackend(smtp.EmailBackend):
    """Django's, which also sends what needs SMTPUTF8."""

    def send_messages(self, email_messages: Iterable[EmailMessage]) -> int:
        """Send all; return how many. Raises SMTPException, and SMTPNotSupportedError where the
        server takes no address beyond ASCII."""
        plain: list[EmailMessage] = []
        international: list[EmailMessage] = []
        for one in email_messages:
            (international if getattr(one, "is_international", False) else plain).append(one)
        sent = super().send_messages(plain) or 0
        if international:
            opened = self.open()
            if self.connection is None:  # it cannot be opened, and fails in silence
                return sent
            try:
                for one in international:
                    _send_with_smtputf8(self.connection, one)
                    sent += 1
            finally:
                if opened:
                    self.close()
        return sent


def _send_with_smtputf8(connection: SMTP, one: EmailMessage) -> None:
    connection.ehlo_or_helo_if_needed()
    if not connection.has_extn("smtputf8"):
        raise SMTPNotSupportedError("The mail server takes no address beyond ASCII (SMTPUTF8).")
    document = one.message()
    connection.sendmail(
        parseaddr(document["From"])[1],
        one.recipients(),
        _bytes_of(document),
        mail_options=["SMTPUTF8", "BODY=8BITMIME"],
    )


def _bytes_of(document: Message) -> bytes:
    """`document` as its policy writes it; Django's own as_bytes differs between its versions."""
    written = BytesIO()
    BytesGenerator(written, mangle_from_=False).flatten(document)
    return written.getvalue()
