"""Pages that act on many recipients at once, and the page of such a batch."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from guyub.access.guards import requires
from guyub.audit import services as audit
from guyub.beneficiaries import batches, files
from guyub.beneficiaries.applying import BULK_BACK, selection
from guyub.beneficiaries.files import BatchFolder
from guyub.beneficiaries.forms import (
    DeliveryFileForm,
    FileForm,
    ManyDeliveriesForm,
    ReasonForm,
    RuleForm,
    StepForm,
)
from guyub.beneficiaries.framing import form_page, narrowing_of
from guyub.beneficiaries.models import Batch, BatchKind, Stage
from guyub.beneficiaries.services import BeneficiariesError
from guyub.beneficiaries.stages import CHOSEN
from guyub.beneficiaries.views import load_sub_activity
from guyub.datasets import exports
from guyub.imports.corrections import write_rejected
from guyub.longruns.progress import shown
from guyub.programs.models import SubActivity
from guyub.targeting.checking import RuleError
from guyub.ui.numbers import grouped
from guyub.ui.paging import Slice, page_number

REJECTIONS_A_PAGE = 20
DELIVER = "salur"
BACK = "kembali-"
STAGE_NAMES = {
    "stage": gettext_lazy("Membaca berkas"),
    "check": gettext_lazy("Mencocokkan dengan registri"),
    "apply": gettext_lazy("Menyimpan"),
}


def load_batch(pk: int) -> Batch:
    found = Batch.objects.select_related("sub_activity__agency", "created_by").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _home(record: SubActivity) -> str:
    return reverse("beneficiaries:sub_activity", args=[record.pk])


# Enrolling


@require_http_methods(["GET", "POST"])
@requires("beneficiaries.edit", load=load_sub_activity)
def enrol_rule(request: HttpRequest, record: SubActivity) -> HttpResponse:
    """Choose a rule, look at the numbers, then enrol."""
    form = RuleForm(record, request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {
        "sub_activity": record,
        "form": form,
        "left": batches.places_left(record),
        "has_rules": form.fields["rule"].queryset.exists(),  # type: ignore[attr-defined]
    }
    if request.method == "POST" and form.is_valid():
        version = form.cleaned_data["rule"].current_version
        areas = form.area_codes()
        limit = context["left"] if form.cleaned_data.get("up_to_quota") else None
        try:
            if "daftarkan" in request.POST:
                batch = batches.enrol_from_rule(
                    record, version, areas=areas, limit=limit, actor=request.user
                )
                return redirect("beneficiaries:batch", pk=batch.pk)
            context["preview"] = batches.preview_rule(record, version, areas, limit)
            context["version"] = version
        except (BeneficiariesError, RuleError) as error:
            form.add_error(None, str(error))
    return render(request, "beneficiaries/rule.html", context, status=422 if form.errors else 200)


def _take_file(request: HttpRequest, record: SubActivity, kind: str, form: Any) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        file = given.pop("file")
        try:
            batch = batches.take_file(
                record, kind, file_name=file.name, chunks=file.chunks(), wish=given,
                actor=request.user,
            )  # fmt: skip
        except BeneficiariesError as error:
            form.add_error("file" if "alasan" not in str(error) else "reason", str(error))
        else:
            return redirect("beneficiaries:batch", pk=batch.pk)
    context = {"sub_activity": record, "form": form, "kind": kind}
    return render(request, "beneficiaries/upload.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("beneficiaries.edit", load=load_sub_activity)
def enrol_file(request: HttpRequest, record: SubActivity) -> HttpResponse:
    """Take in a file of NIK to enrol."""
    form = FileForm(
        request.POST if request.method == "POST" else None,
        request.FILES or None,
        has_quota=record.quota is not None,
    )
    return _take_file(request, record, BatchKind.ENROL_FILE, form)


@require_http_methods(["GET", "POST"])
@requires("beneficiaries.edit", load=load_sub_activity)
def deliver_file(request: HttpRequest, record: SubActivity) -> HttpResponse:
    """Take in a file of deliveries."""
    form = DeliveryFileForm(
        request.POST if request.method == "POST" else None, request.FILES or None
    )
    return _take_file(request, record, BatchKind.DELIVER_FILE, form)


@require_GET
@requires("beneficiaries.edit")
def example(request: HttpRequest) -> HttpResponseBase:
    """An Excel file with the right headings, its columns set to text."""
    delivers = request.GET.get("jenis") == "penyaluran"
    columns, rows = files.example_rows(BatchKind.DELIVER_FILE if delivers else BatchKind.ENROL_FILE)
    info = [
        (_("Cara memakai"), _("Isi lembar Data mulai baris kedua; hapus baris contohnya.")),
        (_("Kolom NIK"), _("Biarkan berformat Teks, agar Excel tidak mengubah angkanya.")),
    ]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "contoh.xlsx"
        exports.write_xlsx(path, info, columns, rows)
        name = "contoh-penyaluran.xlsx" if delivers else "contoh-pendaftaran.xlsx"
        return FileResponse(path.open("rb"), as_attachment=True, filename=name)


# Those selected


@require_http_methods(["GET", "POST"])
@requires("beneficiaries.edit", load=load_sub_activity)
def many(request: HttpRequest, record: SubActivity) -> HttpResponse:
    """One action on the enrolments ticked (``pilih``), or on all that the list shows (``semua``)."""
    action = request.GET.get("aksi", "")
    chosen = _chosen(request)
    count = selection(record, chosen).count()
    back_to = (
        Stage(action.removeprefix(BACK))
        if action.startswith(BACK) and (action.removeprefix(BACK) in BULK_BACK)
        else None
    )
    if action != DELIVER and back_to is None and action not in CHOSEN:
        messages.error(request, _("Pilih dahulu tindakannya."))
        return redirect(_home(record))
    if not count:
        messages.error(request, _("Belum ada yang dipilih. Centang dahulu penerimanya."))
        return redirect(_home(record))
    data = request.POST if request.method == "POST" else None
    form: Any
    if action == DELIVER:
        title, form = _("Catat penyaluran serentak"), ManyDeliveriesForm(data)
    elif back_to is not None:
        title, form = _("Kembalikan ke “%(stage)s”") % {"stage": back_to.label}, ReasonForm(data)
    else:
        title = _("Jadikan “%(stage)s”") % {"stage": Stage(action).label}
        form = StepForm(action, data, has_quota=record.quota is not None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            if action == DELIVER:
                batch = batches.deliver_many(record, chosen, actor=request.user, **given)
            else:
                batch = batches.move_many(
                    record, chosen, back_to or action, back=back_to is not None,
                    actor=request.user, **given,
                )  # fmt: skip
        except BeneficiariesError as error:
            form.add_error(None, str(error))
        else:
            return redirect("beneficiaries:batch", pk=batch.pk)
    return form_page(
        request,
        title,
        form,
        back=_home(record),
        record=record,
        intro=_("%(n)s penerima dipilih. Yang tahapnya tidak sesuai dilewati.")
        % {"n": grouped(count)},
        button=_("Catat") if action == DELIVER else _("Simpan"),
        tone="danger" if action in (Stage.REJECTED, Stage.WITHDRAWN) else "",
    )


def _chosen(request: HttpRequest) -> dict[str, Any]:
    if request.GET.get("semua"):
        return {"narrowing": narrowing_of(request).as_json()}
    return {"ids": [int(pk) for pk in request.GET.getlist("pilih")[:500] if pk.isdigit()]}


# A batch


@require_GET
@requires("beneficiaries.edit", load=load_batch)
def batch(request: HttpRequest, record: Batch) -> HttpResponse:
    cause = request.GET.get("sebab", "")
    number = page_number(request)
    rows = files.rejections(record, (number - 1) * REJECTIONS_A_PAGE, REJECTIONS_A_PAGE + 1, cause)
    folder = BatchFolder(record.pk)
    context = {
        "batch": record,
        "sub_activity": record.sub_activity,
        "progress": _progress(record),
        "quota_trouble": batches.quota_trouble(record),
        "rejections": Slice(rows, number, REJECTIONS_A_PAGE),
        "causes": files.cause_counts(record),
        "cause": cause,
        "target": Stage(record.wish["target"]).label if "target" in record.wish else "",
        "as_stage": Stage(record.wish["stage"]).label if record.wish.get("stage") else "",
        "has_corrections": bool(record.counts.get("rejected"))
        and folder.rejected.exists()
        and folder.staged.exists(),
    }
    return render(request, "beneficiaries/batch.html", context)


def _progress(record: Batch) -> dict[str, Any]:
    return shown(BatchFolder(record.pk), STAGE_NAMES)


@require_GET
@requires("beneficiaries.edit", load=load_batch)
def progress(request: HttpRequest, record: Batch) -> HttpResponse:
    """The part of the page that renews itself; the page is loaded anew once the work is done."""
    if not record.is_working:
        return HttpResponseClientRefresh()
    context = {"batch": record, "progress": _progress(record)}
    return render(request, "beneficiaries/_progress.html", context)


@require_POST
@requires("beneficiaries.edit", load=load_batch)
def approve(request: HttpRequest, record: Batch) -> HttpResponse:
    try:
        batches.approve(
            record, actor=request.user, over_quota=request.POST.get("over_quota") == "on"
        )
    except BeneficiariesError as error:
        messages.error(request, str(error))
    return redirect("beneficiaries:batch", pk=record.pk)


@require_POST
@requires("beneficiaries.edit", load=load_batch)
def cancel(request: HttpRequest, record: Batch) -> HttpResponse:
    try:
        batches.cancel(record, actor=request.user)
    except BeneficiariesError as error:
        messages.error(request, str(error))
    return redirect("beneficiaries:batch", pk=record.pk)


@require_POST
@requires("beneficiaries.edit", load=load_batch)
def corrections(request: HttpRequest, record: Batch) -> HttpResponseBase:
    """The rejected rows as Excel, to be corrected and uploaded again. Holds full NIKs: logged."""
    folder = BatchFolder(record.pk)
    if not folder.rejected.exists() or not folder.staged.exists():
        raise Http404
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "perbaikan.xlsx"
        count = write_rejected(
            folder,
            record.layout["headings"],
            lambda *fault: files.as_rejection(record, *fault),
            target,
        )
        audit.record(
            "beneficiaries.batch.export_rejections",
            actor=request.user,
            subject=record,
            reason=_("Memperbaiki baris yang ditolak"),
            detail={"rows": count},
        )
        return FileResponse(
            target.open("rb"), as_attachment=True, filename=f"perbaikan-penerima-{record.pk}.xlsx"
        )
