"""A mail server that refuses recipients, or whatever else it is told to."""

import socketserver

from customers.tests.receivers import serving_mail


class RefusingServer(socketserver.TCPServer):
    """Takes mails by SMTP, but answers `reply` to a recipient, or to the command `at`.

    With the `reply` None it takes all.
    """

    def __init__(self, reply, at=b"RCPT"):
        super().__init__(("127.0.0.1", 0), RefusingSession)
        self.reply, self.at, self.asked = reply, at, 0


class RefusingSession(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 mail.example\r\n")
        while line := self.rfile.readline():
            command = line[:4].upper()
            if command == b"RCPT":
                self.server.asked += 1
            if command == self.server.at and self.server.reply:
                self.wfile.write(self.server.reply + b"\r\n")
            elif command == b"DATA":
                self.wfile.write(b"354 Go on\r\n")
                while self.rfile.readline() != b".\r\n":
                    pass
                self.wfile.write(b"250 Taken\r\n")
            elif command == b"QUIT":
                self.wfile.write(b"221 Bye\r\n")
                return
            else:
                self.wfile.write(b"250 Fine\r\n")


def refusing(settings, reply, **options):
    """As serving_mail, of a RefusingServer."""
    return serving_mail(settings, RefusingServer(reply, **options))
