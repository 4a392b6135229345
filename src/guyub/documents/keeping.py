"""Figures that take long, computed in the worker and kept: those of an LP2KD, of the regency's report, and
of questions over the whole registry.

Pages read what is kept and say of when it is. Asking anew queues the work; what was kept stays until the
new figures stand. A worker that dies over it is found out, and another one begins anew.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation

from guyub.accounts.models import User
from guyub.areas.models import Area
from guyub.audit import services as audit
from guyub.documents import briefs, lp2kd, sources
from guyub.documents.models import Document, Figures, FiguresState
from guyub.documents.paper import Block, Paper, block_from_json, block_json
from guyub.documents.question import Question, ask, key_of

Tick = Callable[[int], None]


def _language() -> str:
    return (translation.get_language() or "id").partition("-")[0]


def of_document(document: Document, language: str = "") -> Figures:
    """Return what is kept of an LP2KD's figures in a language, the reader's own unless named."""
    return _find(f"document:{document.pk}", document.year, language)


def of_area(area: Area, year: int, language: str = "") -> Figures:
    """Return what is kept of the report of an area on the help of ``year``."""
    return _find(f"area:{area.pk}", year, language)


def of_question(question: Question, user: Any) -> Figures:
    """Return how far the answer to a question that takes long is, for a reader."""
    found = _find(f"question:{key_of(question, user)[-48:]}", timezone.localdate().year, "")
    found.asked = {"question": question.as_json(), "user": user.pk}
    return found


def _find(subject: str, year: int, language: str) -> Figures:
    known = {"subject": subject, "year": year, "language": language or _language()}
    return Figures.objects.filter(**known).first() or Figures(**known, state=FiguresState.NONE)


@transaction.atomic
def ask_for(figures: Figures, *, actor: Any) -> Figures:
    """Have figures computed (anew), unless a worker is at it or about to be."""
    from guyub.documents.tasks import compute_figures

    known = {"subject": figures.subject, "year": figures.year, "language": figures.language}
    defaults = {"state": FiguresState.NONE, "asked": figures.asked}
    figures, _made = Figures.objects.get_or_create(**known, defaults=defaults)
    figures = Figures.objects.select_for_update().get(pk=figures.pk)
    if figures.is_working and not figures.is_lost:
        return figures
    figures.state, figures.percent = FiguresState.WAITING, 0
    figures.touched_at = timezone.now()
    figures.save(update_fields=["state", "percent", "touched_at"])
    audit.record("documents.figures.ask", actor=actor, detail={"subject": figures.subject,
                 "year": figures.year})  # fmt: skip
    transaction.on_commit(lambda: compute_figures.enqueue(figures.pk))
    return figures


def compute(pk: int) -> Figures | None:
    """Compute figures and keep them; ``None`` when there is nothing to do or another worker is at it.

    What was kept before stays when it fails.
    """
    now = timezone.now()
    free = Q(state=FiguresState.WAITING) | Q(
        state=FiguresState.WORKING, touched_at__lt=now - Figures.SILENCE
    )
    taken = Figures.objects.filter(free, pk=pk).update(
        state=FiguresState.WORKING, touched_at=now, percent=1
    )
    if not taken:
        return None
    figures = Figures.objects.get(pk=pk)

    def tick(percent: int) -> None:
        Figures.objects.filter(pk=pk).update(percent=percent, touched_at=timezone.now())

    began = time.monotonic()
    try:
        with translation.override(figures.language):
            content = _content(figures, tick)
    except Exception:
        _fail(figures)
        raise
    _keep(figures, content, time.monotonic() - began)
    return figures


@transaction.atomic
def _fail(figures: Figures) -> None:
    from guyub.documents.services import fail_waiting

    Figures.objects.filter(pk=figures.pk).update(state=FiguresState.FAILED)
    fail_waiting(figures)


@transaction.atomic
def _keep(figures: Figures, content: dict[str, Any], seconds: float) -> None:
    figures.content, figures.seconds = content, seconds
    figures.state, figures.percent = FiguresState.READY, 100
    figures.computed_at = timezone.now()
    figures.save()
    from guyub.documents.services import fill_waiting

    fill_waiting(figures)


def _content(figures: Figures, tick: Tick) -> dict[str, Any]:
    kind, _colon, pk = figures.subject.partition(":")
    if kind == "document":
        return _of_document(Document.objects.get(pk=pk), tick)
    if kind == "question":
        return _answer(figures.asked)
    area = Area.objects.select_related("parent").get(pk=pk)
    # Whose report it is, is written in when somebody takes it.
    return briefs.of_area(area, figures.year, None, tick).as_json()


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Answer a question for whoever asked it; the answer is kept where :func:`ask` keeps all."""
    user = User.objects.get(pk=asked["user"])
    try:
        ask(Question.read(asked["question"]), user, fresh=True)
    except ValidationError as error:
        return {"problems": error.messages}
    return {}


def _of_document(document: Document, tick: Tick) -> dict[str, Any]:
    sections = list(document.sections.select_related("agency").order_by("position"))
    blocks = {}
    for number, section in enumerate(sections, 1):
        made = lp2kd.blocks_of(section, document.year)
        blocks[section.key] = [block_json(block) for block in made]
        tick(max(1, 99 * number // len(sections)))
    return {
        "blocks": blocks,
        "sources": [vars(source) for source in sources.datasets()],
        "reference": sources.reference_text(),
        "made_at": sources.made_at(),
    }


def blocks_of(figures: Figures, key: str) -> list[Block]:
    """Return the kept tables and charts of a section of an LP2KD."""
    return [block_from_json(data) for data in figures.content.get("blocks", {}).get(key, [])]


def paper_of(figures: Figures, reader: str) -> Paper:
    """Return a kept report, made out to ``reader``."""
    paper = Paper.from_json(figures.content)
    paper.made_by = reader
    return paper


def forget_questions() -> int:
    """Drop what is known of questions that were answered more than a day ago; return how many."""
    day = timezone.now() - dt.timedelta(days=1)
    rows = Figures.objects.filter(subject__startswith="question:", touched_at__lt=day)
    return rows.delete()[0]


def abandoned() -> list[int]:
    """Return the figures whose worker died."""
    rows = Figures.objects.filter(
        state=FiguresState.WORKING, touched_at__lt=timezone.now() - Figures.SILENCE
    )
    return list(rows.values_list("pk", flat=True))
