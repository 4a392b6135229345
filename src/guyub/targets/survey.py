"""Survey files: which column holds what, and whether the rows can be measured.

A file has a row per household, as Susenas' consumption module summed up per household has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.imports.reading import Layout

if TYPE_CHECKING:
    import polars as pl

MOST_ROWS = 500_000
MOST_DOMAINS = 60
FAULTS_SHOWN = 20
# Rupiah per head and month below which a column of expenditure is likely in thousands.
LEAST_LIKELY_EXPENDITURE = 10_000
MOST_MEMBERS = 60


@dataclass(frozen=True)
class SurveyField:
    """What a column can hold; ``words`` are headings by which it is recognised."""

    name: str
    label: Any
    needed: bool
    words: tuple[str, ...]
    help_text: Any = ""


FIELDS: tuple[SurveyField, ...] = (
    SurveyField(
        "expenditure",
        gettext_lazy("Pengeluaran per kapita sebulan (rupiah)"),
        True,
        ("kapita", "pengeluaran per kapita", "pengeluaran", "exp_cap", "expenditure", "pcexp", "pengeluaran_kapita"),
    ),
    SurveyField(
        "members",
        gettext_lazy("Jumlah anggota rumah tangga"),
        True,
        ("r301", "art", "jumlah art", "jumlah anggota", "anggota", "hhsize", "jumlah anggota rumah tangga", "jml art"),
    ),
    SurveyField(
        "weight",
        gettext_lazy("Penimbang rumah tangga"),
        False,
        ("fwt", "wert", "weind", "penimbang", "bobot", "weight", "penimbang rumah tangga"),
        gettext_lazy("Tanpa kolom ini setiap rumah tangga berbobot sama."),
    ),
    SurveyField(
        "stratum",
        gettext_lazy("Strata"),
        False,
        ("strata", "stratum", "strat"),
        gettext_lazy("Lapisan penarikan sampel."),
    ),
    SurveyField(
        "psu",
        gettext_lazy("Blok sensus / PSU"),
        False,
        ("psu", "nks", "blok sensus", "nomor kode sampel", "klaster", "cluster"),
        gettext_lazy("Satuan sampel tahap pertama. Tanpa kolom ini tiap rumah tangga dianggap dipilih sendiri."),
    ),
    SurveyField(
        "domain",
        gettext_lazy("Wilayah atau kelompok"),
        False,
        ("kecamatan", "wilayah", "kabupaten", "r105", "klasifikasi wilayah", "kelompok", "domain"),
        gettext_lazy("Ukuran dihitung juga untuk tiap isi kolom ini."),
    ),
    SurveyField(
        "household",
        gettext_lazy("Nomor rumah tangga"),
        False,
        ("urut", "renum", "id", "id rumah tangga", "nomor rumah tangga", "idrt", "household", "no urut"),
        gettext_lazy("Dipakai untuk menemukan rumah tangga yang tercatat dua kali."),
    ),
)  # fmt: skip
BY_NAME = {f.name: f for f in FIELDS}


def recognise(headings: Sequence[str]) -> dict[str, int]:
    """Return {field: column} for the headings that are known, each column used once."""
    plain = [" ".join(re.sub(r"[_.]+", " ", heading.casefold()).split()) for heading in headings]
    found: dict[str, int] = {}
    for survey_field in FIELDS:
        words = [" ".join(word.replace("_", " ").split()) for word in survey_field.words]
        for word in words:
            if word in plain and plain.index(word) not in found.values():
                found[survey_field.name] = plain.index(word)
                break
    return found


def mapping_faults(columns: Mapping[str, int]) -> list[str]:
    """Say what is wrong with a choice of columns."""
    faults = [
        _("Pilih kolom untuk “%(name)s”.") % {"name": f.label}
        for f in FIELDS
        if f.needed and f.name not in columns
    ]
    used: dict[int, str] = {}
    for name, column in columns.items():
        if column in used:
            faults.append(
                _("“%(a)s” dan “%(b)s” memakai kolom yang sama.")
                % {"a": BY_NAME[used[column]].label, "b": BY_NAME[name].label}
            )
        used.setdefault(column, name)
    return faults


@dataclass
class Reading:
    """What a survey file holds: the rows that can be measured, and what is amiss.

    ``faults`` are (row number as in Excel, column heading, message); with any of them nothing is
    computed, because leaving rows out would bend the result. ``warnings`` say what to know about the
    result.
    """

    sample: pl.DataFrame
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    fault_count: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def households(self) -> int:
        return self.sample.height

    @property
    def people(self) -> float:
        """How many people the sample stands for."""
        return float((self.sample["weight"] * self.sample["members"]).sum())


def _number(column: str, from_excel: bool) -> pl.Expr:
    """Turn text into a number the way :func:`guyub.targets.decimals.parse_decimal` does."""
    # Imported late here and below, as in guyub.targets.poverty.
    import polars as pl

    text = pl.col(column).str.replace_all(r"(?i)^\s*rp\.?|[\s\u00a0]", "")
    dots = text.str.count_matches(r"\.")
    grouped = text.str.contains(r"^-?\d{1,3}(\.\d{3})+$")
    if from_excel:
        grouped = grouped & (dots > 1)
    comma_last = text.str.contains(r",\d*$") & ~text.str.contains(r",.*,")
    plain = (
        pl.when(text.str.contains(r"\.") & comma_last)
        .then(text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True))
        .when(grouped)
        .then(text.str.replace_all(".", "", literal=True))
        .when(comma_last)
        .then(text.str.replace(",", ".", literal=True))
        .otherwise(text)
    )
    return plain.cast(pl.Float64, strict=False)


def read(staged: Path, layout: Layout, columns: Mapping[str, int], line: float) -> Reading:
    """Read the staged rows of a survey file and check them against the choice of ``columns``."""
    import polars as pl

    from_excel = layout.kind == "xlsx"
    picked = pl.scan_parquet(staged).select(
        "row_number", *(pl.col(f"c{index}").alias(name) for name, index in columns.items())
    )
    numbers = [name for name in ("expenditure", "members", "weight") if name in columns]
    frame = picked.with_columns(
        [_number(name, from_excel).alias(f"{name}_n") for name in numbers]
        + [
            pl.col(name).str.strip_chars().alias(name)
            for name in ("stratum", "psu", "domain", "household")
            if name in columns
        ]
    ).collect()
    reading = Reading(pl.DataFrame())

    def refuse(mask: pl.Expr, name: str, message: str) -> None:
        rows = frame.filter(mask)["row_number"]
        reading.fault_count += len(rows)
        heading = layout.headings[columns[name]]
        room = FAULTS_SHOWN - len(reading.faults)
        reading.faults += [(int(row), heading, message) for row in rows[: max(room, 0)]]

    for name in numbers:
        refuse(pl.col(name).is_null() | (pl.col(name) == ""), name, _("Kosong."))
        refuse(
            pl.col(name).is_not_null() & (pl.col(name) != "") & pl.col(f"{name}_n").is_null(),
            name,
            _("Bukan angka."),
        )
    refuse(pl.col("expenditure_n") < 0, "expenditure", _("Pengeluaran tidak boleh negatif."))
    odd = (pl.col("members_n") < 1) | (pl.col("members_n") > MOST_MEMBERS)
    odd = odd | (pl.col("members_n") != pl.col("members_n").round(0))
    refuse(
        odd,
        "members",
        _("Jumlah anggota berupa bilangan bulat 1 sampai %(n)s.") % {"n": MOST_MEMBERS},
    )
    if "weight" in columns:
        refuse(pl.col("weight_n") <= 0, "weight", _("Penimbang harus lebih dari nol."))
    for name in ("stratum", "psu", "domain"):
        if name in columns:
            refuse(pl.col(name).is_null() | (pl.col(name) == ""), name, _("Kosong."))
    if "household" in columns:
        key = [n for n in ("stratum", "psu", "household") if n in columns]
        refuse(
            pl.struct(key).is_duplicated() & pl.col("household").is_not_null(),
            "household",
            _("Rumah tangga ini tercatat lebih dari sekali."),
        )
    if reading.fault_count:
        reading.faults.sort()
        return reading

    keep = [pl.col("expenditure_n").alias("expenditure"), pl.col("members_n").alias("members")]
    weight = pl.col("weight_n") if "weight" in columns else pl.lit(1.0)
    reading.sample = frame.select(
        *keep, weight.alias("weight"), *(n for n in ("stratum", "psu", "domain") if n in columns)
    )
    _judge(reading, columns, line, layout)
    return reading


def _judge(reading: Reading, columns: Mapping[str, int], line: float, layout: Layout) -> None:
    """Refuse a sample that cannot be measured as a whole; warn of what weakens the result."""
    import polars as pl

    sample = reading.sample

    def whole(name: str, message: str) -> None:
        reading.fault_count += 1
        reading.faults.append((0, layout.headings[columns[name]], message))

    middle = float(sample["expenditure"].median() or 0)  # type: ignore[arg-type]
    if middle < LEAST_LIKELY_EXPENDITURE:
        whole(
            "expenditure",
            _(
                "Separuh rumah tangga berpengeluaran di bawah %(limit)s rupiah per orang sebulan. "
                "Periksa apakah kolom ini dalam ribuan rupiah, atau berisi hal lain."
            )
            % {"limit": LEAST_LIKELY_EXPENDITURE},
        )
    if "domain" in columns:
        count = sample["domain"].n_unique()
        if count > MOST_DOMAINS:
            whole(
                "domain",
                _("Kolom ini punya %(count)s isi yang berbeda; paling banyak %(limit)s.")
                % {"count": count, "limit": MOST_DOMAINS},
            )
    units = sample.height
    if "psu" in columns:
        by = ["stratum", "psu"] if "stratum" in columns else ["psu"]
        units = sample.select(by).n_unique()
    if units < 2:
        whole(
            "psu" if "psu" in columns else "expenditure",
            _("Perlu paling sedikit dua satuan sampel."),
        )
    if reading.fault_count:
        return
    if "weight" not in columns:
        reading.warnings.append(
            _("Tanpa penimbang, hasilnya menggambarkan sampel saja, bukan penduduk wilayah.")
        )
    if "psu" not in columns:
        reading.warnings.append(
            _("Tanpa blok sensus, galat baku dihitung seakan tiap rumah tangga dipilih sendiri dan bisa terlalu kecil.")
        )  # fmt: skip
    if "stratum" in columns:
        per_stratum = sample.group_by("stratum").agg(
            (pl.col("psu").n_unique() if "psu" in columns else pl.len()).alias("units")
        )
        single = per_stratum.filter(pl.col("units") < 2).height
        if single:
            reading.warnings.append(
                _("%(count)s strata hanya punya satu satuan sampel; ragamnya dipusatkan pada rata-rata seluruh sampel.")
                % {"count": single}
            )  # fmt: skip
    poor = sample.filter(pl.col("expenditure") < line).height
    if poor < 30:
        reading.warnings.append(
            _("Hanya %(count)s rumah tangga di bawah garis kemiskinan; ukuran P1 dan P2 kurang kokoh.")
            % {"count": poor}
        )  # fmt: skip
