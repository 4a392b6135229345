"""The next import of a list finds the survivor under the number of what was merged into it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from guyub.imports import services as imports
from guyub.reconciliation.services import merge_households, merge_people, unmerge
from guyub.registry.models import Household, Person

HEAD = "NIK;No KK;Nama;JK;Tgl Lahir;Hubungan;Kecamatan;Desa;Alamat;RT;RW;Desil"
WHY = "Satu keluarga tercatat dua kali."


def bring(dataset: Any, day: int, *people: Any, address: str = "Jl Mawar", desil: int = 1) -> Any:
    rows = [
        f"{nik};{kk};{name};L;12/03/1985;Kepala Keluarga;Lumbir;Cirahab;{address};1;2;{desil}"
        for nik, kk, name in people
    ]
    run = imports.start(
        dataset, as_of=dt.date(2026, 2, day), file_name="daftar.csv",
        chunks=["\n".join([HEAD, *rows]).encode()], actor=None,
    )  # fmt: skip
    run = imports.work(imports.confirm_mapping(run, run.mapping, None).pk)
    run = imports.work(imports.approve(run, None).pk)
    assert run.state == "done", run.error
    return run


def test_the_list_under_the_old_numbers_changes_the_survivor(make_dataset, regency):
    dataset = make_dataset()
    one = ("3302011203850001", "3302010101010001", "Tukiman")
    two = ("3302011203850002", "3302010101010002", "Tukiman")
    bring(dataset, 1, one, two)
    loser, survivor = (Household.objects.get(kk=row[1]) for row in (one, two))
    people = [Person.objects.get(nik=row[0]) for row in (one, two)]
    merge = merge_households(
        loser, survivor, picked=(), reason=WHY, actor=None,
        same_people=[(people[0].pk, people[1].pk)],
    )  # fmt: skip
    # Only the duplicate is on the new list: what it says is about the survivor.
    run = bring(dataset, 2, one, address="Jl Melati", desil=3)
    assert (Household.objects.count(), Person.objects.count()) == (2, 2)
    assert (run.counts["new_people"], run.counts["moved_people"]) == (0, 0)
    survivor.refresh_from_db()
    loser.refresh_from_db()
    assert (survivor.address, survivor.desil) == ("Jl Melati", 3)
    assert (loser.address, loser.status) == ("Jl Mawar", "merged")
    assert survivor.listings.get().dropped_version is None
    # Both are: the survivor's own row speaks.
    bring(dataset, 3, one, ("3302011203850002", "3302010101010002", "Tukiman"), desil=4)
    survivor.refresh_from_db()
    assert survivor.desil == 4
    assert Household.objects.count() == 2
    unmerge(merge, reason="Ternyata dua keluarga.", actor=None)
    loser.refresh_from_db()
    assert (loser.status, loser.member_count) == ("active", 1)


def test_a_merged_person_moves_with_the_list(make_dataset, regency):
    dataset = make_dataset()
    one = ("3302011203850001", "3302010101010001", "Tukiman")
    two = ("3302011203850002", "3302010101010002", "Tukimin")
    bring(dataset, 1, one, two)
    double, own = (Person.objects.get(nik=row[0]) for row in (one, two))
    merge_people(double, own, picked=(), reason=WHY, actor=None)
    # The list has the person under the other number and in a third household.
    bring(dataset, 2, (one[0], "3302010101010003", "Tukiman"))
    own.refresh_from_db()
    double.refresh_from_db()
    assert own.household.kk == "3302010101010003"
    assert double.household_id == own.household_id
    assert own.household.member_count == 1
