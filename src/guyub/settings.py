"""Django settings, read from the environment.

Every knob is an environment variable so that one build runs as a demo, in tests and in production:

``GUYUB_MODE``
    ``demo`` (the default: development on synthetic data), ``test`` or ``production``.
``DATABASE_URL``
    ``postgresql://...`` in production; SQLite below ``GUYUB_DATA_DIR`` when unset.
``GUYUB_DATA_DIR``
    Where uploads, import runs, dataset versions and the SQLite file live.
``GUYUB_SECRET_KEY``, ``GUYUB_AUDIT_KEY``, ``GUYUB_DATA_KEY``, ``GUYUB_HOSTS``
    Required in production; :mod:`guyub.checks` refuses to start without them.
``GUYUB_IDLE_MINUTES``
    After how many minutes without use a session ends; 60.
``GUYUB_METRICS_TOKEN``
    What Prometheus shows to read ``/metrics``. Without it only programs on the same machine may.
``GUYUB_BACKUP_KEYS``, ``GUYUB_BACKUP_DIR``, ``GUYUB_BACKUP_KEEP``
    Public keys (``age1...``, with commas) that backups are encrypted for, where they go (``cadangan`` in
    the data folder), and how many daily, weekly and monthly ones are kept (``7,5,12``).
``GUYUB_PG_BIN``
    Folder of ``pg_dump``, ``pg_restore`` and ``psql`` where the right ones are not found by themselves.
"""

from __future__ import annotations

import os
from pathlib import Path

import dj_database_url
from django.utils.translation import gettext_lazy as _

PACKAGE_DIR = Path(__file__).resolve().parent
MODE = os.environ.get("GUYUB_MODE", "demo")
DATA_DIR = Path(os.environ.get("GUYUB_DATA_DIR") or "var").resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)

DEFAULT_SECRET_KEY = "guyub-demo-only-secret-key-never-use-in-production"  # noqa: S105
SECRET_KEY = os.environ.get("GUYUB_SECRET_KEY") or DEFAULT_SECRET_KEY
# Keys used before, so that sessions, links and second factors made with them still hold.
SECRET_KEY_FALLBACKS = [k for k in os.environ.get("GUYUB_OLD_SECRET_KEYS", "").split(",") if k]
# Keys the audit log's hash chain. Kept apart from SECRET_KEY so that rotating one leaves the other.
AUDIT_KEY = os.environ.get("GUYUB_AUDIT_KEY") or SECRET_KEY
# Seals NIK, KK numbers and uploaded files (guyub.access.sealing). Whoever loses it loses them.
DATA_KEY = os.environ.get("GUYUB_DATA_KEY") or DEFAULT_SECRET_KEY
# Keys that something may still be sealed with, until `guyub rekey` has sealed it anew.
OLD_DATA_KEYS = [k for k in os.environ.get("GUYUB_OLD_DATA_KEYS", "").split(",") if k]

DEBUG = os.environ.get("GUYUB_DEBUG", "0") == "1"
ALLOWED_HOSTS = [h for h in os.environ.get("GUYUB_HOSTS", "").split(",") if h]
if MODE != "production" and not ALLOWED_HOSTS:
    ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]
# How many proxies of ours stand before the application; the client's address is read past them.
PROXY_COUNT = int(os.environ.get("GUYUB_PROXIES", "1" if MODE == "production" else "0"))
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if MODE == "production"]

INSTALLED_APPS = [
    "guyub.ui",
    "guyub.access",
    "guyub.longruns",
    "guyub.audit",
    "guyub.areas",
    "guyub.agencies",
    "guyub.accounts",
    "guyub.discussions",
    "guyub.datasets",
    "guyub.registry",
    "guyub.programs",
    "guyub.imports",
    "guyub.reconciliation",
    "guyub.linking",
    "guyub.targeting",
    "guyub.beneficiaries",
    "guyub.overlaps",
    "guyub.allocation",
    "guyub.reports",
    "guyub.obstacles",
    "guyub.targets",
    "guyub.sharing",
    "guyub.proposals",
    "guyub.fieldwork",
    "guyub.meetings",
    "guyub.scorecard",
    "guyub.connections",
    "guyub.documents",
    "guyub.operations",
    "guyub.portal",
    "guyub.retention",
    "guyub.privacy",
    "guyub.home",
    "guyub.demo",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "django_htmx",
    "rules",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "allauth.usersessions",
    "django_tasks",
    "django_tasks_db",
]

