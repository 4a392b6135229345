"""A small client of Guyub's HTTP API: signing in, paging, writing safely, checking webhooks.

It needs ``requests`` alone; take it into your own system as it is. Try it out::

    GUYUB_URL=https://guyub.contoh.go.id GUYUB_TOKEN=guyub_... python examples/client.py
"""

from __future__ import annotations

import base64
import hashlib
import hmac
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


def main() -> None:
    guyub = Guyub(os.environ["GUYUB_URL"], os.environ["GUYUB_TOKEN"])
    for program in guyub.each("/programs"):
        print(program["year"], program["agency"], program["name"])


if __name__ == "__main__":
    main()
