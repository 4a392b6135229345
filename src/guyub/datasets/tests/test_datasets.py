"""Datasets, their freshness, versions and exports."""

from __future__ import annotations

import datetime as dt
import io

import duckdb
import openpyxl
import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.datasets import exports, services, store
from guyub.datasets.models import CADENCE_DAYS, Dataset, Freshness, Version, freshness_of


def rows(tmp_path, *people):
    """Write a small version's rows: (nik, kk, name, village, desil)."""
    path = tmp_path / "rows.parquet"
    values = ", ".join(f"('{n}', '{k}', '{name}', '{v}', {d})" for n, k, name, v, d in people)
    duckdb.execute(
        f"COPY (SELECT * FROM (VALUES {values}) t(nik, kk, name, village, desil)) TO '{path}' (FORMAT parquet)"
    )
    store.seal_columns(path, path)
    return path


A = ("3302011203850001", "3302010101010001", "BUDI", "33.02.01.2001", 1)
B = ("3302011203850002", "3302010101010002", "SITI", "33.02.01.2001", 2)
C = ("3302011203850003", "3302010101010003", "=TUKIMAN", "33.02.17.2001", 3)


@pytest.fixture
def two_versions(tmp_path, make_dataset, regency):
    dataset = make_dataset()
    for number, (date, people) in enumerate(
        [(dt.date(2026, 1, 1), (A, B)), (dt.date(2026, 4, 1), (A[:4] + (5,), C))], start=1
    ):
        version = services.add_version(dataset, as_of=date, created_by=None, people=len(people))
        store.write_version(rows(tmp_path, *people), dataset.code, version.number)
        assert version.number == number
    dataset.refresh_from_db()
    return dataset


@given(
    st.dates(dt.date(2020, 1, 1), dt.date(2026, 1, 1)),
    st.sampled_from(list(CADENCE_DAYS)),
    st.integers(0, 2000),
)
def test_freshness_only_ever_gets_worse(as_of, cadence, days):
    order = [Freshness.CURRENT, Freshness.DUE, Freshness.STALE]
    now = freshness_of(as_of, cadence, as_of + dt.timedelta(days=days))
    later = freshness_of(as_of, cadence, as_of + dt.timedelta(days=days + 1))
    assert order.index(now) <= order.index(later)
    assert (
        freshness_of(as_of, cadence, as_of + dt.timedelta(days=CADENCE_DAYS[cadence]))
        == Freshness.CURRENT
    )
    assert freshness_of(None, cadence, as_of) == Freshness.EMPTY


def test_the_newest_date_is_current_and_the_reference_moves_with_it(two_versions):
    first, second = two_versions.versions.order_by("number")
    assert two_versions.current_version == second
    services.mark_reference(second, actor=None, reason="Disepakati rapat")
    third = services.add_version(two_versions, as_of=dt.date(2026, 5, 1), created_by=None)
    assert list(Version.objects.filter(is_reference=True)) == [third]
    services.mark_reference(first, actor=None, reason="Kembali dahulu")
    assert list(Version.objects.filter(is_reference=True)) == [first]


def test_versions_are_compared_person_by_person(two_versions):
    old, new = store.version_path("dtsen", 1), store.version_path("dtsen", 2)
    counts = store.compare(old, new)
    assert (counts.added, counts.removed, counts.changed, counts.unchanged) == (1, 1, 1, 0)
    (change,) = store.changes(old, new, "changed", 0, 10)
    assert (change["name"], change["fields"]) == ("BUDI", [("desil", "1", "5")])
    assert [row["name"] for row in store.changes(old, new, "removed", 0, 10)] == ["SITI"]


def test_the_pages_mask_and_hide_people(two_versions, client_for, django_assert_max_num_queries):
    secretary, regent = client_for(Role.SECRETARIAT), client_for(Role.REGENT)
    url = reverse("datasets:compare", args=["dtsen", 1, 2])
    page = secretary.get(url).content.decode()
    assert "BUDI" in page
    assert A[0] not in page
    hidden = regent.get(url).content.decode()
    assert "BUDI" not in hidden
    assert "Versi 1 ke versi 2" in hidden
    with django_assert_max_num_queries(12):
        secretary.get(reverse("datasets:list"))
    with django_assert_max_num_queries(12):
        secretary.get(reverse("datasets:detail", args=["dtsen"]))
    assert secretary.get(reverse("datasets:detail", args=["tak-ada"])).status_code == 404


