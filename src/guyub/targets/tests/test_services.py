"""Writing indicators, years and published figures, and what is asked of them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from guyub.access.roles import Role
from guyub.agencies.services import load_agencies
from guyub.audit.models import Event
from guyub.targets import queries, services
from guyub.targets.models import Indicator, IndicatorYear, Measure, PublishedFigure
from guyub.targets.progress import Standing
from guyub.targets.services import YearValues

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def secretariat(make_user):
    return make_user(Role.SECRETARIAT)


def test_built_in_figures_say_2023_as_published():
    assert services.load_published() > 50
    figure = PublishedFigure.objects.get(measure=Measure.P0, area_code="33.02", year=2023)
    assert figure.value == D("12.53")
    assert "BPS" in figure.source
    assert figure.is_verified


def test_built_in_figures_are_possible_and_honest():
    for figure in services.built_in_figures():
        figure.clean_fields()
        assert "BPS" in figure.source
        assert figure.url
        # Whoever says it was compared says with what.
        assert figure.is_verified == bool(figure.evidence)
    # Poor people over their share give a population that Banyumas can have.
    by = {(f.measure, f.area_code, f.year): f.value for f in services.built_in_figures()}
    for (measure, area, year), value in by.items():
        share = by.get((Measure.P0, area, year))
        if measure == Measure.POOR and area == "33.02" and share:
            assert 1_650_000 < 1000 * value / (share / 100) < 1_850_000


def test_loading_twice_changes_nothing_and_keeps_corrections():
    services.load_published()
    PublishedFigure.objects.filter(measure="p0", area_code="33.02", year=2024).update(value=D("12"))
    events = Event.objects.count()
    assert services.load_published() == 0
    assert Event.objects.count() == events
    assert PublishedFigure.objects.get(measure="p0", area_code="33.02", year=2024).value == 12


def test_built_in_indicators_have_owner_formula_and_source():
    assert services.load_indicators() == 0  # no agencies yet
    load_agencies()
    made = services.load_indicators()
    assert made == Indicator.objects.count() >= 15
    assert services.load_indicators() == 0
    for indicator in Indicator.objects.all():
        indicator.full_clean()
        assert indicator.formula
        assert indicator.source


def test_a_year_is_written_once_and_told_in_the_log(make_indicator, secretariat):
    indicator = make_indicator()
    values = YearValues(D("11.5"), D("11.15"), "BPS, Susenas Maret 2025")
    assert services.write_year(indicator, 2025, values, actor=secretariat) is not None
    assert services.write_year(indicator, 2025, values, actor=secretariat) is None
    event = Event.objects.get(action="targets.year.write")
    assert event.detail["changes"]["actual"] == [None, "11.15"]
    corrected = YearValues(D("11.5"), D("11.2"), "BPS, Susenas Maret 2025")
    services.write_year(indicator, 2025, corrected, actor=secretariat)
    newest, oldest = queries.history(indicator)
    assert (newest.year, newest.lines) == (2025, ["Realisasi: 11,15 → 11,20"])
    assert oldest.lines == ["Target: – → 11,50", "Realisasi: – → 11,15", "Sumber diubah"]


@pytest.mark.parametrize(
    ("year", "values", "field"),
    [
        (2025, YearValues(None, D("11")), "source"),
        (2025, YearValues(D("101"), None), "target"),
        (2025, YearValues(None, D("-1"), "BPS"), "actual"),
        (2031, YearValues(None, D("11"), "BPS"), "actual"),
        (1990, YearValues(D("11"), None), "year"),
        (2025, YearValues(D("11.12345"), None), "target"),
    ],
)
def test_what_a_year_cannot_be(make_indicator, secretariat, year, values, field):
    with pytest.raises(ValidationError) as refused:
        services.write_year(make_indicator(), year, values, actor=secretariat)
    assert field in refused.value.message_dict
    assert not IndicatorYear.objects.exists()


def test_who_reports_does_not_move_the_target(make_indicator, make_user, make_agency, secretariat):
    indicator = make_indicator(owner=make_agency("dinkes"))
    services.write_year(indicator, 2025, YearValues(D(12), None), actor=secretariat)
    operator = make_user(Role.AGENCY_OPERATOR, agency=indicator.owner)
    with pytest.raises(PermissionDenied):
        services.write_year(indicator, 2025, YearValues(D(13), D(13), "BPS"), actor=operator)
    services.write_year(indicator, 2025, YearValues(D(12), D(13), "BPS"), actor=operator)
    assert indicator.years.get().actual == 13


def test_copying_targets_fills_gaps_only(make_indicator, secretariat):
    a, b, c = make_indicator("a"), make_indicator("b"), make_indicator("c", is_active=False)
    for indicator in (a, b, c):
        services.write_year(indicator, 2025, YearValues(D(10), D(9), "BPS"), actor=secretariat)
    services.write_year(b, 2026, YearValues(D(8), None), actor=secretariat)
    assert services.copy_targets(2025, 2026, actor=secretariat) == 1
    assert a.years.get(year=2026).target == 10
    assert a.years.get(year=2026).actual is None
    assert b.years.get(year=2026).target == 8
    assert not c.years.filter(year=2026).exists()
    assert services.copy_targets(2025, 2026, actor=secretariat) == 0
    with pytest.raises(ValidationError):
        services.copy_targets(2025, 2025, actor=secretariat)


def test_names_and_reserved_codes(make_indicator, make_agency, secretariat):
    make_indicator(name="Angka stunting")
    values = {"code": "lain", "name": "ANGKA STUNTING", "kind": "iku", "owner": make_agency(),
              "unit": "persen", "decimals": 1, "direction": "down"}  # fmt: skip
    with pytest.raises(ValidationError):
        services.create_indicator(actor=secretariat, values=values)
    with pytest.raises(ValidationError):
        services.create_indicator(
            actor=secretariat, values={**values, "code": "unduh", "name": "Lain"}
        )
    made = services.create_indicator(actor=secretariat, values={**values, "name": "Lain"})
    assert services.update_indicator(made, actor=secretariat, values={"unit": "anak"}) == ["unit"]
    assert services.update_indicator(made, actor=secretariat, values={"unit": "anak"}) == []


def test_summary_names_who_is_behind(
    make_indicator, make_agency, secretariat, django_assert_max_num_queries
):
    services.load_published()
    dinkes, dindik = make_agency("dinkes"), make_agency("dindik")
    late = make_indicator("telat", owner=dinkes)
    good = make_indicator("bagus", owner=dindik)
    make_indicator("kosong", owner=dindik)
    source = "BPS"
    services.write_year(late, 2024, YearValues(D(10), D(9), source), actor=secretariat)
    services.write_year(late, 2025, YearValues(D(8), D(9), source), actor=secretariat)
    services.write_year(good, 2025, YearValues(D(8), D(7), source), actor=secretariat)
    with django_assert_max_num_queries(3):
        summary = queries.summary()
    assert (summary.met, summary.behind, summary.waiting) == (1, 1, 1)
    assert [row.agency for row in summary.owners] == [dinkes, dindik]
    (behind,) = summary.owners[0].behind
    assert (behind.indicator, behind.year, behind.previous.year) == (late, 2025, 2024)
    headline = summary.headline
    assert (headline.year, headline.value) == (2025, D("11.15"))
    assert headline.change == headline.value - headline.previous.value < 0
    assert queries.summary(dindik).behind == 0
    PublishedFigure.objects.all().delete()
    assert queries.summary().headline is None


def test_the_list_is_narrowed(make_indicator, make_agency, secretariat):
    make_indicator("a", name="Stunting", owner=make_agency("dinkes"))
    b = make_indicator("b", name="Rumah", kind="ikd", owner=make_agency("dinperkim"))
    make_indicator("c", name="Lama", is_active=False)
    services.write_year(b, 2025, YearValues(D(8), D(9), "x"), actor=secretariat)

    def names(**wanted):
        return [row.indicator.code for row in queries.indicators(**wanted)]

    assert set(names()) == {"a", "b"}
    assert names(kind="ikd") == names(owner="dinperkim") == names(text="rumah") == ["b"]
    assert names(standing=Standing.BEHIND) == ["b"]
    assert names(standing=Standing.BEHIND, year=2024) == []
    assert "c" in names(with_inactive=True)
