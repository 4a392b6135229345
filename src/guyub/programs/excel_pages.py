"""Pages that give programs out as Excel files and take them in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from guyub.access.guards import requires
from guyub.agencies.models import Agency
from guyub.imports.reading import UnreadableFileError
from guyub.programs import exchange, queries, services, workbook
from guyub.programs.exchange import Fate
from guyub.programs.filters import narrowing_of
from guyub.programs.forms import UploadForm
from guyub.programs.models import Upload
from guyub.ui.paging import page_of

TONES = {Fate.NEW: "info", Fate.CHANGED: "warn", Fate.SAME: "neutral", Fate.REJECTED: "bad"}


def _upload(pk: int) -> Upload:
    return get_object_or_404(Upload.objects.defer("content").select_related("uploaded_by"), pk=pk)


def _file(
    name: str, rows: Iterable[dict[str, Any]], about: list[tuple[str, str]]
) -> HttpResponseBase:
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / name
        workbook.write(target, rows, about)
        return FileResponse(target.open("rb"), as_attachment=True, filename=name)


@requires("programs.view")
def export(request: HttpRequest) -> HttpResponseBase:
    """The sub-activities that a list shows, as the file that may be edited and uploaded again."""
    narrowing = narrowing_of(request.GET, queries.years())
    subs = (
        queries.sub_activities(narrowing)
        .select_related("agency", "activity__program__mission")
        .prefetch_related("fundings", "areas")
        .order_by(
            "agency__name", "year", "activity__program__code", "activity__code", "code", "name"
        )
    )
    user: Any = request.user
    agency = Agency.objects.filter(code=narrowing.agency).first() if narrowing.agency else None
    about = [
        (_("Isi"), _("Program, kegiatan dan sub kegiatan penanggulangan kemiskinan")),
        (_("Perangkat daerah"), agency.name if agency is not None else _("Semua")),
        (_("Tahun"), str(narrowing.year) if narrowing.year is not None else _("Semua")),
        (_("Diunduh"), f"{timezone.localtime():%d/%m/%Y %H.%M}, {user}"),
        (
            _("Cara memakai"),
            _(
                "Ubah sel seperlunya, tambahkan baris baru di bawahnya, lalu unggah berkas ini di "
                "Program > Impor Excel. Guyub menunjukkan apa yang akan berubah sebelum diterapkan. "
                "Baris yang dihapus dari berkas tidak menghapus apa pun dari Guyub."
            ),
        ),
    ]
    parts = ["program", narrowing.agency, str(narrowing.year or "")]
    return _file("-".join(filter(None, parts)) + ".xlsx", workbook.rows_of(subs), about)


@requires("programs.edit")
def template(request: HttpRequest) -> HttpResponseBase:
    """The empty form."""
    about = [
        (_("Isi"), _("Templat program, kegiatan dan sub kegiatan")),
        (_("Cara memakai"), _("Isi satu baris untuk tiap sub kegiatan di lembar Program.")),
    ]
    return _file("templat-program.xlsx", [], about)


@requires("programs.edit")
def upload(request: HttpRequest) -> HttpResponse:
    """Choose a file; then its preview."""
    form = UploadForm(request.POST or None, request.FILES or None)
    user: Any = request.user
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            looked_at = services.look_at_upload(file.read(), file.name, actor=user)
        except UnreadableFileError as error:
            form.add_error("file", str(error))
        else:
            return redirect("programs:preview", pk=looked_at.pk)
    recent = Upload.objects.filter(uploaded_by=user).defer("content", "outcome")[:5]
    return render(request, "programs/upload.html", {"form": form, "recent": recent})


@requires("programs.edit", load=_upload)
def preview(request: HttpRequest, looked_at: Upload) -> HttpResponse:
    """What each row would do, or did; ``?hasil=`` shows one kind of row."""
    results = looked_at.outcome["results"]
    asked = request.GET.get("hasil", "")
    counts = {fate: sum(r["fate"] == fate for r in results) for fate in Fate}
    if asked not in Fate.values:
        # What needs eyes comes first; what stays as it is has to be asked for.
        rows = [
            r
            for fate in (Fate.REJECTED, Fate.CHANGED, Fate.NEW)
            for r in results
            if r["fate"] == fate
        ]
        asked = ""
    else:
        rows = [r for r in results if r["fate"] == asked]
    page = page_of(request, rows)
    for row in page.object_list:
        row["label"], row["tone"] = Fate(row["fate"]).label, TONES[Fate(row["fate"])]
    context = {
        "upload": looked_at,
        "page": page,
        "asked": asked,
        "counts": [(fate, fate.label, counts[fate]) for fate in Fate],
        "to_apply": counts[Fate.NEW] + counts[Fate.CHANGED],
        "rejected": counts[Fate.REJECTED],
        "total": len(results),
    }
    return render(request, "programs/preview.html", context)


@require_POST
@requires("programs.edit", load=_upload)
def apply(request: HttpRequest, looked_at: Upload) -> HttpResponse:
    """Take the file in."""
    try:
        outcome = services.apply_upload(looked_at, actor=request.user)
    except exchange.StaleError:
        messages.warning(
            request,
            _(
                "Data berubah sejak pratinjau dibuat, jadi belum ada yang diterapkan. Periksa pratinjau "
                "yang baru ini, lalu terapkan."
            ),
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        counts = outcome.counts()
        messages.success(
            request,
            _(
                "Diterapkan: %(new)d baru, %(changed)d berubah, %(same)d tetap, %(rejected)d ditolak."
            )
            % counts,
        )
    return redirect("programs:preview", pk=looked_at.pk)
