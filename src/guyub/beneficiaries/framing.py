"""What pages about recipients share: the form by itself, and what an address narrows a list to."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from guyub.beneficiaries import queries
from guyub.beneficiaries.models import Enrolment, Stage
from guyub.programs.models import SubActivity


def narrowing_of(request: HttpRequest) -> queries.Narrowing:
    """Return what the page's address narrows the list to."""
    stage, area = request.GET.get("tahap", ""), request.GET.get("wilayah", "")
    return queries.Narrowing(
        stage=stage if stage in Stage.values else "",
        area=area if area.replace(".", "").isdigit() else "",
    )


def form_page(
    request: HttpRequest,
    title: str,
    form: Any,
    *,
    back: str,
    button: str = "",
    record: SubActivity,
    enrolment: Enrolment | None = None,
    intro: str = "",
    tone: str = "",
) -> HttpResponse:
    """Show one form by itself."""
    context = {
        "title": title,
        "form": form,
        "back": back,
        "button": button or _("Simpan"),
        "sub_activity": record,
        "enrolment": enrolment,
        "intro": intro,
        "tone": tone,
    }
    return render(request, "beneficiaries/form.html", context, status=422 if form.errors else 200)
