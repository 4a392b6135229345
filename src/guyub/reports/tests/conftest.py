"""Fixtures for progress reports."""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from guyub.access.roles import Role
from guyub.programs.models import Funding
from guyub.reports import services
from guyub.reports.models import Report
from guyub.reports.schedules import set_schedule
from guyub.reports.services import Figures

BUDGET = 400_000_000


@pytest.fixture
def scheduled(make_sub_activity: Callable[..., Any]) -> Callable[..., Any]:
    """Make a sub-activity of 2025 with a budget and a calendar: ``scheduled("RTLH", agency=...)``.

    The year is over, so that every period of it can be reported on.
    """

    def make(name: str = "Perbaikan rumah", frequency: str = "quarterly", **values: Any) -> Any:
        values.setdefault("year", 2025)
        sub_activity = make_sub_activity(name, **values)
        Funding.objects.create(sub_activity=sub_activity, source="apbd_regency", amount=BUDGET)
        set_schedule(sub_activity, frequency=frequency, grace_days=10, actor=None)
        return sub_activity

    return make


@pytest.fixture
def report(scheduled: Callable[..., Any]) -> Report:
    """The empty report on the first quarter of 2025."""
    return scheduled().reports.earliest("period_end")


@pytest.fixture
def operator(make_user: Callable[..., Any]) -> Any:
    return make_user(Role.AGENCY_OPERATOR)


@pytest.fixture
def secretary(make_user: Callable[..., Any]) -> Any:
    return make_user(Role.SECRETARIAT)


def figures(physical: Any = "10", budget: int = 40_000_000, **values: Any) -> Figures:
    """Return figures that may be handed in."""
    values = {"reached": 0, "narrative": "Pengadaan bahan bangunan.", **values}
    return Figures(physical=Decimal(physical), budget=budget, **values)


def accepted(report: Report, given: Figures, operator: Any, secretary: Any) -> Report:
    """Take a report from whatever it is to accepted."""
    report.refresh_from_db()
    report = services.submit(report, version=report.version, figures=given, actor=operator)
    return services.accept(report, version=report.version, actor=secretary)


def photo(name: str = "lokasi.jpg", size: tuple[int, int] = (64, 48)) -> SimpleUploadedFile:
    """Return a JPEG that says where and with what it was taken."""
    exif = Image.Exif()
    exif[0x010F] = "KAMERA-RAHASIA"
    content = io.BytesIO()
    Image.new("RGB", size, "teal").save(content, "JPEG", exif=exif)
    return SimpleUploadedFile(name, content.getvalue(), "image/jpeg")
