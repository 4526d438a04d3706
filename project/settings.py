"""Django settings, read from the environment; docs/settings.md has the table of all of them."""

import re
import sys
from pathlib import Path

from corsheaders.defaults import default_headers

from customers.services.private_files import PrivateConnection, narrow
from project.env import (
    at_least,
    env,
    generated_secret,
    host_of,
    is_email,
    is_postgresql,
    is_redis,
    is_sender,
    is_sqlite,
    is_time_zone,
    is_url_or_empty,
    is_web_address,
    networks,
    number_or_none,
    setting,
    true_or_false,
)

BASE_DIR = Path(__file__).resolve().parent.parent


# What this installation is
DATA_DIR = Path(setting(env.str, "DATA_DIR", str(BASE_DIR / "var"), "a folder's path", bool))
narrow(DATA_DIR)
DEBUG = setting(true_or_false, "DEBUG", False, "true or false")
SECRET_KEY = setting(
    env.str, "SECRET_KEY", "", "50 or more random characters", lambda v: not v or len(v) >= 50
) or generated_secret(DATA_DIR / "secret_key")
PUBLIC_URL = setting(
    env.str,
    "PUBLIC_URL",
    "http://127.0.0.1:8000",
    "the address clients use, such as https://api.example.com, without a path",
    lambda value: is_web_address(value.rstrip("/")),
).rstrip("/")
TOKEN_ISSUER = setting(
    env.str,
    "TOKEN_ISSUER",
    "https://auth.clientele.localhost",
    "https://auth. followed by your domain, such as https://auth.example.com",
    lambda value: value.startswith("https://auth.") and is_web_address(value),
)
ORGANIZATION_ID = setting(
    env.str,
    "ORGANIZATION_ID",
    "clientele",
    "1 to 32 letters and digits",
    re.compile(r"[A-Za-z0-9]{1,32}").fullmatch,
)
ORGANIZATION_NAME = setting(env.str, "ORGANIZATION_NAME", "Clientele", "your name", bool)
ORGANIZATION_SLUG = setting(
    env.str,
    "ORGANIZATION_SLUG",
    "clientele",
    "the first label of your API's host name: lower-case letters, digits and hyphens",
    re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?").fullmatch,
)
SUPPORT_EMAIL = setting(
    env.str, "SUPPORT_EMAIL", "", "an e-mail address", lambda value: not value or is_email(value)
)
OPERATOR_EMAIL = setting(
    env.str, "OPERATOR_EMAIL", "", "an e-mail address", lambda value: not value or is_email(value)
)
SUPPORT_PHONE = setting(env.str, "SUPPORT_PHONE", "", "a phone number")
STOREFRONT_URL = setting(env.str, "STOREFRONT_URL", "", "a web address", is_url_or_empty)
LOGO_URL = setting(env.str, "LOGO_URL", "", "a web address", is_url_or_empty)
FAVICON_URL = setting(env.str, "FAVICON_URL", "", "a web address", is_url_or_empty)
PRIMARY_COLOR = setting(
    env.str,
    "PRIMARY_COLOR",
    "",
    "a colour such as #417690",
    re.compile(r"|#[0-9A-Fa-f]{6}").fullmatch,
)
_issuer_host = host_of(TOKEN_ISSUER)
ALLOWED_HOSTS = setting(
    env.list,
    "ALLOWED_HOSTS",
    [
        host_of(PUBLIC_URL),
        _issuer_host,
        ORGANIZATION_SLUG + _issuer_host.removeprefix("auth"),
        "localhost",
        "127.0.0.1",
        "[::1]",
    ],
    "the host names this service answers to, separated by commas",
    bool,
)


