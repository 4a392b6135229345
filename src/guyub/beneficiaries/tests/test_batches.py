"""Many enrolments at once: from a rule, from files, and for those selected."""

import datetime as dt
import io

import duckdb
import openpyxl
import pytest
import xlsxwriter

from guyub.audit.models import Event
from guyub.beneficiaries import batches, files
from guyub.beneficiaries.files import BatchFolder
from guyub.beneficiaries.models import (
    Batch,
    BatchKind,
    BatchState,
    Delivery,
    Enrolment,
    Entry,
    Stage,
)
from guyub.beneficiaries.services import BeneficiariesError, QuotaError
from guyub.imports.corrections import write_rejected
from guyub.imports.folder import rows_in
from guyub.programs.vocabulary import Recipient
from guyub.registry.vocabulary import Status
from guyub.targeting.models import Rule, RuleVersion

from .conftest import TODAY

pytestmark = pytest.mark.django_db


def rule_of(agency, text):
    rule = Rule.objects.create(agency=agency, name=text[:100])
    return RuleVersion.objects.create(rule=rule, number=1, text=text)


def niks(*homes):
    return [home.members.first().nik for home in homes]


def xlsx(rows, headings=("NIK", "Catatan")):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        page = book.add_worksheet()
        date = book.add_format({"num_format": "dd/mm/yyyy"})
        for r, row in enumerate([headings, *rows]):
            for c, value in enumerate(row):
                if isinstance(value, dt.date):
                    page.write_datetime(r, c, dt.datetime.combine(value, dt.time()), date)
                elif isinstance(value, str):
                    page.write_string(r, c, value)
                else:
                    page.write(r, c, value)
    return out.getvalue()


def upload(sub_activity, content, actor, kind=BatchKind.ENROL_FILE, **wish):
    return batches.take_file(
        sub_activity, kind, file_name="daftar.xlsx", chunks=[content], wish=wish, actor=actor
    )


def causes(batch):
    return {
        (r.row_number, r.column): (cause, r.value)
        for cause, _what, _n in files.cause_counts(batch)
        for r in files.rejections(batch, 0, 50, cause)
    }


# From a rule


def test_a_rule_enrols_the_poorest_first_up_to_the_quota(
    make_sub_activity, make_household, make_enrolment, operator
):
    homes = [make_household(desil=desil) for desil in (2, 1, 3, 1, 9)]
    sub_activity = make_sub_activity(quota=3)
    make_enrolment(sub_activity=sub_activity, household=homes[3])
    version = rule_of(sub_activity.agency, "household.desil <= 3")
    assert batches.places_left(sub_activity) == 2
    assert batches.preview_rule(sub_activity, version, [], 2) == {
        "matching": 4, "already": 1, "adding": 2, "left_out": 1,
    }  # fmt: skip
    batch = batches.enrol_from_rule(sub_activity, version, areas=[], limit=2, actor=operator)
    assert (batch.state, batch.counts) == (BatchState.DONE, {"done": 2})
    new = Enrolment.objects.filter(entry=Entry.RULE).order_by("id")
    assert [row.household for row in new] == [homes[1], homes[0]]
    assert {row.rule_version for row in new} == {version}
    event = Event.objects.get(action="beneficiaries.batch.apply")
    assert event.detail["done"] == 2
    with pytest.raises(BeneficiariesError, match="Tidak ada yang bisa ditambahkan"):
        batches.enrol_from_rule(sub_activity, version, areas=[], limit=0, actor=operator)


def test_a_rule_enrols_in_some_areas(make_sub_activity, make_household, operator):
    here, there = make_household(), make_household("33.02.17.2001")
    make_household("33.02.02.2001")
    sub_activity = make_sub_activity()
    version = rule_of(sub_activity.agency, "household.desil == 1")
    areas = ["33.02.01.2001", "33.02.17"]
    batches.enrol_from_rule(sub_activity, version, areas=areas, limit=None, actor=operator)
    assert set(Enrolment.objects.values_list("household", flat=True)) == {here.pk, there.pk}


def test_a_rule_enrols_people_where_people_are_the_recipients(
    make_sub_activity, make_household, operator
):
    home = make_household()
    sub_activity = make_sub_activity(recipient=Recipient.PERSON)
    version = rule_of(sub_activity.agency, "household.desil == 1")
    batches.enrol_from_rule(sub_activity, version, areas=[], limit=None, actor=operator)
    row = Enrolment.objects.get()
    assert (row.person, row.household) == (home.members.get(), home)


