"""The registry's pages: search, household, and what is entered by hand."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from guyub.access.guards import requires
from guyub.access.masking import mask_number
from guyub.access.permissions import authorize, can
from guyub.access.sealing import unseal
from guyub.areas.models import Area
from guyub.datasets import exports
from guyub.datasets.models import Version
from guyub.registry import queries, services
from guyub.registry.forms import (
    ExportForm,
    FilterForm,
    HeadForm,
    HouseholdForm,
    MoveForm,
    PersonForm,
    PhotoForm,
    ReasonForm,
    StatusForm,
)
from guyub.registry.models import (
    HOUSEHOLD_FIELDS,
    PERSON_FIELDS,
    Household,
    Person,
    Photo,
    SubjectKind,
    ValueChange,
)
from guyub.registry.restriction import of_household, open_households, open_people
from guyub.registry.services import RegistryError
from guyub.registry.vocabulary import Asset, Status
from guyub.registry.wording import in_words
from guyub.ui.numbers import grouped
from guyub.ui.paging import PAGE_SIZE, Slice, page_number

EXPORT_LIMIT = 100_000
SHOWN = 30  # of the best matches of a search
# Shown with no household: those who stand for another, and empty shells.
GONE = (Status.MERGED, Status.ERASED)
HISTORY_A_PAGE = 15
PLACE = ("address", "hamlet", "rt", "rw", "latitude", "longitude")
HOUSE = ("floor", "wall", "roof", "sanitation", "water", "electricity", "ownership", "assets")
WELFARE = ("desil", "extreme_poor", "expenditure")


def load_household(pk: int) -> Household:
    found = (
        Household.objects.select_related("village", "district", "origin__dataset")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


def load_person(pk: int) -> Person:
    found = Person.objects.select_related("household__village", "household__district").filter(pk=pk)
    person = found.first()
    if person is None:
        raise Http404
    return person


def load_photo(pk: int) -> Photo:
    photo = Photo.objects.select_related("household__village").filter(pk=pk).first()
    if photo is None:
        raise Http404
    # Guards ask where a record lies.
    photo.area_code = photo.household.area_code  # type: ignore[attr-defined]
    return photo


# Search and list


@require_http_methods(["GET", "POST"])
@requires("registry.view")
def search(request: HttpRequest) -> HttpResponse:
    """The list, narrowed by what is in the address; the search text comes by POST only."""
    form = FilterForm(request.user, request.GET)
    filters = form.filters()
    text = str(request.POST.get("cari", "")).strip()[:120]
    context: dict[str, Any] = {"form": form, "text": text, "filters": filters}
    if text:
        context["answer"] = queries.search(request.user, text, filters)
        context["rows"] = context["answer"].rows[:SHOWN]
        context["more"] = len(context["answer"].rows) > SHOWN or context["answer"].capped
    else:
        number = page_number(request)
        rows = queries.listing(request.user, filters, number, PAGE_SIZE)
        context["page"] = Slice(rows, number)
        context["rows"] = [queries.Found(household) for household in context["page"]]
        context["total"] = queries.total(request.user, filters)
    vouchers = queries.confirmations([row.household for row in context["rows"]])
    for row in context["rows"]:
        row.vouched_by = vouchers.get(row.household.pk)
    context["may_edit"] = can(request.user, "registry.edit")
    context["may_export"] = can(request.user, "registry.export")
    template = "registry/_results.html" if request.htmx else "registry/search.html"  # type: ignore[attr-defined]
    return render(request, template, context)


# One household


def _facts(record: Any, names: tuple[str, ...], origins: dict[int, Any]) -> list[dict[str, Any]]:
    facts = []
    for name in names:
        field = record._meta.get_field(name)
        value: Any = getattr(record, name)
        if name == "assets":
            labels = dict(Asset.choices)
            value = ", ".join(str(labels.get(code, code)) for code in record.asset_list)
        elif field.choices:
            value = getattr(record, f"get_{name}_display")()
        elif isinstance(value, bool):
            value = _("Ya") if value else _("Tidak")
        elif name == "expenditure" and value is not None:
            value = f"Rp {grouped(value)}"
        facts.append(
            {
                "label": field.verbose_name,
                "value": "" if value is None else value,
                "origin": origins.get(record.origin_id_of(name)),
            }
        )
    return facts


@require_GET
@requires("registry.view", load=load_household)
def household(request: HttpRequest, home: Household) -> HttpResponse:
    if home.merged_into_id is not None:
        messages.info(
            request,
            _("Data nomor %(number)d adalah duplikat dan sudah digabung ke keluarga ini.")
            % {"number": home.pk},
        )
        return redirect("registry:household", pk=home.merged_into_id)
    members = list(home.members.exclude(status__in=GONE).order_by("id"))
    members.sort(
        key=lambda person: (person.status != "active", person.relation != "head", person.pk)
    )
    origins = queries.origins_of([home, *members])
    for person in members:
        person.facts = _facts(  # type: ignore[attr-defined]
            person, tuple(name for name in PERSON_FIELDS if name not in ("nik", "name")), origins
        )
    number = page_number(request)
    changes = _history(home, number)
    context = {
        "home": home,
        "members": members,
        "place": _facts(home, PLACE, origins),
        "house": _facts(home, HOUSE, origins),
        "welfare": _facts(home, WELFARE, origins),
        "origin": origins[home.origin_id],
        "vouched_by": queries.confirmations([home]).get(home.pk),
        "kk_origin": origins.get(home.origin_id_of("kk")),
        "listings": home.listings.select_related(
            "dataset__owner", "first_version", "dropped_version"
        ).order_by("dataset__name"),
        "changes": changes,
        "moves": queries.moves_of(home),
        "photos": home.photos.all()[:12],
        "restrictions": of_household(home),
        "may_edit": can(request.user, "registry.edit", home),
        "may_reveal": can(request.user, "registry.reveal", home),
        "with_sources": request.GET.get("asal") == "1",
    }
    return render(request, "registry/household.html", context)


def _history(home: Household, number: int) -> Slice:
    start = (number - 1) * HISTORY_A_PAGE
    rows = list(
        ValueChange.objects.filter(household_id=home.pk).select_related(
            "new_origin__dataset", "new_origin__entered_by"
        )[start : start + HISTORY_A_PAGE + 1]
    )
    names = {
        SubjectKind.HOUSEHOLD: {n: Household._meta.get_field(n) for n in HOUSEHOLD_FIELDS},
        SubjectKind.PERSON: {n: Person._meta.get_field(n) for n in PERSON_FIELDS},
    }
    people = dict(
        Person.objects.filter(
            pk__in=[row.subject_id for row in rows if row.kind == SubjectKind.PERSON]
        ).values_list("pk", "name")
    )
    codes = [v for row in rows if row.field == "village" for v in (row.old, row.new)]
    villages = (
        dict(Area.objects.filter(code__in=codes).values_list("code", "name")) if codes else {}
    )
    for row in rows:
        field: Any = names[SubjectKind(row.kind)].get(row.field)

        def shown(value: str, row: ValueChange = row) -> str:
            if not value:
                return "—"
            if row.field in ("nik", "kk"):
                return mask_number(unseal(value))
            if row.field == "village":
                return str(villages.get(value, value))
            name = row.field
            if name == "status" and row.kind == SubjectKind.PERSON:
                name = "person_status"
            return in_words(name, value)

        row.label = field.verbose_name if field is not None else row.field  # type: ignore[attr-defined]
        row.shown_old, row.shown_new = shown(row.old), shown(row.new)  # type: ignore[attr-defined]
        row.who = people.get(row.subject_id, "") if row.kind == SubjectKind.PERSON else ""  # type: ignore[attr-defined]
    return Slice(rows, number, HISTORY_A_PAGE)


@require_http_methods(["GET", "POST"])
@requires("registry.reveal", load=load_household)
def reveal(request: HttpRequest, home: Household) -> HttpResponse:
    """A dialog that asks why, then shows the full numbers in this one answer."""
    form = ReasonForm(request.POST or None)
    context: dict[str, Any] = {"home": home, "form": form}
    if request.method == "POST" and form.is_valid():
        context["members"] = services.reveal(
            home, reason=form.cleaned_data["reason"], actor=request.user
        )
        return render(request, "registry/_revealed.html", context)
    return render(
        request, "registry/_reveal.html", context, status=422 if request.method == "POST" else 200
    )


# Writing


def _form_page(
    request: HttpRequest, title: str, forms: list[Any], back: Any, home: Household | None = None
) -> HttpResponse:
    bad = any(form.errors for form in forms)
    context = {"title": title, "forms": forms, "back": back, "home": home}
    return render(request, "registry/form.html", context, status=422 if bad else 200)


def _seen_at(form: Any) -> dt.datetime | None:
    text = form.cleaned_data.get("seen_at")
    return dt.datetime.fromisoformat(text) if text else None


@require_http_methods(["GET", "POST"])
@requires("registry.edit")
def create(request: HttpRequest) -> HttpResponse:
    data = request.POST or None
    home_form = HouseholdForm(request.user, data)
    head_form = HeadForm(data, prefix="kepala")
    forms = [home_form, head_form]
    if data and all([home_form.is_valid(), head_form.is_valid()]):
        authorize(request.user, "registry.edit", _Place(home_form.cleaned_data["village"].code))
        try:
            home = services.create_household(
                household=home_form.values(),
                head=head_form.values(),
                as_of=home_form.cleaned_data["as_of"],
                actor=request.user,
            )
        except RegistryError as error:
            home_form.add_error(None, str(error))
        else:
            messages.success(request, _("Keluarga tersimpan."))
            return redirect("registry:household", pk=home.pk)
    return _form_page(request, _("Tambah keluarga"), forms, None)


class _Place:
    """A place where something is about to be written, for asking whether one may."""

    def __init__(self, area_code: str) -> None:
        self.area_code = area_code


@require_http_methods(["GET", "POST"])
@requires("registry.edit", load=load_household)
def edit(request: HttpRequest, home: Household) -> HttpResponse:
    form = HouseholdForm(
        request.user,
        request.POST or None,
        instance=home,
        initial={"seen_at": home.updated_at.isoformat()},
    )
    if request.method == "POST" and form.is_valid():
        authorize(request.user, "registry.edit", _Place(form.cleaned_data["village"].code))
        try:
            changed = services.edit_household(
                home,
                form.values(),
                as_of=form.cleaned_data["as_of"],
                actor=request.user,
                seen_at=_seen_at(form),
            )
        except RegistryError as error:
            form = _after_conflict(form, home, error)
        else:
            _tell_saved(request, changed)
            return redirect("registry:household", pk=home.pk)
    return _form_page(request, _("Ubah data keluarga"), [form], home, home)


def _after_conflict(form: Any, record: Any, error: RegistryError) -> Any:
    """Show the problem, keep what was typed, and let the next attempt be about the newest state."""
    form.add_error(None, str(error))
    if isinstance(error, services.ConflictError):
        record.refresh_from_db()
        form.data = form.data.copy()
        form.data["seen_at"] = record.updated_at.isoformat()
    return form


def _tell_saved(request: HttpRequest, changed: list[str]) -> None:
    messages.success(
        request, _("Perubahan tersimpan.") if changed else _("Tidak ada yang berubah.")
    )


@require_http_methods(["GET", "POST"])
@requires("registry.edit", load=load_household)
def add_person(request: HttpRequest, home: Household) -> HttpResponse:
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.add_person(
                home, form.values(), as_of=form.cleaned_data["as_of"], actor=request.user
            )
        except RegistryError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Anggota keluarga tersimpan."))
            return redirect("registry:household", pk=home.pk)
    return _form_page(request, _("Tambah anggota keluarga"), [form], home, home)


@require_http_methods(["GET", "POST"])
@requires("registry.edit", load=load_person)
def edit_person(request: HttpRequest, person: Person) -> HttpResponse:
    form = PersonForm(
        request.POST or None,
        instance=person,
        keep_nik=True,
        initial={"seen_at": person.updated_at.isoformat()},
    )
    home = person.household
    if request.method == "POST" and form.is_valid():
        try:
            changed = services.edit_person(
                person,
                form.values(),
                as_of=form.cleaned_data["as_of"],
                actor=request.user,
                seen_at=_seen_at(form),
            )
        except RegistryError as error:
            form = _after_conflict(form, person, error)
        else:
            _tell_saved(request, changed)
            return redirect("registry:household", pk=home.pk)
    return _form_page(request, _("Ubah data %(name)s") % {"name": person.name}, [form], home, home)


@require_http_methods(["GET", "POST"])
@requires("registry.edit", load=load_household)
def status(request: HttpRequest, home: Household) -> HttpResponse:
    form = StatusForm(request.POST or None, initial={"status": home.status})
    if request.method == "POST" and form.is_valid():
        try:
            services.set_household_status(home, actor=request.user, **form.cleaned_data)
        except RegistryError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Status keluarga tersimpan."))
            return redirect("registry:household", pk=home.pk)
    return _form_page(request, _("Ubah status keluarga"), [form], home, home)


@require_http_methods(["GET", "POST"])
@requires("registry.edit", load=load_person)
def person_status(request: HttpRequest, person: Person) -> HttpResponse:
    form = StatusForm(request.POST or None, initial={"status": person.status})
    home = person.household
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            services.edit_person(
                person, {"status": given["status"]}, as_of=given["as_of"], actor=request.user,
                reason=given["reason"],
            )  # fmt: skip
        except RegistryError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Status tersimpan."))
            return redirect("registry:household", pk=home.pk)
    return _form_page(
        request, _("Ubah status %(name)s") % {"name": person.name}, [form], home, home
    )


@require_http_methods(["GET", "POST"])
@requires("registry.edit", load=load_person)
def move(request: HttpRequest, person: Person) -> HttpResponse:
    form = MoveForm(person, request.POST or None, initial={"relation": person.relation})
    home = person.household
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        number = given["kk"].replace(" ", "")
        target = queries.visible_to(request.user).filter(kk=number).first() if number else None
        if target is None:
            form.add_error(
                "kk", _("Keluarga dengan nomor KK ini tidak ada di registri wilayah Anda.")
            )
        else:
            try:
                services.move_person(
                    person, target, moved_on=given["as_of"], reason=given["reason"],
                    relation=given["relation"], new_head=given["new_head"], actor=request.user,
                )  # fmt: skip
            except RegistryError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, _("Perpindahan tersimpan."))
                return redirect("registry:household", pk=target.pk)
    return _form_page(request, _("Pindahkan %(name)s") % {"name": person.name}, [form], home, home)


# Photos


@require_http_methods(["GET", "POST"])
@requires("registry.edit", load=load_household)
def add_photo(request: HttpRequest, home: Household) -> HttpResponse:
    form = PhotoForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.add_photo(
                home, form.cleaned_data["file"], caption=form.cleaned_data["caption"],
                taken_on=form.cleaned_data["taken_on"], actor=request.user,
            )  # fmt: skip
        except RegistryError as error:
            form.add_error("file", str(error))
        else:
            messages.success(request, _("Foto tersimpan."))
            return redirect("registry:household", pk=home.pk)
    return _form_page(request, _("Tambah foto rumah"), [form], home, home)


@require_GET
@requires("registry.view", load=load_photo)
def photo(request: HttpRequest, picture: Photo) -> HttpResponseBase:
    return FileResponse(picture.file.open("rb"), content_type="image/jpeg")


@require_POST
@requires("registry.edit", load=load_photo)
def delete_photo(request: HttpRequest, picture: Photo) -> HttpResponse:
    home_id = picture.household_id
    services.delete_photo(picture, actor=request.user)
    messages.success(request, _("Foto dihapus."))
    return redirect("registry:household", pk=home_id)


# Export

EXPORT_COLUMNS = (
    "NIK", "No KK", "Nama", "Jenis Kelamin", "Tanggal Lahir", "Hubungan", "Pekerjaan", "Pendidikan",
    "Disabilitas", "Jaminan Kesehatan", "Kode Desa", "Desa", "Kecamatan", "Alamat", "Dusun", "RT", "RW",
    "Desil", "Miskin Ekstrem", "Status Keluarga", "Sumber Data", "Per Tanggal",
)  # fmt: skip


@require_http_methods(["GET", "POST"])
@requires("registry.export")
def export(request: HttpRequest) -> HttpResponseBase:
    """Take the narrowed list out as a file, with reason, source and date."""
    filter_form = FilterForm(request.user, request.GET)
    filters = filter_form.filters()
    form = ExportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if given["full_numbers"]:
            authorize(request.user, "registry.reveal")
        households = open_households(queries.narrowed(request.user, filters))
        if len(households.order_by("id").values_list("id")[: EXPORT_LIMIT + 1]) > EXPORT_LIMIT:
            form.add_error(
                None,
                _(
                    "Daftar ini lebih dari 100.000 keluarga. Persempit dahulu, misalnya per kecamatan."
                ),
            )
        else:
            return _export_file(request, households, filters, given)
    context = {"form": form, "filters": filters, "filter_form": filter_form}
    return render(request, "registry/export.html", context, status=422 if form.errors else 200)


def _export_file(
    request: HttpRequest, households: Any, filters: Any, given: Any
) -> HttpResponseBase:
    user: Any = request.user
    reference = Version.objects.filter(is_reference=True).select_related("dataset").first()
    info = [
        (_("Isi"), _("Registri warga miskin %(place)s") % {"place": settings.REGENCY_NAME}),
        (_("Diunduh"), f"{timezone.localtime():%d/%m/%Y %H.%M}"),
        (_("Oleh"), f"{user} ({user.get_role_display()})"),
        (_("Alasan"), given["reason"]),
        (
            _("Data acuan"),
            f"{reference.dataset} v{reference.number}, {reference.as_of:%d/%m/%Y}"
            if reference
            else "—",
        ),
        (_("NIK dan KK"), _("lengkap") if given["full_numbers"] else _("disamarkan")),
    ]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / f"registri.{given['format']}"
        write = exports.write_xlsx if given["format"] == "xlsx" else exports.write_csv
        count = write(path, info, EXPORT_COLUMNS, _export_rows(households, given["full_numbers"]))
        services.log_export(
            actor=user, reason=given["reason"], rows=count, full_numbers=given["full_numbers"],
            filters={k: v for k, v in vars(filters).items() if v},
        )  # fmt: skip
        name = f"registri-{timezone.localdate():%Y%m%d}.{given['format']}"
        return FileResponse(path.open("rb"), as_attachment=True, filename=name)


def _export_rows(households: Any, full: bool) -> Iterator[tuple[Any, ...]]:
    people = (
        open_people(Person.objects.filter(household__in=households.values("id")))
        .exclude(status__in=GONE)
        .select_related("household__village", "household__district", "household__origin__dataset")
        .order_by("household_id", "id")
    )
    for person in people.iterator(chunk_size=2000):
        home = person.household
        yield (
            person.nik if full else person.masked_nik,
            home.kk if full else home.masked_kk,
            person.name, person.get_sex_display(), person.birth_date, person.get_relation_display(),
            person.get_work_display(), person.get_schooling_display(), person.get_disability_display(),
            person.get_health_insurance_display(), home.village.code, home.village.name,
            home.district.name, home.address, home.hamlet, home.rt, home.rw, home.desil,
            home.extreme_poor, home.get_status_display(), str(home.origin), home.origin.as_of,
        )  # fmt: skip
