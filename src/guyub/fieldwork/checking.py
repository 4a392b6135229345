"""Whether answers are as their form wants them, and what a form shows for given answers.

:class:`Filled` is a form with answers: what is asked, which choices are offered, what is reckoned.
``static/fieldwork/form.js`` does the same at the door. :func:`check_answers` tells what is wrong, in words
for whoever has to mend it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.fieldwork.definition import (
    CHOOSING,
    DEFAULT_LANGUAGE,
    FILES,
    NUMBERS,
    OTHER,
    SILENT,
    Answers,
    Choice,
    Definition,
    Expression,
    Item,
    in_language,
)
from guyub.fieldwork.evaluation import (
    Node,
    Value,
    date_number,
    evaluate,
    to_boolean,
    to_number,
    to_text,
)

# Which repetition of each repeat around a question is meant, from 1, by the path of the repeat.
At = Mapping[str, int]
NOWHERE: At = {}
LONGEST_TEXT = 10_000
EMPTY: tuple[Any, ...] = (None, "", [])


def local_now() -> str:
    """Return the time now as forms know it."""
    return timezone.localtime().isoformat(timespec="milliseconds")


def as_node(item: Item, answer: Any) -> Node:
    """Return an answer as expressions see it."""
    if answer is None:
        return ""
    if isinstance(answer, bool):
        return "true" if answer else "false"
    if isinstance(answer, (int, float)):
        return float(answer)
    if isinstance(answer, list):
        return " ".join(map(str, answer))
    text = str(answer)
    if item.type in NUMBERS:
        number = to_number(text)
        return text if number != number else number
    return text


class Filled:
    """A form with answers. What is not asked counts as not answered."""

    def __init__(
        self,
        definition: Definition,
        answers: Answers,
        *,
        now: str = "",
        language: str = DEFAULT_LANGUAGE,
    ) -> None:
        self.definition = definition
        self.answers = answers
        self.now = now or local_now()
        self.language = language
        self._relevant: dict[tuple[Any, ...], bool] = {}
        self._reckoned: dict[tuple[Any, ...], Node] = {}

    def containers(self, path: str, at: At) -> Iterator[tuple[Answers, dict[str, int]]]:
        """Yield the mappings that hold answers to ``path``: all repetitions that ``at`` does not fix."""
        found: list[tuple[Answers, dict[str, int]]] = [(self.answers, {})]
        for repeat in self.definition.repeats.get(path, ()):
            inner = []
            for container, place in found:
                rows = rows_of(container, repeat)
                chosen = range(1, len(rows) + 1) if repeat not in at else [at[repeat]]
                inner += [
                    (rows[number - 1], {**place, repeat: number})
                    for number in chosen
                    if 0 < number <= len(rows)
                ]
            found = inner
        yield from found

    def nodes(self, path: str, at: At = NOWHERE) -> list[Node]:
        """Return what expressions see at a path."""
        item = self.definition.by_path.get(path)
        if item is None:
            return []
        found: list[Node] = []
        for container, place in self.containers(path, at):
            if item.kind == "repeat":
                found += [float(number + 1) for number in range(len(rows_of(container, path)))]
            elif not self.is_relevant(path, place):
                found.append("")
            elif item.calculation is not None and container.get(path) in EMPTY:
                found.append(self.reckoned(path, place))
            else:
                found.append(as_node(item, container.get(path)))
        return found

    def is_relevant(self, path: str, at: At = NOWHERE) -> bool:
        """Tell whether a question, and each group around it, is asked."""
        key = (path, *sorted(at.items()))
        if key not in self._relevant:
            # A form that goes round in circles is refused when it comes in; this only ends the search.
            self._relevant[key] = True
            around = (*self.definition.above[path], self.definition.by_path[path])
            self._relevant[key] = all(
                self._holds(item, item.relevant, at) for item in around if item.relevant is not None
            )
        return self._relevant[key]

    def _place(self, item: Item, at: At, choice: Choice | None = None) -> _Place:
        within = self.definition.repeats[item.path]
        return _Place(self, item, {repeat: at[repeat] for repeat in within if repeat in at}, choice)

    def worked_out(self, item: Item, expression: Expression, at: At = NOWHERE) -> Value:
        """Return the value of one of an item's expressions."""
        return evaluate(expression.tree, self._place(item, at))

    def _holds(self, item: Item, expression: Expression, at: At) -> bool:
        return to_boolean(self.worked_out(item, expression, at))

    def is_required(self, item: Item, at: At = NOWHERE) -> bool:
        """Tell whether a question that is asked has to be answered."""
        return (
            item.required is not None
            and item.type not in SILENT
            and item.type != "note"
            and self._holds(item, item.required, at)
        )

    def fulfils(self, item: Item, at: At = NOWHERE) -> bool:
        """Tell whether an answer keeps to the question's constraint."""
        return item.constraint is None or self._holds(item, item.constraint, at)

    def reckoned(self, path: str, at: At = NOWHERE) -> Node:
        """Return what a calculation comes to."""
        key = (path, *sorted(at.items()))
        if key not in self._reckoned:
            self._reckoned[key] = ""
            item = self.definition.by_path[path]
            if item.calculation is not None:
                value = self.worked_out(item, item.calculation, at)
                is_number = isinstance(value, float) and value == value
                self._reckoned[key] = value if is_number else to_text(value)  # type: ignore[assignment]
        return self._reckoned[key]

    def choices(self, item: Item, at: At = NOWHERE) -> list[Choice]:
        """Return the choices that a question offers."""
        if item.choice_filter is None:
            return list(item.choices)
        tree = item.choice_filter.tree
        return [
            choice
            for choice in item.choices
            if choice.name == OTHER or to_boolean(evaluate(tree, self._place(item, at, choice)))
        ]


