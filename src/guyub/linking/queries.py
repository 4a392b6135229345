"""Reading linking runs and what their files hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from guyub.access.masking import mask_number
from guyub.access.permissions import Scope, scope_of
from guyub.areas.models import Area
from guyub.imports.folder import rows_in
from guyub.linking.lists import LinkFolder
from guyub.linking.model import COMPARISONS
from guyub.linking.models import Decision, LinkRun, Pair, Verdict
from guyub.registry.models import Person
from guyub.registry.restriction import open_people, person_ids
from guyub.registry.vocabulary import Sex

# How a row of the list ended, as told by numbers, by the model or by a person.
STAGES = {
    "nik": _("NIK sama"),
    "kk": _("KK dan nama sama"),
    "sure": _("Cocok menurut model"),
    "told": _("Diputuskan sama"),
    "review": _("Perlu ditinjau"),
    "double": _("Ganda dalam daftar"),
    "none": _("Tidak ditemukan"),
}
LINKED = ("nik", "kk", "sure", "told")
TONES = {
    "nik": "good", "kk": "good", "sure": "good", "told": "good", "review": "warn",
    "double": "info", "none": "neutral",
}  # fmt: skip


def runs_for(user: Any) -> QuerySet[LinkRun]:
    """Return the runs that ``user`` may see, newest first."""
    runs = LinkRun.objects.select_related("agency", "created_by")
    scope = scope_of(user, "linking.view")
    if scope is None:
        return runs.none()
    return runs if scope is Scope.ANY else runs.filter(agency_id=user.agency_id)


def with_waiting(runs: QuerySet[LinkRun]) -> QuerySet[LinkRun]:
    """Add ``waiting``, how many pairs of each run wait for a judgement."""
    waiting = (
        Pair.objects.filter(run=OuterRef("pk"), verdict="")
        .order_by()
        .values("run")
        .annotate(n=Count("id"))
    )
    return runs.annotate(waiting=Coalesce(Subquery(waiting.values("n")), 0))


@dataclass(frozen=True)
class Record:
    """What one row of a list says about somebody. ``number`` is the row's in the file."""

    number: int
    nik: str | None
    kk: str | None
    name: str
    birth_date: dt.date | None
    sex: str | None
    village: str | None

    @property
    def identity(self) -> tuple[Any, ...]:
        """What the record says, in the order of :data:`guyub.linking.decided.COLUMNS`."""
        return (self.nik, self.kk, self.name, self.birth_date, self.sex, self.village)

    @property
    def masked_nik(self) -> str:
        return mask_number(self.nik or "")

    @property
    def masked_kk(self) -> str:
        return mask_number(self.kk or "")

    @property
    def sex_label(self) -> Any:
        return Sex(self.sex).label if self.sex in Sex.values else ""


FIELDS = "id, nik, kk, name, birth_date, sex, village"


def records(run: LinkRun, numbers: Sequence[int]) -> dict[int, Record]:
    """Return rows of a run's list (or people, among duplicates) by number."""
    folder = LinkFolder(run.pk)
    path = folder.people if run.finds_duplicates else folder.records
    if not numbers or not path.exists():
        return {}
    wanted = ", ".join(str(int(number)) for number in numbers)
    with rows_in(path) as source:
        rows = duckdb.execute(f"SELECT {FIELDS} FROM {source} WHERE id IN ({wanted})").fetchall()
    return {row[0]: Record(*row) for row in rows}


# The outcome


@dataclass
class Row:
    """One row of the list with what became of it."""

    record: Record
    stage: str
    person_id: int | None
    weight: float | None
    person: Person | None = None

    @property
    def label(self) -> Any:
        return STAGES[self.stage]

    @property
    def tone(self) -> str:
        return TONES[self.stage]

    @property
    def is_linked(self) -> bool:
        return self.stage in LINKED


@contextmanager
def _outcome(run: LinkRun) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """Give a connection with the view ``outcome``: one line per row of the list, decisions taken in.

    ``None`` when the run's files are not (any longer) there.
    """
    folder = LinkFolder(run.pk)
    if not folder.links.exists() or not folder.records.exists():
        yield None
        return
    with rows_in(folder.records) as records, duckdb.connect() as duck:
        _make_outcome(duck, run, folder, records)
        yield duck


def _make_outcome(
    duck: duckdb.DuckDBPyConnection, run: LinkRun, folder: LinkFolder, records: str
) -> None:
    decided = list(
        run.pairs.filter(verdict=Verdict.SAME).values_list("record", "person_id", "weight")
    )
    waiting = list(
        run.pairs.filter(verdict="")
        .order_by("-weight")
        .values_list("record", "person_id", "weight")
    )
    for name, rows in (("said", decided), ("asked", waiting)):
        table = pa.table(
            {
                "id_l": pa.array([row[0] for row in rows], pa.int64()),
                "id_r": pa.array([row[1] for row in rows], pa.int64()),
                "weight": pa.array([row[2] for row in rows], pa.float64()),
            }
        )
        duck.register(name, table)
    duck.execute(
        f"""
        CREATE TEMP VIEW outcome AS
        SELECT r.id, r.nik, r.kk, r.name, r.birth_date, r.sex, r.village,
            CASE WHEN l.id_l IS NOT NULL THEN l.stage WHEN s.id_l IS NOT NULL THEN 'told'
                 WHEN a.id_l IS NOT NULL THEN 'review' ELSE 'none' END AS stage,
            coalesce(l.id_r, s.id_r, a.id_r) AS person_id,
            coalesce(l.weight, s.weight, a.weight) AS weight
        FROM {records} r
        LEFT JOIN (SELECT * FROM '{folder.links}' WHERE stage <> 'review') l ON l.id_l = r.id
        LEFT JOIN said s ON s.id_l = r.id
        LEFT JOIN (SELECT DISTINCT ON (id_l) * FROM asked ORDER BY id_l, weight DESC) a ON a.id_l = r.id
        """
    )


