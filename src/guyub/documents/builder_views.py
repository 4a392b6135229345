"""Pages of the report builder: asking, saving, sharing, files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from guyub.access.guards import requires
from guyub.access.permissions import can
from guyub.datasets.exports import write_csv
from guyub.documents import built, keeping, services, sources
from guyub.documents.forms import SaveForm
from guyub.documents.mailing import MEDIA_TYPES
from guyub.documents.models import BuiltReport, FiguresState
from guyub.documents.paper import written
from guyub.documents.question import (
    FILTER,
    MOST_ROWS_DIMENSIONS,
    Answer,
    Question,
    ask,
    info_of,
    kept_answer,
    takes_long,
)
from guyub.documents.subjects import BY_KEY, SUBJECTS
from guyub.documents.workbook import rows_xlsx
from guyub.ui.answers import show_errors
from guyub.ui.paging import page_of

ROWS = 50  # of an answer on a page


def _built(token: UUID) -> BuiltReport:
    return get_object_or_404(BuiltReport.objects.select_related("owner", "agency"), token=token)


def _must_open(user: Any, report: BuiltReport) -> None:
    if not built.may_open(user, report):
        raise PermissionDenied("documents.build")


def _must_own(user: Any, report: BuiltReport) -> None:
    if report.owner_id != user.pk:
        raise PermissionDenied("documents.build")


def _shown(request: HttpRequest, answer: Answer) -> dict[str, Any]:
    """Return what the table and chart of an answer need on a page."""
    columns = answer.table_columns()
    page = page_of(request, answer.rows, ROWS)

    def line(values: list[Any]) -> list[tuple[Any, str]]:
        return [
            (column, written(value, column.kind, column.places) if column.numeric else value)
            for column, value in zip(columns, values, strict=True)
        ]

    totals = [list(row) for row in answer.lines()][-1:] if answer.totals else []
    return {
        "answer": answer,
        "columns": columns,
        "page": page,
        "lines": [line([*labels, *figures]) for labels, figures in page],
        "totals": line(totals[0]) if totals else [],
        "chart": answer.chart(),
        "address": urlencode(answer.question.as_query()),
    }


def _answered(request: HttpRequest, question: Question) -> dict[str, Any]:
    """Return what a page shows of a question: its answer, or how far the worker is with it.

    Raises:
        ValidationError: the answer would have too many cells.
        PermissionDenied: the reader may not read the subject at all.
    """
    user: Any = request.user
    fresh = "segar" in request.GET
    if not takes_long(question, user):
        return _shown(request, ask(question, user, fresh=fresh))
    kept, figures = kept_answer(question, user), keeping.of_question(question, user)
    if figures.state == FiguresState.NONE or (kept is None and not figures.is_working):
        problems = figures.content.get("problems")
        if problems and figures.state == FiguresState.READY:
            return {"problems": problems}
        if figures.state != FiguresState.FAILED:
            figures = keeping.ask_for(figures, actor=user)
    query = urlencode(question.as_query())
    here = f"&kembali={request.path}" if request.path != reverse("documents:build") else ""
    context: dict[str, Any] = {
        "figures": figures,
        "progress_url": f"{reverse('documents:question_progress')}?{query}",
        "compute_url": f"{reverse('documents:compute_question')}?{query}{here}",
    }
    return context | (_shown(request, kept) if kept is not None else {})


@requires("documents.build")
def question_progress(request: HttpRequest) -> HttpResponse:
    """How far the worker is with a question, as a piece of page."""
    try:
        question = Question.from_query(request.GET)
    except ValidationError:
        # The address holds no question.
        return redirect("documents:build")
    query = urlencode(question.as_query())
    figures = keeping.of_question(question, request.user)
    context = {
        "figures": figures,
        "progress_url": f"{reverse('documents:question_progress')}?{query}",
        "compute_url": f"{reverse('documents:compute_question')}?{query}",
    }
    response = render(request, "documents/_figures.html", context)
    if not figures.is_working:
        response.headers["HX-Refresh"] = "true"
    return response


@require_POST
@requires("documents.build")
def compute_question(request: HttpRequest) -> HttpResponse:
    """Have a question answered anew by the worker, and go back to its page."""
    back = request.GET.get("kembali", "")
    try:
        question = Question.from_query(request.GET)
    except ValidationError:
        # The address holds no question.
        return redirect("documents:build")
    if not can(request.user, question.subject.permission):
        raise PermissionDenied(question.subject.permission)
    keeping.ask_for(keeping.of_question(question, request.user), actor=request.user)
    if back and url_has_allowed_host_and_scheme(back, {request.get_host()}):
        return redirect(back)
    return redirect(f"{reverse('documents:build')}?{urlencode(question.as_query())}")


@requires("documents.build")
def build(request: HttpRequest) -> HttpResponse:
    """Choose subject, rows, column, measure and filters; see the answer below."""
    user: Any = request.user
    subjects = [subject for subject in SUBJECTS if can(user, subject.permission)]
    subject = BY_KEY.get(request.GET.get("topik", ""))
    if subject is not None and subject not in subjects:
        raise PermissionDenied(subject.permission)
    context: dict[str, Any] = {"subjects": subjects, "subject": subject}
    if subject is not None:
        rows = request.GET.getlist("baris")
        context |= {
            "row_choices": [
                (number, rows[number - 1] if len(rows) >= number else "")
                for number in range(1, MOST_ROWS_DIMENSIONS + 1)
            ],
            "column": request.GET.get("kolom", ""),
            "measure": request.GET.get("ukuran", ""),
            "filters": [
                {
                    "dimension": dimension,
                    "name": FILTER + dimension.key,
                    "options": list((dimension.labels or dict)().items()),
                    "chosen": request.GET.getlist(FILTER + dimension.key),
                }
                for dimension in subject.filters
            ],
        }
        if any(rows):
            try:
                question = Question.from_query(request.GET)
                context |= _answered(request, question)
            except ValidationError as error:
                context["problems"] = error.messages
            else:
                context["save_form"] = SaveForm(user=user, initial={"name": question.title()[:120]})
    return render(request, "documents/build.html", context)


def _file(
    request: HttpRequest, answer: Answer, name: str, ending: str, subject: Any = None
) -> HttpResponseBase:
    """Answer with a file of the whole answer, and note it."""
    user = request.user
    info = info_of(answer, name, user)
    columns = answer.table_columns()
    services.log_export(
        "built", actor=user, subject=subject, format=ending, question=answer.question.as_json()
    )
    if ending == "csv":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "laporan.csv"
            write_csv(path, info, [column.label for column in columns], answer.lines())
            return FileResponse(path.open("rb"), as_attachment=True, filename="laporan.csv")
    rows = [(s.name, s.owner, s.version, s.as_of) for s in sources.datasets()]
    content = rows_xlsx(
        info, rows, name or answer.question.title(), columns, answer.lines(), answer.source
    )
    response = HttpResponse(content, content_type=MEDIA_TYPES["xlsx"])
    response["Content-Disposition"] = 'attachment; filename="laporan.xlsx"'
    return response


def _at_hand(question: Question, user: Any) -> Answer:
    """Return the answer for a file.

    Raises:
        ValidationError: the worker has yet to compute it, or it would have too many cells.
    """
    kept = kept_answer(question, user)
    if kept is None and takes_long(question, user):
        keeping.ask_for(keeping.of_question(question, user), actor=user)
        raise ValidationError(_("Angkanya sedang dihitung. Unduh lagi begitu halamannya tampil."))
    return kept or ask(question, user)


@requires("documents.build")
def build_file(request: HttpRequest, ending: str) -> HttpResponseBase:
    """The answer to the question in the address as a file."""
    if ending not in ("xlsx", "csv"):
        raise Http404
    try:
        answer = _at_hand(Question.from_query(request.GET), request.user)
    except ValidationError as error:
        for text in error.messages:
            messages.error(request, text)
        return redirect(f"{reverse('documents:build')}?{request.GET.urlencode()}")
    return _file(request, answer, "", ending)


@require_POST
@requires("documents.build")
def save(request: HttpRequest) -> HttpResponse:
    """Keep the question in the address under a name."""
    form = SaveForm(request.POST, user=request.user)
    here = f"{reverse('documents:build')}?{request.GET.urlencode()}"
    try:
        question = Question.from_query(request.GET)
        if not form.is_valid():
            raise ValidationError([e for errors in form.errors.values() for e in errors])
        report = built.save(question=question, actor=request.user, **form.cleaned_data)
    except ValidationError as error:
        for text in error.messages:
            messages.error(request, text)
        return redirect(here)
    messages.success(request, _("Laporan disimpan."))
    return redirect("documents:built", token=report.token)


@requires("documents.build")
def built_list(request: HttpRequest) -> HttpResponse:
    """The reports that the reader saved or that are shared with them."""
    rows = built.visible_to(request.user)
    words = request.GET.get("q", "").strip()[:100]
    if words:
        rows = rows.filter(name__icontains=words)
    context = {"page": page_of(request, rows), "q": words}
    return render(request, "documents/built_list.html", context)


@requires("documents.build", load=_built)
def built_page(request: HttpRequest, report: BuiltReport) -> HttpResponse:
    """A built report, run with the reader's own permissions."""
    user: Any = request.user
    _must_open(user, report)
    context: dict[str, Any] = {"report": report, "is_own": report.owner_id == user.pk}
    try:
        question = Question.read(report.question)
        context |= _answered(request, question)
    except ValidationError as error:
        context["problems"] = error.messages
    except PermissionDenied:
        context["problems"] = [_("Pokok laporan ini di luar hak akses akun Anda.")]
    return render(request, "documents/built.html", context)


