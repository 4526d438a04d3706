"""Creating and revoking the credentials by which programs get tokens."""

from django.db.models import F
from django.utils.crypto import get_random_string

from customers.models import Application, Session


def create_application(
    *, name: str, mode: str, kind: str = Application.Kind.INTEGRATION, read_only: bool = False
) -> tuple[Application, str | None]:
    """Create an application; return it and its secret, which is not stored.

    A sales channel has none: it runs on customers' devices. Raises ValueError, with
    a sentence, for a sales channel that is to be read-only and for a name that is none.
    """
    longest = Application.LONGEST_NAME
    if not (name.strip() and name.isprintable() and len(name) <= longest):
        raise ValueError(f"A name must be 1 to {longest} printable characters.")
    if read_only and kind != Application.Kind.INTEGRATION:
        raise ValueError("Only an integration can be read-only.")
    client_id = get_random_string(43)
    application = Application(
        name=name, mode=mode, kind=kind, client_id=client_id, read_only=read_only
    )
    secret = application.set_new_secret() if kind == Application.Kind.INTEGRATION else None
    application.save(force_insert=True)
    return application, secret


def revoke_tokens(application: Application) -> None:
    """Revoke every access and refresh token of `application` from the next request on."""
    Session.objects.filter(application=application).delete()
    Application.objects.filter(pk=application.pk).update(token_generation=F("token_generation") + 1)
