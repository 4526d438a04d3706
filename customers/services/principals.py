"""Who works in the house without a token: staff, operators, and the service itself."""

from dataclasses import dataclass, field
from functools import cache

from django.contrib.auth.models import User


@dataclass(frozen=True)
class InternalPrincipal:
    """Somebody who sees and changes every row of `mode`; `who` as the audit log names them."""

    mode: str
    actor: dict | None

    claims: dict = field(default_factory=dict, repr=False)  # of no token
    compiled: dict = field(default_factory=dict, repr=False, compare=False)
    is_authenticated = True
    sees_all = True
    tells_secrets = False  # what is written for it may be kept, or leave the house
    read_only = False
    owner_id = None


def staff(user: User, mode: str) -> InternalPrincipal:
    """The member of staff `user`, a Django user, at work on the rows of `mode`."""
    return InternalPrincipal(
        mode, {"application": None, "owner": {"type": "User", "id": str(user.pk)}}
    )


def operator(mode: str) -> InternalPrincipal:
    """Whoever runs a command on the machine."""
    return InternalPrincipal(mode, {"application": None, "owner": {"type": "Operator", "id": None}})


@cache
def service(mode: str) -> InternalPrincipal:
    """The service itself."""
    return InternalPrincipal(mode, None)
