"""The model by which two records are weighed against each other (Fellegi and Sunter, 1969).

Each comparison puts a pair on one of its levels. A level has two chances: ``m``, that a pair of records
of one person lands there, and ``u``, that a pair of records of two people does. Its weight is
``log2(m / u)``; weights add up, starting from the weight of the chance that two records picked at random
are one person (the prior). :mod:`guyub.linking.training` says where ``m`` and ``u`` come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from splink import SettingsCreator

# Raised whenever the comparisons, their levels or the way of training change.
MODEL_VERSION = 1


@dataclass(frozen=True)
class Level:
    """One outcome of a comparison.

    ``m`` is the chance that it happens to records of one person before anything has been learnt.
    ``u`` is its chance among records of two people where that is given and not counted. ``condition``
    makes Splink's condition out of its library of them (``splink.comparison_level_library``).
    """

    name: str
    label: Any
    m: float
    condition: Callable[[Any], Any]
    u: float | None = None
    by_frequency: str = ""  # column whose rare values weigh more


@dataclass(frozen=True)
class Comparison:
    """What is compared, with its levels from best to worst. ``column`` says when nothing is known."""

    name: str
    label: Any
    column: str
    levels: tuple[Level, ...]

    def level_of(self, value: int) -> Level | None:
        """Return the level that Splink numbers ``value``; ``None`` when a side is unknown (-1)."""
        return None if value < 0 else self.levels[len(self.levels) - 1 - value]

    def value_of(self, position: int) -> int:
        """Return Splink's number of the level at ``position``."""
        return len(self.levels) - 1 - position


def _sql(text: str) -> Callable[[Any], Any]:
    return lambda cll: cll.CustomLevel(text, base_dialect_str="duckdb")


def _else(cll: Any) -> Any:
    return cll.ElseLevel()


COMPARISONS: tuple[Comparison, ...] = (
    Comparison(
        "name", _("Nama"), "name_key",
        (
            Level("same", _("Sama setelah ejaan disamakan"), 0.70,
                  lambda cll: cll.ExactMatchLevel("name_key"), by_frequency="name_key"),
            Level("slip", _("Beda satu-dua huruf atau urutan kata"), 0.14,
                  lambda cll: cll.Or(_sql("name_sorted_l = name_sorted_r")(cll),
                                     cll.JaroWinklerLevel("name_key", 0.95))),
            Level("part", _("Satu nama bagian dari yang lain"), 0.08,
                  lambda cll: cll.ArraySubsetLevel("name_words")),
            Level("alike", _("Mirip"), 0.05,
                  lambda cll: cll.JaroWinklerLevel("name_key", 0.88)),
            Level("word", _("Kata pertama atau terakhir sama"), 0.015,
                  _sql("first_word_l = first_word_r OR last_word_l = last_word_r")),
            Level("other", _("Berbeda"), 0.015, _else),
        ),
    ),
    Comparison(
        "birth", _("Tanggal lahir"), "birth",
        (
            Level("same", _("Sama"), 0.80, lambda cll: cll.ExactMatchLevel("birth")),
            Level("swapped", _("Hari dan bulan tertukar"), 0.05,
                  _sql("birth_swapped_l = birth_r")),
            Level("slip", _("Beda satu angka"), 0.06, lambda cll: cll.LevenshteinLevel("birth", 1)),
            Level("vague", _("Tahun sama, salah satunya tanggal baku (mis. 1 Januari)"), 0.03,
                  _sql("birth_year_l = birth_year_r AND (birth_vague_l OR birth_vague_r)")),
            Level("year", _("Hanya tahunnya sama"), 0.03, _sql("birth_year_l = birth_year_r")),
            Level("other", _("Berbeda"), 0.03, _else),
        ),
    ),
    Comparison(
        "sex", _("Jenis kelamin"), "sex",
        (
            Level("same", _("Sama"), 0.985, lambda cll: cll.ExactMatchLevel("sex")),
            Level("other", _("Berbeda"), 0.015, _else),
        ),
    ),
    Comparison(
        "area", _("Tempat tinggal"), "village",
        (
            Level("village", _("Desa/kelurahan sama"), 0.91,
                  lambda cll: cll.ExactMatchLevel("village")),
            Level("district", _("Hanya kecamatannya sama"), 0.04,
                  lambda cll: cll.ExactMatchLevel("district")),
            Level("other", _("Berbeda"), 0.05, _else),
        ),
    ),
    Comparison(
        "kk", _("Nomor KK"), "kk",
        (
            Level("same", _("Sama"), 0.62, lambda cll: cll.ExactMatchLevel("kk"), u=0.0),
            Level("slip", _("Beda satu-dua angka"), 0.12, lambda cll: cll.LevenshteinLevel("kk", 2), u=2e-4),
            Level("other", _("Berbeda"), 0.26, _else, u=1.0),
        ),
    ),
    Comparison(
        "nik", _("NIK"), "nik",
        (
            Level("same", _("Sama"), 0.05, lambda cll: cll.ExactMatchLevel("nik"), u=1e-5),
            # Children born on one day in one district have numbers next to each other.
            Level("slip", _("Beda satu-dua angka"), 0.65, lambda cll: cll.LevenshteinLevel("nik", 2), u=0.02),
            Level("other", _("Berbeda"), 0.30, _else, u=0.98),
        ),
    ),
)  # fmt: skip
BY_NAME = {comparison.name: comparison for comparison in COMPARISONS}

