"""What submissions say of a household's members: whom each row is about, and what differs.

A row is about whom a person said it is, else about a member by the key that the form was handed out with, else
by NIK, else by name and birth date together. Nothing is guessed beyond that: what is about nobody known is for a
person to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from guyub.access import wall
from guyub.fieldwork import member_fields as fields
from guyub.fieldwork.comparing import Row, rows_of
from guyub.fieldwork.definition import Definition, Item
from guyub.fieldwork.household_fields import UnusableAnswerError
from guyub.fieldwork.models import Submission
from guyub.registry.models import Household, Person
from guyub.registry.nik import NikError, check_against_record
from guyub.registry.restriction import open_people
from guyub.registry.services import why_nik_is_needed

# What a person in the registry can't be without; a child may be without a NIK.
NEEDED = (fields.NAME, fields.RELATION)


@dataclass(frozen=True)
class Said:
    """One row about a member: its number in the submission from 1, what it says, what can't be used."""

    number: int
    # The path of its repeat, and which row of it, from 0.
    place: tuple[str, int] = ("", 0)
    id: str = ""
    values: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def asked_of_members(definition: dict[str, Any]) -> list[str]:
    """Return the values of members that a form asks about, :data:`member_fields.ID` among them."""
    form = Definition.from_json(definition)
    names = dict.fromkeys(
        item.field for item in form.questions if len(form.repeats[item.path]) == 1
    )
    return [name for name in names if name in fields.KNOWN]


def said_of_members(definition: dict[str, Any], answers: dict[str, Any]) -> list[Said]:
    """Return what a submission says of members, row by row."""
    found: list[Said] = []

    def questions(item: Item) -> Iterator[Item]:
        for inner in item.items:
            if inner.kind == "question":
                yield inner
            elif inner.kind == "group":
                yield from questions(inner)

    form = Definition.from_json(definition)
    for repeat in form.walk():
        if repeat.kind != "repeat" or form.repeats[repeat.path]:
            continue
        asked = [one for one in questions(repeat) if one.field in fields.KNOWN]
        rows = answers.get(repeat.path)
        for at, row in enumerate(rows if asked and isinstance(rows, list) else ()):
            if isinstance(row, dict):
                found.append(_read(len(found) + 1, (repeat.path, at), asked, row))
    return [one for one in found if one.id or one.values or one.problems]


def _read(number: int, place: tuple[str, int], asked: list[Item], row: dict[str, Any]) -> Said:
    said, whom = Said(number), ""
    for question in asked:
        answer = row.get(question.path)
        if question.field == fields.ID:
            whom = str(answer or "").strip()
            continue
        try:
            value = fields.FIELDS[question.field].read(answer)
        except UnusableAnswerError as error:
            said.problems[question.field] = str(error)
            continue
        if value:
            said.values[question.field] = value
    return Said(number, place, whom, said.values, said.problems)


def match(
    rows: Sequence[Said], people: Iterable[Person], by_hand: dict[str, int] | None = None
) -> dict[int, Person]:
    """Return whom rows are about, by the row's number.

    ``people`` are the household's members; ``by_hand`` is :attr:`Submission.matches`.

    A row that fits nobody, fits several, or fits somebody whom another row is about, is left out.
    """
    known = list(people)
    found: dict[int, Person] = {}
    for one in rows:
        whom = _whom(one, known, by_hand or {})
        if whom is not None:
            found[one.number] = whom
    taken = [person.pk for person in found.values()]
    return {number: person for number, person in found.items() if taken.count(person.pk) == 1}


def _whom(said: Said, people: list[Person], by_hand: dict[str, int]) -> Person | None:
    chosen = by_hand.get(str(said.number))
    if chosen:
        for person in people:
            if person.pk == chosen:
                return person
    if said.id:
        for person in people:
            if str(person.pk) == said.id:
                return person
    nik = said.values.get(fields.NIK)
    if nik:
        for person in people:
            if person.nik == nik:
                return person
    name, born = said.values.get(fields.NAME), said.values.get(fields.BIRTH_DATE)
    if not (name and born):
        return None
    like = [
        person
        for person in people
        if person.birth_date is not None
        and person.birth_date.isoformat() == born
        and fields.plain_name(person.name) == fields.plain_name(name)
    ]
    return like[0] if len(like) == 1 else None


@dataclass(frozen=True)
class Member:
    """A known member and the values that submissions answer. Of restricted people there are no rows."""

    person: Person
    rows: tuple[Row, ...] = ()
    is_restricted: bool = False
    problems: tuple[str, ...] = ()
    # Submissions of which a person said that a row is about this member, with the row's number.
    by_hand: tuple[tuple[Submission, int], ...] = ()

    @property
    def is_news(self) -> bool:
        return any(row.is_news for row in self.rows)


@dataclass(frozen=True)
class Stranger:
    """A row that is about nobody known: perhaps a new member. ``key`` names it among the choices."""

    submission: Submission
    said: Said
    key: str
    lines: tuple[tuple[str, str], ...]
    # Why nobody can be added by it as it is, and what whoever decides should look at.
    lacks: str = ""
    remarks: tuple[str, ...] = ()
    # Members whom it may be about, for a person to say so.
    candidates: tuple[Person, ...] = ()

    @property
    def name(self) -> str:
        return self.said.values.get(fields.NAME, "") or _("tanpa nama")


