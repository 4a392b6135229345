"""The chart of a plan: needs met and unmet by kind of help."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from guyub.programs.vocabulary import HelpKind
from guyub.ui.charts import Chart, bars


def needs_met(result: dict[str, Any]) -> Chart:
    """Return how many severe needs stay unmet, by kind of help, the most first."""
    rows = [
        (str(HelpKind(kind).label), needs[2] - met[2])
        for kind, (needs, met) in result["by_kind"].items()
        if needs[2]
    ]
    rows.sort(key=lambda row: -row[1])
    return bars(
        "belum",
        _("Kebutuhan berat yang belum terpenuhi"),
        rows,
        label=_("Bentuk bantuan"),
        value=_("Keluarga"),
    )
