"""Every setting of Lastgood; what differs between installations is an environment variable.

docs/settings.md lists the variables. Without any, one process on SQLite serves this machine only.
"""

import logging
import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = Path(os.environ.get("LASTGOOD_STATE_DIR", BASE_DIR / "var"))
DEBUG = os.environ.get("LASTGOOD_DEBUG", "") == "1"


def _secret_key() -> str:
    """The key from the environment, or one made for this machine at the first start."""
    if key := os.environ.get("LASTGOOD_SECRET_KEY"):
        return key
    path = STATE_DIR / "secret_key"
    if not path.exists():
        STATE_DIR.mkdir(parents=True, exist_ok=True)
        # It gets its name once it is whole: of two processes starting at once, one names its own,
        # both read the same, and neither reads half of it.
        aside = STATE_DIR / f"secret_key.{os.getpid()}"
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(handle, os.urandom(48).hex().encode())
        os.close(handle)
        with suppress(FileExistsError):
            os.link(aside, path)
        aside.unlink()
    return path.read_text()


def _database(url: str) -> dict[str, object]:
    if not url:
        STATE_DIR.mkdir(parents=True, exist_ok=True)
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": STATE_DIR / "lastgood.sqlite3",
            # A file, because threads that share a database in memory cannot wait for each other.
            "TEST": {"NAME": STATE_DIR / f"test-{os.getpid()}.sqlite3"},
            "OPTIONS": {
                "timeout": 30,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            "LASTGOOD_DATABASE_URL must start with postgresql:// (leave it out for SQLite)."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        # A server that does not answer at all must not hold up a probe or a heartbeat.
        # A worker that is paused in the midst of a transaction must not keep its locks from others
        # for longer than its lease.
        "OPTIONS": {
            "connect_timeout": 5,
            "options": f"-c idle_in_transaction_session_timeout={LEASE_SECONDS * 500:.0f}",
        },
        # Under ASGI each request has a thread of its own, which would take a kept connection with
        # it: 400 requests left 110 open. A new one costs milliseconds.
        "CONN_MAX_AGE": 0,
    }


def _days(name: str, default: str) -> int:
    text = os.environ.get(name, default)
    if not text.isdecimal():  # a negative number would mean everything
        raise ImproperlyConfigured(f"{name} must be a number of days; 0 is for ever.")
    return int(text)


def _seconds(name: str, default: str) -> float:
    try:
        seconds = float(os.environ.get(name, default))
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise ImproperlyConfigured(f"{name} must be a number of seconds, from 0.1 to 3600.")
    return seconds


# The worker's promises in seconds; goals: a killed worker's executions go on within 15 s.
LEASE_SECONDS = _seconds("LASTGOOD_LEASE_SECONDS", "10")
HEARTBEAT_SECONDS = _seconds("LASTGOOD_HEARTBEAT_SECONDS", "3")
SWEEP_SECONDS = _seconds("LASTGOOD_SWEEP_SECONDS", "2")
if HEARTBEAT_SECONDS * 2 > LEASE_SECONDS:  # one late heartbeat must not cost the lease
    raise ImproperlyConfigured(
        "LASTGOOD_LEASE_SECONDS must be at least twice LASTGOOD_HEARTBEAT_SECONDS."
    )

SECRET_KEY = _secret_key()
# Seals the audit trail; keep it when the secret key is changed, or the old rows cannot be verified.
AUDIT_KEY = os.environ.get("LASTGOOD_AUDIT_KEY") or SECRET_KEY
ALLOWED_HOSTS = os.environ.get("LASTGOOD_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [
    origin for origin in os.environ.get("LASTGOOD_ORIGINS", "").split(",") if origin
]
# HTTPS is on where the site is reached by other machines, which is where origins are named.
BEHIND_HTTPS = any(origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS)

