"""The WSGI application, which project.server serves."""

import logging
import os
from collections.abc import Callable, Iterable

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
handler = get_wsgi_application()
from customers.services import start_checks  # noqa: E402 needs the settings
from project.environ import clean_environ  # noqa: E402

try:
    start_checks.check_at_start()
except ImproperlyConfigured as error:
    logging.getLogger(__name__).critical(str(error))  # of which a server tells no more than a kind
    raise


def application(environ: dict, start_response: Callable) -> Iterable[bytes]:
    """Django's own application, in a cleaned environment."""
    return handler(clean_environ(environ), start_response)
