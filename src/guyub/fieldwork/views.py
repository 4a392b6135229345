"""Pages of the office: rounds, how far they are, what came in and what is decided about it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from guyub.access.guards import requires
from guyub.access.permissions import authorize, can
from guyub.beneficiaries.models import Enrolment, Stage
from guyub.fieldwork import deciding, forms, queries, services
from guyub.fieldwork.answers import lines
from guyub.fieldwork.comparing import compare, together
from guyub.fieldwork.exports import write_round
from guyub.fieldwork.member_deciding import ADD, KEEP
from guyub.fieldwork.members import compare_members
from guyub.fieldwork.models import Attachment, Round, Submission, Visit
from guyub.fieldwork.revealing import log_reveal, masked_lines
from guyub.fieldwork.vocabulary import (
    UNDECIDED,
    Purpose,
    RoundState,
    SubmissionState,
    VisitState,
)
from guyub.proposals.models import Proposal
from guyub.proposals.vocabulary import ProposalKind, ProposalState
from guyub.registry.models import Household
from guyub.ui.answers import refused, show_errors, tried
from guyub.ui.paging import page_of


def load_round(pk: int) -> Round:
    return get_object_or_404(Round.objects.select_related("agency", "form_version__form"), pk=pk)


def load_visit(pk: int) -> Visit:
    return get_object_or_404(Visit.objects.select_related("round", "village"), pk=pk)


def load_submission(pk: int) -> Submission:
    rows = Submission.objects.select_related(
        "form_version__form", "round", "visit__round", "household__village", "village__parent",
        "sent_by", "decided_by",
    )  # fmt: skip
    return get_object_or_404(rows, pk=pk)


def load_attachment(pk: int) -> Attachment:
    rows = Attachment.objects.select_related(
        "submission__village", "submission__round", "submission__form_version__form"
    )
    return get_object_or_404(rows, pk=pk)


# Rounds


@require_GET
@requires("fieldwork.view_rounds")
def rounds(request: HttpRequest) -> HttpResponse:
    """The rounds of one's agency, and how far each is."""
    page = page_of(request, queries.rounds_for(request.user))
    progress = queries.progress_of_many(list(page))
    context = {
        "page": page,
        "rows": [(record, progress.get(record.pk, queries.Progress())) for record in page],
        "waiting": queries.waiting(request.user),
        "may_manage": can(request.user, "fieldwork.manage"),
    }
    return render(request, "fieldwork/rounds.html", context)


