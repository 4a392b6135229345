"""Taking an uploaded tree of programs in: what each row would do, and doing it.

A preview does everything an import does and takes it all back, so the two can't tell different
stories. :class:`Outcome` is what either leaves behind, as JSON.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.access.permissions import Scope, scope_of
from guyub.agencies.models import Agency
from guyub.programs import queries, rules, workbook
from guyub.programs.cells import Fault, ReadRow, read_rows
from guyub.programs.models import Activity, Program, SubActivity
from guyub.programs.placing import change_sub_activity, place_sub_activity, settled_areas
from guyub.programs.vocabulary import FundingSource, Recipient
from guyub.ui.numbers import grouped

MODEL_FIELDS = (
    "code", "name", "description", "strategy", "help_kind", "recipient", "desil_min", "desil_max",
    "target_note", "quota", "starts_on", "ends_on",
)  # fmt: skip
SOURCES = tuple(FundingSource.values)


class Fate(TextChoices):
    """What becomes of a row."""

    NEW = "new", gettext_lazy("Baru")
    CHANGED = "changed", gettext_lazy("Berubah")
    SAME = "same", gettext_lazy("Tetap")
    REJECTED = "rejected", gettext_lazy("Ditolak")


@dataclass
class Result:
    """What became of one row. ``changes`` holds (column, before, after)."""

    number: int
    name: str
    agency: str
    fate: str
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    faults: list[dict[str, str]] = field(default_factory=list)
    pk: int | None = None


@dataclass
class Outcome:
    """What became of a whole file."""

    results: list[Result] = field(default_factory=list)
    # Programs and activities that came along with new rows, as their names.
    programs: list[str] = field(default_factory=list)
    activities: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        found = Counter(result.fate for result in self.results)
        return {fate.value: found.get(fate.value, 0) for fate in Fate}

    def as_json(self) -> dict[str, Any]:
        return json.loads(json.dumps(asdict(self), default=str))  # type: ignore[no-any-return]

    def fingerprint(self) -> str:
        """Return what tells this outcome from another, whatever keys new records were given."""
        content = self.as_json()
        for result in content["results"]:
            if result["fate"] == Fate.NEW:
                result["pk"] = None
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class StaleError(Exception):
    """The data changed since the preview; ``outcome`` is what the file would do now."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("stale")
        self.outcome = outcome


def preview(sheet: workbook.Sheet, user: Any) -> Outcome:
    """Return what taking ``sheet`` in would do, without doing it."""
    with transaction.atomic():
        outcome = _Intake(user).take(read_rows(sheet))
        transaction.set_rollback(True)
    return outcome


def take(sheet: workbook.Sheet, user: Any, expected: str) -> Outcome:
    """Take ``sheet`` in, its rejected rows left out. Run it inside a transaction.

    Raises:
        StaleError: the outcome is not the one whose fingerprint is ``expected``.
    """
    outcome = _Intake(user).take(read_rows(sheet))
    if outcome.fingerprint() != expected:
        raise StaleError(outcome)
    return outcome


class RefusedError(Exception):
    """A row can't be taken; its faults say why."""


