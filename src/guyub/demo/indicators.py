"""Indicators with years for the demo, and a survey to measure poverty from.

The realisation of what Guyub has published figures for is real and cites them; every other number is
made up and says so.
"""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _

from guyub.targets import estimating
from guyub.targets.models import Indicator, Measure, PublishedFigure
from guyub.targets.services import YearValues, load_indicators, load_published, write_year

SURVEY_FILE = "survei-pengeluaran.csv"
# Rupiah per head and month, BPS's line for Banyumas in March 2025.
LINE = Decimal(529_310)
YEARS_BACK = 5
# Indicator: (target in the last full year, yearly step of the target, how far off the last realisation)
PATHS: dict[str, tuple[str, str, str]] = {
    "penduduk-miskin": ("11.60", "-0.55", "0"),
    "miskin-ekstrem": ("0.60", "-0.25", "0.28"),
    "ipm": ("75.10", "0.65", "0"),
    "rasio-gini": ("0.345", "-0.004", "0.006"),
    "pengangguran-terbuka": ("5.60", "-0.25", "0.42"),
    "stunting": ("15.0", "-1.5", "2.6"),
    "uhc": ("98.00", "0.40", "0.75"),
    "harapan-lama-sekolah": ("13.40", "0.10", "0.13"),
    "rata-rata-lama-sekolah": ("8.05", "0.10", "0.05"),
    "anak-tidak-sekolah": ("9800", "-900", "1640"),
    "rtlh": ("7.20", "-0.80", "-0.15"),
    "sanitasi-layak": ("91.50", "1.20", "0.35"),
    "air-minum-layak": ("94.00", "0.90", "-1.10"),
    "ketahanan-pangan": ("7.10", "-0.40", "0.55"),
    "ppks-terlayani": ("68.00", "3.00", "-4.50"),
    "graduasi-pkh": ("2400", "250", "310"),
    "pelatihan-kerja": ("55.00", "3.00", "-6.20"),
    "nik-keluarga-miskin": ("97.50", "0.80", "0.90"),
}
PUBLISHED_AS = {"penduduk-miskin": Measure.P0, "ipm": Measure.HDI}


def make_indicators(actor: Any, today: dt.date) -> int:
    """Load indicators and published figures, and give every indicator some years; return how many."""
    load_published(actor=actor)
    load_indicators(actor=actor)
    last = today.year - 1
    made_up = _("Angka rekaan untuk peragaan")
    official = {
        (figure.measure, figure.year): figure
        for figure in PublishedFigure.objects.filter(area_code=settings.REGENCY_CODE)
    }
    count = 0
    for indicator in Indicator.objects.filter(code__in=PATHS):
        target, step, off = (Decimal(part) for part in PATHS[indicator.code])
        unit = Decimal(1).scaleb(-indicator.decimals)
        for year in range(last - YEARS_BACK + 1, today.year + 2):
            aim = (target + step * (year - last)).quantize(unit)
            aim = max(aim, Decimal(0))
            if indicator.unit == "persen":
                aim = min(aim, Decimal(100))
            figure = official.get((PUBLISHED_AS.get(indicator.code, ""), year))
            actual, source = None, ""
            if figure is not None:
                actual, source = figure.value, figure.source
            elif year <= last and indicator.code not in PUBLISHED_AS:
                # Further back the realisation was nearer to the target of its time.
                share = Decimal(YEARS_BACK - (last - year)) / YEARS_BACK
                actual = max((aim + off * share).quantize(unit), Decimal(0))
                if indicator.unit == "persen":
                    actual = min(actual, Decimal(100))
                source = made_up
            note = _("Target rekaan untuk peragaan.")
            write_year(indicator, year, YearValues(aim, actual, source, note), actor=actor)
            count += 1
    return count


def write_survey(path: Path, seed: int) -> None:
    """Write an invented household survey: 90 census blocks in four strata, ten households each.

    It is shaped after Susenas' consumption module summed up per household, with about as many poor
    people as Banyumas has.
    """
    rng = np.random.default_rng(seed + 33_02)
    strata = {11: (28, 13.98), 12: (17, 13.86), 21: (25, 13.72), 22: (20, 13.60)}
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["strata", "psu", "urut", "klasifikasi wilayah", "r301", "kapita", "fwt"])
        block = 0
        for stratum, (blocks, level) in strata.items():
            for _number in range(blocks):
                block += 1
                own = rng.normal(level, 0.16)
                weight = rng.uniform(380, 760)
                for household in range(1, 11):
                    members = 1 + int(rng.binomial(7, 0.36))
                    spent = int(np.exp(rng.normal(own - 0.05 * (members - 3), 0.42)))
                    where = "Perkotaan" if stratum < 20 else "Perdesaan"
                    written = f"{weight:.3f}".replace(".", ",")
                    writer.writerow([stratum, block, household, where, members, spent, written])


def measure_survey(folder: Path, actor: Any, today: dt.date, seed: int) -> Any:
    """Put the survey among the sample files and measure it; return the estimate."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / SURVEY_FILE
    write_survey(path, seed)
    draft = estimating.take_survey(
        title=_("Survei pengeluaran rekaan, Maret %(year)s") % {"year": today.year - 1},
        as_of=dt.date(today.year - 1, 3, 1),
        line=LINE,
        file_name=path.name,
        chunks=[path.read_bytes()],
        actor=actor,
    )
    return estimating.measure_survey(draft, actor=actor)
