"""The measures against published worked examples, an independent method, and what must hold."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from guyub.targets.poverty import (
    Measured,
    Reliability,
    UnmeasurableError,
    gini_parts,
    measure_list,
    measure_sample,
)


def sample(expenditure, **columns):
    count = len(expenditure)
    columns.setdefault("members", [1] * count)
    columns.setdefault("weight", [1.0] * count)
    return pl.DataFrame({"expenditure": expenditure, **columns})


def whole(found, domain=""):
    return {m.measure: m for m in found if m.domain == domain}


# Haughton and Khandker, Handbook on Poverty and Inequality (World Bank 2009), chapter 4, line 125.


def test_headcount_of_the_handbook():
    """Countries A and B have the same headcount, though the poor of A are much poorer."""
    a = whole(measure_sample(sample([100, 100, 150, 150]), 125))
    b = whole(measure_sample(sample([124, 124, 150, 150]), 125))
    assert a["p0"].value == b["p0"].value == pytest.approx(0.5)
    assert a["p1"].value == pytest.approx(0.1)
    assert b["p1"].value == pytest.approx(0.004)


def test_gap_indices_of_the_handbook():
    """Country C: the poverty gap index is 0.08 [= 0.32/4], the squared one 0.0136 [= 0.0544/4]."""
    c = whole(measure_sample(sample([100, 110, 150, 160]), 125))
    assert c["p1"].value == pytest.approx(0.08)
    assert c["p2"].value == pytest.approx(0.0136)


def test_chapter_5_of_the_handbook():
    """Two states of four people: at line 130 the headcount rises from 0.5 to 0.75."""
    assert whole(measure_sample(sample([100, 110, 140, 150]), 130))["p0"].value == 0.5
    assert whole(measure_sample(sample([110, 112, 128, 150]), 130))["p0"].value == 0.75
    # Nobody exactly on the line is poor.
    assert whole(measure_sample(sample([100, 110, 140, 150]), 100))["p0"].value == 0


def test_standard_error_of_the_stata_manual():
    """Data ``fpc`` of the Stata survey manual (also in R's ``survey``), without correction.

    Two strata, eight units, weights: mean 5.448148, linearised standard error .7412683, 95 per cent
    interval 3.63433 to 7.261966.
    """
    x = [2.8, 4.1, 6.8, 6.8, 9.2, 3.7, 6.6, 4.2]
    found = whole(
        measure_sample(
            sample(
                x,
                weight=[3.0] * 5 + [4.0] * 3,
                stratum=[1] * 5 + [2] * 3,
                psu=[1, 2, 3, 4, 5, 1, 2, 3],
            ),
            5,
        )
    )
    mean = found["mean"]
    assert mean.value == pytest.approx(5.448148, abs=5e-7)
    assert mean.se == pytest.approx(0.7412683, abs=5e-8)
    assert mean.low == pytest.approx(3.63433, abs=5e-6)
    assert mean.high == pytest.approx(7.261966, abs=5e-7)


@pytest.mark.parametrize("n", [2, 5, 100])
def test_gini_of_one_to_n(n):
    """Incomes 1, 2 ... n have the Gini coefficient (n - 1) / (3n), whatever the unit."""
    gini, _linear = gini_parts(1000.0 * np.arange(1, n + 1), np.ones(n))
    assert gini == pytest.approx((n - 1) / (3 * n))


def test_standard_error_of_a_share_in_a_simple_sample():
    """Without design the headcount's variance is p(1-p)/(n-1)."""
    found = whole(measure_sample(sample([100.0] * 30 + [200.0] * 70), 150))
    assert found["p0"].se == pytest.approx(math.sqrt(0.3 * 0.7 / 99))
    assert found["p0"].rse == pytest.approx(100 * found["p0"].se / 0.3)


def clustered(seed, strata=6, units=8, households=10):
    rng = np.random.default_rng(seed)
    count = strata * units * households
    stratum = np.repeat(np.arange(strata), units * households)
    psu = np.tile(np.repeat(np.arange(units), households), strata)
    level = rng.normal(0, 0.3, (strata, units))[stratum, psu]
    return sample(
        np.exp(13.5 + level + rng.normal(0, 0.5, count)),
        members=rng.integers(1, 7, count),
        weight=rng.uniform(50, 400, count),
        stratum=stratum,
        psu=psu,
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_gini_error_agrees_with_the_jackknife(seed):
    """Leaving out one unit at a time, an unrelated method, tells nearly the same error."""
    data = clustered(seed)
    found = whole(measure_sample(data, 500_000))

    def gini(part, scale):
        return gini_parts(
            part["expenditure"].to_numpy(), (part["weight"] * part["members"] * scale).to_numpy()
        )[0]

    variance = 0.0
    for stratum in data["stratum"].unique():
        units = data.filter(pl.col("stratum") == stratum)["psu"].unique()
        n = len(units)
        inside = data["stratum"] == stratum
        for psu in units:
            left_out = inside & (data["psu"] == psu)
            scale = pl.select(pl.when(inside).then(n / (n - 1)).otherwise(1.0)).to_series()
            part = data.with_columns(scale.alias("scale")).filter(~left_out)
            value = gini(part, part["scale"])
            variance += (n - 1) / n * (value - found["gini"].value) ** 2
    assert found["gini"].se == pytest.approx(math.sqrt(variance), rel=0.05)


def test_clusters_make_the_error_larger_and_the_estimate_no_other():
    data = clustered(4)
    with_units = whole(measure_sample(data, 500_000))
    without = whole(measure_sample(data.drop("psu", "stratum"), 500_000))
    for name, measured in with_units.items():
        assert measured.value == pytest.approx(without[name].value)
    for name in ("p0", "p1", "mean"):
        assert with_units[name].se > without[name].se


def test_numbers_of_units_start_again_in_each_stratum():
    data = clustered(5)
    unique = data.with_columns(psu=pl.col("stratum") * 1000 + pl.col("psu"))
    assert whole(measure_sample(data, 5e5))["p0"] == whole(measure_sample(unique, 5e5))["p0"]


def test_members_count_each():
    """A household of three weighs as three people."""
    once = whole(measure_sample(sample([100, 200], members=[3, 1]), 150))
    assert once["p0"].value == 0.75
    assert once["mean"].value == 125


def test_domains_add_up_to_everybody():
    data = clustered(6).with_columns(
        domain=pl.when(pl.col("stratum") < 2).then(pl.lit("kota")).otherwise(pl.lit("desa"))
    )
    found = measure_sample(data, 500_000)
    people = data["weight"] * data["members"]
    share = {
        name: float(people.filter(data["domain"] == name).sum() / people.sum())
        for name in ("kota", "desa")
    }
    for measure in ("p0", "p1", "p2", "mean"):
        parts = sum(whole(found, name)[measure].value * share[name] for name in share)
        assert whole(found)[measure].value == pytest.approx(parts)
    for name in share:
        alone = measure_sample(data.filter(pl.col("domain") == name).drop("domain"), 500_000)
        # Each domain is a set of whole strata here, so it could as well have been a survey itself.
        for measure, value in whole(alone).items():
            assert whole(found, name)[measure].value == pytest.approx(value.value)
            assert whole(found, name)[measure].se == pytest.approx(value.se)


def test_a_stratum_with_one_unit_still_gives_an_error():
    found = whole(
        measure_sample(sample([100.0, 200, 300, 400], stratum=[1, 1, 1, 2], psu=[1, 2, 3, 4]), 250)
    )
    assert found["p0"].se > 0


def test_one_unit_gives_no_error():
    found = whole(measure_sample(sample([100.0, 200], psu=[1, 1]), 150))
    assert found["p0"].value == 0.5
    assert found["p0"].se is None
    assert found["p0"].reliability is Reliability.UNKNOWN


@pytest.mark.parametrize(
    ("se", "said"),
    [(0.025, "accurate"), (0.0251, "careful"), (0.05, "careful"), (0.0501, "unreliable")],
)
def test_reliability_as_bps_reads_it(se, said):
    assert Measured("p0", "", 0.1, 50, se, 0, 1).reliability == said


def test_a_share_has_no_error_to_relate_when_nobody_is_poor():
    found = whole(measure_sample(sample([200.0, 300, 400]), 100))
    assert found["p0"].value == 0
    assert found["p0"].rse is None


def test_a_complete_list_agrees_with_a_sample_of_everybody():
    rng = np.random.default_rng(7)
    y, members = rng.integers(1, 20, 200) * 50_000, rng.integers(1, 6, 200)
    rows = pl.DataFrame({"expenditure": y, "people": members, "households": 1, "domain": "A"})
    merged = rows.group_by("domain", "expenditure").agg(pl.col("people", "households").sum())
    from_list = measure_list(merged, 400_000)
    from_sample = whole(measure_sample(sample(y, members=members), 400_000))
    for measure, value in from_sample.items():
        for domain in ("", "A"):
            listed = whole(from_list, domain)[measure]
            assert listed.value == pytest.approx(value.value)
            assert listed.households == 200
            assert listed.se is None


@pytest.mark.parametrize("line", [0, -1])
def test_no_line_no_measure(line):
    with pytest.raises(UnmeasurableError):
        measure_sample(sample([1.0, 2]), line)
    with pytest.raises(UnmeasurableError):
        measure_sample(sample([0.0, 0]), 1)


amounts = st.lists(st.integers(1, 5_000_000).map(float), min_size=2, max_size=25)


@settings(max_examples=60)
@given(y=amounts, data=st.data())
def test_what_always_holds_of_gini(y, data):
    """Scale, replication, equality, ties, and being the total of nothing when linearised."""
    values = np.array(y)
    w = np.array(data.draw(st.lists(st.floats(0.1, 100), min_size=len(y), max_size=len(y))))
    gini, linear = gini_parts(values, w)
    assert 0 <= gini < 1
    assert gini_parts(values * 3.7, w)[0] == pytest.approx(gini, abs=1e-9)
    assert gini_parts(values, w * 12)[0] == pytest.approx(gini, abs=1e-9)
    doubled = np.concatenate([values, values])
    assert gini_parts(doubled, np.concatenate([w, w]) / 2)[0] == pytest.approx(gini, abs=1e-9)
    assert gini_parts(np.full(len(y), 5.0), w)[0] == pytest.approx(0, abs=1e-9)
    assert float((w * linear).sum()) == pytest.approx(0, abs=1e-7)
    # Everybody richer by the same amount is more equal.
    assert gini_parts(values + 1000, w)[0] <= gini + 1e-9


@settings(max_examples=40)
@given(y=amounts, line=st.integers(1, 6_000_000), factor=st.floats(0.5, 50))
def test_what_always_holds_of_fgt(y, line, factor):
    found = whole(measure_sample(sample(y), line))
    p0, p1, p2 = (found[name].value for name in ("p0", "p1", "p2"))
    assert 0 <= p2 <= p1 <= p0 <= 1
    for measured in found.values():
        if measured.low is not None:
            assert measured.low <= measured.value <= measured.high
    heavier = whole(measure_sample(sample(y, weight=[factor] * len(y)), line))
    in_thousands = whole(measure_sample(sample([v / 1000 for v in y]), line / 1000))
    for name in ("p0", "p1", "p2", "gini"):
        assert heavier[name].value == pytest.approx(found[name].value, abs=1e-9)
        assert in_thousands[name].value == pytest.approx(found[name].value, abs=1e-6)
        assert heavier[name].se == pytest.approx(found[name].se, rel=1e-6, abs=1e-9)


@settings(max_examples=30)
@given(y=amounts, line=st.integers(1000, 5_000_000))
def test_a_poor_person_made_poorer_shows_in_depth_alone(y, line):
    assume(any(v < line for v in y))
    before = whole(measure_sample(sample(y), line))
    poorer = list(y)
    poorest = poorer.index(min(poorer))
    poorer[poorest] /= 2
    after = whole(measure_sample(sample(poorer), line))
    assert after["p0"].value == pytest.approx(before["p0"].value)
    assert after["p1"].value > before["p1"].value
    assert after["p2"].value > before["p2"].value