def rows_of(container: Answers, repeat: str) -> list[Answers]:
    """Return the repetitions in a mapping of answers."""
    rows = container.get(repeat)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


@dataclass
class _Place:
    """Where an expression stands in a filled form."""

    filled: Filled
    item: Item
    at: dict[str, int]
    choice: Choice | None

    @property
    def now(self) -> str:
        return self.filled.now

    @property
    def position(self) -> int:
        return list(self.at.values())[-1] if self.at else 1

    @property
    def itself(self) -> Node:
        for container, _place in self.filled.containers(self.item.path, self.at):
            return as_node(self.item, container.get(self.item.path))
        return ""

    def nodes(self, path: str, chosen: dict[str, int] | None = None) -> list[Node]:
        return self.filled.nodes(path, {**self.at, **(chosen or {})})

    def choice_label(self, path: str, value: str) -> str:
        item = self.filled.definition.by_path.get(path)
        if item is None or value not in item.choice_names:
            return ""
        return item.choice_label(value, self.filled.language)

    def column(self, name: str) -> str:
        if self.choice is None:
            return ""
        return self.choice.name if name == "name" else self.choice.extra.get(name, "")


@dataclass(frozen=True)
class Problem:
    """What is wrong with one answer. ``at`` tells in which repetition."""

    path: str
    kind: str  # required, constraint, choice, type, unknown, shape
    label: str
    message: str
    at: tuple[int, ...] = ()

    def __str__(self) -> str:
        numbers = "".join(_(" (ulangan %(n)d)") % {"n": number} for number in self.at)
        return f"{self.label}{numbers}: {self.message}"


def check_answers(
    definition: Definition, answers: Answers, *, now: str = "", language: str = DEFAULT_LANGUAGE
) -> list[Problem]:
    """Return what is wrong with answers, in the order of the form; what is not asked is not looked at."""
    filled = Filled(definition, answers, now=now, language=language)
    if not isinstance(answers, dict):
        return [Problem("", "shape", definition.title_in(language), _("Jawaban tidak terbaca."))]
    return list(_Check(filled).items(definition.items, answers, {}))


