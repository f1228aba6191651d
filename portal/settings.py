"""Every setting, read from the environment here and nowhere else; a wrong value stops the start."""

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import environ
import structlog
from celery.schedules import schedule
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from kombu import Queue

from onboarding.core import retirement
from onboarding.core.handoff.quick_create import console_of

BASE_DIR = Path(__file__).resolve().parent.parent
PRODUCT_VERSION = "0.1.0"
CLIENT_FILE = BASE_DIR / "client" / "portal_config.py"

env = environ.Env()
# Tests and the demo name another file, or none, so that a developer's own settings cannot disturb them.
env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY")
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
_public = urlsplit(PUBLIC_URL)
if _public.scheme not in {"http", "https"} or not _public.hostname or _public.path:
    raise ImproperlyConfigured("PUBLIC_URL must look like https://portal.example.com, without a path.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[_public.hostname])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# --- Who runs this portal, as strangers read it -------------------------------------------------------------------
ORGANIZATION_NAME = env.str("ORGANIZATION_NAME", default="Your organization")
CONTACT_NAME = env.str("CONTACT_NAME", default="")
CONTACT_EMAIL = env.str("CONTACT_EMAIL", default="")

# --- AWS ----------------------------------------------------------------------------------------------------------
SANDBOX = env.bool("SANDBOX", default=False)
SANDBOX_CONSOLE_URL = env.str("SANDBOX_CONSOLE_URL", default="")
SANDBOX_MAILBOX_URL = env.str("SANDBOX_MAILBOX_URL", default="")
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_S3")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


for _name in _ENDPOINTS:
    _url = env.str(_name, default="")
    if _url and not SANDBOX:
        raise ImproperlyConfigured(f"{_name} points away from AWS. Unset it, or set SANDBOX=1 for a local trial.")
    if _url and not _is_loopback(_url):
        raise ImproperlyConfigured(f"{_name} must be a loopback address when SANDBOX=1.")
AWS_ENDPOINT_URL = env.str("AWS_ENDPOINT_URL", default="")
if SANDBOX and not AWS_ENDPOINT_URL:
    raise ImproperlyConfigured("SANDBOX=1 needs AWS_ENDPOINT_URL, the address of the local AWS.")

# Where CloudFormation reads the template that a partner's click has filled in; without it they download the template.
TEMPLATE_BUCKET = env.str("TEMPLATE_BUCKET", default="")
TEMPLATE_BUCKET_REGION = env.str("TEMPLATE_BUCKET_REGION", default="")
TEMPLATE_ACCESS_KEY_ID = env.str("TEMPLATE_ACCESS_KEY_ID", default="")
TEMPLATE_SECRET_ACCESS_KEY = env.str("TEMPLATE_SECRET_ACCESS_KEY", default="")
# AWS's documents differ: 1,024 characters, or 5,120.
TEMPLATE_URL_LIMIT = env.int("TEMPLATE_URL_LIMIT", default=1024)
_console = ""
if TEMPLATE_BUCKET:
    for _name in (
        "TEMPLATE_BUCKET_REGION",
        "TEMPLATE_ACCESS_KEY_ID",
        "TEMPLATE_SECRET_ACCESS_KEY",
        *(["SANDBOX_CONSOLE_URL"] if SANDBOX else []),
    ):
        if not vars()[_name]:
            raise ImproperlyConfigured(f"TEMPLATE_BUCKET needs {_name}, too.")
    _console = console_of(TEMPLATE_BUCKET_REGION)
    if not _console:
        raise ImproperlyConfigured("TEMPLATE_BUCKET_REGION is of a partition whose console has no known address.")
    if SANDBOX:
        _console = "{0.scheme}://{0.netloc}".format(urlsplit(SANDBOX_CONSOLE_URL))

# --- How long, how often ------------------------------------------------------------------------------------------
INVITATION_LIFETIME = timedelta(days=env.int("INVITATION_DAYS", default=14))
CHECK_INTERVAL = timedelta(minutes=env.int("CHECK_INTERVAL_MINUTES", default=180))
CHECK_INTERVAL_TROUBLED = timedelta(minutes=env.int("CHECK_INTERVAL_TROUBLED_MINUTES", default=15))
# How long a denial of a newly returned role may be IAM still propagating. The local AWS needs no such time.
IAM_PROPAGATION = timedelta(seconds=env.int("IAM_PROPAGATION_SECONDS", default=120))
# Our share of what STS takes from one account in one region (600 a second), kept by all workers together; 0 lifts it.
STS_CALLS_PER_SECOND = env.float("STS_CALLS_PER_SECOND", default=50.0)
if STS_CALLS_PER_SECOND < 0:
    raise ImproperlyConfigured("STS_CALLS_PER_SECOND must be 0 or more.")
SHUT_AGAIN_AFTER = retirement.SHUT_AGAIN_AFTER
if SANDBOX:
    # In a trial nobody waits a quarter of an hour to see that a door is shut.
    SHUT_AGAIN_AFTER = timedelta(seconds=env.int("SANDBOX_SHUT_AGAIN_SECONDS", default=900))
for _name, _value in {
    "INVITATION_DAYS": INVITATION_LIFETIME,
    "CHECK_INTERVAL_MINUTES": CHECK_INTERVAL,
    "CHECK_INTERVAL_TROUBLED_MINUTES": CHECK_INTERVAL_TROUBLED,
}.items():
    if _value <= timedelta(0):
        raise ImproperlyConfigured(f"{_name} must be at least 1.")

# --- The application ----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "onboarding",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "django_htmx",
    "django_structlog",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "onboarding.middleware.preferences",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "onboarding.middleware.RequestLog",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "onboarding.context.portal",
            ],
        },
    },
]

