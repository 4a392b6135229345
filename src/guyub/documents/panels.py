"""What pages of agencies, areas and programs offer of reports."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access.permissions import can
from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.documents.models import FileFormat
from guyub.programs.models import Program

Found = tuple[str, dict[str, Any]] | None


def _panel(request: HttpRequest, title: str, page: str, key: Any, query: str = "") -> Found:
    if not can(request.user, "documents.view"):
        return None
    links = [
        (label, f"{reverse(f'documents:{page}', args=[key, value])}{query}")
        for value, label in FileFormat.choices
    ]
    kind = page.partition("_")[0]
    scheduled = f"{reverse('documents:add_schedule')}?laporan={kind}&pokok={key}"
    return "documents/_panel.html", {"title": title, "links": links, "schedule_url": scheduled}


def of_agency(request: HttpRequest, agency: Agency) -> Found:
    year = f"?tahun={timezone.localdate().year}"
    return _panel(request, _("Laporan perangkat daerah"), "agency_report", agency.code, year)


def of_area(request: HttpRequest, area: Area) -> Found:
    year = f"?tahun={timezone.localdate().year}"
    return _panel(request, _("Laporan wilayah"), "area_report", area.code, year)


def of_program(request: HttpRequest, program: Program) -> Found:
    return _panel(request, _("Laporan program"), "program_report", program.pk)
