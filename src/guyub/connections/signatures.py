"""Signatures of exchanged messages: JWS (RFC 7515) with detached content, keys as JWK (RFC 7517).

What is signed is the JSON object of ``header`` and ``message``, keys sorted, without spaces, in UTF-8
(the canonical form of RFC 8785 for what is exchanged here). The signature stands in the message's
``signature`` as ``<protected header>..<signature>``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from guyub.connections import encryption

ALGORITHMS = ("EdDSA", "ES256", "RS256", "PS256")
SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})


class SignatureError(Exception):
    """A signature is missing, unreadable, or not the sender's over this message."""


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def content_of(header: Any, message: Any) -> bytes:
    """Return the bytes that are signed."""
    both = {"header": header, "message": message}
    return json.dumps(both, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_keys(text: str) -> list[dict[str, Any]]:
    """Read public keys: a JWK, or a JWK set. ``use: enc`` marks those to encrypt to.

    Raises:
        ValueError: it is none, holds a private key, or one of a kind that is not taken, or nothing to
            verify signatures with.
    """
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested") from error
    keys = found.get("keys", [found]) if isinstance(found, dict) else []
    if not keys or not isinstance(keys, list):
        raise ValueError("no keys")
    for key in keys:
        if not isinstance(key, dict) or SECRET_MEMBERS & set(key):
            raise ValueError("not a public key")
        try:
            if is_for_encryption(key):
                encryption.check_key(key)
            elif _loaded(key).algorithm_name not in ALGORITHMS:
                raise ValueError("algorithm")
        except (jwt.PyJWTError, encryption.EncryptionError) as error:
            raise ValueError("unreadable") from error
    if all(is_for_encryption(key) for key in keys):
        raise ValueError("nothing to verify signatures with")
    return keys


def is_for_encryption(key: dict[str, Any]) -> bool:
    """Whether a JWK is there to be encrypted to, not to sign with."""
    return key.get("use") == "enc"


def _loaded(key: dict[str, Any]) -> jwt.PyJWK:
    # An RSA key that does not say what it is for signs with the usual algorithm.
    return jwt.PyJWK(key, algorithm=key.get("alg"))


def verify(signature: Any, header: Any, message: Any, keys: list[dict[str, Any]]) -> None:
    """Check that one of ``keys`` made ``signature`` over the message.

    Raises:
        SignatureError: none of them did.
    """
    parts = signature.split(".") if isinstance(signature, str) else []
    if len(parts) != 3 or parts[1]:
        raise SignatureError("malformed")
    token = f"{parts[0]}.{_text(content_of(header, message))}.{parts[2]}"
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError as error:
        raise SignatureError("malformed") from error
    for key in keys:
        if is_for_encryption(key):
            continue
        if kid is not None and key.get("kid") is not None and kid != key["kid"]:
            continue
        loaded = _loaded(key)
        try:
            # The key says which algorithm is its own; the message does not choose.
            jwt.PyJWS().decode(token, loaded, algorithms=[loaded.algorithm_name])
        except jwt.PyJWTError:
            continue
        return
    raise SignatureError("no key fits")


def sign(header: Any, message: Any, key: dict[str, Any]) -> str:
    """Return the detached signature that the private JWK ``key`` makes over the message."""
    loaded = _loaded(key)
    token = jwt.PyJWS().encode(
        content_of(header, message),
        loaded.key,
        loaded.algorithm_name,
        headers={"kid": key["kid"], "typ": None},
    )
    protected, _content, signature = token.split(".")
    return f"{protected}..{signature}"


# Our own key


def new_key() -> dict[str, Any]:
    """Make an Ed25519 key; its ``kid`` is its thumbprint (RFC 7638)."""
    private = Ed25519PrivateKey.generate()
    public = _text(private.public_key().public_bytes_raw())
    thumb = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": public}, separators=(",", ":"))
    return {
        "kty": "OKP", "crv": "Ed25519", "x": public, "d": _text(private.private_bytes_raw()),
        "kid": _text(hashlib.sha256(thumb.encode()).digest()), "alg": "EdDSA", "use": "sig",
    }  # fmt: skip


def own_keys() -> list[dict[str, Any]]:
    """Return our private keys to sign with, the one in use first; makes one when there is none."""
    return _kept("exchange.json", new_key)


def own_encryption_keys() -> list[dict[str, Any]]:
    """Return our private keys that others encrypt to, the one in use first; makes one when there is none."""
    return _kept("encryption.json", encryption.new_key)


def _kept(name: str, make: Callable[[], dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the keys in ``<DATA_DIR>/keys/<name>``, which Guyub alone can read.

    To renew, put another key in front: older ones stay published until they are taken out.
    """
    path = Path(settings.DATA_DIR) / "keys" / name
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.write_text(json.dumps([make()]))
        fresh.chmod(0o600)
        try:
            # Fails where another process was first, whose key then holds.
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return list(json.loads(path.read_text()))


def published_keys() -> dict[str, Any]:
    """Return our public keys as a JWK set: to verify our signatures, and to encrypt to us."""
    public = [
        {name: value for name, value in key.items() if name not in SECRET_MEMBERS}
        for key in [*own_keys(), *own_encryption_keys()]
    ]
    return {"keys": public}
