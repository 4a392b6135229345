"""The list of obstacles as an Excel file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.datasets.exports import write_xlsx
from guyub.obstacles.models import Obstacle
from guyub.obstacles.queries import Filters

MOST_ROWS = 20_000


def columns() -> list[str]:
    """Return the headings."""
    return [
        _("Nomor"), _("Kendala"), _("Uraian"), _("Jenis"), _("Tingkat"), _("Keadaan"),
        _("Dibutuhkan dari"), _("Dilaporkan oleh"), _("Wilayah"), _("Kode wilayah"),
        _("Sub kegiatan"), _("Dilaporkan"), _("Batas waktu"), _("Hari terlambat"), _("Selesai"),
        _("Hari sampai selesai"), _("Penyelesaian"),
    ]  # fmt: skip


def _rows(obstacles: Iterable[Obstacle]) -> Iterator[list[Any]]:
    for row in obstacles:
        yield [
            row.pk,
            row.title,
            row.description,
            row.get_category_display(),
            row.get_severity_display(),
            row.get_state_display(),
            str(row.needed_agency),
            reporter(row),
            row.area.title if row.area is not None else _("Seluruh kabupaten"),
            row.area.code if row.area is not None else "",
            str(row.sub_activity or ""),
            timezone.localtime(row.reported_at).date(),
            row.due_on,
            row.days_late or None,
            timezone.localtime(row.solved_at).date() if row.solved_at else None,
            row.days_to_solve,
            row.solution,
        ]


def reporter(obstacle: Obstacle) -> str:
    """Return the agency or area that reported, or the secretariat."""
    if obstacle.agency is not None:
        return str(obstacle.agency)
    if obstacle.reporting_area is not None:
        return obstacle.reporting_area.title
    return _("Sekretariat TKPKD")


def write(path: Path, obstacles: Iterable[Obstacle], filters: Filters, user: Any) -> int:
    """Write ``obstacles`` to ``path`` and return how many."""
    info = [
        (_("Isi"), _("Kendala program penanggulangan kemiskinan")),
        (_("Saringan"), ", ".join(f"{k}: {v}" for k, v in filters.given.items()) or "–"),
        (_("Diunduh"), f"{timezone.localtime():%d/%m/%Y %H.%M}"),
        (_("Oleh"), f"{user} ({user.get_role_display()})"),
    ]
    return write_xlsx(path, info, columns(), _rows(obstacles))
