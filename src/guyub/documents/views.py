"""Pages of the LP2KD: its parts, preview, editions; and the front page of reports."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from guyub.access.guards import requires
from guyub.access.permissions import can
from guyub.documents import built, keeping, lp2kd, services
from guyub.documents.forms import AskForm, AssignForm, IssueForm, StartForm, WriteForm
from guyub.documents.mailing import MEDIA_TYPES
from guyub.documents.mailing import visible_to as schedules_of
from guyub.documents.models import (
    Document,
    Edition,
    EditionState,
    FiguresState,
    Section,
    SectionState,
)
from guyub.documents.paper import Paper
from guyub.documents.services import OvertakenError
from guyub.ui.answers import show_errors, tried
from guyub.ui.paging import page_of


def _document(year: int) -> Document:
    return get_object_or_404(Document, year=year)


def _section(pk: int) -> Section:
    return get_object_or_404(
        Section.objects.select_related("document", "agency", "written_by"), pk=pk
    )


def _edition(pk: int, **_more: Any) -> Edition:
    return get_object_or_404(Edition.objects.select_related("document", "issued_by"), pk=pk)


@requires("documents.view")
def list_page(request: HttpRequest) -> HttpResponse:
    """What there is: the LP2KD by year, built reports, schedules, and what waits for the reader."""
    user: Any = request.user
    documents = Document.objects.annotate(
        parts=Count("sections", distinct=True),
        done=Count("sections", distinct=True, filter=Q(sections__state=SectionState.DONE)),
        issued=Count("editions", distinct=True, filter=Q(editions__number__isnull=False)),
    ).order_by("-year")
    waiting: list[Section] = []
    if user.agency_id is not None and can(user, "documents.write"):
        waiting = list(
            Section.objects.filter(agency=user.agency_id)
            .exclude(state=SectionState.DONE)
            .select_related("document")
            .order_by("due_on", "position")[:10]
        )
    context = {
        "page": page_of(request, documents),
        "waiting": waiting,
        "built": built.visible_to(user).order_by("-updated_at")[:5],
        "schedules": schedules_of(user)[:5],
        "may_manage": can(user, "documents.manage"),
    }
    return render(request, "documents/list.html", context)


@requires("documents.manage")
def start(request: HttpRequest) -> HttpResponse:
    """Start the document of a year."""
    form = StartForm(request.POST or None, initial={"year": timezone.localdate().year - 1})
    if request.method == "POST" and form.is_valid():
        try:
            document = services.start_document(form.cleaned_data["year"], actor=request.user)
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("LP2KD dibuat. Bagikan bagian-bagiannya."))
            return redirect("documents:document", year=document.year)
    return render(request, "documents/start.html", {"form": form})


@requires("documents.view", load=_document)
def document(request: HttpRequest, document: Document) -> HttpResponse:
    """The parts of a document with who writes them, and its editions."""
    chapters: dict[str, list[Section]] = {}
    for section in document.sections.select_related("agency", "written_by").defer("text"):
        section.may_write = can(  # type: ignore[attr-defined]
            request.user, "documents.write", section
        )
        chapters.setdefault(section.key.partition(".")[0], []).append(section)
    sections = [section for group in chapters.values() for section in group]
    editions = document.editions.select_related("issued_by").defer("content")
    context = {
        "document": document,
        "chapters": [(lp2kd.chapter_title(key), group) for key, group in chapters.items()],
        "parts": len(sections),
        "done": sum(s.state == SectionState.DONE for s in sections),
        "late": sum(s.is_late for s in sections),
        "editions": [e for e in editions if e.number],
        "trial": next((e for e in editions if not e.number), None),
        "issue_form": IssueForm(),
        "figures": keeping.of_document(document),
        "ask_form": AskForm(),
        "may_manage": can(request.user, "documents.manage"),
    }
    return render(request, "documents/document.html", context)


@requires("documents.view", load=_document)
def preview(request: HttpRequest, document: Document) -> HttpResponse:
    """The document as it would be issued now: its words, and the figures that are kept."""
    kept = keeping.of_document(document)
    if kept.state == FiguresState.NONE:
        kept = keeping.ask_for(kept, actor=request.user)
    paper = None
    if kept.computed_at is not None:
        paper = lp2kd.assemble(
            document,
            made_by=str(request.user),
            edition=_("Rancangan"),
            figures=kept.content,
            blocks=lambda key: keeping.blocks_of(kept, key),
        )
    context = {"document": document, "paper": paper, "figures": kept}
    return render(request, "documents/preview.html", context)


@requires("documents.view", load=_document)
def figures_progress(request: HttpRequest, document: Document) -> HttpResponse:
    """How far the figures are, as a piece of page; when they stand, the page is loaded anew.

    The page of a part (``?bagian=`` its key) is not: somebody may be writing there.
    """
    kept = keeping.of_document(document)
    section = document.sections.filter(key=request.GET.get("bagian", "")).first()
    context = {
        "document": document,
        "figures": kept,
        "section": section,
        "progress_url": _progress_of(section) if section is not None else "",
        "is_new": section is not None and not kept.is_working,
    }
    response = render(request, "documents/_figures.html", context)
    if section is None and not kept.is_working:
        response.headers["HX-Refresh"] = "true"
    return response


def _progress_of(section: Section) -> str:
    address = reverse("documents:figures_progress", args=[section.document.year])
    return f"{address}?{urlencode({'bagian': section.key})}"


@require_POST
@requires("documents.view", load=_document)
def compute_figures(request: HttpRequest, document: Document) -> HttpResponse:
    """Have the figures computed anew, and go back to where that was asked."""
    keeping.ask_for(keeping.of_document(document), actor=request.user)
    section = document.sections.filter(key=request.POST.get("bagian", "")).first()
    if section is not None:
        return redirect("documents:section", pk=section.pk)
    return redirect("documents:preview", year=document.year)


@requires("documents.write", load=_section)
def section(request: HttpRequest, section: Section) -> HttpResponse:
    """Write a section. Saves by itself; who was overtaken chooses what stays."""
    is_automatic = bool(getattr(request, "htmx", False)) and request.method == "POST"
    initial = {
        "text": section.text,
        "version": section.version,
        "done": section.state == SectionState.DONE,
    }
    form = WriteForm(request.POST or None, initial=initial)
    other: Section | None = None
    if request.method == "POST" and form.is_valid():
        try:
            section = services.write(section, actor=request.user, **form.cleaned_data)
        except OvertakenError as error:
            other = error.section
            if is_automatic:
                context = {"overtaken": error.messages[0], "version": form.cleaned_data["version"]}
                return render(request, "documents/_saved.html", context)
            messages.error(request, error.messages[0])
        except ValidationError as error:
            show_errors(form, error)
        else:
            if is_automatic:
                context = {"version": section.version, "saved_at": timezone.localtime()}
                return render(request, "documents/_saved.html", context)
            messages.success(request, _("Bagian disimpan."))
            return redirect("documents:document", year=section.document.year)
    if is_automatic:
        context = {"refused": " ".join(str(e) for es in form.errors.values() for e in es)}
        return render(
            request, "documents/_saved.html", {**context, "version": request.POST.get("version")}
        )
    kept = keeping.of_document(section.document)
    if kept.state == FiguresState.NONE and lp2kd.has_figures(section):
        kept = keeping.ask_for(kept, actor=request.user)
    context = {
        "section": section,
        "document": section.document,
        "figures": kept if lp2kd.has_figures(section) else None,
        "progress_url": _progress_of(section),
        "form": form,
        "other": other,
        "version": form["version"].value(),
        "hint": lp2kd.hint_of(section),
        "texts": section.texts.select_related("by")[:8],
        "blocks": keeping.blocks_of(kept, section.key),
    }
    return render(request, "documents/section.html", context)


@requires("documents.manage", load=_section)
def assign(request: HttpRequest, section: Section) -> HttpResponse:
    """Say who writes a section and until when."""
    form = AssignForm(request.POST or None, instance=section)
    if request.method == "POST" and form.is_valid():
        stored = _section(section.pk)
        if tried(
            request,
            lambda: services.assign(stored, actor=request.user, **form.cleaned_data),
            _("Pembagian disimpan."),
        ):
            return redirect("documents:document", year=section.document.year)
    return render(request, "documents/assign.html", {"section": section, "form": form})


@require_POST
@requires("documents.manage", load=_document)
def ask(request: HttpRequest, document: Document) -> HttpResponse:
    """Ask all agencies for their parts."""
    form = AskForm(request.POST)
    if form.is_valid():
        day = form.cleaned_data["due_on"]
        count = services.ask_agencies(document, due_on=day, actor=request.user)
        messages.success(request, _("%(n)d perangkat daerah diberi tahu.") % {"n": count})
    else:
        messages.error(request, _("Isi tanggal batas waktu."))
    return redirect("documents:document", year=document.year)


@require_POST
@requires("documents.manage", load=_document)
def renew(request: HttpRequest, document: Document) -> HttpResponse:
    """Add parts for agencies that are new to the year."""
    added = services.renew_sections(document, actor=request.user)
    messages.success(request, _("%(n)d bagian ditambahkan.") % {"n": added})
    return redirect("documents:document", year=document.year)


def _issue(request: HttpRequest, document: Document, trial: bool) -> HttpResponse:
    form = IssueForm(request.POST)
    given = form.cleaned_data if form.is_valid() else {"note": "", "anew": False}
    done = (
        _("Berkas rancangan sedang dibuat.") if trial else _("Edisi diterbitkan; berkasnya dibuat.")
    )
    tried(
        request,
        lambda: services.issue(document, actor=request.user, trial=trial, **given),
        done,
    )
    return redirect("documents:document", year=document.year)


@require_POST
@requires("documents.manage", load=_document)
def issue(request: HttpRequest, document: Document) -> HttpResponse:
    """Issue a numbered edition."""
    return _issue(request, document, trial=False)


@require_POST
@requires("documents.manage", load=_document)
def trial(request: HttpRequest, document: Document) -> HttpResponse:
    """Have the files of the draft made."""
    return _issue(request, document, trial=True)


@requires("documents.view", load=_edition)
def edition(request: HttpRequest, edition: Edition) -> HttpResponse:
    """An edition as it was issued: its words, its frozen figures, its fingerprints."""
    context = {
        "edition": edition,
        "document": edition.document,
        "paper": Paper.from_json({k: v for k, v in edition.content.items() if k != "keys"}),
        "is_sound": services.digest_of(edition.content) == edition.digest,
        "is_counting": edition.state == EditionState.COUNTING,
    }
    return render(request, "documents/edition.html", context)


@requires("documents.view", load=_edition)
def edition_progress(request: HttpRequest, edition: Edition) -> HttpResponse:
    """How far the files are, as a piece of page."""
    return render(request, "documents/_edition.html", {"edition": edition})


FORMATS = ("pdf", "docx", "xlsx")


def _edition_and_format(pk: int, ending: str) -> Edition:
    edition = _edition(pk)
    if ending not in FORMATS:
        raise Http404
    edition.wanted = ending  # type: ignore[attr-defined]
    return edition


@requires("documents.view", load=_edition_and_format)
def edition_file(request: HttpRequest, edition: Edition) -> HttpResponse:
    """A file of an edition, if it still is what was issued."""
    ending: str = edition.wanted  # type: ignore[attr-defined]
    if edition.state != EditionState.READY:
        messages.info(request, _("Berkasnya belum siap."))
        return redirect("documents:document", year=edition.document.year)
    content = services.content_of(edition, ending)
    if content is None:
        messages.error(
            request,
            _("Berkas ini berubah sejak diterbitkan, jadi tidak diberikan. Hubungi pengelola."),
        )
        return redirect("documents:edition", pk=edition.pk)
    services.log_export(
        "lp2kd", actor=request.user, subject=edition, format=ending, edition=edition.name
    )
    name = services.file_name(edition, ending)
    response = HttpResponse(content, content_type=MEDIA_TYPES[ending])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
@requires("documents.manage", load=_edition)
def retry_edition(request: HttpRequest, edition: Edition) -> HttpResponse:
    """Make the files of a failed edition again."""
    if edition.state == EditionState.FAILED:
        services.make_again(edition, actor=request.user)
        messages.success(request, _("Berkas dibuat lagi."))
    return redirect("documents:document", year=edition.document.year)