# Who stands between the clients and us
TRUSTED_PROXIES = setting(
    env.list,
    "TRUSTED_PROXIES",
    [],
    "the addresses of your proxies, such as 10.0.0.0/8, separated by commas, or unix",
    lambda value: networks(value) is not None,
)
PROXY_NETWORKS = networks(TRUSTED_PROXIES)
CORS_ORIGINS = setting(
    env.list,
    "CORS_ORIGINS",
    [],
    "the web addresses of your storefronts, separated by commas, or *",
    lambda value: value == ["*"] or all(map(is_web_address, value)),
)
CORS_ALLOW_ALL_ORIGINS = CORS_ORIGINS == ["*"]
CORS_ALLOWED_ORIGINS = [] if CORS_ALLOW_ALL_ORIGINS else CORS_ORIGINS
CORS_URLS_REGEX = r"^/(api|oauth|\.well-known)(/|$)"
CORS_ALLOW_HEADERS = [*default_headers, "if-match", "idempotency-key"]
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "Retry-After",
    "X-Request-Id",
    "X-Ratelimit-Interval",
    "X-Ratelimit-Limit",
    "X-Ratelimit-Remaining",
]
REDIS_URL = setting(
    env.str,
    "REDIS_URL",
    "",
    "redis://HOST:6379/0",
    lambda value: not value or is_redis(value),
)

