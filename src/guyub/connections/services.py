"""Writing tokens: making, changing, revoking, and counting what they are used for."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import re
import secrets
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access.permissions import can
from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.audit import services as audit
from guyub.connections.models import ApiToken, TokenState, TokenUse
from guyub.connections.scopes import GUARDED, SCOPES

LONGEST = dt.timedelta(days=366)
MOST_PER_MINUTE = 3000
# Tells a key of ours from any other, for people and for scanners of leaked secrets.
MARK = "guyub"
# How long the former key still opens after a change.
OVERLAP = dt.timedelta(hours=24)
USES_KEPT = dt.timedelta(days=400)


def digest_of(key: str) -> str:
    """Return what is kept of a key. It has 256 random bits, so a plain hash hides it."""
    return hashlib.sha256(key.encode()).hexdigest()


def read_networks(text: str) -> list[str]:
    """Read networks or single addresses, one a line or separated by commas.

    Raises:
        ValidationError: one of them is no address.
    """
    found = []
    for part in filter(None, re.split(r"[\s,;]+", text)):
        try:
            found.append(str(ipaddress.ip_network(part, strict=False)))
        except ValueError as error:
            raise ValidationError(
                {
                    "networks": _("“%(part)s” bukan alamat jaringan, misalnya 103.28.12.0/24.")
                    % {"part": part[:50]}
                }
            ) from error
    return found


def _check(
    actor: Any, agency: Agency, scopes: Iterable[str], per_minute: int, expires_at: dt.datetime
) -> list[str]:
    wanted = [name for name in SCOPES if name in set(scopes)]
    if not wanted:
        raise ValidationError({"scopes": _("Pilih paling sedikit satu cakupan.")})
    if GUARDED & set(wanted) and not can(actor, "connections.admit"):
        raise ValidationError(
            {"scopes": _("Cakupan NIK dan KK lengkap hanya diberikan oleh sekretariat.")}
        )
    if not agency.is_active:
        raise ValidationError({"agency": _("Perangkat daerah ini tidak aktif.")})
    if not 1 <= per_minute <= MOST_PER_MINUTE:
        raise ValidationError(
            {"per_minute": _("Isi antara 1 dan %(most)d.") % {"most": MOST_PER_MINUTE}}
        )
    now = timezone.now()
    if expires_at <= now:
        raise ValidationError({"expires_on": _("Tanggal ini sudah lewat.")})
    if expires_at > now + LONGEST:
        raise ValidationError({"expires_on": _("Paling lama satu tahun dari sekarang.")})
    return wanted


@transaction.atomic
def make_token(
    *,
    agency: Agency,
    name: str,
    purpose: str,
    scopes: Iterable[str],
    expires_at: dt.datetime,
    per_minute: int = 120,
    networks: str = "",
    actor: Any,
) -> tuple[ApiToken, str]:
    """Make a token and return it with its key, which is nowhere kept and so never shown again.

    Raises:
        ValidationError: a field is wrong, or a scope is not ``actor``'s to give.
    """
    wanted = _check(actor, agency, scopes, per_minute, expires_at)
    allowed = read_networks(networks)
    name, purpose = " ".join(name.split()), " ".join(purpose.split())
    prefix = secrets.token_hex(5)
    key = f"{MARK}_{prefix}_{secrets.token_urlsafe(32)}"
    account = User(
        username=f"sambungan-{prefix}",
        email=f"{prefix}@sambungan.invalid",
        full_name=_("Sistem %(name)s") % {"name": name},
        role=Role.AGENCY_OPERATOR,
        agency=agency,
        # Nobody signs in with it, it gets no news, and lists of people leave it out.
        is_active=False,
        is_service=True,
    )
    account.set_unusable_password()
    account.full_clean()
    account.save()
    token = ApiToken(
        agency=agency,
        name=name,
        purpose=purpose,
        prefix=prefix,
        digest=digest_of(key),
        scopes=wanted,
        per_minute=per_minute,
        networks=allowed,
        expires_at=expires_at,
        account=account,
        created_by=actor,
    )
    token.full_clean(exclude=["created_by"])
    token.save()
    audit.record(
        "connections.token.create",
        actor=actor,
        subject=token,
        reason=purpose,
        detail={"agency": agency.code, "scopes": wanted, "networks": len(allowed)},
    )
    return token, key


@transaction.atomic
def renew_key(token: ApiToken, *, at_once: bool = False, actor: Any) -> str:
    """Give a token another key and return it; it is nowhere kept and so never shown again.

    The former key opens for :data:`OVERLAP` more, unless ``at_once`` ends it.

    Raises:
        ValidationError: the token has ended.
    """
    token = ApiToken.objects.select_for_update().get(pk=token.pk)
    if token.state != TokenState.ACTIVE:
        raise ValidationError(_("Token ini sudah berakhir; buat yang baru."))
    key = f"{MARK}_{token.prefix}_{secrets.token_urlsafe(32)}"
    token.former_digest = "" if at_once else token.digest
    token.former_until = None if at_once else timezone.now() + OVERLAP
    token.digest = digest_of(key)
    token.save(update_fields=["digest", "former_digest", "former_until"])
    audit.record("connections.token.renew", actor=actor, subject=token, detail={"at_once": at_once})
    return key


@transaction.atomic
def revoke_token(token: ApiToken, *, reason: str, actor: Any) -> ApiToken:
    """End a token at once.

    Raises:
        ValidationError: there is no reason, or it has ended already.
    """
    token = ApiToken.objects.select_for_update().get(pk=token.pk)
    if len(reason.strip()) < 5:
        raise ValidationError({"reason": _("Tulis alasannya, paling sedikit 5 huruf.")})
    if token.state == TokenState.REVOKED:
        raise ValidationError(_("Token ini sudah dicabut."))
    token.revoked_at, token.revoke_reason = timezone.now(), reason.strip()[:250]
    token.save(update_fields=["revoked_at", "revoke_reason"])
    audit.record("connections.token.revoke", actor=actor, subject=token, reason=reason.strip())
    return token


def count_call(token: ApiToken) -> int:
    """Count a call within the running minute and return how many it is by now."""
    now = timezone.now()
    minute = int(now.timestamp()) // 60
    same = ApiToken.objects.filter(pk=token.pk, minute=minute)
    with transaction.atomic():
        if not same.update(calls=F("calls") + 1, last_used_at=now):
            ApiToken.objects.filter(pk=token.pk).exclude(minute=minute).update(
                minute=minute, calls=0
            )
            same.update(calls=F("calls") + 1, last_used_at=now)
        return same.values_list("calls", flat=True).first() or 1


def count_use(token: ApiToken, operation: str, refused: bool) -> None:
    """Add a call to the day's sum of an operation."""
    use = {"token": token, "day": timezone.localdate(), "operation": operation[:120]}
    more = {"calls": F("calls") + 1, "refused": F("refused") + int(refused)}
    if TokenUse.objects.filter(**use).update(**more):
        return
    try:
        with transaction.atomic():
            TokenUse.objects.create(**use, calls=1, refused=int(refused))
    except IntegrityError:
        # Another call of the same operation was the day's first.
        TokenUse.objects.filter(**use).update(**more)


def log_uses(today: dt.date | None = None) -> int:
    """Write the sums of days gone by into the audit log, one event per token and day.

    Returns how many events were written. Sums older than :data:`USES_KEPT` are dropped.
    """
    day = today or timezone.localdate()
    TokenUse.objects.filter(is_logged=True, day__lt=day - USES_KEPT).delete()
    waiting = TokenUse.objects.filter(is_logged=False, day__lt=day)
    written = 0
    for token_id, past in waiting.order_by("day").values_list("token", "day").distinct():
        with transaction.atomic():
            rows = list(
                TokenUse.objects.select_for_update().filter(
                    token=token_id, day=past, is_logged=False
                )
            )
            if not rows:
                continue
            token = ApiToken.objects.select_related("account").get(pk=token_id)
            audit.record(
                "connections.token.use",
                actor=token.account,
                subject=token,
                detail={
                    "day": past.isoformat(),
                    "calls": sum(row.calls for row in rows),
                    "refused": sum(row.refused for row in rows),
                    "operations": {row.operation: row.calls for row in rows},
                },
            )
            TokenUse.objects.filter(pk__in=[row.pk for row in rows]).update(is_logged=True)
            written += 1
    return written
