"""What a request's WSGI environment is rid of before Django makes a request of it (PEP 3333)."""

import os
import re
from functools import lru_cache

from django.utils.http import parse_header_parameters

CHARSET = re.compile(r'(;\s*charset\s*=\s*)("[^"]*"|[^;\s]*)', re.IGNORECASE)
OF_REQUESTS = ("HTTP_", "SERVER_", "REMOTE_", "REQUEST_", "CONTENT_", "PATH_INFO", "QUERY_STRING")
# Servers mix the variables of their process, with its secrets, into each request's.
OF_PROCESS = tuple(
    name for name in os.environ if not name.startswith((*OF_REQUESTS, "SCRIPT_NAME"))
)


def clean_environ(environ: dict) -> dict:
    """`environ` without the variables of the process, and with a Content-Type in UTF-8 or none."""
    for name in OF_PROCESS:
        environ.pop(name, None)
    if content_type := environ.get("CONTENT_TYPE"):
        environ["CONTENT_TYPE"] = utf8_content_type(content_type)
    return environ


@lru_cache(maxsize=256)
def utf8_content_type(text: str) -> str:
    """The Content-Type `text` with utf-8 as its charset, "" for one that RFC 2231 does not allow.

    Bodies are read as UTF-8, whatever they are said to be in, and what they hold is then checked.
    """
    try:
        parse_header_parameters(text)
    except ValueError:
        return ""
    return CHARSET.sub(r"\1utf-8", text)