# Limits and lifetimes
API_REQUESTS_PER_MINUTE = setting(
    env.int, "API_REQUESTS_PER_MINUTE", 0, "0, for no limit, or a number", at_least(0)
)
CHANNEL_REQUESTS_PER_MINUTE = setting(
    env.int, "CHANNEL_REQUESTS_PER_MINUTE", 200, "0, for no limit, or a number", at_least(0)
)
CHANNEL_REQUESTS_PER_MINUTE_TEST = setting(
    env.int, "CHANNEL_REQUESTS_PER_MINUTE_TEST", 100, "0, for no limit, or a number", at_least(0)
)
CHANNEL_BURST = setting(env.int, "CHANNEL_BURST", 50, "0, for no limit, or a number", at_least(0))
CHANNEL_BURST_TEST = setting(
    env.int, "CHANNEL_BURST_TEST", 25, "0, for no limit, or a number", at_least(0)
)
MAX_CONCURRENT_REQUESTS = setting(
    env.int, "MAX_CONCURRENT_REQUESTS", 6, "0, for no limit, or a number", at_least(0, 1000)
)
TOKEN_REQUESTS_PER_MINUTE = setting(
    env.int, "TOKEN_REQUESTS_PER_MINUTE", 30, "1 request or more", at_least(1)
)
PAGE_REQUESTS_PER_MINUTE = setting(
    env.int, "PAGE_REQUESTS_PER_MINUTE", 10, "1 form or more", at_least(1)
)
LOGIN_FAILURES_PER_CLIENT = setting(
    env.int, "LOGIN_FAILURES_PER_CLIENT", 10, "1 to 100 failures", at_least(1, 100)
)
SECOND_FACTOR_REQUIRED = setting(true_or_false, "SECOND_FACTOR_REQUIRED", False, "true or false")
SECOND_FACTOR_FAILURES = setting(
    env.int, "SECOND_FACTOR_FAILURES", 5, "1 to 20 failures", at_least(1, 20)
)
STAFF_SESSION_LIFETIME = setting(
    env.int, "STAFF_SESSION_LIFETIME", 36_000, "300 to 604800 seconds", at_least(300, 604_800)
)
LOGIN_FAILURES_PER_ACCOUNT = setting(
    env.int, "LOGIN_FAILURES_PER_ACCOUNT", 100, "10 to 1000 failures", at_least(10, 1000)
)
PASSWORD_CONCURRENCY = setting(
    env.int, "PASSWORD_CONCURRENCY", 1, "1 to 64 passwords", at_least(1, 64)
)
PASSWORD_QUEUE = setting(env.int, "PASSWORD_QUEUE", 4, "0 to 1000 passwords", at_least(0, 1000))
STAFF_FAILURES_PER_ADDRESS = setting(
    env.int, "STAFF_FAILURES_PER_ADDRESS", 50, "10 to 10000 failures", at_least(10, 10_000)
)
STAFF_BROWSER_LIFETIME = setting(
    env.int, "STAFF_BROWSER_LIFETIME", 7_776_000, "0 to 31536000 seconds", at_least(0, 31_536_000)
)
STAFF_PASSWORD_CONCURRENCY = setting(
    env.int, "STAFF_PASSWORD_CONCURRENCY", 1, "1 to 64 passwords", at_least(1, 64)
)
STAFF_PASSWORD_QUEUE = setting(
    env.int, "STAFF_PASSWORD_QUEUE", 1, "0 to 1000 passwords", at_least(0, 1000)
)
ACCESS_TOKEN_LIFETIME = setting(
    env.int, "ACCESS_TOKEN_LIFETIME", 7200, "60 to 86400 seconds", at_least(60, 86400)
)
TOKEN_LEEWAY = setting(env.int, "TOKEN_LEEWAY", 60, "0 to 600 seconds", at_least(0, 600))
REFRESH_TOKEN_LIFETIME = setting(
    env.int,
    "REFRESH_TOKEN_LIFETIME",
    1_209_600,
    "ACCESS_TOKEN_LIFETIME to 31536000 seconds",
    at_least(ACCESS_TOKEN_LIFETIME, 31_536_000),
)
SECRET_OVERLAP = setting(
    env.int, "SECRET_OVERLAP", 86_400, "0 to 2592000 seconds", at_least(0, 2_592_000)
)
PASSWORD_RESET_LIFETIME = setting(
    env.int, "PASSWORD_RESET_LIFETIME", 3600, "300 to 604800 seconds", at_least(300, 604_800)
)
INVITATION_LIFETIME = setting(
    env.int, "INVITATION_LIFETIME", 604_800, "300 to 2592000 seconds", at_least(300, 2_592_000)
)
IDEMPOTENCY_KEY_LIFETIME = setting(
    env.int,
    "IDEMPOTENCY_KEY_LIFETIME",
    86_400,
    "3600 to 2592000 seconds",
    at_least(3600, 2_592_000),
)
MAX_RESET_MAILS = setting(env.int, "MAX_RESET_MAILS", 3, "1 to 100 mails an hour", at_least(1, 100))
MAX_WAITING_WRITES = setting(
    env.int, "MAX_WAITING_WRITES", 6, "1 to 1000 changes at once", at_least(1, 1000)
)
MAX_BODY_BYTES = setting(env.int, "MAX_BODY_BYTES", 2**20, "1024 bytes or more", at_least(1024))
MAX_UPLOAD_BYTES = setting(
    env.int, "MAX_UPLOAD_BYTES", 10 * 2**20, "1024 bytes or more", at_least(1024)
)
MAX_TEXT = setting(env.int, "MAX_TEXT", 65_535, "1024 to 1000000 characters", at_least(1024, 10**6))
MAX_METADATA_BYTES = setting(
    env.int, "MAX_METADATA_BYTES", 2**15, "1024 to 1048576 bytes", at_least(1024, 2**20)
)
MAX_METADATA_KEYS = setting(
    env.int, "MAX_METADATA_KEYS", 500, "10 to 10000 keys", at_least(10, 10_000)
)
MAX_JSON_DEPTH = setting(env.int, "MAX_JSON_DEPTH", 32, "8 to 200 levels", at_least(8, 200))
PAGE_SIZE = setting(env.int, "PAGE_SIZE", 10, "1 to 25 rows", at_least(1, 25))
MAX_PAGE_SIZE = setting(
    env.int, "MAX_PAGE_SIZE", 25, "PAGE_SIZE to 100 rows", at_least(PAGE_SIZE, 100)
)
MAX_INCLUDE_DEPTH = setting(env.int, "MAX_INCLUDE_DEPTH", 4, "1 to 8 relationships", at_least(1, 8))
MAX_INCLUDED = setting(
    env.int, "MAX_INCLUDED", 2000, "25 to 100000 resources", at_least(25, 100000)
)
MAX_DOCUMENT_BYTES = setting(
    env.int, "MAX_DOCUMENT_BYTES", 2**23, "1048576 to 1073741824 bytes", at_least(2**20, 2**30)
)
MAX_COUNTED = setting(
    env.int, "MAX_COUNTED", 100_000, "1000 to 10000000 rows", at_least(1000, 10_000_000)
)
MAX_FILTERS = setting(env.int, "MAX_FILTERS", 50, "1 to 500 conditions", at_least(1, 500))
MAX_FILTER_VALUES = setting(
    env.int, "MAX_FILTER_VALUES", 200, "1 to 500 comparisons", at_least(1, 500)
)
MAX_LISTED_VALUES = setting(
    env.int, "MAX_LISTED_VALUES", 10_000, "100 to 100000 values", at_least(100, 100_000)
)
MAX_TAGS = setting(env.int, "MAX_TAGS", 10, "1 to 100 tags a record", at_least(1, 100))

