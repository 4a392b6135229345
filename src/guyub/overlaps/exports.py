"""Excel files of households found and of the coverage matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.datasets.exports import write_xlsx
from guyub.overlaps.models import Reckoning
from guyub.overlaps.queries import COLUMNS, MatrixRow, Narrowing, rows

BATCH = 2000


def about(
    title: str, place: str, reckoning: Reckoning, user: Any, reason: str = ""
) -> list[tuple[str, str]]:
    """Return what stands on the first sheet: what this is, of when, for whom."""
    info = [
        (_("Isi"), title),
        (_("Wilayah"), place),
        (_("Tahun anggaran"), str(reckoning.year)),
        (_("Dihitung"), f"{timezone.localtime(reckoning.finished_at):%d/%m/%Y %H.%M}"),
        (_("Diunduh"), f"{timezone.localtime():%d/%m/%Y %H.%M}"),
        (_("Oleh"), f"{user} ({user.get_role_display()})"),
    ]
    if reason:
        info += [(_("Alasan"), reason), (_("NIK dan KK"), _("disamarkan"))]
    return info


def write_households(
    path: Path,
    info: Sequence[tuple[str, str]],
    ids: Sequence[int],
    year: int,
    narrowing: Narrowing,
) -> int:
    """Write the households of ``ids`` with their help to an Excel file; return how many."""
    columns = [
        _("Nomor KK"), _("Kepala keluarga"), _("Kecamatan"), _("Desa/kelurahan"), _("Alamat"),
        _("RT"), _("RW"), _("Desil"), _("Anggota"), _("Bantuan yang diterima"),
    ]  # fmt: skip

    def lines() -> Iterator[list[Any]]:
        for start in range(0, len(ids), BATCH):
            for row in rows(ids[start : start + BATCH], year, narrowing):
                home = row.household
                helps = "; ".join(
                    f"{help_.get_help_kind_display()}: {help_.sub_activity} ({help_.agency})"
                    for help_ in row.helps
                )
                yield [
                    home.masked_kk, home.head_name, home.district.name, home.village.name,
                    home.address, home.rt, home.rw, home.desil, home.member_count, helps,
                ]  # fmt: skip

    return write_xlsx(path, info, columns, lines())


def write_matrix(
    path: Path, info: Sequence[tuple[str, str]], first: str, matrix: Sequence[MatrixRow]
) -> int:
    """Write a coverage matrix: for every desil households helped, and of how many."""
    columns = [first]
    for desil in COLUMNS:
        name = _("Desil %(n)d") % {"n": desil} if desil else _("Tanpa desil")
        columns += [f"{name}: {_('dibantu')}", f"{name}: {_('keluarga')}"]
    columns += [_("Semua: dibantu"), _("Semua: keluarga"), _("Semua: persen")]

    def lines() -> Iterator[list[Any]]:
        for row in matrix:
            line: list[Any] = [row.label]
            for cell in row.cells:
                line += [cell.helped, cell.of]
            yield [*line, row.total.helped, row.total.of, round(row.total.percent, 1)]

    return write_xlsx(path, info, columns, lines())