# --- Storage ------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'var' / 'portal.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Kept open from task to task and from page to page.
    DATABASES["default"]["CONN_MAX_AGE"] = None
    # Measured: with Django's defaults three writers meet "database is locked"; with these none does.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
    }
else:
    _pool = env.int("DATABASE_POOL_SIZE", default=10)
    DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": _pool, "timeout": 5}} if _pool else {}
    # A connection that the server closed meanwhile is not handed out.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
# Lets several portals share one Redis.
REDIS_KEY_PREFIX = env.str("REDIS_KEY_PREFIX", default="tobiishi")
CACHES = {
    "default": {
        "BACKEND": "portal.cache.SharedOrOwnCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": REDIS_KEY_PREFIX,
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}

# --- Celery: the truth about a piece of work is its row, so there is no result backend -----------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_RETRY_ON_WORKER_LOST = True
CELERY_TASK_DEFAULT_QUEUE = "onboarding"
# In this order: what somebody waits for goes before the schedule.
CELERY_TASK_QUEUES = [Queue("onboarding"), Queue("sweep")]
CELERY_TASK_ROUTES = {"onboarding.validate_chunk": {"queue": "sweep"}}
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_TASK_TIME_LIMIT = 120
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# The visibility timeout exceeds the longest task; longer waits are a column that the sweeper polls.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "queue_order_strategy": "priority",
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "global_keyprefix": f"{REDIS_KEY_PREFIX}:",
}
# A page must not wait long for a broker that is down: the sweeper finds the row later.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.2}
_started = datetime.now(UTC) - timedelta(seconds=monotonic())


def _steady_now() -> datetime:
    """For beat: by a clock that jumped forward and was put right again, nothing would be due until it came round."""
    return _started + timedelta(seconds=monotonic())


def _every(interval: timedelta, task: str, *, expires: int) -> dict[str, object]:
    return {"task": task, "schedule": schedule(interval, nowfun=_steady_now), "options": {"expires": expires}}


CELERY_BEAT_SCHEDULE = {
    "sweep": _every(timedelta(seconds=env.float("SWEEP_SECONDS", default=15.0)), "onboarding.sweep", expires=60),
    "find-sso-roles": _every(timedelta(hours=1), "onboarding.find_sso_roles", expires=600),
    "note-open-doors": _every(timedelta(hours=1), "onboarding.note_open_doors", expires=600),
    # Each day's work, asked for often: a beat that is restarted every day would never come to the end of a whole one.
    "thin-history": _every(timedelta(hours=1), "onboarding.thin_history", expires=3600),
}

