"""The life of a case: found, settled, grown, gone, back; and what reckoning leaves behind."""

from __future__ import annotations

import shutil

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from guyub.audit.models import Event
from guyub.overlaps import queries, services, snapshot
from guyub.overlaps.models import CaseState, OverlapCase, Reckoning, Ruling, StepKind

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(regency, two_repairs):
    services.reckon(2026)
    return OverlapCase.objects.get()


def kinds(case):
    return list(case.steps.order_by("pk").values_list("kind", flat=True))


def test_a_case_holds_who_meets_and_whom_they_help_twice(
    two_repairs, make_household, make_sub_activity, make_agency, enrol
):
    home, other = make_household("33.02.17.2001"), make_household("33.02.17.2001")
    for sub in two_repairs:
        enrol(sub, home)
    enrol(two_repairs[0], other)
    enrol(two_repairs[1], other, "candidate")
    # Same place and people, but other help; same help, but elsewhere.
    make_sub_activity("Sembako", agency=make_agency("dinkes"), help_kind="food")
    services.reckon(2026)
    case = OverlapCase.objects.get()
    assert set(case.sub_activities.all()) == set(two_repairs)
    assert case.households == 1
    assert case.state == CaseState.OPEN


def test_reckoning_again_changes_nothing(case):
    before = Reckoning.objects.get()
    services.reckon(2026)
    again = OverlapCase.objects.get()
    assert (again.pk, again.state, again.households) == (case.pk, case.state, case.households)
    assert kinds(again) == [StepKind.FOUND]
    assert Reckoning.objects.get().token != before.token
    assert Event.objects.filter(action="overlaps.reckon").count() == 2


def test_a_settled_case_stays_settled_while_its_members_stay(case, two_repairs, make_user):
    user = make_user("secretariat")
    services.settle(
        case,
        ruling=Ruling.ONE_LEADS,
        lead_agency=two_repairs[0].agency,
        note="Dinperkim memimpin di Cilongok.",
        actor=user,
    )
    services.reckon(2026)
    case.refresh_from_db()
    assert case.state == CaseState.SETTLED
    assert case.lead_agency == two_repairs[0].agency
    assert kinds(case) == [StepKind.FOUND, StepKind.SETTLED]
    event = Event.objects.get(action="overlaps.case.settle")
    assert event.detail == {"ruling": "one_leads", "lead": "dinperkim"}


def test_those_concerned_are_told(two_repairs, make_user, make_agency, make_sub_activity):
    heads = [make_user("agency_head", agency=sub.agency) for sub in two_repairs]
    stranger = make_user("agency_head", agency=make_agency("dinkes"))
    for sub in two_repairs:
        make_sub_activity(f"Sembako {sub.agency}", agency=sub.agency, help_kind="food")
    services.reckon(2026)
    for head in heads:
        news = head.notifications.get()
        assert news.text == "Tumpang tindih baru tahun 2026 dengan perangkat daerah lain: 2 kasus"
    services.reckon(2026)
    case = OverlapCase.objects.get(help_kind="house_repair")
    services.settle(
        case, ruling=Ruling.ONE_LEADS, lead_agency=heads[0].agency, note="Sesuai tugasnya.",
        actor=make_user("secretariat"),
    )  # fmt: skip
    services.reopen(case, reason="Ada sanggahan.", actor=heads[1])
    told = [
        list(head.notifications.order_by("pk").values_list("text", flat=True)) for head in heads
    ]
    assert "dibahas lagi" in told[0][-1]
    assert f"pemimpin: {heads[0].agency}" in told[1][-1]
    assert [len(texts) for texts in told] == [2, 2]
    assert not stranger.notifications.exists()


def test_a_newcomer_opens_a_settled_case_again(
    case, two_repairs, make_user, make_sub_activity, make_agency
):
    services.settle(
        case,
        ruling=Ruling.ONE_LEADS,
        lead_agency=two_repairs[0].agency,
        note="Dinperkim memimpin.",
        actor=make_user("secretariat"),
    )
    third = make_sub_activity("Rumah sehat", agency=make_agency("dinkes"))
    services.reckon(2026)
    case.refresh_from_db()
    assert case.state == CaseState.OPEN
    assert case.ruling_note == "Dinperkim memimpin."
    assert third in case.sub_activities.all()
    assert kinds(case)[-1] == StepKind.MEMBERS
    assert "Rumah sehat" in case.steps.latest("pk").text


