"""Reads of accounts."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from guyub.accounts.models import User
from guyub.areas.models import Area, Level

STATUSES = (
    ("aktif", _("Aktif")),
    ("nonaktif", _("Nonaktif")),
    ("belum-masuk", _("Belum pernah masuk")),
    ("tanpa-faktor-kedua", _("Tanpa faktor kedua")),
)

_factors = Authenticator.objects.filter(
    user=OuterRef("pk"), type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
)


def duty_areas() -> list[Area]:
    """Return the regency's districts and villages by code, each district before its villages."""
    return list(
        Area.objects.filter(
            code__startswith=settings.REGENCY_CODE, level__in=[Level.DISTRICT, Level.VILLAGE]
        ).order_by("code")
    )


def accounts(
    *,
    text: str = "",
    role: str = "",
    agency: Any = None,
    district: Area | None = None,
    status: str = "",
) -> QuerySet[User]:
    """Return accounts by name, narrowed; each has ``has_factor``.

    ``text`` matches part of a name, user name, address or position. ``district`` takes in its
    villages. ``status`` is one of :data:`STATUSES`.
    """
    rows = (
        User.objects.filter(is_service=False)
        .select_related("agency", "area")
        .annotate(has_factor=Exists(_factors))
        .order_by("full_name", "pk")
    )
    if text:
        rows = rows.filter(
            Q(full_name__icontains=text)
            | Q(username__icontains=text)
            | Q(email__icontains=text)
            | Q(position__icontains=text)
        )
    if role:
        rows = rows.filter(role=role)
    if agency is not None:
        rows = rows.filter(agency=agency)
    if district is not None:
        rows = rows.filter(Q(area=district) | Q(area__parent=district))
    if status == "aktif":
        rows = rows.filter(is_active=True)
    elif status == "nonaktif":
        rows = rows.filter(is_active=False)
    elif status == "belum-masuk":
        rows = rows.filter(last_login=None, is_active=True)
    elif status == "tanpa-faktor-kedua":
        rows = rows.filter(has_factor=False, is_active=True)
    return rows


class SecondFactors:
    """What second factors an account has."""

    def __init__(self, user: User) -> None:
        rows = list(Authenticator.objects.filter(user=user).order_by("created_at"))
        self.totp = next((row for row in rows if row.type == Authenticator.Type.TOTP), None)
        self.keys = [row for row in rows if row.type == Authenticator.Type.WEBAUTHN]
        codes = next((row for row in rows if row.type == Authenticator.Type.RECOVERY_CODES), None)
        self.has_codes = codes is not None
        self.codes_left = len(codes.wrap().get_unused_codes()) if codes is not None else 0

    @property
    def present(self) -> bool:
        """Whether there is an authenticator app or a passkey; recovery codes alone are none."""
        return self.totp is not None or bool(self.keys)


def session_count(user: User) -> int:
    """Return how many sessions of ``user`` are known, ended ones perhaps included."""
    return UserSession.objects.filter(user=user).count()
