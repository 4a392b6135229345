"""How Guyub bends allauth: accounts are made by the secretariat, never by signing up."""

from __future__ import annotations

import base64
import hashlib
import logging
import time
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from guyub.audit.services import record

logger = logging.getLogger(__name__)

# Whoever signed in this recently need not prove again who they are.
SECONDS_SINCE_SIGN_IN = 300


class AccountAdapter(DefaultAccountAdapter):
    """Signing in by name or e-mail address, in our words."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": _("Akun ini sedang tidak aktif."),
        "username_password_mismatch": _("Nama pengguna atau kata sandi tidak cocok."),
        "email_password_mismatch": _("Alamat surel atau kata sandi tidak cocok."),
        "too_many_login_attempts": _(
            "Terlalu banyak percobaan masuk yang gagal. Tunggu lima menit, lalu coba lagi."
        ),
        "incorrect_password": _("Kata sandi salah."),
        "enter_current_password": _("Kata sandi saat ini salah."),
        "email_taken": _("Alamat surel ini sudah dipakai akun lain."),
        "duplicate_email": _("Alamat surel ini sudah dipakai akun Anda."),
        "rate_limited": _("Terlalu banyak permintaan. Tunggu sebentar, lalu coba lagi."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Ask for the password again, unless they signed in a moment ago."""
        if not super().is_reauthentication_required(app=app, **kwargs):
            return False
        request = context.request
        now = time.time()
        return not any(
            now - step["at"] < SECONDS_SINCE_SIGN_IN
            for step in get_authentication_records(request, request.user)
        )

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail; a mail server that is down must not undo what the mail tells of."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException):
            logger.exception("A mail (%s) could not be sent.", template_prefix)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:me")


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Single sign-on lets known people in; it never makes an account.

    The provider's verified address finds the account. The second factor is asked for after it all
    the same: the regency's provider may have none, and what it protects is people's NIK.
    """

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        record("accounts.login_failed", detail={"method": "sso", "account": "unknown"})
        return False

    def get_requests_session(self) -> Any:
        """Ask only the addresses that the provider's description names; follow nobody elsewhere."""
        session = super().get_requests_session()
        session.max_redirects = 0
        return session

    def authenticate_by_email(self, sociallogin: Any) -> Any:
        """Find the account by an address that the provider says, in so many words, is verified."""
        for address in sociallogin.email_addresses:
            # Some providers send the text "false", which would count as true.
            address.verified = address.verified is True
        return super().authenticate_by_email(sociallogin)


def _cipher() -> MultiFernet:
    keys = [str(settings.SECRET_KEY), *map(str, settings.SECRET_KEY_FALLBACKS)]
    return MultiFernet(
        [
            Fernet(
                base64.urlsafe_b64encode(
                    hashlib.sha256(b"guyub second factor:" + key.encode()).digest()
                )
            )
            for key in keys
        ]
    )


class MFAAdapter(DefaultMFAAdapter):
    """Second factors: kept encrypted, named for Guyub, and not to be dropped where required."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": _(
            "Peran Anda wajib memakai faktor kedua. Tambahkan kunci sandi lebih dahulu bila ingin "
            "menonaktifkan aplikasi autentikator."
        ),
        "incorrect_code": _(
            "Kode salah, kedaluwarsa, atau sudah dipakai. Tunggu kode berikutnya, lalu coba lagi."
        ),
    }

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret; when it was sealed with a key that is gone, one that nothing matches."""
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            logger.error("A second factor was encrypted with another GUYUB_SECRET_KEY; reset it.")
            return generate_totp_secret()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Refuse to drop the last factor of someone who must have one."""
        if not authenticator.user.must_use_second_factor:  # type: ignore[attr-defined]
            return True
        return (
            Authenticator.objects.filter(
                user_id=authenticator.user_id,  # type: ignore[attr-defined]
                type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN],
            )
            .exclude(pk=authenticator.pk)
            .exists()
        )

    def get_totp_issuer(self) -> str:
        return f"Guyub {settings.REGENCY_NAME}"

    def get_totp_label(self, user: Any) -> str:
        return str(user.get_username())

    def _get_site_name(self) -> str:
        return self.get_totp_issuer()
