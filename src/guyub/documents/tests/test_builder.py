from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from guyub.access.roles import Role
from guyub.beneficiaries import services as beneficiaries
from guyub.documents import built, question
from guyub.documents.models import BuiltReport, Sharing
from guyub.documents.question import Question, ask
from guyub.documents.subjects import AGES, SUBJECTS, _years_before

pytestmark = pytest.mark.django_db


def q(subject: str, *rows: str, **more: Any) -> Question:
    return Question.read({"subject": subject, "rows": list(rows), **more})


def table(answer: Any) -> list[list[Any]]:
    return list(answer.lines())


def test_rows_columns_and_totals(homes: Any, secretary: Any) -> None:
    answer = ask(q("keluarga", "kecamatan", column="desil"), secretary)

    assert [c.label for c in answer.table_columns()] == [
        "Kecamatan", "Desil 1", "Desil 2", "Desil 8", "Semua",
    ]  # fmt: skip
    assert table(answer) == [
        ["Lumbir", 1, 1, None, 2],
        ["Cilongok", None, None, 1, 1],
        ["Semua", 1, 1, 1, 3],
    ]
    assert "Registri" in answer.source


def test_filters_narrow(homes: Any, secretary: Any) -> None:
    answer = ask(q("keluarga", "desil", filters={"desil": ["1", "2"]}), secretary)

    assert table(answer) == [["Desil 1", 1], ["Desil 2", 1], ["Semua", 2]]
    assert table(ask(q("keluarga", "desil", filters={"desil": ["7"]}), secretary)) == []


def test_means_are_weighed_in_the_total(homes: Any, secretary: Any) -> None:
    homes[0].member_count, homes[0].desil = 5, 8
    homes[0].save()

    answer = ask(q("keluarga", "desil", measure="rata-anggota"), secretary)

    assert table(answer) == [["Desil 2", 1.0], ["Desil 8", 3.0], ["Semua", pytest.approx(7 / 3)]]


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.key)
def test_every_dimension_measure_and_filter_runs(
    subject: Any, homes: Any, sub: Any, secretary: Any
) -> None:
    enrolment = beneficiaries.enrol(sub, household=homes[0], person=None, actor=None)
    for stage in ("verified", "enrolled"):
        beneficiaries.move(enrolment, stage, actor=None)
    beneficiaries.record_delivery(
        enrolment, delivered_on=dt.date(2026, 2, 3), amount=500, actor=None
    )
    for dimension in subject.dimensions:
        ask(Question.read({"subject": subject.key, "rows": [dimension.key]}), secretary)
    for measure in subject.measures:
        answer = ask(q(subject.key, subject.dimensions[0].key, measure=measure.key), secretary)
        answer.chart()
    for dimension in subject.filters:
        value = next(iter(dimension.labels()), None)
        if value is not None:
            filters = {dimension.key: [str(value)]}
            ask(q(subject.key, subject.dimensions[0].key, filters=filters), secretary)


def test_budget_and_realisation_of_programs(sub: Any, secretary: Any) -> None:
    from guyub.reports.models import Report

    for month, amount in ((3, 10), (6, 40_000_000)):
        Report.objects.create(
            sub_activity=sub,
            period_start=dt.date(2026, month - 2, 1),
            period_end=dt.date(2026, month, 28),
            due_on=dt.date(2026, month + 1, 10),
            budget=amount,
            state="accepted",
        )
    for measure, figure in (
        ("anggaran", 100_000_000),
        ("realisasi", 40_000_000),
        ("serapan", 40.0),
    ):
        assert table(ask(q("program", "tahun", measure=measure), secretary))[0] == ["2026", figure]


def test_a_village_officer_counts_their_own_village(homes: Any, make_user: Any) -> None:
    user = make_user(Role.AREA_OPERATOR)

    answer = ask(q("keluarga", "kecamatan"), user)

    assert table(answer) == [["Lumbir", 2], ["Semua", 2]]
    assert answer.reach == "Desa Cirahab"


def test_an_answer_is_kept_but_never_for_another_reader(
    homes: Any, make_user: Any, secretary: Any
) -> None:
    mine = q("keluarga", "kecamatan")
    first = ask(mine, secretary)
    homes[2].status = "moved"
    homes[2].save()

    assert table(ask(mine, secretary)) == table(first)
    assert len(table(ask(mine, secretary, fresh=True))) == 2
    assert len(table(ask(mine, make_user(Role.AREA_OPERATOR)))) == 2
    with pytest.raises(PermissionDenied):
        ask(q("usul", "jenis"), make_user(Role.REGENT))


