"""Django's settings. Values that differ from place to place come from the environment; see env.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from psycopg.conninfo import conninfo_to_dict

from bedside.config.env import Environment
from bedside.config.logs import configure_logging
from bedside.core.crypto import Keyring

ENV = Environment()
PACKAGE = Path(__file__).resolve().parent.parent
DATA = ENV.data.resolve()

SECRET_KEY = ENV.secret("django_secret_key")
KEYRING = Keyring.from_secrets(ENV.secret_file)
SANDBOX = ENV.sandbox
DEBUG = ENV.debug
PUBLIC_URL = ENV.public_url.rstrip("/")
ALLOWED_HOSTS = ENV.allowed_hosts.split(",")
_https = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(PUBLIC_URL))]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "procrastinate.contrib.django",
    "pgtrigger",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "anymail",
    "waffle",
    "bedside.core",
    "bedside.sandbox",
    "bedside.accounts",
    "bedside.clinic",
    "bedside.clinic.prices",
    "bedside.appointments",
    "bedside.appointments.bulk",
    "bedside.schedule",
    "bedside.schedule.waiting",
    "bedside.payments",
    "bedside.reports",
    "bedside.video",
    "bedside.intake",
    "bedside.notifications",
    "bedside.flows",
    "bedside.web",
]

MIDDLEWARE = [
    "bedside.web.staticfiles.StaticFilesMiddleware",  # first: files need one of the security headers, and get it below
    "django.middleware.security.SecurityMiddleware",
    "bedside.web.middleware.ClockMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "bedside.web.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "bedside.config.urls"
WSGI_APPLICATION = "bedside.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # First: our account pages come before allauth's own.
        "DIRS": [PACKAGE / "web" / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["bedside.web.loaders.Filesystem", "bedside.web.loaders.AppDirectories"],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bedside.web.context.house",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]


def _database(url: str) -> dict[str, Any]:
    """``DATABASE_URL`` as libpq reads it (sockets and options too), with a pool so that threads share connections."""
    parts: dict[str, Any] = dict(conninfo_to_dict(url))
    options = {key: value for key, value in parts.items() if key not in {"dbname", "user", "password", "host", "port"}}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.get("dbname", "bedside"),
        "USER": parts.get("user", ""),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": str(parts.get("port", "")),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options | {"pool": {"min_size": 1, "max_size": max(ENV.web_threads, ENV.worker_concurrency) + 4}},
    }


DATABASES = {"default": _database(ENV.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Signing in -------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "bedside.web.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = {"login_failed": "200/5m/ip,10/5m/key"} if SANDBOX else {"login_failed": "20/5m/ip,5/5m/key"}
ACCOUNT_LOGOUT_ON_GET = False
# Whoever has no account gets no letter either: an address that is typed by mistake isn't bothered.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/accounts/where/"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
# Addresses are entered by the practice, not by strangers: no link has to prove them.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "Bedside"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# --- The browser is told what it may load: our own files only, no inline script or style ------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "media-src": [SELF, "blob:"],
        "manifest-src": [SELF],
        # A form may lead on to the processor's page: browsers check the whole chain of redirects.
        "form-action": [SELF, "https://checkout.stripe.com"],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31536000 if _https else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

# --- Words, times, files ----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [PACKAGE / "locale"]
TIME_ZONE = "UTC"
USE_TZ = USE_I18N = True
STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "bedside.web.bundle.BundleFinder",
]
WHITENOISE_USE_FINDERS = False
WHITENOISE_ALLOW_ALL_ORIGINS = False


def WHITENOISE_ADD_HEADERS_FUNCTION(headers: Any, path: str, url: str) -> None:  # a setting's name
    """Some twenty small files make a page: headers are a tenth of its weight."""
    headers["X-Content-Type-Options"] = "nosniff"


WHITENOISE_MAX_AGE = 3600
# Nothing in the data folder is for other users of the machine.
FILE_UPLOAD_PERMISSIONS = 0o600
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA / "uploads"}},
    "staticfiles": {"BACKEND": "bedside.web.staticfiles.HashedStaticFiles"},
}

# Feature flags are read from the database each time: the web's processes and the worker's see a switch at once.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "waffle": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}
WAFFLE_CACHE_NAME = "waffle"

# --- Jobs -------------------------------------------------------------------------------------------------------
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PROCRASTINATE_IMPORT_PATHS: list[str] = []

# --- Email for real: a mail server's URL, or a provider that anymail knows --------------------------------------
EMAIL_URL = ENV.email_url
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.email_from
EMAIL_PROVIDER = ENV.email_provider
if EMAIL_PROVIDER:
    EMAIL_BACKEND = f"anymail.backends.{EMAIL_PROVIDER}.EmailBackend"
ANYMAIL = {"WEBHOOK_SECRET": f"bedside:{ENV.secret('email_webhook_secret')}"} | ENV.anymail

# --- Limits: (count, seconds) per scope. Generous in the sandbox, where everybody shares one address. -------------
RATE_LIMITS: dict[str, tuple[int, int]] = (
    {"resend": (5, 600), "by-hand": (30, 3600), "my-links": (20, 600), "promo-try": (300, 600)}
    if SANDBOX
    else {
        "book-address": (30, 600),
        "book-contact": (6, 600),
        "openings": (300, 60),
        "resend": (3, 600),
        "by-hand": (10, 3600),
        "my-links": (5, 600),
        "credit-code": (20, 600),
        "token-miss": (60, 600),
        "promo-try": (20, 600),
        "waitlist": (10, 3600),
        "step": (120, 600),
    }
)

# Messages that one person gets on one channel within an hour, beside those that tell of their own visit or money (see
# notifications/limits.py). None in the sandbox, where every test patient has the same telephone.
MESSAGE_LIMITS: dict[str, int] = {} if SANDBOX else {"patient": 6, "provider": 60}

# Addresses that people type (calendars to import) are fetched from the internet only. Tests have a server of their own.
OUTWARD_ALLOWS_LOOPBACK = False
# Times that one contact, and one network address, may hold unpaid at once.
HOLD_LIMITS: dict[str, int] = {} if SANDBOX else {"contact": 3, "address": 12}

# Of the house's own sentence; a practice's own words have versions of their own.
SMS_CONSENT_VERSION = "2026-11"
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008"]
DJANGO_STRUCTLOG_COMMAND_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # an address tells who somebody is
LOGGING_CONFIG = None
configure_logging(ENV.log_format, debug=DEBUG)
