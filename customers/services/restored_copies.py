"""A restored copy of an installation: its webhooks and mails wait until an operator releases them.

The mark is a row of the database that was restored. Whoever calls or mails asks for it first.
"""

from customers.models import RestoredCopy

RELEASE = "`manage.py release_copy`"
HELD = f"This is a restored copy: webhooks and mails wait until {RELEASE} lets them go."


class CopyHeldError(Exception):
    """This is a copy that nobody has released, and what would have been sent was not."""

    def __str__(self) -> str:
        return f"{HELD} Nothing was sent."


def hold() -> None:
    """Let webhooks and mails wait from now on."""
    RestoredCopy.objects.get_or_create(pk=1)


def release() -> bool:
    """Let webhooks and mails go, also what has waited; whether any were held."""
    return RestoredCopy.objects.all().delete()[0] > 0


def is_held() -> bool:
    """Whether webhooks and mails wait."""
    return RestoredCopy.objects.exists()


def check_released() -> None:
    """Raise CopyHeldError while webhooks and mails wait."""
    if is_held():
        raise CopyHeldError
