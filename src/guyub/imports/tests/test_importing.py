"""Whole imports: from a file's bytes to the registry."""

from __future__ import annotations

import datetime as dt

import pytest

from guyub.access.sealing import unseal
from guyub.audit.models import Event
from guyub.datasets.models import Version
from guyub.datasets.services import mark_reference
from guyub.datasets.store import version_path
from guyub.imports import services
from guyub.imports.models import Extent, ImportRun, RememberedMapping, State
from guyub.imports.queries import rejections
from guyub.imports.services import RefusedImportError
from guyub.registry.models import (
    AreaCount,
    Household,
    Listing,
    Move,
    Origin,
    Person,
    PersonKey,
    ValueChange,
    VersionCount,
)
from guyub.registry.services import add_person

from .conftest import MAN, NEIGHBOUR, WOMAN, changed, csv_bytes, xlsx_bytes

LATER = dt.date(2026, 4, 1)


def causes(run):
    return set(run.counts["causes"])


def test_a_first_list_fills_the_registry(importing):
    run = importing([MAN, WOMAN, NEIGHBOUR])
    assert run.state == State.DONE, run.error
    assert (run.counts["added"], run.counts["new_people"], run.counts["new_households"]) == (
        3,
        3,
        2,
    )
    house = Household.objects.get(kk="3302010101010001")
    assert (house.head_name, house.member_count, house.desil) == ("MOH. SOEKARNO", 2, 1)
    assert (house.village.name, house.district.name, house.rt) == ("Cirahab", "Lumbir", "001")
    man = Person.objects.get(nik=MAN[0])
    assert (man.birth_date, man.sex, man.relation) == (dt.date(1985, 3, 12), "M", "head")
    assert man.origin.dataset == run.dataset
    assert man.origin.as_of == dt.date(2026, 1, 1)
    assert Listing.objects.filter(dataset=run.dataset, dropped_version=None).count() == 2
    assert PersonKey.objects.filter(key="MUAMAD", person_id=man.pk).exists()
    assert sum(AreaCount.objects.values_list("people", flat=True)) == 3
    assert sum(VersionCount.objects.values_list("households", flat=True)) == 2
    assert version_path("dtsen", 1).exists()
    assert Event.objects.filter(action="imports.run.apply").count() == 1


def test_the_same_file_again_changes_nothing(importing):
    importing([MAN, WOMAN, NEIGHBOUR])
    before = list(Person.objects.order_by("id").values()), list(Household.objects.values())
    run = importing([MAN, WOMAN, NEIGHBOUR])
    assert run.state == State.DONE
    assert (run.counts["added"], run.counts["changed"], run.counts["unchanged"]) == (0, 0, 3)
    assert Version.objects.count() == 1
    assert ValueChange.objects.count() == 0
    assert (
        list(Person.objects.order_by("id").values()),
        list(Household.objects.values()),
    ) == before


def test_the_same_list_with_a_later_date_is_a_new_version_and_changes_no_value(importing):
    importing([MAN])
    run = importing([MAN], as_of=LATER)
    assert Version.objects.count() == 2
    assert run.dataset.current_version.as_of == LATER
    assert ValueChange.objects.count() == 0


def test_a_later_list_changes_values_and_keeps_the_old_ones(importing):
    importing([MAN, WOMAN])
    run = importing([changed(MAN, Desil="3"), changed(WOMAN, Desil="3")], as_of=LATER)
    house = Household.objects.get()
    assert house.desil == 3
    assert house.origin_id_of("desil") != house.origin_id
    change = ValueChange.objects.get()
    assert (change.field, change.old, change.new) == ("desil", "1", "3")
    assert change.old_origin.as_of == dt.date(2026, 1, 1)
    assert change.new_origin.as_of == LATER
    assert run.counts["changed"] == 2
    assert AreaCount.objects.get().desil == 3


def test_an_empty_value_never_empties_a_known_one(importing):
    importing([MAN])
    importing([changed(MAN, Alamat="", Desil="")], as_of=LATER)
    house = Household.objects.get()
    assert house.address == "Jl Mawar 1"
    assert house.desil == 1


