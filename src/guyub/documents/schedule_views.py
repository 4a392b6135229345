"""Pages of schedules: who is mailed what, what was sent, and how to stop it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from guyub.access.guards import requires
from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.documents import mailing
from guyub.documents.forms import ScheduleForm
from guyub.documents.models import BuiltReport, Dispatch, DispatchState, ReportKind, Schedule
from guyub.programs.models import Program
from guyub.ui.answers import show_errors
from guyub.ui.paging import page_of


def _schedule(pk: int) -> Schedule:
    rows = Schedule.objects.select_related("agency", "area", "program", "built", "created_by")
    return get_object_or_404(rows.prefetch_related("recipients"), pk=pk)


def _dispatch(pk: int) -> Dispatch:
    return get_object_or_404(Dispatch.objects.select_related("schedule"), pk=pk)


def _must_see(user: Any, entry: Schedule) -> bool:
    """Tell whether the reader may change the schedule; refuse who has no part in it."""
    may_change = mailing.may_change(user, entry)
    if not may_change and user not in entry.recipients.all():
        raise PermissionDenied("documents.schedule")
    return may_change


@requires("documents.schedule")
def schedules(request: HttpRequest) -> HttpResponse:
    """The schedules that the reader made or gets, and what failed of late."""
    rows = mailing.visible_to(request.user)
    failed = Dispatch.objects.filter(schedule__in=rows.values("pk"), state=DispatchState.FAILED)
    context = {
        "page": page_of(request, rows),
        "failed": failed.select_related("schedule", "user")[:10],
    }
    return render(request, "documents/schedules.html", context)


def _initial(request: HttpRequest) -> dict[str, Any]:
    """Read ``?laporan=`` and ``?pokok=``, with which panels lead here."""
    kind, key = request.GET.get("laporan", ""), request.GET.get("pokok", "")
    found: dict[str, Any] = {"recipients": [request.user.pk]}
    if kind == ReportKind.AGENCY:
        found["agency"] = Agency.objects.filter(code=key).first()
    elif kind == ReportKind.AREA:
        found["area"] = Area.objects.filter(code=key).first()
    elif kind == ReportKind.PROGRAM and key.isascii() and key.isdigit() and len(key) < 18:
        found["program"] = Program.objects.filter(pk=int(key)).first()
    elif kind == ReportKind.BUILT and key.isascii() and key.isdigit() and len(key) < 18:
        found["built"] = BuiltReport.objects.filter(pk=int(key)).first()
    if kind in ReportKind.values:
        found["kind"] = kind
    return found


def _edit(request: HttpRequest, entry: Schedule | None, initial: dict[str, Any]) -> HttpResponse:
    form = ScheduleForm(request.POST or None, user=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        recipients = values.pop("recipients")
        try:
            saved = mailing.schedule(
                values=values, recipients=recipients, actor=request.user, entry=entry
            )
        except ValidationError as error:
            show_errors(form, error)
        else:
            messages.success(request, _("Jadwal disimpan."))
            return redirect("documents:schedule", pk=saved.pk)
    return render(request, "documents/schedule_form.html", {"form": form, "entry": entry})


@requires("documents.schedule")
def add_schedule(request: HttpRequest) -> HttpResponse:
    return _edit(request, None, _initial(request))


@requires("documents.schedule", load=_schedule)
def edit_schedule(request: HttpRequest, entry: Schedule) -> HttpResponse:
    if not _must_see(request.user, entry):
        raise PermissionDenied("documents.schedule")
    names = ("kind", "agency", "area", "program", "built", "rhythm", "carriage", "format")
    initial = {name: getattr(entry, name) for name in names}
    return _edit(request, entry, {**initial, "recipients": [u.pk for u in entry.recipients.all()]})


@requires("documents.schedule", load=_schedule)
def schedule(request: HttpRequest, entry: Schedule) -> HttpResponse:
    """One schedule with the log of what was sent."""
    user: Any = request.user
    may_change = _must_see(user, entry)
    sent = entry.dispatches.select_related("user")
    context = {
        "entry": entry,
        "may_change": may_change,
        "gets_it": user in entry.recipients.all(),
        "page": page_of(request, sent if may_change else sent.filter(user=user)),
    }
    return render(request, "documents/schedule.html", context)


@require_POST
@requires("documents.schedule", load=_schedule)
def pause(request: HttpRequest, entry: Schedule) -> HttpResponse:
    """Pause a schedule or let it go on."""
    if not _must_see(request.user, entry):
        raise PermissionDenied("documents.schedule")
    mailing.set_paused(entry, not entry.is_paused, actor=request.user)
    messages.success(request, _("Jadwal dijeda.") if entry.is_paused else _("Jadwal jalan lagi."))
    return redirect("documents:schedule", pk=entry.pk)


@require_POST
@requires("documents.schedule", load=_schedule)
def delete_schedule(request: HttpRequest, entry: Schedule) -> HttpResponse:
    if not _must_see(request.user, entry):
        raise PermissionDenied("documents.schedule")
    mailing.remove(entry, actor=request.user)
    messages.success(request, _("Jadwal dihapus."))
    return redirect("documents:schedules")


@requires("documents.schedule", load=_schedule)
def unsubscribe(request: HttpRequest, entry: Schedule) -> HttpResponse:
    """Ask whether to stop, and stop: the address that every message names."""
    user: Any = request.user
    if user not in entry.recipients.all():
        raise PermissionDenied("documents.schedule")
    if request.method == "POST":
        mailing.unsubscribe(entry, actor=user)
        messages.success(request, _("Anda tidak lagi menerima laporan ini."))
        return redirect("documents:schedules")
    return render(request, "documents/unsubscribe.html", {"entry": entry})


@require_POST
@requires("documents.schedule", load=_dispatch)
def retry(request: HttpRequest, dispatch: Dispatch) -> HttpResponse:
    """Send what failed now."""
    if not mailing.may_change(request.user, dispatch.schedule):
        raise PermissionDenied("documents.schedule")
    if mailing.send(dispatch.pk):
        messages.success(request, _("Terkirim."))
    else:
        dispatch.refresh_from_db()
        messages.error(
            request,
            _("Belum terkirim: %(why)s") % {"why": dispatch.error or dispatch.get_state_display()},
        )
    return redirect("documents:schedule", pk=dispatch.schedule_id)
