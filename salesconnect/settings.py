"""The one settings file: everything that differs between installations comes from the environment."""

import re
from base64 import urlsafe_b64encode
from email.utils import parseaddr
from hashlib import sha256
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from salesconnect import embedded
from salesconnect.operations import schedule

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("SALESCONNECT_DATA", str(BASE_DIR / ".data"))).absolute()
PORT = env.int("PORT", 8000)
SITE_URL = env.str("SALESCONNECT_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
# Outlives the database: what `replay_erasures` does again after an older backup was restored.
ERASURE_LEDGER = env.str("SALESCONNECT_LEDGER", str(DATA_DIR / "ledger" / "erasures.jsonl"))
HTTPS = SITE_URL.startswith("https://")
# How many trusted proxies stand in front, each of which appends its caller to X-Forwarded-For.
PROXIES = env.int("SALESCONNECT_PROXIES", 0)
DEBUG = False

# Embedded servers stand in for what the environment does not name.
SERVERS = embedded.servers(DATA_DIR)
EMBEDDED_DATABASE = not env.str("DATABASE_URL", "")
EMBEDDED_REDIS = not env.str("REDIS_URL", "")
GENERATED_KEYS = embedded.keys(DATA_DIR) if EMBEDDED_DATABASE else {}


def secret(name: str) -> str:
    """Return a secret of the environment, or the one generated into the data folder of an embedded run."""
    value = env.str(name, "") or GENERATED_KEYS.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"Set {name}: it is required with an external database.")
    return value


SECRET_KEY = secret("SECRET_KEY")
# Each of the others may be a list, newest first, separated by commas. New links are made with the first.
UNSUBSCRIBE_KEY = secret("SALESCONNECT_UNSUBSCRIBE_KEY")
# Look-ups try all, new rows take the first.
SUPPRESSION_KEYS = [key.strip() for key in secret("SALESCONNECT_SUPPRESSION_KEY").split(",") if key.strip()]

# Encrypts the secrets of other services in the database; without a key of its own it is made from that of the site.
ENCRYPTION_KEY = env.str("SALESCONNECT_ENCRYPTION_KEY", "") or GENERATED_KEYS.get("SALESCONNECT_ENCRYPTION_KEY", "")
ENCRYPTION_KEY_IS_DERIVED = not ENCRYPTION_KEY
if ENCRYPTION_KEY_IS_DERIVED:
    ENCRYPTION_KEY = urlsafe_b64encode(sha256(f"salesconnect.encryption:{SECRET_KEY}".encode()).digest()).decode()

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *env.list("ALLOWED_HOSTS", default=[])]
SITE_HOST = SITE_URL.split("//", 1)[-1].split("/", 1)[0].rsplit(":", 1)[0]
if SITE_HOST not in ALLOWED_HOSTS:
    ALLOWED_HOSTS.append(SITE_HOST)
CSRF_TRUSTED_ORIGINS = [SITE_URL]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_filters",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "salesconnect",
    "salesconnect.pages",
    "contacts",
    "compliance",
    "unsubscribes",
    "exports",
]

# The order matters. NotStored and TimeLimits are outermost, so that they cover everything; PublicLinks answers before
# sessions and sign-in; DomainErrors is inside the messages and htmx, which its pages use.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "salesconnect.middleware.NotStored",
    "salesconnect.middleware.TimeLimits",
    "salesconnect.middleware.PublicLinks",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "salesconnect.middleware.StorableTexts",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "salesconnect.middleware.UserLanguage",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "salesconnect.middleware.DomainErrors",
    "salesconnect.lib.database.replica.ReadFromReplica",
]

ROOT_URLCONF = "salesconnect.urls"
WSGI_APPLICATION = "salesconnect.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES: list[dict[str, Any]] = [
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
                "salesconnect.pages.context.shell",
            ],
        },
    },
]

