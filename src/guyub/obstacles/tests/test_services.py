"""What becomes of an obstacle: states, reasons, who hears of it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guyub.access.permissions import can
from guyub.access.roles import Role
from guyub.areas.models import Area
from guyub.audit.models import Event
from guyub.discussions.models import Kind, Notification
from guyub.obstacles import services
from guyub.obstacles.models import Action, Obstacle, ObstacleState, ObstacleStep

TODAY = timezone.localdate


def fresh(obstacle):
    return Obstacle.objects.get(pk=obstacle.pk)


def test_a_report_reaches_the_needed_agency(make_obstacle, make_user, make_agency):
    needed = make_agency("dindukcapil")
    people = {make_user(role, agency=needed) for role in (Role.AGENCY_HEAD, Role.AGENCY_OPERATOR)}
    obstacle = make_obstacle(title="Data  3302011203850001", description="KK 3302011203850002")
    assert obstacle.state == ObstacleState.OPEN
    assert obstacle.title == "Data 330201••••••••01"
    assert "3302011203850002" not in obstacle.description
    assert {note.user for note in Notification.objects.filter(kind=Kind.TASK)} == people
    assert obstacle.steps.get().kind == Action.REPORT
    assert Event.objects.get(action="obstacles.obstacle.report").subject_id == str(obstacle.pk)


def test_work_starts_with_the_first_step_of_who_is_needed(make_obstacle, make_user, make_agency):
    reporter = make_user(Role.AGENCY_OPERATOR)
    obstacle = make_obstacle(actor=reporter)
    services.add_step(obstacle, "Kami sudah bersurat.", actor=reporter)
    assert fresh(obstacle).state == ObstacleState.OPEN
    head = make_user(Role.AGENCY_HEAD, agency=make_agency("dindukcapil"))
    services.add_step(obstacle, "Data disiapkan.", actor=head)
    assert fresh(obstacle).state == ObstacleState.WORKING
    assert Notification.objects.filter(user=reporter, kind=Kind.NEWS).count() == 1


def test_the_whole_way(make_obstacle, make_user, make_agency):
    reporter, secretariat = make_user(Role.AGENCY_OPERATOR), make_user(Role.SECRETARIAT)
    obstacle = make_obstacle(actor=reporter)
    other = make_user(Role.AGENCY_HEAD, agency=make_agency("dinkes"))
    services.hand_over(obstacle, other.agency, "Datanya di Dinkes", actor=secretariat)
    assert fresh(obstacle).needed_agency == other.agency
    assert other.notifications.get().kind == Kind.TASK
    services.extend(obstacle, TODAY() + dt.timedelta(days=30), "Menunggu anggaran", actor=other)
    assert fresh(obstacle).due_on == TODAY() + dt.timedelta(days=30)
    services.escalate(obstacle, "Perlu keputusan bersama", actor=reporter)
    assert fresh(obstacle).escalated_at is not None
    assert secretariat.notifications.filter(kind=Kind.TASK).count() == 1
    services.solve(obstacle, "Data diserahkan tiap bulan", actor=other)
    solved = fresh(obstacle)
    assert (solved.state, solved.days_to_solve) == (ObstacleState.SOLVED, 0)
    services.reopen(obstacle, "Datanya kosong", actor=reporter)
    opened = fresh(obstacle)
    assert (opened.state, opened.solution, opened.solved_at) == (ObstacleState.OPEN, "", None)
    assert [step.kind for step in opened.steps.all()] == [
        "report", "hand_over", "extend", "escalate", "solve", "reopen",
    ]  # fmt: skip
    assert "Data diserahkan tiap bulan" in [step.text for step in opened.steps.all()]


@pytest.mark.parametrize(
    ("act", "field"),
    [
        (lambda o, a: services.add_step(o, " ", actor=a), "text"),
        (lambda o, a: services.solve(o, "", actor=a), "solution"),
        (lambda o, a: services.escalate(o, "\n", actor=a), "reason"),
        (lambda o, a: services.hand_over(o, o.needed_agency, "x", actor=a), "agency"),
        (lambda o, a: services.extend(o, o.due_on, "x", actor=a), "due_on"),
        (lambda o, a: services.extend(o, TODAY() - dt.timedelta(days=1), "x", actor=a), "due_on"),
        (lambda o, a: services.extend(o, TODAY() + dt.timedelta(days=9), "", actor=a), "reason"),
    ],
)
def test_what_is_missing_is_said_beside_its_field(make_obstacle, act, field):
    obstacle = make_obstacle()
    with pytest.raises(ValidationError) as refused:
        act(obstacle, obstacle.reported_by)
    assert list(refused.value.message_dict) == [field]
    assert obstacle.steps.count() == 1


def test_a_due_date_in_the_past_is_refused(make_obstacle):
    with pytest.raises(ValidationError, match="lewat"):
        make_obstacle(due_on=TODAY() - dt.timedelta(days=1))


def test_who_may_act(make_obstacle, make_user, make_agency, regency):
    dinsos, dindukcapil = make_agency("dinsos"), make_agency("dindukcapil")
    obstacle = make_obstacle(needed_agency=dindukcapil)
    acts = {
        (Role.SECRETARIAT, None): True,
        (Role.AGENCY_HEAD, dinsos): True,
        (Role.AGENCY_OPERATOR, dindukcapil): True,
        (Role.AGENCY_OPERATOR, make_agency("dinkes")): False,
        (Role.AREA_OPERATOR, None): False,
        (Role.REGENT, None): False,
        (Role.AUDITOR, None): False,
    }
    for (role, agency), allowed in acts.items():
        user = make_user(role, **({"agency": agency} if agency else {}))
        assert can(user, "obstacles.report", obstacle) is allowed, role


def test_an_area_acts_on_what_it_reported(make_obstacle, make_user, regency):
    village = make_user(Role.AREA_OPERATOR)
    district = make_user(Role.AREA_OPERATOR, area=Area.objects.get(code="33.02.01"))
    neighbour = make_user(Role.AREA_OPERATOR, area=Area.objects.get(code="33.02.01.2002"))
    obstacle = fresh(make_obstacle(actor=village))
    assert obstacle.reporting_area == village.area
    assert can(village, "obstacles.report", obstacle)
    assert can(district, "obstacles.report", obstacle)
    assert not can(neighbour, "obstacles.report", obstacle)


def test_reminders_come_before_the_date_and_weekly_after(make_obstacle, make_user, make_agency):
    head = make_user(Role.AGENCY_HEAD, agency=make_agency("dindukcapil"))
    obstacle = make_obstacle(due_on=TODAY() + dt.timedelta(days=5))
    solved = make_obstacle()
    services.solve(solved, "Beres", actor=head)
    due = Notification.objects.filter(user=head, kind=Kind.DUE)
    days = {}
    for ahead in range(25):
        days[ahead - 5] = services.remind(TODAY() + dt.timedelta(days=ahead))
    assert [day for day, count in days.items() if count] == [-3, 4, 11, 18]
    assert "Terlambat 18 hari" in due.get().text
    services.extend(obstacle, TODAY() + dt.timedelta(days=1), "Tambah", actor=head)
    call_command("obstacles", "remind")
    assert "Jatuh tempo 1 hari lagi" in due.get().text


# Each deed with the states from which it leads on; the rest must be refused and change nothing.
FROM = {
    "step": {"open": {"open", "working"}, "working": {"working"}, "escalated": {"escalated"}},
    "hand_over": {"open": {"open"}, "working": {"open"}, "escalated": {"escalated"}},
    "extend": {"open": {"open"}, "working": {"working"}, "escalated": {"escalated"}},
    "escalate": {"open": {"escalated"}, "working": {"escalated"}},
    "solve": {"open": {"solved"}, "working": {"solved"}, "escalated": {"solved"}},
    "reopen": {"solved": {"open"}},
}


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(deeds=st.lists(st.sampled_from(sorted(FROM)), max_size=12))
def test_any_order_of_deeds_keeps_the_rules(deeds, make_obstacle, make_user, make_agency, cast):
    obstacle, people, agencies = cast
    with transaction.atomic():
        for number, name in enumerate(deeds):
            before, steps = fresh(obstacle), obstacle.steps.count()
            actor = people[number % len(people)]
            target = next(a for a in agencies if a.pk != before.needed_agency_id)
            later = before.due_on + dt.timedelta(days=1)
            arguments = {
                "step": ("Langkah",), "hand_over": (target, "Sebab"), "extend": (later, "Sebab"),
                "escalate": ("Sebab",), "solve": ("Jalan keluar",), "reopen": ("Sebab",),
            }[name]  # fmt: skip
            do = services.add_step if name == "step" else getattr(services, name)
            try:
                with transaction.atomic():
                    do(obstacle, *arguments, actor=actor)
            except ValidationError:
                assert before.state not in FROM[name]
                assert obstacle.steps.count() == steps
                assert fresh(obstacle).state == before.state
                continue
            after = fresh(obstacle)
            assert after.state in FROM[name][before.state]
            assert obstacle.steps.count() == steps + 1
            assert obstacle.steps.last().state == after.state
            assert (after.solved_at is not None) == after.is_solved == bool(after.solution)
            assert (after.state != "escalated") or after.escalated_at is not None
        transaction.set_rollback(True)


@pytest.fixture
def cast(make_obstacle, make_user, make_agency):
    agencies = [make_agency("dindukcapil"), make_agency("dinkes")]
    people = [
        make_user(Role.SECRETARIAT),
        make_user(Role.AGENCY_HEAD, agency=agencies[0]),
        make_user(Role.AGENCY_OPERATOR),
    ]
    return make_obstacle(actor=people[2]), people, agencies


def test_obstacles_of_elsewhere_are_kept_with_their_steps(make_user, make_agency):
    actor, now = make_user(Role.SECRETARIAT), timezone.now()
    obstacle = Obstacle(
        title="Data 3302011203850001",
        description="x",
        category="data",
        severity=2,
        needed_agency=make_agency("dindukcapil"),
        due_on=TODAY(),
        reported_by=actor,
        reported_at=now - dt.timedelta(days=9),
    )
    step = ObstacleStep(
        kind=Action.REPORT, text="KK 3302011203850002", state="open", by=actor, at=now
    )
    (kept,) = services.load([(obstacle, [step])], actor=actor)
    assert fresh(kept).title == "Data 330201••••••••01"
    assert kept.steps.get().text == "KK 330201••••••••02"
    assert not Notification.objects.exists()
    assert Event.objects.get(action="obstacles.load").detail == {"count": 1}
