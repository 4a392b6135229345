"""Encrypted messages: JWE (RFC 7516) in the form of the standard's ``EncryptedMessage``.

The object names its parts one by one: ``header`` (``alg``, ``enc``, ``kid``), ``encrypted_key``, ``iv``,
``ciphertext`` and ``tag``. The standard leaves out what the tag covers; here, as in the compact form of
RFC 7516, it is ``protected``: the header as it was encoded. ``protected.encrypted_key.iv.ciphertext.tag``
is the same message in the compact form, which is taken too.
"""

from __future__ import annotations

import json
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, import_key

# How content keys are agreed on, the best first; no RSA 1.5, no shared secrets.
AGREEMENTS = ("ECDH-ES+A256KW", "ECDH-ES", "RSA-OAEP-256", "RSA-OAEP")
CONTENTS = ("A256GCM", "A128GCM", "A256CBC-HS512", "A128CBC-HS256")
PARTS = ("protected", "encrypted_key", "iv", "ciphertext", "tag")
CURVES = frozenset({"P-256", "P-384", "P-521"})


class EncryptionError(Exception):
    """A message cannot be decrypted, or a key cannot encrypt."""


def _registry() -> jwe.JWERegistry:
    registry = jwe.JWERegistry(algorithms=[*AGREEMENTS, *CONTENTS])
    # The web server limits what comes in; a page of records is longer than the library's limit.
    registry.max_ciphertext_length = 8_000_000
    return registry


def agreement_of(key: dict[str, Any]) -> str:
    """Return how content keys are sent to the holder of the JWK ``key``.

    Raises:
        EncryptionError: it is no key to encrypt with.
    """
    kind, named = key.get("kty"), key.get("alg")
    usual = "ECDH-ES+A256KW" if kind in ("EC", "OKP") else "RSA-OAEP-256"
    wanted = named or usual
    fits = wanted in AGREEMENTS and wanted.startswith("RSA") == (kind == "RSA")
    if not fits or (kind == "EC" and key.get("crv") not in CURVES):
        raise EncryptionError("algorithm")
    return str(wanted)


def check_key(key: dict[str, Any]) -> None:
    """Check that messages can be encrypted with the public JWK ``key``.

    Raises:
        EncryptionError: they cannot.
    """
    encrypt({"a": 1}, key)


def encrypt(message: Any, key: dict[str, Any]) -> dict[str, Any]:
    """Return ``message`` encrypted for the holder of the public JWK ``key``.

    Raises:
        EncryptionError: it is no key to encrypt with.
    """
    header = {"alg": agreement_of(key), "enc": CONTENTS[0]}
    content = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        loaded = _loaded(key)
        header["kid"] = str(key.get("kid") or loaded.thumbprint())
        compact = jwe.encrypt_compact(header, content, loaded, registry=_registry())
    except (JoseError, ValueError, TypeError) as error:
        raise EncryptionError("key") from error
    return {"header": header, **dict(zip(PARTS, compact.split("."), strict=True))}


def decrypt(message: Any, keys: list[dict[str, Any]]) -> Any:
    """Return what an encrypted message holds; ``keys`` are our private JWKs.

    Raises:
        EncryptionError: it is none, or not for us.
    """
    if isinstance(message, dict):
        parts = [message.get(name) for name in PARTS]
        if not all(isinstance(part, str) for part in parts):
            raise EncryptionError("malformed")
        message = ".".join(str(part) for part in parts)
    if not isinstance(message, str):
        raise EncryptionError("malformed")
    try:
        known = KeySet([_loaded(key) for key in keys])
        content = jwe.decrypt_compact(message, known, registry=_registry()).plaintext
        found = json.loads(content or b"")
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise EncryptionError("not for us") from error
    if not isinstance(found, dict):
        raise EncryptionError("not an object")
    return found


def _loaded(key: dict[str, Any]) -> Key:
    # ``alg`` may name a signature where one key pair serves both.
    return import_key({name: value for name, value in key.items() if name not in ("use", "alg")})


def new_key() -> dict[str, Any]:
    """Make a P-256 key to be encrypted to; its ``kid`` is its thumbprint (RFC 7638)."""
    made = ECKey.generate_key("P-256", private=True)
    values: dict[str, Any] = dict(made.as_dict(private=True))
    return {**values, "kid": made.thumbprint(), "alg": AGREEMENTS[0], "use": "enc"}
