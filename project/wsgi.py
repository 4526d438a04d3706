"""The WSGI application, as in `gunicorn project.wsgi`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup(set_prefix=False)
from django.core.cache import close_caches  # noqa: E402 needs the settings
from django.core.handlers.base import reset_urlconf  # noqa: E402
from django.core.signals import request_finished, request_started  # noqa: E402
from django.db import close_old_connections, reset_queries  # noqa: E402

from customers.services import durability  # noqa: E402
from project.handler import Handler  # noqa: E402

durability.check_at_start()
# What every request would do, and none needs here.
request_started.disconnect(close_old_connections)  # it is done at the end of each, too
request_started.disconnect(reset_queries)  # none are kept
request_finished.disconnect(close_caches)  # there are none
request_finished.disconnect(reset_urlconf)  # the next one sets it
application = Handler()
