"""Pages about forms: bringing an XLSForm, looking at it, taking it out again, loading what was gathered by it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from guyub.access.guards import requires
from guyub.access.permissions import can
from guyub.datasets.exports import write_csv
from guyub.fieldwork import bringing, loading, queries
from guyub.fieldwork.definition import SILENT, Definition
from guyub.fieldwork.models import Form, FormUpload, FormVersion, Load
from guyub.fieldwork.vocabulary import LoadState
from guyub.fieldwork.xlsform_writing import UnconvertibleFormError, write, xform_of
from guyub.ui.answers import refused, show_errors
from guyub.ui.paging import page_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LINES_SHOWN = 100


def load_upload(pk: int) -> FormUpload:
    return get_object_or_404(FormUpload.objects.select_related("agency"), pk=pk)


def load_load(pk: int) -> Load:
    return get_object_or_404(Load.objects.select_related("form", "round", "created_by"), pk=pk)


def _version(pk: int) -> FormVersion:
    return get_object_or_404(FormVersion.objects.select_related("form"), pk=pk)


class FormFile(forms.Form):
    """An XLSForm to be brought."""

    file = forms.FileField(
        label=gettext_lazy("Berkas XLSForm (.xlsx)"),
        help_text=gettext_lazy("Dari KoboToolbox: Form → unduh XLS. Paling besar 5 MB."),
        widget=forms.FileInput(attrs={"accept": ".xlsx"}),
    )


class SubmissionsFile(forms.Form):
    """A file with submissions, and the round that they belong to."""

    file = forms.FileField(
        label=gettext_lazy("Berkas kiriman"),
        help_text=gettext_lazy("XLSX, CSV, atau JSON dari Kobo; ZIP atau CSV dari ODK. Paling besar 200 MB."),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv,.json,.zip,.xml"}),
    )  # fmt: skip
    round: Any = forms.ModelChoiceField(
        label=gettext_lazy("Putaran"),
        queryset=None,
        required=False,
        empty_label=gettext_lazy("Di luar putaran"),
        help_text=gettext_lazy("Kiriman dicocokkan dengan kunjungan putaran ini lewat nomor KK atau NIK."),
    )  # fmt: skip

    def __init__(self, user: Any, form: Form, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: dict[str, Any] = self.fields
        fields["round"].queryset = queries.rounds_for(user).filter(form_version__form=form)


# Forms


@require_GET
@requires("fieldwork.view_forms")
def form_list(request: HttpRequest) -> HttpResponse:
    """All forms that one may use."""
    page = page_of(request, queries.forms_for(request.user))
    context = {"page": page, "may_load": can(request.user, "fieldwork.load")}
    return render(request, "fieldwork/forms.html", context)


@require_GET
@requires("fieldwork.view_forms")
def form_page(request: HttpRequest, pk: int) -> HttpResponse:
    """A form: its versions, what it asks, what was loaded by it."""
    record = get_object_or_404(Form.objects.select_related("agency"), pk=pk)
    versions = list(record.versions.select_related("created_by").order_by("-number")[:50])
    may_load = queries.forms_to_load(request.user).filter(pk=pk).exists()
    context = {
        "record": record,
        "versions": versions,
        "definition": Definition.from_json(versions[0].definition),
        "page": page_of(request, queries.outside_rounds(record, request.user)),
        "loads": queries.loads_for(request.user).filter(form=record)[:20],
        "may_load": may_load,
        "silent": SILENT,
        "submissions_form": SubmissionsFile(request.user, record) if may_load else None,
    }
    return render(request, "fieldwork/form_page.html", context)


@require_http_methods(["GET", "POST"])
@requires("fieldwork.load")
def bring(request: HttpRequest) -> HttpResponse:
    """Upload an XLSForm; it is shown before it is kept."""
    form = FormFile(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            upload = bringing.bring(form.cleaned_data["file"], actor=request.user)
        except ValidationError as error:
            show_errors(form, error)
        else:
            return redirect("fieldwork:form_upload", pk=upload.pk)
    return render(
        request, "fieldwork/bring.html", {"form": form}, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "POST"])
@requires("fieldwork.load", load=load_upload)
def form_upload(request: HttpRequest, upload: FormUpload) -> HttpResponse:
    """What an uploaded form would look like and what is wrong with it; by POST it is kept."""
    if request.method == "POST":
        try:
            version = bringing.keep(upload, actor=request.user)
        except ValidationError as error:
            refused(request, error)
        else:
            messages.success(request, _("Formulir tersimpan: %(version)s.") % {"version": version})
            return redirect("fieldwork:form_page", pk=version.form_id)
    reading = bringing.reading_of(upload)
    known = None
    if reading.definition is not None:
        known = (
            queries.forms_for(request.user).filter(id_string=reading.definition.id_string).first()
        )
    context = {
        "upload": upload, "definition": reading.definition, "faults": reading.faults[:200],
        "fault_count": len(reading.faults), "remarks": reading.remarks[:50], "known": known, "silent": SILENT,
    }  # fmt: skip
    return render(request, "fieldwork/form_upload.html", context)


@require_GET
@requires("fieldwork.view_forms")
def xlsform(request: HttpRequest, pk: int) -> HttpResponse:
    """A version as XLSForm, for KoboToolbox, ODK Central or Excel."""
    version = _version(pk)
    answer = HttpResponse(write(Definition.from_json(version.definition)), content_type=XLSX)
    name = f"{version.form.id_string}-{version.number}.xlsx"
    answer["Content-Disposition"] = f'attachment; filename="{_safe(name)}"'
    return answer


@require_GET
@requires("fieldwork.view_forms")
def xform(request: HttpRequest, pk: int) -> HttpResponse:
    """A version as XForm, which ODK Collect fills in."""
    version = _version(pk)
    try:
        text = xform_of(Definition.from_json(version.definition))
    except UnconvertibleFormError as error:
        messages.error(
            request, _("ODK Collect menolak formulir ini: %(message)s") % {"message": error}
        )
        return redirect("fieldwork:form_page", pk=version.form_id)
    answer = HttpResponse(text, content_type="application/xml")
    name = f"{version.form.id_string}-{version.number}.xml"
    answer["Content-Disposition"] = f'attachment; filename="{_safe(name)}"'
    return answer


def _safe(name: str) -> str:
    return "".join(
        sign if sign.isalnum() or sign in "._-" else "_" for sign in name if sign.isascii()
    )


# Submissions from files


@require_POST
@requires("fieldwork.load")
def load_submissions(request: HttpRequest) -> HttpResponse:
    """Take in a file with submissions to the form that is named; the worker loads it."""
    pk = request.POST.get("form", "")
    number = int(pk) if pk.isascii() and pk.isdigit() else 0
    record = queries.forms_to_load(request.user).filter(pk=number).first()
    if record is None:
        messages.error(request, _("Pilih formulirnya dahulu, lalu muat kirimannya di sana."))
        return redirect("fieldwork:form_list")
    form = SubmissionsFile(request.user, record, request.POST, request.FILES)
    if form.is_valid():
        given = form.cleaned_data
        try:
            load = loading.start(record, given["file"], actor=request.user, round=given["round"])
        except ValidationError as error:
            refused(request, error)
        else:
            return redirect("fieldwork:load", pk=load.pk)
    else:
        for errors in form.errors.values():
            messages.error(request, str(errors[0]))
    return redirect("fieldwork:form_page", pk=record.pk)


def _load_context(load: Load) -> dict[str, Any]:
    lines = loading.lines_of(load)
    return {
        "load": load,
        "is_running": load.state == LoadState.RUNNING,
        "lines": lines[:LINES_SHOWN],
        "hidden": max(0, len(lines) - LINES_SHOWN),
    }


@require_GET
@requires("fieldwork.load", load=load_load)
def load_page(request: HttpRequest, load: Load) -> HttpResponse:
    """How far a load is, and what became of it."""
    return render(request, "fieldwork/load.html", _load_context(load))


@require_GET
@requires("fieldwork.load", load=load_load)
def load_progress(request: HttpRequest, load: Load) -> HttpResponse:
    return render(request, "fieldwork/_load.html", _load_context(load))


@require_GET
@requires("fieldwork.load", load=load_load)
def load_report(request: HttpRequest, load: Load) -> HttpResponseBase:
    """The report as a CSV file."""
    if load.state == LoadState.RUNNING:
        raise Http404
    info = [
        (_("Isi"), _("Laporan pemuatan kiriman: %(file)s") % {"file": load.file_name}),
        (_("Formulir"), str(load.form)),
        (_("Dimuat"), f"{timezone.localtime(load.created_at):%d/%m/%Y %H.%M}"),
        (_("Jumlah"), _("%(loaded)d dimuat, %(known)d sudah ada, %(replaced)d mengganti, %(failed)d gagal") % {
            "loaded": load.loaded, "known": load.known, "replaced": load.replaced, "failed": load.failed}),
    ]  # fmt: skip
    columns = [_("Hasil"), _("Berkas"), _("Lembar"), _("Baris"), _("Kolom"), _("Keterangan")]
    rows = (
        [line.label, line.file, line.sheet, line.row or "", line.column, line.message]
        for line in loading.lines_of(load)
    )
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "laporan.csv"
        write_csv(path, info, columns, rows)
        return FileResponse(
            path.open("rb"), as_attachment=True, filename=f"laporan-pemuatan-{load.pk}.csv"
        )
