"""Who works in the house without a token: staff, operators, and the service itself."""

from dataclasses import dataclass, field
from functools import cache

from django.contrib.auth.models import AnonymousUser, User

from customers.models import Application, Customer
from customers.services.actors import Actor


@dataclass(frozen=True)
class InternalPrincipal:
    """Somebody at work on every row of `mode`, by `role`; `actor` as the audit log names them.

    With an `owner_id` it is that customer, who sees and changes what is its own.
    """

    mode: str
    actor: Actor | None
    role: str = Application.Role.FULL
    owner_id: str | None = None
    shown_password: str | None = field(default=None, repr=False)  # as of a token's principal

    claims: dict = field(default_factory=dict, repr=False)  # of no token
    compiled: dict = field(default_factory=dict, repr=False, compare=False)
    is_authenticated = True
    tells_secrets = False  # what is written for it may be kept, or leave the house

    @property
    def sees_all(self) -> bool:
        """Whether every row of its mode is its to see."""
        return self.owner_id is None


def staff(user: User | AnonymousUser, mode: str) -> InternalPrincipal:
    """The member of staff `user`, a Django user, at work on the rows of `mode`."""
    return InternalPrincipal(
        mode, {"application": None, "owner": {"type": "User", "id": str(user.pk)}}
    )


def customer(found: Customer) -> InternalPrincipal:
    """The customer `found`, who has just shown the password that is kept of it."""
    actor: Actor = {"application": None, "owner": {"type": "Customer", "id": found.pk}}
    return InternalPrincipal(found.mode, actor, owner_id=found.pk, shown_password=found.password)


def operator(mode: str) -> InternalPrincipal:
    """Whoever runs a command on the machine."""
    return InternalPrincipal(mode, {"application": None, "owner": {"type": "Operator", "id": None}})


def author(mode: str, actor: Actor | None) -> InternalPrincipal:
    """Whoever has asked for a job, with the role that its application has by now.

    An application that is gone or disabled, which may be for what it did, writes nothing any more.
    """
    asked = actor and actor.get("application")
    if not asked:
        return InternalPrincipal(mode, actor)
    known = Application.objects.filter(pk=asked["id"], disabled_at=None).first()
    return InternalPrincipal(mode, actor, known.role if known else Application.Role.READ_ONLY)


@cache
def service(mode: str) -> InternalPrincipal:
    """The service itself."""
    return InternalPrincipal(mode, None)
