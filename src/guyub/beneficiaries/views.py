"""Pages about recipients: the lists of sub-activities, one enrolment, its steps and deliveries."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from guyub.access.guards import requires
from guyub.access.masking import mask_number
from guyub.access.permissions import authorize, can
from guyub.areas.models import Area, Level
from guyub.beneficiaries import queries, services
from guyub.beneficiaries.forms import (
    CorrectDeliveryForm,
    DeliveryForm,
    NikForm,
    ReasonForm,
    StepForm,
    UnfitForm,
)
from guyub.beneficiaries.framing import form_page, narrowing_of
from guyub.beneficiaries.models import Delivery, Enrolment, Stage
from guyub.beneficiaries.services import BeneficiariesError
from guyub.beneficiaries.stages import RECEIVING, VERBS, choices_from
from guyub.datasets import exports
from guyub.programs.models import SubActivity
from guyub.programs.vocabulary import Recipient
from guyub.registry.forms import ExportForm
from guyub.registry.models import Person
from guyub.ui.paging import PAGE_SIZE, Slice, page_number, page_of

EXPORT_LIMIT = 100_000


def load_sub_activity(pk: int) -> SubActivity:
    found = SubActivity.objects.select_related("agency").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def load_enrolment(pk: int) -> Enrolment:
    found = (
        Enrolment.objects.select_related(
            "sub_activity__agency", "household__village", "household__district", "person",
            "rule_version__rule", "created_by",
        )
        .filter(pk=pk)
        .first()
    )  # fmt: skip
    if found is None:
        raise Http404
    return found


def load_delivery(pk: int) -> Delivery:
    found = (
        Delivery.objects.select_related("enrolment__household__village", "enrolment__sub_activity")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


# Lists


@require_GET
@requires("beneficiaries.view_totals")
def overview(request: HttpRequest) -> HttpResponse:
    """The sub-activities that help households or people, with how far their recipients are."""
    user: Any = request.user
    years = queries.years()
    year = request.GET.get("tahun", "")
    mine = request.GET.get("milik", "saya" if user.agency_id else "semua") == "saya"
    agency_id = user.agency_id if mine else None
    chosen = int(year) if year.isdigit() else (years[0] if years else None)
    page = page_of(request, queries.overview(user, chosen, agency_id))
    counts = queries.stage_counts(page)
    context = {
        "page": page,
        "rows": [(row, counts[row.pk]) for row in page],
        "years": years,
        "year": chosen,
        "mine": mine,
        "has_agency": bool(user.agency_id),
        "waiting": queries.waiting(user),
    }
    return render(request, "beneficiaries/overview.html", context)


def area_choices(user: Any, chosen: str) -> list[tuple[str, str]]:
    """Return the areas by which ``user`` may narrow: districts, and the villages of the chosen one."""
    mine = getattr(user, "area_code", "")
    areas = (
        Area.objects.filter(parent__code=mine)
        if mine
        else Area.objects.filter(level=Level.DISTRICT)
    )
    inside = chosen.rsplit(".", 1)[0] if chosen.count(".") == 3 else chosen
    options = []
    for area in areas:
        options.append((area.code, area.title))
        if area.code == inside and area.level == Level.DISTRICT:
            options += [(village.code, f"– {village.name}") for village in area.children.all()]
    return options


@require_http_methods(["GET", "POST"])
@requires("beneficiaries.view_totals", load=load_sub_activity)
def sub_activity(request: HttpRequest, record: SubActivity) -> HttpResponse:
    """The recipients of one sub-activity; a searched name comes by POST, so that no address has it."""
    user, narrowing = request.user, narrowing_of(request)
    context: dict[str, Any] = {
        "sub_activity": record,
        "counts": queries.stage_counts([record])[record.pk],
        "delivered": queries.delivered(record),
        "stages": Stage.choices,
        "narrowing": narrowing,
        "may_see": can(user, "beneficiaries.view"),
        "may_edit": can(user, "beneficiaries.edit", record),
        "may_export": can(user, "beneficiaries.export", record),
        "takes_recipients": record.recipient != Recipient.COMMUNITY,
    }
    if context["may_see"]:
        text = str(request.POST.get("cari", "")).strip()[:120]
        number = page_number(request)
        context |= {"text": text, "areas": area_choices(user, narrowing.area)}
        if text:
            context["rows"] = queries.find(record, user, text, narrowing)
        else:
            rows = queries.page(queries.narrowed(record, user, narrowing), number, PAGE_SIZE)
            context["page"] = Slice(rows, number)
            context["rows"] = list(context["page"])
    if context["may_edit"]:
        context["batches"] = record.batches.select_related("created_by")[:5]
    return render(request, "beneficiaries/sub_activity.html", context)


@require_http_methods(["GET", "POST"])
@requires("beneficiaries.edit", load=load_sub_activity)
def enrol_one(request: HttpRequest, record: SubActivity) -> HttpResponse:
    """Add one candidate by NIK."""
    form = NikForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        person = (
            Person.objects.select_related("household__village")
            .filter(nik=form.cleaned_data["nik"])
            .first()
        )
        if person is None:
            form.add_error("nik", _("NIK ini tidak ada di registri. Tambahkan dahulu di registri."))
        else:
            people = record.recipient == Recipient.PERSON
            try:
                new = services.enrol(
                    record,
                    household=person.household,
                    person=person if people else None,
                    actor=request.user,
                )
            except BeneficiariesError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, _("%(who)s didaftarkan sebagai calon.") % {"who": person})
                return redirect("beneficiaries:enrolment", pk=new.pk)
    return form_page(
        request,
        _("Tambah satu penerima"),
        form,
        back=reverse("beneficiaries:sub_activity", args=[record.pk]),
        button=_("Daftarkan"),
        record=record,
    )


# One enrolment


@require_GET
@requires("beneficiaries.view", load=load_enrolment)
def enrolment(request: HttpRequest, record: Enrolment) -> HttpResponse:
    user = request.user
    deliveries = list(record.deliveries.select_related("recorded_by")[:200])
    may_edit = can(user, "beneficiaries.edit", record)
    context = {
        "enrolment": record,
        "sub_activity": record.sub_activity,
        "home": record.household,
        "steps": record.steps.select_related("by")[:100],
        "deliveries": deliveries,
        "rupiah": sum(delivery.amount for delivery in deliveries),
        "changes": record.delivery_changes.select_related("by")[:50],
        "may_edit": may_edit,
        "may_verify": not may_edit
        and record.stage == Stage.CANDIDATE
        and can(user, "beneficiaries.verify", record),
        "reasons": UnfitForm.REASONS,
        "next_stages": [
            (stage, VERBS[stage]) for stage in choices_from(Stage(record.stage)) if may_edit
        ],
        "before": services.stage_before(record) if may_edit else None,
        "may_deliver": may_edit and record.stage in RECEIVING,
    }
    return render(request, "beneficiaries/enrolment.html", context)


@require_http_methods(["GET", "POST"])
@requires("beneficiaries.edit", load=load_enrolment)
def move(request: HttpRequest, record: Enrolment) -> HttpResponse:
    """One step forward, to the stage that ``?ke=`` names."""
    wanted = request.GET.get("ke", "")
    options = choices_from(Stage(record.stage))
    if wanted not in options:
        messages.error(
            request,
            _("Tahapnya sudah “%(stage)s”; langkah itu tidak berlaku lagi.")
            % {"stage": record.get_stage_display()},
        )
        return redirect("beneficiaries:enrolment", pk=record.pk)
    target = Stage(wanted)
    form = StepForm(
        target,
        request.POST if request.method == "POST" else None,
        has_quota=record.sub_activity.quota is not None,
        may_graduate=can(request.user, "registry.edit", record.household),
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.move(record, target, actor=request.user, **form.cleaned_data)
        except BeneficiariesError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Tahap menjadi “%(stage)s”.") % {"stage": target.label})
            return redirect("beneficiaries:enrolment", pk=record.pk)
    return form_page(
        request,
        _("%(who)s: jadikan “%(stage)s”")
        % {"who": record.person or record.household, "stage": target.label},
        form,
        back=reverse("beneficiaries:enrolment", args=[record.pk]),
        record=record.sub_activity,
        enrolment=record,
        tone="danger" if target in (Stage.REJECTED, Stage.WITHDRAWN) else "",
    )


@require_http_methods(["GET", "POST"])
@requires("beneficiaries.edit", load=load_enrolment)
def correct(request: HttpRequest, record: Enrolment) -> HttpResponse:
    """One step back."""
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            services.correct(record, reason=form.cleaned_data["reason"], actor=request.user)
        except BeneficiariesError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Tahap dikembalikan."))
            return redirect("beneficiaries:enrolment", pk=record.pk)
    before = services.stage_before(record)
    return form_page(
        request,
        _("Kembalikan satu tahap"),
        form,
        back=reverse("beneficiaries:enrolment", args=[record.pk]),
        button=_("Kembalikan"),
        record=record.sub_activity,
        enrolment=record,
        intro=_("Dari “%(now)s” kembali ke “%(then)s”.")
        % {"now": record.get_stage_display(), "then": before.label if before else "–"},
    )


# Deliveries


@require_http_methods(["GET", "POST"])
@requires("beneficiaries.edit", load=load_enrolment)
def record_delivery(request: HttpRequest, record: Enrolment) -> HttpResponse:
    form = DeliveryForm(request.POST if request.method == "POST" else None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.record_delivery(record, actor=request.user, **form.cleaned_data)
        except BeneficiariesError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Penyaluran tercatat."))
            return redirect("beneficiaries:enrolment", pk=record.pk)
    return form_page(
        request,
        _("Catat penyaluran untuk %(who)s") % {"who": record.person or record.household},
        form,
        back=reverse("beneficiaries:enrolment", args=[record.pk]),
        record=record.sub_activity,
        enrolment=record,
    )


@require_http_methods(["GET", "POST"])
@requires("beneficiaries.edit", load=load_delivery)
def correct_delivery(request: HttpRequest, record: Delivery) -> HttpResponse:
    initial = {
        "delivered_on": record.delivered_on,
        "amount": record.amount,
        "description": record.description,
    }
    form = CorrectDeliveryForm(
        request.POST if request.method == "POST" else None, request.FILES or None, initial=initial
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.correct_delivery(record, actor=request.user, **form.cleaned_data)
        except BeneficiariesError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Penyaluran diperbaiki; catatan semula tersimpan."))
            return redirect("beneficiaries:enrolment", pk=record.enrolment_id)
    return form_page(
        request,
        _("Perbaiki penyaluran"),
        form,
        back=reverse("beneficiaries:enrolment", args=[record.enrolment_id]),
        record=record.enrolment.sub_activity,
        enrolment=record.enrolment,
    )


@require_http_methods(["GET", "POST"])
@requires("beneficiaries.edit", load=load_delivery)
def void_delivery(request: HttpRequest, record: Delivery) -> HttpResponse:
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            services.void_delivery(record, reason=form.cleaned_data["reason"], actor=request.user)
        except BeneficiariesError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Penyaluran dibatalkan; catatan semula tersimpan."))
            return redirect("beneficiaries:enrolment", pk=record.enrolment_id)
    return form_page(
        request,
        _("Batalkan penyaluran %(date)s") % {"date": f"{record.delivered_on:%d/%m/%Y}"},
        form,
        back=reverse("beneficiaries:enrolment", args=[record.enrolment_id]),
        button=_("Batalkan penyaluran"),
        record=record.enrolment.sub_activity,
        enrolment=record.enrolment,
        intro=_("Untuk penyaluran yang ternyata tidak terjadi."),
        tone="danger",
    )


@require_GET
@requires("beneficiaries.view", load=load_delivery)
def proof(request: HttpRequest, record: Delivery) -> HttpResponseBase:
    """The picture that shows that something was handed over."""
    if not record.proof:
        raise Http404
    return FileResponse(record.proof.open("rb"), content_type="image/jpeg")


# Export


@require_http_methods(["GET", "POST"])
@requires("beneficiaries.export", load=load_sub_activity)
def export(request: HttpRequest, record: SubActivity) -> HttpResponseBase:
    """Take the narrowed list out as a file, with the reason."""
    narrowing = narrowing_of(request)
    form = ExportForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        rows = queries.handed(queries.narrowed(record, request.user, narrowing))
        if form.cleaned_data["full_numbers"]:
            authorize(request.user, "registry.reveal")
        if len(rows.order_by("id").values_list("id")[: EXPORT_LIMIT + 1]) > EXPORT_LIMIT:
            form.add_error(
                None,
                _("Daftar ini lebih dari 100.000 baris. Saring dahulu, misalnya per kecamatan."),
            )
        else:
            return _export_file(request, record, rows, narrowing, form.cleaned_data)
    return form_page(
        request,
        _("Unduh daftar penerima"),
        form,
        back=reverse("beneficiaries:sub_activity", args=[record.pk]),
        button=_("Unduh"),
        record=record,
        intro=_(
            "Yang diunduh adalah daftar menurut saringan tahap dan wilayah di halaman sebelumnya."
        ),
    )


def _export_file(
    request: HttpRequest, record: SubActivity, rows: Any, narrowing: Any, given: dict[str, Any]
) -> HttpResponseBase:
    user: Any = request.user
    full = given["full_numbers"]
    info = [
        (_("Isi"), _("Penerima %(what)s") % {"what": record.name}),
        (_("Perangkat daerah"), str(record.agency)),
        (_("Tahun"), str(record.year)),
        (_("Tempat"), settings.REGENCY_NAME),
        (_("Diunduh"), f"{timezone.localtime():%d/%m/%Y %H.%M}"),
        (_("Oleh"), f"{user} ({user.get_role_display()})"),
        (_("Alasan"), given["reason"]),
        (_("NIK dan KK"), _("lengkap") if full else _("disamarkan")),
    ]
    columns = [
        _("Nama"), _("NIK"), _("No KK"), _("Kepala keluarga"), _("Kode Desa"), _("Desa"), _("Kecamatan"),
        _("Alamat"), _("RT"), _("RW"), _("Desil"), _("Tahap"), _("Sejak"), _("Alasan"), _("Asal"),
        _("Kali menerima"), _("Jumlah rupiah"), _("Terakhir menerima"),
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / f"penerima.{given['format']}"
        write = exports.write_xlsx if given["format"] == "xlsx" else exports.write_csv
        count = write(path, info, columns, _export_rows(rows, full))
        services.log_export(
            record, actor=user, reason=given["reason"], rows=count, full_numbers=full,
            narrowing=narrowing.as_json(),
        )  # fmt: skip
        name = f"penerima-{record.pk}-{timezone.localdate():%Y%m%d}.{given['format']}"
        return FileResponse(path.open("rb"), as_attachment=True, filename=name)


def _export_rows(rows: Any, full: bool) -> Iterator[tuple[Any, ...]]:
    for row in queries.for_export(rows):
        home, person = row.household, row.person
        # A household stands under the NIK of its head.
        nik = person.nik if person is not None else row.head_nik
        masked = nik if full or not nik else mask_number(nik)
        yield (
            str(person or home), masked, home.kk if full else home.masked_kk, home.head_name,
            home.village.code, home.village.name, home.district.name, home.address, home.rt, home.rw,
            home.desil, row.get_stage_display(), timezone.localtime(row.stage_since).date(),
            row.reason, row.get_entry_display(), row.times, row.rupiah or 0, row.last,
        )  # fmt: skip