# --- Sign-in ------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "onboarding.Person"
# The database holds addresses unique whatever their case, which this check cannot see.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AUTH_PASSWORD_VALIDATORS[1]["OPTIONS"] = {"min_length": 12}  # type: ignore[assignment]
LOGIN_REDIRECT_URL = "onboarding:home"
LOGIN_URL = "account_login"
ACCOUNT_ADAPTER = "onboarding.signin.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_CHANGE_EMAIL = False
ACCOUNT_USER_DISPLAY = "onboarding.signin.display_name"
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Tobiishi"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG or SANDBOX
SOCIALACCOUNT_ADAPTER = "onboarding.signin.SocialAccountAdapter"
SOCIALACCOUNT_AUTO_SIGNUP = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_LOGIN_ON_GET = False
LOCAL_ACCOUNTS = env.bool("LOCAL_ACCOUNTS", default=True)

OIDC_SERVER_URL = env.str("OIDC_SERVER_URL", default="")
OIDC_GROUPS_CLAIM = env.str("OIDC_GROUPS_CLAIM", default="groups")
OIDC_ADMIN_GROUP = env.str("OIDC_ADMIN_GROUP", default="")
_oidc = urlsplit(OIDC_SERVER_URL)
if OIDC_SERVER_URL and _oidc.scheme != "https" and not ((DEBUG or SANDBOX) and _is_loopback(OIDC_SERVER_URL)):
    raise ImproperlyConfigured("OIDC_SERVER_URL must begin with https:// .")
if not OIDC_SERVER_URL and not LOCAL_ACCOUNTS:
    raise ImproperlyConfigured("Nobody could sign in: set OIDC_SERVER_URL, or leave LOCAL_ACCOUNTS on.")
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        # The provider is the organization's own, so the address it names is taken as verified.
        "VERIFIED_EMAIL": True,
        "EMAIL_AUTHENTICATION": True,
        "SCOPE": env.list("OIDC_SCOPES", default=["openid", "profile", "email"]),
        "APPS": [
            {
                "provider_id": "sso",
                "name": env.str("OIDC_NAME", default="single sign-on"),
                "client_id": env.str("OIDC_CLIENT_ID"),
                "secret": env.str("OIDC_CLIENT_SECRET"),
                "settings": {"server_url": OIDC_SERVER_URL},
            }
        ]
        if OIDC_SERVER_URL
        else [],
    }
}

# --- Languages and times ------------------------------------------------------------------------------------------
LANGUAGES = [("en", _("English")), ("ja", _("Japanese"))]
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en")
if LANGUAGE_CODE not in dict(LANGUAGES):
    raise ImproperlyConfigured("LANGUAGE_CODE must be en or ja.")
LOCALE_PATHS = [BASE_DIR / "onboarding" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")

# --- What leaves the house ----------------------------------------------------------------------------------------
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=CONTACT_EMAIL or "tobiishi@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or SANDBOX
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or SANDBOX

_https = _public.scheme == "https"
SECURE_SSL_REDIRECT = _https
# Whoever watches the process asks it directly, past the proxy.
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ALLAUTH_TRUSTED_PROXY_COUNT else None
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_HSTS_PRELOAD = _https
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
LANGUAGE_COOKIE_SECURE = _https
# Not `no-referrer`: a browser would then send `Origin: null` with every form, which the CSRF check must refuse.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "onboarding.views.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        # Where a form of ours may lead: to the single sign-on, and to CloudFormation's console.
        "form-action": [
            "'self'",
            *([f"{_oidc.scheme}://{_oidc.netloc}"] if OIDC_SERVER_URL else []),
            *([_console] if _console else []),
        ],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "manifest-src": ["'self'"],
    }
}

# --- Logs: one line an event; never a token, an external ID or what a stranger typed -------------------------------
_renderer = structlog.dev.ConsoleRenderer(colors=False) if DEBUG or SANDBOX else structlog.processors.JSONRenderer()
_link_token = re.compile(r"/i/[^\s'\"]+")


def _without_link_tokens(_logger: object, _method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Django's own loggers name the path of what they refuse, and a partner's link is a path."""
    line["event"] = _link_token.sub("/i/…", str(line["event"]))
    return line


_shared: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    _without_link_tokens,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer],
            "foreign_pre_chain": _shared,
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"botocore": {"level": "WARNING"}, "django.server": {"handlers": ["console"], "propagate": False}},
}
structlog.configure(
    processors=[structlog.stdlib.filter_by_level, *_shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
