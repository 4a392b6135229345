"""What tests of field work share: a small form, a round, and a way to send."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest


def question(name: str, kind: str = "text", **values: Any) -> dict[str, Any]:
    return {
        "kind": "question", "name": name, "path": f"/{name}", "type": kind,
        "label": {"id": name.title()}, "hint": {}, "required": None, "required_message": {},
        "relevant": None, "constraint": None, "constraint_message": {}, "calculation": None,
        "choice_filter": None, "choices": [], "read_only": False, "default": None,
        "appearance": "", "field": "", "items": [], **values,
    }  # fmt: skip


def small_form(**values: Any) -> dict[str, Any]:
    """Return a form of floor, wall, a photo of the house and a note."""
    choices = [
        {"name": code, "label": {"id": label}, "extra": {}}
        for code, label in (("earth", "Tanah"), ("cement", "Semen"), ("ceramic", "Keramik"))
    ]
    walls = [
        {"name": code, "label": {"id": label}, "extra": {}}
        for code, label in (("bamboo", "Bambu"), ("brick", "Tembok"))
    ]
    return {
        "id_string": "uji",
        "version": "1",
        "title": {"id": "Formulir uji"},
        "languages": ["id"],
        "items": [
            question("lantai", "select_one", choices=choices, field="household.floor"),
            question("dinding", "select_one", choices=walls, field="household.wall"),
            question("foto", "image", field="household.photo"),
            question("catatan"),
        ],
        **values,
    }


@pytest.fixture
def form_version(db: None) -> Any:
    from guyub.fieldwork.services import keep_form

    return keep_form(small_form(), actor=None)


@pytest.fixture
def make_visit(form_version: Any, make_household: Callable[..., Any]) -> Callable[..., Any]:
    """Make a visit of a running round to a fresh household: ``make_visit("33.02.01.2001")``."""
    from guyub.fieldwork import services
    from guyub.fieldwork.models import Round
    from guyub.registry.models import Household

    def make(code: str = "33.02.01.2001", agency: Any = None, **values: Any) -> Any:
        record = Round.objects.filter(agency=agency).first()
        if record is None:
            record = services.create_round(
                form_version, {"title": "Verifikasi", "agency": agency}, actor=None
            )
        values.setdefault("floor", "earth")
        home = make_household(code, **values)
        services.add_households(record, Household.objects.filter(pk=home.pk), actor=None)
        if record.state != "open":
            services.open_round(record, actor=None)
        return record.visits.select_related("household", "round", "village").get(household=home)

    return make


@pytest.fixture
def send() -> Callable[..., Any]:
    """Send answers about a visit as the app does: ``send(visit, {"/lantai": "cement"})``."""
    from guyub.fieldwork import household_fields as fields
    from guyub.fieldwork.receiving import receive

    def make(visit: Any, answers: dict[str, Any], **values: Any) -> Any:
        values.setdefault("instance", uuid.uuid4())
        values.setdefault("seen", {"values": fields.values_of(visit.household)})
        return receive(
            form_version=visit.round.form_version, answers=answers, source="app", visit=visit,
            **values,
        )  # fmt: skip

    return make
