"""A partner's system for tests: it signs, encrypts, calls, and listens on a real server."""

from __future__ import annotations

import http.server
import json
import threading
import uuid
from typing import Any

from django.test import Client
from django.utils import timezone

from guyub.connections import encryption, partners, signatures

ROOT = "/api/spdci/v1.0.0/registry"


def published() -> list[dict[str, Any]]:
    """Return the keys that Guyub publishes, as anybody gets them."""
    keys: list[dict[str, Any]] = Client().get("/.well-known/jwks.json").json()["keys"]
    assert all("d" not in key for key in keys)
    return keys


def check_ours(body: dict[str, Any]) -> Any:
    """Check that a message is signed with a key that Guyub publishes; return what it holds."""
    signatures.verify(body["signature"], body["header"], body["message"], published())
    return body["message"]


class System:
    """A partner's system, with its keys, token and a real server for what Guyub sends it."""

    def __init__(self, key_of_token: str) -> None:
        self.key = signatures.new_key()
        self.encryption_key: dict[str, Any] = {}
        self.got: list[Any] = []
        self.paths: list[str] = []
        self.statuses: list[int] = []
        self.publishes = b""
        self.client = Client(headers={"Authorization": f"Bearer {key_of_token}"})
        self.token: Any = None
        self.partner: Any = None
        system = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                system.got.append(json.loads(content))
                system.paths.append(self.path)
                self._answer(system.statuses.pop(0) if system.statuses else 200, b"")

            def do_GET(self) -> None:
                self._answer(200, system.publishes or json.dumps(system.keys()).encode())

            def _answer(self, status: int, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.uri = f"http://127.0.0.1:{self.server.server_port}/on-search"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def keys(self) -> dict[str, Any]:
        """Return its public keys as a JWK set."""
        mine = [key for key in (self.key, self.encryption_key) if key]
        return {"keys": [{n: v for n, v in key.items() if n != "d"} for key in mine]}

    def registers_encryption_key(self) -> None:
        self.encryption_key = encryption.new_key()
        self.partner.keys = signatures.read_keys(json.dumps(self.keys()))
        self.partner.save()
        assert partners.encryption_key_of(self.partner)

    def message(self, action: str, message: Any, *, encrypted: bool = False, **more: Any) -> Any:
        header = {
            "version": "1.0.0", "message_id": uuid.uuid4().hex, "action": action,
            "message_ts": timezone.now().isoformat(), "sender_id": "spmis.contoh.go.id",
            "receiver_id": "guyub", "total_count": 1,
            **({"is_msg_encrypted": True} if encrypted else {"sender_uri": self.uri}), **more,
        }  # fmt: skip
        if action != "search":
            header.pop("sender_uri", None)
        if encrypted:
            ours = next(key for key in published() if key["use"] == "enc")
            message = encryption.encrypt(message, ours)
        return self.signed(header, message)

    def signed(self, header: Any, message: Any) -> dict[str, Any]:
        signature = signatures.sign(header, message, self.key)
        return {"signature": signature, "header": header, "message": message}

    def search(self, *criteria: Any, path: str = "/sync/search", **header: Any) -> Any:
        requests = [
            {"reference_id": f"r{n}", "timestamp": timezone.now().isoformat(),
             "search_criteria": one} for n, one in enumerate(criteria)
        ]  # fmt: skip
        body = self.message(
            "search", {"transaction_id": "t1", "search_request": requests}, **header
        )
        return self.send(path, body)

    def subscribe(self, *criteria: Any) -> Any:
        requests = [
            {"reference_id": f"r{n}", "timestamp": timezone.now().isoformat(),
             "subscribe_criteria": one} for n, one in enumerate(criteria)
        ]  # fmt: skip
        message = {"transaction_id": "t1", "subscribe_request": requests}
        return self.send("/subscribe", self.message("subscribe", message))

    def send(self, path: str, body: Any) -> Any:
        return self.client.post(ROOT + path, body, content_type="application/json")

    def opened(self, body: dict[str, Any]) -> Any:
        """Return what a message of Guyub holds, its signature checked, decrypted where it is."""
        message = check_ours(body)
        if body["header"]["is_msg_encrypted"]:
            return encryption.decrypt(message, [self.encryption_key])
        return message
