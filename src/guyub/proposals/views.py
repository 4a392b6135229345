"""Pages of proposals and objections for those who handle them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from guyub.access.guards import requires
from guyub.access.permissions import authorize, can
from guyub.proposals import checks, forms, queries, services
from guyub.proposals.models import Proposal, ProposalFile
from guyub.proposals.vocabulary import Outcome, ProposalKind, ProposalState, kind_of
from guyub.registry.models import Household
from guyub.ui.answers import refused
from guyub.ui.paging import page_of


def load_proposal(pk: int) -> Proposal:
    return get_object_or_404(Proposal.objects.select_related(*queries.RELATED), pk=pk)


def load_file(pk: int) -> ProposalFile:
    return get_object_or_404(ProposalFile.objects.select_related("step__proposal__village"), pk=pk)


def _must_see(user: Any, proposal: Proposal) -> None:
    if not queries.may_see(user, proposal):
        raise PermissionDenied("proposals.view")


@require_GET
@requires("proposals.view")
def list_page(request: HttpRequest) -> HttpResponse:
    """Proposals by ``?jenis=``, ``?keadaan=``, ``?wilayah=``, ``?terlambat=``; ``?giliran=`` mine only."""
    user: Any = request.user
    asked = request.GET
    chosen: dict[str, Any] = {
        "kind": asked.get("jenis", "") if asked.get("jenis") in ProposalKind.values else "",
        "state": asked.get("keadaan", "") if asked.get("keadaan") in ProposalState.values else "",
        "area": asked.get("wilayah", ""),
        "overdue": asked.get("terlambat") == "1",
    }
    areas = queries.areas_for(user)
    if chosen["area"] not in {area.code for area in areas}:
        chosen["area"] = ""
    mine = asked.get("giliran") == "1"
    rows = queries.waiting_for(user) if mine else queries.narrowed(user, **chosen)
    context = {
        "page": page_of(request, rows),
        "chosen": chosen,
        "mine": mine,
        "waiting": queries.waiting(user),
        "kinds": ProposalKind.choices,
        "states": ProposalState.choices,
        "areas": areas,
        "is_narrowed": any(chosen.values()),
        "may_submit": can(user, "proposals.submit"),
    }
    return render(request, "proposals/list.html", context)


@requires("proposals.submit")
def new(request: HttpRequest) -> HttpResponse:
    """Propose a new household, or with ``?keluarga=`` propose or (``?jenis=object``) object to a known one."""
    user: Any = request.user
    household = None
    number = request.GET.get("keluarga", "")
    if number:
        known = Household.objects.select_related("village__parent")
        digits = number if number.isascii() and number.isdigit() and len(number) < 19 else "0"
        household = get_object_or_404(known, pk=digits)
        authorize(user, "proposals.submit", household)
    kind = ProposalKind.PROPOSE
    if household is not None and request.GET.get("jenis") == ProposalKind.OBJECT:
        kind = ProposalKind.OBJECT
    refusal = checks.refusal(kind, household) if household is not None else ""
    sent = (request.POST or None, request.FILES or None)
    form: Any = (
        forms.KnownForm(kind, *sent)
        if household is not None
        else forms.NewForm(queries.villages_for(user), *sent)
    )
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        photos = values.pop("photos")
        village = household.village if household is not None else values.pop("village")
        try:
            made = services.submit(
                village=village, kind=kind, values=values, actor=user, household=household,
                uploads=photos,
            )  # fmt: skip
        except ValidationError as error:
            refused(request, error, form)
        else:
            messages.success(
                request, _("Tersimpan. Berikan kode lacaknya kepada keluarga yang bersangkutan.")
            )
            return redirect("proposals:detail", pk=made.pk)
    context = {"form": form, "household": household, "kind": kind, "refusal": refusal}
    return render(request, "proposals/new.html", context)


@require_GET
@requires("proposals.view", load=load_proposal)
def detail(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    return _detail(request, proposal)


def _detail(request: HttpRequest, proposal: Proposal, **sent: Any) -> HttpResponse:
    user: Any = request.user
    _must_see(user, proposal)
    steps = proposal.steps.select_related("actor").prefetch_related("files")
    context = {
        "proposal": proposal,
        "steps": steps,
        "actions": _actions(user, proposal, sent),
        "shows_citizen": queries.may_see_citizen(user, proposal),
        # Of what a citizen wrote, the code is theirs alone.
        "shows_code": proposal.submitted_by_id is not None
        and can(user, "proposals.submit", proposal),
        "may_open_household": proposal.household is not None
        and can(user, "registry.view", proposal.household),
    }
    return render(request, "proposals/detail.html", context)


def _actions(user: Any, proposal: Proposal, sent: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the forms of the steps that ``user`` may take now; ``sent`` holds one that was refused."""
    state, complaint = proposal.state, proposal.kind == ProposalKind.COMPLAINT
    found: list[tuple[str, str, bool, Callable[[], django_forms.Form], str]] = [
        ("answer", "proposals.decide", complaint and state == ProposalState.SUBMITTED,
         forms.AnswerForm, _("Jawab pengaduan")),
        ("turn", "proposals.decide",
         complaint and state == ProposalState.SUBMITTED and not proposal.is_confidential,
         lambda: forms.TurnForm(initial={"head_name": proposal.head_name}),
         _("Jadikan usulan atau sanggahan")),
        ("deliberate", "proposals.deliberate", not complaint and state == ProposalState.SUBMITTED,
         forms.DeliberateForm, _("Catat musyawarah desa")),
        ("verify", "proposals.verify", state == ProposalState.DELIBERATED,
         lambda: forms.VerifyForm(proposal), _("Catat verifikasi lapangan")),
        ("decide", "proposals.decide", state == ProposalState.VERIFIED,
         lambda: forms.DecideForm(proposal), _("Putuskan")),
        ("appeal", "proposals.submit", proposal.can_be_appealed, forms.AppealForm,
         _("Ajukan banding")),
        ("decide_appeal", "proposals.decide_appeal", state == ProposalState.APPEALED,
         lambda: forms.AppealDecisionForm(proposal), _("Putuskan banding")),
    ]  # fmt: skip
    actions = []
    for name, permission, fits, make, title in found:
        if fits and can(user, permission, proposal):
            form = sent.get(name) or make()
            # Several forms stand on the page, with fields of the same names.
            form.auto_id = f"{name}_%s"
            actions.append(
                {"name": name, "url": f"proposals:{name}", "title": title, "form": form,
                 "is_sent": name in sent}
            )  # fmt: skip
    return actions