INSTALLED_APPS = [
    "accounts",
    "dashboard",
    "rollbacks",
    "guardian",
    "django_htmx",
    "accounts.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "dashboard.middleware.RequestMiddleware",
    "dashboard.middleware.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.ApiKeyMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "accounts.middleware.OriginMiddleware",
    "accounts.middleware.NeedMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "rollbacks.middleware.RefusalMiddleware",
]
ROOT_URLCONF = "dashboard.urls"
ASGI_APPLICATION = "dashboard.asgi.application"
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
                "accounts.context.doors",
            ],
        },
    }
]
DATABASES = {"default": _database(os.environ.get("LASTGOOD_DATABASE_URL", ""))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "services"
LOGOUT_REDIRECT_URL = "login"
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_HTTPS
SECURE_SSL_REDIRECT = BEHIND_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = BEHIND_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_HTTPS else None
# A row of a user group may name thousands of environments, each a field of the admin's form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
X_FRAME_OPTIONS = "DENY"
# Nothing inline: scripts and styles come from this site only.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
CSRF_FAILURE_VIEW = "dashboard.graphql.view.csrf_failed"

# The API: its modules, named by string as the apps above are; and what a call may hold.
GRAPHQL_SCHEMAS = ("accounts.schema", "dashboard.schema", "rollbacks.schema")
API_CALLS_PER_MINUTE = int(os.environ.get("LASTGOOD_API_CALLS_PER_MINUTE", "30"))
API_DEPTH = int(os.environ.get("LASTGOOD_API_DEPTH", "10"))
API_ALIASES = int(os.environ.get("LASTGOOD_API_ALIASES", "15"))
API_TOKENS = int(os.environ.get("LASTGOOD_API_TOKENS", "1000"))
API_NODES = int(os.environ.get("LASTGOOD_API_NODES", "10000"))
API_BODY_BYTES = int(os.environ.get("LASTGOOD_API_BODY_BYTES", str(256 * 1024)))

LANGUAGE_CODE = "en-us"
TIME_ZONE = os.environ.get("LASTGOOD_TIME_ZONE", "UTC")
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = Path(os.environ.get("LASTGOOD_STATIC_ROOT", BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [BASE_DIR / "static"]
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = DEBUG

# The database is the queue: a message only wakes a worker, so losing all of them costs a sweep.
CELERY_BROKER_URL = os.environ.get("LASTGOOD_BROKER_URL", "memory://localhost/")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: a worker does not end for its broker
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "polling_interval": 0.05,
    "socket_connect_timeout": 2,
    # Whoever clicked does not wait for a hint that may be lost: kombu would try for 6 s.
    "max_retries": 0,
}
CELERY_WORKER_CONSUMER = "dashboard.consumer:Consumer"
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = int(os.environ.get("LASTGOOD_CONCURRENCY", "32"))
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
EMBEDDED_WORKER = CELERY_BROKER_URL.startswith("memory://")

# Who may read /metrics; without a token, this machine itself.
METRICS_TOKEN = os.environ.get("LASTGOOD_METRICS_TOKEN", "")

SYNC_SECONDS = 600.0
# Of failed steps on one target, whichever executions they belong to.
RETRIES_PER_HOUR = int(os.environ.get("LASTGOOD_RETRIES_PER_HOUR", "60"))

# Of finished executions, and never what a rollback may need; 0 keeps for ever.
KEEP_LOG_DAYS = _days("LASTGOOD_KEEP_LOG_DAYS", "90")
KEEP_JOURNAL_DAYS = _days("LASTGOOD_KEEP_JOURNAL_DAYS", "365")

LOG_FORMAT = os.environ.get("LASTGOOD_LOG_FORMAT", "line")
if LOG_FORMAT not in {"line", "json"}:
    raise ImproperlyConfigured("LASTGOOD_LOG_FORMAT must be line or json.")
# Python's warnings too are lines of the log where programs read it.
logging.captureWarnings(LOG_FORMAT == "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "dashboard.logs.Line"}, "json": {"()": "dashboard.logs.Json"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": os.environ.get("LASTGOOD_LOG_LEVEL", "INFO")},
    "loggers": {
        "asyncssh": {"level": "WARNING"},
        # One line for each hint, and hints mean little: executions say what they do.
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
    },
}
