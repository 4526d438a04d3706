"""The WSGI application, as in `gunicorn project.wsgi`."""

import logging
import os
import threading

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup(set_prefix=False)
from django.core.cache import close_caches  # noqa: E402 needs the settings
from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.core.handlers.base import reset_urlconf  # noqa: E402
from django.core.signals import request_finished, request_started  # noqa: E402
from django.db import close_old_connections, reset_queries  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402
from django.dispatch import receiver  # noqa: E402

from customers.services import start_checks  # noqa: E402
from project.handler import Handler  # noqa: E402

# What every request would do, and none needs here.
request_started.disconnect(close_old_connections)  # it is done at the end of each, below
request_started.disconnect(reset_queries)  # none are kept
request_finished.disconnect(close_old_connections)
request_finished.disconnect(close_caches)  # there are none
request_finished.disconnect(reset_urlconf)  # the next one sets it
_mine = threading.local()


@receiver(connection_created)
def _remember(connection, **_):
    _mine.__dict__.setdefault("connections", {})[connection.alias] = connection


@receiver(request_finished)
def _close_old_connections(**_):
    """As Django's, which looks for the thread's connections anew at each request."""
    for connection in _mine.__dict__.get("connections", {}).values():
        connection.close_if_unusable_or_obsolete()


try:
    start_checks.check_at_start()
except ImproperlyConfigured as error:
    logging.getLogger(__name__).critical(str(error))  # of which a server tells no more than a kind
    raise
application = Handler()
