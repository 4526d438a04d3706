"""Mails to addresses beyond ASCII, which Django would write as encoded words (RFC 2047 section 5).

These are sent with SMTPUTF8 (RFC 6531), and have their addresses as they are (RFC 6532).
"""

from collections.abc import Iterable
from email import policy
from email.message import Message
from email.utils import parseaddr
from smtplib import SMTP, SMTPNotSupportedError

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends import smtp


class Mail(EmailMultiAlternatives):
    """A mail whose recipients' addresses are written as they are."""

    @property
    def is_international(self) -> bool:
        return not all(address.isascii() for address in self.to)

    def message(self) -> Message:  # type: ignore[override]  # the stubs are of Django 6
        if not self.is_international:
            return super().message()
        recipients, self.to = self.to, []
        try:
            found = super().message()
        finally:
            self.to = recipients
        found.policy = policy.SMTPUTF8
        Message.__setitem__(found, "To", ", ".join(recipients))  # Django's encodes it
        return found


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
        document.as_bytes(linesep="\r\n"),  # type: ignore[call-arg]  # as above
        mail_options=["SMTPUTF8", "BODY=8BITMIME"],
    )
