"""Lists that are asked for by POST answer as those by GET do."""

import pytest

from customers.models import Customer, EventStore
from customers.tests.conftest import Api, error_of, ids
from customers.tests.factories import ONE, make_customer, make_order, make_tag
from customers.tests.field.doors import LOCAL

LISTED = sorted(ONE.keys() - {"event_stores"})
PATH = "/api/customers/search"


def sent(api, document, path=PATH):
    return api.send("POST", path, document)


def test_a_filter_too_long_for_an_address_is_sent_by_post(api):
    customers = [make_customer() for _ in range(3)]
    listed = [one.pk for one in customers[:2]] + ["x" * 16] * 2000
    body = {"filter": {"q": {"id_in": ",".join(listed)}}, "page": {"size": 1}}
    response = sent(api, body)
    assert ids(response) == [customers[0].pk]
    assert response.json()["meta"]["record_count"] == 2
    assert Customer.objects.count() == 3


@pytest.mark.parametrize("name", LISTED)
def test_each_type_answers_as_its_list(api, name):
    row = ONE[name]()
    query = {"sort": "-id", "page[size]": "5", "filter[q][id_eq]": row.pk, "include": ""}
    listed = api.get(f"/api/{name}", **query).json()
    document = {"sort": "-id", "page": {"size": 5}, "filter": {"q": {"id_eq": row.pk}}}
    found = sent(api, {**document, "include": ""}, f"/api/{name}/search").json()
    assert found["data"] == listed["data"] != []
    assert found.get("meta") == listed.get("meta")
    assert sent(api, {}, f"/api/{name}/search").status_code == 200


def test_the_whole_query_is_taken(api):
    tag = make_tag(name="vip")
    ada, bob = make_customer(reference="Smith, John"), make_customer(reference="R-2")
    make_customer(reference="R-3", metadata={"size": "L"})
    ada.tags.add(tag)
    document = {
        "filter": {"q": {"reference_in": ["Smith, John", "R-2"], "password_present": False}},
        "sort": ["-reference"],
        "include": ["tags"],
        "fields": {"customers": ["reference", "tags"], "tags": "name"},
        "page": {"number": 1, "size": 25},
    }
    answer = sent(api, document).json()
    assert [one["id"] for one in answer["data"]] == [ada.pk, bob.pk]
    assert answer["data"][0]["attributes"] == {"reference": "Smith, John"}
    assert answer["included"][0]["attributes"] == {"name": "vip"}
    assert ids(sent(api, {"filter": {"reference": "Smith, John"}})) == [ada.pk]
    assert len(ids(sent(api, {"filter": {"q": {"metadata_jcont": {"size": "L"}}}}))) == 1


@pytest.mark.parametrize("page", [{"size": 2}, {"size": 2, "after": ""}])
def test_the_links_are_followed_by_sending_the_same_document(api, page):
    pks = [make_customer(reference="R").pk for _ in range(5)]
    make_customer(reference="other")
    document = {"filter": {"q": {"reference_eq": "R"}}, "sort": "created_at", "page": page}
    response, found = sent(api, document), []
    while True:
        found.append(ids(response))
        links = response.json()["links"]
        for link in links.values():
            assert link.startswith(f"{LOCAL}{PATH}?page[".replace("[", "%5B"))
            assert "reference" not in link
        if "next" not in links:
            break
        response = sent(api, document, links["next"].removeprefix(LOCAL))
    assert found == [pks[:2], pks[2:4], pks[4:]]


def test_a_search_is_permitted_as_the_list_is(guest_api):
    customer = make_customer()
    make_customer(), make_order(customer=customer)
    own = Api(customer=customer)
    assert ids(sent(own, {})) == [customer.pk]
    assert len(ids(sent(own, {}, "/api/orders/search"))) == 1
    for api, path in ((guest_api, PATH), (own, "/api/addresses/search")):
        error_of(sent(api, {}, path), 401, "UNAUTHORIZED")
    assert len(ids(sent(Api(role="read_only"), {}))) == 2
    assert ids(sent(Api(mode="live"), {})) == []


def test_a_search_writes_nothing(api, django_assert_max_num_queries):
    make_customer()
    logged = EventStore.objects.count()
    with django_assert_max_num_queries(6) as queries:
        sent(api, {"filter": {"q": {"email_cont": "example"}}})
    assert all(one["sql"].lstrip().startswith("SELECT") for one in queries.captured_queries)
    assert EventStore.objects.count() == logged