def _take(
    request: HttpRequest,
    proposal: Proposal,
    name: str,
    form: Any,
    deed: Callable[[dict[str, Any]], Any],
    done: str,
) -> HttpResponse:
    """Take a step with what ``form`` holds, or show the page again with what is amiss."""
    _must_see(request.user, proposal)
    if form.is_valid():
        try:
            deed(form.cleaned_data)
        except ValidationError as error:
            refused(request, error, form)
        else:
            messages.success(request, done)
            return redirect("proposals:detail", pk=proposal.pk)
    fresh = load_proposal(proposal.pk)
    if not any(action["name"] == name for action in _actions(request.user, fresh, {})):
        # Somebody was faster: there is no such form on the page any more.
        messages.error(request, _("Langkah ini tidak berlaku lagi; lihat keadaannya sekarang."))
    return _detail(request, fresh, **{name: form})


@requires("proposals.deliberate", load=load_proposal)
@require_POST
def deliberate(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    form = forms.DeliberateForm(request.POST, request.FILES)

    def deed(given: dict[str, Any]) -> None:
        services.deliberate(
            proposal, actor=request.user, happened_on=given["happened_on"],
            agreed=given["outcome"] == Outcome.ACCEPTED, text=given["text"],
            minutes=given["minutes"],
        )  # fmt: skip

    return _take(request, proposal, "deliberate", form, deed, _("Musyawarah dicatat."))


@requires("proposals.verify", load=load_proposal)
@require_POST
def verify(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    form = forms.VerifyForm(proposal, request.POST, request.FILES)

    def deed(given: dict[str, Any]) -> None:
        services.verify(
            proposal, actor=request.user, happened_on=given["happened_on"],
            fits=given["outcome"] == Outcome.ACCEPTED, text=given["text"], photos=given["photos"],
            head=form.head(),
        )  # fmt: skip

    return _take(request, proposal, "verify", form, deed, _("Verifikasi dicatat."))


@requires("proposals.decide", load=load_proposal)
@require_POST
def decide(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    form = forms.DecideForm(proposal, request.POST)

    def deed(given: dict[str, Any]) -> None:
        services.decide(
            proposal, actor=request.user, accepted=given["outcome"] == Outcome.ACCEPTED,
            text=given["text"], answer=given["answer"], status=given.get("status", ""),
        )  # fmt: skip

    return _take(request, proposal, "decide", form, deed, _("Putusan disimpan."))


@requires("proposals.submit", load=load_proposal)
@require_POST
def appeal(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    form = forms.AppealForm(request.POST)

    def deed(given: dict[str, Any]) -> None:
        services.appeal(proposal, actor=request.user, text=given["text"])

    return _take(request, proposal, "appeal", form, deed, _("Banding diajukan."))


@requires("proposals.decide_appeal", load=load_proposal)
@require_POST
def decide_appeal(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    form = forms.AppealDecisionForm(proposal, request.POST)

    def deed(given: dict[str, Any]) -> None:
        services.decide_appeal(
            proposal, actor=request.user, upheld=given["outcome"] == Outcome.ACCEPTED,
            text=given["text"], answer=given["answer"], status=given.get("status", ""),
        )  # fmt: skip

    return _take(request, proposal, "decide_appeal", form, deed, _("Putusan banding disimpan."))


@requires("proposals.decide", load=load_proposal)
@require_POST
def answer(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    form = forms.AnswerForm(request.POST)

    def deed(given: dict[str, Any]) -> None:
        services.answer(proposal, actor=request.user, text=given["answer"])

    return _take(request, proposal, "answer", form, deed, _("Jawaban disimpan."))


@requires("proposals.decide", load=load_proposal)
@require_POST
def turn(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    form = forms.TurnForm(request.POST)

    def deed(given: dict[str, Any]) -> None:
        services.turn(proposal, actor=request.user, kind=kind_of(given["reason_kind"]), **given)

    return _take(request, proposal, "turn", form, deed, _("Pengaduan diteruskan."))


@require_GET
@requires("proposals.view", load=load_file)
def file(request: HttpRequest, kept: ProposalFile) -> HttpResponseBase:
    _must_see(request.user, kept.step.proposal)
    return FileResponse(
        kept.file.open("rb"),
        as_attachment=not kept.is_picture,
        filename=kept.name,
        content_type=kept.media_type,
    )
