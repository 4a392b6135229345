"""A small registry and lists that name its people more or less well."""

from __future__ import annotations

import datetime as dt

import pytest

from guyub.access.roles import Role
from guyub.linking import services
from guyub.registry.services import create_household

NAMES = ("Tukiman", "Muhammad Sukarno", "Siti Aminah", "Karsiwen", "Bambang Wahyudi", "Sri Lestari",
         "Ahmad Fauzi", "Wagiyem", "Dwi Prasetyo", "Nur Hidayati", "Suparno", "Eko Susanto")  # fmt: skip


@pytest.fixture
def people(village):
    """Twelve households of one person each in Cirahab, by name."""
    found = {}
    for number, name in enumerate(NAMES, start=1):
        born = dt.date(1960 + 3 * number, 1 + number % 12, 9 + number)
        female = name in ("Siti Aminah", "Karsiwen", "Sri Lestari", "Wagiyem", "Nur Hidayati")
        day = born.day + 40 if female else born.day
        home = create_household(
            household={"village": village, "kk": f"330201010120{number:04d}", "desil": 1},
            head={
                "nik": f"330201{day:02d}{born:%m%y}{number:04d}",
                "name": name,
                "sex": "F" if female else "M",
                "birth_date": born,
            },
            as_of=dt.date(2026, 1, 5),
            actor=None,
        )
        found[name] = home.members.get()
    return found


def line(person=None, **values):
    """Return one line of a list about ``person``, with other values where they are given."""
    row = {"nik": "", "kk": "", "name": "", "sex": "", "birth": "", "village": "Cirahab"}
    if person is not None:
        row |= {
            "nik": person.nik, "kk": person.household.kk, "name": person.name,
            "sex": "P" if person.sex == "F" else "L", "birth": f"{person.birth_date:%d/%m/%Y}",
        }  # fmt: skip
    row |= values
    return ";".join(row.values())


def file_of(*lines):
    head = "NIK;No KK;Nama;JK;Tgl Lahir;Desa"
    return ["\n".join([head, *lines]).encode()]


@pytest.fixture
def link(make_agency, make_user):
    """Link a list: ``link(line(person), ...)`` returns the finished run."""
    operator = make_user(Role.AGENCY_OPERATOR)

    def run(*lines, actor=None, title="BLT desa"):
        actor = actor or operator
        started = services.start_file(
            actor.agency, title=title, file_name="blt.csv", chunks=file_of(*lines), actor=actor
        )
        services.confirm_mapping(started, started.mapping, actor=actor)
        done = services.work(started.pk)
        assert done.state == "done", done.error
        return done

    run.operator = operator
    return run


@pytest.fixture
def doubtful(people, link):
    """A run with one pair to judge (the name and the village agree, the birth date does not) and one sure link."""
    sukarno, other = people["Muhammad Sukarno"], people["Tukiman"]
    return link(
        line(sukarno, nik="", kk="", name="Moh. Soekarno", birth="05/05/1999", sex=""),
        line(other),
    )