def test_marking_wants_a_reason_and_the_secretariat(two_versions, client_for):
    url = reverse("datasets:mark_reference", args=["dtsen", 2])
    assert (
        client_for(Role.AGENCY_OPERATOR).post(url, {"reason": "Karena terbaru"}).status_code == 403
    )
    secretary = client_for(Role.SECRETARIAT)
    assert secretary.post(url, {"reason": "ya"}).status_code == 422
    assert secretary.post(url, {"reason": "Disepakati rapat TKPKD"}).status_code == 302
    assert Version.objects.get(is_reference=True).number == 2
    assert Event.objects.filter(action="datasets.version.mark_reference").exists()


@pytest.mark.parametrize("full", [False, True])
def test_exports_say_where_they_are_from(two_versions, client_for, full):
    secretary = client_for(Role.SECRETARIAT)
    given = {"reason": "Bahan rapat TKPKD", "format": "xlsx"} | (
        {"full_numbers": "on"} if full else {}
    )
    response = secretary.post(reverse("datasets:export", args=["dtsen", 2]), given)
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    data = list(book["Data"].iter_rows(values_only=True))
    assert data[1][0] == (A[0] if full else "330201••••••••01")
    assert book["Data"]["C3"].data_type == "s"
    about = dict(book["Keterangan"].iter_rows(values_only=True))
    assert about["Versi"] == "2 (01/04/2026)"
    event = Event.objects.get(action="datasets.version.export")
    assert event.detail == {"rows": 2, "full_numbers": full}


def test_an_operator_keeps_only_their_own_datasets(client_for, make_agency, make_dataset):
    dataset = make_dataset(owner=make_agency("dinsos"))
    stranger = client_for(Role.AGENCY_OPERATOR, agency=make_agency("dinkes"))
    assert stranger.get(reverse("datasets:edit", args=["dtsen"])).status_code == 403
    form = {
        "code": "rtlh",
        "name": "RTLH",
        "owner": dataset.owner_id,
        "legal_basis": "Perda",
        "cadence": "yearly",
    }
    assert stranger.post(reverse("datasets:create"), form).status_code == 422
    form["owner"] = stranger.user.agency_id
    assert stranger.post(reverse("datasets:create"), form).status_code == 302
    assert Dataset.objects.get(code="rtlh").owner.code == "dinkes"


def test_csv_never_holds_a_formula(tmp_path):
    path = tmp_path / "a.csv"
    exports.write_csv(path, [("Alasan", "=1+1")], ["a"], [["=cmd()"], ["@x"], ["+62"], ["biasa"]])
    text = path.read_text(encoding="utf-8-sig").splitlines()
    assert text == ["# Alasan,'=1+1", "a", "'=cmd()", "'@x", "'+62", "biasa"]


def test_the_api_lists_datasets(two_versions, client_for):
    answer = client_for(Role.REGENT).get("/api/v1/datasets").json()
    assert answer["items"][0]["code"] == "dtsen"
    assert answer["items"][0]["as_of"] == "2026-04-01"


def test_codes_read_in_words_in_comparisons_and_exports(
    tmp_path, make_dataset, regency, client_for
):
    dataset = make_dataset()
    for number, (toilet, poor, spends) in enumerate(
        [("none", "true", 553000), ("own", "false", 577000)], start=1
    ):
        path = tmp_path / f"{number}.parquet"
        duckdb.execute(
            f"COPY (SELECT '{A[0]}' AS nik, '{A[1]}' AS kk, 'BUDI' AS name, '{A[3]}' AS village, "
            f"'{toilet}' AS sanitation, {poor} AS extreme_poor, {spends}::INTEGER AS expenditure, "
            f"'M' AS sex, 'car,television' AS assets) TO '{path}' (FORMAT parquet)"
        )
        version = services.add_version(
            dataset, as_of=dt.date(2026, number, 1), created_by=None, people=1
        )
        store.write_version(path, dataset.code, version.number)
    client = client_for(Role.SECRETARIAT)
    page = client.get(reverse("datasets:compare", args=["dtsen", 1, 2])).content.decode()
    for told in (
        "jamban: Tidak ada → <strong>Jamban sendiri", "miskin ekstrem: Ya → <strong>Tidak",
        "pengeluaran per kapita: Rp 553.000 → <strong>Rp 577.000",
    ):  # fmt: skip
        assert told in page
    text = b"".join(
        client.post(
            reverse("datasets:export", args=["dtsen", 2]),
            {"reason": "Bahan rapat koordinasi", "format": "csv"},
        ).streaming_content
    ).decode("utf-8-sig")
    head, row = text.splitlines()[-2:]
    assert "Kode desa/kelurahan" in head
    for told in ("Jamban sendiri", "Laki-laki", "Mobil, Televisi", "577000", "Tidak"):
        assert told in row
