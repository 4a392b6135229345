"""Pages, lists, analysis, export and API of obstacles."""

from __future__ import annotations

import datetime as dt
import io

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone

from guyub.access.roles import Role
from guyub.areas.models import Area
from guyub.audit.models import Event
from guyub.obstacles import analysis, queries, services
from guyub.obstacles.models import Obstacle
from guyub.obstacles.queries import Filters

DAY = dt.timedelta(days=1)


def test_an_operator_reports(client_for, make_agency, make_sub_activity):
    part = make_sub_activity("RTLH")
    foreign = make_sub_activity("Imunisasi", agency=make_agency("dinkes"))
    needed = make_agency("dindukcapil", name="Dindukcapil")
    client = client_for(Role.AGENCY_OPERATOR)
    url = reverse("obstacles:report")
    page = client.get(url, {"sub": part.pk, "dibutuhkan": "dindukcapil"}).content.decode()
    assert f'<option value="{part.pk}" selected>' in page
    assert f'<option value="{needed.pk}" selected>' in page
    assert "Imunisasi" not in page
    form = {
        "title": "Data belum padan",
        "description": "Tidak cocok",
        "category": "data",
        "severity": 4,
        "needed_agency": needed.pk,
        "due_on": str(timezone.localdate() + DAY),
        "sub_activity": part.pk,
        "area": "",
    }
    for field, wrong in (
        ("due_on", str(timezone.localdate() - DAY)),
        ("sub_activity", foreign.pk),
        ("category", ""),
        ("title", ""),
    ):
        refused = client.post(url, form | {field: wrong}).content.decode()
        assert "field-bad" in refused, field
    assert not Obstacle.objects.exists()
    response = client.post(url, form, follow=True)
    page = response.content.decode()
    assert "Dindukcapil diberi tahu" in page
    assert "Menghentikan kegiatan" in page
    assert "Selesaikan" in page
    sub_page = client.get(reverse("programs:sub_activity", args=[part.pk])).content.decode()
    assert "Data belum padan" in sub_page
    program_url = reverse("programs:detail", args=[part.activity.program_id])
    assert "Data belum padan" in client.get(program_url).content.decode()
    agency_page = client.get(reverse("agencies:detail", args=["dindukcapil"])).content.decode()
    assert "Data belum padan" in agency_page


def test_an_area_operator_reports_from_their_area(client_for, make_agency):
    client = client_for(Role.AREA_OPERATOR)
    page = client.get(reverse("obstacles:report")).content.decode()
    assert "Desa Cirahab" in page
    assert "Cilongok" not in page
    far = Area.objects.get(code="33.02.17.2001")
    form = {
        "title": "Jalan putus",
        "description": "x",
        "category": "nature",
        "severity": 3,
        "needed_agency": make_agency("dpu").pk,
        "due_on": str(timezone.localdate()),
        "area": far.pk,
    }
    assert "field-bad" in client.post(reverse("obstacles:report"), form).content.decode()
    client.post(reverse("obstacles:report"), form | {"area": client.user.area_id})
    assert Obstacle.objects.get().reporting_area == client.user.area


def test_deeds_by_their_pages(client_for, make_obstacle, make_agency):
    obstacle = make_obstacle()
    head = client_for(Role.AGENCY_HEAD, agency=make_agency("dindukcapil"))
    detail = reverse("obstacles:detail", args=[obstacle.pk])
    assert "Catat langkah" in head.get(detail).content.decode()
    stranger = client_for(Role.AGENCY_HEAD, agency=make_agency("dinkes"))
    assert "Catat langkah" not in stranger.get(detail).content.decode()
    solve = reverse("obstacles:solve", args=[obstacle.pk])
    assert stranger.post(solve, {"solution": "x"}).status_code == 403
    assert "field-bad" in head.post(solve, {"solution": ""}).content.decode()
    page = head.post(solve, {"solution": "Padan"}, follow=True).content.decode()
    assert "Kendala ditandai selesai." in page
    assert "Buka kembali" in page
    assert "Catat langkah" not in page
    again = head.post(solve, {"solution": "Lagi"}).content.decode()
    assert "tidak dapat lagi" in again
    assert head.get(solve)["Location"] == detail
    for name, form in (
        ("reopen", {"reason": "Belum"}),
        ("step", {"text": "Cek"}),
        ("hand_over", {"reason": "Bukan kami", "agency": make_agency("dinkes").pk}),
    ):
        url = reverse(f"obstacles:{name}", args=[obstacle.pk])
        assert head.post(url, form)["Location"] == detail, name
    # Handed over, it is no longer theirs.
    assert head.post(solve, {"solution": "x"}).status_code == 403


