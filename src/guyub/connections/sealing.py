"""Keeping secrets that have to be used again: sealed with the installation's own key."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def _fernet() -> MultiFernet:
    """Return the cipher; keys used before still open what they sealed."""
    keys = []
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        derive = HKDF(hashes.SHA256(), 32, salt=None, info=b"guyub.connections")
        keys.append(Fernet(base64.urlsafe_b64encode(derive.derive(secret.encode()))))
    return MultiFernet(keys)


def seal(text: str) -> str:
    """Return ``text`` sealed."""
    return _fernet().encrypt(text.encode()).decode()


def unseal(text: str) -> str:
    """Return what was sealed. Raises ``InvalidToken`` when the key is another."""
    return _fernet().decrypt(text.encode()).decode()
