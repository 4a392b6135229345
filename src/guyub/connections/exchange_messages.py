"""Taking in and sending out messages of the social registry standard: form, time, signature, secrecy."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from guyub.connections import encryption, partners
from guyub.connections.models import ApiToken, Partner
from guyub.connections.signatures import (
    SignatureError,
    own_encryption_keys,
    own_keys,
    sign,
    verify,
)

VERSION = "1.0.0"
# How far a message's clock may be off, and so how old a replay may be.
CLOCK = dt.timedelta(minutes=10)
SUCCESS, REJECTED, PENDING = "succ", "rjct", "pdng"


class RefusedError(Exception):
    """The message is not taken; ``code`` is one of the standard's errors."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def is_short(text: Any, most: int) -> bool:
    """Whether ``text`` is a text of 1 to ``most`` characters."""
    return isinstance(text, str) and 0 < len(text) <= most


def open_message(body: Any, action: str, token: ApiToken) -> tuple[Partner, dict[str, Any]]:
    """Check a message's form, sender, time and signature, and decrypt it.

    Returns its partner and the body with the message in the clear.

    Raises:
        RefusedError: something about it is wrong.
    """
    header = body.get("header") if isinstance(body, dict) else None
    if not isinstance(header, dict) or not isinstance(body.get("message"), dict | str):
        raise RefusedError("err.request.bad", "header and message are required")
    if header.get("action") != action:
        raise RefusedError("err.request.bad", f"action must be {action}")
    if header.get("version", VERSION) != VERSION:
        raise RefusedError("err.version.not_supported", f"version must be {VERSION}")
    if not is_short(header.get("message_id"), 120) or not is_short(header.get("sender_id"), 120):
        raise RefusedError("err.request.bad", "message_id and sender_id are required")
    partner = Partner.objects.filter(sender_id=header["sender_id"], is_active=True).first()
    if partner is None or partner.agency_id != token.agency_id:
        raise RefusedError("err.sender_id.invalid", "this sender is not registered for the token")
    if not body.get("signature"):
        raise RefusedError("err.signature.missing", "signature is required")
    _check_signature(body, header, partner)
    try:
        sent = parse_datetime(str(header.get("message_ts", "")))
    except ValueError:
        sent = None
    if sent is None or sent.tzinfo is None or abs(timezone.now() - sent) > CLOCK:
        raise RefusedError("err.request.bad", "message_ts must be the present time with its zone")
    return partner, {"header": header, "message": _in_clear(header, body["message"])}


def _check_signature(body: dict[str, Any], header: Any, partner: Partner) -> None:
    """Check the signature by the partner's keys; read them again where it publishes other ones now."""
    try:
        verify(body["signature"], header, body["message"], partner.keys)
    except SignatureError as error:
        try:
            renewed = partners.read_keys_again(partner)
        except ValidationError:
            renewed = False
        if renewed:
            try:
                verify(body["signature"], header, body["message"], partner.keys)
            except SignatureError:
                pass
            else:
                return
        raise RefusedError("err.signature.invalid", "the signature does not fit") from error


def _in_clear(header: dict[str, Any], message: Any) -> dict[str, Any]:
    if not header.get("is_msg_encrypted"):
        if not isinstance(message, dict):
            raise RefusedError("err.request.bad", "message must be an object")
        return message
    try:
        found: dict[str, Any] = encryption.decrypt(message, own_encryption_keys())
    except encryption.EncryptionError as error:
        raise RefusedError(
            "err.encryption.invalid", "the message is not encrypted to a key that we publish"
        ) from error
    return found


def wrap(
    partner: Partner,
    action: str,
    status: str,
    message: dict[str, Any],
    count: int,
    *,
    secret: bool,
    message_id: str = "",
) -> dict[str, Any]:
    """Return a message of ours with its header, signed, and encrypted where ``secret``.

    ``message_id`` is that of an earlier try, so that its receiver notices the repeat.

    Raises:
        EncryptionError: it must be secret, and the partner registered no key to encrypt with.
    """
    header = {
        "version": VERSION,
        "message_id": message_id or uuid.uuid4().hex,
        "message_ts": timezone.now().isoformat(),
        "action": action,
        "status": status,
        "total_count": count,
        "completed_count": count,
        "sender_id": urlsplit(settings.SITE_URL).netloc,
        "receiver_id": partner.sender_id,
        "is_msg_encrypted": secret,
    }
    # As it travels, so that what is signed is what is read.
    message = json.loads(json.dumps(message))
    if secret:
        key = partners.encryption_key_of(partner)
        if key is None:
            raise encryption.EncryptionError("no key to encrypt with")
        message = encryption.encrypt(message, key)
    return {"signature": sign(header, message, own_keys()[0]), "header": header, "message": message}


def is_secret(partner: Partner, header: dict[str, Any] | None = None) -> bool:
    """Whether a message to a partner is encrypted: it registered a key, and asked so or is called by us.

    ``header`` is that of the message that is answered within its own call; none for what we send.

    Raises:
        RefusedError: it asked encrypted but registered no key.
    """
    has_key = partners.encryption_key_of(partner) is not None
    if header is None:
        return has_key
    if header.get("is_msg_encrypted") and not has_key:
        raise RefusedError("err.encryption.invalid", "no key of yours to encrypt the answer with")
    return bool(header.get("is_msg_encrypted"))
