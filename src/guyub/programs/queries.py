"""Reading programs."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from guyub.programs.models import Program


def years() -> list[int]:
    """Return the budget years that have programs, newest first."""
    return list(Program.objects.order_by("-year").values_list("year", flat=True).distinct())


def programs(agency: str = "", year: int | None = None, text: str = "") -> QuerySet[Program]:
    """Return programs with their agencies, narrowed by agency code, year and words.

    Every word of ``text`` must stand in the code, the name, the description or the agency's name.
    """
    rows = Program.objects.select_related("agency").order_by(
        "-year", "code", "name", "agency__name"
    )
    if agency:
        rows = rows.filter(agency__code=agency)
    if year is not None:
        rows = rows.filter(year=year)
    for word in text.split()[:8]:
        rows = rows.filter(
            Q(code__istartswith=word)
            | Q(name__icontains=word)
            | Q(description__icontains=word)
            | Q(agency__name__icontains=word)
            | Q(agency__short_name__icontains=word)
        )
    return rows


def same_elsewhere(program: Program) -> QuerySet[Program]:
    """Return the same program of the same year run by other agencies, known by its code."""
    if not program.code:
        return Program.objects.none()
    return (
        Program.objects.filter(code=program.code, year=program.year)
        .exclude(agency_id=program.agency_id)
        .select_related("agency")
        .order_by("agency__name")
    )


def other_years(program: Program) -> QuerySet[Program]:
    """Return the agency's program of the same name or code in other years, newest first."""
    same = Q(name__iexact=program.name)
    if program.code:
        same |= Q(code=program.code)
    return (
        Program.objects.filter(same, agency_id=program.agency_id)
        .exclude(year=program.year)
        .order_by("-year")
    )
