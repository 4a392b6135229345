"""Reconciliation over HTTP."""

from __future__ import annotations

from typing import Any

from guyub.access.roles import Role
from guyub.reconciliation.keeping import detect
from guyub.registry.models import Household

WHY = "Sudah dicek bersama kedua dinas."
API = "/api/v1/reconciliation"


def test_queue_settling_and_merging(two_lists, client_for):
    detect()
    client = client_for(Role.SECRETARIAT)

    def post(path: str, **body: Any) -> Any:
        return client.post(f"{API}{path}", body, content_type="application/json")

    rows = client.get(f"{API}/differences?attribute=floor").json()["items"]
    assert {(r["ours"], r["theirs"], r["our_source"], r["suggested"]) for r in rows} == {
        ("earth", "cement", "dtsen", "ours"),
        ("earth", "tile", "dtsen", "ours"),
    }
    first = client.get(f"{API}/differences?limit=1").json()
    second = client.get(f"{API}/differences?limit=1&cursor={first['next']}").json()
    assert [row["id"] for row in second["items"]] == [rows[1]["id"]]
    ids = [row["id"] for row in rows]
    assert post("/differences/settle", ids=ids, side="ours", reason="").status_code == 422
    done = post("/differences/settle", ids=ids, side="ours", reason=WHY)
    assert done.json() == {"done": 2, "left": 0}
    one, other = Household.objects.order_by("pk")
    wish = {"kind": "household", "survivor": one.pk, "loser": other.pk, "reason": WHY}
    made = post("/merges", **wish)
    assert (made.status_code, made.json()["survivor"]) == (201, one.pk)
    assert post("/merges", **wish).status_code == 422
    assert post("/merges", **{**wish, "loser": 999}).status_code == 422
    listed = client.get(f"{API}/merges").json()["items"]
    assert [row["id"] for row in listed] == [made.json()["id"]]
    assert client_for(Role.AUDITOR).get(f"{API}/merges").status_code == 403
