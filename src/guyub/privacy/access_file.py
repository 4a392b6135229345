"""The copy that article 7 gives a person: all that Guyub holds about them, where from, and who saw it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone

from guyub.access.sealing import unseal
from guyub.audit.models import Event
from guyub.beneficiaries.models import Delivery, Enrolment
from guyub.privacy.models import Activity, SubjectRequest
from guyub.proposals.models import Proposal
from guyub.registry.models import (
    HOUSEHOLD_FIELDS,
    PERSON_FIELDS,
    Household,
    Listing,
    Origin,
    Person,
    Restriction,
    SubjectKind,
    ValueChange,
)

# Audit actions by which somebody saw full numbers, or data were given to another system.
SEEN = ("registry.household.reveal", "connections.partner.hand")


def held_about(request: SubjectRequest) -> dict[str, Any]:
    """Return the copy as plain values, ready for JSON. Dates are ISO texts, money is in rupiah.

    Other members of the household are not named: their data are theirs.
    """
    person = request.person
    found: dict[str, Any] = {
        "dibuat": timezone.localtime().isoformat(timespec="minutes"),
        "permintaan": request.shown_code,
        "pemrosesan": [
            {
                "kegiatan": a.name, "tujuan": a.purpose, "dasar_hukum": a.legal_basis,
                "penerima": a.recipients, "masa_simpan_tahun": a.retention_years,
            }
            for a in Activity.objects.all()
        ],
        "usul_sanggah": [
            {
                "jenis": str(p.get_kind_display()), "diajukan": p.submitted_at.isoformat(),
                "keadaan": str(p.get_state_display()), "nama": p.head_name, "alamat": p.address,
            }
            for p in Proposal.objects.filter(
                Q(nik=request.nik) | (Q(household=person.household_id) if person else Q(pk=None))
            )
        ],
    }  # fmt: skip
    if person is None:
        return {**found, "data_diri": None}
    home = person.household
    found["data_diri"] = _values(person, PERSON_FIELDS)
    found["data_keluarga"] = _values(home, HOUSEHOLD_FIELDS)
    found["daftar"] = [
        {"dataset": row.dataset.name, "pemilik": str(row.dataset.owner),
         "masih_tercantum": row.dropped_version_id is None}
        for row in Listing.objects.filter(household=home).select_related("dataset__owner")
    ]  # fmt: skip
    found["riwayat_perubahan"] = [
        {
            "waktu": row.at.isoformat(), "data": row.field,
            "semula": _shown(row.field, row.old), "menjadi": _shown(row.field, row.new),
        }
        for row in ValueChange.objects.filter(
            Q(kind=SubjectKind.PERSON, subject_id=person.pk)
            | Q(kind=SubjectKind.HOUSEHOLD, subject_id=home.pk)
        )
    ]  # fmt: skip
    enrolments = Enrolment.objects.filter(Q(person=person) | Q(household=home, person=None))
    found["bantuan"] = [
        {"program": e.sub_activity.name, "perangkat_daerah": str(e.sub_activity.agency),
         "tahap": str(e.get_stage_display())}
        for e in enrolments.select_related("sub_activity__agency")
    ]  # fmt: skip
    found["penyaluran"] = [
        {"tanggal": d.delivered_on.isoformat(), "rupiah": d.amount, "program": d.enrolment.sub_activity.name}
        for d in Delivery.objects.filter(enrolment__in=enrolments).select_related("enrolment__sub_activity")
    ]  # fmt: skip
    found["pembatasan"] = [
        {
            "sejak": held.placed_at.isoformat(), "alasan": held.reason,
            "seluruh_keluarga": held.whole_household,
            "dicabut": held.lifted_at.isoformat() if held.lifted_at else None,
        }
        for held in Restriction.objects.filter(Q(person=person) | Q(household=home))
    ]  # fmt: skip
    found["siapa_melihat"] = [
        {
            "waktu": e.at.isoformat(),
            "siapa": e.actor_name,
            "peran": e.actor_role,
            "alasan": e.reason,
        }
        for e in Event.objects.filter(
            action__in=SEEN, subject_type="registry.household", subject_id=str(home.pk)
        )
    ]
    return found


def _shown(field: str, text: str) -> str:
    return unseal(text) if field in ("nik", "kk") else text


def _values(record: Person | Household, names: tuple[str, ...]) -> dict[str, Any]:
    origins = {
        o.pk: o
        for o in Origin.objects.filter(
            pk__in={record.origin_id_of(name) for name in names}
        ).select_related("dataset")
    }
    values = {}
    for name in names:
        origin = origins[record.origin_id_of(name)]
        value = getattr(record, name)
        values[name] = {
            "nilai": value if isinstance(value, int | float | bool | None) else str(value),
            "asal": origin.short_name,
            "per_tanggal": origin.as_of.isoformat(),
        }
    return values
