from __future__ import annotations

import json
from typing import Any

from allauth.core import ratelimit
from django import forms as django_forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from guyub.access import wall
from guyub.access.guards import public, requires
from guyub.privacy import forms, queries, services
from guyub.privacy.access_paper import copy_pdf
from guyub.privacy.models import Activity, Breach, Right, SubjectRequest
from guyub.registry.models import Household, Person, SubjectKind
from guyub.ui.answers import refused, tried
from guyub.ui.paging import page_of

# Actions of settings.ACCOUNT_RATE_LIMITS, counted by the sender's address.
# Changes shown on the page of a request for correction.
CORRECTIONS = 10
LODGING, FOLLOWING = "complaint_lodge", "complaint_follow"


def _load(model: Any) -> Any:
    def load(pk: int) -> Any:
        found = model.objects.filter(pk=pk).first()
        if found is None:
            raise Http404
        return found

    return load


# For anybody


@public
@require_GET
def notice(request: HttpRequest) -> HttpResponse:
    """What Guyub keeps about people, why, for how long, and what they may ask."""
    context = {
        "contact": queries.contact(),
        "activities": Activity.objects.all(),
        "rights": Right.choices,
    }
    return render(request, "privacy/notice.html", context)


@public
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@wall.everything()
def lodge(request: HttpRequest) -> HttpResponse:
    """Take a citizen's request and give its code, on the answering page alone."""
    form = forms.LodgeForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "privacy/lodge.html", {"form": form})
    values = dict(form.cleaned_data)
    if values.pop("website"):
        raise Http404
    if not ratelimit.consume(request, action=LODGING):
        return _too_many(request, "privacy/lodge.html", form)
    return render(request, "privacy/lodged.html", {"made": services.lodge(values)})


def _too_many(request: HttpRequest, template: str, form: Any) -> HttpResponse:
    form.add_error(None, _("Terlalu banyak percobaan dari jaringan ini. Coba lagi nanti."))
    return render(request, template, {"form": form}, status=429)


@public
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@wall.everything()
def track(request: HttpRequest) -> HttpResponse:
    """Tell whoever holds a code how far the request is. The code is only posted."""
    form = forms.TrackForm(request.POST or None)
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        if not ratelimit.consume(request, action=FOLLOWING):
            return _too_many(request, "privacy/track.html", form)
        context["found"] = queries.by_code(form.cleaned_data["code"])
        if context["found"] is None:
            form.add_error("code", _("Tidak ada yang berkode ini. Periksa huruf dan angkanya."))
    return render(request, "privacy/track.html", context)


# For the secretariat


@require_GET
@requires("privacy.handle")
def requests(request: HttpRequest) -> HttpResponse:
    return render(request, "privacy/requests.html", {"page": page_of(request, queries.requests())})


@require_http_methods(["GET", "POST"])
@requires("privacy.handle")
def desk(request: HttpRequest) -> HttpResponse:
    """Note a request of somebody who stands at the desk."""
    form = forms.DeskForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        values.pop("website")
        made = services.lodge(values, identity=values.pop("identity"), actor=request.user)
        return redirect("privacy:request", made.pk)
    return _form(request, _("Catat permintaan di meja layanan"), form)


def _form(request: HttpRequest, title: str, form: Any) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "privacy/form.html", {"title": title, "form": form}, status=status)


def _corrections(record: SubjectRequest) -> list[Any]:
    """Return what was changed since, each change with its name as people read it."""
    rows: list[Any] = list(queries.corrections(record)[:CORRECTIONS])
    for row in rows:
        model = Person if row.kind == SubjectKind.PERSON else Household
        row.label = model._meta.get_field(row.field).verbose_name  # type: ignore[union-attr]
    return rows


def _close_form(record: SubjectRequest, given: Any = None) -> forms.CloseForm:
    kind = forms.RestrictForm if record.right == Right.RESTRICT else forms.CloseForm
    return kind(given)


def _detail(request: HttpRequest, record: SubjectRequest, form: Any = None) -> HttpResponse:
    context = {
        "record": record,
        "verify_form": form if isinstance(form, forms.VerifyForm) else forms.VerifyForm(),
        "close_form": form if isinstance(form, forms.CloseForm) else _close_form(record),
        "lift_form": form if isinstance(form, forms.LiftForm) else forms.LiftForm(),
        "corrections": _corrections(record) if record.right == Right.CORRECT else [],
        "may_copy": record.right == Right.ACCESS and record.verified_by_id == request.user.pk,
    }
    status = 422 if form is not None else 200
    return render(request, "privacy/request.html", context, status=status)