def test_another_agencys_list_fills_gaps_but_does_not_override_the_reference(
    importing, make_dataset
):
    first = importing([changed(MAN, Alamat="")])
    mark_reference(first.version, actor=None, reason="Disepakati")
    other = make_dataset("rtlh", name="RTLH")
    run = importing([changed(MAN, Desil="5", Alamat="Jl Kenanga")], dataset=other, as_of=LATER)
    house = Household.objects.get()
    assert house.address == "Jl Kenanga"
    assert house.desil == 1
    assert run.counts["differences"] == 1
    assert Listing.objects.filter(household=house).count() == 2


def test_the_reference_overrides_others(importing, make_dataset):
    other = make_dataset("rtlh", name="RTLH")
    importing([changed(MAN, Desil="5")], dataset=other, as_of=LATER)
    first = importing([changed(NEIGHBOUR)])
    mark_reference(first.version, actor=None, reason="Disepakati")
    importing([NEIGHBOUR, changed(MAN, Desil="2")], as_of=LATER)
    assert Household.objects.get(kk=MAN[1]).desil == 2


def test_who_is_missing_from_a_whole_list_leaves_the_list_but_not_the_registry(importing):
    importing([MAN, NEIGHBOUR])
    run = importing([MAN], as_of=LATER)
    assert run.counts["removed"] == 1
    assert Person.objects.count() == 2
    gone = Listing.objects.get(household__kk=NEIGHBOUR[1])
    assert gone.dropped_version == run.version
    importing([MAN, NEIGHBOUR], as_of=dt.date(2026, 5, 1))
    gone.refresh_from_db()
    assert gone.dropped_version is None


def test_an_addition_leaves_the_others_on_the_list(importing):
    importing([MAN])
    run = importing([NEIGHBOUR], extent=Extent.PART, as_of=LATER)
    assert (run.counts["added"], run.counts["removed"], run.counts["people"]) == (1, 0, 2)
    assert Listing.objects.filter(dropped_version=None).count() == 2


def child_of(house, **values):
    return add_person(
        house,
        {"name": "Sari Dewi", "sex": "F", "birth_date": dt.date(2015, 3, 15), "relation": "child",
         **values},
        as_of=dt.date(2026, 2, 1),
        actor=None,
    )  # fmt: skip


CHILD = changed(
    WOMAN, NIK="3302015503150009", Nama="Sari  Dewi", Tgl_Lahir="15/03/2015", Hubungan="Anak"
)


@pytest.mark.parametrize("others", [0, 6])
def test_a_child_without_a_nik_gets_the_one_that_a_list_brings(importing, others):
    importing([MAN, NEIGHBOUR])
    house, beside = (Household.objects.get(kk=row[1]) for row in (MAN, NEIGHBOUR))
    # Of a large registry only what the list is about is read.
    for number in range(others):
        child_of(beside, name=f"Anak {number}")
    child, brother = child_of(house), child_of(house, name="Budi")
    run = importing([MAN, NEIGHBOUR, CHILD], as_of=LATER)
    assert run.state == State.DONE, run.error
    assert (run.counts["added"], run.counts["new_people"]) == (1, 0)
    child.refresh_from_db()
    assert (child.nik, child.household) == (CHILD[0], house)
    assert Origin.objects.get(pk=child.origin_id_of("nik")).dataset == run.dataset
    change = ValueChange.objects.get(subject_id=child.pk, field="nik")
    assert (change.old, unseal(change.new)) == ("", CHILD[0])
    brother.refresh_from_db()
    assert brother.nik == ""
    assert Person.objects.count() == 4 + others
    importing([MAN, NEIGHBOUR, CHILD], as_of=dt.date(2026, 5, 1))
    assert Person.objects.count() == 4 + others


