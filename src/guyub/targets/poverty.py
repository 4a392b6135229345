"""Poverty and inequality measured from a sample of households, with design-based standard errors.

The measures are those of Foster, Greer and Thorbecke (1984, *Econometrica* 52(3)),

    P_a = (1/N) * sum of ((z - y) / z)^a over everyone whose y is below the line z,

for a = 0 (headcount), 1 (depth, BPS's *indeks kedalaman*) and 2 (severity, *indeks keparahan*), the
mean, and the Gini coefficient. As BPS does, each member of a household counts with the household's
expenditure per head, so a household weighs its survey weight times its members.

With a line that is given, P_a and the mean are means over people, whose Taylor-linearised variance
the library ``svy`` computes from weights, strata and primary sampling units. The Gini coefficient is
linearised as in Deville (1999) and Langel and Tille (2013, *JRSS A* 176(2)): its variance is that of
the total of the linearised variable, which ``svy`` computes in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl

# Relative standard errors, in per cent, at which BPS counsels care, and distrusts an estimate.
CAREFUL_FROM = 25.0
UNRELIABLE_FROM = 50.0
LEVEL = 0.95


class Reliability(StrEnum):
    """How BPS reads a relative standard error: up to 25 % accurate, up to 50 % with care."""

    ACCURATE = "accurate"
    CAREFUL = "careful"
    UNRELIABLE = "unreliable"
    UNKNOWN = "unknown"


class UnmeasurableError(ValueError):
    """The sample allows no estimate."""


@dataclass(frozen=True)
class Measured:
    """One measure of one domain.

    ``value`` is a share for P0, P1 and P2 (0.1253 is 12.53 %), rupiah for the mean, between 0 and 1
    for Gini. ``low`` and ``high`` bound the 95 % confidence interval; ``rse`` is in per cent. All
    four are ``None`` where there is no sampling error to tell: in a complete list, or when the design
    leaves no degrees of freedom. ``households`` counts the rows behind it.
    """

    measure: str  # "p0", "p1", "p2", "mean" or "gini"
    domain: str  # empty: everybody
    value: float
    households: int
    se: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def rse(self) -> float | None:
        if self.se is None or not self.value:
            return None
        return 100 * self.se / abs(self.value)

    @property
    def reliability(self) -> Reliability:
        rse = self.rse
        if rse is None:
            return Reliability.UNKNOWN
        if rse <= CAREFUL_FROM:
            return Reliability.ACCURATE
        return Reliability.CAREFUL if rse <= UNRELIABLE_FROM else Reliability.UNRELIABLE

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


FGT = {"p0": 0, "p1": 1, "p2": 2}
MEASURES = (*FGT, "mean", "gini")


def shortfall(expenditure: pl.Expr, line: float, power: int) -> pl.Expr:
    """Return the FGT kernel: the relative gap to ``line``, raised to ``power``, of those below it."""
    # Imported late here and below: it takes half a second, and few requests measure.
    import polars as pl

    gap = (line - expenditure) / line
    return pl.when(expenditure < line).then(gap**power if power else pl.lit(1.0)).otherwise(0.0)


def gini_parts(y: np.ndarray, w: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the weighted Gini coefficient and its linearised variable, in the order of ``y``.

    For weights ``w``, with N = sum of w, Y = sum of w*y, and below each y_k the weight N_k and the
    amount Y_k (half of those equal to it counted on either side), ::

        G = 2 * sum(w_k * N_k * y_k) / (N * Y) - 1
        z_k = (2 * (N_k * y_k - Y_k) + Y - N * y_k - G * (Y + N * y_k)) / (N * Y)

    Counting ties by halves makes the result the same however equal values are split into rows.

    Raises:
        UnmeasurableError: nobody is there, or all expenditure is nought.
    """
    total, amount = float(w.sum()), float((w * y).sum())
    if total <= 0 or amount <= 0:
        raise UnmeasurableError("no expenditure")
    values, position = np.unique(y, return_inverse=True)
    weight_at = np.bincount(position, weights=w)
    amount_at = weight_at * values
    below = (np.cumsum(weight_at) - weight_at / 2)[position]
    amount_below = (np.cumsum(amount_at) - amount_at / 2)[position]
    gini = float(2 * (w * below * y).sum() / (total * amount) - 1)
    linear = (2 * (below * y - amount_below) + amount - total * y - gini * (amount + total * y)) / (
        total * amount
    )
    return max(gini, 0.0), linear


