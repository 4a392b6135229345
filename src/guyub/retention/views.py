from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from guyub.access.guards import requires
from guyub.retention import classes, forms, queries, services
from guyub.retention.certificate import certificate_pdf
from guyub.retention.models import Disposal, Hold, Item, Schedule, State
from guyub.ui.answers import tried
from guyub.ui.paging import page_of


def _load(model: Any) -> Any:
    def load(pk: int) -> Any:
        found = model.objects.filter(pk=pk).first()
        if found is None:
            raise Http404
        return found

    return load


def _schedule(code: str) -> Schedule:
    services.ensure_schedules()
    found = Schedule.objects.filter(code=code).first()
    if found is None:
        raise Http404
    return found


@require_GET
@requires("retention.view")
def index(request: HttpRequest) -> HttpResponse:
    """What is kept for how long, what waits to be disposed of, and what was."""
    context = {
        "page": page_of(request, queries.disposals()),
        "schedules": queries.schedules(),
        "holds": queries.holds()[:50],
        "kept": classes.KEPT,
    }
    return render(request, "retention/index.html", context)


@require_http_methods(["GET", "POST"])
@requires("retention.handle", load=_schedule)
def schedule(request: HttpRequest, record: Schedule) -> HttpResponse:
    """Set for how long a class of records is kept, and on what basis."""
    form = forms.ScheduleForm(request.POST or None, instance=record)
    if request.method == "POST" and form.is_valid():
        services.save_schedule(form.save(commit=False), actor=request.user)
        messages.success(request, _("Tersimpan."))
        return redirect("retention:list")
    context = {"title": str(record), "form": form, "kind": classes.class_of(record.code)}
    return render(request, "retention/form.html", context, status=422 if form.errors else 200)


@require_POST
@requires("retention.handle")
def propose(request: HttpRequest) -> HttpResponse:
    """Look now for what is past its time, without waiting for the night."""
    made = services.propose(timezone.localdate())
    text = ngettext(
        "%(n)d usulan pemusnahan baru.", "%(n)d usulan pemusnahan baru.", len(made)
    ) % {"n": len(made)}  # fmt: skip
    messages.success(request, text if made else _("Tidak ada data baru yang lewat masa simpannya."))
    return redirect("retention:list")


def _page(
    request: HttpRequest, record: Disposal, form: Any = None, item: Item | None = None
) -> HttpResponse:
    page = page_of(request, record.items.all())
    rows = queries.described(record, list(page.object_list))
    counts = queries.counts(record)
    context = {
        "record": record,
        "kind": record.record_class,
        "page": page,
        "rows": rows,
        "counts": counts,
        "share": _share(counts),
        "reason_form": form or forms.ReasonForm(),
        "chosen": item,
        "is_own": record.submitted_by_id == request.user.pk,
    }
    return render(request, "retention/disposal.html", context, status=422 if form else 200)


def _share(counts: dict[str, int]) -> int:
    total = sum(counts.values()) - counts["held"]
    return round(100 * (counts["done"] + counts["skipped"]) / total) if total else 100


@require_GET
@requires("retention.view", load=_load(Disposal))
def disposal(request: HttpRequest, record: Disposal) -> HttpResponse:
    """What is to go or went, record by record, under masked numbers."""
    return _page(request, record)


@require_GET
@requires("retention.view", load=_load(Disposal))
def progress(request: HttpRequest, record: Disposal) -> HttpResponse:
    """How far the worker is; asks the page to be read anew when it is done."""
    if record.state != State.APPROVED:
        return HttpResponse(headers={"HX-Refresh": "true"})
    counts = queries.counts(record)
    context = {"record": record, "share": _share(counts), "counts": counts}
    return render(request, "retention/_progress.html", context)


@require_POST
@requires("retention.handle", load=_load(Disposal))
def submit(request: HttpRequest, record: Disposal) -> HttpResponse:
    tried(
        request,
        lambda: services.submit(record, actor=request.user),
        _("Ditinjau; menunggu persetujuan orang kedua."),
    )
    return redirect("retention:disposal", record.pk)


@require_POST
@requires("retention.handle", load=_load(Disposal))
def approve(request: HttpRequest, record: Disposal) -> HttpResponse:
    tried(
        request,
        lambda: services.approve(record, actor=request.user),
        _("Disetujui; sedang dikerjakan."),
    )
    return redirect("retention:disposal", record.pk)


@require_POST
@requires("retention.handle", load=_load(Disposal))
def drop(request: HttpRequest, record: Disposal) -> HttpResponse:
    form = forms.ReasonForm(request.POST)
    if form.is_valid():
        dropped = tried(
            request,
            lambda: services.drop(record, reason=form.cleaned_data["reason"], actor=request.user),
            _("Dibatalkan; tidak ada yang dimusnahkan."),
            form,
        )
        if dropped:
            return redirect("retention:disposal", record.pk)
    return _page(request, record, form)


@require_GET
@requires("retention.view", load=_load(Disposal))
def certificate(request: HttpRequest, record: Disposal) -> HttpResponse:
    """The certificate as PDF."""
    if record.state != State.DONE:
        raise Http404
    name = f"berita-acara-pemusnahan-{record.pk}.pdf"
    return HttpResponse(
        certificate_pdf(record),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_http_methods(["GET", "POST"])
@requires("retention.handle", load=_load(Item))
def hold(request: HttpRequest, item: Item) -> HttpResponse:
    """Keep one record, with the reason."""
    form = forms.ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        held = tried(
            request,
            lambda: services.hold(item, reason=form.cleaned_data["reason"], actor=request.user),
            _("Ditahan; tidak ikut dimusnahkan."),
            form,
        )
        if held:
            return redirect("retention:disposal", item.disposal_id)
    queries.described(item.disposal, [item])
    context = {
        "title": _("Tahan catatan ini"),
        "form": form,
        "item": item,
        "kind": item.disposal.record_class,
    }
    return render(request, "retention/form.html", context, status=422 if form.errors else 200)


@require_POST
@requires("retention.handle", load=_load(Hold))
def lift(request: HttpRequest, record: Hold) -> HttpResponse:
    tried(
        request,
        lambda: services.lift_hold(record, actor=request.user),
        _("Penahanan dicabut."),
    )
    return redirect("retention:list")
