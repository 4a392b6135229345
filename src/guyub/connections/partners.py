"""Partners: which systems exchange messages, their keys, and what they are given."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.audit import services as audit
from guyub.connections.minimising import GROUPS
from guyub.connections.models import Partner
from guyub.connections.outgoing import UnreachableError, get, read_target
from guyub.connections.signatures import is_for_encryption, read_keys

log = logging.getLogger(__name__)

LONGEST_KEYS = 64_000
# Keys that a partner publishes are read again after this long, or sooner when one is unknown.
KEYS_HOLD = dt.timedelta(days=1)
KEYS_REST = dt.timedelta(minutes=5)
# Ends of addresses by which the standard tells its messages apart.
ENDS = ("txn/on-status", "on-search", "on-subscribe", "on-unsubscribe", "notify")


def _keys_of(keys: str, keys_url: str) -> list[dict[str, Any]]:
    """Read public keys from what was pasted, or else from where the partner publishes them."""
    if keys_url and not keys.strip():
        try:
            keys = get(keys_url, LONGEST_KEYS).decode("utf-8", "replace")
        except UnreachableError as error:
            raise ValidationError({"keys_url": str(error)}) from error
        field = "keys_url"
    else:
        field = "keys"
    try:
        return read_keys(keys)
    except ValueError as error:
        raise ValidationError(
            {
                field: _(
                    "Di sini harus ada kunci publik berbentuk JWK atau JWKS, paling sedikit satu "
                    "untuk tanda tangan; bukan kunci pribadi."
                )
            }
        ) from error


def _checked_address(field: str, address: str) -> str:
    address = address.strip()
    if address:
        try:
            read_target(address)
        except ValidationError as error:
            raise ValidationError({field: error.messages}) from error
    return address


def _fill(
    partner: Partner,
    *,
    name: str,
    sender_id: str,
    agency: Agency,
    keys: str,
    keys_url: str,
    callback: str,
    purpose: str,
    purpose_codes: str,
    shares: Iterable[str],
) -> None:
    partner.keys_url = _checked_address("keys_url", keys_url)
    partner.callback = _checked_address("callback", callback)
    if keys.strip() or not partner.keys or partner.keys_url:
        partner.keys = _keys_of(keys, partner.keys_url)
        partner.keys_read_at = timezone.now()
    partner.name, partner.sender_id = " ".join(name.split()), sender_id.strip()
    partner.agency, partner.purpose = agency, " ".join(purpose.split())
    partner.purpose_codes = [code for code in purpose_codes.replace(",", " ").split() if code]
    wanted = set(shares)
    partner.shares = [group for group in GROUPS if group in wanted]
    partner.full_clean(exclude=["created_by"])
    partner.save()


@transaction.atomic
def admit(
    *,
    name: str,
    sender_id: str,
    agency: Agency,
    keys: str = "",
    keys_url: str = "",
    callback: str = "",
    purpose: str = "",
    purpose_codes: str = "",
    shares: Iterable[str] = tuple(GROUPS),
    areas: Iterable[Area] = (),
    actor: Any,
) -> Partner:
    """Register a system that may search, with its public keys (a JWK or a JWK set) or their address.

    ``shares`` names the groups of fields that it is given, ``areas`` the districts and villages whose
    households it is given (none: all).

    Raises:
        ValidationError: a field is wrong, or the sender_id is taken.
    """
    partner = Partner(created_by=actor)
    _fill(
        partner, name=name, sender_id=sender_id, agency=agency, keys=keys, keys_url=keys_url,
        callback=callback, purpose=purpose, purpose_codes=purpose_codes, shares=shares,
    )  # fmt: skip
    partner.areas.set(areas)
    audit.record("connections.partner.admit", actor=actor, subject=partner, detail=_limits(partner))
    return partner


@transaction.atomic
def change(partner: Partner, *, areas: Iterable[Area], actor: Any, **values: Any) -> Partner:
    """Change what is registered of a partner. Empty ``keys`` without an address leave its keys.

    Raises:
        ValidationError: a field is wrong.
    """
    partner = Partner.objects.select_for_update(of=("self",)).get(pk=partner.pk)
    _fill(partner, **values)
    partner.areas.set(areas)
    audit.record(
        "connections.partner.change", actor=actor, subject=partner, detail=_limits(partner)
    )
    return partner


def _limits(partner: Partner) -> dict[str, Any]:
    return {
        "agency": partner.agency.code,
        "shares": partner.shares,
        "areas": sorted(partner.areas.values_list("code", flat=True)),
        "keys": [str(key.get("kid") or key["kty"]) for key in partner.keys],
    }


@transaction.atomic
def set_active(partner: Partner, active: bool, *, actor: Any) -> Partner:
    """Shut a partner out, or let it in again."""
    partner.is_active = active
    partner.save(update_fields=["is_active"])
    verb = "readmit" if active else "exclude"
    audit.record(f"connections.partner.{verb}", actor=actor, subject=partner)
    return partner


def read_keys_again(partner: Partner, *, actor: Any = None, at_once: bool = False) -> bool:
    """Read the keys that a partner publishes; tell whether they are other ones now.

    Unless ``at_once``, keys that were read within :data:`KEYS_REST` are left as they are.

    Raises:
        ValidationError: its address does not answer with keys.
    """
    now = timezone.now()
    if not partner.keys_url:
        return False
    if not at_once:
        # One of several messages at a time reads; failures count too.
        rested = Partner.objects.filter(pk=partner.pk).exclude(keys_read_at__gt=now - KEYS_REST)
        if not rested.update(keys_read_at=now):
            return False
    found = _keys_of("", partner.keys_url)
    with transaction.atomic():
        held = Partner.objects.select_for_update(of=("self",)).get(pk=partner.pk)
        is_new = held.keys != found
        held.keys, held.keys_read_at = found, now
        held.save(update_fields=["keys", "keys_read_at"])
        if is_new:
            audit.record(
                "connections.partner.keys", actor=actor, subject=held,
                detail={"keys": [str(key.get("kid") or key["kty"]) for key in found]},
            )  # fmt: skip
    partner.keys, partner.keys_read_at = found, now
    return is_new


def renew_keys() -> int:
    """Read the keys of all partners that publish them and were not read for a day; return how many.

    An address that does not answer is tried again the next day; the keys that were read hold.
    """
    renewed = 0
    stale = Partner.objects.filter(
        is_active=True, keys_read_at__lt=timezone.now() - KEYS_HOLD
    ).exclude(keys_url="")
    for partner in stale:
        try:
            renewed += read_keys_again(partner)
        except ValidationError as error:
            log.warning("keys of partner %s cannot be read: %s", partner.pk, error.messages)
    return renewed


def encryption_key_of(partner: Partner) -> dict[str, Any] | None:
    """Return the key to encrypt to a partner with; ``None`` where it registered none."""
    return next((key for key in partner.keys if is_for_encryption(key)), None)


def is_registered_host(uri: Any, partner: Partner) -> bool:
    """Whether ``uri`` lies on the host, and at the port, of the partner's registered address."""
    try:
        first, second = urlsplit(uri), urlsplit(partner.callback)
        return bool(second.hostname) and (first.scheme, first.hostname, first.port) == (
            second.scheme,
            second.hostname,
            second.port,
        )
    except (ValueError, AttributeError, TypeError):
        return False


def address_for(partner: Partner, action: str) -> str:
    """Return where messages of ``action`` go (``on-search``, ``notify``...).

    A registered address that ends in one of the standard's actions is changed at its end; any other
    takes all messages.
    """
    end = "txn/on-status" if action == "txn-on-status" else action
    parts = urlsplit(partner.callback)
    for known in ENDS:
        if parts.path.rstrip("/").endswith(f"/{known}"):
            path = parts.path.rstrip("/").removesuffix(known) + end
            return urlunsplit(parts._replace(path=path))
    return partner.callback