@dataclass(frozen=True)
class Members:
    """All that submissions say of members."""

    known: tuple[Member, ...] = ()
    strangers: tuple[Stranger, ...] = ()

    @property
    def rows(self) -> list[Row]:
        return [row for member in self.known for row in member.rows]

    @property
    def disputed(self) -> list[Row]:
        return [row for row in self.rows if row.is_disputed]

    @property
    def wants_choices(self) -> bool:
        return bool(self.disputed or self.strangers)


def people_of(home: Household) -> list[Person]:
    return list(home.members.filter(merged_into=None).order_by("pk"))


def compare_members(submissions: Sequence[Submission], home: Household | None) -> Members:
    """Return what submissions say of members, by person, and the rows that are about nobody known."""
    said = [said_of_members(one.form_version.definition, one.answers) for one in submissions]
    if home is None or not any(said):
        return Members()
    people = people_of(home)
    matches = [
        match(rows, people, one.matches) for one, rows in zip(submissions, said, strict=True)
    ]
    ids = {person.pk for found in matches for person in found.values()}
    everybody = Person.objects.filter(pk__in=[person.pk for person in people])
    free = set(open_people(everybody).values_list("pk", flat=True))
    known = []
    for person in people:
        if person.pk not in ids:
            continue
        if person.pk not in free:
            known.append(Member(person, is_restricted=True))
            continue
        mine = [
            next((one for one in rows if found.get(one.number) == person), Said(0))
            for rows, found in zip(said, matches, strict=True)
        ]
        names = [n for n in fields.FIELDS if any(n in one.values for one in mine)]
        seen = [(one.seen.get("members") or {}).get(str(person.pk)) or {} for one in submissions]
        rows = rows_of(
            submissions, names, fields.values_of(person, names), [one.values for one in mine], seen,
            f"{person.pk}.",
        )  # fmt: skip
        known.append(
            Member(
                person,
                tuple(rows),
                problems=_problems(mine),
                by_hand=tuple(
                    (submission, one.number)
                    for submission, one in zip(submissions, mine, strict=True)
                    if submission.matches.get(str(one.number)) == person.pk
                ),
            )
        )
    strangers = [
        _stranger(
            submission, one, people, [p for p in people if p.pk in free and p not in found.values()]
        )
        for submission, rows, found in zip(submissions, said, matches, strict=True)
        for one in rows
        if one.number not in found
    ]
    return Members(tuple(known), tuple(strangers))


def open_answers(submission: Submission) -> dict[str, Any]:
    """Return a submission's answers without the rows that are about restricted people."""
    answers = dict(submission.answers)
    said = said_of_members(submission.form_version.definition, answers)
    if not said:
        return answers
    people = people_of(submission.household) if submission.household is not None else []
    niks = {one.values[fields.NIK] for one in said if fields.NIK in one.values}
    with wall.everything():
        named = list(Person.objects.filter(nik__in=niks))
        ids = {person.pk for person in (*people, *named)}
        free = set(open_people(Person.objects.filter(pk__in=ids)).values_list("pk", flat=True))
    hidden = set()
    for one in said:
        whom = _whom(one, people, submission.matches)
        others = [person for person in named if person.nik == one.values.get(fields.NIK)]
        if any(person.pk not in free for person in ([whom] if whom is not None else []) + others):
            hidden.add(one.place)
    for path in {path for path, _at in hidden}:
        answers[path] = [row for at, row in enumerate(answers[path]) if (path, at) not in hidden]
    return answers


def _problems(rows: Iterable[Said]) -> tuple[str, ...]:
    return tuple(
        f"{fields.FIELDS[name].label}: {why}" for one in rows for name, why in one.problems.items()
    )


def _stranger(
    submission: Submission, said: Said, people: list[Person], candidates: list[Person]
) -> Stranger:
    values = said.values
    lacks = [str(fields.FIELDS[name].label) for name in NEEDED if not values.get(name)]
    remarks = list(_problems([said]))
    if said.id:
        remarks.append(_("Formulirnya dibuat untuk orang yang kini bukan anggota keluarga ini, atau dua isian tentang orang yang sama."))  # fmt: skip
    nik = values.get(fields.NIK, "")
    why = _("Belum bisa ditambahkan, karena yang ini belum ada: %(what)s.") % {
        "what": ", ".join(lacks)
    } if lacks else ""  # fmt: skip
    if not nik and not why:
        why = (
            _("NIK yang diisi tidak bisa dipakai. Minta petugas memperbaiki dan mengirim ulang.")
            if fields.NIK in said.problems
            else why_nik_is_needed(fields.to_columns(values))
        )
        if not why:
            remarks.append(_("Belum punya NIK. Begitu ada daftar dengan NIK-nya, anak ini dikenali dari nomor KK, nama, tanggal lahir, dan hubungannya."))  # fmt: skip
    if nik:
        with wall.everything():
            taken = Person.objects.filter(nik=nik).exists()
        if taken:
            why = (
                _("Dua isian tentang orang yang sama. Pakai salah satu lewat halaman keluarga.")
                if any(person.nik == nik for person in people)
                else _("NIK ini sudah tercatat di keluarga lain. Pindahkan orangnya lewat halaman keluarganya.")
            )  # fmt: skip
        born = fields.to_columns(values).get("birth_date")
        try:
            check_against_record(nik, born, values.get("member.sex", ""))
        except NikError as error:
            remarks.append(str(error.message))
    lines = tuple(
        (str(fields.FIELDS[name].label), fields.shown(name, values[name]))
        for name in fields.FIELDS
        if values.get(name)
    )
    return Stranger(
        submission,
        said,
        f"baru-{submission.pk}-{said.number}",
        lines,
        why,
        tuple(remarks),
        tuple(candidates),
    )