def stage_counts(run: LinkRun) -> dict[str, int]:
    """Return how many rows of the list ended where, decisions taken in; empty without files."""
    with _outcome(run) as duck:
        if duck is None:
            return {}
        rows = duck.execute("SELECT stage, count(*) FROM outcome GROUP BY stage").fetchall()
    found = {stage: int(number) for stage, number in rows}
    return {stage: found.get(stage, 0) for stage in STAGES}


# Rows of restricted people, who go to no file and no other system.
HELD_BACK = (
    "coalesce(list_contains($ids, person_id), false) OR coalesce(list_contains($niks, nik), false)"
)


def _held_back() -> dict[str, list[Any]]:
    ids = person_ids()
    niks = list(Person.objects.filter(pk__in=ids).exclude(nik="").values_list("nik", flat=True))
    return {"ids": ids, "niks": niks}


def handed_count(run: LinkRun) -> int:
    """Return how many rows of the list may go to a file or another system."""
    with _outcome(run) as duck:
        if duck is None:
            return 0
        sql = f"SELECT count(*) FROM outcome WHERE NOT ({HELD_BACK})"
        return int(duck.execute(sql, _held_back()).fetchall()[0][0])


def rows_of(
    run: LinkRun,
    stages: Sequence[str],
    offset: int,
    limit: int,
    *,
    with_people: bool = True,
    handed: bool = False,
) -> list[Row]:
    """Return a page of the outcome in the list's order; ``stages`` narrows.

    ``handed`` leaves out those whose data are restricted: the rows go to a file or another system.
    """
    wanted = ", ".join(f"'{stage}'" for stage in stages if stage in STAGES)
    parts = [f"stage IN ({wanted})"] if wanted else []
    parts += [f"NOT ({HELD_BACK})"] if handed else []
    where = f"WHERE {' AND '.join(parts)}" if parts else ""
    with _outcome(run) as duck:
        if duck is None:
            return []
        found = duck.execute(
            f"SELECT {FIELDS}, stage, person_id, weight FROM outcome {where} ORDER BY id "
            f"LIMIT {int(limit)} OFFSET {int(offset)}",
            _held_back() if handed else {},
        ).fetchall()
    rows = [Row(Record(*values[:7]), *values[7:]) for values in found]
    if with_people:
        people = people_by_id([row.person_id for row in rows if row.person_id])
        for row in rows:
            row.person = people.get(row.person_id or 0)
    return rows


def people_by_id(ids: Iterable[int]) -> dict[int, Person]:
    """Return people with their household and village; for a merged one, the one it became.

    Whose data are restricted is not there.
    """
    stands_for = dict(
        Person.objects.filter(pk__in=set(ids)).values_list("pk", Coalesce("merged_into_id", "pk"))
    )
    found = open_people(
        Person.objects.select_related("household__village__parent").filter(
            pk__in=set(stands_for.values())
        )
    )
    people = {person.pk: person for person in found}
    return {pk: people[other] for pk, other in stands_for.items() if other in people}


def village_names(codes: Sequence[str | None]) -> dict[str, str]:
    """Return {code: title} of villages."""
    wanted = {code for code in codes if code}
    return {a.code: a.title for a in Area.objects.select_related("parent").filter(code__in=wanted)}


@dataclass(frozen=True)
class AcceptedLink:
    """A row of an agency's list that is a person of the registry."""

    record: Record
    person_id: int
    household_id: int
    stage: str  # one of LINKED


def accepted_links(run: LinkRun, batch: int = 5000) -> Iterator[AcceptedLink]:
    """Yield every row of a run's list that is linked, with its person and household, in order.

    Linked by the same NIK, by KK and name, by the model, or because a person said so.
    """
    linked = ", ".join(f"'{stage}'" for stage in LINKED)
    with _outcome(run) as duck:
        if duck is None:
            return
        found = duck.execute(
            f"SELECT {FIELDS}, stage, person_id FROM outcome WHERE stage IN ({linked}) ORDER BY id"
        )
        while rows := found.fetchmany(batch):
            people = people_by_id(row[8] for row in rows)
            for row in rows:
                person = people.get(row[8])
                # Somebody may have been removed since.
                if person is not None:
                    yield AcceptedLink(Record(*row[:7]), person.pk, person.household_id, row[7])


