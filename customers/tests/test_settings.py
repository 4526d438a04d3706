"""Settings: each is in the table of docs/settings.md, and a wrong one is refused in a sentence."""

import logging
import re
import runpy
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.mail.message import sanitize_address

ROOT = Path(settings.BASE_DIR)
SOURCE = (ROOT / "project" / "settings.py").read_text()
NAMES = set(re.findall(r'setting\(\s*[\w.]+,\s*"(\w+)"', SOURCE))


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Reads the settings as a start would, in an environment that has only what is given."""

    def read(**environment):
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in {"DATA_DIR": str(tmp_path), **environment}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "project" / "settings.py"))

    return read


def test_the_table_has_a_row_for_each_setting():
    table = (ROOT / "docs" / "settings.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", table, re.MULTILINE)[2:]
    rows = [(name, default) for names, default in rows for name in re.findall(r"`(\w+)`", names)]
    assert sorted(name for name, _ in rows) == sorted(NAMES)
    for name, default in rows:
        if default.strip("`").isdigit():
            assert str(getattr(settings, name)) == default.strip("`"), name


@pytest.mark.filterwarnings("ignore:Engine not recognized")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "perhaps"),
        ("DATABASE_LOCK_TIMEOUT", "0"),
        ("DATABASE_REPLICA_URL", "postgres://u@127.0.0.1/replica"),  # of SQLite there is none
        ("DATABASE_URL", "postgres://[bad"),
        ("DATABASE_URL", "postgres://u@h:abc/name"),
        ("DATABASE_URL", "postgres://u@h"),
        ("DATABASE_URL", "postgresfoo://u@h/name"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_POOLER", "perhaps"),
        ("IDEMPOTENCY_KEY_LIFETIME", "60"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "LOUD"),
        ("METRICS_TOKEN", "short"),
        ("SECRET_KEY", "short"),
        ("PUBLIC_URL", "api.example.com"),
        ("PUBLIC_URL", "https://api.example.com/path"),
        ("PUBLIC_URL", "ftp://api.example.com"),
        ("PUBLIC_URL", "http://h:abc"),
        ("PUBLIC_URL", "http://a b"),
        ("PUBLIC_URL", "http://[bad"),
        ("PUBLIC_URL", "http://user@h"),
        ("TOKEN_ISSUER", "https://example.com"),
        ("TOKEN_ISSUER", "http://auth.example.com"),
        ("TOKEN_ISSUER", "https://auth.example.com:99999"),
        ("REDIS_URL", "127.0.0.1:6379"),
        ("REDIS_URL", "redis://h:abc"),
        ("REDIS_URL", "redis://h/zero"),
        ("REDIS_URL", "redis://h?surprise=1"),
        ("CORS_ORIGINS", "https://shop.example.com,https://h:abc"),
        ("MAIL_FROM", "@"),
        ("MAIL_FROM", "Shop <nobody>"),
        ("MAIL_FROM", "Shop <a@example.com"),
        ("MAIL_FROM", "a@example.com, b@example.com"),
        ("ORGANIZATION_SLUG", "Not A Slug"),
        ("ORGANIZATION_ID", "a-b"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "nonsense"),
        ("SUPPORT_EMAIL", "nobody"),
        ("LOGO_URL", "logo.png"),
        ("LOGO_URL", "https://h:abc/logo.png"),
        ("PRIMARY_COLOR", "blue"),
        ("ADDRESSES_PHONE_REQUIRED", "maybe"),
        ("PASSWORD_MIN_LENGTH", "4"),
        ("ACCESS_TOKEN_LIFETIME", "0"),
        ("ACCESS_TOKEN_LIFETIME", "two hours"),
        ("SECRET_OVERLAP", "-1"),
        ("STAFF_SESSION_LIFETIME", "60"),
        ("MAX_BODY_BYTES", "-1"),
        ("MAX_JSON_DEPTH", "1000"),
        ("PAGE_SIZE", "26"),
        ("MAX_PAGE_SIZE", "5"),
        ("MAX_INCLUDE_DEPTH", "0"),
        ("MAX_INCLUDED", "1"),
        ("MAX_FILTERS", "x"),
        ("MAX_TAGS", "0"),
        ("TRUST_FORWARDED_PROTO", "2"),
        ("WEBHOOK_PROBE_INTERVAL", "0"),
        ("WEBHOOK_PROBE_INTERVAL", "soon"),
        ("WEBHOOK_MAX_PROBE_INTERVAL", "5"),
        ("WEBHOOK_MAX_RETRY_AFTER", "-1"),
    ],
)
def test_a_wrong_setting_is_refused_in_a_sentence(load, name, value):
    with pytest.raises(ImproperlyConfigured, match=rf"^Set {name} to .+\.$"):
        load(**{name: value})


@pytest.mark.parametrize(
    "url", ["postgres://[bad", "postgresfoo://u@h/name", "sqlite:///copy.db", "postgres://u@h"]
)
def test_a_replica_that_is_none_is_refused(load, url):
    with pytest.raises(ImproperlyConfigured, match=r"^Set DATABASE_REPLICA_URL to .+\.$"):
        load(DATABASE_URL="postgres://u@h/name", DATABASE_REPLICA_URL=url)


def test_a_replica_is_connected_to_as_its_own_address_says(load):
    databases = load(
        DATABASE_URL="postgres://u@h/name?target_session_attrs=read-write",
        DATABASE_REPLICA_URL="postgres://u@copy/name?sslmode=verify-full",
    )["DATABASES"]
    ours, copy = databases["default"]["OPTIONS"], databases["replica"]["OPTIONS"]
    assert ours.pop("target_session_attrs") == "read-write"
    assert copy.pop("sslmode") == "verify-full"
    assert copy == ours  # the limits
    assert databases["replica"]["HOST"] == "copy"
    assert databases["replica"]["CONN_HEALTH_CHECKS"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgres://user:p#w@h/name"),
        ("DATABASE_URL", "postgres://u@[::1]:5432/name"),
        ("DATABASE_URL", "postgres://u@one,two:5433/name"),
        ("DATABASE_URL", "postgres:////var/run/postgresql/name"),
        ("PUBLIC_URL", "http://[fd00::1]:8000/"),
        ("REDIS_URL", "rediss://:secret@h:6380/1?socket_timeout=2"),
        ("REDIS_URL", "unix:///run/redis.sock?db=1"),
        ("MAIL_FROM", "The shop <no-reply@example.com>"),
        ("LOGO_URL", "https://cdn.example.com/logo.png?v=2"),
        ("WEBHOOK_PROBE_INTERVAL", ""),
        ("WEBHOOK_PROBE_INTERVAL", "60"),
    ],
)
def test_what_is_less_usual_is_accepted(load, name, value):
    load(**{name: value})


def test_mails_of_a_service_at_an_ipv6_address_have_a_sender_that_can_be_written(load):
    sender = load(PUBLIC_URL="http://[fd00::1]:8000")["DEFAULT_FROM_EMAIL"]
    assert sender == "no-reply@[IPv6:fd00::1]"
    message = EmailMessage("Subject", "Body", sender, ["ada@example.com"])
    assert message.message()["From"] == sender
    assert sanitize_address(sender, "utf-8") == sender  # as it is said to the mail server


def test_the_secret_key_is_made_once_and_kept_for_its_owner(load, tmp_path):
    made = load()["SECRET_KEY"]
    assert len(made) >= 50
    assert load()["SECRET_KEY"] == made
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o077 == 0
    path.chmod(0o644)
    tmp_path.chmod(0o755)
    load()
    assert (path.stat().st_mode & 0o777, tmp_path.stat().st_mode & 0o777) == (0o600, 0o700)
    tmp_path.chmod(0o755)
    load(SECRET_KEY="k" * 50)
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert load(SECRET_KEY="k" * 50)["SECRET_KEY"] == "k" * 50


def test_a_data_folder_that_cannot_be_written_is_told(load, tmp_path):
    (tmp_path / "file").touch()
    sentence = "Set SECRET_KEY to a long random string, or DATA_DIR to a writable folder"
    with pytest.raises(ImproperlyConfigured, match=sentence):
        load(DATA_DIR=str(tmp_path / "file" / "inside"))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_https_address_switches_on_what_needs_it(load, scheme):
    settings = load(PUBLIC_URL=f"{scheme}://api.example.com")
    https = scheme == "https"
    assert settings["SECURE_SSL_REDIRECT"] is https
    assert settings["SESSION_COOKIE_SECURE"] is https
    assert settings["CSRF_COOKIE_SECURE"] is https
    assert bool(settings["SECURE_HSTS_SECONDS"]) is https
    names = [settings.get(name) for name in ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME")]
    assert names == (["__Host-sessionid", "__Host-csrftoken"] if https else [None, None])
    assert "api.example.com" in settings["ALLOWED_HOSTS"]


def test_logs_leave_out_what_a_query_string_asks_for():
    (handler,) = [h for h in logging.getLogger().handlers if h.name == "console"]
    line = '"GET /api/customers?filter[q][email_eq]=ada@example.com HTTP/1.1" 200 5'
    record = logging.makeLogRecord({"name": "django.server", "msg": "%s", "args": (line,)})
    assert handler.filter(record)
    assert record.getMessage() == '"GET /api/customers HTTP/1.1" 200 5'
    assert logging.getLogger("django.server").propagate  # and has no handler of its own