@require_http_methods(["GET", "POST"])
@requires("fieldwork.manage")
def create(request: HttpRequest) -> HttpResponse:
    form = forms.RoundForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        try:
            record = services.create_round(given.pop("form_version"), given, actor=request.user)
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Putaran disiapkan. Pilih keluarga yang dikunjungi."))
            return redirect("fieldwork:round", pk=record.pk)
    context = {"form": form, "title": _("Putaran kunjungan baru")}
    return render(request, "fieldwork/form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("fieldwork.manage", load=load_round)
def edit(request: HttpRequest, record: Round) -> HttpResponse:
    initial = {"title": record.title, "due_on": record.due_on, "note": record.note}
    form = forms.ChangeRoundForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_round(record, form.cleaned_data, actor=request.user)
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Putaran diubah."))
            return redirect("fieldwork:round", pk=record.pk)
    context = {"form": form, "title": _("Ubah putaran"), "record": record}
    return render(request, "fieldwork/form.html", context, status=422 if form.errors else 200)


@require_GET
@requires("fieldwork.view_rounds", load=load_round)
def round_page(request: HttpRequest, record: Round) -> HttpResponse:
    """How far a round is: sums, villages and officers, and what came in by ``?keadaan=``, ``?desa=``."""
    villages = queries.progress_by_village(record)
    state = request.GET.get("keadaan", "")
    state = state if state in SubmissionState.values else ""
    village = request.GET.get("desa", "")
    known = {area.code for area, _progress in villages}
    village = village if village in known else ""
    rows = queries.submissions_of(record, state=state, village=village)
    context = {
        "record": record,
        "progress": queries.progress_of(record),
        "villages": _villages_shown(request, villages),
        "officers": queries.work_by_officer(record),
        "page": page_of(request, rows),
        "states": SubmissionState.choices,
        "chosen": {"state": state, "village": village},
        "all_villages": [area for area, _progress in villages],
        "may_manage": can(request.user, "fieldwork.manage", record),
        "may_export": can(request.user, "fieldwork.export", record),
        "is_closed": record.state == RoundState.CLOSED,
    }
    return render(request, "fieldwork/round.html", context)


VILLAGES_SHOWN = 30


def _villages_shown(request: HttpRequest, villages: list[Any]) -> dict[str, Any]:
    """Return the villages that are least done, or all with ``?semua=1``: a regency has some hundred."""
    everything = request.GET.get("semua") == "1"
    return {
        "rows": villages if everything else villages[:VILLAGES_SHOWN],
        "hidden": 0 if everything else max(0, len(villages) - VILLAGES_SHOWN),
    }


@require_http_methods(["GET", "POST"])
@requires("fieldwork.manage", load=load_round)
def add_households(request: HttpRequest, record: Round) -> HttpResponse:
    """Put a village's households, or its candidates, on the round."""
    form = forms.HouseholdsForm(record, request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            count = _add(record, given, request.user)
        except ValidationError as error:
            show_errors(form, error)
        else:
            place = given["village"].title
            if count:
                messages.success(
                    request,
                    _("%(count)d kunjungan di %(place)s ditambahkan.")
                    % {"count": count, "place": place},
                )
            else:
                messages.warning(
                    request,
                    _("Tidak ada keluarga baru yang cocok di %(place)s.") % {"place": place},
                )
            return redirect("fieldwork:round", pk=record.pk)
    context = {"form": form, "title": _("Tambah kunjungan"), "record": record}
    return render(request, "fieldwork/form.html", context, status=422 if form.errors else 200)


def _add(record: Round, given: dict[str, Any], actor: Any) -> int:
    if record.purpose == Purpose.CANDIDATES:
        candidates = Enrolment.objects.filter(
            sub_activity=record.sub_activity_id,
            stage=Stage.CANDIDATE,
            household__village=given["village"],
        ).select_related("household")
        return services.add_candidates(record, candidates, actor=actor)
    if record.purpose == Purpose.PROPOSALS:
        waiting = Proposal.objects.filter(
            village=given["village"], state=ProposalState.DELIBERATED
        ).exclude(kind=ProposalKind.COMPLAINT)
        return services.add_proposals(record, waiting, actor=actor)
    homes = Household.objects.filter(village=given["village"])
    if given["desil"]:
        homes = homes.filter(desil__in=[int(number) for number in given["desil"]])
    return services.add_households(record, homes, actor=actor, assignee=given["assignee"])


@require_GET
@requires("fieldwork.view_rounds", load=load_round)
def visits(request: HttpRequest, record: Round) -> HttpResponse:
    """The doors of a round by ``?keadaan=`` and ``?desa=``, and who goes there."""
    return _visits(request, record)


def _visits(
    request: HttpRequest, record: Round, sent: dict[str, Any] | None = None
) -> HttpResponse:
    state = request.GET.get("keadaan", "")
    state = state if state in VisitState.values else ""
    villages = queries.villages_of(record)
    village = request.GET.get("desa", "")
    village = village if village in {area.code for area in villages} else ""
    may_manage = can(request.user, "fieldwork.manage", record)
    sent = sent or {}
    context = {
        "record": record,
        "page": page_of(request, queries.visits_of(record, state=state, village=village)),
        "states": VisitState.choices,
        "villages": villages,
        "chosen": {"state": state, "village": village},
        "may_manage": may_manage and record.state != RoundState.CLOSED,
        "assign_form": forms.AssignForm(record, villages, initial={"village": village}),
        "address_form": sent.get("address") or forms.AddressForm(auto_id="alamat_%s"),
    }
    return render(request, "fieldwork/visits.html", context, status=422 if sent else 200)


@require_POST
@requires("fieldwork.manage", load=load_round)
def assign(request: HttpRequest, record: Round) -> HttpResponse:
    """Send somebody to the open visits of a village, or of the whole round."""
    form = forms.AssignForm(record, queries.villages_of(record), request.POST)
    if form.is_valid():
        given = form.cleaned_data
        rows = queries.open_visits_in(record, given["village"])
        count = services.assign(rows, given["assignee"], actor=request.user, record=record)
        messages.success(request, _("Petugas %(count)d kunjungan ditetapkan.") % {"count": count})
    else:
        messages.error(request, _("Pilih desa dan petugas dari daftarnya."))
    return redirect("fieldwork:visits", pk=record.pk)


@require_POST
@requires("fieldwork.manage", load=load_round)
def add_address(request: HttpRequest, record: Round) -> HttpResponse:
    """Put somebody on the round who is not in the registry."""
    form = forms.AddressForm(request.POST, auto_id="alamat_%s")
    if form.is_valid():
        values = dict(form.cleaned_data)
        try:
            services.add_address(record, values.pop("village"), values, actor=request.user)
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Kunjungan ditambahkan."))
            return redirect("fieldwork:visits", pk=record.pk)
    return _visits(request, record, {"address": form})


@require_POST
@requires("fieldwork.manage", load=load_visit)
def cancel_visit(request: HttpRequest, visit: Visit) -> HttpResponse:
    tried(
        request,
        lambda: services.cancel_visit(visit, actor=request.user, reason=""),
        _("Kunjungan dibatalkan."),
    )
    return redirect("fieldwork:visits", pk=visit.round_id)


@require_POST
@requires("fieldwork.manage", load=load_round)
def open_round(request: HttpRequest, record: Round) -> HttpResponse:
    tried(
        request,
        lambda: services.open_round(record, actor=request.user),
        _("Putaran berjalan. Petugas mendapat kunjungannya saat ponselnya menyinkron."),
    )
    return redirect("fieldwork:round", pk=record.pk)


@require_POST
@requires("fieldwork.manage", load=load_round)
def close_round(request: HttpRequest, record: Round) -> HttpResponse:
    tried(
        request,
        lambda: services.close_round(record, actor=request.user),
        _("Putaran ditutup. Yang masih di ponsel tetap diterima, dengan tanda terlambat."),
    )
    return redirect("fieldwork:round", pk=record.pk)


@require_http_methods(["GET", "POST"])
@requires("fieldwork.export", load=load_round)
def export(request: HttpRequest, record: Round) -> HttpResponseBase:
    """Take a round's answers out as an Excel file, with the reason."""
    form = forms.ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "kunjungan.xlsx"
            write_round(path, record, reason=form.cleaned_data["note"], actor=request.user)
            return FileResponse(
                path.open("rb"), as_attachment=True, filename=f"kunjungan-{record.pk}.xlsx"
            )
    context = {
        "form": form,
        "title": _("Unduh hasil putaran"),
        "record": record,
        "button": _("Unduh"),
        "lead": _(
            "Satu baris per kiriman, NIK dan nomor KK disamarkan. Berkas memuat putaran, tanggal, dan "
            "nama pengunduh."
        ),
    }
    return render(request, "fieldwork/form.html", context, status=422 if form.errors else 200)


# Submissions


def can_see(user: Any, home: Household | None) -> bool:
    return home is not None and can(user, "registry.view", home)


@require_GET
@requires("fieldwork.view", load=load_submission)
def submission(request: HttpRequest, record: Submission) -> HttpResponse:
    return _submission(request, record)


def _submission(
    request: HttpRequest, record: Submission, sent: dict[str, Any] | None = None
) -> HttpResponse:
    sent = sent or {}
    is_open = record.state in UNDECIDED
    group = together(record)
    # One that has moved out of the area of whoever looks is not theirs to look at any more; what was
    # gathered at its door is.
    home = record.household if can_see(request.user, record.household) else None
    has_left = record.household_id is not None and home is None
    rows = compare(group, home)
    members = compare_members(group, home if is_open else None)
    definition = record.form_version.definition
    files = list(record.attachments.all())
    # A change since the download, or another submission; what weighs is chosen for in any case.
    is_conflict = is_open and (
        len(group) > 1 or bool(record.conflict or any(row.is_disputed for row in rows))
    )
    context = {
        "record": record,
        "home": home,
        "has_left": has_left,
        "group": group,
        "rows": rows,
        "is_open": is_open,
        "is_conflict": is_conflict,
        "wants_choices": is_conflict or members.wants_choices,
        "members": members,
        "lines": masked_lines(lines(definition, record.answers)),
        "files": {file.name: file for file in files},
        "pictures": [file for file in files if file.is_picture and file.stored_at],
        "outstanding": [file for file in files if not file.stored_at],
        "decisions": record.visit.decisions.select_related("person")[:80]
        if record.visit and not is_open and not has_left
        else [],
        "may_review": can(request.user, "fieldwork.review", record),
        "may_reveal": can(request.user, "fieldwork.reveal", record),
        "may_view_round": record.round is not None
        and can(request.user, "fieldwork.view_rounds", record.round),
        "note_form": forms.NoteForm(auto_id="note_%s"),
        "reject_form": sent.get("reject") or forms.ReasonForm(auto_id="reject_%s"),
        "choices": sent.get("choices") or {},
        "errors": sent.get("errors") or {},
        "keep": KEEP,
        "add": ADD,
    }
    return render(request, "fieldwork/submission.html", context, status=422 if sent else 200)


@require_POST
@requires("fieldwork.review", load=load_submission)
def accept(request: HttpRequest, record: Submission) -> HttpResponse:
    tried(
        request,
        lambda: deciding.accept(record, actor=request.user, note=request.POST.get("note", "")),
        _("Kiriman diterapkan. Isiannya kini tercatat di registri dengan asal kunjungan lapangan."),
    )
    return redirect("fieldwork:submission", pk=record.pk)


@require_POST
@requires("fieldwork.review", load=load_submission)
def settle(request: HttpRequest, record: Submission) -> HttpResponse:
    start = "pilih-"
    choices = {
        key.removeprefix(start): str(value)
        for key, value in request.POST.items()
        if key.startswith(start)
    }
    try:
        deciding.settle(record, choices, actor=request.user, note=request.POST.get("note", ""))
    except ValidationError as error:
        if hasattr(error, "error_dict"):
            errors = {
                key.removeprefix(start): texts[0] for key, texts in error.message_dict.items()
            }
            return _submission(
                request, load_submission(record.pk), {"choices": choices, "errors": errors}
            )
        refused(request, error)
    else:
        messages.success(request, _("Bentrokan diputuskan. Ponsel petugas ikut diberi tahu."))
    return redirect("fieldwork:submission", pk=record.pk)


@require_POST
@requires("fieldwork.review", load=load_submission)
def match_member(request: HttpRequest, record: Submission) -> HttpResponse:
    """Say whom the row ``baris`` is about: the member ``orang-<key>``, or nobody known."""
    row = request.POST.get("baris", "")
    wanted = request.POST.get(f"orang-baru-{record.pk}-{row}", "")
    person = None
    if wanted.isascii() and wanted.isdigit() and record.household is not None:
        person = record.household.members.filter(pk=int(wanted[:15]), merged_into=None).first()
    if person is None and wanted != "":
        messages.error(request, _("Pilih orangnya dari daftar."))
    elif not (row.isascii() and row.isdigit()):
        messages.error(request, _("Baris anggota ini tidak ada pada kiriman."))
    else:
        tried(
            request,
            lambda: deciding.match_by_hand(record, int(row[:6]), person, actor=request.user),
            _("Isian dicocokkan. Periksa perbedaannya di bawah.")
            if person is not None
            else _("Pencocokan dibatalkan."),
        )
    return redirect(reverse("fieldwork:submission", args=[record.pk]) + "#anggota")


@require_POST
@requires("fieldwork.review", load=load_submission)
def reject(request: HttpRequest, record: Submission) -> HttpResponse:
    form = forms.ReasonForm(request.POST, auto_id="reject_%s")
    if form.is_valid():
        try:
            deciding.reject(record, actor=request.user, reason=form.cleaned_data["note"])
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Kiriman tidak dipakai; alasannya tercatat."))
            return redirect("fieldwork:submission", pk=record.pk)
    return _submission(request, load_submission(record.pk), {"reject": form})


@require_http_methods(["GET", "POST"])
@requires("fieldwork.reveal", load=load_submission)
def reveal(request: HttpRequest, record: Submission) -> HttpResponse:
    """Show a submission's answers with their NIK and KK numbers, once, and log why."""
    form = forms.ReasonForm(request.POST or None)
    context: dict[str, Any] = {"record": record, "form": form, "title": _("Tampilkan NIK/KK")}
    if request.method == "POST" and form.is_valid():
        log_reveal(record, reason=form.cleaned_data["note"], actor=request.user)
        context["lines"] = lines(record.form_version.definition, record.answers)
        return render(request, "fieldwork/revealed.html", context)
    context |= {
        "button": _("Tampilkan"),
        "lead": _("Isian lengkap hanya ditampilkan sekali ini."),
    }
    return render(request, "fieldwork/form.html", context, status=422 if form.errors else 200)


@require_GET
@requires("fieldwork.view", load=load_attachment)
def attachment(request: HttpRequest, file: Attachment) -> HttpResponseBase:
    """A photo as such; any other file only to be saved, whatever it says it is."""
    if not file.stored_at:
        raise Http404
    authorize(request.user, "fieldwork.view", file)
    return FileResponse(
        file.file.open("rb"),
        as_attachment=not file.is_picture,
        filename=file.name if not file.is_picture else f"foto-{file.pk}.jpg",
        content_type="image/jpeg" if file.is_picture else "application/octet-stream",
    )
