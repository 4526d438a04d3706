"""The credentials by which programs get tokens: made, changed, disabled and deleted."""

from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import get_random_string

from customers.models import Application, Session
from customers.services import row_changes
from customers.services.actors import Actor
from customers.services.audit import audited_values

NO_ROLE = "Only an integration has a role: a sales channel sees its customers' own."
SECRETS = ["secret_digest", "previous_secret_digest", "previous_secret_until"]


def create_application(
    *,
    name: str,
    mode: str,
    kind: str = Application.Kind.INTEGRATION,
    role: str = Application.Role.FULL,
) -> tuple[Application, str | None]:
    """Create an application; return it and its secret, which is not stored.

    A sales channel has none: it runs on customers' devices. Raises ValueError, with
    a sentence, for a sales channel that is to have a role and for a name that is none.
    """
    longest = Application.LONGEST_NAME
    if not (name.strip() and name.isprintable() and len(name) <= longest):
        raise ValueError(f"A name must be 1 to {longest} printable characters.")
    if role != Application.Role.FULL and kind != Application.Kind.INTEGRATION:
        raise ValueError(NO_ROLE)
    client_id = get_random_string(43)
    application = Application(name=name, mode=mode, kind=kind, client_id=client_id, role=role)
    secret = application.set_new_secret() if kind == Application.Kind.INTEGRATION else None
    application.save(force_insert=True)
    return application, secret


def rotate_secret(
    application: Application, *, actor: Actor | None, overlap: int | None = None
) -> str:
    """Give `application` a new secret, which is not stored; the one before works on for a while.

    That is `overlap` seconds, without it settings.SECRET_OVERLAP. A sales channel gets its first
    one so; a server of the shop's logs customers in with it, by assertions.
    """
    lasts = settings.SECRET_OVERLAP if overlap is None else overlap
    with _changed(application, actor) as locked:
        if locked.secret_digest:
            locked.previous_secret_digest = locked.secret_digest
            locked.previous_secret_until = timezone.now() + timedelta(seconds=lasts)
        return locked.set_new_secret()


def change_role(application: Application, role: str, *, actor: Actor | None) -> None:
    """Let `application`, an integration, do what `role` may from its next request on.

    Raises ValueError, with a sentence, for a sales channel.
    """
    if application.kind != Application.Kind.INTEGRATION:
        raise ValueError(NO_ROLE)
    with _changed(application, actor) as locked:
        locked.role = role


def disable_application(application: Application, *, actor: Actor | None) -> None:
    """Let `application` get no tokens, and use none that it has, until it is enabled again."""
    with _changed(application, actor) as locked:
        locked.disabled_at = locked.disabled_at or timezone.now()


def enable_application(application: Application, *, actor: Actor | None) -> None:
    """Let `application` get and use tokens again; those from before are good again, too."""
    with _changed(application, actor) as locked:
        locked.disabled_at = None


@contextmanager
def _changed(application, actor):
    """`application` read again under its lock, to be changed meanwhile; then saved and recorded."""
    with transaction.atomic():
        locked = Application.objects.select_for_update().get(pk=application.pk)
        before = audited_values(locked)
        yield locked
        locked.save(update_fields=[*SECRETS, "role", "disabled_at"])
        row_changes.record_update(locked, before, actor=actor)


def delete_application(application: Application, *, actor: Actor | None) -> None:
    """Delete `application` with its tokens; what it has written stays."""
    with transaction.atomic():
        locked = Application.objects.select_for_update().get(pk=application.pk)
        row_changes.delete_locked_row(locked, actor=actor)


def revoke_tokens(application: Application) -> None:
    """Revoke every access and refresh token of `application` from the next request on."""
    Session.objects.filter(application=application).delete()
    Application.objects.filter(pk=application.pk).update(token_generation=F("token_generation") + 1)
