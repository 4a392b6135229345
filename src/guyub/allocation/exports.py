"""The Excel file of who gets what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.allocation import queries
from guyub.allocation.models import Scenario
from guyub.datasets.exports import write_xlsx

BATCH = 2000


def severity_names() -> dict[str, str]:
    return {"severe": _("Berat"), "moderate": _("Sedang"), "mild": _("Ringan")}


def write(path: Path, scenario: Scenario, ids: Sequence[int], *, user: Any, reason: str) -> int:
    """Write households of a plan with what they get to an Excel file; return how many."""
    offers = queries.offers_of(scenario)
    names = severity_names()
    info = [
        (_("Isi"), _("Rencana alokasi bantuan: %(name)s") % {"name": scenario}),
        (_("Tahun anggaran"), str(scenario.year)),
        (_("Dihitung"), f"{timezone.localtime(scenario.reckoned_at):%d/%m/%Y %H.%M}"),
        (_("Diunduh"), f"{timezone.localtime():%d/%m/%Y %H.%M}"),
        (_("Oleh"), f"{user} ({user.get_role_display()})"),
        (_("Alasan"), reason),
        (_("NIK dan KK"), _("disamarkan")),
    ]
    columns = [
        _("Nomor KK"), _("Kepala keluarga"), _("Kecamatan"), _("Desa/kelurahan"), _("Alamat"),
        _("RT"), _("RW"), _("Desil"), _("Tingkat kebutuhan"), _("Diusulkan menerima"),
    ]  # fmt: skip

    def lines() -> Iterator[list[Any]]:
        for start in range(0, len(ids), BATCH):
            for line in queries.lines(scenario, ids[start : start + BATCH], offers):
                home = line.household
                yield [
                    home.masked_kk, home.head_name, home.district.name, home.village.name,
                    home.address, home.rt, home.rw, home.desil, names[line.severity],
                    "; ".join(f"{offer} ({offer.sub_activity.agency})" for offer in line.gets),
                ]  # fmt: skip

    return write_xlsx(path, info, columns, lines())