MIDDLEWARE = [
    "guyub.access.middleware.ClientAddressMiddleware",
    "guyub.access.wall.WallMiddleware",
    "guyub.operations.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "guyub.ui.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "guyub.accounts.middleware.SessionActivityMiddleware",
    "guyub.accounts.middleware.SecondFactorMiddleware",
    "guyub.accounts.middleware.SingleSignOnMiddleware",
    "guyub.operations.middleware.RateLimitMiddleware",
    "guyub.ui.middleware.SecurityHeadersMiddleware",
    # Last, so that it stands inside all others: it sets who a call with a token is made by.
    "guyub.connections.middleware.ApiMiddleware",
]

ROOT_URLCONF = "guyub.urls"
WSGI_APPLICATION = "guyub.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "guyub.ui.context.layout",
            ],
        },
    },
]

_SQLITE_OPTIONS = {
    # Writers queue for the lock at BEGIN instead of failing at their first write.
    "transaction_mode": "IMMEDIATE",
    "timeout": 60,
    "init_command": (
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA cache_size=-65536;"
        "PRAGMA mmap_size=1073741824;PRAGMA temp_store=MEMORY;"
    ),
}
DATABASES = {
    "default": dj_database_url.config(
        default=f"sqlite:///{DATA_DIR / 'guyub.sqlite3'}", conn_max_age=60, conn_health_checks=True
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = _SQLITE_OPTIONS

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "rules.permissions.ObjectPermissionBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTH_PASSWORD_VALIDATORS[1]["OPTIONS"] = {"min_length": 12}  # type: ignore[assignment]
AUTH_PASSWORD_VALIDATORS.append({"NAME": "guyub.accounts.passwords.OrganisationWordsValidator"})

if MODE == "test":
    # Tests make hundreds of accounts; a hash made to be slow would be most of their time.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "guyub.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Guyub] "
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_USERNAME_MIN_LENGTH = 3
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/m/key",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
    # What citizens write without an account, and their tries at tracking codes. Many telephones share
    # one address of their provider.
    "complaint_lodge": "10/h/ip",
    "complaint_follow": "30/10m/ip",
}
MFA_ADAPTER = "guyub.accounts.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# The secretariat vouches for each account's address, so it need not be verified first.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Phones whose clock is half a minute off still sign in; a code works once all the same.
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "guyub.accounts.forms.AuthenticateForm",
    "reauthenticate": "guyub.accounts.forms.ReauthenticateForm",
    "activate_totp": "guyub.accounts.forms.ActivateTOTPForm",
    "add_webauthn": "guyub.accounts.forms.AddWebAuthnForm",
    "edit_webauthn": "guyub.accounts.forms.EditWebAuthnForm",
}
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = MODE != "production"
# The session list shows it; guyub.accounts.middleware.SessionActivityMiddleware writes it.
USERSESSIONS_TRACK_ACTIVITY = True
ACCOUNT_FORMS = {
    "login": "guyub.accounts.forms.LoginForm",
    "reset_password": "guyub.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "guyub.accounts.forms.ResetPasswordKeyForm",
    "change_password": "guyub.accounts.forms.ChangePasswordForm",
    "set_password": "guyub.accounts.forms.SetPasswordForm",
    "reauthenticate": "guyub.accounts.forms.ConfirmPasswordForm",
    "add_email": "guyub.accounts.forms.ChangeEmailForm",
}
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_ADAPTER = "guyub.accounts.adapters.SocialAccountAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
# A link, not a form: `form-action 'self'` forbids a form to end at the provider.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
# Single sign-on is switched on by naming an issuer; without one the button does not appear.
OIDC_ISSUER = os.environ.get("GUYUB_OIDC_ISSUER", "")
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "APPS": [
            {
                "provider_id": "sso",
                "name": os.environ.get("GUYUB_OIDC_NAME", "SSO Pemerintah Kabupaten"),
                "client_id": os.environ.get("GUYUB_OIDC_CLIENT_ID", ""),
                "secret": os.environ.get("GUYUB_OIDC_CLIENT_SECRET", ""),
                "settings": {"server_url": OIDC_ISSUER, "oauth_pkce_enabled": True},
            }
        ]
        if OIDC_ISSUER
        else []
    }
}

# Requests in so many seconds, of one account, or of one address where nobody is signed in. Whole villages
# share an address of their telephone provider. Signing in and complaints have theirs above.
RATE_LIMITS = {
    "api": (600, 60),
    "export": (120, 3600),
    "reveal": (200, 3600),
    "public_form": (120, 600),
    "public_page": (600, 60),
}

CACHES = {
    "default": {
        # Shared by every process, so that rate limits hold however many workers run.
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "guyub_cache",
    }
}
SESSION_COOKIE_AGE = 8 * 60 * 60
SESSION_IDLE_SECONDS = int(os.environ.get("GUYUB_IDLE_MINUTES", "60")) * 60
# In the session, so that no cookie carries what a message says.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# Probes and Prometheus ask the server itself, without the proxy that speaks HTTPS.
# The API refuses by itself: who is led on does not notice that a token went over the wire unencrypted.
SECURE_REDIRECT_EXEMPT = [r"^sehat/", r"^metrics$", r"^api/"]
if MODE == "production":
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    # Browsers take such names only over HTTPS and from this very host.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    SECURE_SSL_REDIRECT = os.environ.get("GUYUB_SSL_REDIRECT", "1") == "1"
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}