@pytest.fixture
def some(make_obstacle, make_agency, make_user, make_sub_activity):
    """Three obstacles: late and blocking here, escalated, solved in ten days."""
    part = make_sub_activity("RTLH")
    late = make_obstacle(title="Lahan belum bebas", category="land", severity=4, sub_activity=part,
                         area=Area.objects.get(code="33.02.01.2001"))  # fmt: skip
    Obstacle.objects.filter(pk=late.pk).update(due_on=timezone.localdate() - 3 * DAY)
    up = make_obstacle(
        title="Anggaran dipotong", category="budget", needed_agency=make_agency("bkad")
    )
    services.escalate(up, "Perlu rapat", actor=up.reported_by)
    done = make_obstacle(title="Data ganda", sub_activity=part)
    services.solve(done, "Dibersihkan", actor=done.reported_by)
    now = timezone.now()
    Obstacle.objects.filter(pk=done.pk).update(reported_at=now - 10 * DAY, solved_at=now)
    return {"late": late, "up": up, "done": done}


def names(rows, some):
    return [name for row in rows for name, value in some.items() if value.pk == row.pk]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ({}, ["late", "up", "done"]),
        ({"keadaan": "belum"}, ["late", "up"]),
        ({"keadaan": "solved"}, ["done"]),
        ({"keadaan": "apa"}, ["late", "up", "done"]),
        ({"lewat": "1"}, ["late"]),
        ({"tingkat": "4"}, ["late"]),
        ({"jenis": "budget"}, ["up"]),
        ({"dibutuhkan": "bkad"}, ["up"]),
        ({"pelapor": "dinsos"}, ["late", "up", "done"]),
        ({"wilayah": "33.02.01"}, ["late"]),
        ({"wilayah": "33.02.0"}, []),
        ({"wilayah": "-"}, ["up", "done"]),
        ({"q": "ANGGARAN dipotong"}, ["up"]),
        ({"q": "dibersihkan"}, ["done"]),
        ({"dari": "2000-01-01", "sampai": "2001-01-01"}, []),
        ({"dari": "2026-99-99"}, ["late", "up", "done"]),
        ({"sub": "²"}, ["late", "up", "done"]),
    ],
)
def test_filters(some, make_user, address, expected):
    rows = queries.obstacles(Filters.read(address), make_user(Role.REGENT))
    assert names(rows, some) == expected


def test_what_waits_for_whom(some, make_user, make_agency):
    def waiting(role, **values):
        return names(queries.waiting(make_user(role, **values)), some)

    assert waiting(Role.AGENCY_HEAD, agency=make_agency("dindukcapil")) == ["late"]
    assert waiting(Role.AGENCY_OPERATOR, agency=make_agency("bkad")) == ["up"]
    assert waiting(Role.AGENCY_HEAD, agency=make_agency("dinsos")) == []
    assert waiting(Role.SECRETARIAT) == ["up"]
    assert waiting(Role.REGENT) == waiting(Role.AREA_OPERATOR) == []


def test_the_summary_counts(some):
    summary = queries.summary()
    assert (summary.unsolved, summary.overdue, summary.escalated) == (2, 1, 1)
    assert (summary.blocking, summary.solved_this_year) == (1, 1)


def test_pages_read_few_queries(some, client_for, make_obstacle, django_assert_max_num_queries):
    for number in range(10):
        make_obstacle(title=f"Kendala nomor {number}")
    client = client_for()
    for url in (reverse("obstacles:list"), reverse("obstacles:analysis"),
                reverse("obstacles:detail", args=[some["late"].pk])):  # fmt: skip
        client.get(url)
        with django_assert_max_num_queries(19):
            page = client.get(url)
        assert page.status_code == 200
    assert "terlambat 3 hari" in client.get(reverse("obstacles:list")).content.decode()