@pytest.mark.parametrize(
    "other",
    [{"name": "Sari Dewa"}, {"birth_date": dt.date(2015, 3, 16)}, {"relation": "other_kin"}],
)
def test_a_child_who_is_not_certainly_the_same_is_recorded_beside(importing, other):
    importing([MAN])
    child = child_of(Household.objects.get(kk=MAN[1]), **other)
    importing([MAN, CHILD], as_of=LATER)
    child.refresh_from_db()
    assert child.nik == ""
    assert Person.objects.filter(nik=CHILD[0]).count() == 1


def test_a_person_with_another_kk_moves_and_the_move_is_kept(importing):
    importing([MAN, WOMAN, NEIGHBOUR])
    importing(
        [MAN, changed(WOMAN, No_KK=NEIGHBOUR[1], Hubungan="Famili lain"), NEIGHBOUR], as_of=LATER
    )
    woman = Person.objects.get(nik=WOMAN[0])
    assert woman.household.kk == NEIGHBOUR[1]
    move = Move.objects.get()
    assert (move.from_household.kk, move.to_household.kk) == (MAN[1], NEIGHBOUR[1])
    assert Household.objects.get(kk=MAN[1]).member_count == 1
    assert Household.objects.get(kk=NEIGHBOUR[1]).member_count == 2


def test_a_household_without_kk_gets_its_number_when_a_list_brings_it(importing):
    importing([changed(MAN, No_KK="")])
    importing([MAN], as_of=LATER)
    house = Household.objects.get()
    assert house.kk == MAN[1]
    assert Move.objects.count() == 0


def test_rejected_rows_say_where_what_and_how(importing):
    run = importing(
        [
            MAN,
            changed(NEIGHBOUR, NIK="3.30E+15"),
            changed(NEIGHBOUR, NIK="330201051270000"),
            changed(NEIGHBOUR, Desa="Cirahap", NIK="3302010512700004"),
        ]
    )
    assert run.state == State.DONE
    assert (run.counts["accepted"], run.counts["rejected"]) == (1, 3)
    found = rejections(run, 0, 10)
    assert [(r.row_number, r.column) for r in found] == [(3, "NIK"), (4, "NIK"), (5, "Desa")]
    assert "Excel" in found[0].what
    assert "Teks" in found[0].how
    assert "Cirahab" in found[2].how


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"NIK": ""}, "nik_missing"),
        ({"NIK": "33020112O3850001"}, "nik_digits"),
        ({"NIK": "9999991203850001"}, "nik_area"),
        ({"NIK": "3302013203850001"}, "nik_date"),
        ({"NIK": "3302011203850000"}, "nik_serial"),
        ({"Tgl_Lahir": "13/03/1985"}, "nik_birth"),
        ({"NIK": "3302010312850001"}, "nik_swapped"),
        ({"JK": "P"}, "nik_sex"),
        ({"No_KK": "330201010101001"}, "kk_length"),
        ({"No_KK": "3,30201E+15"}, "kk_scientific"),
        ({"Nama": ""}, "name_missing"),
        ({"Nama": "Budi 2"}, "name_digits"),
        ({"Tgl_Lahir": "kemarin"}, "date_format"),
        ({"Desa": ""}, "village_missing"),
        ({"Desa": "Atlantis"}, "village_unknown"),
        ({"Desil": "11"}, "desil"),
        ({"Hubungan": "tetangga"}, "unknown_answer"),
        ({"RT": "satu"}, "rt"),
    ],
)
def test_each_fault_is_named(importing, values, cause):
    run = importing([changed(MAN, **values)])
    assert run.state == State.CHECKED
    assert run.counts["accepted"] == 0
    assert cause in causes(run)
    for rejection in rejections(run, 0, 10):
        assert rejection.what
        assert rejection.how


def test_a_confirmed_nik_may_disagree_with_the_record(importing):
    from .conftest import HEADINGS

    odd = [*changed(MAN, JK="P", Tgl_Lahir="13/03/1985"), "Ya"]
    run = importing(csv_bytes([odd], [*HEADINGS, "Konfirmasi NIK"]))
    assert run.state == State.DONE
    assert Person.objects.get().sex == "F"


def test_a_nik_stored_by_excel_as_a_number_is_refused(importing):
    run = importing(xlsx_bytes([[3302011203850001, *MAN[1:]]]))
    assert causes(run) == {"nik_number"}


