"""Checking candidates at the door, on a phone."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from guyub.access.guards import requires
from guyub.access.permissions import Scope, can, scope_of
from guyub.beneficiaries import queries, services
from guyub.beneficiaries.forms import UnfitForm
from guyub.beneficiaries.models import Enrolment, Stage
from guyub.beneficiaries.services import BeneficiariesError
from guyub.beneficiaries.views import load_enrolment
from guyub.ui.paging import Slice, page_number

A_PAGE = 10


@require_GET
@requires("beneficiaries.verify")
def door(request: HttpRequest) -> HttpResponse:
    """The candidates in one's area, door by door, one card each."""
    rows = queries.candidates(request.user)
    choices = queries.sub_activities_to_verify(rows)
    chosen = request.GET.get("sub", "")
    if chosen.isdigit():
        rows = rows.filter(sub_activity_id=int(chosen))
    number = page_number(request)
    by_address = scope_of(request.user, "beneficiaries.verify") is Scope.OWN_AREA
    page = Slice(queries.walk(rows, number, A_PAGE, by_address), number, A_PAGE)
    context = {
        "page": page,
        "cards": [_card(request, enrolment) for enrolment in page],
        "choices": choices,
        "chosen": chosen,
        "total": sum(choice["n"] for choice in choices),
        "own_area": by_address,
    }
    return render(request, "beneficiaries/door.html", context)


def _card(request: HttpRequest, enrolment: Enrolment) -> dict[str, Any]:
    members = queries.members_by_household([enrolment])[enrolment.household_id]
    return {
        "enrolment": enrolment,
        "home": enrolment.household,
        "members": members,
        "house": queries.house_facts(enrolment.household),
        "reasons": UnfitForm.REASONS,
        # Whoever decides here may also look at the household, unless their role has no such list.
        "may_open": can(request.user, "registry.view", enrolment.household),
    }


def _answer(request: HttpRequest, enrolment: Enrolment, problem: str = "") -> HttpResponse:
    """Answer a decision: the card alone to htmx, else the way back to the list."""
    if not request.htmx:  # type: ignore[attr-defined]
        if problem:
            messages.error(request, problem)
        where = request.POST.get("kembali", "")
        if where == "penerima":
            return redirect("beneficiaries:enrolment", pk=enrolment.pk)
        return redirect("beneficiaries:door")
    fresh = load_enrolment(enrolment.pk)
    context = {"card": _card(request, fresh), "problem": problem}
    decided = fresh.stage != Stage.CANDIDATE
    template = "beneficiaries/_decided.html" if decided else "beneficiaries/_card.html"
    return render(request, template, context)


@require_POST
@requires("beneficiaries.verify", load=load_enrolment)
def verify(request: HttpRequest, record: Enrolment) -> HttpResponse:
    form = UnfitForm(request.POST, request.FILES)
    fit = request.POST.get("hasil") == "layak"
    if not form.is_valid():
        return _answer(request, record, _("Isian terlalu panjang. Persingkat catatannya."))
    try:
        services.verify(
            record,
            fit=fit,
            reason="" if fit else form.why(),
            note=form.cleaned_data["note"],
            photo=form.cleaned_data["photo"],
            actor=request.user,
        )
    except BeneficiariesError as error:
        return _answer(request, record, str(error))
    if not request.htmx:  # type: ignore[attr-defined]
        messages.success(
            request,
            _("%(who)s: %(what)s.")
            % {
                "who": record.person or record.household,
                "what": _("layak") if fit else _("tidak layak"),
            },
        )
    return _answer(request, record)


@require_POST
@requires("beneficiaries.verify", load=load_enrolment)
def undo(request: HttpRequest, record: Enrolment) -> HttpResponse:
    try:
        services.undo_verification(record, actor=request.user)
    except BeneficiariesError as error:
        return _answer(request, record, str(error))
    return _answer(request, record)
