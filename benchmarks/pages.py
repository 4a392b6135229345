"""How long does the server take for each page, with the whole regency in the registry?

First fill a data folder (SQLite) or a database (``DATABASE_URL``)::

    GUYUB_DATA_DIR=/some/folder uv run guyub demo --households 600000 --no-serve
    GUYUB_DATA_DIR=/some/folder uv run python benchmarks/pages.py [--rounds 40]

Prints median and 95th percentile in milliseconds per page, from request to finished response in
process, sign-in and all middleware included. Each round asks for another household, area or name.

Beside the time on the clock stands the processor's time of this process, which other work on the
machine hardly touches: on SQLite, which works in the process, it is what a quiet machine would take.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guyub.settings")


def pages() -> list[tuple[str, Callable[[], Any]]]:
    """Return the pages, each with what asks for it anew."""
    from django.test import Client

    from guyub.accounts.models import User
    from guyub.areas.models import Area
    from guyub.registry.models import Household, Person

    luck = random.Random(5)
    top = Household.objects.order_by("-pk").values_list("pk", flat=True)[0]
    people = Person.objects.order_by("-pk").values_list("pk", flat=True)[0]
    districts = list(Area.objects.filter(level=3).values_list("code", flat=True))
    villages = list(Area.objects.filter(level=4).values_list("code", flat=True))

    def client(name: str) -> Client:
        signed_in = Client()
        signed_in.force_login(
            User.objects.get(username=name),
            backend="allauth.account.auth_backends.AuthenticationBackend",
        )
        return signed_in

    def a_person() -> Any:
        return Person.objects.filter(pk__gte=luck.randint(1, people)).order_by("pk").first()

    def misspelt(name: str) -> str:
        place = luck.randrange(1, max(2, len(name) - 1))
        return name[:place] + name[place + 1 :]

    secretary, village, regent, auditor = (
        client(name) for name in ("sekretariat", "desa", "bupati", "auditor")
    )
    search = "/registri/"
    return [
        ("home, secretariat", lambda: secretary.get("/")),
        ("home, regent", lambda: regent.get("/")),
        ("home, village operator", lambda: village.get("/")),
        ("home, auditor", lambda: auditor.get("/")),
        ("public page", lambda: Client().get("/publik/")),
        ("registry list", lambda: secretary.get(search)),
        ("registry list, page 200", lambda: secretary.get(search, {"halaman": 200})),
        ("registry list, a district, desil 1-2",
         lambda: secretary.get(search, {"wilayah": luck.choice(districts), "desil": ["1", "2"]})),
        ("registry list, a village", lambda: secretary.get(search, {"wilayah": luck.choice(villages)})),
        ("registry list, on one dataset", lambda: secretary.get(search, {"dataset": "rtlh"})),
        ("registry list, stale only", lambda: secretary.get(search, {"kesegaran": "stale"})),
        ("search by NIK", lambda: secretary.post(search, {"cari": a_person().nik})),
        ("search by full name", lambda: secretary.post(search, {"cari": a_person().name})),
        ("search by misspelt name", lambda: secretary.post(search, {"cari": misspelt(a_person().name)})),
        ("search by a very common name", lambda: secretary.post(search, {"cari": "siti"})),
        ("search by two common names", lambda: secretary.post(search, {"cari": "siti nur"})),
        ("search by address", lambda: secretary.post(search, {"cari": "jl sudirman"})),
        ("search, village operator", lambda: village.post(search, {"cari": "siti"})),
        ("household", lambda: secretary.get(f"/registri/keluarga/{luck.randint(1, top)}/?asal=1")),
        ("household, edit form", lambda: secretary.get(f"/registri/keluarga/{luck.randint(1, top)}/ubah/")),
        ("datasets", lambda: secretary.get("/dataset/")),
        ("dataset", lambda: secretary.get("/dataset/dtsen/")),
        ("imports", lambda: secretary.get("/impor/")),
        ("agencies", lambda: secretary.get("/perangkat-daerah/")),
        ("areas", lambda: secretary.get("/wilayah/")),
        ("audit log", lambda: auditor.get("/jejak-audit/")),
    ]  # fmt: skip


def times(label: str, ask: Callable[[], Any], rounds: int) -> tuple[list[float], list[float]]:
    """Return how long each round took, in milliseconds: on the clock, and of the processor."""
    clock, processor = [], []
    for _round in range(rounds):
        started, worked = time.perf_counter(), time.process_time()
        response = ask()
        clock.append(1000 * (time.perf_counter() - started))
        processor.append(1000 * (time.process_time() - worked))
        if response.status_code != 200:
            raise SystemExit(f"{label}: {response.status_code}")
    return clock, processor


def percentile_95(found: list[float]) -> float:
    return sorted(found)[int(0.95 * (len(found) - 1))]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    import django

    django.setup()
    from django.db import connection

    from guyub.registry.models import Household, Person

    people, top = (
        model.objects.order_by("-pk").values_list("pk", flat=True)[0]
        for model in (Person, Household)
    )
    print(f"{connection.vendor}: {people:,} people, {top:,} households, {options.rounds} rounds")
    print(f"{'':<42}{'on the clock, ms':>20}{'processor, ms':>20}")
    print(f"{'page':<42}{'median':>10}{'p95':>10}{'median':>10}{'p95':>10}")
    for label, ask in pages():
        kinds = times(label, ask, options.rounds)
        figures = "".join(
            f"{statistics.median(kind):>10.0f}{percentile_95(kind):>10.0f}" for kind in kinds
        )
        print(f"{label:<42}{figures}")


if __name__ == "__main__":
    main()
