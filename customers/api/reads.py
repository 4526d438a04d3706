"""What all reads have in common.

Their first statement asks whether the caller's token still stands, too, and where there is
a replica, they may be read from it.
"""

from functools import wraps

from customers.db.compiled import with_token_check
from customers.services import replicas


def read(act):
    """Decorates a viewset's method that changes nothing."""

    @wraps(act)
    def answered(self, request, **route):
        principal = request.user
        response = with_token_check(
            principal.standing, lambda: replicas.read(lambda: act(self, request, **route))
        )
        principal.settle()
        return response

    answered.settles = True
    return answered
