"""Every write to accounts. Each function is one transaction and leaves a line in the audit log."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from guyub.access.roles import AGENCY_ROLES, AREA_ROLES, Role
from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.audit.services import record

logger = logging.getLogger(__name__)

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
def update_account(user: User, values: dict[str, Any], *, actor: Any) -> list[str]:
    """Change fields of ``user`` (see :data:`MANAGED_FIELDS`); return the names of those changed.

    Raises:
        ValidationError: a field is wrong or taken, or the change would leave the system without a
            secretariat account, or the actor's own role.
    """
    unknown = set(values) - set(MANAGED_FIELDS)
    if unknown:
        raise ValueError(f"Not fields of an account: {sorted(unknown)}")
    # What is stored, for a form may have put the new values on ``user`` already.
    user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    old_role = user.role
    changed = _fill(user, values)
    if "role" in changed and old_role == Role.SECRETARIAT:
        if actor is not None and actor.pk == user.pk:
            raise ValidationError({"role": _("Anda tidak dapat mengubah peran Anda sendiri.")})
        _keep_a_secretariat(without=user, field="role")
    user.full_clean()
    if not changed:
        return []
    user.save()
    if "email" in changed:
        _sync_email(user)
    detail: dict[str, Any] = {"fields": changed}
    if "role" in changed:
        detail |= {"role": user.role, "old_role": old_role}
    record("accounts.account.edit", actor=actor, subject=user, detail=detail)
    return changed


def _keep_a_secretariat(*, without: User, field: str | None = None) -> None:
    """Raise when no other active secretariat account would be left to manage accounts."""
    others = User.objects.select_for_update(of=("self",)).filter(
        role=Role.SECRETARIAT, is_active=True
    )
    if not [row for row in others if row.pk != without.pk]:
        message = _("Ini akun sekretariat terakhir yang aktif. Buat penggantinya lebih dahulu.")
        raise ValidationError({field: message} if field else message)


@transaction.atomic
def update_own_details(user: User, values: dict[str, Any]) -> list[str]:
    """Change what people may change about themselves; return the names of the changed fields.

    Raises:
        ValidationError: a field is wrong.
    """
    user = User.objects.get(pk=user.pk)
    changed = _fill(user, {name: values[name] for name in OWN_FIELDS if name in values})
    user.full_clean()
    if changed:
        user.save(update_fields=changed)
        record("accounts.self.edit", actor=user, subject=user, detail={"fields": changed})
    return changed


def _end_sessions(user: User) -> int:
    sessions = list(UserSession.objects.filter(user=user))
    for session in sessions:
        session.end()
    return len(sessions)


@transaction.atomic
def deactivate(user: User, *, actor: Any, reason: str) -> None:
    """Shut ``user`` out at once and end their sessions. What they did stays theirs.

    Raises:
        ValidationError: it is the actor, or the last active secretariat account.
    """
    if actor.pk == user.pk:
        raise ValidationError(_("Anda tidak dapat menonaktifkan akun Anda sendiri."))
    if user.role == Role.SECRETARIAT:
        _keep_a_secretariat(without=user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    ended = _end_sessions(user)
    record(
        "accounts.account.deactivate",
        actor=actor,
        subject=user,
        reason=reason,
        detail={"sessions_ended": ended},
    )


@transaction.atomic
def reactivate(user: User, *, actor: Any) -> None:
    """Let ``user`` in again."""
    user.is_active = True
    user.save(update_fields=["is_active"])
    record("accounts.account.reactivate", actor=actor, subject=user)


@transaction.atomic
def reset_second_factor(user: User, *, actor: Any, reason: str) -> None:
    """Remove every second factor of ``user``, who lost them, and end their sessions.

    Raises:
        ValidationError: it is the actor; another member of the secretariat has to judge that.
    """
    if actor.pk == user.pk:
        raise ValidationError(
            _("Minta anggota sekretariat lain mengatur ulang faktor kedua akun Anda.")
        )
    factors = Authenticator.objects.filter(user=user)
    types = sorted(factors.values_list("type", flat=True))
    factors.delete()
    ended = _end_sessions(user)
    record(
        "accounts.factor.reset",
        actor=actor,
        subject=user,
        reason=reason,
        detail={"types": types, "sessions_ended": ended},
    )


@transaction.atomic
def make_password_link(user: User, *, actor: Any) -> str:
    """Return the path of a page where ``user`` sets a password.

    It works once and for ``PASSWORD_RESET_TIMEOUT`` seconds, and stops when the password or the
    address changes.

    Raises:
        ValidationError: the account is not active.
    """
    if not user.is_active:
        raise ValidationError(_("Akun ini nonaktif. Aktifkan kembali lebih dahulu."))
    record("accounts.password.link", actor=actor, subject=user)
    return reverse(
        "account_reset_password_from_key",
        kwargs={
            "uidb36": user_pk_to_url_str(user),
            "key": default_token_generator.make_token(user),
        },
    )


def send_password_link(user: User, url: str) -> bool:
    """Mail ``user`` the absolute ``url`` of :func:`make_password_link`; tell whether it went out."""
    context = {
        "user": user,
        "url": url,
        "days": settings.PASSWORD_RESET_TIMEOUT // 86400,
        "regency": settings.REGENCY_NAME,
    }
    message = EmailMessage(
        _("[Guyub] Buat kata sandi akun Anda"),
        render_to_string("accounts/email/password_link.txt", context),
        to=[user.email],
    )
    try:
        message.send()
    except (OSError, SMTPException):
        # The server's answer may hold the address, so only the account's number is logged.
        logger.error("Mail to account %s could not be sent.", user.pk)
        return False
    return True


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
