"""NIK and KK numbers in answers: masked as pages show them, and the log of who saw them whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from guyub.audit import services as audit
from guyub.discussions.numbers import mask_numbers
from guyub.fieldwork.answers import Line
from guyub.fieldwork.models import Submission


def masked_lines(lines: Iterable[Line]) -> list[Line]:
    """Return answers with the NIK and KK numbers in them masked."""
    return [replace(line, value=mask_numbers(line.value)[0]) for line in lines]


def masked_answers(answers: Any) -> Any:
    """Return answers with the NIK and KK numbers in them masked, in repeats too."""
    if isinstance(answers, dict):
        return {key: masked_answers(value) for key, value in answers.items()}
    if isinstance(answers, list):
        return [masked_answers(value) for value in answers]
    if isinstance(answers, str):
        return mask_numbers(answers)[0]
    if isinstance(answers, (int, float)) and abs(answers) >= 10**15:
        # A number that was asked for as one.
        return mask_numbers(str(int(answers)))[0]
    return answers


def log_reveal(submission: Submission, *, reason: str, actor: Any) -> None:
    """Log that somebody saw the numbers in a submission, and why."""
    audit.record(
        "fieldwork.submission.reveal", actor=actor, subject=submission, reason=reason.strip()
    )