def test_empty_pages_say_so(client_for):
    client = client_for(Role.REGENT)
    assert "Belum ada kendala" in client.get(reverse("obstacles:list")).content.decode()
    assert "Belum ada kendala" in client.get(reverse("obstacles:analysis")).content.decode()


def test_the_export_is_safe_and_logged(some, client_for, make_obstacle):
    make_obstacle(title="=1+1", description="@SUM(A1)")
    client = client_for(Role.AUDITOR)
    response = client.get(reverse("obstacles:export"), {"keadaan": "belum"})
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    rows = list(book[book.sheetnames[1]].iter_rows(values_only=True))
    assert [row[1] for row in rows[1:]] == ["Lahan belum bebas", "Anggaran dipotong", "=1+1"]
    assert all(cell.data_type != "f" for row in book[book.sheetnames[1]] for cell in row)
    event = Event.objects.get(action="obstacles.list.export")
    assert event.detail == {"rows": 3, "filters": {"keadaan": "belum"}}


def test_time_to_solve_by_category(some):
    since = timezone.localdate() - 30 * DAY
    by = {row.key: row for row in analysis.durations("category", since)}
    assert by["data"].median == pytest.approx(10, abs=0.01)
    assert (by["land"].median, by["land"].unsolved, by["land"].late) == (None, 1, 1)
    (whole,) = analysis.durations("all", since)
    assert (whole.solved, whole.unsolved, whole.late) == (1, 2, 1)
    agencies = {row.key for row in analysis.durations("agency", since)}
    assert agencies == {"bkad", "dindukcapil"}


@pytest.mark.parametrize(
    ("days", "expected"),
    [([], (None, None, None)), ([4], (4, 4, 4)), ([1, 2, 3, 4, 5], (2, 3, 4))],
)
def test_quartiles(days, expected):
    assert analysis.quartiles(days) == expected


def test_causes_that_come_back(some, make_obstacle, client_for):
    since = timezone.localdate() - 30 * DAY
    assert analysis.causes(since) == []
    area = Area.objects.get(code="33.02.01")
    make_obstacle(title="Sengketa lahan", category="land", area=area)
    (cause,) = analysis.causes(since)
    assert (cause.category, cause.agency, cause.area) == ("land", "dindukcapil", "33.02.01")
    assert (cause.count, cause.unsolved) == (2, 2)
    (part,) = analysis.repeated(since)
    assert (part["count"], part["unsolved"], part["late"]) == (2, 1, 1)
    page = client_for().get(reverse("obstacles:analysis")).content.decode()
    assert "jenis=land&amp;dibutuhkan=dindukcapil&amp;wilayah=33.02.01" in page


def test_titles_that_tell_of_the_same_thing():
    titles = [
        "Data penerima belum padan dengan Dukcapil",
        "Jalan longsor",
        "data penerima dengan dukcapil belum padan.",
        "Anggaran terlambat cair",
        "Anggaran terlambat dicairkan",
        "!!!",
        "???",
    ]
    assert analysis.alike(titles) == [[0, 2], [3, 4]]
    assert analysis.alike([]) == []


def test_solutions_of_the_same_thing_are_shown(make_obstacle, client_for, make_user):
    former = make_obstacle(title="Data penerima belum padan dengan Dukcapil")
    services.solve(former, "Minta akses web service", actor=make_user(Role.SECRETARIAT))
    fresh = make_obstacle(title="Data penerima dengan Dukcapil belum padan")
    page = client_for().get(reverse("obstacles:detail", args=[fresh.pk])).content.decode()
    assert "Minta akses web service" in page


def test_the_api_reads(some, client_for):
    client = client_for(Role.REGENT)
    rows = client.get("/api/v1/obstacles", {"overdue": "true"}).json()["items"]
    assert [(row["title"], row["days_late"]) for row in rows] == [("Lahan belum bebas", 3)]
    one = client.get(f"/api/v1/obstacles/{some['done'].pk}").json()
    assert one["solution"] == "Dibersihkan"
    assert [step["kind"] for step in one["steps"]] == ["report", "solve"]
    assert client.get("/api/v1/obstacles/99999").status_code == 404
