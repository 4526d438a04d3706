"""Run beside our settings: prints a token, a session of the admin and members of types as JSON."""

import json

import django

django.setup()
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402

from customers.services import environments  # noqa: E402
from customers.services.applications import create_application  # noqa: E402
from customers.services.tokens import issue_token  # noqa: E402
from deploy.checks.twins import members  # noqa: E402

application, _secret = create_application(name="Benchmark", mode="live")
staff, _made = User.objects.get_or_create(username="benchmark", is_staff=True, is_superuser=True)
session = SessionStore()
session[SESSION_KEY] = str(staff.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = staff.get_session_auth_hash()
environments.choose_mode(session, "live")
session.create()
token = issue_token(application, scope="market:all", confidential=True)
print(json.dumps({"token": token, "session": session.session_key, "types": members()}))
