from __future__ import annotations

import itertools
from typing import Any

import altair as alt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guyub.registry import tallies as queries
from guyub.registry.measures import MEASURES, Choice, Tally, total
from guyub.registry.tilemap import build_map, class_bounds, hyphenated


@given(st.lists(st.integers(0, 2_000_000), min_size=1, max_size=40))
def test_classes_hold_every_count_and_are_few_equal_and_whole(values: list[int]) -> None:
    bounds = class_bounds(values, grain=1)

    assert bounds[0] <= min(values)
    assert max(values) < bounds[-1]
    assert 1 <= len(bounds) - 1 <= 5
    assert all(bound == int(bound) for bound in bounds)
    assert len({end - start for start, end in itertools.pairwise(bounds)}) == 1


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=40))
def test_classes_hold_every_percentage(tenths: list[int]) -> None:
    values = [tenth / 10 for tenth in tenths]
    bounds = class_bounds(values, grain=0.1)

    assert bounds[0] <= min(values) + 1e-6
    assert max(values) < bounds[-1] + 1e-6
    assert 1 <= len(bounds) - 1 <= 5


def test_no_values_no_classes() -> None:
    assert class_bounds([], grain=1) == []


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Kedungbanteng", ["Kedung", "ban", "teng"]),
        ("Purwokerto", ["Pur", "wo", "kerto"]),
        ("Wangon", ["Wangon"]),
        ("Lumbir", ["Lum", "bir"]),
        ("Sumpiuh", ["Sum", "piuh"]),
    ],
)
def test_names_break_between_syllables(name: str, parts: list[str]) -> None:
    assert hyphenated(name).split("\u00ad") == parts


@given(st.text("abcdefghijklmnopqrstuvwxyz", max_size=20))
def test_breaking_a_name_keeps_its_letters(name: str) -> None:
    assert hyphenated(name).replace("\u00ad", "") == name


def test_a_choice_reads_its_query_and_ignores_nonsense() -> None:
    chosen = Choice.from_query({"ukuran": "desil-1", "satuan": "jiwa", "nilai": "persen"})
    assert (chosen.measure.key, chosen.unit, chosen.form) == ("desil-1", "jiwa", "persen")
    assert Choice.from_query({"ukuran": "'", "satuan": "ekor", "nilai": ""}) == Choice()


def test_extreme_poverty_is_counted_in_households() -> None:
    chosen = Choice.from_query({"ukuran": "ekstrem", "satuan": "jiwa"})

    assert chosen.unit == "keluarga"
    assert chosen.count(Tally(extreme_households=7)) == 7


def test_measures_nest() -> None:
    tally = Tally(households=list(range(11)), people=[10 * n for n in range(11)])
    counts = {m.key: Choice(m).count(tally) for m in MEASURES if not m.extreme}

    assert counts == {"desil-1": 1, "desil-1-2": 3, "desil-1-4": 10, "semua": 55}
    assert Choice(MEASURES[1], "jiwa").count(tally) == 30


def test_every_district_has_its_own_square(filled_regency: Any) -> None:
    picture = build_map(queries.districts(), queries.tallies_by_district(), Choice())

    assert len(picture.tiles) == 27
    assert len({(tile.area.tile_column, tile.area.tile_row) for tile in picture.tiles}) == 27
    assert (picture.columns, picture.rows) == (7, 6)
    assert all(1 <= tile.step <= 5 for tile in picture.tiles)


def test_the_sum_of_the_map_is_the_regency(filled_regency: Any) -> None:
    tallies = queries.tallies_by_district()

    assert total(tallies).poor_households == 331 * 30
    assert total(tallies).poor_people == 331 * 90
    assert total(tallies).extreme_households == 331
    picture = build_map(queries.districts(), tallies, Choice())
    assert sum(tile.value or 0 for tile in picture.tiles) == 331 * 30


def test_shares_of_the_whole_registry_add_up(filled_regency: Any) -> None:
    chosen = Choice.from_query({"ukuran": "semua", "nilai": "persen"})
    picture = build_map(queries.districts(), queries.tallies_by_district(), chosen)

    assert sum(tile.value or 0 for tile in picture.tiles) == pytest.approx(100, abs=1.5)


def test_a_share_is_of_the_districts_own_households(filled_regency: Any) -> None:
    chosen = Choice.from_query({"ukuran": "desil-1", "nilai": "persen"})
    picture = build_map(queries.districts(), queries.tallies_by_district(), chosen)

    assert {tile.figure for tile in picture.tiles} == {"1,8 %"}  # 10 of 551 in every village


def test_a_district_without_numbers_has_a_square_too(regency: Any) -> None:
    chosen = Choice.from_query({"nilai": "persen"})
    picture = build_map(queries.districts(), {}, chosen)

    assert {(tile.value, tile.figure, tile.step) for tile in picture.tiles} == {(None, "–", 0)}
    assert picture.legend == []


def test_the_legend_names_every_colour_on_the_map(filled_regency: Any) -> None:
    for measure in MEASURES:
        for form in ("jumlah", "persen"):
            picture = build_map(
                queries.districts(), queries.tallies_by_district(), Choice(measure, form=form)
            )
            assert {tile.step for tile in picture.tiles} <= {step for step, _w in picture.legend}
            assert len({words for _s, words in picture.legend}) == len(picture.legend)


def test_the_map_converts_to_a_file(filled_regency: Any) -> None:
    picture = build_map(queries.districts(), queries.tallies_by_district(), Choice())
    chart = picture.chart("peta", "Peta")

    alt.Chart.from_dict(chart.spec(), validate=True)
    svg = chart.svg()
    assert "Gumelar" in svg
    assert all(f">{tile.figure}<" in svg for tile in picture.tiles)