def test_a_search_uses_the_limit_of_reads(settings):
    settings.CHANNEL_BURST_TEST, settings.CHANNEL_REQUESTS_PER_MINUTE_TEST = 2, 2
    own = Api(customer=make_customer())
    assert sent(own, {}).status_code == own.get("/api/customers").status_code == 200
    error_of(sent(own, {}), 429, "TOO_MANY_REQUESTS")
    assert own.create("customer_subscriptions", {"reference": "news"}).status_code != 429


@pytest.mark.parametrize(
    ("document", "code", "pointer"),
    [
        ({"filter": {"q": {"emil_eq": "a"}}}, "FILTER_NOT_ALLOWED", "/filter/q/emil_eq"),
        ({"filter": {"emil": "a"}}, "FILTER_NOT_ALLOWED", "/filter/emil"),
        (
            {"filter": {"q": {"created_at_lt": "x"}}},
            "INVALID_FILTER_VALUE",
            "/filter/q/created_at_lt",
        ),
        ({"filter": {"q": {"email_eq": None}}}, "BAD_REQUEST", "/filter/q/email_eq"),
        (
            {"filter": {"q": {"reference_eq": ["a"]}}},
            "INVALID_FILTER_VALUE",
            "/filter/q/reference_eq",
        ),
        ({"filter": {"reference": ["a, b"]}}, "INVALID_FILTER_VALUE", "/filter/reference"),
        ({"filter": {"q": {"id_in": [["a"], "b"]}}}, "BAD_REQUEST", "/filter/q/id_in"),
        ({"filter": {"q": {"id_in": [{"a": 1}]}}}, "BAD_REQUEST", "/filter/q/id_in"),
        ({"filter": {"q": "a"}}, "INVALID_FILTERS_SYNTAX", "/filter/q"),
        ({"filter": []}, "INVALID_DATA_FORMAT", "/filter"),
        ({"page": 1}, "INVALID_DATA_FORMAT", "/page"),
        ({"sort": None}, "INVALID_DATA_FORMAT", "/sort"),
        ({"page": {"size": None}}, "INVALID_DATA_FORMAT", "/page/size"),
        ({"page": {"size": 0}}, "INVALID_PAGE_VALUE", "/page/size"),
        ({"page": {"after": "_x"}}, "INVALID_PAGE_VALUE", "/page/after"),
        ({"page": {"last": 1}}, "PARAM_NOT_ALLOWED", "/page/last"),
        ({"sort": "emil"}, "INVALID_SORT_CRITERIA", "/sort"),
        ({"include": ["emil"]}, "INVALID_INCLUDE", "/include"),
        ({"fields": {"emil": ["a"]}}, "INVALID_RESOURCE", "/fields/emil"),
        ({"data": {}}, "PARAM_NOT_ALLOWED", "/data"),
        ({"filter": {"q][a": "b"}}, "PARAM_NOT_ALLOWED", None),
        ({"a/b~": "x"}, "PARAM_NOT_ALLOWED", "/a~1b~0"),
    ],
)
def test_what_is_wrong_with_the_document_is_pointed_at(api, document, code, pointer):
    response = sent(api, document)
    source = {"pointer": pointer} if pointer else response.json()["errors"][0]["source"]
    error_of(response, 400, code, source)


def test_the_address_of_a_search_holds_a_page_alone(api):
    for query in ("sort=id", "filter[q][email_eq]=a", "include=tags", "page[size]=x"):
        name = query.split("=")[0]
        response = sent(api, {}, f"{PATH}?{query}")
        code = "INVALID_PAGE_VALUE" if name == "page[size]" else "PARAM_NOT_ALLOWED"
        error_of(response, 400, code, {"parameter": name})
    both = sent(api, {"page": {"number": 3}}, f"{PATH}?page[size]=2")
    assert both.status_code == 200
    assert "page%5Bsize%5D=2" in both.json()["links"]["first"]


@pytest.mark.parametrize(("body", "status"), [("", 400), ("[]", 400), ("{", 400), ('"a"', 400)])
def test_what_is_no_document_is_refused(api, body, status):
    assert sent(api, body).status_code == status
    response = api.send("POST", PATH, "{}", content_type="text/plain")
    error_of(response, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert api.get(PATH).status_code == 405
    assert api.client.post(f"{PATH}x", "{}", content_type="text/plain").status_code in (404, 405)


def test_so_many_values_may_be_listed(api, settings):
    settings.MAX_LISTED_VALUES = 100
    customer = make_customer(reference="a,b")
    q = {"id_in": [customer.pk] + ["x"] * 98, "reference_in": ["a,b"]}
    assert ids(sent(api, {"filter": {"q": q}})) == [customer.pk]
    q["reference_in"].append("c")
    response = sent(api, {"filter": {"q": q}})
    error_of(response, 400, "INVALID_FILTER_VALUE", {"pointer": "/filter/q/reference_in"})