# From a file


def test_a_file_enrols_who_passes_and_says_of_the_others_why(
    make_sub_activity, make_household, make_enrolment, operator, tmp_path
):
    sub_activity = make_sub_activity()
    good, twice, dead, gone = (make_household() for _n in range(4))
    enrolled = make_enrolment("enrolled", sub_activity=sub_activity).household
    person = dead.members.get()
    person.status = Status.DIED
    person.save()
    gone.status = Status.MOVED
    gone.save()
    rows = [
        [f"'{niks(good)[0]}", "Usulan musdes"],
        [niks(twice)[0], ""],
        [niks(twice)[0], ""],
        [niks(dead)[0], ""],
        [niks(gone)[0], ""],
        [niks(enrolled)[0], ""],
        ["3.30E+15", ""],
        [3302011203850001, ""],
        ["33020112038500", ""],
        ["330201120385000A", ""],
        ["3302019903850001", "=1+1"],
        ["", "tanpa nomor"],
    ]
    batch = upload(sub_activity, xlsx(rows), operator)
    assert batch.state == BatchState.CHECKED, batch.error
    assert (batch.counts["rows"], batch.counts["accepted"], batch.counts["rejected"]) == (12, 2, 10)
    found = {row: cause for (row, _column), (cause, _value) in causes(batch).items()}
    assert found == {
        4: "nik_duplicate",
        5: "person_gone",
        6: "household_gone",
        7: "already_enrolled",
        8: "nik_scientific",
        9: "nik_number",
        10: "nik_length",
        11: "nik_digits",
        12: "nik_unknown",
        13: "nik_missing",
    }
    assert not Enrolment.objects.filter(entry=Entry.FILE).exists()

    batch = batches.approve(batch, actor=operator)
    assert (batch.state, batch.counts["done"]) == (BatchState.DONE, 2)
    row = Enrolment.objects.get(household=good)
    assert (row.stage, row.steps.get().note) == (Stage.CANDIDATE, "Usulan musdes")
    assert Enrolment.objects.get(household=twice).steps.get().note == ""
    with pytest.raises(BeneficiariesError, match="tidak sedang menunggu"):
        batches.approve(batch, actor=operator)

    # The rows that did not pass, to be mended in Excel: text only, no formulas.
    target = tmp_path / "perbaikan.xlsx"
    count = write_rejected(
        BatchFolder(batch.pk),
        batch.layout["headings"],
        lambda *fault: files.as_rejection(batch, *fault),
        target,
    )
    assert count == 10
    sheet = openpyxl.load_workbook(target).active
    assert [cell.value for cell in sheet[1]][3:] == ["NIK", "Catatan"]
    assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {"s", "n"}
    assert "Meninggal" in sheet.cell(3, 2).value
    # As it is, it is recognised again and refused again.
    again = upload(sub_activity, target.read_bytes(), operator)
    assert (again.counts["rows"], again.counts["accepted"]) == (10, 0)
    with pytest.raises(BeneficiariesError, match="Tidak ada baris"):
        batches.approve(again, actor=operator)


def test_one_household_is_one_recipient(make_sub_activity, make_household, operator):
    from guyub.registry.services import add_person

    home = make_household()
    add_person(
        home,
        {"nik": "3302015203870077", "name": "Siti", "sex": "F", "relation": "spouse"},
        as_of=TODAY,
        actor=operator,
    )
    rows = [[nik, ""] for nik in home.members.order_by("id").values_list("nik", flat=True)]
    by_household = upload(make_sub_activity(), xlsx(rows), operator)
    assert by_household.counts["causes"] == {"household_duplicate": 1}
    people = make_sub_activity("Pelatihan", recipient=Recipient.PERSON)
    assert upload(people, xlsx(rows), operator).counts["accepted"] == 2