def _built_and_format(token: UUID, ending: str) -> BuiltReport:
    report = _built(token)
    if ending not in ("xlsx", "csv"):
        raise Http404
    report.wanted = ending  # type: ignore[attr-defined]
    return report


@requires("documents.build", load=_built_and_format)
def built_file(request: HttpRequest, report: BuiltReport) -> HttpResponseBase:
    _must_open(request.user, report)
    try:
        answer = _at_hand(Question.read(report.question), request.user)
    except ValidationError as error:
        for text in error.messages:
            messages.error(request, text)
        return redirect("documents:built", token=report.token)
    return _file(request, answer, report.name, report.wanted, report)  # type: ignore[attr-defined]


@requires("documents.build", load=_built)
def built_edit(request: HttpRequest, report: BuiltReport) -> HttpResponse:
    """Change the name of a report and who may open it."""
    _must_own(request.user, report)
    form = SaveForm(request.POST or None, user=request.user, instance=report)
    if request.method == "POST" and form.is_valid():
        stored = _built(report.token)
        try:
            built.save(
                question=Question.read(stored.question),
                actor=request.user,
                report=stored,
                **form.cleaned_data,
            )
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Perubahan disimpan."))
            return redirect("documents:built", token=report.token)
    return render(request, "documents/built_edit.html", {"report": report, "form": form})


@require_POST
@requires("documents.build", load=_built)
def built_copy(request: HttpRequest, report: BuiltReport) -> HttpResponse:
    _must_open(request.user, report)
    try:
        own = built.copy(report, actor=request.user)
    except ValidationError as error:
        for text in error.messages:
            messages.error(request, text)
        return redirect("documents:built", token=report.token)
    messages.success(request, _("Salinan dibuat; ubah sesuka Anda."))
    return redirect("documents:built", token=own.token)


@require_POST
@requires("documents.build", load=_built)
def built_delete(request: HttpRequest, report: BuiltReport) -> HttpResponse:
    _must_own(request.user, report)
    built.delete(report, actor=request.user)
    messages.success(request, _("Laporan dihapus."))
    return redirect("documents:built_list")
