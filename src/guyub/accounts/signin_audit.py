"""Writes the audit log of signing in: allauth and Django tell by signal, we record."""

from __future__ import annotations

import time
from typing import Any

from allauth.account import signals as account_signals
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username
from allauth.mfa import signals as mfa_signals
from allauth.socialaccount import signals as social_signals
from allauth.usersessions.internal.flows.sessions import end_other_sessions
from django.contrib.auth import signals as auth_signals
from django.dispatch import receiver
from django.http import HttpRequest

from guyub.accounts.middleware import HAS_SECOND_FACTOR, SEEN_AT, SIGNED_IN_AT, has_second_factor
from guyub.accounts.models import User
from guyub.audit.services import record


@receiver(auth_signals.user_logged_in)
def note_session(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Write into the new session what the middleware would else ask the database."""
    request.session[SEEN_AT] = request.session[SIGNED_IN_AT] = int(time.time())
    if user.must_use_second_factor:
        request.session[HAS_SECOND_FACTOR] = has_second_factor(user)


@receiver(account_signals.user_logged_in)
def logged_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    steps = get_authentication_records(request, user)
    methods = [str(step.get("type") or step["method"]) for step in steps]
    record("accounts.login", actor=user, subject=user, detail={"methods": methods})


def _account_of(credentials: dict[str, Any]) -> User | None:
    """Find whose account the name or address that was typed belongs to."""
    user = None
    if credentials.get("username"):
        user = get_user_by_username(credentials["username"])
    if user is None and credentials.get("email"):
        user = next(iter(filter_users_by_email(credentials["email"], for_login=True)), None)
    return user  # type: ignore[return-value]


@receiver(auth_signals.user_login_failed)
def login_failed(sender: Any, credentials: dict[str, Any], **kwargs: Any) -> None:
    """Record the account that was tried. What was typed is not kept: it may be a password."""
    user = _account_of(credentials)
    detail = {"method": "password", "account": "known" if user is not None else "unknown"}
    record("accounts.login_failed", subject=user, detail=detail)


@receiver(mfa_signals.authentication_failed)
def second_factor_failed(sender: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    record("accounts.second_factor_failed", subject=user, detail={"type": authenticator.type})


@receiver(auth_signals.user_logged_out)
def logged_out(sender: Any, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        record("accounts.logout", actor=user, subject=user)


@receiver(account_signals.password_changed)
@receiver(account_signals.password_set)
def password_changed(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    record("accounts.password.change", actor=user, subject=user)


@receiver(account_signals.password_reset)
def password_reset(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    record("accounts.password.reset", actor=user, subject=user)


@receiver(account_signals.email_changed)
def email_changed(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    record("accounts.email.change", actor=user, subject=user)


@receiver(mfa_signals.authenticator_added)
def factor_added(sender: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    record("accounts.factor.add", actor=user, subject=user, detail={"type": authenticator.type})


@receiver(mfa_signals.authenticator_reset)
def codes_renewed(sender: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    record("accounts.factor.renew", actor=user, subject=user, detail={"type": authenticator.type})


@receiver(mfa_signals.authenticator_removed)
def factor_removed(
    sender: Any, request: HttpRequest, user: User, authenticator: Any, **kwargs: Any
) -> None:
    """Record it; who must have a factor and dropped the last one has to set one up anew."""
    record("accounts.factor.remove", actor=user, subject=user, detail={"type": authenticator.type})
    if user.must_use_second_factor and not has_second_factor(user):
        request.session.pop(HAS_SECOND_FACTOR, None)
        end_other_sessions(request, user)


@receiver(social_signals.social_account_added)
def single_sign_on_joined(
    sender: Any, request: HttpRequest, sociallogin: Any, **kwargs: Any
) -> None:
    record("accounts.sso.connect", actor=sociallogin.user, subject=sociallogin.user)


@receiver(social_signals.social_account_removed)
def single_sign_on_parted(
    sender: Any, request: HttpRequest, socialaccount: Any, **kwargs: Any
) -> None:
    record("accounts.sso.disconnect", actor=request.user, subject=socialaccount.user)