# Webhooks
WEBHOOK_TIMEOUT = setting(env.int, "WEBHOOK_TIMEOUT", 5, "1 to 60 seconds", at_least(1, 60))
WEBHOOK_RETRIES = setting(env.int, "WEBHOOK_RETRIES", 10, "0 to 20 retries", at_least(0, 20))
WEBHOOK_CIRCUIT_FAILURES = setting(
    env.int, "WEBHOOK_CIRCUIT_FAILURES", 30, "1 to 1000 failures", at_least(1, 1000)
)
WEBHOOK_PROBE_INTERVAL = setting(
    number_or_none,
    "WEBHOOK_PROBE_INTERVAL",
    "",
    "nothing, for no probes, or 10 to 86400 seconds",
    lambda value: value is None or 10 <= value <= 86_400,
)
WEBHOOK_MAX_PROBE_INTERVAL = setting(
    env.int,
    "WEBHOOK_MAX_PROBE_INTERVAL",
    3600,
    "WEBHOOK_PROBE_INTERVAL, or 10, to 604800 seconds",
    at_least(WEBHOOK_PROBE_INTERVAL or 10, 604_800),
)
WEBHOOK_MAX_RETRY_AFTER = setting(
    env.int, "WEBHOOK_MAX_RETRY_AFTER", 86_400, "0 to 604800 seconds", at_least(0, 604_800)
)
WEBHOOK_NOTIFY_FAILURES = setting(
    env.int, "WEBHOOK_NOTIFY_FAILURES", 5, "1 to 1000 failures", at_least(1, 1000)
)
WEBHOOK_CONCURRENCY = setting(
    env.int, "WEBHOOK_CONCURRENCY", 16, "1 to 256 calls of one webhook at once", at_least(1, 256)
)
WEBHOOK_ALLOWED_NETWORKS = setting(
    env.list,
    "WEBHOOK_ALLOWED_NETWORKS",
    [],
    "networks of your own that webhooks may call, such as 10.1.0.0/16, separated by commas",
    lambda value: networks(value) is not None,
)
WEBHOOK_NETWORKS = networks(WEBHOOK_ALLOWED_NETWORKS)
CALLBACK_RETENTION_DAYS = setting(
    env.int, "CALLBACK_RETENTION_DAYS", 30, "1 to 365 days", at_least(1, 365)
)

ANONYMIZATION_DELAY = setting(
    env.int, "ANONYMIZATION_DELAY", 86_400, "0 to 2592000 seconds", at_least(0, 2_592_000)
)

# Imports and exports
MAX_IMPORT_INPUTS = setting(
    env.int, "MAX_IMPORT_INPUTS", 10_000, "1 to 1000000 inputs", at_least(1, 1_000_000)
)
MAX_IMPORT_BYTES = setting(
    env.int,
    "MAX_IMPORT_BYTES",
    2**25,
    "MAX_BODY_BYTES to 1073741824 bytes",
    at_least(MAX_BODY_BYTES, 2**30),
)
MAX_EXPORT_RECORDS = setting(
    env.int, "MAX_EXPORT_RECORDS", 10_000, "1 to 1000000 records", at_least(1, 1_000_000)
)
EMAIL_CHANGE_NEEDS_PASSWORD = setting(
    true_or_false, "EMAIL_CHANGE_NEEDS_PASSWORD", False, "true or false"
)
IMPORTS_TRIGGER_WEBHOOKS = setting(
    true_or_false, "IMPORTS_TRIGGER_WEBHOOKS", False, "true or false"
)

