"""Recipients over HTTP: sums for everybody, rows for those who may see names."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema

from guyub.access.guards import api_requires
from guyub.beneficiaries import queries
from guyub.beneficiaries.models import Enrolment, Stage
from guyub.programs.models import SubActivity

router = Router(tags=["beneficiaries"])
A_PAGE = 100


class Totals(Schema):
    sub_activity: int
    quota: int | None
    stages: dict[str, int]
    helped: int
    deliveries: int
    rupiah: int
    last_delivery: dt.date | None


class Recipient(Schema):
    id: int
    name: str
    nik: str  # masked; empty where the recipient is a household
    kk: str  # masked
    village: str  # Kemendagri code
    desil: int | None
    stage: str
    stage_since: dt.datetime
    reason: str
    deliveries: int
    rupiah: int
    last_delivery: dt.date | None


def _sub_activity(pk: int) -> SubActivity:
    found = SubActivity.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@router.get(
    "/sub-activities/{pk}/totals",
    response=Totals,
    url_name="recipient_totals",
    summary="Recipients of a sub-activity by stage, and what was delivered",
)
@api_requires("beneficiaries.view_totals")
def totals(request: HttpRequest, pk: int) -> dict[str, Any]:
    record = _sub_activity(pk)
    counts = queries.stage_counts([record])[record.pk]
    sums = queries.delivered(record)
    return {
        "sub_activity": record.pk,
        "quota": record.quota,
        "stages": {stage: counts[stage] for stage in Stage.values},
        "helped": counts.helped,
        "deliveries": sums["times"],
        "rupiah": sums["rupiah"] or 0,
        "last_delivery": sums["last"],
    }


@router.get(
    "/sub-activities/{pk}/recipients",
    response=list[Recipient],
    url_name="recipients",
    summary="Recipients of a sub-activity by id, at most 100; go on with `after`",
)
@api_requires("beneficiaries.view")
def recipients(
    request: HttpRequest,
    pk: int,
    stage: str = Query("", description="Only those in this stage"),
    after: int = Query(0, ge=0, description="The last id of the page before"),
) -> list[dict[str, Any]]:
    narrowing = queries.Narrowing(stage=stage if stage in Stage.values else "")
    rows = queries.narrowed(_sub_activity(pk), request.user, narrowing)
    return [_row(row) for row in queries.after(rows, after, A_PAGE)]


def _row(row: Enrolment) -> dict[str, Any]:
    sums: Any = row
    return {
        "id": row.pk,
        "name": str(row.recipient),
        "nik": row.person.masked_nik if row.person is not None else "",
        "kk": row.household.masked_kk,
        "village": row.household.village.code,
        "desil": row.household.desil,
        "stage": row.stage,
        "stage_since": row.stage_since,
        "reason": row.reason,
        "deliveries": sums.times,
        "rupiah": sums.rupiah or 0,
        "last_delivery": sums.last,
    }
