"""What an integration may do by its role, by every route and job; its secrets, and its end."""

import io
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from customers.jobs import imports
from customers.models import Application, Customer, EventStore
from customers.resources.registry import registry
from customers.services import applications
from customers.services.permissions import READ, ROLES, allow
from customers.services.tokens import read_token
from customers.tests.conftest import Api, error_of
from customers.tests.factories import FULL, SMALLEST, make_customer

TYPES = [name for name, resource in registry.types.items() if "retrieve" in resource.actions]
every_type = pytest.mark.parametrize("name", TYPES)
TRIGGER = "_request_anonymization"


def attempts_at(api, name, row):
    """What a program may try to do with rows of a type, `row` among them, by action."""
    return {
        "list": lambda: api.get(f"/api/{name}"),
        "retrieve": lambda: api.get(f"/api/{name}/{row.pk}"),
        "create": lambda: api.create(name, *SMALLEST[name]()),
        "partial_update": lambda: api.update(name, row.pk, {"metadata": {"a": 1}}),
        "destroy": lambda: api.delete(f"/api/{name}/{row.pk}"),
    }


@pytest.mark.parametrize("role", Application.Role.values)
@every_type
def test_an_integration_does_what_its_role_may_and_nothing_beyond(name, role):
    api, row, resource = Api(role=role), FULL[name](), registry.types[name]
    attempts = attempts_at(api, name, row)
    for act in sorted(resource.actions & attempts.keys(), key=list(attempts).index):
        answer = attempts[act]()
        if role == "full" or (role == "read_only" and act in READ):
            may = True
        else:
            may = role in ROLES and act in ROLES[role].get(name, ())
        if may:
            assert answer.status_code in (200, 201, 204, 423), (act, answer.content)
        else:
            error_of(answer, 401, "UNAUTHORIZED")


@pytest.mark.parametrize("role", list(ROLES))
@every_type
def test_nothing_of_a_type_that_is_closed_to_a_role_comes_with_another(name, role):
    """By a route, an include or a filter that leads to it."""
    api, row, resource = Api(role=role), FULL[name](), registry.types[name]
    if not allow(read_token(api.token), name, "retrieve"):
        return
    for relationship, relation in resource.relations.items():
        targets = [registry.types[target] for target in relation.targets()]
        closed = [one for one in targets if not allow(read_token(api.token), one.name, "list")]
        if not closed or len(targets) > 1:
            continue
        path = f"/api/{name}/{row.pk}"
        error_of(api.get(f"{path}/{relationship}"), 401, "UNAUTHORIZED")
        if relationship in resource.includable:
            answer = api.get(path, include=relationship)
            error_of(answer, 401, "UNAUTHORIZED", {"parameter": "include"})
        if relationship in resource.filterset_class.relationships:
            parameter = f"filter[q][{relationship}_reference_eq]"
            answer = api.query(f"/api/{name}", {parameter: "x"})
            error_of(answer, 401, "UNAUTHORIZED", {"parameter": parameter})


@pytest.mark.parametrize("role", list(ROLES))
def test_a_role_neither_sets_passwords_nor_anonymizes(role):
    api, customer = Api(role=role), make_customer()
    password = {"password": "correct horse battery"}
    made = api.create("customers", {"email": "a@example.com", **password})
    given = api.update("customers", customer.pk, password)
    forgotten = api.update("customers", customer.pk, {"_request_anonymization": True})
    for answer, name in {made: "password", given: "password", forgotten: TRIGGER}.items():
        error_of(answer, 400, "PARAM_NOT_ALLOWED", {"pointer": f"/data/attributes/{name}"})
    error_of(api.get(f"/api/customers/{customer.pk}/personal_data"), 401, "UNAUTHORIZED")


def run_import(resource_type, rows, api):
    asked = {"resource_type": resource_type, "inputs": rows, "skip_errors": True}
    made = api.create("imports", asked)
    if made.status_code == 201:
        while imports.do_import_part():
            """The next part."""
    return made


