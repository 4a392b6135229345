"""A question put to the report builder, and its answer: rows, columns, a measure and filters.

The database does the grouping; what comes back is at most :data:`MOST_CELLS` sums. Every run takes the
rows that the reader may count, whoever built the question.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from guyub.access.permissions import Scope, can, scope_of
from guyub.documents import paper as p
from guyub.documents import sources
from guyub.documents.paper import Column
from guyub.documents.subjects import BY_KEY, Dimension, Measure, Subject
from guyub.registry import tallies
from guyub.registry.measures import total
from guyub.ui.charts import Chart, bars, yearly

MOST_CELLS = 20_000
MOST_COLUMNS = 40
MOST_ROWS_DIMENSIONS = 3
KEPT_SECONDS = 600
LONG_KEPT_SECONDS = 3600
LONG = 1.0  # second of the processor
CHARTED = 20
FILTER = "s-"  # in front of a filter's name in an address


@dataclass(frozen=True)
class Question:
    """``rows`` and ``column`` are keys of dimensions; ``filters`` holds the values let through, as text."""

    subject: Subject
    rows: tuple[Dimension, ...]
    column: Dimension | None
    measure: Measure
    filters: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Question:
        """Return the question that :meth:`as_json` wrote, or that an address asks.

        Raises:
            ValidationError: it names something that there is not, or asks for too much.
        """
        subject = BY_KEY.get(str(data.get("subject", "")))
        if subject is None:
            raise ValidationError(_("Pilih pokok laporan dari daftar."))
        keys = [str(key) for key in data.get("rows") or [] if key]
        rows = tuple(subject.dimension(key) for key in dict.fromkeys(keys))
        column = subject.dimension(str(data.get("column") or ""))
        measure = subject.measure(str(data.get("measure") or subject.measures[0].key))
        if not rows or any(row is None for row in rows):
            raise ValidationError({"rows": _("Pilih sedikitnya satu baris dari daftar.")})
        if len(rows) > MOST_ROWS_DIMENSIONS:
            raise ValidationError({"rows": _("Paling banyak tiga tingkat baris.")})
        if data.get("column") and column is None:
            raise ValidationError({"column": _("Kolom itu tidak ada pada pokok ini.")})
        if column is not None and column in rows:
            raise ValidationError({"column": _("Kolom tidak boleh sama dengan baris.")})
        if measure is None:
            raise ValidationError({"measure": _("Ukuran itu tidak ada pada pokok ini.")})
        filters: dict[str, tuple[str, ...]] = {}
        for key, values in (data.get("filters") or {}).items():
            if subject.dimension(key) not in subject.filters:
                raise ValidationError(_("Saringan “%(key)s” tidak ada.") % {"key": key})
            if values:
                filters[key] = tuple(str(value) for value in values)[:200]
        return cls(subject, tuple(row for row in rows if row), column, measure, filters)

    @classmethod
    def from_query(cls, query: Any) -> Question:
        """Read ``topik``, ``baris`` (several), ``kolom``, ``ukuran`` and ``s-<dimension>`` (several)."""
        return cls.read(
            {
                "subject": query.get("topik"),
                "rows": query.getlist("baris"),
                "column": query.get("kolom"),
                "measure": query.get("ukuran"),
                "filters": {
                    name.removeprefix(FILTER): query.getlist(name)
                    for name in query
                    if name.startswith(FILTER)
                },
            }
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "subject": self.subject.key,
            "rows": [row.key for row in self.rows],
            "column": self.column.key if self.column else "",
            "measure": self.measure.key,
            "filters": {key: list(values) for key, values in sorted(self.filters.items())},
        }

    def as_query(self) -> list[tuple[str, str]]:
        """Return the question as the pairs of an address."""
        pairs = [("topik", self.subject.key), *(("baris", row.key) for row in self.rows)]
        if self.column is not None:
            pairs.append(("kolom", self.column.key))
        pairs.append(("ukuran", self.measure.key))
        return [*pairs, *((FILTER + k, v) for k, vs in self.filters.items() for v in vs)]

    def title(self) -> str:
        names = [str(row.label).lower() for row in self.rows]
        if self.column is not None:
            names.append(str(self.column.label).lower())
        return _("%(measure)s menurut %(names)s") % {
            "measure": self.measure.label,
            "names": _(" dan ").join(filter(None, [", ".join(names[:-1]), names[-1]])),
        }


@dataclass
class Answer:
    """Sums as a table. ``rows`` are the labels of a row and its figures; ``reach`` says whose they are."""

    question: Question
    heads: list[str]
    columns: list[str]
    rows: list[tuple[list[str], list[Any]]]
    totals: list[Any]
    reach: str
    made_at: str
    seconds: float
    source: str

    def table_columns(self) -> list[Column]:
        kind = self.question.measure.kind
        labels = self.columns or [str(self.question.measure.label)]
        return [
            *(Column(head) for head in self.heads),
            *(Column(label, kind, 2 if kind == p.DECIMAL else 1) for label in labels),
        ]

    def lines(self, with_total: bool = True) -> Iterator[list[Any]]:
        """Yield the rows as flat lists, the total last."""
        for labels, figures in self.rows:
            yield [*labels, *figures]
        if with_total and self.totals:
            yield [_("Semua"), *[""] * (len(self.heads) - 1), *self.totals]

    def chart(self) -> Chart | None:
        """Draw the rows: lines where a few columns run over years, else bars of the row totals."""
        measure = self.question.measure
        if not self.rows:
            return None
        by_year = self.question.rows[0].key == "tahun" and len(self.question.rows) == 1
        names = self.columns[:-1] if self.has_row_totals else self.columns
        if by_year and 1 <= len(names) <= 4 and len(self.rows) > 1:
            rows = sorted(self.rows, key=lambda row: row[0][0])
            shown = [(int(labels[0]), figures[: len(names)]) for labels, figures in rows]
            return yearly(
                "susun", self.question.title(), names, shown, year=_("Tahun"), number_format=",.0f"
            )
        if self.columns and not self.has_row_totals:
            return None
        ranked = [(" · ".join(labels), figures[-1]) for labels, figures in self.rows]
        ranked = [row for row in ranked if row[1]]
        ranked.sort(key=lambda row: -row[1])
        scale, unit = (1e6, _("juta rupiah")) if measure.kind == p.RUPIAH else (1, "")
        if measure.kind == p.RUPIAH and ranked and ranked[0][1] < 1e7:
            scale, unit = 1, ""
        return bars(
            "susun",
            f"{measure.label}{f' ({unit})' if unit else ''}",
            [(name, round(value / scale, 1)) for name, value in ranked[:CHARTED]],
            label=" · ".join(self.heads),
            value=str(measure.label),
            number_format=",.1f" if measure.kind in (p.PERCENT, p.DECIMAL) else ",.0f",
            caption=_("%(n)d baris terbesar.") % {"n": CHARTED} if len(ranked) > CHARTED else "",
        )

    @property
    def has_row_totals(self) -> bool:
        return bool(self.columns) and self.columns[-1] == _("Semua")


def ask(question: Question, user: Any, *, fresh: bool = False) -> Answer:
    """Run ``question`` for ``user`` and return the answer, kept for some minutes unless ``fresh``.

    Raises:
        PermissionDenied: the reader may not read the subject at all.
        ValidationError: the answer would have too many cells.
    """
    kept = None if fresh else kept_answer(question, user)
    if kept is not None:
        return kept
    _must_read(question, user)
    started = time.perf_counter()
    answer = _reckon(question, user)
    answer.seconds = time.perf_counter() - started
    # What took long is kept for longer.
    most = KEPT_SECONDS if answer.seconds < LONG else LONG_KEPT_SECONDS
    kept_values = {k: v for k, v in vars(answer).items() if k != "question"}
    cache.set(key_of(question, user), kept_values, most)
    return answer


def _must_read(question: Question, user: Any) -> None:
    if not can(user, question.subject.permission):
        raise PermissionDenied(question.subject.permission)


def kept_answer(question: Question, user: Any) -> Answer | None:
    """Return the answer that is kept for ``user``; ``None`` when none is.

    Raises:
        PermissionDenied: the reader may not read the subject at all.
    """
    _must_read(question, user)
    kept = cache.get(key_of(question, user))
    return Answer(question=question, **kept) if kept is not None else None


def takes_long(question: Question, user: Any) -> bool:
    """Whether answering would take the processor more than :data:`LONG`, so that the worker does it."""
    if not question.subject.cost:
        return False
    if scope_of(user, question.subject.permission) is Scope.OWN_AREA:
        return False
    tally = total(tallies.tallies_by_district())
    people = sum(tally.people)
    return question.subject.cost * people / 1e6 > LONG


def key_of(question: Question, user: Any) -> str:
    """Name an answer by the question and by all that decides what the reader may count."""
    who = [user.role, user.agency_id, user.area_code]
    # Its labels are in a language too.
    asked = [question.as_json(), who, str(timezone.localdate()), get_language()]
    text = json.dumps(asked, sort_keys=True)
    return "documents.question." + hashlib.sha256(text.encode()).hexdigest()


def _expression(dimension: Dimension) -> Any:
    found = dimension.expression
    return found() if callable(found) and not hasattr(found, "resolve_expression") else found


def _value_of(dimension: Dimension, text: str) -> Any:
    """Return the value that a filter's text means; ``None`` for one that is not known."""
    return next((v for v in (dimension.labels or dict)() if str(v) == text), None)