def measure_sample(sample: pl.DataFrame, line: float) -> list[Measured]:
    """Measure poverty from a sample of households, everybody first and then each domain.

    ``sample`` has a row per household: ``expenditure`` (rupiah per head and month), ``members``,
    ``weight`` (how many households it stands for), and may have ``stratum``, ``psu`` (unique within its
    stratum) and ``domain``. Without ``psu`` each household is a sampling unit of its own. A stratum
    with a single unit is centred on the mean of all units, which errs on the side of caution (R's
    ``survey.lonely.psu = "adjust"``).

    Raises:
        UnmeasurableError: the line or all expenditure is nought, or there is no household.
    """
    import polars as pl

    if line <= 0 or sample.is_empty():
        raise UnmeasurableError("nothing to measure")
    import svy  # takes a second to load, and pages don't need it

    y = sample["expenditure"].cast(pl.Float64).to_numpy()
    people = (sample["weight"].cast(pl.Float64) * sample["members"].cast(pl.Float64)).to_numpy()
    expenditure = pl.col("expenditure").cast(pl.Float64)
    frame = sample.select(
        pl.Series("people", people),
        *(shortfall(expenditure, line, power).alias(name) for name, power in FGT.items()),
        expenditure.alias("mean"),
    )
    design: dict[str, Any] = {"wgt": "people"}
    if "stratum" in sample.columns:
        frame = frame.with_columns(sample["stratum"].cast(pl.String).alias("stratum"))
        design |= {"stratum": "stratum", "singleton": "center"}
    if "psu" in sample.columns:
        unit = sample["psu"].cast(pl.String)
        if "stratum" in sample.columns:
            # Numbers of units start again in each stratum.
            unit = sample["stratum"].cast(pl.String) + "\x1f" + unit
        frame = frame.with_columns(unit.alias("psu"))
        design["psu"] = "psu"
    domains: list[str] = []
    if "domain" in sample.columns:
        domains = sorted(sample["domain"].cast(pl.String).unique().to_list())
    ginis, linear = _gini_columns(sample, domains, y, people)
    frame = frame.with_columns([pl.Series(name, column) for name, column in linear.items()])
    if domains:
        frame = frame.with_columns(sample["domain"].cast(pl.String).alias("domain"))

    estimation: Any = svy.Sample(data=frame, design=svy.Design(**design)).estimation
    means = [*FGT, "mean"]
    counts = {"": sample.height}
    found: list[Measured] = []
    totals = {
        name: estimate.estimates[0]
        for name, estimate in zip(linear, estimation.total(y=list(linear)), strict=True)
    }
    whole = [estimate.estimates[0] for estimate in estimation.mean(y=means)]
    found += [_measured(name, "", e, counts[""]) for name, e in zip(means, whole, strict=True)]
    found.append(_gini(ginis[""], "", totals["gini"], counts[""]))
    if domains:
        counts |= dict(frame.group_by("domain").len().iter_rows())
        by_name = {
            name: {str(e.by_level[0]): e for e in estimate.estimates}
            for name, estimate in zip(means, estimation.mean(y=means, by="domain"), strict=True)
        }
        for number, domain in enumerate(domains):
            found += [_measured(n, domain, by_name[n][domain], counts[domain]) for n in means]
            found.append(_gini(ginis[domain], domain, totals[f"gini{number}"], counts[domain]))
    return found


def _gini_columns(
    sample: pl.DataFrame, domains: Sequence[str], y: np.ndarray, people: np.ndarray
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Return the Gini of everybody and of each domain, and the columns that carry their variance.

    A domain's column is nought outside it: the design, not the domain, decides about the variance.
    """
    import polars as pl

    gini, column = gini_parts(y, people)
    ginis, linear = {"": gini}, {"gini": column}
    if domains:
        names = sample["domain"].cast(pl.String).to_numpy()
        for number, domain in enumerate(domains):
            inside = names == domain
            column = np.zeros_like(y)
            ginis[domain], column[inside] = gini_parts(y[inside], people[inside])
            linear[f"gini{number}"] = column
    return ginis, linear


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _measured(name: str, domain: str, estimate: Any, households: int) -> Measured:
    """Turn an estimate of the library into ours; shares and rupiah have no negative bounds."""
    se, low, high = _finite(estimate.se), _finite(estimate.lci), _finite(estimate.uci)
    if not estimate.df or low is None or high is None:
        return Measured(name, domain, float(estimate.est), households)
    top = math.inf if name == "mean" else 1.0
    return Measured(
        name, domain, float(estimate.est), households, se, max(0.0, low), min(high, top)
    )


def _gini(value: float, domain: str, total: Any, households: int) -> Measured:
    """Give a Gini coefficient the error of the total of its linearised variable."""
    se, low, high = _finite(total.se), _finite(total.lci), _finite(total.uci)
    if not total.df or se is None or low is None or high is None:
        return Measured("gini", domain, value, households)
    half = (high - low) / 2
    return Measured(
        "gini", domain, value, households, se, max(0.0, value - half), min(1.0, value + half)
    )


def measure_list(people: pl.DataFrame, line: float) -> list[Measured]:
    """Measure poverty in a complete list: no sampling, so no standard error.

    ``people`` has ``expenditure``, ``people`` (how many live on it), ``households`` and may have
    ``domain``; rows may stand for many households.

    Raises:
        UnmeasurableError: the line or all expenditure is nought, or the list is empty.
    """
    if line <= 0 or people.is_empty():
        raise UnmeasurableError("nothing to measure")
    found = _list_measures(people, line, "")
    if "domain" in people.columns:
        for (domain,), part in sorted(people.group_by("domain")):
            found += _list_measures(part, line, str(domain))
    return found


def _list_measures(people: pl.DataFrame, line: float, domain: str) -> list[Measured]:
    import polars as pl

    expenditure = pl.col("expenditure").cast(pl.Float64)
    weight = pl.col("people").cast(pl.Float64)
    row = people.select(
        *(
            ((shortfall(expenditure, line, power) * weight).sum() / weight.sum()).alias(name)
            for name, power in FGT.items()
        ),
        ((expenditure * weight).sum() / weight.sum()).alias("mean"),
        pl.col("households").sum(),
    ).row(0, named=True)
    count = int(row.pop("households"))
    gini, _linear = gini_parts(
        people["expenditure"].cast(pl.Float64).to_numpy(),
        people["people"].cast(pl.Float64).to_numpy(),
    )
    return [Measured(name, domain, value, count) for name, value in (row | {"gini": gini}).items()]
