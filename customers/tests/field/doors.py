"""The doors that a case comes in by, as a shop's programs, staff and operators use them."""

import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from customers.models import Customer, Import
from customers.tests.conftest import Api

CUSTOMERS = "/admin/customers/customer/"
LOCAL = "http://127.0.0.1:8000"


def work():
    """Let the worker do what is due."""
    call_command("work", "--once", verbosity=0)


def upload(client, content):
    """The answer to a file of customers that is brought in the console."""
    content = content if isinstance(content, bytes) else content.encode()
    file = SimpleUploadedFile("customers.csv", content)
    return client.post(f"{CUSTOMERS}import/", {"file": file})


def preview(client, content, **chosen):
    """The path and the page of the preview of a file, with other columns `chosen`."""
    taken = upload(client, content)
    assert taken.status_code == 302, shown(taken)
    path = taken["Location"]
    page = client.get(path)
    if chosen:
        page = client.post(path, choices(page, **chosen))
    return path, page


def choices(page, **chosen):
    """What the preview's form sends, unchanged but for what is `chosen`."""
    form = page.context["form"]
    return {name: form[name].value() or "" for name in form.fields} | chosen


def by_console(client, content, **chosen):
    """Bring a file in the console, go on, let the worker do it; the progress page's path."""
    path, page = preview(client, content)
    progress = client.post(path, choices(page, go="import", **chosen))
    assert progress.status_code == 302, shown(progress)
    work()
    return progress["Location"]


def listed_errors(client, progress):
    """The lines of the file of an import's errors, without their names."""
    text = client.get(f"{progress}errors.csv").content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))[1:]


def by_command(folder, content, *options):
    """Bring a file by the operators' command; the sentence of its refusal, "" of none."""
    path = folder / "customers.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        call_command("import_customers", str(path), *options)
    except CommandError as error:
        return str(error)
    return ""


def by_api(text, resource_type="customers", **members):
    """Send a text of CSV as an import and let the worker do it; the answer to the request."""
    given = {"resource_type": resource_type, "format": "csv", "inputs": text, "skip_errors": True}
    response = Api().create("imports", given | members)
    work()
    return response


def brought(door, content, client, folder):
    """Bring `content` by the door of that name; nothing of it may be refused."""
    if door == "console":
        by_console(client, content)
    elif door == "command":
        assert by_command(folder, content) == ""
    else:
        text = content if isinstance(content, str) else content.decode()
        assert by_api(text).status_code == 201
    job = Import.objects.get()
    assert (job.status, job.errors_count) == ("completed", 0), job.errors_log


def refusal(door, content, client, folder):
    """What the door of that name says of a file that it does not take."""
    if door == "console":
        answer = upload(client, content)
        assert answer.status_code == 200
        found = shown(answer)
    elif door == "command":
        found = by_command(folder, content)
    else:
        answer = by_api(content)
        assert answer.status_code == 422, answer.content
        found = answer.json()["errors"][0]["detail"]
    assert not Import.objects.exists()
    assert not Customer.objects.exists()
    return found


def shown(response):
    """The words of a page, as a person reads them."""
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    for entity, character in {"&#x27;": "'", "&quot;": '"', "&lt;": "<", "&amp;": "&"}.items():
        text = text.replace(entity, character)
    return " ".join(text.split())


def references():
    """The references of all customers by their addresses."""
    return dict(Customer.objects.values_list("email", "reference"))


def tags_of(email):
    """The names of a customer's tags, in order."""
    return sorted(Customer.objects.get(email=email).tags.values_list("name", flat=True))


every_door = pytest.mark.parametrize("door", ["console", "command", "api"])