def _reckon(question: Question, user: Any) -> Answer:
    subject, measure = question.subject, question.measure
    dimensions = [*question.rows, *([question.column] if question.column else [])]
    rows = subject.rows(user)
    grouped = {f"d{n}": _expression(dimension) for n, dimension in enumerate(dimensions)}
    rows = rows.annotate(**grouped)
    for number, (key, texts) in enumerate(question.filters.items()):
        dimension = subject.dimension(key)
        if dimension is None:
            continue
        values = [value for text in texts if (value := _value_of(dimension, text)) is not None]
        rows = rows.annotate(**{f"f{number}": _expression(dimension)})
        rows = rows.filter(**{f"f{number}__in": values})
    weight = measure.weight if measure.weight is not None else Count("pk")
    found = list(
        rows.order_by()
        .values_list(*grouped)
        .annotate(measured=measure.total, weighed=weight)[: MOST_CELLS + 1]
    )
    if len(found) > MOST_CELLS:
        raise ValidationError(
            _(
                "Hasilnya lebih dari %(n)s sel. Kurangi baris atau kolom, atau saring lebih sempit, "
                "misalnya satu kecamatan saja."
            )
            % {"n": p.written(MOST_CELLS, p.COUNT)}
        )
    return _pivot(question, found, _reach(user, subject))


