"""Pages of what meetings lead to: decisions, their ratification, and actions."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from guyub.access.guards import requires
from guyub.access.permissions import can
from guyub.agencies.models import Agency
from guyub.meetings import decisions, forms, queries
from guyub.meetings.models import (
    ActionItem,
    ActionState,
    AgendaItem,
    Consent,
    Decision,
    DecisionState,
    Meeting,
    Stance,
)
from guyub.meetings.pages import find_item, find_meeting, form_page
from guyub.ui.answers import refused, tried
from guyub.ui.paging import page_of

SUMMARIES = 10


def _decision(pk: int) -> Decision:
    return get_object_or_404(Decision.objects.select_related("meeting", "item"), pk=pk)


def _consent(pk: int) -> Consent:
    rows = Consent.objects.select_related("decision__meeting", "decision__item", "agency")
    return get_object_or_404(rows, pk=pk)


def _action(pk: int) -> ActionItem:
    rows = ActionItem.objects.select_related("meeting", "agency", "decision")
    return get_object_or_404(rows, pk=pk)


@requires("meetings.manage", load=find_item)
def decide(request: HttpRequest, item: AgendaItem) -> HttpResponse:
    """Write down a decision: who may decide agrees, unless ticked as objecting."""
    voices = queries.voices_on(item)
    form = forms.DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        objections = {
            agency_id: request.POST.get(f"catatan-{agency_id}", "").strip()
            for agency_id in voices
            if request.POST.get(f"keberatan-{agency_id}")
        }
        try:
            decision = decisions.record_decision(
                item,
                actor=request.user,
                text=form.cleaned_data["text"],
                objections=objections,
            )
        except ValidationError as error:
            refused(request, error, form)
        else:
            messages.success(
                request,
                _("Keputusan %(number)d dicatat: %(state)s.")
                % {
                    "number": decision.number,
                    "state": decision.get_state_display().lower(),
                },
            )
            return redirect("meetings:decision", pk=decision.pk)
    concerned = queries.concerned_by(item)
    context = {
        "item": item,
        "meeting": item.meeting,
        "form": form,
        "voices": list(voices.values()),
        "awaited": [agency for agency in concerned if agency.pk not in voices],
        "quorum": queries.quorum(item.meeting),
    }
    return render(request, "meetings/decide.html", context)


@requires("meetings.view")
def decision_list(request: HttpRequest) -> HttpResponse:
    """Decisions, narrowed by ``?keadaan=``."""
    state = request.GET.get("keadaan", "")
    rows = Decision.objects.select_related("meeting", "item").order_by("-decided_at", "-pk")
    if state in DecisionState.values:
        rows = rows.filter(state=state)
    context = {
        "page": page_of(request, rows),
        "states": DecisionState.choices,
        "state": state,
        "owed": list(queries.awaited_consents(request.user)[:SUMMARIES])
        if request.user.agency_id  # type: ignore[union-attr]
        else [],
    }
    return render(request, "meetings/decisions.html", context)


@requires("meetings.view", load=_decision)
def decision(request: HttpRequest, decision: Decision) -> HttpResponse:
    consents = list(decision.consents.select_related("agency", "by"))
    mine = next(
        (
            c
            for c in consents
            if c.stance == Stance.AWAITED and can(request.user, "meetings.ratify", c)
        ),
        None,
    )
    context = {
        "decision": decision,
        "meeting": decision.meeting,
        "consents": consents,
        "mine": mine if decision.state == DecisionState.PENDING else None,
        "may_rule": decision.state == DecisionState.ESCALATED
        and can(request.user, "meetings.rule"),
        "actions": list(decision.actions.select_related("agency")),
        "form": forms.NoteForm(),
        "ruling": forms.RulingForm(),
    }
    return render(request, "meetings/decision.html", context)


@requires("meetings.ratify", load=_consent)
@require_POST
def ratify(request: HttpRequest, consent: Consent) -> HttpResponse:
    agrees = request.POST.get("sikap") == "setuju"
    tried(
        request,
        lambda: decisions.ratify(
            consent, actor=request.user, agrees=agrees, note=request.POST.get("note", "")
        ),
        _("Keputusan disahkan.") if agrees else _("Keberatan Anda diteruskan kepada Bupati."),
    )
    return redirect("meetings:decision", pk=consent.decision_id)


@requires("meetings.rule", load=_decision)
@require_POST
def rule(request: HttpRequest, decision: Decision) -> HttpResponse:
    adopts = request.POST.get("arahan") == "berlaku"
    tried(
        request,
        lambda: decisions.rule(
            decision, actor=request.user, adopts=adopts, note=request.POST.get("note", "")
        ),
        _("Arahan tersimpan."),
    )
    return redirect("meetings:decision", pk=decision.pk)


@requires("meetings.view")
def action_list(request: HttpRequest) -> HttpResponse:
    """Action items, narrowed by ``?perangkat=``, ``?keadaan=`` and ``?terlambat=1``."""
    agency, state = request.GET.get("perangkat", ""), request.GET.get("keadaan", "")
    overdue = request.GET.get("terlambat") == "1"
    context = {
        "page": page_of(
            request,
            queries.actions(agency, state if state in ActionState.values else "", overdue),
        ),
        "agencies": Agency.objects.filter(meeting_actions__isnull=False).distinct(),
        "agency": agency,
        "states": ActionState.choices,
        "state": state,
        "overdue": overdue,
    }
    return render(request, "meetings/actions.html", context)


@requires("meetings.manage", load=find_meeting)
def add_action(request: HttpRequest, meeting: Meeting) -> HttpResponse:
    chosen = request.GET.get("keputusan", "")
    form = forms.ActionForm(meeting, request.POST or None, initial={"decision": chosen or None})
    if request.method == "POST" and form.is_valid():
        added = tried(
            request,
            lambda: decisions.add_action(meeting, actor=request.user, **form.cleaned_data),
            _("Tindak lanjut dicatat."),
            form,
        )
        if added:
            return redirect(reverse("meetings:detail", args=[meeting.pk]) + "#tindak-lanjut")
    return form_page(
        request, form, title=_("Catat tindak lanjut"), meeting=meeting, button=_("Simpan")
    )


@requires("meetings.view", load=_action)
def action(request: HttpRequest, action: ActionItem) -> HttpResponse:
    may_act = can(request.user, "meetings.act", action)
    form = forms.ActionUpdateForm(initial={"state": action.state}) if may_act else None
    context = {
        "action": action,
        "meeting": action.meeting,
        "updates": list(action.updates.select_related("by")),
        "form": form,
    }
    return render(request, "meetings/action.html", context)


@requires("meetings.act", load=_action)
@require_POST
def update_action(request: HttpRequest, action: ActionItem) -> HttpResponse:
    tried(
        request,
        lambda: decisions.update_action(
            action,
            actor=request.user,
            text=request.POST.get("text", ""),
            state=request.POST.get("state", ""),
        ),
        _("Kemajuan tersimpan."),
    )
    return redirect("meetings:action", pk=action.pk)