def test_an_excel_file_with_real_dates_is_read(importing):
    row = [*MAN]
    row[4] = dt.date(1985, 3, 12)
    run = importing(xlsx_bytes([row]))
    assert run.state == State.DONE, run.counts
    assert Person.objects.get().birth_date == dt.date(1985, 3, 12)


def test_duplicates_within_a_file_are_refused_but_for_the_first(importing):
    run = importing([MAN, changed(MAN, Nama="Lain")])
    assert (run.counts["accepted"], causes(run)) == (1, {"nik_duplicate"})
    assert Person.objects.get().name == "MOH. SOEKARNO"


def test_members_of_one_card_in_two_villages_and_two_heads_are_refused(importing):
    run = importing([MAN, changed(WOMAN, Desa="Canduk", Hubungan="Istri")])
    assert causes(run) == {"kk_village"}
    run = importing([MAN, changed(WOMAN, Hubungan="Kepala Keluarga")], as_of=LATER)
    assert causes(run) == {"kk_two_heads"}


def test_the_mapping_is_remembered_for_the_same_headings(importing, make_dataset):
    odd = ["A", "B", "C", "Desa"]
    data = csv_bytes([[MAN[0], MAN[2], "x", "Cirahab"]], odd)
    run = services.start(make_dataset(), as_of=LATER, file_name="a.csv", chunks=[data], actor=None)
    assert run.mapping == {"3": "village_name"}
    services.confirm_mapping(run, {"0": "nik", "1": "name", "3": "village_name"}, None)
    again = services.start(
        make_dataset(), as_of=LATER, file_name="b.csv", chunks=[data], actor=None
    )
    assert again.mapping == {"0": "nik", "1": "name", "3": "village_name"}
    assert RememberedMapping.objects.count() == 1


def test_a_mapping_without_nik_is_refused(regency, make_dataset):
    run = services.start(
        make_dataset(), as_of=LATER, file_name="a.csv", chunks=[csv_bytes([MAN])], actor=None
    )
    with pytest.raises(RefusedImportError, match="NIK"):
        services.confirm_mapping(run, {"2": "name"}, None)


def test_an_older_list_and_one_from_the_future_are_refused(importing, make_dataset):
    importing([MAN], as_of=LATER)
    with pytest.raises(RefusedImportError, match="lebih baru"):
        importing([MAN])
    with pytest.raises(RefusedImportError, match="masa depan"):
        importing([MAN], as_of=dt.date(2999, 1, 1))
    assert ImportRun.objects.count() == 1


def test_cancelling_leaves_nothing(importing):
    run = importing([MAN], apply=False)
    services.cancel(run, None)
    run.refresh_from_db()
    assert run.state == State.CANCELLED
    assert Person.objects.count() == 0
    with pytest.raises(RefusedImportError):
        services.approve(run, None)


def test_a_wish_to_cancel_while_applying_rolls_everything_back(importing):
    from guyub.imports.folder import RunFolder

    run = importing([MAN], apply=False)
    services.approve(run, None)

    def wish(stage: str, done: int, total: int) -> None:
        if done == 7:
            RunFolder(run.pk).ask_to_cancel()

    run = services.work(run.pk, wish)
    assert run.state == State.CANCELLED
    assert (Person.objects.count(), Version.objects.count()) == (0, 0)


def test_a_manual_value_of_a_later_date_survives_the_reference(importing):
    from guyub.registry.models import Channel, Origin

    run = importing([MAN])
    mark_reference(run.version, actor=None, reason="Disepakati")
    by_hand = Origin.objects.create(channel=Channel.MANUAL, as_of=dt.date(2026, 6, 1))
    Household.objects.update(desil=4, origins={"desil": by_hand.pk})
    run = importing([changed(MAN, Desil="2", Alamat="Jl Baru")], as_of=LATER)
    house = Household.objects.get()
    assert (house.desil, house.address) == (4, "Jl Baru")
    assert run.counts["differences"] == 1
    assert house.origins["desil"] == by_hand.pk
