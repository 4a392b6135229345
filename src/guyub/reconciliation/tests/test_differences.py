"""Differences from finding to mending: rules, settling, imports that respect both, correction lists."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.discussions.models import Notification
from guyub.reconciliation import queue
from guyub.reconciliation.keeping import detect
from guyub.reconciliation.models import Difference, Mode, SourceRule
from guyub.reconciliation.services import merge_households, unmerge
from guyub.reconciliation.settling import ask_village, save_rule, settle
from guyub.reconciliation.sources import Rule, Source, decide, decide_sql
from guyub.reconciliation.tests.conftest import person
from guyub.registry import services as registry
from guyub.registry.models import Household, ValueChange

WHY = "Sudah dicek bersama kedua dinas."


def find() -> dict[str, int]:
    run = detect()
    assert run is not None
    return run.counts


def home(number: int) -> Household:
    return Household.objects.get(kk=f"330201010101{number:04d}")


@pytest.fixture
def found(two_lists: Any) -> tuple[Any, Any]:
    assert find() == {"found": 2, "new": 2, "returned": 0, "gone": 0, "mended": 0}
    return two_lists


def floor_of(number: int) -> Difference:
    return Difference.objects.get(household=home(number), field="floor")


def test_what_differs_is_found_with_both_sources(found):
    dtsen, rtlh = found
    one = floor_of(1)
    assert (one.ours, one.our_dataset, one.our_as_of) == ("earth", dtsen, dt.date(2026, 1, 1))
    assert (one.theirs, one.dataset, one.their_as_of) == ("cement", rtlh, dt.date(2026, 2, 1))
    assert (one.suggested, one.why) == ("ours", "reference")
    # What was empty was filled, and capitals make no difference.
    assert home(2).wall == "wood"
    assert find()["new"] == 0


DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2026, 1, 4))
SOURCES = st.sampled_from([None, 1, 2, 3])


@given(
    cases=st.lists(
        st.tuples(
            st.sampled_from(Mode.values), st.lists(SOURCES, unique=True, max_size=3),
            st.sampled_from([None, 1, 2]), SOURCES, DAYS, SOURCES, DAYS,
        ),
        min_size=20, max_size=20,
    )
)  # fmt: skip
def test_both_forms_of_the_rule_agree(cases):
    expected, rows = [], []
    for mode, ranking, reference, ours, our_day, theirs, their_day in cases:
        rule = Rule(mode, tuple(ranking))
        winner, why = decide(rule, reference, Source(ours, our_day), Source(theirs, their_day))
        expected.append(f"{winner}:{why}")
        rows.append(
            (
                mode,
                rule.place(ours),
                rule.place(theirs),
                reference,
                ours,
                theirs,
                our_day,
                their_day,
            )
        )
    names = ("mode", "our_place", "their_place", "reference", "our_dataset", "their_dataset",
             "our_as_of", "their_as_of")  # fmt: skip
    kinds = [pa.string(), *[pa.int64()] * 5, pa.date32(), pa.date32()]
    columns = zip(names, kinds, zip(*rows, strict=True), strict=True)
    table = pa.table({name: pa.array(list(values), kind) for name, kind, values in columns})
    with duckdb.connect() as db:
        db.register("pairs", table)
        told = [row[0] for row in db.execute(f"SELECT {decide_sql()} FROM pairs").fetchall()]
    assert told == expected


def test_the_registry_wins_and_the_owner_mends_the_list(found, load, make_user):
    _dtsen, rtlh = found
    operator = make_user(Role.AGENCY_OPERATOR, agency=rtlh.owner)
    actor = make_user(Role.SECRETARIAT)
    assert settle([floor_of(1)], side="suggested", reason=WHY, actor=actor) == (1, 0)
    assert home(1).floor == "earth"
    assert "1 isian" in Notification.objects.get(user=operator).text
    assert list(queue.to_mend(rtlh)) == [floor_of(1)]
    assert find()["new"] == 0
    assert floor_of(1).state == "settled"
    # The same value once more brings nothing back; another one does.
    load(rtlh, dt.date(2026, 2, 2), person(1, floor="cement", roof="tile"), person(2, floor="tile"))
    find()
    assert floor_of(1).state == "settled"
    load(rtlh, dt.date(2026, 2, 3), person(1, floor="bamboo"), person(2, floor="tile"))
    assert find()["returned"] == 1
    assert (floor_of(1).state, floor_of(1).winner, floor_of(1).settled_at) == ("open", "", None)
    settle([floor_of(1)], side="ours", reason=WHY, actor=actor)
    load(rtlh, dt.date(2026, 2, 4), person(1, floor="earth"), person(2, floor="tile"))
    assert find()["mended"] == 1
    assert floor_of(1).state == "mended"
    assert not queue.to_mend(rtlh).exists()


def test_the_list_wins_and_the_next_import_respects_it(found, load, make_user):
    dtsen, rtlh = found
    actor = make_user(Role.SECRETARIAT)
    settle([floor_of(1)], side="theirs", reason=WHY, actor=actor)
    one = home(1)
    assert one.floor == "cement"
    change = ValueChange.objects.get(subject_id=one.pk, field="floor")
    assert (change.old, change.new, change.new_origin.dataset) == ("earth", "cement", rtlh)
    assert change.new_origin.as_of == dt.date(2026, 2, 1)
    mirrored = Difference.objects.get(dataset=dtsen)
    assert (mirrored.theirs, mirrored.ours, mirrored.state) == ("earth", "cement", "settled")
    assert find()["returned"] == 0
    # The reference comes again with another value changed: what was settled stays settled.
    load(
        dtsen, dt.date(2026, 3, 1), person(1, floor="earth", desil=3), person(2, floor="earth")
    )  # fmt: skip
    one.refresh_from_db()
    assert (one.floor, one.desil) == ("cement", 3)
    find()
    assert Difference.objects.get(dataset=dtsen).state == "settled"
    # A value that it did not say before is news, and the reference wins again.
    load(dtsen, dt.date(2026, 4, 1), person(1, floor="wood", desil=3), person(2, floor="earth"))
    assert home(1).floor == "wood"


def test_what_changed_meanwhile_is_not_settled(found, make_user):
    actor = make_user(Role.SECRETARIAT)
    seen = floor_of(1)
    registry.edit_household(home(1), {"floor": "wood"}, as_of=dt.date(2026, 3, 1), actor=actor)
    assert settle([seen], side="theirs", reason=WHY, actor=actor) == (0, 1)
    assert home(1).floor == "wood"
    with pytest.raises(ValidationError, match="alasannya"):
        settle([seen], side="theirs", reason="ya", actor=actor)


def test_rules_are_versioned_previewed_and_obeyed(found, load, make_user):
    dtsen, rtlh = found
    actor = make_user(Role.SECRETARIAT)
    draft = Rule(Mode.RANKING, (rtlh.pk, dtsen.pk))
    assert queue.effect("floor", draft) == {"changed": 2, "kept": 0, "asked": 0}
    assert queue.effect("floor", Rule(Mode.ASK))["asked"] == 2
    save_rule("floor", mode="ranking", ranking=["rtlh", "dtsen"], reason=WHY, actor=actor)
    assert {(d.suggested, d.why) for d in Difference.objects.all()} == {("theirs", "ranking")}
    # From now on imports obey: the reference no longer replaces the survey's floor.
    settle([floor_of(1)], side="suggested", reason=WHY, actor=actor)
    load(dtsen, dt.date(2026, 3, 1), person(1, floor="wood"), person(2, floor="earth"))
    assert home(1).floor == "cement"
    save_rule("floor", mode="newest", ranking=["rtlh"], reason=WHY, actor=actor)
    assert [(r.number, r.ranking) for r in SourceRule.objects.all()] == [
        (2, []),
        (1, ["rtlh", "dtsen"]),
    ]
    with pytest.raises(ValidationError, match="tidak dikenal"):
        save_rule("floor", mode="ranking", ranking=["bohong"], reason=WHY, actor=actor)
    with pytest.raises(ValidationError, match="tidak bisa diatur"):
        save_rule("nik", mode="ask", ranking=[], reason=WHY, actor=actor)


def test_a_village_is_asked_and_answers(found, make_user, client_for):
    officer = client_for(Role.AREA_OPERATOR)
    assert ask_village([floor_of(1)], reason=WHY, actor=make_user(Role.SECRETARIAT)) == 1
    assert Notification.objects.filter(user=officer.user).exists()
    url = reverse("reconciliation:verify", args=[floor_of(1).pk])
    assert "Semen/bata" in officer.get(url).content.decode()
    answer = officer.post(url, {"side": "theirs", "reason": "Lantai sudah disemen."}, follow=True)
    assert "tersimpan" in answer.content.decode()
    assert home(1).floor == "cement"
    # What was not asked is not theirs to settle.
    other = reverse("reconciliation:verify", args=[floor_of(2).pk])
    assert officer.post(other, {"side": "theirs", "reason": "Asal tebak saja."}).status_code == 422
    assert home(2).floor == "earth"


@pytest.mark.usefixtures("as_web_role")
def test_a_village_may_answer_that_a_household_lives_elsewhere(
    found, load, make_user, make_dataset, client_for
):
    _dtsen, rtlh = found
    load(
        rtlh, dt.date(2026, 3, 1), person(1, village="33.02.17.2001"), person(2, floor="tile"),
    )  # fmt: skip
    detect()
    one = Difference.objects.get(household=home(1), field="village")
    ask_village([one], reason=WHY, actor=make_user(Role.SECRETARIAT))
    url = reverse("reconciliation:verify", args=[one.pk])
    answer = client_for(Role.AREA_OPERATOR).post(
        url, {"side": "theirs", "reason": "Sudah lama pindah."}, follow=True
    )
    assert "tersimpan" in answer.content.decode()
    assert home(1).village.code == "33.02.17.2001"


def test_merging_closes_and_reopens_what_waits(found, make_user):
    before = {d.pk: d.state for d in Difference.objects.all()}
    merge = merge_households(home(1), home(2), picked=(), reason=WHY, actor=None)
    assert Difference.objects.get(subject_id=home(1).pk).state == "gone"
    unmerge(merge, reason=WHY, actor=None)
    assert {d.pk: d.state for d in Difference.objects.all()} == before


def test_a_second_comparison_waits_for_the_first(two_lists, settings):
    import fcntl
    from pathlib import Path

    place = Path(settings.DATA_DIR) / "reconciliation"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert detect() is None
    assert detect() is not None


# Pages


def test_the_queue_from_filter_to_correction_list(
    found, client_for, make_user, django_assert_max_num_queries, tmp_path
):
    _dtsen, rtlh = found
    client = client_for(Role.SECRETARIAT)
    url = reverse("reconciliation:queue")
    with django_assert_max_num_queries(26):
        page = client.get(f"{url}?isian=floor&daftar=rtlh&asal=dtsen&wilayah=33.02.01").content
    assert b"2 perbedaan" in page
    assert home(1).kk.encode() not in page
    assert b"Tidak ada perbedaan" in client.get(f"{url}?asal=manual").content
    assert b"Tidak ada perbedaan" in client.get(f"{url}?isian=wall").content
    empty = client.post(reverse("reconciliation:settle"), {"deed": "ours", "reason": WHY})
    assert empty.status_code == 422
    done = client.post(
        reverse("reconciliation:settle") + "?isian=floor",
        {"deed": "ours", "reason": "=1+1 " + WHY, "semua": "1"},
        follow=True,
    )
    assert "2 perbedaan diputuskan" in done.content.decode()
    event = Event.objects.filter(action="reconciliation.difference.settle").get()
    assert len(event.detail["differences"]) == 2

    owner = client_for(Role.AGENCY_OPERATOR, agency=rtlh.owner)
    path = reverse("reconciliation:corrections", args=["rtlh"])
    assert "Semen/bata" in owner.get(path).content.decode()
    assert owner.post(path, {"reason": "pendek"}).status_code == 422
    for full in ("", "on"):
        answer = owner.post(path, {"reason": "Memperbaiki daftar RTLH.", "full_numbers": full})
        (tmp_path / "x.xlsx").write_bytes(b"".join(answer.streaming_content))
        sheet = openpyxl.load_workbook(tmp_path / "x.xlsx")["Data"]
        lines = {row[2]: row for row in sheet.iter_rows(values_only=True)}
        assert lines["WARGA 1"][6:8] == ("Semen/bata", "Tanah")
        assert (lines["WARGA 1"][1] == home(1).kk) == bool(full)
        assert sheet.cell(2, 12).data_type == "s"
    logged = Event.objects.filter(action="reconciliation.corrections.export")
    assert [event.detail["full_numbers"] for event in logged.order_by("sequence")] == [False, True]
    stranger = client_for(Role.AGENCY_OPERATOR)
    assert stranger.get(path).status_code == 403


def test_pages_of_rules(found, client_for):
    client = client_for(Role.SECRETARIAT)
    assert "Lantai" in client.get(reverse("reconciliation:rules")).content.decode()
    url = reverse("reconciliation:rule", args=["floor"])
    values = {"mode": "ranking", "first": "rtlh", "second": "dtsen"}
    shown = client.post(url, values | {"periksa": "1"}).content.decode()
    assert "2 isi registri akan berubah" in shown
    assert not SourceRule.objects.exists()
    assert client.post(url, values).status_code == 422
    assert client.post(url, values | {"reason": WHY}).status_code == 302
    assert SourceRule.objects.get().ranking == ["rtlh", "dtsen"]
    assert client.get(reverse("reconciliation:rule", args=["nik"])).status_code == 404


def test_the_household_page_shows_what_waits(found, client_for):
    page = client_for(Role.SECRETARIAT).get(reverse("registry:household", args=[home(1).pk]))
    assert "Semen/bata" in page.content.decode()