class _Check:
    def __init__(self, filled: Filled) -> None:
        self.filled = filled
        self.language = filled.language

    def items(
        self, items: tuple[Item, ...], given: Answers, at: dict[str, int]
    ) -> Iterator[Problem]:
        known: set[str] = set()
        yield from self.below(items, given, at, known)
        for path in given:
            if path not in known:
                yield Problem(
                    str(path),
                    "unknown",
                    str(path),
                    _(
                        "Pertanyaan ini tidak ada pada versi formulir ini. Periksa versi formulirnya."
                    ),
                    tuple(at.values()),
                )

    def below(
        self, items: tuple[Item, ...], given: Answers, at: dict[str, int], known: set[str]
    ) -> Iterator[Problem]:
        for item in items:
            known.add(item.path)
            if item.kind == "group":
                yield from self.below(item.items, given, at, known)
            elif not self.filled.is_relevant(item.path, at):
                continue
            elif item.kind == "repeat":
                yield from self.repeat(item, given.get(item.path), at)
            else:
                yield from self.question(item, given.get(item.path), at)

    def problem(self, item: Item, kind: str, message: str, at: Mapping[str, int]) -> Problem:
        return Problem(item.path, kind, item.words(self.language), message, tuple(at.values()))

    def repeat(self, item: Item, rows: Any, at: dict[str, int]) -> Iterator[Problem]:
        if rows in EMPTY:
            return
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            yield self.problem(item, "shape", _("Bagian berulang ini tidak terbaca."), at)
            return
        for number, row in enumerate(rows, start=1):
            yield from self.items(item.items, row, {**at, item.path: number})

    def question(self, item: Item, answer: Any, at: dict[str, int]) -> Iterator[Problem]:
        if answer in EMPTY:
            if self.filled.is_required(item, at) and item.calculation is None:
                message = in_language(item.required_message, self.language)
                yield self.problem(item, "required", message or _("Wajib diisi."), at)
            return
        message = unfit(item, answer)
        if message:
            yield self.problem(item, "type", message, at)
            return
        if item.type in CHOOSING:
            offered = {choice.name for choice in self.filled.choices(item, at)}
            chosen = answer if isinstance(answer, list) else [answer]
            wrong = [name for name in chosen if name not in offered]
            if wrong:
                message = (
                    _("Pilihan “%(name)s” tidak cocok dengan jawaban lain. Pilih ulang.")
                    if wrong[0] in item.choice_names
                    else _("Pilihan “%(name)s” tidak ada dalam daftar. Pilih salah satu dari daftar.")
                )  # fmt: skip
                shown = item.choice_label(wrong[0], self.language)
                yield self.problem(item, "choice", message % {"name": shown}, at)
                return
        if not self.filled.fulfils(item, at):
            message = in_language(item.constraint_message, self.language)
            yield self.problem(
                item, "constraint", message or _("Jawaban ini tidak memenuhi syarat."), at
            )


def unfit(item: Item, answer: Any) -> str:
    """Return why an answer is not of its question's type; empty if it is."""
    kind = item.type
    if kind in NUMBERS:
        if isinstance(answer, bool) or not isinstance(answer, (int, float)):
            return _("Isi dengan angka, misalnya 3.")
        if answer != answer or answer in (float("inf"), float("-inf")):
            return _("Isi dengan angka, misalnya 3.")
        if kind == "integer" and answer != int(answer):
            return _("Isi dengan bilangan bulat, tanpa koma.")
        return _out_of_range(item, float(answer)) if kind == "range" else ""
    if kind == "select_multiple":
        if not isinstance(answer, list) or not all(isinstance(name, str) for name in answer):
            return _("Pilihan tidak terbaca. Pilih ulang.")
        return _("Satu pilihan tercatat dua kali.") if len(set(answer)) < len(answer) else ""
    if kind == "acknowledge" and answer is True:
        return ""
    if kind == "calculate" and isinstance(answer, (int, float, bool)):
        return ""
    if not isinstance(answer, str):
        return _("Isi dengan teks.")
    if len(answer) > LONGEST_TEXT:
        return _("Jawaban lebih dari %(n)d huruf.") % {"n": LONGEST_TEXT}
    if kind in ("date", "today") and (len(answer) != 10 or date_number(answer) is None):
        return _("Isi tanggal yang ada, misalnya 2026-08-17.")
    if kind in ("datetime", "start", "end") and date_number(answer) is None:
        return _("Isi tanggal dan jam, misalnya 2026-08-17T09:30.")
    if kind == "time":
        try:
            dt.time.fromisoformat(answer)
        except ValueError:
            return _("Isi jam, misalnya 09:30.")
    if kind == "geopoint" and not is_place(answer):
        return _("Isi lintang dan bujur, misalnya -7.42 109.23.")
    if kind in FILES and ("/" in answer or "\\" in answer):
        return _("Nama berkas tidak boleh memuat garis miring.")
    return ""


def is_place(text: str) -> bool:
    """Tell whether a text is latitude and longitude, perhaps with altitude and accuracy."""
    numbers = [to_number(part) for part in text.split()]
    return (
        2 <= len(numbers) <= 4
        and all(number == number for number in numbers)
        and abs(numbers[0]) <= 90
        and abs(numbers[1]) <= 180
    )


def _out_of_range(item: Item, answer: float) -> str:
    low, high = (to_number(item.parameters.get(name, "")) for name in ("start", "end"))
    if low == low and high == high and not min(low, high) <= answer <= max(low, high):
        return _("Isi antara %(low)s dan %(high)s.") % {
            "low": item.parameters["start"], "high": item.parameters["end"],
        }  # fmt: skip
    return ""
