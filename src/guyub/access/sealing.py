"""Sealing NIK and KK numbers, so that neither the database nor a file of ours shows them.

A number is sealed with AES-SIV (RFC 5297) under a key derived from ``GUYUB_DATA_KEY``, which lies
neither in the database nor in the data folder. The sealed text is ``s``, two letters that name the key,
and in URL-safe base64 sixteen bytes of keyed digest and the encrypted number:

- the digest is the *blind index*: without the key it tells nothing of the number, yet the same number
  always has the same, so that ``WHERE nik = sealed(...)``, unique constraints and joins keep working;
- the digest is also what the number was encrypted with and what proves it genuine: who changes a
  character of the text gets :class:`SealError`, not another number.

What it does not hide: that two places hold the same number. Parts of a number can't be searched.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PREFIX = "s"
# Prefix, key's name, and 23 bytes (digest and a number of 16 digits) in base64.
SEALED_LENGTH = 35
# As wide as the sealed form of any text of 16 letters.
SEALED_WIDTH = 48
# Before the bytes of a text that is no number of 16 digits, which itself begins lower.
_TEXT = b"\xff"
_DIGITS = 16


class SealError(Exception):
    """Something sealed can't be opened: the key is missing, or the text was changed."""


class Key:
    """One data key with what is derived from it."""

    def __init__(self, secret: str) -> None:
        self.name = base64.urlsafe_b64encode(
            hmac.digest(secret.encode(), b"guyub key name", hashlib.sha256)
        ).decode()[:2]
        self.start = PREFIX + self.name
        self.for_files = _derived(secret, b"guyub files", 32)
        cipher = AESSIV(_derived(secret, b"guyub numbers", 64))
        self.encrypt, self.decrypt = cipher.encrypt, cipher.decrypt

    def seal(self, text: str) -> str:
        if len(text) == _DIGITS and text.isascii() and text.isdigit():
            content = int(text).to_bytes(7, "big")
        else:
            content = _TEXT + text.encode()
        return self.start + base64.urlsafe_b64encode(self.encrypt(content, None)).decode()

    def unseal(self, sealed: str) -> str:
        try:
            content = self.decrypt(base64.urlsafe_b64decode(sealed[3:]), None)
        except (InvalidTag, ValueError) as error:
            raise SealError("A sealed number was changed or is cut off.") from error
        if content.startswith(_TEXT):
            return content[1:].decode()
        return f"{int.from_bytes(content, 'big'):016d}"


def _derived(secret: str, purpose: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=b"guyub", info=purpose).derive(secret.encode())


@lru_cache(maxsize=8)
def _ring(secrets: tuple[str, ...]) -> dict[str, Key]:
    keys = [Key(secret) for secret in secrets]
    ring = {key.name: key for key in keys}
    if len(ring) < len(set(secrets)):
        raise SealError("Two data keys have the same name by chance; choose another new key.")
    return ring


def ring() -> dict[str, Key]:
    """Return the keys by name: the present one first, then those used before."""
    return _ring((settings.DATA_KEY, *settings.OLD_DATA_KEYS))


def present_key() -> Key:
    return next(iter(ring().values()))


def is_sealed(text: str) -> bool:
    """Tell whether ``text`` is in the sealed form (a number is digits only)."""
    return len(text) >= SEALED_LENGTH - 8 and text.startswith(PREFIX) and text[1:3] in ring()


def is_current(text: str) -> bool:
    """Tell whether ``text`` is empty, or sealed with the present key."""
    return not text or text.startswith(present_key().start)


def seal(text: str) -> str:
    """Return ``text`` sealed with the present key; empty and sealed texts as they are."""
    if not text or is_sealed(text):
        return text
    return present_key().seal(text)


def unseal(text: str) -> str:
    """Return the number in ``text``, which is returned as it is when it is not sealed.

    Raises:
        SealError: it was changed, or its key is not known here.
    """
    if not text or not text.startswith(PREFIX):
        return text
    key = ring().get(text[1:3])
    if key is None:
        raise SealError(
            "A number is sealed with a key that GUYUB_DATA_KEY and GUYUB_OLD_DATA_KEYS lack."
        )
    return key.unseal(text)


def reseal(text: str) -> str:
    """Return ``text`` sealed with the present key, whatever it was sealed with before."""
    return text if is_current(text) else present_key().seal(unseal(text))


def seal_all(texts: Iterable[str | None]) -> list[str | None]:
    """Seal many texts, repeated ones once."""
    key = present_key()
    # Asked for each text, so that the settings are looked at once.
    start, seal_number = key.start, key.seal
    known: dict[str, str] = {}
    result: list[str | None] = []
    for text in texts:
        if not text:
            result.append(text)
            continue
        sealed = known.get(text)
        if sealed is None:
            if text.startswith(start):
                sealed = text
            else:
                sealed = seal_number(unseal(text) if text.startswith(PREFIX) else text)
            known[text] = sealed
        result.append(sealed)
    return result
