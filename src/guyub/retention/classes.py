"""The classes of records that have an end: what each is, how long it is kept, how it is erased.

Apps further down add theirs with :func:`register`. What has no class is listed in :data:`KEPT` with the
reason why nothing of it is disposed of.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.beneficiaries.models import Delivery, Enrolment
from guyub.datasets.models import Dataset, Version
from guyub.datasets.store import version_path
from guyub.discussions.models import Message
from guyub.fieldwork.models import Submission
from guyub.imports.folder import RunFolder
from guyub.imports.models import ImportRun
from guyub.imports.models import State as ImportState
from guyub.linking.lists import LinkFolder
from guyub.linking.models import LinkRun, RunState
from guyub.proposals.models import Proposal
from guyub.proposals.vocabulary import ProposalState
from guyub.registry.models import Household, Listing, Person, Photo, ValueChange
from guyub.registry.vocabulary import Status
from guyub.retention.erasing import (
    Leftover,
    blank_messages,
    blank_proposals,
    blank_submissions,
    erase_household,
    erase_person,
)
from guyub.retention.lists import forget_samples

# What the schedule says until somebody sets it after the regency's own.
FIRST_BASIS = gettext_lazy(
    "Ketetapan awal Guyub; sesuaikan dengan jadwal retensi arsip (JRA) kabupaten"
)
# What a record is called and where: (name, place). Nothing that tells who is meant in full.
Described = dict[int, tuple[str, str]]


@dataclass(frozen=True)
class RecordClass:
    """One class of records.

    ``due(before, only)`` returns (id, date) of records dated before a day, the oldest first, lazily;
    ``only`` narrows to ids. ``erase`` takes the ids of records that are due and that day, within a
    transaction, and returns what is left to do for each.
    """

    code: str
    name: Any
    erased: Any
    kept: Any
    years: int
    due: Callable[[dt.date, Sequence[int] | None], Iterable[tuple[int, dt.date]]]
    describe: Callable[[Sequence[int]], Described]
    erase: Callable[[Sequence[int], dt.date], dict[int, Leftover]]
    # Whether the schedule proposes it, or only a person's own request.
    scheduled: bool = True

    @property
    def first_basis(self) -> Any:
        return FIRST_BASIS


_classes: dict[str, RecordClass] = {}


def register(found: RecordClass) -> None:
    _classes[found.code] = found


def classes() -> list[RecordClass]:
    """Return the classes in the order of their names."""
    return sorted(_classes.values(), key=lambda one: str(one.name))


def class_of(code: str) -> RecordClass:
    return _classes[code]


# What has no class, and why.
KEPT: tuple[tuple[Any, Any], ...] = (
    (
        gettext_lazy("Jejak audit, termasuk pembukaan NIK"),
        gettext_lazy("Berantai: satu baris yang dihapus memutus pembuktian seluruhnya. Isinya nomor catatan dan alasan, bukan data orang miskin."),
    ),
    (
        gettext_lazy("Tanggal dan nilai penyaluran"),
        gettext_lazy("Bukti pertanggungjawaban keuangan; setelah orangnya dihapus, yang tersisa tidak menyebut siapa pun."),
    ),
    (
        gettext_lazy("Statistik dan publikasi yang sudah terbit"),
        gettext_lazy("Hanya jumlah; jumlah kecil sudah disembunyikan saat terbit."),
    ),
    (
        gettext_lazy("Cadangan (backup)"),
        gettext_lazy("Tidak diubah; hilang sendiri setelah masa simpan cadangan lewat (lihat halaman kesehatan sistem)."),
    ),
)  # fmt: skip


def _start(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def _dated(
    rows: QuerySet[Any], moment: str, only: Sequence[int] | None
) -> Iterable[tuple[int, dt.date]]:
    found = rows if only is None else rows.filter(pk__in=only)
    for pk, at in found.order_by(moment, "pk").values_list("pk", moment):
        yield pk, timezone.localdate(at) if isinstance(at, dt.datetime) else at


# Files of imports and linkings


def _due_runs(model: Any, states: Sequence[str], folder: Any) -> Any:
    def due(before: dt.date, only: Sequence[int] | None) -> Iterable[tuple[int, dt.date]]:
        rows = model.objects.filter(state__in=states, finished_at__lt=_start(before))
        for pk, day in _dated(rows, "finished_at", only):
            if folder(pk).path.exists():
                yield pk, day

    return due


def _erase_folders(model: Any, name: str) -> Any:
    def erase(ids: Sequence[int], before: dt.date) -> dict[int, Leftover]:
        forget_samples(model.objects.filter(pk__in=ids))
        return {pk: Leftover([f"/{name}/{pk}"]) for pk in ids}

    return erase


def _describe_imports(ids: Sequence[int]) -> Described:
    rows = ImportRun.objects.filter(pk__in=ids).select_related("dataset__owner")
    return {run.pk: (run.file_name, str(run.dataset)) for run in rows}


def _describe_links(ids: Sequence[int]) -> Described:
    rows = LinkRun.objects.filter(pk__in=ids).select_related("agency")
    return {run.pk: (run.title, str(run.agency or _("Registri"))) for run in rows}


register(RecordClass(
    code="import-files", name=gettext_lazy("Berkas impor"), years=2,
    erased=gettext_lazy("Berkas unggahan dan hasil pemeriksaannya, baris demi baris"),
    kept=gettext_lazy("Bahwa ada impor: kapan, berapa baris, oleh siapa"),
    due=_due_runs(ImportRun, (ImportState.DONE, ImportState.FAILED, ImportState.CANCELLED), RunFolder),
    describe=_describe_imports, erase=_erase_folders(ImportRun, "imports"),
))  # fmt: skip
register(RecordClass(
    code="link-files", name=gettext_lazy("Berkas pencocokan data"), years=2,
    erased=gettext_lazy("Daftar yang dicocokkan, salinan registri saat itu, dan hasil baris demi baris"),
    kept=gettext_lazy("Bahwa ada pencocokan dan jumlahnya"),
    due=_due_runs(LinkRun, (RunState.DONE, RunState.FAILED, RunState.CANCELLED), LinkFolder),
    describe=_describe_links, erase=_erase_folders(LinkRun, "linking"),
))  # fmt: skip


# Earlier versions of lists


def _due_versions(before: dt.date, only: Sequence[int] | None) -> Iterable[tuple[int, dt.date]]:
    current = Dataset.objects.exclude(current_version=None).values("current_version")
    rows = Version.objects.filter(as_of__lt=before, is_reference=False).exclude(pk__in=current)
    found = rows if only is None else rows.filter(pk__in=only)
    for version in found.select_related("dataset").order_by("as_of", "pk"):
        if version_path(version.dataset.code, version.number).exists():
            yield version.pk, version.as_of


def _describe_versions(ids: Sequence[int]) -> Described:
    rows = Version.objects.filter(pk__in=ids).select_related("dataset__owner")
    return {one.pk: (f"{one.dataset.name} v{one.number}", str(one.dataset.owner)) for one in rows}


def _erase_versions(ids: Sequence[int], before: dt.date) -> dict[int, Leftover]:
    rows = Version.objects.filter(pk__in=ids).select_related("dataset")
    return {
        one.pk: Leftover([f"/datasets/{one.dataset.code}/{one.number}.parquet"]) for one in rows
    }


register(RecordClass(
    code="list-versions", name=gettext_lazy("Versi lama daftar"), years=5,
    erased=gettext_lazy("Baris-baris versi yang bukan versi terbaru dan bukan data acuan"),
    kept=gettext_lazy("Tanggal versi dan jumlah keluarga serta jiwanya"),
    due=_due_versions, describe=_describe_versions, erase=_erase_versions,
))  # fmt: skip


# The registry


def _describe_households(ids: Sequence[int]) -> Described:
    homes = Household.objects.filter(pk__in=ids).select_related("village__parent")
    return {
        home.pk: (_("KK %(kk)s") % {"kk": home.masked_kk or "—"}, home.village.title)
        for home in homes
    }


def _due_households(before: dt.date, only: Sequence[int] | None) -> Iterable[tuple[int, dt.date]]:
    """Those on no list, in no help and with nothing written since; duplicates go with their survivor."""
    start = _start(before)
    listed = Listing.objects.filter(household=OuterRef("pk"))
    rows = Household.objects.filter(
        ~Exists(listed.filter(dropped_version=None)),
        ~Exists(listed.filter(dropped_version__as_of__gte=before)),
        ~Exists(Enrolment.objects.filter(household=OuterRef("pk"), stage_since__gte=start)),
        ~Exists(Proposal.objects.filter(household=OuterRef("pk"), submitted_at__gte=start)),
        updated_at__lt=start, origin__as_of__lt=before, merged_into=None,
    ).exclude(status=Status.ERASED)  # fmt: skip
    return _dated(rows, "updated_at", only)


def _erase_households(ids: Sequence[int], before: dt.date) -> dict[int, Leftover]:
    homes = Household.objects.filter(pk__in=ids).order_by("pk")
    return {home.pk: erase_household(home) for home in homes}


register(RecordClass(
    code="people-off-lists", name=gettext_lazy("Keluarga yang tidak lagi ada di daftar mana pun"), years=5,
    erased=gettext_lazy("Semua isi keluarga dan anggotanya, riwayat, foto, pembicaraan, juga dari versi daftar"),
    kept=gettext_lazy("Tanggal dan nilai bantuan yang pernah diserahkan, tanpa menyebut siapa penerimanya"),
    due=_due_households, describe=_describe_households, erase=_erase_households,
))  # fmt: skip


def _due_changes(before: dt.date, only: Sequence[int] | None) -> Iterable[tuple[int, dt.date]]:
    """By household: all that was replaced about it and its members before that day."""
    rows = ValueChange.objects.filter(at__lt=_start(before))
    if only is not None:
        rows = rows.filter(household_id__in=only)
    found = rows.order_by().values("household_id").annotate(oldest=Min("at"))
    for household, at in found.order_by("oldest", "household_id").values_list(
        "household_id", "oldest"
    ):
        yield household, timezone.localdate(at)


def _erase_changes(ids: Sequence[int], before: dt.date) -> dict[int, Leftover]:
    ValueChange.objects.filter(household_id__in=ids, at__lt=_start(before)).delete()
    return {pk: Leftover() for pk in ids}


register(RecordClass(
    code="value-changes", name=gettext_lazy("Riwayat nilai yang sudah diganti"), years=10,
    erased=gettext_lazy("Nilai lama yang sudah diganti sebelum tanggal itu"),
    kept=gettext_lazy("Nilai sekarang dan asalnya"),
    due=_due_changes, describe=_describe_households, erase=_erase_changes,
))  # fmt: skip
register(RecordClass(
    code="photos", name=gettext_lazy("Foto rumah"), years=5,
    erased=gettext_lazy("Foto dan keterangannya"), kept=gettext_lazy("Tidak ada"),
    due=lambda before, only: _dated(Photo.objects.filter(added_at__lt=_start(before)), "added_at", only),
    describe=lambda ids: {
        photo.pk: (_("Foto rumah"), photo.household.village.title)
        for photo in Photo.objects.filter(pk__in=ids).select_related("household__village__parent")
    },
    erase=lambda ids, before: _erase_photos(ids, before),
))  # fmt: skip


def _erase_photos(ids: Sequence[int], before: dt.date) -> dict[int, Leftover]:
    rows = Photo.objects.filter(pk__in=ids)
    left = {pk: Leftover([str(name)]) for pk, name in rows.values_list("pk", "file")}
    rows.delete()
    return left


# Help


def _proofs() -> QuerySet[Delivery]:
    return Delivery.objects.exclude(proof="")


def _erase_proofs(ids: Sequence[int], before: dt.date) -> dict[int, Leftover]:
    rows = Delivery.objects.filter(pk__in=ids)
    left = {pk: Leftover([str(name)]) for pk, name in rows.values_list("pk", "proof")}
    rows.update(proof="")
    return left


register(RecordClass(
    code="delivery-proofs", name=gettext_lazy("Foto bukti penyaluran"), years=10,
    erased=gettext_lazy("Foto bukti"), kept=gettext_lazy("Tanggal dan nilai penyaluran"),
    due=lambda before, only: _dated(_proofs().filter(delivered_on__lt=before), "delivered_on", only),
    describe=lambda ids: {
        one.pk: (_("Bukti penyaluran"), one.sub_activity.name)
        for one in Delivery.objects.filter(pk__in=ids).select_related("sub_activity")
    },
    erase=_erase_proofs,
))  # fmt: skip


# What citizens and officers wrote

ENDED = (ProposalState.FINAL, ProposalState.ANSWERED, ProposalState.DECIDED)


def _due_proposals(before: dt.date, only: Sequence[int] | None) -> Iterable[tuple[int, dt.date]]:
    rows = Proposal.objects.filter(state__in=ENDED, submitted_at__lt=_start(before)).exclude(
        reason=""
    )
    # While an appeal is open to them, it is not over.
    over = rows.filter(Q(due_on=None) | Q(due_on__lt=timezone.localdate()))
    return _dated(over, "submitted_at", only)


register(RecordClass(
    code="proposals", name=gettext_lazy("Usul, sanggahan, dan pengaduan yang sudah selesai"), years=5,
    erased=gettext_lazy("Nama, NIK, alamat, kontak pelapor, uraian, catatan, dan lampiran"),
    kept=gettext_lazy("Jenis, desa, tanggal, dan putusannya"),
    due=_due_proposals,
    describe=lambda ids: {
        one.pk: (str(one), one.village.title)
        for one in Proposal.objects.filter(pk__in=ids).select_related("village__parent")
    },
    erase=lambda ids, before: blank_proposals(Proposal.objects.filter(pk__in=ids)),
))  # fmt: skip


def _submissions(before: dt.date) -> QuerySet[Submission]:
    """Those not emptied yet."""
    return Submission.objects.filter(received_at__lt=_start(before)).exclude(digest="")


register(RecordClass(
    code="field-submissions", name=gettext_lazy("Kiriman dari lapangan"), years=5,
    erased=gettext_lazy("Jawaban formulir dan fotonya"),
    kept=gettext_lazy("Bahwa ada kunjungan: kapan, oleh siapa, dalam putaran apa"),
    due=lambda before, only: _dated(_submissions(before), "received_at", only),
    describe=lambda ids: {
        one.pk: (str(one), one.village.title if one.village else "")
        for one in Submission.objects.filter(pk__in=ids).select_related("village__parent")
    },
    erase=lambda ids, before: blank_submissions(Submission.objects.filter(pk__in=ids)),
))  # fmt: skip


def _messages(before: dt.date) -> QuerySet[Message]:
    return Message.objects.filter(written_at__lt=_start(before)).filter(
        ~Q(text="") | Q(attachments__isnull=False)
    ).distinct()  # fmt: skip


def _kind_of_subject(label: str) -> str:
    """Return what talk is about: the name of a model as people read it."""
    name = str(apps.get_model(label)._meta.verbose_name)
    return name[:1].upper() + name[1:]


register(RecordClass(
    code="messages", name=gettext_lazy("Pembicaraan"), years=5,
    erased=gettext_lazy("Isi pesan dan lampirannya"), kept=gettext_lazy("Bahwa ada pesan, dari siapa dan kapan"),
    due=lambda before, only: _dated(_messages(before), "written_at", only),
    describe=lambda ids: {
        one.pk: (_("Pesan"), _kind_of_subject(one.thread.subject_type))
        for one in Message.objects.filter(pk__in=ids).select_related("thread")
    },
    erase=lambda ids, before: blank_messages(Message.objects.filter(pk__in=ids)),
))  # fmt: skip


# What a person asked for themselves


def _due_people(before: dt.date, only: Sequence[int] | None) -> Iterable[tuple[int, dt.date]]:
    rows = Person.objects.exclude(status=Status.ERASED)
    return _dated(rows, "created_at", only or [])


def _erase_people(ids: Sequence[int], before: dt.date) -> dict[int, Leftover]:
    left: dict[int, Leftover] = {}
    for pk in ids:
        # Read anew each time: erasing one may have emptied a household with another.
        person = Person.objects.exclude(status=Status.ERASED).filter(pk=pk).first()
        left[pk] = erase_person(person) if person is not None else Leftover()
    return left


def _describe_people(ids: Sequence[int]) -> Described:
    people = Person.objects.filter(pk__in=ids).select_related("household__village__parent")
    return {
        one.pk: (_("NIK %(nik)s") % {"nik": one.masked_nik}, one.household.village.title)
        for one in people
    }


ON_REQUEST = "on-request"
register(RecordClass(
    code=ON_REQUEST, name=gettext_lazy("Penghapusan atas permintaan pemilik data"), years=0,
    erased=gettext_lazy("Semua isi tentang orang itu, juga dari versi daftar; berkas impor yang memuatnya"),
    kept=gettext_lazy("Tanggal dan nilai bantuan yang pernah diserahkan, tanpa menyebut siapa penerimanya; jejak audit"),
    due=_due_people, describe=_describe_people, erase=_erase_people, scheduled=False,
))  # fmt: skip
