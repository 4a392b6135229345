"""What a production installation must not start with.

The same rules stand as Django system checks (``guyub check``, every management command) and at the
start of the web server, which runs no system checks of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils.translation import gettext as _

from guyub.access import wall
from guyub.access.rekeying import unreadable_columns

MINIMUM_KEY_LENGTH = 32


@register(Tags.security)
def check_settings(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Judge the settings of a production installation; anything goes in other modes."""
    if settings.MODE not in ("demo", "test", "production"):
        return [
            Error(
                _("GUYUB_MODE harus demo, test, atau production, bukan %(mode)s.")
                % {"mode": settings.MODE},
                id="guyub.E001",
            )
        ]
    if settings.MODE != "production":
        return []
    found: list[CheckMessage] = []
    if settings.DEBUG:
        found.append(
            Error(
                _("GUYUB_DEBUG menyala: halaman galat akan membuka isi sistem."),
                hint=_("Hapus GUYUB_DEBUG."),
                id="guyub.E002",
            )
        )
    if settings.SECRET_KEY == settings.DEFAULT_SECRET_KEY:
        found.append(
            Error(
                _("GUYUB_SECRET_KEY belum diisi: kunci bawaan diketahui siapa saja."),
                hint=_("Isi dengan sedikitnya %(count)d huruf acak.")
                % {"count": MINIMUM_KEY_LENGTH},
                id="guyub.E003",
            )
        )
    elif len(settings.SECRET_KEY) < MINIMUM_KEY_LENGTH:
        found.append(
            Error(
                _("GUYUB_SECRET_KEY terlalu pendek."),
                hint=_("Isi dengan sedikitnya %(count)d huruf acak.")
                % {"count": MINIMUM_KEY_LENGTH},
                id="guyub.E004",
            )
        )
    if settings.AUDIT_KEY == settings.SECRET_KEY:
        found.append(
            Error(
                _("GUYUB_AUDIT_KEY belum diisi, atau sama dengan GUYUB_SECRET_KEY."),
                hint=_("Isi dengan kunci acak tersendiri dan simpan salinannya di tempat lain."),
                id="guyub.E005",
            )
        )
    if (
        len(settings.DATA_KEY) < MINIMUM_KEY_LENGTH
        or settings.DATA_KEY in (settings.DEFAULT_SECRET_KEY, settings.SECRET_KEY)
        or settings.DATA_KEY == settings.AUDIT_KEY
    ):
        found.append(
            Error(
                _("GUYUB_DATA_KEY belum diisi, terlalu pendek, atau sama dengan kunci lain."),
                hint=_(
                    "Isi dengan sedikitnya %(count)d huruf acak dan simpan salinannya di tempat "
                    "lain: tanpa kunci ini NIK dan nomor KK tidak bisa dibaca lagi."
                )
                % {"count": MINIMUM_KEY_LENGTH},
                id="guyub.E008",
            )
        )
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        found.append(
            Error(
                _("GUYUB_HOSTS belum berisi nama domain tempat Guyub dilayankan."),
                hint=_("Contoh: GUYUB_HOSTS=guyub.banyumaskab.go.id"),
                id="guyub.E006",
            )
        )
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        found.append(
            Warning(
                _("Basis data SQLite hanya melayani satu server dan sedikit penulis serentak."),
                hint=_("Isi DATABASE_URL dengan alamat PostgreSQL."),
                id="guyub.W001",
            )
        )
    return found


@register(Tags.database)
def check_demo_accounts(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse a production database with demo accounts: their password is public."""
    if settings.MODE != "production" or "default" not in (databases or []):
        return []
    user_model = apps.get_model("accounts", "User")
    if user_model._meta.db_table not in connections["default"].introspection.table_names():
        return []  # nothing migrated yet
    count = user_model._default_manager.filter(is_demo=True).count()
    if not count:
        return []
    return [
        Error(
            _("Basis data ini memuat %(count)d akun demo yang kata sandinya diketahui umum.")
            % {"count": count},
            hint=_("Mulailah dengan basis data kosong; jangan melanjutkan basis data demo."),
            id="guyub.E007",
        )
    ]


@register(Tags.database)
def check_data_key(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse a database whose numbers the keys at hand don't open."""
    if "default" not in (databases or []):
        return []
    found = unreadable_columns()
    if not found:
        return []
    return [
        Error(
            _("NIK atau nomor KK di basis data disegel dengan kunci lain: %(columns)s.")
            % {"columns": ", ".join(found)},
            hint=_(
                "Kembalikan kunci itu ke GUYUB_DATA_KEY, atau tulis di GUYUB_OLD_DATA_KEYS lalu "
                "jalankan guyub rekey."
            ),
            id="guyub.E009",
        )
    ]


@register(Tags.database)
def check_wall(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Say so when PostgreSQL's row-level security does not bind the production web process."""
    if settings.MODE != "production" or "default" not in (databases or []):
        return []
    connection = connections["default"]
    if connection.vendor != "postgresql":
        return []
    if "registry_household" not in connection.introspection.table_names() or wall.stands():
        return []
    return [
        Warning(
            _(
                "Proses ini masuk ke PostgreSQL sebagai pemilik tabel, jadi tembok kedua tidak berlaku."
            ),
            hint=_("Untuk proses web, pakai peran tersendiri: lihat guyub wall dan docs/wall.md."),
            id="guyub.W002",
        )
    ]


def refuse_unsafe_start() -> None:
    """Raise unless it is safe to serve; called when the web server starts.

    Raises:
        ImproperlyConfigured: with every reason, and how to mend each.
    """
    found = [*check_settings(), *check_demo_accounts(databases=["default"])]
    found += check_data_key(databases=["default"])
    errors = [message for message in found if isinstance(message, Error)]
    if errors:
        reasons = "\n".join(f"- {error.msg} {error.hint or ''}".rstrip() for error in errors)
        told = _("Guyub menolak berjalan:") + "\n" + reasons
        # In so many words, since logs leave out what an exception says.
        print(told, file=sys.stderr)
        raise ImproperlyConfigured(told)
