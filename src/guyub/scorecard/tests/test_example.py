"""The worked example of docs/scorecard.md, reckoned by hand there."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from guyub.access.roles import Role
from guyub.agencies.models import Agency
from guyub.meetings import decisions as outcomes
from guyub.meetings import services as meetings
from guyub.meetings.models import MandateScope
from guyub.reconciliation.models import Difference
from guyub.scorecard import queries, services
from guyub.scorecard.evidence import Evidence
from guyub.scorecard.models import Score
from guyub.scorecard.quarters import Quarter
from guyub.scorecard.yardsticks import INDICATORS


@pytest.fixture
def held(secretary, heads, today):
    """Hold the meeting of the example: A's head comes, B delegates with a mandate, C stays away."""
    now = timezone.now() + dt.timedelta(minutes=5)
    meeting = meetings.plan_meeting(
        actor=secretary,
        values={
            "title": "Rapat",
            "starts_at": now,
            "ends_at": now + dt.timedelta(hours=1),
            "place": "Pendopo",
            "input_due_on": today,
        },
    )
    item = meetings.save_item(
        meeting, actor=secretary, values={"title": "RTLH", "description": ""}, agencies=[]
    )
    meetings.invite(meeting, Agency.objects.filter(code__in=heads), actor=secretary)
    meetings.give_input(meeting, actor=heads["c"], text="Rumah tanpa jamban didahulukan.")
    mandate = meetings.delegate(
        meeting.invitations.get(agency__code="b"),
        actor=heads["b"],
        name="Wakil",
        position="",
        scope=MandateScope.ALL,
    )
    meetings.open_meeting(meeting, actor=secretary)
    meetings.check_in(meeting, user=heads["a"])
    meetings.check_in(
        meeting, agency=heads["b"].agency, name="Wakil", mandate_code=mandate.mandate_code
    )
    outcomes.record_decision(item, actor=secretary, text="A memimpin.")
    meetings.close_meeting(meeting, actor=secretary, notes="")
    return meeting


@pytest.fixture
def differing(heads, make_dataset, make_household, today):
    """Let A's list differ in four values: won, lost and mended, lost, waiting."""
    now = timezone.now()
    home = make_household()
    dataset = make_dataset("rtlh", owner=heads["a"].agency)
    for field, state, winner, mended in (
        ("floor", "settled", "theirs", None),
        ("wall", "mended", "ours", now),
        ("roof", "settled", "ours", None),
        ("water", "open", "", None),
    ):
        Difference.objects.create(
            kind="h", subject_id=home.pk, household=home, village=home.village,
            district=home.district, field=field, dataset=dataset, theirs="other", ours="own",
            their_as_of=today, our_origin=home.origin, our_as_of=today, why="ask", state=state,
            winner=winner, settled_at=now if winner else None, mended_at=mended, found_at=now,
        )  # fmt: skip


def score(rows, code, part=None):
    (row,) = [row for row in rows if row.yardstick.code == code]
    if part is None:
        return row.score
    (found,) = [each.score for each in row.indicators if each.indicator.code == part]
    return found


@pytest.mark.django_db
def test_the_worked_example(held, differing, heads, quarter, today):
    scores = queries.reckon(quarter, today)
    together = queries.card(scores)
    assert score(together, "dialog", "kepala-hadir") == pytest.approx(50)
    assert score(together, "dialog", "diputus-di-rapat") == pytest.approx(200 / 3)
    assert score(together, "dialog") == pytest.approx((50 + 200 / 3) / 2)
    assert score(together, "komunikasi", "masukan") == pytest.approx(100 / 3)

    assert score(together, "keterbukaan", "rekonsiliasi") == pytest.approx(62.5)

    of_b = queries.card(scores, heads["b"].agency_id)
    assert score(of_b, "dialog") == pytest.approx(75)
    of_c = queries.card(scores, heads["c"].agency_id)
    assert score(of_c, "dialog") == 0
    assert score(of_c, "komunikasi", "masukan") == 100


@pytest.mark.django_db
def test_what_did_not_happen_is_not_measured(quarter, today, make_agency):
    make_agency("a")
    rows = queries.card(queries.reckon(quarter, today))
    assert score(rows, "dialog") is None
    assert score(rows, "hasil") is None


@pytest.mark.django_db
def test_every_figure_is_the_sum_of_the_rows_that_it_opens(held, heads, quarter, today):
    scores = queries.reckon(quarter, today)
    for code, indicator in INDICATORS.items():
        for agency in (None, heads["a"].agency_id):
            rows = queries.evidence_of(indicator, quarter, agency, today)
            weight = sum(row.weight for row in rows)
            credit = sum(row.credit * row.weight for row in rows)
            expected = scores[code].get(agency, (0.0, 0.0))
            assert (credit, weight) == pytest.approx(expected), code
            assert all(0 <= row.credit <= 1 for row in rows), code


@pytest.mark.django_db
def test_an_ended_quarter_is_kept_and_then_stays(held, quarter, today):
    later = quarter.end + dt.timedelta(days=20)
    assert services.keep_due(later) == [quarter]
    kept = Score.objects.filter(quarter=quarter.start, agency=None, indicator="kepala-hadir").get()
    assert (kept.credit, kept.weight) == (1.5, 3)
    held.invitations.first().delete()
    assert services.keep_due(later) == [quarter]
    kept = Score.objects.get(quarter=quarter.start, agency=None, indicator="kepala-hadir")
    assert kept.weight == 2
    assert services.keep_due(quarter.end + dt.timedelta(days=60)) == []


@pytest.mark.django_db
def test_the_pages_open_the_evidence(
    held, heads, quarter, make_user, django_assert_max_num_queries
):
    client = Client()
    client.force_login(
        make_user(Role.REGENT), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    with django_assert_max_num_queries(45):
        page = client.get(reverse("scorecard:overview")).content.decode()
    assert "Dialog tatap muka" in page
    link = reverse("scorecard:evidence", args=["kepala-hadir"]) + f"?triwulan={quarter}"
    shown = client.get(link).content.decode()
    assert "wakil bermandat hadir" in shown
    assert "1,5 / 3" in shown
    only_a = client.get(link + "&perangkat=a").content.decode()
    assert "wakil bermandat hadir" not in only_a
    assert client.get(reverse("scorecard:agency", args=["b"])).status_code == 200
    assert client.get(reverse("scorecard:evidence", args=["bukan"])).status_code == 404


@given(st.dates(min_value=dt.date(2000, 1, 1), max_value=dt.date(2100, 12, 31)))
def test_quarters_tile_the_calendar(day):
    quarter = Quarter.of(day)
    assert quarter.start <= day <= quarter.end
    assert Quarter.read(str(quarter)) == quarter
    assert Quarter.of(quarter.end + dt.timedelta(days=1)).before == quarter


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.sets(st.integers(1, 4), max_size=3), st.integers(1, 5)),
        max_size=30,
    )
)
def test_sums_count_each_row_once_for_all_and_once_for_each_agency(rows):
    evidence = [Evidence("x", c, tuple(a), weight=w) for c, a, w in rows]
    sums = queries.sums_of(evidence)
    for agency in (None, 1, 2, 3, 4):
        mine = [row for row in evidence if agency is None or agency in row.agencies]
        expected = (sum(r.credit * r.weight for r in mine), sum(r.weight for r in mine))
        assert sums.get(agency, (0.0, 0.0)) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "2026", "2026-5", "2026-0", "abcd-1", "2026-1-1", "²026-1"])
def test_what_names_no_quarter_is_no_quarter(text):
    assert Quarter.read(text) is None
