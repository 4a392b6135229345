"""Evidence of sources reconciled: what datasets say otherwise than the registry, and what came of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from guyub.datasets.models import Dataset
from guyub.reconciliation.models import Difference, DifferenceState, Side
from guyub.scorecard.evidence import Evidence
from guyub.scorecard.quarters import Quarter


def sources_reconciled(quarter: Quarter, today: dt.date) -> Iterator[Evidence]:
    """One row per dataset of which differences were known by the quarter's end.

    Of its differences, one counts whole when it was settled for the list, or when the list was mended
    after it was settled against it; a half when it was settled against the list, which still says so;
    nothing while it waits. What ceased to differ without a decision is left out.
    """
    _first, after = quarter.moments
    settled, mended = Q(settled_at__lt=after), Q(mended_at__lt=after)
    rows = (
        Difference.objects.filter(found_at__lt=after)
        .exclude(state=DifferenceState.GONE)
        .order_by()
        .values("dataset")
        .annotate(
            n=Count("pk"),
            won=Count("pk", filter=settled & Q(winner=Side.THEIRS)),
            lost=Count("pk", filter=settled & Q(winner=Side.OURS)),
            mended=Count("pk", filter=settled & mended & Q(winner=Side.OURS)),
        )
    )
    datasets = Dataset.objects.select_related("owner").in_bulk([row["dataset"] for row in rows])
    for row in rows:
        dataset = datasets[row["dataset"]]
        whole = row["won"] + row["mended"]
        half = row["lost"] - row["mended"]
        yield Evidence(
            _("%(name)s: %(whole)d selesai, %(half)d diputuskan dan belum diperbaiki, dari %(n)d")
            % {"name": dataset.name, "whole": whole, "half": half, "n": row["n"]},
            (whole + half / 2) / row["n"],
            (dataset.owner_id,),
            reverse("datasets:detail", args=[dataset.code]),
        )