def test_a_case_goes_and_comes_back_as_itself(case, two_repairs):
    small = two_repairs[1]
    small.is_cancelled = True
    small.save()
    services.reckon(2026)
    case.refresh_from_db()
    assert (case.state, case.households) == (CaseState.GONE, 0)
    assert set(case.sub_activities.all()) == set(two_repairs)
    services.reckon(2026)
    assert kinds(case) == [StepKind.FOUND, StepKind.GONE]
    small.is_cancelled = False
    small.save()
    services.reckon(2026)
    case.refresh_from_db()
    assert case.state == CaseState.OPEN
    assert kinds(case) == [StepKind.FOUND, StepKind.GONE, StepKind.RETURNED]
    assert OverlapCase.objects.count() == 1


def test_who_leads_must_have_a_part(case, make_agency, make_user):
    user = make_user("secretariat")
    with pytest.raises(ValidationError, match="ada dalam kasus ini"):
        services.settle(
            case, ruling="one_leads", lead_agency=make_agency("dinkes"), note="x", actor=user
        )
    with pytest.raises(ValidationError, match="memimpin"):
        services.settle(case, ruling="merge", lead_agency=None, note="x", actor=user)
    with pytest.raises(ValidationError, match="putusan"):
        services.settle(case, ruling="apa saja", lead_agency=None, note="x", actor=user)
    case.refresh_from_db()
    assert case.state == CaseState.OPEN
    assert not Event.objects.filter(action="overlaps.case.settle").exists()


def test_only_a_settled_case_opens_again(case, two_repairs, make_user):
    user = make_user("secretariat")
    with pytest.raises(ValidationError, match="tidak sedang diputuskan"):
        services.reopen(case, reason="Ada sanggahan.", actor=user)
    services.settle(case, ruling="no_overlap", lead_agency=None, note="Beda desa.", actor=user)
    services.reopen(case, reason="Ada sanggahan.", actor=user)
    case.refresh_from_db()
    assert case.state == CaseState.OPEN
    assert Event.objects.get(action="overlaps.case.reopen").reason == "Ada sanggahan."


def test_of_two_reckonings_the_later_start_counts(regency, monkeypatch, make_household):
    original = services.reckon_year

    def slow(year):
        found = original(year)
        # Another one starts and ends while this one is still at it.
        monkeypatch.setattr(services, "reckon_year", original)
        make_household()
        services.reckon(year)
        return found

    monkeypatch.setattr(services, "reckon_year", slow)
    services.reckon(2026)
    assert Reckoning.objects.get().totals["households"] == 1
    token = Reckoning.objects.get().token
    assert {path.name for path in snapshot.folder().glob("2026-*")} >= {token}
    assert snapshot.load(token).sums("33.02", "households")[1] == 1


def test_lost_files_are_as_if_never_reckoned(case):
    token = Reckoning.objects.get().token
    shutil.rmtree(snapshot.folder() / token)
    snapshot._load.cache_clear()
    assert queries.reckoned(2026) is None
    services.reckon(2026)
    assert queries.reckoned(2026) is not None


def test_old_snapshots_are_swept(regency):
    for _time in range(5):
        services.reckon(2026)
    found = [path.name for path in snapshot.folder().glob("2026-*")]
    assert len(found) == snapshot.KEPT
    assert Reckoning.objects.get().token in found


def test_a_strange_token_never_leads_elsewhere():
    for token in ("", "../../etc", "2026-" + "x" * 32, "2026-" + "0" * 32):
        with pytest.raises(snapshot.SnapshotMissingError):
            snapshot.load(token)


def test_the_command_tells_what_it_found(two_repairs, capsys):
    call_command("overlaps", year=2026)
    assert "2026: 1 kasus terbuka" in capsys.readouterr().out
    with pytest.raises(CommandError, match=r"Tahun yang ada: 2026"):
        call_command("overlaps", year=1999)


@pytest.mark.django_db(transaction=True)
def test_a_change_asks_the_worker_for_one_refresh(make_household):
    from django_tasks_db.models import DBTaskResult

    from guyub.overlaps.tasks import refresh

    make_household()
    make_household()
    waiting = DBTaskResult.objects.filter(task_path=refresh.module_path)
    assert waiting.count() == 1
    assert waiting.get().run_after is not None


def test_refreshing_reckons_the_years_in_work(two_repairs, make_sub_activity, settings):
    from guyub.overlaps.tasks import refresh

    make_sub_activity("Lama", year=2020)
    refresh.func()
    years = set(Reckoning.objects.values_list("year", flat=True))
    assert years == {year for year in (2020, 2026) if year >= queries.timezone.localdate().year}