DATABASES = {
    "default": SERVERS.database_url_parts if EMBEDDED_DATABASE else env.db("DATABASE_URL", engine="postgresql"),
}
if env.str("DATABASE_REPLICA_URL", ""):
    DATABASES["replica"] = env.db("DATABASE_REPLICA_URL", engine="postgresql")
    DATABASES["replica"]["OPTIONS"] = {"connect_timeout": 2}
    DATABASES["replica"]["TEST"] = {"MIRROR": "default"}
    DATABASE_ROUTERS = ["salesconnect.lib.database.replica.Router"]
for database in DATABASES.values():
    # PgBouncer may hand each transaction to another server process, so nothing outlives one.
    database |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "DISABLE_SERVER_SIDE_CURSORS": True}
    database["OPTIONS"] = {"connect_timeout": 3, "tcp_user_timeout": 15_000, **database.get("OPTIONS", {})}
# How many seconds a request of the site may keep a statement running, wait for a lock, and hold a transaction open.
SITE_LIMITS = {
    "statement": env.float("SALESCONNECT_STATEMENT_SECONDS", 30),
    "lock": env.float("SALESCONNECT_LOCK_SECONDS", 4),
    "idle": 60,
}
# Workers do what takes long, but wait for no lock, and hold none, without end.
WORKER_LIMITS = {"statement": 0, "lock": 120, "idle": 600}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = SERVERS.redis_url if EMBEDDED_REDIS else env.str("REDIS_URL")
_REDIS = {"serializer": "salesconnect.lib.cache.JsonSerializer", "socket_connect_timeout": 1, "socket_timeout": 1}
CACHES = {
    # Throttles, which have to go on without Redis.
    "default": {"BACKEND": "salesconnect.lib.cache.FallbackRedisCache", "LOCATION": REDIS_URL, "OPTIONS": _REDIS},
    # What all processes must know alike, or not at all.
    "shared": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL, "OPTIONS": _REDIS},
}

# Celery writes the address of a socket in another way than Redis itself.
_OF_SOCKET = REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)
CELERY_BROKER_URL = SERVERS.broker_url if EMBEDDED_REDIS else _OF_SOCKET if REDIS_URL.startswith("unix:") else REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
# A message is acknowledged after its task, and returned if the worker dies: tasks may run twice, but are not lost.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# A long task must not hold back messages that another worker could take.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 240
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than a task may take, so that no message is delivered again while its task runs.
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "socket_keepalive": not EMBEDDED_REDIS,
    "health_check_interval": 10,
}
CELERY_BEAT_SCHEDULER = "salesconnect.operations.beat.Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_BEAT_SCHEDULE = schedule.of(
    pull_seconds=env.int("SALESFORCE_PULL_SECONDS", 300), push_seconds=env.int("SALESFORCE_PUSH_SECONDS", 60)
)

AUTH_USER_MODEL = "contacts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/people/"
ACCOUNT_ADAPTER = "salesconnect.common.sign_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Whoever asks for a password makes the system mail nobody but users.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
MFA_ADAPTER = "contacts.accounts.second_step.SecondStepAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Sales Connect"
# An administrator gives each account its address, so allauth never verifies it.
MFA_ALLOW_UNVERIFIED_EMAIL = True

# Whose public holidays move a deadline to the next working day (ISO 3166).
HOLIDAYS_OF = env.str("HOLIDAYS_OF", "SE")

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("sv", _("Swedish"))]
LOCALE_PATHS = [BASE_DIR / "salesconnect" / "locale"]
TIME_ZONE = env.str("TIME_ZONE", "Europe/Stockholm")
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = ["salesconnect.formats"]

