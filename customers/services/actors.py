"""Who did something, as the audit log and the API name them."""

from typing import TypedDict


class ActingApplication(TypedDict):
    """The program that acted."""

    id: str
    client_id: str
    kind: str
    public: bool


class ActingOwner(TypedDict):
    """The person who acted: a customer, a member of staff ("User"), or an operator without id."""

    type: str
    id: str | None


class Actor(TypedDict):
    """The program and the person who acted, as far as each is known."""

    application: ActingApplication | None
    owner: ActingOwner | None