def test_a_job_reaches_no_further_than_the_role_of_whoever_asked(api):
    marketing = Api(role="marketing")
    refused = run_import("addresses", [{"line_1": "Main Street 1"}], marketing)
    error_of(refused, 401, "UNAUTHORIZED", {"pointer": "/data/attributes/resource_type"})
    row = {"email": "ada@example.com", "password": "correct horse battery"}
    made = run_import("customers", [row, {"email": "bob@example.com"}], marketing)
    found = api.get(f"/api/imports/{made.json()['data']['id']}").json()["data"]["attributes"]
    assert (found["processed_count"], found["errors_count"]) == (1, 1)
    assert [customer.email for customer in Customer.objects.all()] == ["bob@example.com"]
    exported = {"resource_type": "customers", "includes": ["customer_addresses"]}
    asked = {"resource_type": "customers", "filters": {"returns_number_eq": "1"}}
    for member, refused in {"includes": exported, "filters": asked}.items():
        answer = marketing.create("exports", refused)
        error_of(answer, 422, "VALIDATION_ERROR", {"pointer": f"/data/attributes/{member}"})
    assert api.create("exports", exported).status_code == 201


def test_a_job_of_a_disabled_application_writes_nothing_more(api):
    made = api.create("imports", {"resource_type": "customers", "inputs": [{"email": "a@b.co"}]})
    applications.disable_application(api.application, actor=None)
    while imports.do_import_part():
        """The next part."""
    assert made.status_code == 201
    assert not Customer.objects.exists()


def test_a_role_that_is_changed_counts_from_the_next_request(api):
    customer = make_customer()
    assert api.update("customers", customer.pk, {"reference": "A"}).status_code == 200
    applications.change_role(api.application, "read_only", actor=None)
    error_of(api.update("customers", customer.pk, {"reference": "B"}), 401, "UNAUTHORIZED")
    applications.change_role(api.application, "support", actor=None)
    assert api.update("customers", customer.pk, {"reference": "C"}).status_code == 200
    assert EventStore.objects.filter(resource_id=api.application.pk).count() == 2


def test_a_disabled_application_uses_and_gets_no_token_until_it_is_enabled(api, client):
    def asked():
        credential = {"client_id": api.application.client_id, "client_secret": api.secret}
        form = {"grant_type": "client_credentials", **credential}
        return client.post("/oauth/token", form, content_type="application/json")

    assert api.get("/api/customers").status_code == 200
    applications.disable_application(api.application, actor=None)
    error_of(api.get("/api/customers"), 401, "INVALID_TOKEN")
    assert asked().status_code == 401
    applications.enable_application(api.application, actor=None)
    assert (api.get("/api/customers").status_code, asked().status_code) == (200, 200)


def test_a_secret_works_on_beside_a_new_one_until_its_time_is_over(api, settings, client):
    def statuses(*secrets):
        credential = {"grant_type": "client_credentials", "client_id": api.application.client_id}
        return [
            client.post(
                "/oauth/token",
                {**credential, "client_secret": one},
                content_type="application/json",
            ).status_code
            for one in secrets
        ]

    settings.SECRET_OVERLAP = 600
    new = applications.rotate_secret(api.application, actor=None)
    assert statuses(api.secret, new) == [200, 200]
    over = timezone.now() - timedelta(seconds=1)
    Application.objects.filter(pk=api.application.pk).update(previous_secret_until=over)
    assert statuses(api.secret, new) == [401, 200]
    newest = applications.rotate_secret(api.application, actor=None, overlap=0)
    assert statuses(api.secret, new, newest) == [401, 401, 200]
    assert new not in str(list(EventStore.objects.values_list("payload", flat=True)))


# By commands, and in the console


def run(*words):
    """What a command says."""
    said = io.StringIO()
    call_command(*words, stdout=said)
    return said.getvalue()