class _Intake:
    """Works through the rows of one file."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.own_only = scope_of(user, "programs.edit") is Scope.OWN_AGENCY
        self.agencies: dict[str, Agency] = {}
        for agency in Agency.objects.all():
            for name in (agency.code, agency.short_name, agency.name):
                if name:
                    self.agencies.setdefault(name.casefold(), agency)
        self.programs: dict[tuple[int, int, str], Program] = {}
        self.activities: dict[tuple[int, str], Activity] = {}
        self.by_id: dict[int, SubActivity] = {}
        self.by_code: dict[tuple[int, int, str], SubActivity] = {}
        self.by_name: dict[tuple[int, str], SubActivity] = {}
        self.taken: dict[int, int] = {}  # id of a sub-activity: the row that had it
        # What the row at hand added to these tables, to be forgotten if it is refused.
        self.added: list[tuple[dict[Any, Any], Any]] = []
        self.outcome = Outcome()

    def take(self, rows: list[ReadRow]) -> Outcome:
        self._load({row.values["year"] for row in rows if row.values.get("year")})
        for row in rows:
            self.outcome.results.append(self._one(row))
        return self.outcome

    def _load(self, years: set[int]) -> None:
        for program in Program.objects.filter(year__in=years).select_related("agency", "mission"):
            self._know_program(program)
        for activity in Activity.objects.filter(program__year__in=years).select_related(
            "program__agency", "program__mission"
        ):
            self._know_activity(activity)
        for sub in (
            SubActivity.objects.filter(year__in=years)
            .select_related("agency", "activity__program__mission")
            .prefetch_related("fundings", "areas")
        ):
            self._know_sub_activity(sub)

    def _remember(self, table: dict[Any, Any], key: Any, record: Any) -> None:
        if key not in table:
            self.added.append((table, key))
        table[key] = record

    def _know_program(self, program: Program) -> None:
        for text in {program.code, program.name.casefold()} - {""}:
            self._remember(self.programs, (program.agency_id, program.year, text), program)

    def _know_activity(self, activity: Activity) -> None:
        for text in {activity.code, activity.name.casefold()} - {""}:
            self._remember(self.activities, (activity.program_id, text), activity)

    def _know_sub_activity(self, sub: SubActivity) -> None:
        self.by_id[sub.pk] = sub
        if sub.code:
            self.by_code[sub.agency_id, sub.year, sub.code] = sub
        self.by_name[sub.activity_id, sub.name.casefold()] = sub

    def _one(self, row: ReadRow) -> Result:
        result = Result(
            number=row.number,
            name=str(row.values.get("name") or row.values.get("code") or ""),
            agency=str(row.values.get("agency") or ""),
            fate=Fate.REJECTED,
        )
        self.added = []
        before = (len(self.outcome.programs), len(self.outcome.activities))
        try:
            with transaction.atomic():
                self._place(row, result)
        except RefusedError:
            # What came along with the row went with it.
            del self.outcome.programs[before[0] :]
            del self.outcome.activities[before[1] :]
            result.fate, result.pk, result.changes = Fate.REJECTED, None, []
            result.faults = [asdict(fault) for fault in row.faults]
            for table, key in self.added:
                table.pop(key, None)
        return result

    def _place(self, row: ReadRow, result: Result) -> None:
        agency = self._agency(row)
        if agency is not None:
            result.agency = str(agency)
        known = self._by_given_id(row, agency)
        if row.faults or agency is None:
            raise RefusedError
        program = self._program(row, agency)
        activity = self._activity(row, program)
        if known is None:
            known = self._match(row, agency, activity)
        if known is not None and known.pk in self.taken:
            row.blame(
                "name",
                row.values["name"],
                _("Sub kegiatan ini sudah ada di baris %(number)d. Hapus salah satunya.")
                % {"number": self.taken[known.pk]},
            )
            raise RefusedError
        if known is None:
            known = self._create(row, activity)
            result.fate = Fate.NEW
            result.changes = self._shown(known)
        else:
            result.changes = self._change(row, known, activity)
            result.fate = Fate.CHANGED if result.changes else Fate.SAME
        result.pk = known.pk
        self.taken[known.pk] = row.number

    # Finding what a row is about

    def _agency(self, row: ReadRow) -> Agency | None:
        text = row.values.get("agency")
        if text is None:
            return None
        agency = self.agencies.get(text.casefold())
        if agency is None:
            row.blame("agency", text, _("Perangkat daerah tidak dikenal. Lihat lembar Pilihan."))
        elif self.own_only and agency.pk != self.user.agency_id:
            row.blame(
                "agency",
                text,
                _("Anda hanya dapat mengimpor program %(agency)s.") % {"agency": self.user.agency},
            )
        elif not agency.is_active:
            row.blame("agency", text, _("Perangkat daerah ini sudah tidak aktif."))
        return agency

    def _by_given_id(self, row: ReadRow, agency: Agency | None) -> SubActivity | None:
        pk = row.values.get("id")
        if pk is None:
            return None
        sub = self.by_id.get(pk)
        if (
            sub is None
            or (agency is not None and sub.agency_id != agency.pk)
            or (sub.year != row.values.get("year", sub.year))
        ):
            row.blame(
                "id",
                pk,
                _(
                    "Tidak ada sub kegiatan bernomor ini pada perangkat daerah dan tahun itu. "
                    "Kosongkan ID bila ini sub kegiatan baru."
                ),
            )
            return None
        return sub

    def _match(self, row: ReadRow, agency: Agency, activity: Activity) -> SubActivity | None:
        code = row.values.get("code")
        by_code = self.by_code.get((agency.pk, row.values["year"], code)) if code else None
        return by_code or self.by_name.get((activity.pk, row.values["name"].casefold()))

    def _program(self, row: ReadRow, agency: Agency) -> Program:
        values = row.values
        year, code, name = values["year"], values.get("program_code", ""), values["program"]
        program = (self.programs.get((agency.pk, year, code)) if code else None) or (
            self.programs.get((agency.pk, year, name.casefold()))
        )
        if program is None:
            return self._new_program(row, agency)
        if code and program.code and code != program.code:
            row.blame("program_code", code, self._recorded(program.code))
        if name != " ".join(program.name.split()):
            row.blame("program", name, self._recorded(program.name))
        number = values.get("mission")
        if "mission" in values and number != (program.mission.number if program.mission else None):
            recorded = str(program.mission.number) if program.mission else _("kosong")
            row.blame("mission", number, self._recorded(recorded))
        if row.faults:
            raise RefusedError
        return program

    @staticmethod
    def _recorded(value: str) -> str:
        return _("Yang tercatat: %(value)s. Samakan, atau ubah di halaman programnya.") % {
            "value": value
        }

    def _new_program(self, row: ReadRow, agency: Agency) -> Program:
        values = row.values
        mission = None
        if values.get("mission") is not None:
            mission = queries.missions_for(values["year"]).filter(number=values["mission"]).first()
            if mission is None:
                row.blame(
                    "mission", values["mission"], _("Misi bernomor ini tidak ada pada tahun itu.")
                )
                raise RefusedError
        program = Program(
            agency=agency,
            year=values["year"],
            code=values.get("program_code", ""),
            name=values["program"],
            mission=mission,
        )
        self._checked(
            row, rules.check_program, program, {"code": "program_code", "name": "program"}
        )
        program.save(force_insert=True)
        self._know_program(program)
        self.outcome.programs.append(f"{program.code} {program.name}".strip())
        return program

    def _activity(self, row: ReadRow, program: Program) -> Activity:
        code, name = row.values.get("activity_code", ""), row.values["activity"]
        activity = (self.activities.get((program.pk, code)) if code else None) or (
            self.activities.get((program.pk, name.casefold()))
        )
        if activity is not None:
            if code and activity.code and code != activity.code:
                row.blame("activity_code", code, self._recorded(activity.code))
            if name != " ".join(activity.name.split()):
                row.blame("activity", name, self._recorded(activity.name))
            if row.faults:
                raise RefusedError
            return activity
        activity = Activity(program=program, code=code, name=name)
        self._checked(
            row, rules.check_activity, activity, {"code": "activity_code", "name": "activity"}
        )
        activity.save(force_insert=True)
        self._know_activity(activity)
        self.outcome.activities.append(f"{activity.code} {activity.name}".strip())
        return activity

    # Writing

    def _checked(self, row: ReadRow, check: Any, record: Any, keys: dict[str, str]) -> None:
        try:
            check(record)
        except ValidationError as error:
            self._blame_all(row, error, keys)
            raise RefusedError from error

    @staticmethod
    def _blame_all(row: ReadRow, error: ValidationError, keys: dict[str, str]) -> None:
        for name, messages in error.message_dict.items():
            key = keys.get(name, name)
            for message in messages:
                if key in workbook.BY_KEY:
                    row.blame(key, row.values.get(key), message)
                else:
                    row.faults.append(Fault("", "", message))

    def _create(self, row: ReadRow, activity: Activity) -> SubActivity:
        values = {name: row.values[name] for name in MODEL_FIELDS if name in row.values}
        year = row.values["year"]
        values.setdefault("recipient", Recipient.HOUSEHOLD)
        for name, month, day in (("starts_on", 1, 1), ("ends_on", 12, 31)):
            if values.get(name) is None:
                values[name] = dt.date(year, month, day)
        fundings = {source: row.values.get(source, 0) for source in SOURCES}
        try:
            sub = place_sub_activity(activity, values, fundings, row.values.get("areas", ()))
        except ValidationError as error:
            self._blame_all(row, error, {})
            raise RefusedError from error
        self._know_sub_activity(sub)
        return sub

    def _change(
        self, row: ReadRow, known: SubActivity, activity: Activity
    ) -> list[tuple[str, str, str]]:
        """Change a known sub-activity as the row says; return what it changed, as shown in the file."""
        values = {
            name: row.values[name]
            for name in MODEL_FIELDS
            if name in row.values and row.values[name] != _plain(name, getattr(known, name))
        }
        for name in ("starts_on", "ends_on"):
            if name in values and values[name] is None:
                del values[name]  # an empty period leaves the recorded one
        if activity.pk != known.activity_id:
            values["activity"] = activity
        stored = {f.source: f.amount for f in known.fundings.all()}  # type: ignore[attr-defined]
        fundings = {source: row.values.get(source, stored.get(source, 0)) for source in SOURCES}
        money_changed = {s: a for s, a in fundings.items() if a} != stored
        areas = list(known.areas.all())
        wanted = settled_areas(row.values["areas"]) if "areas" in row.values else areas
        areas_changed = {area.pk for area in wanted} != {area.pk for area in areas}
        if not values and not money_changed and not areas_changed:
            return []
        old = dict(workbook.row_of(known, stored, sorted(areas, key=lambda area: area.code)))
        try:
            change_sub_activity(known, values, fundings, wanted)
        except ValidationError as error:
            self._blame_all(row, error, {})
            raise RefusedError from error
        fresh = SubActivity.objects.select_related("agency", "activity__program__mission").get(
            pk=known.pk
        )
        self.by_code.pop((known.agency_id, known.year, known.code), None)
        self.by_name.pop((known.activity_id, known.name.casefold()), None)
        self._know_sub_activity(fresh)
        new = workbook.row_of(
            fresh,
            {source: amount for source, amount in fundings.items() if amount},
            sorted(wanted, key=lambda area: area.code),
        )
        return [
            (str(column.heading), _shown(old[column.key]), _shown(new[column.key]))
            for column in workbook.COLUMNS
            if old[column.key] != new[column.key]
        ]

    @staticmethod
    def _shown(sub: SubActivity) -> list[tuple[str, str, str]]:
        amounts = dict(sub.fundings.values_list("source", "amount"))  # type: ignore[attr-defined]
        return [
            (str(workbook.heading(source)), "", _shown(amounts[source]))
            for source in SOURCES
            if source in amounts
        ]


def _plain(name: str, value: Any) -> Any:
    """Return a stored value as the file would give it back."""
    if name == "description":
        return workbook.one_kind_of_line_end(value).strip()
    return " ".join(value.split()) if isinstance(value, str) else value


def _shown(value: Any) -> str:
    """Return a value as people write it."""
    if value is None:
        return ""
    if isinstance(value, dt.date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, int):
        return grouped(value)
    return str(value)