def _reach(user: Any, subject: Subject) -> str:
    """Say whose rows were counted."""
    named = {
        "registry.view_aggregates": "registry.view",
        "beneficiaries.view_totals": "beneficiaries.view",
    }
    permission = named.get(subject.permission, subject.permission)
    if scope_of(user, permission) is Scope.OWN_AREA and user.area is not None:
        return str(user.area.title)
    return str(_("Seluruh kabupaten"))


def _pivot(question: Question, found: Sequence[tuple[Any, ...]], reach: str) -> Answer:
    depth, measure = len(question.rows), question.measure
    labels = [(row.labels() if row.labels else {}) for row in question.rows]
    column_labels = question.column.labels() if question.column and question.column.labels else {}
    cells: dict[tuple[Any, ...], dict[Any, tuple[Any, Any]]] = {}
    for line in found:
        column = line[depth] if question.column else None
        cells.setdefault(line[:depth], {})[column] = (line[-2] or 0, line[-1] or 0)
    column_values: list[Any] = []
    if question.column is not None:
        column_values = _sorted({c for row in cells.values() for c in row}, column_labels)
        if len(column_values) > MOST_COLUMNS:
            raise ValidationError(
                {
                    "column": _(
                        "Kolomnya ada %(n)d, paling banyak %(most)d. Pindahkan ke baris, atau saring."
                    )
                    % {"n": len(column_values), "most": MOST_COLUMNS}
                }
            )
    order = [_sorted({key[n] for key in cells}, labels[n]) for n in range(depth)]
    places = [{value: place for place, value in enumerate(values)} for values in order]
    keys = sorted(cells, key=lambda key: tuple(places[n][v] for n, v in enumerate(key)))
    sums = measure.adds_up
    rows = []
    for key in keys:
        row = cells[key]
        figures = [_figure(measure, [row[c]] if c in row else []) for c in column_values or [None]]
        if question.column is not None and sums:
            figures.append(_figure(measure, list(row.values())))
        rows.append(([question.rows[n].name(v, labels[n]) for n, v in enumerate(key)], figures))
    totals: list[Any] = []
    if sums and rows:
        totals = [
            _figure(measure, [row[c] for row in cells.values() if c in row])
            for c in column_values or [None]
        ]
        if question.column is not None:
            totals.append(_figure(measure, [v for row in cells.values() for v in row.values()]))
    heads = (
        [question.column.name(c, column_labels) for c in column_values] if question.column else []
    )
    if question.column is not None and sums:
        heads.append(_("Semua"))
    source = (
        sources.registry_source()
        if question.subject.from_registry
        else sources.module_source(str(question.subject.source))
    )
    return Answer(
        question,
        [str(row.label) for row in question.rows],
        heads,
        rows,
        totals,
        reach,
        date_format(timezone.localtime(), "j F Y H.i"),
        0.0,
        source,
    )


