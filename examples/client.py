"""A small client of Guyub's HTTP API: signing in, paging, writing safely, checking webhooks.

It needs ``requests`` alone, and ``cryptography`` for :class:`Partner`, which exchanges messages by the
SPDCI standard. Take it into your own system as it is. Try it out::

    GUYUB_URL=https://guyub.contoh.go.id GUYUB_TOKEN=guyub_... python examples/client.py
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import requests

TRIES = 5


class GuyubError(Exception):
    """Guyub refused a call; ``errors`` names the fields that are wrong."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(f"{problem.get('title')}: {problem.get('detail')}")
        self.status = problem.get("status")
        self.errors = problem.get("errors", [])


class Guyub:
    """Calls Guyub with a token of your agency."""

    def __init__(self, url: str, token: str) -> None:
        self.root = f"{url.rstrip('/')}/api/v1"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def _call(self, method: str, path: str, **options: Any) -> Any:
        """Call, and call again when Guyub is busy; a write carries a key, so that is safe."""
        for left in range(TRIES - 1, -1, -1):
            try:
                answer = self.session.request(method, self.root + path, timeout=30, **options)
            except requests.ConnectionError:
                if not left:
                    raise
                time.sleep(2)
                continue
            if left and (answer.status_code == 429 or answer.status_code >= 502):
                time.sleep(float(answer.headers.get("Retry-After", 2)))
                continue
            if not answer.ok:
                raise GuyubError(answer.json())
            return answer.json()
        return None

    def get(self, path: str, **query: Any) -> Any:
        """Return one record, or one page of a list."""
        return self._call("GET", path, params=query)

    def each(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield all records of a list, page by page."""
        cursor = ""
        while cursor is not None:
            page = self.get(path, **{"limit": 200, **query, "cursor": cursor})
            yield from page["items"]
            cursor = page["next"]

    def write(self, path: str, content: dict[str, Any], key: str = "") -> Any:
        """Write once, however often it is called with the same ``key``.

        Keep the key with your own record before you call, and use it again after a crash.
        """
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return self._call("POST", path, json=content, headers=headers)


def is_from_guyub(
    secret: str, headers: Mapping[str, str], body: bytes, tolerance: int = 300
) -> bool:
    """Tell whether a webhook's ``body`` is Guyub's, by its headers and the secret (``whsec_...``)."""
    sent = headers["webhook-timestamp"]
    if abs(time.time() - int(sent)) > tolerance:
        return False
    content = f"{headers['webhook-id']}.{sent}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    # There may be several signatures while a secret is being changed.
    given = [part.partition(",")[2] for part in headers["webhook-signature"].split()]
    return any(hmac.compare_digest(expected, one) for one in given)


class Partner:
    """Exchanges messages with Guyub by the SPDCI social registry standard, signed with Ed25519.

    ``key`` is your private key as a JWK (``kty`` OKP, ``crv`` Ed25519, with ``d``, ``x`` and ``kid``). The
    secretariat registers its public part, your ``sender_id`` and the address where you listen.
    """

    def __init__(self, url: str, token: str, sender_id: str, key: dict[str, str]) -> None:
        self.url, self.sender_id, self.key = url.rstrip("/"), sender_id, key
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def send(self, path: str, action: str, message: dict[str, Any]) -> dict[str, Any]:
        """Send a message; return the answer, checked, or the acknowledgement of one that comes later."""
        header = {
            "version": "1.0.0",
            "message_id": uuid.uuid4().hex,
            "message_ts": dt.datetime.now(dt.UTC).isoformat(),
            "action": action,
            "sender_id": self.sender_id,
            "receiver_id": "guyub",
            "total_count": 1,
        }
        body = {"signature": self._sign(header, message), "header": header, "message": message}
        answer = self.session.post(
            f"{self.url}/api/spdci/v1.0.0/registry{path}", json=body, timeout=30
        )
        if not answer.ok:
            raise GuyubError({"status": answer.status_code, **answer.json()})
        given = answer.json()
        return self.opened(given) if "signature" in given else given["message"]

    def subscribe(self, event: str, desil: int, purpose: str, code: str = "") -> dict[str, Any]:
        """Ask to be told of ``event`` (``REGISTER``, ``UPDATE``...) of households up to ``desil``.

        Guyub confirms at your address (``on-subscribe``) with the code to unsubscribe by, and then sends
        ``notify`` there; check both with :meth:`opened`.
        """
        criteria = {
            "reg_event_type": event,
            "filter_type": "predicate",
            "filter": [
                {
                    "expression1": {
                        "attribute_name": "desil", "operator": "le", "attribute_value": desil
                    }
                }
            ],
            "notify_record_type": "spdci:Group",
            "authorize": {"purpose": {"text": purpose, "code": code}},
        }  # fmt: skip
        now = dt.datetime.now(dt.UTC).isoformat()
        request = {"reference_id": "r1", "timestamp": now, "subscribe_criteria": criteria}
        message = {"transaction_id": uuid.uuid4().hex, "subscribe_request": [request]}
        return self.send("/subscribe", "subscribe", message)

    def unsubscribe(self, *codes: str) -> dict[str, Any]:
        """Ask to be told no more."""
        now = dt.datetime.now(dt.UTC).isoformat()
        message = {"transaction_id": uuid.uuid4().hex, "timestamp": now,
                   "subscription_codes": list(codes)}  # fmt: skip
        return self.send("/unsubscribe", "unsubscribe", message)

    def opened(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the message that Guyub sent, its signature checked by the keys that Guyub publishes.

        Raises ``ValueError`` when it is not Guyub's.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        protected, _none, signature = body["signature"].split(".")
        kid = json.loads(_bytes(protected)).get("kid")
        keys = self.session.get(f"{self.url}/.well-known/jwks.json", timeout=30).json()["keys"]
        found = next((k for k in keys if k["kid"] == kid and k["use"] == "sig"), None)
        if found is None:
            raise ValueError("signed with a key that Guyub does not publish")
        content = f"{protected}.{_text(_canonical(body['header'], body['message']))}"
        try:
            Ed25519PublicKey.from_public_bytes(_bytes(found["x"])).verify(
                _bytes(signature), content.encode()
            )
        except InvalidSignature as error:
            raise ValueError("the signature does not fit") from error
        return dict(body["message"])

    def _sign(self, header: dict[str, Any], message: dict[str, Any]) -> str:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        protected = _text(json.dumps({"alg": "EdDSA", "kid": self.key["kid"]}).encode())
        content = f"{protected}.{_text(_canonical(header, message))}"
        private = Ed25519PrivateKey.from_private_bytes(_bytes(self.key["d"]))
        return f"{protected}..{_text(private.sign(content.encode()))}"


def _canonical(header: Any, message: Any) -> bytes:
    both = {"header": header, "message": message}
    return json.dumps(both, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def main() -> None:
    guyub = Guyub(os.environ["GUYUB_URL"], os.environ["GUYUB_TOKEN"])
    for program in guyub.each("/programs"):
        print(program["year"], program["agency"], program["name"])


if __name__ == "__main__":
    main()