ADDRESSES_PHONE_REQUIRED = setting(true_or_false, "ADDRESSES_PHONE_REQUIRED", True, "true or false")
PASSWORD_MIN_LENGTH = setting(
    env.int, "PASSWORD_MIN_LENGTH", 8, "8 to 64 characters", at_least(8, 64)
)
PASSWORD_MAX_LENGTH = setting(
    env.int, "PASSWORD_MAX_LENGTH", 512, "64 to 4096 characters", at_least(64, 4096)
)

INSTALLED_APPS = [
    "customers",
    "project.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "django_filters",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "rest_framework",
    "rest_framework_json_api",
]
MIDDLEWARE = [
    "project.request_logging.observed",
    "project.limits.bounded_head",
    "project.limits.bounded_concurrency",
    "project.health.health",
    "project.limits.bounded_time",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "project.middleware.content_security_policy",
    "project.middleware.StaticFiles",
    "django.middleware.common.CommonMiddleware",
    "project.middleware.Sessions",
    "django.middleware.csrf.CsrfViewMiddleware",
    "project.middleware.Authentication",
    "project.middleware.SecondFactor",
    "customers.admin.time_zones.localized",
    "project.uploads.bounded",
    "project.middleware.Messages",
    "project.middleware.FaultMiddleware",
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database
DATABASES = {
    "default": setting(
        env.db,
        "DATABASE_URL",
        f"sqlite:///{DATA_DIR / 'clientele.sqlite3'}",
        "postgres://USER:PASSWORD@HOST:5432/NAME or sqlite:///PATH",
        lambda value: is_postgresql(value) or is_sqlite(value),
    )
}
SQLITE = is_sqlite(DATABASES["default"])
DATABASE_CONNECT_TIMEOUT = setting(
    env.int, "DATABASE_CONNECT_TIMEOUT", 3, "1 to 60 seconds", at_least(1, 60)
)
DATABASE_LOCK_TIMEOUT = setting(
    env.int, "DATABASE_LOCK_TIMEOUT", 20 if SQLITE else 5, "1 to 60 seconds", at_least(1, 60)
)
DATABASE_STATEMENT_TIMEOUT = setting(
    env.int, "DATABASE_STATEMENT_TIMEOUT", 20, "0, for no limit, to 3600 seconds", at_least(0, 3600)
)
DATABASE_REQUEST_TIMEOUT = setting(
    env.int, "DATABASE_REQUEST_TIMEOUT", 30, "0, for no limit, to 3600 seconds", at_least(0, 3600)
)
CUSTOMER_REQUEST_TIMEOUT = setting(
    env.int, "CUSTOMER_REQUEST_TIMEOUT", 5, "1 to 3600 seconds", at_least(1, 3600)
)
DATABASE_POOLER = setting(true_or_false, "DATABASE_POOLER", False, "true or false")
DATABASE_REPLICA_URL = setting(
    env.str,
    "DATABASE_REPLICA_URL",
    "",
    "postgres://USER:PASSWORD@HOST:5432/NAME of a replica of DATABASE_URL's PostgreSQL",
    lambda value: not value or (is_postgresql(env.db_url_config(value)) and not SQLITE),
)
if DATABASE_REPLICA_URL:
    DATABASES["replica"] = {
        **env.db_url_config(DATABASE_REPLICA_URL),
        "TEST": {"MIRROR": "default"},
    }
    DATABASE_ROUTERS = ["customers.db.routing.Router"]
if SQLITE:
    DATABASES["default"]["OPTIONS"] = {
        "factory": PrivateConnection,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        "timeout": DATABASE_LOCK_TIMEOUT,
        "transaction_mode": "IMMEDIATE",
    }
else:
    _server = {
        "lock_timeout": DATABASE_LOCK_TIMEOUT,
        "statement_timeout": DATABASE_STATEMENT_TIMEOUT,
        "idle_in_transaction_session_timeout": 60,
    }
    _options = {
        "connect_timeout": DATABASE_CONNECT_TIMEOUT,
        "keepalives_idle": 5,  # a host that vanished is noticed within ten seconds
        "keepalives_interval": 2,
        "keepalives_count": 2,
        "tcp_user_timeout": 10_000,
        "prepare_threshold": None if DATABASE_POOLER else 3,  # uses, until a plan is kept
    }
    if not DATABASE_POOLER:  # which would refuse them; there the role or the pooler sets them
        _options["options"] = " ".join(f"-c {name}={value}s" for name, value in _server.items())
    for _database in DATABASES.values():
        _database.setdefault("OPTIONS", {}).update(_options)
        _database.update(
            CONN_MAX_AGE=600, CONN_HEALTH_CHECKS=True, DISABLE_SERVER_SIDE_CURSORS=DATABASE_POOLER
        )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Passwords of customers and staff
PASSWORD_HASHERS = ["customers.services.passwords.Argon2idHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": PASSWORD_MIN_LENGTH},
    },
    {"NAME": "customers.services.passwords.MaximumLengthValidator"},
    {"NAME": "customers.services.passwords.GuessableValidator"},
]

