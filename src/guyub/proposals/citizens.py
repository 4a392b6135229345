"""Pages that anyone may use without an account: lodging a complaint, and following it by its code."""

from __future__ import annotations

from typing import Any

from allauth.core import ratelimit
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from guyub.access import wall
from guyub.access.guards import public
from guyub.proposals import forms, queries, services
from guyub.proposals.vocabulary import ProposalKind, kind_of
from guyub.ui.answers import refused

# Actions of settings.ACCOUNT_RATE_LIMITS, counted by the sender's address.
LODGING, FOLLOWING = "complaint_lodge", "complaint_follow"


def _too_many(request: HttpRequest, template: str, form: Any) -> HttpResponse:
    form.add_error(None, _("Terlalu banyak percobaan dari jaringan ini. Coba lagi nanti."))
    return render(request, template, {"form": form}, status=429)


@public
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@wall.everything()
def lodge(request: HttpRequest) -> HttpResponse:
    """Take a complaint or a proposal from a citizen and give its code, on the answering page alone."""
    villages = queries.villages_for()
    form = forms.LodgeForm(villages, request.POST or None, request.FILES or None)
    template = "proposals/lodge.html"
    if request.method != "POST" or not form.is_valid():
        return render(request, template, {"form": form})
    if form.cleaned_data["website"]:
        # A program: it is told what people are told, and nothing is kept.
        return render(request, "proposals/lodged.html", {"code": _shown(services.new_code())})
    if not ratelimit.consume(request, action=LODGING):
        return _too_many(request, template, form)
    values = dict(form.cleaned_data)
    photos, village, agency = values.pop("photos"), values.pop("village"), values.pop("agency")
    kind = kind_of(values["reason_kind"])
    try:
        made = services.submit(
            village=village,
            kind=kind,
            values=values,
            agency=agency if kind == ProposalKind.COMPLAINT else None,
            uploads=photos,
        )
    except ValidationError as error:
        refused(request, error, form)
        return render(request, template, {"form": form})
    return render(request, "proposals/lodged.html", {"code": made.shown_code})


def _shown(code: str) -> str:
    return f"{code[:5]}-{code[5:]}"


@public
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@wall.everything()
def track(request: HttpRequest) -> HttpResponse:
    """Tell whoever holds a code the steps and dates, and take their appeal. The code is only posted."""
    form = forms.TrackForm(request.POST or None)
    template = "proposals/track.html"
    if request.method != "POST" or not form.is_valid():
        return render(request, template, {"form": form})
    if not ratelimit.consume(request, action=FOLLOWING):
        return _too_many(request, template, form)
    steps = queries.steps_of_code(form.cleaned_data["code"])
    if not steps:
        form.add_error("code", _("Tidak ada yang berkode ini. Periksa huruf dan angkanya."))
        return render(request, template, {"form": form})
    proposal = steps[0].proposal
    appeal_form = forms.AppealForm(request.POST if "text" in request.POST else None)
    if appeal_form.is_bound and appeal_form.is_valid():
        try:
            services.appeal(proposal, actor=None, text=appeal_form.cleaned_data["text"])
        except ValidationError as error:
            refused(request, error, appeal_form)
        else:
            steps = queries.steps_of_code(form.cleaned_data["code"])
            proposal = steps[0].proposal
    context = {
        "form": form,
        "proposal": proposal,
        "steps": steps,
        "appeal_form": appeal_form if proposal.can_be_appealed else None,
    }
    return render(request, template, context)