def test_an_operator_makes_and_changes_what_an_application_may():
    assert "(integration, marketing, test)" in run(
        "create_application", "Letters", "--role=marketing"
    )
    application = Application.objects.get()
    assert application.role == "marketing"
    words = "change_application", application.client_id
    assert "has the role support" in run(*words, "--role=support")
    assert "support" in run("list_applications")
    secret = run(*words, "--new-secret", "--overlap=0").split("client_secret: ")[1].strip()
    assert "is disabled" in run(*words, "--disable")
    assert "(disabled)" in run("list_applications")
    run(*words, "--enable")
    application.refresh_from_db()
    assert application.has_secret(secret)
    assert (application.role, application.disabled_at) == ("support", None)
    assert "is deleted" in run(*words, "--delete")
    assert not Application.objects.exists()
    acts = EventStore.objects.filter(resource_id=application.pk).values_list("event", flat=True)
    assert list(acts) == ["update", "update", "update", "update", "destroy"]


def test_what_an_application_cannot_be_is_refused_in_a_sentence():
    with pytest.raises(CommandError, match="No application has this client id"):
        run("change_application", "unknown", "--disable")
    channel, _ = applications.create_application(name="Shop", mode="test", kind="sales_channel")
    for words, sentence in {
        ("--role=support",): "Only an integration has a role",
        ("--disable", "--overlap=1"): "--overlap is 0 or more seconds, beside --new-secret.",
        ("--new-secret", "--overlap=-1"): "--overlap is 0 or more seconds, beside --new-secret.",
    }.items():
        with pytest.raises(CommandError, match=re.escape(sentence)):
            run("change_application", channel.client_id, *words)


def test_staff_make_an_application_and_see_its_secret_once(admin_client):
    page = "/admin/customers/application/add/"
    assert b"Make the application" in admin_client.get(page).content
    values = {"name": "Help desk", "kind": "integration", "role": "support"}
    made = admin_client.post(page, values)
    application = Application.objects.get()
    secret = re.search(r'id="secret"[^>]*value="([^"]+)"', made.content.decode())[1]
    assert application.has_secret(secret)
    assert (application.role, application.mode) == ("support", "test")
    assert "no-store" in made["Cache-Control"]
    shown = admin_client.get(f"/admin/customers/application/{application.pk}/credentials/")
    assert secret not in shown.content.decode()
    refused = admin_client.post(page, {**values, "kind": "sales_channel"})
    assert b"Only an integration has a role" in refused.content
    assert Application.objects.count() == 1


def test_staff_change_roles_rotate_secrets_and_disable(admin_client, api):
    page = f"/admin/customers/application/{api.application.pk}"
    rotated = admin_client.post(f"{page}/credentials/", {"act": "rotate"}).content.decode()
    secret = re.search(r'id="secret"[^>]*value="([^"]+)"', rotated)[1]
    admin_client.post(f"{page}/credentials/", {"act": "disable"})
    application = Application.objects.get()
    assert application.has_secret(secret)
    assert application.has_secret(api.secret)
    assert application.disabled_at
    assert b"Enable" in admin_client.get(f"{page}/credentials/").content
    admin_client.post(f"{page}/credentials/", {"act": "enable"})
    form = admin_client.get(f"{page}/change/").context["adminform"].form
    values = {name: form[name].value() or "" for name in form.fields} | {"role": "orders"}
    assert admin_client.post(f"{page}/change/", values).status_code == 302
    application.refresh_from_db()
    assert (application.role, application.disabled_at) == ("orders", None)


def test_staff_without_the_permission_change_no_credentials(client):
    client.force_login(User.objects.create_user("viewer", is_staff=True))
    application, _ = applications.create_application(name="Orders", mode="test")
    page = f"/admin/customers/application/{application.pk}/credentials/"
    for answer in (client.get(page), client.post(page, {"act": "disable"})):
        assert answer.status_code == 403
    assert client.get("/admin/customers/application/add/").status_code == 403
    application.refresh_from_db()
    assert application.disabled_at is None
