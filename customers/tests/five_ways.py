"""Five ways through the service, from its door to what is done, for `request_way.py` to trace.

They are gone by HTTP and commands alone; what else they know of the house stands here at the top.
"""

import json
import os
import secrets
import sys
from io import BytesIO, StringIO
from pathlib import Path
from urllib.parse import urlencode

JSON_API = "application/vnd.api+json"
CUSTOMERS = "/admin/customers/customer/"
BULK_ACT = {"action": "add_tags", "index": 0, "select_across": 1}
MANY = 1001  # customers: more than are served while staff wait
CHANGED = "customers.metadata_update"  # the topic of a change of metadata


class Service:
    """The service as its server calls it, with rows to ask for."""

    def __init__(self, receiver):
        from django.conf import settings
        from django.core.management import call_command
        from django.utils.module_loading import import_string

        self.application, self.receiver = import_string(settings.WSGI_APPLICATION), receiver
        self.command = call_command
        self.command("migrate", verbosity=0)
        self.token, self.cookie = self._token(), f"csrftoken={'c' * 32}"
        self._fill()

    def request(self, method, path, body=b"", **headers):
        """The status, headers and body of an answer. Raises AssertionError for one of an error."""
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            **headers,
        }
        found = {}

        def start_response(status, headers, exc_info=None):
            found.update(status=int(status.split()[0]), headers=dict(headers))

        response = self.application(environ, start_response)
        answer = b"".join(response)
        response.close()
        assert found["status"] < 400, (path, found, answer[:2000])
        return found["status"], found["headers"], answer

    def api(self, method, path, document=None):
        body = b"" if document is None else json.dumps({"data": document}).encode()
        headers = {"HTTP_AUTHORIZATION": f"Bearer {self.token}", "HTTP_ACCEPT": JSON_API}
        if body:
            headers["CONTENT_TYPE"] = JSON_API
        return json.loads(self.request(method, f"/api/{path}", body, **headers)[2] or "{}")

    def create(self, kind, attributes, **relationships):
        document = {"type": kind, "attributes": attributes, "relationships": relationships}
        return self.api("POST", kind, document)["data"]["id"]

    def form(self, path, members):
        """Send a form of the pages with its cookie, as a browser does."""
        body = urlencode({"csrfmiddlewaretoken": "c" * 32, **members}, doseq=True).encode()
        kind = "application/x-www-form-urlencoded"
        return self.request("POST", path, body, CONTENT_TYPE=kind, HTTP_COOKIE=self.cookie)

    def page(self, path):
        return self.request("GET", path, HTTP_COOKIE=self.cookie)

    def work(self):
        self.command("work", once=True, stdout=StringIO())

    def _token(self):
        made = StringIO()
        self.command("create_application", "Way", stdout=made)
        keys = [line.split()[-1] for line in made.getvalue().splitlines()[1:]]
        asked = dict(zip(["client_id", "client_secret"], keys, strict=True))
        body = json.dumps({"grant_type": "client_credentials", **asked}).encode()
        answer = self.request("POST", "/oauth/token", body, CONTENT_TYPE="application/json")[2]
        return json.loads(answer)["access_token"]

    def _fill(self):
        """A customer who has a group and orders, a webhook, many others, and staff."""
        from django.contrib.auth.models import User
        from django.test import Client

        from customers.models import Customer

        self.group = {
            "type": "customer_groups",
            "id": self.create("customer_groups", {"name": "A"}),
        }
        group = {"customer_group": {"data": self.group}}
        self.customer = self.create("customers", {"email": "ada@example.com"}, **group)
        for _ in range(5):
            self.create("orders", {"customer_email": "ada@example.com", "currency_code": "EUR"})
        self.create("webhooks", {"topic": CHANGED, "callback_url": self.receiver.url})
        names = [f"{number}@example.com" for number in range(MANY - 1)]
        for name in names:
            Customer.objects.create(email=name)
        client = Client()
        client.force_login(User.objects.create_superuser("grace"))
        self.cookie += f"; sessionid={client.cookies['sessionid'].value}"
        self.work()


def post_a_customer(service, noting):
    email, group = f"{secrets.token_hex(8)}@example.com", {"data": service.group}
    with noting():
        service.create("customers", {"email": email}, customer_group=group)


def list_orders(service, noting):
    with noting():
        found = service.api("GET", "orders?include=customer")
    assert found["included"]


def act_on_many(service, noting):
    name = f"tag{secrets.token_hex(4)}"
    tag = service.create("tags", {"name": name})
    count = service.api("GET", "customers")["meta"]["record_count"]
    chosen = {"_selected_action": [service.customer], "tags": [tag]}
    with noting():
        service.form(CUSTOMERS, {**BULK_ACT, "confirmed": count, **chosen})
        service.work()
    found = service.api("GET", f"customers?filter[q][tags_name_eq]={name}")
    assert found["meta"]["record_count"] == count


def mail_a_reset(service, noting):
    before = mails()
    with noting():
        service.page("/test/password/forgot")
        service.form("/test/password/forgot", {"email": "ada@example.com"})
        service.work()
    assert mails() > before


def call_a_webhook(service, noting):
    attributes = {"metadata": {"changed": secrets.token_hex(4)}}
    document = {"type": "customers", "id": service.customer, "attributes": attributes}
    before = len(service.receiver.received)
    with noting():
        service.api("PATCH", f"customers/{service.customer}", document)
        service.work()
    assert len(service.receiver.received) > before


def work_without_work(service, noting):
    with noting():
        service.work()


WAYS = {
    "POST a customer": post_a_customer,
    "GET a list of orders with include=customer": list_orders,
    f"a bulk act on {MANY} customers, from the form to the worker": act_on_many,
    "a reset mail, from the page to its dispatch": mail_a_reset,
    "a webhook, from the change to its call": call_a_webhook,
    "(the worker with nothing to do, a part of the last three)": work_without_work,
}


def mails():
    """How many mails have been written to files."""
    folder = Path(os.environ["DATA_DIR"], "mails")
    texts = (path.read_bytes() for path in folder.glob("*")) if folder.exists() else ()
    return sum(text.count(b"Message-ID") for text in texts)