def test_too_many_cells_are_refused_with_a_way_out(
    homes: Any, secretary: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(question, "MOST_CELLS", 2)
    with pytest.raises(ValidationError, match="Kurangi baris atau kolom"):
        ask(q("keluarga", "desa", "desil"), secretary)
    monkeypatch.setattr(question, "MOST_CELLS", 20_000)
    monkeypatch.setattr(question, "MOST_COLUMNS", 1)
    with pytest.raises(ValidationError, match="Pindahkan ke baris"):
        ask(q("keluarga", "kecamatan", column="desil"), secretary)


@pytest.mark.parametrize(
    "data",
    [
        {"subject": "rahasia"},
        {"subject": "keluarga"},
        {"subject": "keluarga", "rows": ["nik"]},
        {"subject": "keluarga", "rows": ["desil"], "column": "desil"},
        {"subject": "keluarga", "rows": ["desil"], "column": "head_name"},
        {"subject": "keluarga", "rows": ["desil"], "measure": "sum:nik"},
        {"subject": "keluarga", "rows": ["desil"], "filters": {"kk": ["1"]}},
        {"subject": "keluarga", "rows": ["desil", "kecamatan", "desa", "floor"]},
    ],
)
def test_what_is_not_offered_is_refused(data: Any) -> None:
    with pytest.raises(ValidationError):
        Question.read(data)


def test_no_dimension_names_or_numbers_anybody() -> None:
    for subject in SUBJECTS:
        for dimension in subject.dimensions:
            text = str(dimension.expression)
            assert not any(word in text for word in ("nik", "kk", "head_name", "address")), text


@given(st.dates(dt.date(1930, 1, 1), dt.date(2030, 1, 1)), st.integers(0, 90))
def test_years_before_is_a_birthday(day: dt.date, years: int) -> None:
    found = _years_before(day, years)

    assert day.year - found.year == years
    assert (found.month, found.day) in {(day.month, day.day), (2, 28)}


def test_age_groups_follow_one_another() -> None:
    for (_a, _b, _c, high), (_d, _e, low, _f) in itertools.pairwise(AGES):
        assert low == high + 1


class TestBuiltReports:
    def save(self, owner: Any, sharing: str) -> BuiltReport:
        return built.save(
            name="Desil", description="", question=q("keluarga", "kecamatan"), sharing=sharing,
            actor=owner,
        )  # fmt: skip

    def test_who_opens_what(self, make_user: Any, make_agency: Any) -> None:
        owner = make_user(Role.AGENCY_OPERATOR)
        colleague = make_user(Role.AGENCY_HEAD)
        stranger = make_user(Role.AGENCY_HEAD, agency=make_agency("dinkes"))
        reports = {sharing: self.save(owner, sharing) for sharing in Sharing.values}

        def opens(user: Any) -> set[str]:
            return {s for s, report in reports.items() if built.may_open(user, report)}

        def finds(user: Any) -> set[str]:
            return set(built.visible_to(user).values_list("sharing", flat=True))

        assert opens(owner) == finds(owner) == set(Sharing.values)
        assert opens(colleague) == {"agency", "link", "all"}
        assert finds(colleague) == {"agency", "all"}
        assert opens(stranger) == {"link", "all"}
        assert finds(stranger) == {"all"}

    def test_a_shared_report_shows_the_readers_own_figures(
        self, homes: Any, secretary: Any, client_for: Callable[..., Any]
    ) -> None:
        report = self.save(secretary, "all")
        client = client_for(Role.AREA_OPERATOR)

        page = client.get(reverse("documents:built", args=[report.token])).content.decode()

        assert "Lumbir" in page
        assert "Cilongok" not in page.partition("<main")[2]
        answer = client.get(f"/api/v1/documents/built/{report.token}").json()
        assert answer["rows"] == [["Lumbir", 2], ["Semua", 2]]

    def test_building_saving_copying_changing_deleting(
        self, homes: Any, client_for: Callable[..., Any], tmp_path: Any
    ) -> None:
        client = client_for(Role.AGENCY_OPERATOR)
        assert "Penduduk" in client.get(reverse("documents:build")).content.decode()
        query = "?topik=keluarga&baris=kecamatan&kolom=desil&s-desil=1&s-desil=8"
        page = client.get(reverse("documents:build") + query).content.decode()
        assert "Cilongok" in page
        wrong = client.get(reverse("documents:build") + "?topik=keluarga&baris=nik")
        assert "Pilih sedikitnya satu baris dari daftar" in wrong.content.decode()

        content = client.get(reverse("documents:build_file", args=["xlsx"]) + query).content
        path = tmp_path / "a.xlsx"
        path.write_bytes(content)
        book = CalamineWorkbook.from_path(str(path))
        assert book.get_sheet_by_name("Data").to_python()[4][0] == "Lumbir"
        facts = [row[0] for row in book.get_sheet_by_name("Keterangan").to_python()]
        assert {"Saringan", "Cakupan", "Data acuan", "Oleh"} <= set(facts)
        csv = client.get(reverse("documents:build_file", args=["csv"]) + query)
        assert "Lumbir" in b"".join(csv.streaming_content).decode("utf-8-sig")

        saved = client.post(
            reverse("documents:save") + query, {"name": "Punya saya", "sharing": "private"}
        )
        report = BuiltReport.objects.get()
        assert saved["Location"] == reverse("documents:built", args=[report.token])
        assert report.question["filters"] == {"desil": ["1", "8"]}
        token = [report.token]
        client.post(reverse("documents:built_copy", args=token))
        client.post(
            reverse("documents:built_edit", args=token), {"name": "Baru", "sharing": "agency"}
        )
        report.refresh_from_db()
        assert (report.name, report.sharing) == ("Baru", "agency")
        client.post(reverse("documents:built_delete", args=token))
        assert [r.name for r in BuiltReport.objects.all()] == ["Salinan Punya saya"]
