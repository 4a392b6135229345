"""Recipients over HTTP: sums for everybody, rows for those who may see names."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Field, Query, Router, Schema, Status
from ninja.errors import HttpError
from ninja.pagination import paginate

from guyub.access.guards import api_requires
from guyub.beneficiaries import batches, files, queries
from guyub.beneficiaries.models import BatchKind, BatchState, Enrolment, Stage
from guyub.beneficiaries.services import BeneficiariesError
from guyub.programs.models import SubActivity
from guyub.ui.cursor import CursorPages, Keyed

router = Router(tags=["beneficiaries"])
MOST_AT_ONCE = 500
Nik = Annotated[str, Field(pattern="^[0-9]{16}$")]


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


class CandidatesIn(Schema):
    """The people themselves where persons are the recipients, else any member of the household."""

    niks: list[Nik] = Field(min_length=1, max_length=MOST_AT_ONCE, description="Each once")


class RefusedRow(Schema):
    position: int = Field(description="Place in `niks`, from 1")
    reason: str


class Enrolled(Schema):
    batch: int
    accepted: int
    refused: list[RefusedRow]


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
    summary="Recipients of a sub-activity by id",
)
@api_requires("beneficiaries.view")
@paginate(CursorPages)
def recipients(
    request: HttpRequest,
    pk: int,
    stage: str = Query("", description="Only those in this stage"),
) -> Any:
    """Those whom the caller may see; NIK and KK are masked."""
    narrowing = queries.Narrowing(stage=stage if stage in Stage.values else "")
    rows = queries.handed(queries.narrowed(_sub_activity(pk), request.user, narrowing))
    return Keyed(rows, lambda keys: [_row(row) for row in queries.shown(keys)])


@router.post(
    "/sub-activities/{pk}/recipients",
    response={201: Enrolled},
    url_name="recipients",
    summary="Make candidates of a list of people",
)
@api_requires("beneficiaries.edit", load=_sub_activity)
def enrol(request: HttpRequest, sub_activity: SubActivity, given: CandidatesIn) -> Any:
    """Goes the way of an uploaded file: each NIK is looked up, those amiss are told, the others become
    candidates. NIK are not echoed; ``position`` says which of the list is meant.
    """
    try:
        batch = batches.take_file(
            sub_activity,
            BatchKind.ENROL_FILE,
            file_name="api.csv",
            chunks=["\n".join(["NIK", *given.niks, ""]).encode()],
            actor=request.user,
        )
        # Read before the batch ends, with which its files go. The first row holds the heading.
        refused = [
            {"position": row.row_number - 1, "reason": f"{row.what} {row.how}".strip()}
            for row in files.rejections(batch, 0, MOST_AT_ONCE)
        ]
        accepted = batch.counts.get("accepted", 0)
        if accepted:
            batch = batches.approve(batch, actor=request.user)
            if batch.state != BatchState.DONE:
                raise HttpError(409, batch.error or str(batch.get_state_display()))
        else:
            batches.cancel(batch, actor=request.user)
    except BeneficiariesError as error:
        raise HttpError(409, str(error)) from error
    return Status(201, {"batch": batch.pk, "accepted": accepted, "refused": refused})


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
