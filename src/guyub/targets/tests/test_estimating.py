"""From a survey file to measures, and measures of the registry."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.targets import estimating, survey
from guyub.targets.decimals import BadNumberError, parse_decimal
from guyub.targets.estimating import RefusedSurveyError
from guyub.targets.models import Basis, Estimate
from guyub.targets.poverty import measure_sample

from .conftest import SURVEY_HEADINGS

pytestmark = pytest.mark.django_db
LINE = Decimal(529310)


@pytest.fixture
def take(make_user):
    """Take a file in as a survey."""

    def upload(content: bytes, name: str = "survei.csv", actor=None, line=LINE):
        return estimating.take_survey(
            title="Survei uji", as_of=dt.date(2026, 3, 1), line=line, file_name=name,
            chunks=[content], actor=actor or make_user(Role.SECRETARIAT),
        )  # fmt: skip

    return upload


def measures(estimate, domain=""):
    return {r["measure"]: r for r in estimate.results if r["domain"] == domain}


def test_a_survey_is_measured_and_its_rows_thrown_away(
    take, survey_csv, survey_rows, django_capture_on_commit_callbacks
):
    draft = take(survey_csv)
    assert draft.is_draft
    assert draft.rows == 120
    assert draft.digest == hashlib.sha256(survey_csv).hexdigest()
    assert set(draft.design["columns"]) == {f.name for f in survey.FIELDS}
    assert estimating.staged_rows(draft).exists()
    with django_capture_on_commit_callbacks(execute=True):
        done = estimating.measure_survey(draft, actor=draft.created_by)
    assert not estimating.staged_rows(draft).exists()

    columns = list(zip(*survey_rows, strict=True))
    sample = pl.DataFrame(
        {
            "expenditure": columns[4], "members": columns[3], "weight": columns[5],
            "stratum": columns[0], "psu": columns[1], "domain": columns[6],
        }
    )  # fmt: skip
    expected = {(m.measure, m.domain): m for m in measure_sample(sample, float(LINE))}
    assert {(r["measure"], r["domain"]) for r in done.results} == set(expected)
    for result in done.results:
        assert result["value"] == pytest.approx(expected[result["measure"], result["domain"]].value)
        assert result["se"] == pytest.approx(expected[result["measure"], result["domain"]].se)
    # By hand: the weighted share of people below the line.
    people = np.array(columns[3]) * np.array(columns[5])
    poor = np.array(columns[4]) < float(LINE)
    assert measures(done)["p0"]["value"] == pytest.approx((people * poor).sum() / people.sum())
    assert 0 < measures(done)["p0"]["se"] < 0.2
    assert (done.design["strata"], done.design["units"]) == (3, 12)
    assert float(done.people) == pytest.approx(people.sum(), abs=0.01)
    assert Event.objects.filter(action="targets.estimate.measure").count() == 1
    with pytest.raises(RefusedSurveyError):
        estimating.measure_survey(done, actor=None)


def test_excel_gives_the_same_as_csv(take, survey_csv, survey_rows, xlsx):
    from_csv = estimating.measure_survey(take(survey_csv), actor=None)
    excel = xlsx([SURVEY_HEADINGS, *survey_rows])
    from_excel = estimating.measure_survey(take(excel, "survei.xlsx"), actor=None)
    assert from_csv.results == from_excel.results


def faults(estimate, **columns):
    chosen = {**estimate.design["columns"], **columns}
    found = estimating.read_survey(estimate, chosen)
    return [(row, column, message) for row, column, message in found.faults], found


def test_rows_at_fault_are_named_and_nothing_is_measured(take):
    content = "\n".join(
        [
            "Urut;R301;KAPITA;FWT",
            "1;4;600000;100",
            "2;0;600000;100",
            "3;4;enam ratus;100",
            "4;4;;100",
            "5;4;-5;100",
            "6;4;600000;0",
            "7;2,5;600000;100",
            "1;4;700000;100",
            "8;4;Rp 1.200.000;1,5",
        ]
    ).encode()
    draft = take(content)
    found, _reading = faults(draft)
    assert [(row, column) for row, column, _m in found] == [
        (2, "Urut"), (3, "R301"), (4, "KAPITA"), (5, "KAPITA"), (6, "KAPITA"), (7, "FWT"),
        (8, "R301"), (9, "Urut"),
    ]  # fmt: skip
    with pytest.raises(RefusedSurveyError, match="8 kesalahan"):
        estimating.measure_survey(draft, actor=None)
    draft.refresh_from_db()
    assert draft.is_draft


def test_thousands_of_rupiah_are_noticed(take):
    draft = take(b"R301,KAPITA\n4,600\n3,450\n2,900\n")
    ((row, column, message),), _reading = faults(draft)
    assert (row, column) == (0, "KAPITA")
    assert "ribuan" in message


def test_too_many_domains(take):
    rows = "\n".join(f"4,600000,Desa {number}" for number in range(survey.MOST_DOMAINS + 1))
    found, _reading = faults(take(f"R301,KAPITA,Kecamatan\n{rows}\n".encode()))
    assert [(row, column) for row, column, _m in found] == [(0, "Kecamatan")]


def test_one_unit_is_no_sample(take):
    found, _reading = faults(take(b"R301,KAPITA,PSU\n4,600000,1\n4,500000,1\n"))
    assert [column for _r, column, _m in found] == ["PSU"]


def test_what_weakens_the_result_is_said(take):
    _found, reading = faults(take(b"R301,KAPITA,Strata\n4,600000,1\n4,500000,1\n3,400000,2\n"))
    said = " ".join(reading.warnings)
    assert "penimbang" in said
    assert "blok sensus" in said
    assert "1 strata" in said
    assert "di bawah garis kemiskinan" in said


def test_columns_are_chosen(take):
    draft = take(b"A,B,C\n4,600000,x\n3,700000,y\n")
    assert draft.design["columns"] == {}
    with pytest.raises(RefusedSurveyError, match="Pilih kolom"):
        estimating.read_survey(draft, {})
    with pytest.raises(RefusedSurveyError, match="kolom yang sama"):
        estimating.read_survey(draft, {"members": 0, "expenditure": 0})
    estimating.choose_columns(draft, {"members": 0, "expenditure": 1, "domain": 2}, actor=None)
    draft.refresh_from_db()
    done = estimating.measure_survey(draft, actor=None)
    assert measures(done)["mean"]["value"] == pytest.approx((4 * 600000 + 3 * 700000) / 7)
    assert measures(done, "x")["p0"]["value"] == 0
    # One household of its own has no error to speak of.
    assert measures(done, "x")["p0"]["se"] in (None, 0)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x00\x01\x02"])
def test_unreadable_files_leave_nothing(take, content):
    with pytest.raises(RefusedSurveyError):
        take(content)
    assert not Estimate.objects.exists()


def test_files_too_large(take, settings):
    settings.IMPORT_MAX_BYTES = 10
    with pytest.raises(RefusedSurveyError, match="MB"):
        take(b"R301,KAPITA\n4,600000\n")


def test_drafts_do_not_stay(take, survey_csv, django_capture_on_commit_callbacks):
    old = take(survey_csv)
    path = estimating.staged_rows(old)
    Estimate.objects.update(created_at=timezone.now() - dt.timedelta(days=2))
    with django_capture_on_commit_callbacks(execute=True):
        new = take(survey_csv)
    assert list(Estimate.objects.all()) == [new]
    assert not path.exists() or path == estimating.staged_rows(new)


def test_deleting_needs_a_reason(take, survey_csv):
    done = estimating.measure_survey(take(survey_csv), actor=None)
    with pytest.raises(ValidationError):
        estimating.delete_estimate(done, actor=None, reason=" ")
    estimating.delete_estimate(done, actor=None, reason="Salah berkas")
    assert Event.objects.get(action="targets.estimate.delete").reason == "Salah berkas"


def test_the_registry_is_measured_by_people_and_district(make_household, make_user):
    make_household(expenditure=300_000)
    make_household(expenditure=300_000)
    make_household(expenditure=900_000)
    make_household("33.02.17.2001", expenditure=529_310)  # on the line is not poor
    make_household("33.02.17.2001")  # nobody knows
    actor = make_user(Role.SECRETARIAT)
    made = estimating.measure_registry(LINE, actor=actor)
    assert (made.basis, made.rows, made.people) == (Basis.REGISTRY, 4, 4)
    assert made.design["without_expenditure"] == 1
    whole = measures(made)
    assert whole["p0"]["value"] == 0.5
    assert whole["p1"]["value"] == pytest.approx(0.5 * (529310 - 300000) / 529310)
    assert whole["p0"]["se"] is None
    assert measures(made, "Lumbir")["p0"]["value"] == pytest.approx(2 / 3)
    assert measures(made, "Cilongok")["p0"]["value"] == 0
    # The same day and line again is the same figure, measured anew.
    make_household(expenditure=100_000)
    again = estimating.measure_registry(LINE, actor=actor)
    assert again.pk == made.pk
    assert measures(again)["p0"]["value"] == pytest.approx(3 / 5)


def test_an_empty_registry_cannot_be_measured(regency):
    with pytest.raises(RefusedSurveyError):
        estimating.measure_registry(LINE, actor=None)


def test_the_registry_is_read_in_few_queries(make_household, django_assert_num_queries):
    from guyub.targets.registry_measures import people_by_expenditure

    for number in range(5):
        make_household(expenditure=300_000 + number)
    with django_assert_num_queries(2):
        assert people_by_expenditure().households == 5


written = st.one_of(
    st.decimals(0, 10**9, places=2).map(lambda n: f"{n:,.2f}"),
    st.decimals(0, 10**9, places=2).map(lambda n: f"{n:,.2f}".translate(str.maketrans(",.", ".,"))),
    st.integers(0, 10**9).map(str),
    st.integers(0, 10**9).map(lambda n: f"Rp {n:,}".replace(",", ".")),
    st.text("0123456789.,-Rp ", max_size=12),
)


@given(text=written, from_excel=st.booleans())
def test_columns_are_read_as_single_numbers_are(text, from_excel):
    """The whole column at once gives what reading cell by cell gives, where both take it."""
    column = survey._number("x", from_excel)
    value = pl.DataFrame({"x": [text]}).select(column.alias("n"))["n"][0]
    try:
        expected = float(parse_decimal(text, from_excel=from_excel))
    except BadNumberError:
        return
    if value is not None:
        assert value == pytest.approx(expected)
