"""Every write to accounts. Each function is one transaction and leaves a line in the audit log."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from guyub.access.roles import AGENCY_ROLES, AREA_ROLES
from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.audit.services import record

# Every demo account has this password; the sign-in page of a demo shows it.
DEMO_PASSWORD = "bersama-guyub-2026"  # noqa: S105
OWN_FIELDS = ("full_name", "position", "phone")
MANAGED_FIELDS = (*OWN_FIELDS, "username", "email", "role", "agency", "area")


def _fill(user: User, values: dict[str, Any]) -> list[str]:
    """Set ``values`` on ``user`` and return the names of the fields that changed, sorted.

    A role keeps only the binding that it needs: an agency, an area or none.
    """
    if "email" in values:
        values["email"] = values["email"].strip().lower()
    role = values.get("role", user.role)
    if role not in AGENCY_ROLES:
        values["agency"] = None
    if role not in AREA_ROLES:
        values["area"] = None
    changed = [name for name, value in values.items() if getattr(user, name) != value]
    for name in changed:
        setattr(user, name, values[name])
    return sorted(changed)


def _sync_email(user: User) -> None:
    """Keep allauth's address book at the one address of the account.

    The secretariat vouches for it, so it counts as verified: that is what lets single sign-on find
    the account.
    """
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )


@transaction.atomic
def create_account(
    *,
    username: str,
    full_name: str,
    email: str,
    role: str,
    agency: Agency | None = None,
    area: Area | None = None,
    position: str = "",
    phone: str = "",
    password: str | None = None,
    actor: Any = None,
) -> User:
    """Make an account and return it. Without ``password`` its holder sets one through a link.

    Raises:
        ValidationError: a field is wrong, taken, or the role lacks its agency or area.
    """
    user = User(is_active=True)
    _fill(
        user,
        {
            "username": username.strip(),
            "full_name": full_name.strip(),
            "email": email,
            "role": role,
            "agency": agency,
            "area": area,
            "position": position,
            "phone": phone,
        },
    )
    user.set_password(password)
    user.full_clean()
    user.save()
    _sync_email(user)
    record("accounts.account.create", actor=actor, subject=user, detail={"role": user.role})
    return user


@transaction.atomic
def make_demo_account(
    username: str,
    full_name: str,
    role: str,
    agency: Agency | None = None,
    area: Area | None = None,
    position: str = "",
) -> User:
    """Make an account for trying Guyub out, or bring the one of that name up to date; return it.

    It signs in with :data:`DEMO_PASSWORD` and has an authenticator app of its own, whose present
    code :func:`guyub.accounts.demo.demo_accounts` tells.

    Raises:
        ImproperlyConfigured: this is a production installation.
        ValidationError: a real account has that name already.
    """
    if settings.MODE == "production":
        raise ImproperlyConfigured("Demo accounts are never made in production.")
    user = User.objects.filter(username=username).first()
    if user is None:
        user = create_account(
            username=username,
            full_name=full_name,
            email=f"{username}@demo.guyub.test",
            role=role,
            agency=agency,
            area=area,
            position=position,
        )
    elif not user.is_demo:
        raise ValidationError(_("Nama pengguna ini sudah dipakai akun yang bukan akun demo."))
    else:
        _fill(
            user,
            {
                "full_name": full_name,
                "role": role,
                "agency": agency,
                "area": area,
                "position": position,
            },
        )
    user.is_demo = user.is_active = True
    user.set_password(DEMO_PASSWORD)
    user.full_clean()
    user.save()
    if not Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists():
        TOTP.activate(user, generate_totp_secret())
    return user