def _sorted(values: set[Any], labels: Mapping[Any, str]) -> list[Any]:
    """Put values in the order of their labels, those without one as they are, unknown ones last."""
    places = {value: place for place, value in enumerate(labels)}

    def key(value: Any) -> tuple[bool, int, Any]:
        unknown = value is None or value == ""
        return (
            unknown,
            places.get(value, len(places)),
            "" if unknown or value in places else str(value),
        )

    return sorted(values, key=key)


def _figure(measure: Measure, parts: Sequence[tuple[Any, Any]]) -> Any:
    """Put parts together: sums add up, means are weighed; ``None`` where there is nothing."""
    if not parts:
        return None
    total = sum(part[0] for part in parts)
    if not measure.is_mean:
        return p.plain(total)
    weight = sum(part[1] for part in parts)
    return float(total) / float(weight) if weight else None


def info_of(answer: Answer, name: str, user: Any) -> list[tuple[str, str]]:
    """Return what a file of an answer says about itself."""
    question = answer.question
    filters = []
    for key, values in question.filters.items():
        dimension = question.subject.dimension(key)
        if dimension is not None:
            labels = {str(k): v for k, v in (dimension.labels or dict)().items()}
            filters.append(f"{dimension.label}: {', '.join(labels.get(v, v) for v in values)}")
    return [
        (_("Isi"), name or question.title()),
        (_("Pokok"), str(question.subject.label)),
        (_("Ukuran"), str(question.measure.label)),
        (_("Saringan"), "; ".join(filters) or "–"),
        (_("Cakupan"), answer.reach),
        (_("Sumber"), answer.source),
        (_("Data acuan"), sources.reference_text()),
        (_("Dihitung"), f"{answer.made_at} WIB"),
        (_("Oleh"), f"{user} ({user.get_role_display()})"),
    ]