@require_GET
@requires("privacy.handle", load=_load(SubjectRequest))
def detail(request: HttpRequest, record: SubjectRequest) -> HttpResponse:
    return _detail(request, record)


@require_POST
@requires("privacy.handle", load=_load(SubjectRequest))
def verify(request: HttpRequest, record: SubjectRequest) -> HttpResponse:
    form = forms.VerifyForm(request.POST)
    return _do(
        request, record, form,
        lambda: services.verify(record, identity=form.cleaned_data["identity"], actor=request.user),
    )  # fmt: skip


@require_POST
@requires("privacy.handle", load=_load(SubjectRequest))
def close(request: HttpRequest, record: SubjectRequest) -> HttpResponse:
    form = _close_form(record, request.POST)
    return _do(
        request, record, form,
        lambda: services.close(
            record, answer=form.cleaned_data["answer"], actor=request.user,
            granted=form.cleaned_data["granted"] == "1",
            whole_household=form.cleaned_data.get("whole") == "1",
        ),
    )  # fmt: skip


@require_POST
@requires("privacy.handle", load=_load(SubjectRequest))
def lift(request: HttpRequest, record: SubjectRequest) -> HttpResponse:
    """End the restriction that the request led to."""
    form = forms.LiftForm(request.POST)
    return _do(
        request, record, form,
        lambda: services.lift(record, reason=form.cleaned_data["reason"], actor=request.user),
    )  # fmt: skip


def _do(
    request: HttpRequest, record: SubjectRequest, form: django_forms.Form, act: Any
) -> HttpResponse:
    if form.is_valid() and tried(request, act, _("Tersimpan."), form):
        return redirect("privacy:request", record.pk)
    return _detail(request, record, form)


@never_cache
@require_POST
@requires("privacy.handle", load=_load(SubjectRequest))
def copy(request: HttpRequest, record: SubjectRequest) -> HttpResponse:
    """The file for the person, to read (``pdf``) or for machines: everything held about them."""
    try:
        content = services.make_copy(record, actor=request.user)
    except ValidationError as error:
        refused(request, error)
        return redirect("privacy:request", record.pk)
    as_paper = request.POST.get("format") == "pdf"
    body: Any = (
        copy_pdf(record, content) if as_paper else json.dumps(content, ensure_ascii=False, indent=1)
    )
    name = f"salinan-data-{record.pk}.{'pdf' if as_paper else 'json'}"
    return HttpResponse(
        body,
        content_type="application/pdf" if as_paper else "application/json; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_GET
@requires("privacy.view")
def register(request: HttpRequest) -> HttpResponse:
    """The register of processing, and the breaches."""
    context = {
        "activities": Activity.objects.all(),
        "breaches": page_of(request, Breach.objects.all()),
        "contact": queries.contact(),
    }
    return render(request, "privacy/register.html", context)


def _saving(request: HttpRequest, title: str, form: Any, save: Any) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        save(form.save(commit=False), actor=request.user)
        messages.success(request, _("Tersimpan."))
        return redirect("privacy:register")
    return _form(request, title, form)


@require_http_methods(["GET", "POST"])
@requires("privacy.handle")
def contact(request: HttpRequest) -> HttpResponse:
    form = forms.ContactForm(request.POST or None, instance=queries.contact())
    return _saving(request, _("Narahubung pelindungan data"), form, services.save_contact)


@require_http_methods(["GET", "POST"])
@requires("privacy.handle")
def new_activity(request: HttpRequest) -> HttpResponse:
    form = forms.ActivityForm(request.POST or None)
    return _saving(request, _("Tambah kegiatan pemrosesan"), form, services.save_activity)


@require_http_methods(["GET", "POST"])
@requires("privacy.handle", load=_load(Activity))
def activity(request: HttpRequest, record: Activity) -> HttpResponse:
    form = forms.ActivityForm(request.POST or None, instance=record)
    return _saving(request, record.name, form, services.save_activity)


@require_http_methods(["GET", "POST"])
@requires("privacy.handle")
def new_breach(request: HttpRequest) -> HttpResponse:
    form = forms.BreachForm(request.POST or None)
    return _saving(request, _("Catat kegagalan pelindungan data"), form, services.save_breach)


@require_http_methods(["GET", "POST"])
@requires("privacy.handle", load=_load(Breach))
def breach(request: HttpRequest, record: Breach) -> HttpResponse:
    form = forms.BreachForm(request.POST or None, instance=record)
    return _saving(request, record.title, form, services.save_breach)
