"""Pages of progress reports."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from guyub.access.guards import requires
from guyub.access.permissions import can
from guyub.agencies.models import Agency
from guyub.programs.vocabulary import Recipient
from guyub.reports import deviations, history, queries, services
from guyub.reports.attachments import JPEG, AttachmentError
from guyub.reports.charts import s_curve
from guyub.reports.forms import CorrectionForm, ReportForm, ReviewForm
from guyub.reports.models import Attachment, Report, ReportState, Step, Timeliness
from guyub.reports.services import ConflictError, ReportError
from guyub.ui.answers import show_errors
from guyub.ui.paging import page_of

# The tabs above the list: what they ask for and what they are called.
TABS = {
    "perlu": gettext_lazy("Perlu diisi"),
    ReportState.RETURNED.value: gettext_lazy("Dikembalikan"),
    ReportState.SUBMITTED.value: gettext_lazy("Diajukan"),
    ReportState.ACCEPTED.value: gettext_lazy("Diterima"),
    "semua": gettext_lazy("Semua"),
}
TIMELINESS = {"due": gettext_lazy("Sudah jatuh tempo"), **dict(Timeliness.choices)}


def load_report(pk: int) -> Report:
    return get_object_or_404(
        Report.objects.select_related("sub_activity__agency", "sub_activity__activity__program"),
        pk=pk,
    )


def load_attachment(pk: int) -> Attachment:
    return get_object_or_404(Attachment.objects.select_related("report__sub_activity"), pk=pk)


def _year(request: HttpRequest, years: list[int]) -> int | None:
    """Return the year that ``?tahun=`` asks for; else this year, or the newest there is."""
    asked = request.GET.get("tahun", "")
    this_year = timezone.localdate().year
    default = this_year if this_year in years else years[0] if years else None
    return next((year for year in years if str(year) == asked), default)


def _period_end(request: HttpRequest, ends: list[dt.date]) -> dt.date | None:
    asked = request.GET.get("periode", "")
    return next((end for end in ends if end.isoformat() == asked), None)


def _agencies() -> Any:
    return Agency.objects.filter(sub_activities__schedule__isnull=False).distinct()


@require_GET
@requires("reports.view")
def list_page(request: HttpRequest) -> HttpResponse:
    """Reports by due date, narrowed by what stands in the address.

    People of an agency see their own at first; ``?perangkat=semua`` shows everybody's.
    """
    years = queries.years()
    year = _year(request, years)
    ends = queries.period_ends(year) if year is not None else []
    own = queries.own_agency(request.user)
    own_code = request.user.agency.code if own is not None else ""  # type: ignore[union-attr]
    agency = request.GET.get("perangkat", own_code)
    state = request.GET.get("keadaan", "perlu" if own is not None else "semua")
    state = state if state in TABS else "semua"
    timeliness = request.GET.get("ketepatan", "")
    timeliness = timeliness if timeliness in TIMELINESS else ""
    text = request.GET.get("q", "").strip()[:100]
    narrowed: dict[str, Any] = {
        "year": year,
        "agency": "" if agency == "semua" else agency,
        "timeliness": timeliness,
        "period_end": _period_end(request, ends),
        "text": text,
    }
    rows = queries.reports(**narrowed)
    counts = queries.counts(rows)
    counts["perlu"] = rows.filter(queries.to_do(timezone.localdate())).count()
    if state == "perlu":
        rows = rows.filter(queries.to_do(timezone.localdate()))
    elif state != "semua":
        rows = rows.filter(state=state)
    context = narrowed | {
        "page": page_of(request, rows),
        "tabs": [(key, label, counts.get(key, 0)) for key, label in TABS.items()],
        "state": state,
        "years": years,
        "ends": ends,
        "agencies": _agencies(),
        "agency": agency,
        "timelinesses": TIMELINESS,
        "is_narrowed": bool(timeliness or text or narrowed["period_end"])
        or agency not in ("", own_code),
        "may_review": can(request.user, "reports.review"),
        "may_edit": can(request.user, "reports.edit"),
    }
    return render(request, "reports/list.html", context)


@require_GET
@requires("reports.review")
def queue(request: HttpRequest) -> HttpResponse:
    """Reports under review, those that wait longest first."""
    return render(request, "reports/queue.html", {"page": page_of(request, queries.to_review())})


# One report


def _shown(report: Report) -> dict[str, Any]:
    """Return what the pages of one report say beside its own figures."""
    sub_activity = report.sub_activity
    total = queries.budgets([sub_activity.pk]).get(sub_activity.pk, 0)
    recipients, rupiah = queries.delivered([sub_activity.pk], report.period_end).get(
        sub_activity.pk, (0, 0)
    )
    return {
        "report": report,
        "sub_activity": sub_activity,
        "total": total,
        "delivered": recipients,
        "delivered_rupiah": rupiah,
        # Without an earlier report its figures show as dashes.
        "previous": queries.previous_accepted(report) or Report(),
        "attachments": report.attachments.all(),
        # Groups and whole areas are not enrolled one by one, so there may be nothing to compare.
        "reached_differs": report.reached is not None
        and report.reached != recipients
        and (recipients > 0 or sub_activity.recipient != Recipient.COMMUNITY),
    }


def _report_page(
    request: HttpRequest, report: Report, form: ReviewForm | None = None, status: int = 200
) -> HttpResponse:
    context = _shown(report)
    reports = queries.of_sub_activity(report.sub_activity)
    before = [
        r for r in reports if r.period_end < report.period_start and r.state in queries.REPORTED
    ]
    timeline = history.of(report)
    context |= {
        "chart": s_curve(reports, context["total"], _("Rencana dan realisasi")),
        "deviation": deviations.judge(report, before[-1] if before else None),
        "history": timeline,
        "returned": next((e for e in timeline if e.event.step == Step.RETURNED), None)
        if report.state == ReportState.RETURNED
        else None,
        "form": form or ReviewForm(initial={"version": report.version}),
        "may_edit": can(request.user, "reports.edit", report),
        "may_submit": can(request.user, "reports.submit", report),
        "may_review": can(request.user, "reports.review", report),
        "is_open": timezone.localdate() >= report.period_end,
        "pictures": [a for a in context["attachments"] if a.media_type == JPEG],
        "documents": [a for a in context["attachments"] if a.media_type != JPEG],
    }
    return render(request, "reports/report.html", context, status=status)


@require_GET
@requires("reports.view", load=load_report)
def report_page(request: HttpRequest, report: Report) -> HttpResponse:
    return _report_page(request, report)


@require_http_methods(["GET", "POST"])
@requires("reports.edit", load=load_report)
def edit(request: HttpRequest, report: Report) -> HttpResponse:
    """Fill in a report, or correct an accepted one. The button says whether it is handed in."""
    if report.state == ReportState.SUBMITTED:
        messages.info(request, _("Laporan ini sedang diperiksa dan tidak bisa diubah."))
        return redirect("reports:report", pk=report.pk)
    kind = CorrectionForm if report.state == ReportState.ACCEPTED else ReportForm
    form = kind(initial=ReportForm.initial_of(report))
    if request.method == "POST":
        form = kind(request.POST, request.FILES)
        if form.is_valid():
            try:
                text = _write(request, report, form)
            except (ConflictError, AttachmentError, ReportError, ValidationError) as error:
                _show_errors(form, error)
                if isinstance(error, ConflictError):
                    # The next attempt is made knowing what the other person wrote.
                    report = load_report(report.pk)
                    form.data = {**request.POST.dict(), "version": str(report.version)}
                    form.conflict = report
            else:
                messages.success(request, text)
                return redirect("reports:report", pk=report.pk)
    context = _shown(report) | {
        "form": form,
        "is_correction": report.state == ReportState.ACCEPTED,
        "conflict": form.conflict,
        "is_open": timezone.localdate() >= report.period_end,
        "may_submit": can(request.user, "reports.submit", report),
    }
    return render(request, "reports/edit.html", context, status=422 if form.errors else 200)


def _write(request: HttpRequest, report: Report, form: ReportForm) -> str:
    """Take the step that the user asked for; return what to tell them."""
    given: dict[str, Any] = {
        "version": form.cleaned_data["version"],
        "figures": form.figures(),
        "files": form.cleaned_data["uploads"],
        "actor": request.user,
    }
    if isinstance(form, CorrectionForm):
        services.correct(report, reason=form.cleaned_data["reason"], **given)
        return _("Koreksi diajukan. Angka yang lama tersimpan dalam riwayat.")
    if request.POST.get("langkah") == "ajukan":
        if not can(request.user, "reports.submit", report):
            raise PermissionDenied("reports.submit")
        services.submit(report, **given)
        return _("Laporan diajukan kepada Sekretariat.")
    services.save_draft(report, **given)
    return _("Rancangan tersimpan. Laporan belum diajukan.")


def _show_errors(form: Any, error: Exception) -> None:
    """Put what a service refused beside the field it is about."""
    if isinstance(error, ValidationError):
        show_errors(form, error)
    else:
        form.add_error("uploads" if isinstance(error, AttachmentError) else None, str(error))


@require_POST
@requires("reports.submit", load=load_report)
def submit(request: HttpRequest, report: Report) -> HttpResponse:
    """Hand in what was saved: for heads, who read and send but do not write."""
    version = request.POST.get("version", "")
    try:
        services.submit(
            report, version=int(version) if version.isdigit() else -1, actor=request.user
        )
    except ReportError as error:
        messages.error(request, str(error))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Laporan diajukan kepada Sekretariat."))
    return redirect("reports:report", pk=report.pk)


@require_POST
@requires("reports.review", load=load_report)
def review(request: HttpRequest, report: Report) -> HttpResponse:
    """Accept a report or return it, and go on to the next that waits."""
    form = ReviewForm(request.POST)
    if form.is_valid():
        given = {**form.cleaned_data, "actor": request.user}
        try:
            if request.POST.get("langkah") == "kembalikan":
                services.send_back(report, **given)
                text = _("Laporan dikembalikan dengan catatan.")
            else:
                services.accept(report, **given)
                text = _("Laporan diterima.")
        except (ReportError, ValidationError) as error:
            _show_errors(form, error)
        else:
            messages.success(request, text)
            return redirect("reports:queue")
    return _report_page(request, load_report(report.pk), form, status=422)


@require_GET
@requires("reports.view", load=load_attachment)
def attachment(request: HttpRequest, attachment: Attachment) -> HttpResponseBase:
    """A file of a report. Pictures show; documents, which others made, are only ever saved."""
    response = FileResponse(
        attachment.file.open("rb"),
        as_attachment=attachment.media_type != JPEG,
        filename=attachment.name,
        content_type=attachment.media_type,
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
@requires("reports.edit", load=load_attachment)
def detach(request: HttpRequest, attachment: Attachment) -> HttpResponse:
    report = attachment.report
    try:
        services.remove_attachment(attachment, actor=request.user)
    except ReportError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Lampiran dihapus."))
    return redirect("reports:edit", pk=report.pk)


# All reports


@require_GET
@requires("reports.view")
def lateness(request: HttpRequest) -> HttpResponse:
    """How agencies keep their due dates, by ``?tahun=`` and ``?periode=``."""
    years = queries.years()
    year = _year(request, years)
    ends = queries.period_ends(year) if year is not None else []
    end = _period_end(request, ends)
    rows = queries.late_by_agency(year, period_end=end) if year is not None else []
    total = {
        name: sum(getattr(row, name) for row in rows)
        for name in ("due", "on_time", "late", "missing")
    }
    today = timezone.localdate()
    context = {
        "page": page_of(request, rows, 50),
        "total": total,
        "share": round(100 * total["on_time"] / total["due"]) if total["due"] else None,
        "years": years,
        "year": year,
        "ends": [e for e in ends if e <= today],
        "end": end,
        "address": reverse("reports:list"),
    }
    return render(request, "reports/lateness.html", context)


@require_GET
@requires("reports.view")
def deviations_page(request: HttpRequest) -> HttpResponse:
    """Sub-activities that fall behind their plan, by ``?tahun=``, ``?perangkat=`` and ``?tingkat=``."""
    years = queries.years()
    year = _year(request, years)
    agency = request.GET.get("perangkat", "")
    level = request.GET.get("tingkat", "")
    level = level if level in (deviations.WARN, deviations.BAD) else ""
    rows = queries.deviations(year, agency=agency, level=level) if year is not None else []
    context = {
        "page": page_of(request, rows),
        "years": years,
        "year": year,
        "agencies": _agencies(),
        "agency": agency,
        "level": level,
    }
    return render(request, "reports/deviations.html", context)
