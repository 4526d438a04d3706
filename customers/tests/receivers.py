"""A receiver of webhooks for the tests: a real HTTP server that remembers what it was sent."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def receiver(status=200, *, hang=None, headers=()):
    """Serve on 127.0.0.1; gives the server, with `url` and the calls `received`.

    `received` has a pair of headers, by lower-case name, and body for each. With `hang`, a
    threading.Event, nothing is answered before it is set.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sent = {name.lower(): value for name, value in self.headers.items()}
            self.server.received.append((sent, body))
            if hang:
                hang.wait(30)
            self.send_response(self.server.status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    server.received, server.status = [], status
    server.url = f"http://127.0.0.1:{server.server_port}/callbacks"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
