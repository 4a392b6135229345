"""The audit log, for the auditor."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from guyub.access.guards import requires
from guyub.audit import queries, services
from guyub.audit.actions import GROUPS, label_of
from guyub.audit.models import Event
from guyub.ui.paging import Slice, page_number

PAGE = 30
QUICK_CHECK = 10_000
FAULTS = {
    "gap": gettext_lazy("ada kejadian yang hilang"),
    "broken": gettext_lazy("sebuah kejadian tidak bersambung dengan pendahulunya"),
    "changed": gettext_lazy("isi sebuah kejadian diubah"),
    "added": gettext_lazy("ada kejadian yang disisipkan di ujung"),
    "cut": gettext_lazy("kejadian terbaru dipotong"),
    "anchor": gettext_lazy("rantai berbeda dari yang pernah dicatat di luar basis data"),
}


class FilterForm(forms.Form):
    kelompok = forms.ChoiceField(
        label=gettext_lazy("Tindakan"),
        required=False,
        choices=[("", gettext_lazy("Semua")), *GROUPS.items()],
    )
    pelaku = forms.CharField(label=gettext_lazy("Pelaku"), required=False, max_length=80)
    alasan = forms.CharField(label=gettext_lazy("Kata dalam alasan"), required=False, max_length=80)
    sejak = forms.DateField(
        label=gettext_lazy("Sejak"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    sampai = forms.DateField(
        label=gettext_lazy("Sampai"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )


def _narrowed(form: FilterForm) -> Any:
    data = form.cleaned_data if form.is_valid() else {}
    return queries.events(
        group=data.get("kelompok", ""),
        actor=data.get("pelaku", ""),
        text=data.get("alasan", ""),
        since=data.get("sejak"),
        until=data.get("sampai"),
    )


@require_GET
@requires("audit.view")
def list_page(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    number = page_number(request)
    start = (number - 1) * PAGE
    page = Slice(list(_narrowed(form)[start : start + PAGE + 1]), number, PAGE)
    for event in page:
        event.label = label_of(event.action)
    return render(request, "audit/list.html", {"form": form, "page": page})


def load_event(pk: int) -> Event:
    event = Event.objects.filter(pk=pk).first()
    if event is None:
        raise Http404
    return event


@require_GET
@requires("audit.view", load=load_event)
def detail(request: HttpRequest, event: Event) -> HttpResponse:
    return render(request, "audit/detail.html", {"event": event, "label": label_of(event.action)})


@require_POST
@requires("audit.view")
def verify(request: HttpRequest) -> HttpResponse:
    """Check the newest part of the chain; the whole of it is for ``guyub audit verify``."""
    newest = Event.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    verdict = queries.verify_chain(max(1, newest - QUICK_CHECK + 1))
    services.record(
        "audit.verify",
        actor=request.user,
        detail={"checked": verdict.checked, "fault": verdict.fault},
    )
    if verdict.is_sound:
        messages.success(
            request,
            _("%(count)s kejadian terakhir diperiksa: rantai utuh.") % {"count": verdict.checked},
        )
    else:
        messages.error(
            request,
            _("Rantai rusak pada kejadian nomor %(number)s: %(fault)s.")
            % {"number": verdict.sequence, "fault": FAULTS[verdict.fault]},
        )
    return redirect("audit:list")


@require_POST
@requires("audit.view")
def export(request: HttpRequest) -> HttpResponseBase:
    """The narrowed log as CSV."""
    reason = request.POST.get("alasan_unduh", "").strip()
    if len(reason) < 10:
        messages.error(request, _("Tulis alasannya, paling sedikit 10 huruf."))
        return redirect("audit:list")
    form = FilterForm(request.GET)
    found = _narrowed(form)
    services.record("audit.export", actor=request.user, reason=reason)
    response = StreamingHttpResponse(_csv(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="jejak-audit.csv"'
    return response


def _csv(found: Any) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [
            "nomor",
            "waktu",
            "pelaku",
            "peran",
            "tindakan",
            "objek",
            "alasan",
            "rincian",
            "alamat",
            "segel",
        ]
    )
    for event in found.iterator(2000):
        row = [
            event.sequence, event.at.isoformat(), event.actor_name, event.actor_role, event.action,
            f"{event.subject_type} {event.subject_id}".strip(), event.reason, event.detail, event.address,
            event.seal,
        ]  # fmt: skip
        # No spreadsheet shall take what somebody typed for a formula.
        texts = [str(value) for value in row]
        writer.writerow(
            [f"'{t}" if t.startswith(("=", "+", "-", "@", "\t", "\r")) else t for t in texts]
        )
        if out.tell() > 60_000:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()
