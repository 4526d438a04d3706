"""What is told of documents in which something is wrong."""

LONG = "x" * 300


def pointers(response, status=422):
    """The pointers of a refusal, without what stands before the member's kind."""
    assert response.status_code == status, response.content
    errors = response.json()["errors"]
    assert {error["status"] for error in errors} == {str(status)}
    told = [(error["source"]["pointer"], error["title"]) for error in errors]
    assert len(set(told)) == len(told)
    return {pointer.removeprefix("/data/") for pointer, _ in told}


def of_attributes(*names):
    return {f"attributes/{name}" for name in names}


def of_relationships(*names):
    return {f"relationships/{name}" for name in names}