# {comparison: {level: m}}
Chances = Mapping[str, Mapping[str, float]]


def first_chances() -> dict[str, dict[str, float]]:
    """Return the ``m`` that the model starts with before anything has been learnt."""
    return {c.name: {level.name: level.m for level in c.levels} for c in COMPARISONS}


# Two records are compared only when they share one of these; each catches other mistakes.
BLOCKS: tuple[tuple[str, ...], ...] = (
    ("nik_head",),
    ("nik_tail",),
    ("kk",),
    ("name_key", "village"),
    ("birth_norm", "village"),
    ("birth_norm", "first_word"),
    ("birth_norm", "last_word"),
    ("name_key", "birth_year"),
    ("village", "birth_year", "initial"),
)


def given_u(comparison: Comparison, household_size: float, people: int) -> dict[str, float] | None:
    """Return ``u`` of a comparison that is known and not counted, ``None`` when it must be counted.

    Of ``people`` in the reference, one in ``people / household_size`` shares a given KK number.
    """
    if comparison.levels[0].u is None:
        return None
    given = {level.name: float(level.u or 0) for level in comparison.levels}
    if comparison.name == "kk":
        given["same"] = max(household_size, 1.0) / max(people, 2)
    return given


def settings(
    m: Chances,
    u: Chances,
    prior: float,
    link_type: str,
    blocks: Sequence[Sequence[str]] | None = BLOCKS,
) -> SettingsCreator:
    """Return Splink's settings for the model with these chances.

    ``prior`` is the chance that two records picked at random are one person. ``blocks``
    are the columns of which a pair must share one set; ``None`` compares every pair.
    """
    # Imported late: it takes most of a second, and only the worker weighs pairs.
    import splink.comparison_level_library as cll
    from splink import SettingsCreator, block_on
    from splink.blocking_rule_library import CustomRule
    from splink.comparison_library import CustomComparison

    rules: list[Any] = (
        [CustomRule("1=1")] if blocks is None else [block_on(*columns) for columns in blocks]
    )
    comparisons: list[Any] = []
    for comparison in COMPARISONS:
        levels: list[Any] = [cll.NullLevel(comparison.column)]
        for level in comparison.levels:
            creator = level.condition(cll).configure(
                m_probability=float(m[comparison.name][level.name]),
                u_probability=float(u[comparison.name][level.name]),
                label_for_charts=level.name,
            )
            if level.by_frequency:
                creator = creator.configure(
                    tf_adjustment_column=level.by_frequency,
                    tf_adjustment_weight=1.0,
                    tf_minimum_u_value=1e-5,
                )
            levels.append(creator)
        comparisons.append(
            CustomComparison(output_column_name=comparison.name, comparison_levels=levels)
        )
    return SettingsCreator(
        link_type=link_type,  # type: ignore[arg-type]
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=rules,
        probability_two_random_records_match=prior,
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=True,
    )


def weight(m: float, u: float) -> float:
    """Return the weight of a level in bits: how much the odds double that it is one person."""
    return math.log2(max(m, 1e-9) / max(u, 1e-12))


def probability(match_weight: float) -> float:
    """Return the chance that a pair of this total weight is one person."""
    return 1 / (1 + 2.0**-match_weight)
