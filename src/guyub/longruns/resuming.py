"""What a worker calls when it starts and from time to time: long work whose process died goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

# Each queues what was abandoned of one kind, and returns how many that were.
_resumers: list[Callable[[], int]] = []


def register(resume: Callable[[], int]) -> None:
    """Have ``resume`` called; an app says so once it is ready."""
    if resume not in _resumers:
        _resumers.append(resume)


def take_up_all() -> int:
    """Queue again all long work that was abandoned; return how much that is."""
    return sum(resume() for resume in _resumers)


def queue(lost: Iterable[Any], task: Any) -> int:
    """Queue ``task`` for each row of ``lost``; return how many."""
    rows = list(lost)
    for row in rows:
        task.enqueue(row.pk)
    return len(rows)
