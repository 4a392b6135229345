"""The attack: everything that the public can get, from one release and from several, set up as equations."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import random
import re
from typing import Any

import polars as pl
import pytest
from django.test import Client

from guyub.portal import services, snapshot
from guyub.portal.models import Release
from guyub.portal.tests.attack import (
    Known,
    broken,
    intervals,
    joined,
    read_households,
    read_recipients,
    told_by_differences,
)
from guyub.portal.tests.conftest import HOMES, V1, V2, V3, V4, V5

pytestmark = pytest.mark.django_db
FIRST, SECOND, THIRD = dt.date(2025, 4, 1), dt.date(2025, 10, 1), dt.date(2026, 4, 1)


def get(path: str) -> bytes:
    response = Client().get(path)
    assert response.status_code == 200
    return response.getvalue()


def households(release: Release) -> Known:
    text = get(f"/publik/data/{release.pk}/keluarga-desil.csv").decode()
    return read_households(text, release.pk)


def recipients(release: Release) -> Known:
    text = get(f"/publik/data/{release.pk}/penerima-bantuan.csv").decode()
    return read_recipients(text, release.pk)


def drifted(homes: dict[Any, int], seed: int) -> dict[Any, int]:
    """Return a list some months later: families came, went and changed their desil."""
    chance = random.Random(seed)
    return {
        key: max(0, n + chance.choice([-7, -3, -1, 0, 0, 1, 2, 4, 9])) for key, n in homes.items()
    }


def test_one_release_tells_nothing_of_any_household(release: Any) -> None:
    known = households(release())
    assert known.hidden()
    assert not broken(known)


def test_small_counts_of_villages_are_hidden_and_totals_are_not(release: Any) -> None:
    homes: dict[Any, int] = {}
    for number in range(2001, 2009):
        for district in ("33.02.01", "33.02.02"):
            village = f"{district}.{number}"
            homes |= {(village, 1, True): 9, (village, 2, False): 20, (village, 4, False): 30,
                      (village, 8, False): 40}  # fmt: skip
    homes[V1, 1, True] = 2
    homes[V4, 4, False] = 3
    known, one = households(release(SECOND, homes)), Release.objects.get()
    assert known.cells[one.pk, V1, "extreme"] is None
    assert known.cells[one.pk, V4, "desil_3_4"] is None
    assert not known.withheld
    assert all(cell[1].count(".") == 3 for cell in known.hidden())
    assert one.counts["households"]["complementary"] == 6
    assert not broken(known)
    page = get("/publik/").decode()
    assert "<b>457</b><span>keluarga desil 1–2" in page


def test_hiding_small_cells_alone_would_tell(make_version: Any) -> None:
    draft = services.prepare(make_version(SECOND, HOMES), actor=None)
    found = snapshot.take(draft, complementary=False)
    bare = services.publish(services._keep(draft, found), actor=None)

    cells = intervals(households(bare))
    assert cells[bare.pk, V1, "extreme"] == (3, 3)
    assert cells[bare.pk, "33.02.01", "desil_3"] == (2, 2)
    assert broken(households(bare))


@pytest.mark.own_database
def test_no_release_tells_anything_together_with_the_others(release: Any) -> None:
    homes = dict(HOMES)
    known = []
    for number, day in enumerate((FIRST, SECOND, THIRD)):
        known.append((households(release(day, homes)), day))
        homes = drifted(homes, number)
    assert not broken(joined(one for one, _day in known))
    for (older, _), (newer, _) in itertools.combinations(known, 2):
        before = {cell[1:]: value for cell, value in older.cells.items()}
        after = {cell[1:]: value for cell, value in newer.cells.items()}
        assert not told_by_differences(before, after)
    changed = Release.objects.get(as_of=THIRD).counts["households"]["changed"]
    assert changed, "no count changed by a few, so the test tests nothing"


def test_a_family_that_comes_is_not_seen_by_setting_two_releases_side_by_side(release: Any) -> None:
    first = release(FIRST, HOMES)
    second = release(SECOND, {**HOMES, (V4, 2, False): HOMES[V4, 2, False] + 1})
    assert households(first).cells[first.pk, V4, "desil_1_2"] == 32
    known = households(second)
    assert known.cells[second.pk, V4, "desil_1_2"] is None
    low, high = intervals(known, [(second.pk, V4, "desil_1_2")])[second.pk, V4, "desil_1_2"]
    assert high - low >= 5


def test_files_pages_and_the_api_say_the_same(release: Any) -> None:
    one = release()
    read = households(one)
    known = read.cells
    path = f"/publik/data/{one.pk}/keluarga-desil.parquet"
    frame = pl.read_parquet(io.BytesIO(get(path)))
    assert {
        (one.pk, row["kode_kemendagri"], row["kelompok"]): row["keluarga"]
        for row in frame.iter_rows(named=True)
    } == known

    items: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        path = f"/api/v1/public/releases/{one.pk}/counts?limit=200&cursor={cursor}"
        answer = Client().get(path).json()
        items += answer["items"]
        cursor = answer["next"]
    assert {(one.pk, row["area"], row["column"]): row["value"] for row in items} == known

    page = get("/publik/kecamatan/33.02.01/").decode()
    columns = [
        c["key"]
        for c in one.columns["households"]
        if c["lowest"] == 4
        # What is published of no village has no column.
        and not all(
            cell in read.withheld
            for cell in known
            if cell[1].startswith("33.02.01.") and cell[2] == c["key"]
        )
    ]
    assert 0 < len(columns) < 6
    from guyub.areas.models import Area

    for code in (V1, V2, V3):
        name = Area.objects.get(code=code).name
        line = re.search(rf'<th scope="row">{name}</th>(.*?)</tr>', page)
        assert line
        shown = re.findall(r'<span class="cell">([^<]*)</span>', line[1])
        assert [None if text == "•" else int(text.replace(".", "")) for text in shown] == [
            known[one.pk, code, column] for column in columns
        ]


@pytest.fixture
def helped(make_sub_activity: Any, make_household: Any) -> Any:
    """Enrol households in sub-activities: ``helped(sub_activity, "33.02.01.2001", 3)``."""
    from guyub.beneficiaries.models import Enrolment, Entry, Stage
    from guyub.registry.models import Household

    homes: dict[str, Household] = {}

    def enrol(sub: Any, village: str, count: int) -> None:
        from django.utils import timezone

        model = homes.get(village) or make_household(village)
        homes[village] = model
        copies = Household.objects.bulk_create(
            Household(village=model.village, district=model.district, origin=model.origin)
            for _one in range(count)
        )
        Enrolment.objects.bulk_create(
            Enrolment(
                sub_activity=sub, agency=sub.agency, year=sub.year, help_kind=sub.help_kind,
                household=home, stage=Stage.ENROLLED, stage_since=timezone.now(),
                entry=Entry.MANUAL,
            )
            for home in copies
        )  # fmt: skip

    return enrol


def test_recipients_of_one_year_stay_hidden_as_they_grow(
    release: Any, make_sub_activity: Any, helped: Any
) -> None:
    kinds = ("house_repair", "house_repair", "food")
    subs = [
        make_sub_activity(f"Bantuan {n}", year=2025, help_kind=kind) for n, kind in enumerate(kinds)
    ]
    for sub, (here, there) in zip(subs, [(3, 20), (30, 40), (7, 9)], strict=True):
        helped(sub, V1, here)
        helped(sub, V4, there)
    older = release(FIRST)
    helped(subs[0], V1, 5)
    helped(subs[1], V4, 2)
    helped(subs[2], V1, 30)
    newer = release(SECOND)

    known = joined([recipients(older), recipients(newer)])
    assert known.cells[older.pk, "33.02.01", f"sub_{subs[0].pk}"] is None
    assert known.cells[newer.pk, "33.02.02", f"sub_{subs[1].pk}"] is None
    known.grown = [(cell, (newer.pk, *cell[1:])) for cell in known.cells if cell[0] == older.pk]
    assert not broken(known)


def test_progress_is_hidden_where_it_would_tell_the_number_of_recipients(
    release: Any, make_sub_activity: Any, helped: Any
) -> None:
    from guyub.programs.models import Funding, FundingSource
    from guyub.reports.models import Report, ReportState

    subs = [make_sub_activity(f"Bantuan {n}", year=2025) for n in range(3)]
    for sub, count in zip(subs, (3, 40, 50), strict=True):
        helped(sub, V1, count)
        Funding.objects.create(sub_activity=sub, source=FundingSource.CSR, amount=900_000_000)
        Report.objects.create(
            sub_activity=sub, period_start=dt.date(2025, 1, 1), period_end=dt.date(2025, 3, 31),
            due_on=dt.date(2025, 4, 10), physical="33.33", budget=60_000_000,
            state=ReportState.ACCEPTED,
        )  # fmt: skip
    rows = {row["name"]: row for row in release().programs}
    assert rows["Bantuan 0"]["hidden"]
    assert rows["Bantuan 0"]["realised"] is rows["Bantuan 0"]["physical"] is None
    shown = [row for row in rows.values() if not row["hidden"]]
    assert all(row["physical"] == 33 for row in shown)
    page = get("/publik/program/").decode()
    # The sum leaves out what is hidden, or it would bring it back.
    assert f"Rp{60 * len(shown)} juta" in page


def test_the_lists_of_the_five_villages_are_what_is_counted(release: Any) -> None:
    known, one = households(release()), Release.objects.get()
    assert known.cells[one.pk, V5, "desil_3_4"] == 73
    assert known.cells[one.pk, "33.02", "total"] == sum(HOMES.values())
