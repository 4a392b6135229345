"""The S-curve of a sub-activity, drawn alike on a page and in a file."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from guyub.reports.models import Report
from guyub.reports.queries import REPORTED
from guyub.ui.charts import Chart, plan_curve


def s_curve(reports: Sequence[Report], total: int, title: str) -> Chart | None:
    """Return plan against realisation of one sub-activity; ``None`` when there is nothing to draw.

    ``reports`` are in order of time, ``total`` is the budget in rupiah, of which the money is shown as
    per cent. Realised figures show once they were handed in.
    """
    rows = []
    for report in reports:
        told = report.state in REPORTED
        physical = (
            None if report.planned_physical is None else float(report.planned_physical),
            float(report.physical) if told and report.physical is not None else None,
        )
        budget = (
            _share(report.planned_budget, total),
            _share(report.budget, total) if told else None,
        )
        rows.append((report.period_end, (physical, budget) if total else (physical,)))
    if not any(value is not None for _day, pairs in rows for pair in pairs for value in pair):
        return None
    return plan_curve(
        "kurva-s",
        title,
        [_("Fisik"), _("Keuangan")] if total else [_("Fisik")],
        rows,
        kinds=(_("rencana"), _("realisasi")),
        date=_("Per tanggal"),
        caption=_("Persen kumulatif sejak awal. Keuangan dihitung terhadap seluruh anggaran.")
        if total
        else _("Persen kumulatif sejak awal."),
    )


def _share(amount: int | None, total: int) -> float | None:
    return None if amount is None or not total else round(100 * amount / total, 1)