EMAIL_BACKEND = os.environ.get(
    "GUYUB_EMAIL_BACKEND",
    "django.core.mail.backends.smtp.EmailBackend"
    if MODE == "production"
    else "django.core.mail.backends.filebased.EmailBackend",
)
EMAIL_FILE_PATH = DATA_DIR / "mail"
EMAIL_HOST = os.environ.get("GUYUB_EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("GUYUB_EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("GUYUB_EMAIL_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("GUYUB_EMAIL_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("GUYUB_EMAIL_TLS", "0") == "1"
# Where people find Guyub: in front of addresses in e-mails that no request caused.
SITE_URL = os.environ.get(
    "GUYUB_URL",
    f"https://{ALLOWED_HOSTS[0]}"
    if MODE == "production" and ALLOWED_HOSTS
    else "http://localhost:8000",
).rstrip("/")
DEFAULT_FROM_EMAIL = os.environ.get("GUYUB_EMAIL_FROM", "guyub@localhost")

LANGUAGE_CODE = "id"
LANGUAGES = [("id", _("Bahasa Indonesia")), ("en", _("Inggris"))]
LOCALE_PATHS = [PACKAGE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "__Host-guyub_bahasa" if MODE == "production" else "guyub_bahasa"
TIME_ZONE = "Asia/Jakarta"
USE_TZ = True
USE_I18N = True
USE_THOUSAND_SEPARATOR = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
# Serve straight from the packages; production runs collectstatic and gets hashed, compressed names.
WHITENOISE_USE_FINDERS = MODE != "production"
WHITENOISE_AUTOREFRESH = MODE == "demo" and DEBUG
STORAGES = {
    "default": {
        "BACKEND": "guyub.access.sealed_files.SealedStorage",
        "OPTIONS": {"location": DATA_DIR / "media"},
    },
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if MODE == "production"
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
MEDIA_ROOT = DATA_DIR / "media"
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
FILE_UPLOAD_TEMP_DIR = None
IMPORT_MAX_BYTES = int(os.environ.get("GUYUB_IMPORT_MAX_MB", "100")) * 1024 * 1024
IMPORT_MAX_ROWS = 1_000_000
# Where pairs of records are compared: "duckdb" in the worker, or "spark" (uv sync --extra spark).
LINKING_BACKEND = os.environ.get("GUYUB_LINKING_BACKEND", "duckdb")
LINKING_SPARK_MASTER = os.environ.get("GUYUB_LINKING_SPARK_MASTER", "local[2]")
LINKING_MEMORY = os.environ.get("GUYUB_LINKING_MEMORY", "2GB")

# Hosts in the regency's own network that webhooks and answers to partners may go to, by HTTP too.
OUTGOING_HOSTS = [h for h in os.environ.get("GUYUB_OUTGOING_HOSTS", "").split(",") if h]

# What this installation serves. Another regency sets its own code and name.
REGENCY_CODE = os.environ.get("GUYUB_REGENCY_CODE", "33.02")
REGENCY_NAME = os.environ.get("GUYUB_REGENCY_NAME", "Kabupaten Banyumas")

BACKUP_DIR = Path(os.environ.get("GUYUB_BACKUP_DIR") or DATA_DIR / "cadangan").resolve()
BACKUP_KEYS = [key for key in os.environ.get("GUYUB_BACKUP_KEYS", "").split(",") if key]
BACKUP_KEEP = tuple(int(n) for n in os.environ.get("GUYUB_BACKUP_KEEP", "7,5,12").split(","))
POSTGRESQL_BIN = os.environ.get("GUYUB_PG_BIN", "")

METRICS_TOKEN = os.environ.get("GUYUB_METRICS_TOKEN", "")

# In production one JSON object per line and nothing personal in it (guyub.operations.logs). Every record
# goes through the one handler: Django's own would mail exceptions with the form that caused them.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
        "safe": {"()": "guyub.operations.logs.SafeFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "safe" if MODE == "production" else "plain",
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "guyub": {"level": "INFO"},
        # Without a line of their own in the demo, where nobody reads them.
        "guyub.requests": {"level": "INFO" if MODE == "production" else "WARNING"},
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        # An answer of 4xx has its line as a request.
        "django.request": {"level": "ERROR"},
        # Statements and their parameters, even when somebody turns DEBUG on.
        "django.db.backends": {"level": "WARNING"},
    },
}
