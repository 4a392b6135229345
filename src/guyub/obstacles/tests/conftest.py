from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from guyub.access.roles import Role
from guyub.obstacles import services


@pytest.fixture
def make_obstacle(make_user, make_agency):
    """Report an obstacle: ``make_obstacle(actor=..., needed_agency=...)``."""

    def make(**values):
        values.setdefault("title", "Data penerima belum padan")
        values.setdefault("description", "Menunggu data kependudukan.")
        values.setdefault("category", "data")
        values.setdefault("severity", 2)
        values.setdefault("due_on", timezone.localdate() + dt.timedelta(days=7))
        if "needed_agency" not in values:
            values["needed_agency"] = make_agency("dindukcapil")
        if "actor" not in values:
            values["actor"] = make_user(Role.AGENCY_OPERATOR)
        return services.report(**values)

    return make
