"""Reading answers by the form they were given to: which there are, what they say of a household."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from guyub.fieldwork import household_fields as fields
from guyub.fieldwork.models import in_language

MEDIA = ("image", "audio", "video", "file")
SILENT = ("calculate", "hidden", "note", "start", "end", "today", "deviceid", "username")


def questions(definition: dict[str, Any], *, repeats: bool = True) -> Iterator[dict[str, Any]]:
    """Yield the questions of a form in order; those within repeats only when asked for."""
    walked = _walk(definition["items"], into_repeats=repeats)
    return (item for item in walked if item["kind"] == "question")


def repeats(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the repeats of a form in order, without those within others."""
    walked = _walk(definition["items"], into_repeats=False)
    return (item for item in walked if item["kind"] == "repeat")


def _walk(items: list[dict[str, Any]], *, into_repeats: bool) -> Iterator[dict[str, Any]]:
    for item in items:
        yield item
        if item["kind"] == "group" or (item["kind"] == "repeat" and into_repeats):
            yield from _walk(item.get("items") or [], into_repeats=into_repeats)


def household_fields_of(definition: dict[str, Any]) -> list[str]:
    """Return the household's values that a form asks about."""
    named = (q.get("field") or "" for q in questions(definition, repeats=False))
    return [name for name in dict.fromkeys(named) if name in fields.FIELDS]


@dataclass(frozen=True)
class Said:
    """What a submission says of a household, and what of it can't be used and why."""

    values: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def said_of_household(definition: dict[str, Any], answers: dict[str, Any]) -> Said:
    """Return the household's values that answers give. An unanswered question gives none."""
    said = Said()
    for question in questions(definition, repeats=False):
        name = question.get("field") or ""
        if name not in fields.FIELDS:
            continue
        try:
            value = fields.FIELDS[name].read(answers.get(question["path"]))
        except fields.UnusableAnswerError as error:
            said.problems[name] = str(error)
            continue
        if value:
            said.values[name] = value
    return said


def answer_to(definition: dict[str, Any], answers: dict[str, Any], name: str) -> Any:
    """Return the answer to the question about ``name``, ``None`` when it was not asked or answered."""
    for question in questions(definition, repeats=False):
        if question.get("field") == name:
            return answers.get(question["path"])
    return None


def files_about(definition: dict[str, Any], answers: dict[str, Any], name: str) -> list[str]:
    """Return the names of the attachments that answer the questions about ``name``."""
    return [
        str(answers[question["path"]])
        for question in questions(definition, repeats=False)
        if question.get("field") == name and answers.get(question["path"])
    ]


@dataclass(frozen=True)
class Line:
    """One answer to be read by people: a heading, or a question with its answer."""

    label: str
    value: str = ""
    depth: int = 0
    is_heading: bool = False
    # Name of the attachment, where the answer is one.
    file: str = ""
    path: str = ""


def _choice_label(question: dict[str, Any], code: Any) -> str:
    for choice in question.get("choices") or []:
        if choice["name"] == str(code):
            return in_language(choice["label"]) or str(code)
    return str(code)


def in_words(question: dict[str, Any], value: Any) -> str:
    """Return an answer as people read it."""
    kind = question["type"]
    if value in (None, "", []):
        return ""
    if kind == "select_one":
        return _choice_label(question, value)
    if kind == "select_multiple":
        chosen = value if isinstance(value, list) else str(value).split()
        return ", ".join(_choice_label(question, code) for code in chosen)
    if kind == "geopoint":
        parts = value if isinstance(value, list) else str(value).split()
        return ", ".join(f"{float(part):.5f}" for part in parts[:2])
    if isinstance(value, bool):
        return "✓" if value else ""
    return str(value)


def lines(definition: dict[str, Any], answers: dict[str, Any]) -> list[Line]:
    """Return all answers in the order of the form, with the headings of its groups and repeats."""
    found: list[Line] = []

    def walk(items: list[dict[str, Any]], given: dict[str, Any], depth: int) -> None:
        for item in items:
            label = in_language(item.get("label") or {}) or item["name"]
            if item["kind"] == "repeat":
                for number, row in enumerate(given.get(item["path"]) or [], 1):
                    found.append(Line(f"{label} {number}", depth=depth, is_heading=True))
                    walk(item.get("items") or [], row, depth + 1)
            elif item["kind"] == "group":
                start = len(found)
                found.append(Line(label, depth=depth, is_heading=True))
                walk(item.get("items") or [], given, depth + 1)
                if len(found) == start + 1:
                    found.pop()
            elif item["type"] not in SILENT:
                value = given.get(item["path"])
                if value in (None, "", []):
                    continue
                is_file = item["type"] in MEDIA
                found.append(
                    Line(
                        label,
                        "" if is_file else in_words(item, value),
                        depth,
                        file=str(value) if is_file else "",
                        path=item["path"],
                    )
                )

    walk(definition["items"], answers, 0)
    return found