STATIC_URL = "/static/"
# They belong to the code, not to the data: every site of one version serves the same.
STATIC_ROOT = Path(env.str("SALESCONNECT_STATIC", str(BASE_DIR / ".static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA_DIR / "files"}},
    "staticfiles": {"BACKEND": "salesconnect.static_files.StaticFiles"},
}
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
# 100,000 ids fit into one JSON body; files stream to disk and do not count here.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# Browsers take cookies with the prefix __Host- only over https, from this very host and for all paths.
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
# Messages hold names, and a cookie is kept and logged by more than the two who talk.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_AGE = 7 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = False
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
# A browser that has seen this refuses plain HTTP for so long: short until somebody has decided otherwise, and never for
# other hosts of the domain. The checks for subdomains and preloading ask for what only the domain's owner can decide.
SECURE_HSTS_SECONDS = env.int("SALESCONNECT_HSTS", 3600) if HTTPS else 0
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Only our own files, and nothing inline: text of strangers that gets into a page cannot run as a script.
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
PERMISSIONS_POLICY: dict[str, list[str]] = {
    feature: [] for feature in ("camera", "geolocation", "microphone", "payment", "usb")
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "salesconnect.api.protocol.authentication.TokenAuthentication",
        "salesconnect.api.protocol.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["salesconnect.api.protocol.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "salesconnect.api.protocol.errors.handle",
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Sales Connect",
    "VERSION": "1",
    "DESCRIPTION": "People, their compliance cards, and acts on many of them at once.",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "salesconnect.api.protocol.docs.say_refusals",
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "TaskState": "contacts.models.batch.State",
        "Verdict": "compliance.verdict.verdict.CHOICES",
        "MailState": "salesconnect.api.mail_filters.STATES",
        "OptOutKind": "unsubscribes.opt_outs.listing.OPT_OUT_ACTIONS",
        "RequestKind": "exports.models.DataRequest.Kind",
    },
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    # Links inside the buttons that open an endpoint cannot be reached by a screen reader.
    "SWAGGER_UI_SETTINGS": {"deepLinking": False},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

SALESFORCE_LOGIN_URL = env.str("SALESFORCE_LOGIN_URL", "").rstrip("/")
SALESFORCE_CLIENT_ID = env.str("SALESFORCE_CLIENT_ID", "")
SALESFORCE_CLIENT_SECRET = env.str("SALESFORCE_CLIENT_SECRET", "")
SALESFORCE_USERNAME = env.str("SALESFORCE_USERNAME", "")
SALESFORCE_JWT_KEY_FILE = env.str("SALESFORCE_JWT_KEY_FILE", "")
# Hosts beside Salesforce's own to which secrets and tokens may go, with those below them.
SALESFORCE_HOSTS = [host.strip().lower() for host in env.list("SALESFORCE_HOSTS", default=[])]

# Hosts of the site's own network that a webhook or timestamp authority may be on; all others have to be public.
OUTGOING_HOSTS = env.list("SALESCONNECT_OUTGOING_HOSTS", default=[])

# Figures for Prometheus at /metrics.
METRICS = env.bool("SALESCONNECT_METRICS", False)

EMAIL_URL = env.str("EMAIL_URL", "")
EMAIL_TIMEOUT = 15
# Without a mail server messages stay in the outbox that the page shows.
EMAIL = env.email("EMAIL_URL") if EMAIL_URL else {"EMAIL_BACKEND": "unsubscribes.mail.sending.backends.OutboxBackend"}
if EMAIL["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
    EMAIL["EMAIL_BACKEND"] = "unsubscribes.mail.sending.backends.SmtpBackend"
vars().update(EMAIL)
# Everything that django-anymail knows by the name ANYMAIL_…: ANYMAIL_WEBHOOK_SECRET and the keys of a provider.
ANYMAIL = {
    name.removeprefix("ANYMAIL_"): value for name, value in env.ENVIRON.items() if name.startswith("ANYMAIL_") and value
}
# Without a mail server no mail leaves, so there the sender is only a name.
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "").strip() or (
    "" if EMAIL_URL else "Sales Connect <no-reply@localhost>"
)
if not re.fullmatch(r"[!-?A-~]+@[^\s@]+", parseaddr(DEFAULT_FROM_EMAIL)[1]):
    raise ImproperlyConfigured("Set DEFAULT_FROM_EMAIL to the sender’s address: EMAIL_URL names a mail server.")

if env.str("SALESCONNECT_LOG_FORMAT", "plain") not in {"plain", "json"}:
    raise ImproperlyConfigured("SALESCONNECT_LOG_FORMAT is plain or json.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "salesconnect.lib.web.redaction.formatter",
            "plain": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
        "fpdf": {"level": "ERROR"},
    },
}