@dataclass(frozen=True)
class Difference:
    """A value that a linked row and the registry have differently."""

    record: Record
    person_id: int
    field: str  # "nik", "kk", "name", "birth_date", "sex" or "village"
    listed: Any
    registered: Any


COMPARED = ("nik", "kk", "name", "birth_date", "sex", "village")


def differences(run: LinkRun, field: str = "", offset: int = 0, limit: int = 0) -> list[Difference]:
    """Return the values that linked rows and the registry have differently; all with ``limit`` 0.

    Values that either side lacks are no difference, nor is a name that only differs in letter case.
    The registry is as it was when the list was linked.
    """
    folder = LinkFolder(run.pk)
    if not folder.people.exists():
        return []
    linked = ", ".join(f"'{stage}'" for stage in LINKED)
    chosen = [name for name in COMPARED if field in ("", name)]
    parts = " UNION ALL ".join(
        f"SELECT o.*, '{name}' AS field, CAST(o.{name} AS VARCHAR) AS listed, "
        f"CAST(p.{name} AS VARCHAR) AS registered FROM outcome o "
        "JOIN people p ON p.id = o.person_id "
        f"WHERE o.stage IN ({linked}) AND upper(CAST(o.{name} AS VARCHAR)) <> "
        f"upper(CAST(p.{name} AS VARCHAR))"
        for name in chosen
    )
    page = f"LIMIT {int(limit)} OFFSET {int(offset)}" if limit else ""
    with rows_in(folder.people) as people, _outcome(run) as duck:
        if duck is None:
            return []
        duck.execute(f"CREATE TEMP VIEW people AS SELECT * FROM {people}")
        rows = duck.execute(
            f"SELECT {FIELDS}, person_id, field, listed, registered FROM ({parts}) "
            f"ORDER BY id, field {page}"
        ).fetchall()
    return [Difference(Record(*row[:7]), *row[7:]) for row in rows]


# The queue


def next_pair(run: LinkRun, after: Pair | None = None) -> Pair | None:
    """Return the next pair to judge, heaviest first; ``after`` one that was passed over."""
    waiting = run.pairs.filter(verdict="").order_by("-weight", "id")
    if after is not None:
        later = waiting.filter(weight__lt=after.weight) | waiting.filter(
            weight=after.weight, id__gt=after.pk
        )
        found = later.select_related("person__household__village__parent").first()
        if found is not None:
            return found
    return waiting.select_related("person__household__village__parent").first()


def queue_counts(run: LinkRun) -> dict[str, int]:
    """Return how many pairs wait, were called the same, and different."""
    found = dict(run.pairs.order_by().values_list("verdict").annotate(n=Count("id")))
    return {
        "waiting": found.get("", 0),
        "same": found.get(Verdict.SAME, 0),
        "different": found.get(Verdict.DIFFERENT, 0),
    }


# Duplicates


@dataclass(frozen=True)
class Duplicate:
    """Two people of the registry who are one, as somebody has said, and not merged yet."""

    kept_id: int
    other_id: int
    kept_household_id: int
    other_household_id: int

    @property
    def in_one_household(self) -> bool:
        return self.kept_household_id == self.other_household_id


def confirmed_duplicates() -> Iterator[Duplicate]:
    """Yield the pairs of people that were confirmed to be one and are still two, newest first."""
    confirmed = Decision.objects.filter(
        other__isnull=False, verdict=Verdict.SAME, person__merged_into=None, other__merged_into=None
    )
    for decision in confirmed.select_related("person", "other"):
        assert decision.other is not None
        kept, other = sorted((decision.person, decision.other), key=lambda person: person.pk)
        yield Duplicate(kept.pk, other.pk, kept.household_id, other.household_id)


def to_merge(run: LinkRun) -> QuerySet[Pair]:
    """Return the pairs of a search for duplicates that were called the same and are still two."""
    people = Person.objects.filter(merged_into=None)
    return (
        run.pairs.filter(
            verdict=Verdict.SAME, person__merged_into=None, record__in=people.values("pk")
        )
        .select_related("person__household__village__parent")
        .order_by("-decided_at")
    )


def duplicate_households() -> set[tuple[int, int]]:
    """Return the pairs of households that hold one and the same person, lower id first."""
    return {
        (
            min(d.kept_household_id, d.other_household_id),
            max(d.kept_household_id, d.other_household_id),
        )
        for d in confirmed_duplicates()
        if not d.in_one_household
    }


# Weights


def histogram(run: LinkRun, width: float = 1.0) -> list[tuple[float, int]]:
    """Return (lower edge, pairs) of the weights of all pairs that were kept."""
    path: Path = LinkFolder(run.pk).pairs
    if not path.exists():
        return []
    rows = duckdb.execute(
        f"SELECT floor(match_weight / {width}) * {width} AS edge, count(*) FROM '{path}' "
        "GROUP BY edge ORDER BY edge"
    ).fetchall()
    return [(float(edge), int(number)) for edge, number in rows]


def comparison_of(name: str) -> Any:
    """Return a comparison of the model by name."""
    return next(c for c in COMPARISONS if c.name == name)