def test_a_decided_list_is_enrolled_at_once_within_the_quota(
    make_sub_activity, make_household, operator
):
    sub_activity = make_sub_activity(quota=1)
    content = xlsx([[nik, ""] for nik in niks(make_household(), make_household())])
    with pytest.raises(BeneficiariesError, match="Tulis alasannya"):
        upload(sub_activity, content, operator, stage="enrolled")
    why = "SK Bupati 12/2026"
    batch = upload(sub_activity, content, operator, stage="enrolled", reason=why)
    with pytest.raises(QuotaError):
        batches.approve(batch, actor=operator)
    meant = upload(sub_activity, content, operator, stage="enrolled", reason=why, over_quota=True)
    batches.approve(meant, actor=operator)
    row = Enrolment.objects.first()
    assert (row.stage, row.reason) == (Stage.ENROLLED, why)
    assert [s.to_stage for s in row.steps.order_by("id")] == ["candidate", "verified", "enrolled"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "kosong"),
        (b"\xd0\xcf\x11\xe0 lama", ".xls"),
        (xlsx([["3302011203850001"]], ["Nomor Induk"]), "kolom berjudul: NIK"),
        (b"nama;alamat\nTukiman;Jl Mawar\n", "kolom berjudul: NIK"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_nothing_behind(
    make_sub_activity, operator, content, message
):
    with pytest.raises(BeneficiariesError, match=message):
        upload(make_sub_activity(), content, operator)
    assert not Batch.objects.exists()


# Deliveries from a file

HEADS = ("NIK", "Tanggal", "Nilai", "Keterangan")


def test_deliveries_from_a_file(make_enrolment, make_sub_activity, make_household, operator):
    sub_activity = make_sub_activity()
    first = make_enrolment("enrolled", sub_activity=sub_activity)
    second = make_enrolment("delivered", sub_activity=sub_activity)
    waiting = make_enrolment("verified", sub_activity=sub_activity)
    (a,), (b,), (c,) = (niks(e.household) for e in (first, second, waiting))
    day = TODAY + dt.timedelta(days=9)
    rows = [
        [a, day, 250_000, "Tahap 1"],
        [a, "1 April 2026", "Rp 250.000,-", ""],
        [b, day, 250_000, ""],
        [b, day, "250.000", ""],
        [b, TODAY, 300_000, ""],
        [c, day, 1, ""],
        [niks(make_household())[0], day, 1, ""],
        [a, "besok", "banyak", ""],
        [a, "", "", ""],
        [a, "31/12/2025", 0, ""],
        [a, "31/12/2099", 0, "Beras 10 kg"],
    ]
    batch = upload(sub_activity, xlsx(rows, HEADS), operator, BatchKind.DELIVER_FILE)
    assert batch.state == BatchState.CHECKED, batch.error
    assert batch.counts["accepted"] == 3
    assert batch.counts["rupiah"] == 750_000
    assert {place: cause for place, (cause, _value) in causes(batch).items()} == {
        (5, "NIK"): "delivery_duplicate",
        (6, "NIK"): "delivery_repeated",
        (7, "NIK"): "wrong_stage",
        (8, "NIK"): "not_enrolled",
        (9, "Tanggal"): "date_format",
        (9, "Nilai"): "rupiah",
        (10, "Tanggal"): "day_missing",
        (10, "Nilai"): "amount_missing",
        (11, "Tanggal"): "day_early",
        (11, "Nilai"): "amount_zero",
        (12, "Tanggal"): "day_ahead",
    }
    batch = batches.approve(batch, actor=operator)
    assert batch.counts["done"] == 3
    first.refresh_from_db()
    assert first.stage == Stage.DELIVERED
    assert sorted(first.deliveries.values_list("delivered_on", "amount", "description")) == [
        (day, 250_000, "Tahap 1"),
        (dt.date(2026, 4, 1), 250_000, ""),
    ]
    assert second.steps.filter(to_stage="delivered").count() == 1


# Those selected


def test_many_move_at_once(make_enrolment, make_sub_activity, operator):
    sub_activity = make_sub_activity(quota=2)
    some = [make_enrolment("verified", sub_activity=sub_activity) for _n in range(3)]
    other = make_enrolment("candidate", sub_activity=sub_activity)
    everyone = {"narrowing": {}}
    with pytest.raises(QuotaError, match="menambah 3"):
        batches.move_many(sub_activity, everyone, "enrolled", actor=operator)
    chosen = {"ids": [some[0].pk, some[1].pk, other.pk]}
    batch = batches.move_many(sub_activity, chosen, "enrolled", actor=operator)
    assert batch.counts == {"done": 2, "skipped": 1}
    with pytest.raises(BeneficiariesError, match="Tulis alasannya"):
        batches.move_many(sub_activity, everyone, "withdrawn", actor=operator)
    batches.move_many(
        sub_activity, everyone, "withdrawn", reason="Anggaran dialihkan", actor=operator
    )
    stages = Enrolment.objects.order_by("id").values_list("stage", flat=True)
    assert list(stages) == ["withdrawn", "withdrawn", "verified", "candidate"]
    back = batches.move_many(
        sub_activity, everyone, "candidate", reason="Salah pilih", back=True, actor=operator
    )
    assert back.counts == {"done": 1, "skipped": 3}
    with pytest.raises(BeneficiariesError, match="Tidak ada di antara"):
        batches.move_many(
            sub_activity, everyone, "enrolled", reason="Salah pilih", back=True, actor=operator
        )
    with pytest.raises(BeneficiariesError, match="Tidak ada di antara"):
        batches.move_many(sub_activity, everyone, "delivered", actor=operator)


def test_the_same_help_for_all_selected(make_enrolment, make_sub_activity, operator):
    sub_activity = make_sub_activity()
    new = make_enrolment("enrolled", sub_activity=sub_activity)
    make_enrolment("delivered", sub_activity=sub_activity, code="33.02.17.2001")
    make_enrolment("candidate", sub_activity=sub_activity)
    make_enrolment("enrolled")
    help_ = {"delivered_on": TODAY, "amount": 300_000, "actor": operator}
    in_lumbir = {"narrowing": {"area": "33.02.01"}}
    batch = batches.deliver_many(sub_activity, in_lumbir, **help_)
    assert batch.counts == {"done": 1, "skipped": 1, "rupiah": 300_000}
    new.refresh_from_db()
    assert new.stage == Stage.DELIVERED
    # Now all were given this on that day, one of them by hand.
    with pytest.raises(BeneficiariesError, match="sudah tercatat semua"):
        batches.deliver_many(sub_activity, {"narrowing": {}}, **help_)
    assert Delivery.objects.count() == 2


# Long jobs


@pytest.mark.parametrize("kind", ["move", "file"])
def test_large_ones_are_left_to_the_worker_and_can_be_stopped(
    make_enrolment, make_household, make_sub_activity, operator, monkeypatch, kind
):
    monkeypatch.setattr(batches, "SMALL", 0)
    monkeypatch.setattr(batches, "SMALL_FILE", 0)
    enrolment = make_enrolment()
    sub_activity = enrolment.sub_activity
    if kind == "move":
        batch = batches.move_many(sub_activity, {"narrowing": {}}, "verified", actor=operator)
        assert batch.state == BatchState.APPLYING
    else:
        batch = upload(sub_activity, xlsx([[niks(make_household())[0], ""]]), operator)
        assert batch.state == BatchState.CHECKING
    assert batches.abandoned() == [batch]
    batch = batches.cancel(batch, actor=operator)
    assert batch.state == BatchState.CANCELLED
    assert batches.work(batch.pk).state == BatchState.CANCELLED
    enrolment.refresh_from_db()
    assert enrolment.stage == Stage.CANDIDATE
    with pytest.raises(BeneficiariesError, match="sudah berakhir"):
        batches.cancel(batch, actor=operator)


def test_a_batch_that_breaks_changes_nothing(make_enrolment, operator, monkeypatch):
    enrolment = make_enrolment()

    def fail(*args, **values):
        raise RuntimeError

    monkeypatch.setitem(batches.APPLY, BatchKind.MOVE, fail)
    batch = batches.move_many(enrolment.sub_activity, {"narrowing": {}}, "verified", actor=operator)
    assert batch.state == BatchState.FAILED
    assert "Tidak ada yang berubah" in batch.error
    assert not Event.objects.filter(action="beneficiaries.batch.apply").exists()


def test_a_large_file_is_checked_in_one_pass(make_sub_activity, make_household, operator):
    """Many rows, one of which is somebody: the check asks the registry as a set."""
    home = make_household()
    rows = [[f"33020101010{n:05d}", ""] for n in range(3_000)] + [[niks(home)[0], ""]]
    content = "\n".join(["NIK;Catatan", *(";".join(row) for row in rows)]).encode()
    batch = upload(make_sub_activity(), content, operator)
    assert (batch.counts["rows"], batch.counts["accepted"]) == (3_001, 1)
    with rows_in(BatchFolder(batch.pk).rejected) as source:
        rejected = duckdb.execute(f"SELECT count(*) FROM {source}").fetchall()
    assert rejected == [(3_000,)]
