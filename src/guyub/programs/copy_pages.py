"""The page that copies an agency's sub-activities into the next budget year."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.access.guards import requires
from guyub.access.permissions import authorize
from guyub.agencies.models import Agency
from guyub.programs import queries, services
from guyub.programs.copying import exists_next_year
from guyub.programs.forms import agencies_of
from guyub.programs.models import SubActivity


class PercentForm(forms.Form):
    """How much of the money goes along."""

    percent = forms.IntegerField(
        label=gettext_lazy("Anggaran tahun berikutnya (persen)"),
        initial=100,
        validators=[MinValueValidator(0), MaxValueValidator(300)],
        widget=forms.NumberInput(attrs={"min": 0, "max": 300}),
        help_text=gettext_lazy(
            "100 berarti tetap, 105 naik lima persen, 0 berarti tanpa anggaran."
        ),
    )


def _asked(request: HttpRequest) -> tuple[Agency | None, int | None]:
    """Return the agency and the year that the address or the form names, if the user may write them."""
    given = request.POST if request.method == "POST" else request.GET
    agencies = agencies_of(request.user)
    code = given.get("perangkat", "")
    agency = agencies.filter(code=code).first() if code else None
    if agency is None and not code and agencies.count() == 1:
        agency = agencies.first()
    if agency is None:
        return None, None
    years = list(
        SubActivity.objects.filter(agency=agency)
        .order_by("-year")
        .values_list("year", flat=True)
        .distinct()
    )
    asked = given.get("tahun", "")
    if not years:
        return agency, None
    # Unasked never a year still to come: whoever copies twice would make the year after next.
    current = timezone.localdate().year
    usual = next((y for y in years if y <= current), years[-1])
    return agency, next((y for y in years if str(y) == asked), usual)


@requires("programs.edit")
def copy(request: HttpRequest) -> HttpResponse:
    """Choose an agency, a year and its sub-activities; then what was made of them."""
    agency, year = _asked(request)
    form = PercentForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {
        "agencies": agencies_of(request.user),
        "agency": agency,
        "year": year,
        "form": form,
    }
    if agency is None or year is None:
        return render(request, "programs/copy.html", context)
    subs = (
        SubActivity.objects.filter(agency=agency, year=year)
        .select_related("agency", "activity__program__agency", "activity__program__mission")
        .order_by(
            queries.without_code("activity__program__"),
            "activity__program__code",
            "activity__program__name",
            "code",
            "name",
        )
    )
    if request.method == "POST" and form.is_valid():
        authorize(request.user, "programs.edit", agency)
        chosen = [int(pk) for pk in request.POST.getlist("sub") if pk.isdigit() and len(pk) < 19]
        if chosen:
            context["outcome"] = services.copy_to_next_year(
                subs.filter(pk__in=chosen),
                actor=request.user,
                agency=agency,
                year=year,
                percent=form.cleaned_data["percent"],
            )
            return render(request, "programs/copied.html", context)
        form.add_error(None, _("Pilih sedikitnya satu sub kegiatan."))
    programs: dict[Any, list[tuple[SubActivity, bool]]] = {}
    for sub in queries.with_budget(subs):
        programs.setdefault(sub.activity.program, []).append((sub, exists_next_year(sub)))
    context["programs"] = list(programs.items())
    context["years"] = (
        SubActivity.objects.filter(agency=agency)
        .order_by("-year")
        .values_list("year", flat=True)
        .distinct()
    )
    return render(request, "programs/copy.html", context)
