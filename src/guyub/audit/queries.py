"""Reading the audit log, and finding out whether anybody tampered with it."""

from __future__ import annotations

import datetime as dt
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from guyub.audit.models import ChainHead, Event
from guyub.audit.services import seal_of

START = "0" * 64


@dataclass(frozen=True)
class Verdict:
    """What a check of the chain found: how many events, and the first fault if there is one.

    ``fault`` is ``gap`` (events missing), ``broken`` (an event does not follow its predecessor),
    ``changed`` (an event's content or seal was altered), ``cut`` (the newest events are missing),
    ``added`` (events at the end that Guyub did not write) or ``anchor`` (the chain is not the one that
    was anchored earlier).
    """

    checked: int
    fault: str = ""
    sequence: int = 0

    @property
    def is_sound(self) -> bool:
        return not self.fault


def anchors_path() -> Path:
    """Return the file, outside the database, that remembers how far the chain had come and when."""
    return Path(settings.DATA_DIR) / "audit-anchors.jsonl"


def anchors() -> list[dict[str, Any]]:
    """Return the anchors kept so far, oldest first: ``sequence``, ``seal``, ``at``."""
    try:
        lines = anchors_path().read_text().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if line.strip()]


def verify_chain(first: int = 1, tick: Callable[[int], None] = lambda done: None) -> Verdict:
    """Walk the chain from event ``first`` and return what is wrong with it, if anything is.

    Recomputes every seal; compares the end with the chain's head and each anchor with its event.
    """
    expected, previous, checked = first, START, 0
    if first > 1:
        before = Event.objects.filter(sequence=first - 1).values_list("seal", flat=True).first()
        if before is None:
            return Verdict(0, "gap", first - 1)
        previous = before
    kept = {
        anchor["sequence"]: anchor["seal"] for anchor in anchors() if anchor["sequence"] >= first
    }
    for event in Event.objects.filter(sequence__gte=first).order_by("sequence").iterator(2000):
        if event.sequence != expected:
            return Verdict(checked, "gap", expected)
        if event.previous_seal != previous:
            return Verdict(checked, "broken", event.sequence)
        if not hmac.compare_digest(event.seal, seal_of(event)):
            return Verdict(checked, "changed", event.sequence)
        if kept.get(event.sequence, event.seal) != event.seal:
            return Verdict(checked, "anchor", event.sequence)
        previous, expected, checked = event.seal, expected + 1, checked + 1
        if checked % 2000 == 0:
            tick(checked)
    head = ChainHead.objects.filter(pk=1).first()
    last = expected - 1
    if not last and get_user_model()._default_manager.exists():
        # Every account is made by an event, so somebody emptied the log, head and all.
        return Verdict(0, "cut", 1)
    if head is not None and head.sequence < last:
        return Verdict(checked, "added", head.sequence + 1)
    if head is not None and (head.sequence, head.seal) != (last, previous if last else START):
        return Verdict(checked, "cut", last + 1)
    if head is None and last:
        return Verdict(checked, "cut", last + 1)
    if kept and max(kept) > last:
        return Verdict(checked, "cut", last + 1)
    return Verdict(checked)


def events(
    *,
    group: str = "",
    actor: str = "",
    text: str = "",
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> QuerySet[Event]:
    """Return events, newest first, narrowed by group of actions, actor, reason and dates."""
    found = Event.objects.all()
    if group:
        found = found.filter(action__startswith=group)
    if actor:
        found = found.filter(actor_name__icontains=actor)
    if text:
        found = found.filter(reason__icontains=text)
    if since:
        found = found.filter(at__date__gte=since)
    if until:
        found = found.filter(at__date__lte=until)
    return found.order_by("-sequence")