# Staff: services/staff_logins.py counts wrong passwords and codes
OTP_TOTP_ISSUER = ORGANIZATION_NAME
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 0  # it doubles for ever: see services

# Mail
EMAIL = setting(
    env.email_url,
    "EMAIL_URL",
    f"filemail:///{DATA_DIR / 'mails'}",
    "smtp+tls://USER:PASSWORD@HOST:587 or another address that django-environ knows",
    lambda value: bool(value.get("EMAIL_BACKEND")),
)
globals().update(EMAIL)
if EMAIL["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
    EMAIL_BACKEND = "customers.jobs.smtp.EmailBackend"  # which knows addresses beyond ASCII
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = setting(
    env.str,
    "MAIL_FROM",
    f"no-reply@{host_of(PUBLIC_URL)}".replace("[", "[IPv6:"),  # RFC 5321 section 4.1.3
    "the e-mail address that mails come from",
    is_sender,
)

# The API
REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "customers.api.errors.respond_to",
    "UNAUTHENTICATED_USER": None,
}
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

# Time, language, files
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"  # of all that programs read; the console has another one
CONSOLE_TIME_ZONE = setting(
    env.str, "TIME_ZONE", "UTC", "the name of a time zone, such as Europe/Berlin", is_time_zone
)
USE_TZ = True
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

# Logs and figures: what a query string or a path asks for may be somebody's address
LOG_FORMAT = setting(
    env.str,
    "LOG_FORMAT",
    "text" if sys.stderr.isatty() else "json",
    "text or json",
    {"text", "json"}.__contains__,
)
LOG_LEVEL = setting(
    env.str,
    "LOG_LEVEL",
    "INFO",
    "DEBUG, INFO, WARNING or ERROR",
    {"DEBUG", "INFO", "WARNING", "ERROR"}.__contains__,
)
METRICS_TOKEN = setting(
    env.str, "METRICS_TOKEN", "", "16 or more characters", lambda v: not v or len(v) >= 16
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "without_query": {"()": "project.logs.WithoutQuery"},
        "without_path": {"()": "project.logs.WithoutPath"},
        "without_refused": {"()": "project.logs.WithoutRefused"},
    },
    "formatters": {
        "text": {"()": "project.logs.Text"},
        "json": {"()": "project.logs.Json"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["without_query", "without_refused"],
            "formatter": LOG_FORMAT,
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "authlib": {"level": "WARNING"},  # below, it writes tokens and addresses down
        "django": {"handlers": [], "level": "INFO"},
        "django.request": {"filters": ["without_path"]},
        "django.server": {"handlers": [], "level": "ERROR", "propagate": True},
    },
}

# Security: a PUBLIC_URL with https switches on everything that needs https
HTTPS = PUBLIC_URL.startswith("https://")
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
if HTTPS:  # of this host alone, whatever its neighbours in the domain set (RFC 6265bis, 4.1.3.2)
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SESSION_COOKIE_AGE = CSRF_COOKIE_AGE = STAFF_SESSION_LIFETIME
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "project.middleware.form_refused"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
if setting(true_or_false, "TRUST_FORWARDED_PROTO", False, "true or false"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
