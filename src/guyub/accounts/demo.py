"""What the sign-in page of a demo shows, so that anyone can try each role."""

from __future__ import annotations

import time
from dataclasses import dataclass

from allauth.mfa import app_settings as mfa_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.conf import settings

from guyub.accounts.models import User
from guyub.accounts.services import DEMO_PASSWORD


@dataclass(frozen=True)
class DemoAccount:
    user: User
    password: str
    code: str  # what its authenticator app would show now


def demo_accounts() -> list[DemoAccount]:
    """Return the demo accounts with their present codes; nothing at all outside demo mode."""
    if settings.MODE != "demo":
        return []
    counter = int(time.time()) // mfa_settings.TOTP_PERIOD
    rows = (
        Authenticator.objects.filter(
            type=Authenticator.Type.TOTP, user__is_demo=True, user__is_active=True
        )
        .select_related("user__agency", "user__area")
        .order_by("user_id")
    )
    return [
        DemoAccount(
            row.user,
            DEMO_PASSWORD,
            format_hotp_value(hotp_value(decrypt(row.data["secret"]), counter)),
        )
        for row in rows
    ]
