"""Asking for data, answering, and handing it over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access.masking import mask_number
from guyub.areas.models import Area
from guyub.audit import services as audit
from guyub.datasets import columns, exports, store, wording
from guyub.datasets.models import Dataset
from guyub.discussions.models import Kind
from guyub.discussions.people import people_of
from guyub.discussions.services import notify, settle
from guyub.sharing.models import DataRequest, Grant, Handover, RequestState

# Days in which an owner should answer: those of Law 14/2008 on public information, article 22.
ANSWER_DAYS = 10
NUMBERS = ("nik", "kk")


@transaction.atomic
def ask(dataset: Dataset, *, actor: Any, values: dict[str, Any]) -> DataRequest:
    """Ask the owner of ``dataset`` for it in the name of ``actor``'s agency.

    ``values`` holds ``purpose``, ``legal_basis``, ``columns``, ``area``, ``with_numbers`` and
    ``wanted_until``.

    Raises:
        ValidationError: a value is amiss, the dataset is the agency's own, or it has asked already.
    """
    if dataset.owner_id == actor.agency_id:
        raise ValidationError(_("Dataset ini milik perangkat daerah Anda sendiri."))
    # Held until the end, so that two clicks cannot both pass the check for an open request.
    Dataset.objects.select_for_update().get(pk=dataset.pk)
    if DataRequest.objects.filter(
        dataset=dataset, agency=actor.agency, state=RequestState.OPEN
    ).exists():
        raise ValidationError(
            _("Perangkat daerah Anda sudah meminta dataset ini dan masih menunggu jawaban.")
        )
    today = timezone.localdate()
    if values["wanted_until"] < today:
        raise ValidationError({"wanted_until": _("Tanggal ini sudah lewat.")})
    asked = DataRequest(
        dataset=dataset,
        agency=actor.agency,
        asked_by=actor,
        due_on=today + dt.timedelta(days=ANSWER_DAYS),
        **values,
    )
    _check_columns(asked.columns)
    asked.full_clean()
    asked.save()
    audit.record(
        "sharing.request.ask",
        actor=actor,
        subject=asked,
        reason=asked.purpose,
        detail={"dataset": dataset.code, "columns": asked.columns},
    )
    _tell(
        asked,
        people_of([dataset.owner_id]),
        Kind.TASK,
        _("%(agency)s meminta data %(dataset)s; jawab paling lambat %(date)s"),
        actor,
    )
    return asked


def _tell(request: DataRequest, users: list[Any], kind: Kind, text: str, actor: Any) -> None:
    """Tell all of ``users`` but ``actor`` of a request; ``text`` may name its parts."""
    values = {
        "agency": request.agency.short_name,
        "dataset": request.dataset.name,
        "date": f"{request.due_on:%d/%m/%Y}",
    }
    url = reverse("sharing:detail", args=[request.pk])
    notify((user for user in users if user != actor), kind, text % values, url)


def _end_waiting(request: DataRequest) -> None:
    settle(reverse("sharing:detail", args=[request.pk]))


def _askers(request: DataRequest) -> list[Any]:
    return [*people_of([request.agency_id]), request.asked_by]


def _check_columns(chosen: list[str]) -> None:
    if not chosen:
        raise ValidationError({"columns": _("Pilih paling sedikit satu kolom.")})
    unknown = set(chosen) - set(columns.LABELS)
    if unknown:
        raise ValidationError({"columns": _("Kolom tidak dikenal.")})


def _open(request: DataRequest) -> DataRequest:
    current = DataRequest.objects.select_for_update().get(pk=request.pk)
    if current.state != RequestState.OPEN:
        raise ValidationError(_("Permintaan ini sudah dijawab atau ditarik."))
    return current


@transaction.atomic
def grant(
    request: DataRequest,
    *,
    actor: Any,
    chosen: list[str],
    area: Area | None,
    with_numbers: bool,
    ends_on: dt.date,
    note: str = "",
) -> Grant:
    """Let the asking agency take ``chosen`` columns of the list until ``ends_on``.

    Never more than was asked for.

    Raises:
        ValidationError: the request is not open, or more is granted than was asked.
    """
    current = _open(request)
    _check_columns(chosen)
    errors = {}
    if set(chosen) - set(current.columns):
        errors["columns"] = _("Berikan paling banyak kolom yang diminta.")
    if with_numbers and not current.with_numbers:
        errors["with_numbers"] = _("NIK dan KK lengkap tidak diminta.")
    if ends_on < timezone.localdate():
        errors["ends_on"] = _("Tanggal ini sudah lewat.")
    elif ends_on > current.wanted_until:
        errors["ends_on"] = _("Berikan paling lama sampai tanggal yang diminta, %(date)s.") % {
            "date": f"{current.wanted_until:%d/%m/%Y}"
        }
    if current.area is not None and not (
        area is not None and (area.code + ".").startswith(current.area.code + ".")
    ):
        errors["area"] = _("Wilayahnya melebihi yang diminta.")
    if errors:
        raise ValidationError(errors)
    made = Grant.objects.create(
        request=current, columns=chosen, area=area, with_numbers=with_numbers, ends_on=ends_on
    )
    _answer(current, RequestState.GRANTED, actor, note)
    audit.record(
        "sharing.request.grant",
        actor=actor,
        subject=current,
        reason=note.strip(),
        detail={"columns": chosen, "with_numbers": with_numbers, "ends_on": ends_on},
    )
    return made


@transaction.atomic
def refuse(request: DataRequest, *, actor: Any, reason: str) -> None:
    """Say no, and why.

    Raises:
        ValidationError: there is no reason, or the request is not open.
    """
    if not reason.strip():
        raise ValidationError({"answer": _("Tulis alasan penolakannya.")})
    current = _open(request)
    _answer(current, RequestState.REFUSED, actor, reason)
    audit.record("sharing.request.refuse", actor=actor, subject=current, reason=reason.strip())


def _answer(request: DataRequest, state: RequestState, actor: Any, text: str) -> None:
    request.state, request.answer = state, text.strip()
    request.answered_at, request.answered_by = timezone.now(), actor
    request.save()
    _end_waiting(request)
    if state == RequestState.GRANTED:
        news = _("Permintaan data %(dataset)s diberikan")
    else:
        news = _("Permintaan data %(dataset)s ditolak")
    _tell(request, _askers(request), Kind.NEWS, news, actor)


@transaction.atomic
def withdraw(request: DataRequest, *, actor: Any) -> None:
    """Take a request back before it is answered.

    Raises:
        ValidationError: it is answered already.
    """
    current = _open(request)
    current.state = RequestState.WITHDRAWN
    current.save()
    _end_waiting(current)
    audit.record("sharing.request.withdraw", actor=actor, subject=current)


@transaction.atomic
def revoke(request: DataRequest, *, actor: Any, reason: str) -> None:
    """End a grant before its day.

    Raises:
        ValidationError: there is no reason, or nothing to end.
    """
    if not reason.strip():
        raise ValidationError({"reason": _("Tulis alasannya.")})
    held = Grant.objects.select_for_update().filter(request=request.pk).first()
    if held is None or not held.is_active:
        raise ValidationError(_("Izin ini sudah tidak berlaku."))
    held.revoked_at, held.revoke_reason = timezone.now(), reason.strip()[:250]
    held.save()
    audit.record("sharing.grant.revoke", actor=actor, subject=request, reason=reason.strip())
    news = _("Izin memakai data %(dataset)s dicabut")
    _tell(request, _askers(request), Kind.NEWS, news, actor)


def hand_over(request: DataRequest, *, actor: Any, target: Path) -> Handover:
    """Write the newest version of the list to the Excel file ``target``, as far as the grant reaches.

    The file says which version it holds, of which date, and until when it may be used.

    Raises:
        ValidationError: the grant has ended, or the list has no version yet.
    """
    held = Grant.objects.select_related("area").filter(request=request.pk).first()
    if held is None or not held.is_active:
        raise ValidationError(_("Izin ini sudah tidak berlaku. Minta lagi bila masih diperlukan."))
    dataset = request.dataset
    version = dataset.current_version
    path = store.version_path(dataset.code, version.number) if version is not None else None
    if version is None or path is None or not path.exists():
        raise ValidationError(_("Dataset ini belum punya versi yang dapat diserahkan."))
    there = {store.KEY, *store.columns_of(path)}
    chosen = [name for name in held.columns if name in there]
    info = [
        (_("Dataset"), dataset.name),
        (_("Pemilik"), str(dataset.owner)),
        (_("Versi"), str(version.number)),
        (_("Keadaan per"), f"{version.as_of:%d/%m/%Y}"),
        (_("Data acuan"), _("Ya") if version.is_reference else _("Bukan")),
        (_("Diserahkan kepada"), str(request.agency)),
        (_("Tujuan"), request.purpose),
        (_("Dasar hukum"), request.legal_basis),
        (_("Boleh dipakai sampai"), f"{held.ends_on:%d/%m/%Y}"),
        (_("Diambil"), f"{timezone.localtime():%d/%m/%Y %H.%M}"),
        (_("NIK dan KK"), _("lengkap") if held.with_numbers else _("disamarkan")),
    ]
    hidden = [i for i, name in enumerate(chosen) if name in NUMBERS and not held.with_numbers]

    def rows() -> Iterator[list[Any]]:
        area = held.area.code if held.area is not None else ""
        for row in store.handed_rows(path, chosen, area=area):
            values = [wording.decoded(name, value) for name, value in zip(chosen, row, strict=True)]
            for index in hidden:
                values[index] = mask_number(values[index] or "")
            yield values

    count = exports.write_xlsx(target, info, [columns.label_of(c) for c in chosen], rows())
    with transaction.atomic():
        made = Handover.objects.create(grant=held, version=version, rows=count, taken_by=actor)
        audit.record(
            "sharing.grant.take",
            actor=actor,
            subject=request,
            reason=request.purpose,
            detail={"version": version.number, "rows": count, "numbers": held.with_numbers},
        )
    return made
