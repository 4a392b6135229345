"""From a list to links, questions and answers."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.linking import queries, services
from guyub.linking.lists import LinkFolder
from guyub.linking.models import Decision, LinkModel, LinkRun, Pair, RunState, Verdict
from guyub.linking.tests.conftest import file_of, line
from guyub.registry.models import Person

pytestmark = pytest.mark.django_db


def by_row(run):
    return {row.record.number: row for row in queries.rows_of(run, (), 0, 100)}


def test_numbers_link_first_and_the_rest_is_weighed(people, link):
    sukarno, siti = people["Muhammad Sukarno"], people["Siti Aminah"]
    run = link(
        line(people["Tukiman"], name="TUKIMAN", kk=""),
        line(people["Wagiyem"], nik="", sex="", birth="", village=""),
        # Day and month swapped, the name cut down, no numbers.
        line(sukarno, nik="", kk="", name="Moh. Soekarno",
             birth=f"{sukarno.birth_date:%m/%d/%Y}" if sukarno.birth_date.day <= 12 else f"{sukarno.birth_date:%d/%m/%Y}"),
        line(siti, nik="", kk="", name="St. Aminah"),
        line(name="Orang Lain Sekali", birth="01/02/1999", sex="L"),
    )  # fmt: skip
    rows = by_row(run)
    assert [rows[n].stage for n in (2, 3, 4, 5, 6)] == ["nik", "kk", "sure", "sure", "none"]
    assert rows[4].person == sukarno
    assert rows[5].person == siti
    assert queries.stage_counts(run)["none"] == 1
    links = list(queries.accepted_links(run))
    assert [link.person_id for link in links] == [
        people[name].pk for name in ("Tukiman", "Wagiyem", "Muhammad Sukarno", "Siti Aminah")
    ]
    assert links[2].household_id == sukarno.household_id
    assert links[2].stage == "sure"


def test_a_nik_that_the_name_contradicts_is_asked_about(people, link):
    run = link(line(people["Tukiman"], name="Endang Purwanti", birth="03/04/2001", sex="P", kk=""))
    row = by_row(run)[2]
    assert row.stage in ("review", "none")
    assert not list(queries.accepted_links(run))


def test_a_person_who_stands_on_the_list_twice_is_linked_once(people, link):
    run = link(line(people["Tukiman"]), line(people["Tukiman"], name="Tukimin"))
    rows = by_row(run)
    assert [rows[2].stage, rows[3].stage] == ["nik", "double"]
    assert len(list(queries.accepted_links(run))) == 1


def test_differing_values_are_told(people, link):
    tukiman = people["Tukiman"]
    run = link(line(tukiman, birth="01/07/1970", name="tukiman", kk="3302010101209999"))
    found = {d.field: d for d in queries.differences(run)}
    assert set(found) == {"birth_date", "kk"}
    assert found["birth_date"].listed == "1970-07-01"
    assert found["birth_date"].registered == tukiman.birth_date.isoformat()
    assert queries.differences(run, "nik") == []


def test_a_judged_pair_counts_and_is_remembered(doubtful, link, people):
    (pair,) = doubtful.pairs.all()
    assert pair.person == people["Muhammad Sukarno"]
    services.decide(pair, Verdict.SAME, actor=link.operator)
    assert by_row(doubtful)[2].stage == "told"
    assert {link.person_id for link in queries.accepted_links(doubtful)} == {
        people["Muhammad Sukarno"].pk, people["Tukiman"].pk,
    }  # fmt: skip
    event = Event.objects.get(action="linking.pair.decide")
    assert event.detail == {"verdict": "same"}
    # The same list again: nobody is asked twice.
    again = link(*the_list(people))
    assert not again.pairs.exists()
    assert by_row(again)[2].stage == "told"


def the_list(people):
    sukarno = people["Muhammad Sukarno"]
    return (
        line(sukarno, nik="", kk="", name="Moh. Soekarno", birth="05/05/1999", sex=""),
        line(people["Tukiman"]),
    )


def test_a_pair_called_different_is_not_asked_again(doubtful, link, people):
    (pair,) = doubtful.pairs.all()
    services.decide(pair, Verdict.DIFFERENT, actor=link.operator)
    assert by_row(doubtful)[2].stage == "none"
    again = link(*the_list(people))
    assert not again.pairs.filter(person=pair.person).exists()
    assert by_row(again)[2].stage == "none"


def test_a_decision_can_be_taken_back(doubtful, link):
    (pair,) = doubtful.pairs.all()
    services.decide(pair, Verdict.SAME, actor=link.operator)
    with pytest.raises(ValidationError, match="sudah diputuskan"):
        services.decide(pair, Verdict.DIFFERENT, actor=link.operator)
    services.undo(pair, actor=link.operator)
    assert not Decision.objects.exists()
    assert by_row(doubtful)[2].stage == "review"
    with pytest.raises(ValidationError, match="belum diputuskan"):
        services.undo(pair, actor=link.operator)


def test_one_person_is_not_linked_to_two_rows(doubtful, link):
    (pair,) = doubtful.pairs.all()
    rival = Pair.objects.create(
        run=doubtful, record=3, person=pair.person, weight=1, weights=pair.weights
    )
    services.decide(pair, Verdict.SAME, actor=link.operator)
    with pytest.raises(ValidationError, match="sudah dipasangkan"):
        services.decide(rival, Verdict.SAME, actor=link.operator)


def test_a_stored_version_can_be_linked(people, make_user, make_dataset, tmp_path):
    import duckdb

    from guyub.datasets.services import add_version
    from guyub.datasets.store import version_path
    from guyub.registry.flat import FLAT_COLUMNS

    actor = make_user(Role.SECRETARIAT)
    dataset = make_dataset("rtlh")
    version = add_version(
        dataset, as_of=people["Tukiman"].origin.as_of, created_by=actor, file_name="", digest="",
        people=1, households=1, added=1, changed=0, unchanged=0, removed=0, rejected=0,
    )  # fmt: skip
    path = version_path(dataset.code, version.number)
    path.unlink(missing_ok=True)  # another test's, in the same data folder
    with pytest.raises(ValidationError, match="tidak tersimpan"):
        services.start_version(version, actor=actor)
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {"nik": f"'{people['Tukiman'].nik}'", "name": "'TUKIMAN'"}
    columns = ", ".join(
        f"{values.get(n, 'NULL')}::{kind} AS {n}" for n, kind in FLAT_COLUMNS.items()
    )
    duckdb.execute(f"COPY (SELECT {columns}) TO '{path}' (FORMAT parquet)")
    run = services.start_version(version, actor=actor)
    run = services.work(run.pk)
    assert run.state == RunState.DONE, run.error
    assert run.agency == dataset.owner
    assert by_row(run)[1].stage == "nik"


def test_duplicates_in_the_registry_are_asked_about(people, make_user, make_household):
    actor = make_user(Role.SECRETARIAT)
    tukiman = people["Tukiman"]
    twin = make_household(name="Toekiman").members.get()
    Person.objects.filter(pk=twin.pk).update(birth_date=tukiman.birth_date)
    run = services.work(services.start_duplicates(actor=actor).pk)
    assert run.state == RunState.DONE, run.error
    pair = run.pairs.get()
    assert {pair.record, pair.person_id} == {tukiman.pk, twin.pk}
    services.decide(pair, Verdict.SAME, actor=actor)
    (found,) = queries.confirmed_duplicates()
    assert (found.kept_id, found.other_id) == (tukiman.pk, twin.pk)
    assert queries.duplicate_households() == {(tukiman.household_id, twin.household_id)}
    again = services.work(services.start_duplicates(actor=actor).pk)
    assert not again.pairs.exists()


def test_a_list_without_names_or_anything_beside_them_is_refused(make_user):
    actor = make_user(Role.AGENCY_OPERATOR)
    run = services.start_file(
        actor.agency, title="", file_name="x.csv", chunks=file_of(line(name="Budi")), actor=actor
    )
    names = {place: field for place, field in run.mapping.items() if field == "name"}
    with pytest.raises(ValidationError, match="Selain nama"):
        services.confirm_mapping(run, names, actor=actor)
    others = {place: field for place, field in run.mapping.items() if field != "name"}
    with pytest.raises(ValidationError, match="berisi nama"):
        services.confirm_mapping(run, others, actor=actor)


def test_an_unreadable_file_leaves_nothing_behind(make_user):
    actor = make_user(Role.AGENCY_OPERATOR)
    with pytest.raises(ValidationError):
        services.start_file(actor.agency, title="", file_name="x", chunks=[b"\0\1\2"], actor=actor)
    assert not LinkRun.objects.exists()


def test_an_empty_registry_is_told(make_user):
    actor = make_user(Role.AGENCY_OPERATOR)
    run = services.start_file(
        actor.agency, title="", file_name="x.csv", chunks=file_of(line(name="Budi")), actor=actor
    )
    services.confirm_mapping(run, run.mapping, actor=actor)
    run = services.work(run.pk)
    assert run.state == RunState.FAILED
    assert "Registri masih kosong" in run.error


def test_a_run_that_was_cut_short_goes_on(people, link, monkeypatch, make_user):
    from guyub.linking import linkage

    actor = make_user(Role.AGENCY_OPERATOR)
    run = services.start_file(
        actor.agency, title="", file_name="x.csv", chunks=file_of(*the_list(people)), actor=actor
    )
    services.confirm_mapping(run, run.mapping, actor=actor)

    class Killed(BaseException):
        pass

    def die(job):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(linkage, "_assign", die)
        with pytest.raises(Killed):
            services.work(run.pk)
    before = LinkFolder(run.pk).pairs.stat().st_mtime_ns
    assert services.abandoned() == [run]
    run = services.work(run.pk)
    assert run.state == RunState.DONE
    assert LinkFolder(run.pk).pairs.stat().st_mtime_ns == before, "what was done is done once"
    assert run.pairs.count() == 1


def test_a_cancelled_run_leaves_no_files(people, make_user):
    actor = make_user(Role.AGENCY_OPERATOR)
    run = services.start_file(
        actor.agency, title="", file_name="x.csv", chunks=file_of(*the_list(people)), actor=actor
    )
    services.cancel(run, actor=actor)
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert not LinkFolder(run.pk).source(".bin").exists()
    with pytest.raises(ValidationError, match="tidak berlaku lagi"):
        services.cancel(run, actor=actor)


def test_thresholds_make_a_new_version_of_the_model(make_user):
    actor = make_user(Role.SECRETARIAT)
    with pytest.raises(ValidationError):
        services.set_thresholds(accept=3, review=5, margin=1, note="keliru sekali", actor=actor)
    first = services.current_model()
    new = services.set_thresholds(accept=9, review=0, margin=2, note="Lebih hati-hati", actor=actor)
    assert services.current_model() == new
    assert new.chances == first.chances
    assert LinkModel.objects.count() == 2


def test_a_higher_threshold_asks_where_a_lower_one_accepts(people, link, make_user):
    sukarno = people["Muhammad Sukarno"]
    row = line(sukarno, nik="", kk="", name="Moh. Soekarno")
    assert by_row(link(row))[2].stage == "sure"
    services.set_thresholds(
        accept=39, review=-3, margin=2, note="Semua ditinjau", actor=make_user(Role.SECRETARIAT)
    )
    assert by_row(link(row))[2].stage == "review"


def test_numbers_lie_sealed_on_disk(doubtful, people):
    stored = [path for path in LinkFolder(doubtful.pk).path.rglob("*") if path.is_file()]
    assert {path.name for path in stored} >= {"source.bin", "records.parquet", "people.parquet"}
    for path in stored:
        content = path.read_bytes()
        for person in people.values():
            assert person.nik.encode() not in content, path.name
    assert people["Tukiman"].nik not in str(doubtful.layout)
    # Parquet may pack what it holds, so what may be packed must be sealed as a whole.
    import duckdb

    for name in ("records", "people", "staged"):
        with pytest.raises(duckdb.Error):
            duckdb.execute(f"SELECT * FROM '{LinkFolder(doubtful.pk).path / name}.parquet'")
