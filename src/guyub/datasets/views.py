"""Datasets: who keeps which list, how fresh it is, and what changed between its versions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from guyub.access.guards import requires
from guyub.access.masking import mask_number
from guyub.access.permissions import authorize, can
from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.datasets import columns, exports, queries, services, store, wording
from guyub.datasets.forms import DatasetForm, ExportForm, ReasonForm
from guyub.datasets.models import Dataset, Freshness, Version
from guyub.ui.paging import PAGE_SIZE, Slice, page_number, page_of

KINDS = ("added", "removed", "changed")


def load_dataset(code: str) -> Dataset:
    found = queries.all_datasets().filter(code=code).first()
    if found is None:
        raise Http404
    return found


def load_version(code: str, number: int) -> Version:
    found = Version.objects.select_related("dataset__owner").filter(
        dataset__code=code, number=number
    )
    version = found.first()
    if version is None:
        raise Http404
    return version


@require_GET
@requires("datasets.view")
def list_page(request: HttpRequest) -> HttpResponse:
    owner, wanted = request.GET.get("pemilik", ""), request.GET.get("kesegaran", "")
    datasets = list(queries.all_datasets(owner))
    if wanted:
        # Freshness depends on today, and there are some dozens of datasets at the most.
        datasets = [dataset for dataset in datasets if dataset.freshness == wanted]
    context = {
        "page": page_of(request, datasets),
        "owners": Agency.objects.exclude(datasets=None).order_by("name"),
        "owner": owner,
        "wanted": wanted,
        "freshness": Freshness.choices,
        "reference": queries.reference(),
        "may_create": can(request.user, "datasets.edit"),
    }
    return render(request, "datasets/list.html", context)


@require_GET
@requires("datasets.view", load=load_dataset)
def detail(request: HttpRequest, dataset: Dataset) -> HttpResponse:
    versions = dataset.versions.select_related("created_by").order_by("-number")
    page = page_of(request, versions, 12)
    rows = list(page.object_list)
    older = {version.number for version in rows}
    for version in rows:
        version.has_older = version.number > 1 or version.number - 1 in older
    context = {
        "dataset": dataset,
        "page": page,
        "versions": rows,
        "may_edit": can(request.user, "datasets.edit", dataset),
        "may_import": can(request.user, "imports.run", dataset),
        "may_export": can(request.user, "datasets.export", dataset),
        "may_mark": can(request.user, "datasets.mark_reference"),
    }
    return render(request, "datasets/detail.html", context)


def _form_page(
    request: HttpRequest, form: Any, title: str, deed: str, back: Dataset | None, note: str = ""
) -> HttpResponse:
    """A page with one form; ``deed`` is what its button does."""
    context = {"form": form, "title": title, "deed": deed, "dataset": back, "note": note}
    return render(request, "datasets/form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("datasets.edit")
def create(request: HttpRequest) -> HttpResponse:
    form = DatasetForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            dataset = services.create_dataset(actor=request.user, **form.values())
        except IntegrityError:
            form.add_error("code", _("Kode ini sudah dipakai dataset lain."))
        else:
            messages.success(request, _("Dataset dibuat. Anda bisa mengunggah daftarnya sekarang."))
            return redirect("datasets:detail", code=dataset.code)
    return _form_page(request, form, _("Tambah dataset"), _("Simpan"), None)


@require_http_methods(["GET", "POST"])
@requires("datasets.edit", load=load_dataset)
def edit(request: HttpRequest, dataset: Dataset) -> HttpResponse:
    form = DatasetForm(request.user, request.POST or None, instance=dataset)
    if request.method == "POST" and form.is_valid():
        services.update_dataset(
            Dataset.objects.get(pk=dataset.pk), actor=request.user, **form.values()
        )
        messages.success(request, _("Perubahan tersimpan."))
        return redirect("datasets:detail", code=dataset.code)
    return _form_page(request, form, _("Ubah dataset"), _("Simpan"), dataset)


@require_http_methods(["GET", "POST"])
@requires("datasets.mark_reference", load=load_version)
def mark_reference(request: HttpRequest, version: Version) -> HttpResponse:
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.mark_reference(version, actor=request.user, reason=form.cleaned_data["reason"])
        messages.success(request, _("Versi ini sekarang menjadi data acuan."))
        return redirect("datasets:detail", code=version.dataset.code)
    note = _(
        "Data acuan menang bila daftar lain berbeda. Hanya satu versi yang menjadi acuan; "
        "versi baru dari dataset yang sama meneruskan tanda acuan itu."
    )
    title = _("Jadikan %(name)s versi %(number)s sebagai data acuan") % {
        "name": version.dataset.name, "number": version.number,
    }  # fmt: skip
    return _form_page(request, form, title, _("Jadikan acuan"), version.dataset, note)


def load_newer(code: str, older: int, newer: int) -> Version:
    version = load_version(code, newer)
    version.compared_with = load_version(code, older)  # type: ignore[attr-defined]
    return version


@require_GET
@requires("datasets.view", load=load_newer)
def compare(request: HttpRequest, version: Version) -> HttpResponse:
    """What changed from one version to another: counts for all, people for those who may see them."""
    before: Version = version.compared_with  # type: ignore[attr-defined]
    code = version.dataset.code
    old, new = store.version_path(code, before.number), store.version_path(code, version.number)
    if not old.exists() or not new.exists():
        raise Http404
    kind = request.GET.get("jenis", "changed")
    kind = kind if kind in KINDS else "changed"
    context: dict[str, Any] = {
        "dataset": version.dataset,
        "older": before,
        "newer": version,
        "counts": store.compare(old, new),
        "kind": kind,
        "may_see": queries.may_see_people(request.user),
        "others": version.dataset.versions.order_by("-number")[:50],
    }
    if context["may_see"]:
        number = page_number(request)
        rows = store.changes(old, new, kind, (number - 1) * PAGE_SIZE, PAGE_SIZE + 1)
        names = dict(
            Area.objects.filter(code__in={row["village"] for row in rows}).values_list(
                "code", "name"
            )
        )
        for row in rows:
            row["masked"] = mask_number(row["nik"])
            row["village"] = names.get(row["village"], row["village"])
            row["fields"] = [
                (columns.label_of(name), _shown(name, a), _shown(name, b))
                for name, a, b in row["fields"]
            ]
        context["page"] = Slice(rows, number)
    return render(request, "datasets/compare.html", context)


def _shown(name: str, value: str | None) -> str:
    if not value:
        return "—"
    return mask_number(value) if name == "kk" else wording.in_words(name, value)


@require_http_methods(["GET", "POST"])
@requires("datasets.export", load=load_version)
def export(request: HttpRequest, version: Version) -> HttpResponseBase:
    form = ExportForm(request.POST or None)
    path = store.version_path(version.dataset.code, version.number)
    if not path.exists():
        raise Http404
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if given["full_numbers"]:
            authorize(request.user, "registry.reveal")
        return _export_file(request, version, path, given)
    title = _("Unduh %(name)s versi %(number)s") % {
        "name": version.dataset.name, "number": version.number,
    }  # fmt: skip
    return _form_page(request, form, title, _("Unduh"), version.dataset)


def _export_file(
    request: HttpRequest, version: Version, path: Path, given: Any
) -> HttpResponseBase:
    user: Any = request.user
    reference = queries.reference()
    info = [
        (_("Dataset"), version.dataset.name),
        (_("Pemilik"), str(version.dataset.owner)),
        (_("Dasar hukum"), version.dataset.legal_basis),
        (_("Versi"), f"{version.number} ({version.as_of:%d/%m/%Y})"),
        (
            _("Data acuan"),
            f"{reference.dataset} v{reference.number}, {reference.as_of:%d/%m/%Y}"
            if reference
            else "—",
        ),
        (_("Diunduh"), f"{timezone.localtime():%d/%m/%Y %H.%M}"),
        (_("Oleh"), f"{user} ({user.get_role_display()})"),
        (_("Alasan"), given["reason"]),
        (_("NIK dan KK"), _("lengkap") if given["full_numbers"] else _("disamarkan")),
    ]
    names = [store.KEY, *store.columns_of(path)]
    # Headings that an import recognises, so that an export can come back.
    headings = [
        _("Kode desa/kelurahan") if name == "village" else columns.label_of(name) for name in names
    ]

    def rows() -> Iterator[list[Any]]:
        hidden = [names.index(name) for name in ("nik", "kk") if name in names]
        for row in store.handed_rows(path, names):
            values = [wording.decoded(name, value) for name, value in zip(names, row, strict=True)]
            if not given["full_numbers"]:
                for index in hidden:
                    values[index] = mask_number(values[index] or "")
            yield values

    with tempfile.TemporaryDirectory() as place:
        name = f"{version.dataset.code}-v{version.number}.{given['format']}"
        target = Path(place) / name
        write = exports.write_xlsx if given["format"] == "xlsx" else exports.write_csv
        count = write(target, info, headings, rows())
        services.log_export(
            version,
            actor=user,
            reason=given["reason"],
            rows=count,
            full_numbers=given["full_numbers"],
        )
        return FileResponse(target.open("rb"), as_attachment=True, filename=name)
