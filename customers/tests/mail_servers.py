"""Mail servers for the tests: they speak SMTP, and remember what they were told."""

import socketserver
import threading
from contextlib import contextmanager


class MailServer(socketserver.TCPServer):
    """Takes mails by SMTP, and with `extensions`; `said` is what its clients have said, in lines.

    Where there is a `reply`, a recipient, or else the command `at`, is answered with that.
    """

    def __init__(self, *extensions, reply=None, at=b"RCPT"):
        super().__init__(("127.0.0.1", 0), MailSession)
        self.extensions, self.reply, self.at = extensions, reply, at
        self.said = []

    @property
    def asked(self):
        """How many recipients were named."""
        return sum(line[:4].upper() == b"RCPT" for line in self.said)


class MailSession(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 mail.example\r\n")
        while line := self.rfile.readline():
            self.server.said.append(line)
            command = line[:4].upper()
            if command == self.server.at and self.server.reply:
                self.wfile.write(self.server.reply + b"\r\n")
            elif command == b"EHLO":
                for name in ("mail.example", *self.server.extensions):
                    self.wfile.write(f"250-{name}\r\n".encode())
                self.wfile.write(b"250 HELP\r\n")
            elif command == b"DATA":
                self.wfile.write(b"354 Go on\r\n")
                while (line := self.rfile.readline()) != b".\r\n":
                    self.server.said.append(line)
                self.wfile.write(b"250 Taken\r\n")
            elif command == b"QUIT":
                self.wfile.write(b"221 Bye\r\n")
                return
            else:
                self.wfile.write(b"250 Fine\r\n")


@contextmanager
def mail_server(settings, *extensions, **options):
    """A MailServer, to which mails are sent meanwhile."""
    settings.EMAIL_BACKEND = "customers.jobs.smtp.EmailBackend"
    with MailServer(*extensions, **options) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def refusing(settings, reply, **options):
    """As mail_server, of one that answers `reply` to recipients, or to the command `at`."""
    return mail_server(settings, reply=reply, **options)
