"""What all reads have in common.

Where there is a replica, they may be read from it.
"""

from functools import wraps

from customers.services import replicas


def read(act):
    """Decorates a viewset's method that changes nothing."""

    @wraps(act)
    def answered(self, request, **route):
        return replicas.read(lambda: act(self, request, **route))

    return answered
