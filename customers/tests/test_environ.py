"""What Django sees of a WSGI environment."""

import pytest

from project.environ import clean_environ


def test_the_variables_of_the_process_are_none_of_a_request(monkeypatch):
    monkeypatch.setattr("project.environ.OF_PROCESS", ("SECRET_KEY", "PATH"))
    environ = {"SECRET_KEY": "s", "PATH": "/bin", "PATH_INFO": "/api", "HTTP_HOST": "x"}
    assert clean_environ(environ) == {"PATH_INFO": "/api", "HTTP_HOST": "x"}


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("application/vnd.api+json", "application/vnd.api+json"),
        ("application/json; charset=latin-1", "application/json; charset=utf-8"),
        ('application/json;CHARSET="utf-7"; a=b', "application/json;CHARSET=utf-8; a=b"),
        ('multipart/form-data; boundary="a b"', 'multipart/form-data; boundary="a b"'),
        ("application/json; charset*=foo'x'y", ""),
    ],
)
def test_a_body_is_utf_8_whatever_it_is_said_to_be(given, left):
    assert clean_environ({"CONTENT_TYPE": given}) == {"CONTENT_TYPE": left}
