"""What is decided changes the registry, says where it came from, and is kept beside what was said."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.fieldwork import deciding, receiving
from guyub.fieldwork.comparing import compare, together
from guyub.fieldwork.member_deciding import KEEP
from guyub.fieldwork.models import FieldDecision
from guyub.fieldwork.tests.test_receiving import announced, photo
from guyub.reconciliation.services import merge_households
from guyub.registry import services as registry
from guyub.registry.models import Origin


def test_accepting_writes_the_values_with_the_visit_as_their_origin(make_visit, send, make_user):
    visit, reviewer = make_visit(), make_user(Role.SECRETARIAT)
    day = timezone.now() - dt.timedelta(days=3)
    sent = send(visit, {"/lantai": "cement", "/dinding": "brick"}, finished_at=day).submission
    deciding.accept(sent, actor=reviewer)
    home = visit.household
    home.refresh_from_db()
    assert (home.floor, home.wall) == ("cement", "brick")
    origin = Origin.objects.get(pk=home.origin_id_of("floor"))
    assert (origin.channel, origin.as_of) == ("field", timezone.localdate(day))
    assert str(sent) in origin.note
    visit.refresh_from_db()
    sent.refresh_from_db()
    assert (visit.state, sent.state, sent.decided_by) == ("done", "applied", reviewer)
    assert {d.field: d.new for d in FieldDecision.objects.all()} == {
        "household.floor": "cement", "household.wall": "brick",
    }  # fmt: skip
    with pytest.raises(ValidationError):
        deciding.accept(sent, actor=reviewer)
    assert Event.objects.filter(action="fieldwork.submission.apply").count() == 1


def test_a_conflict_is_settled_value_by_value(make_visit, send, make_user):
    visit, reviewer = make_visit(wall="bamboo"), make_user(Role.SECRETARIAT)
    one = send(visit, {"/lantai": "cement", "/dinding": "brick"}).submission
    other = send(visit, {"/lantai": "ceramic", "/dinding": "brick"}).submission
    rows = {row.name: row for row in compare(together(one), visit.household)}
    assert rows["household.floor"].is_disputed
    assert not rows["household.wall"].is_disputed
    with pytest.raises(ValidationError):
        deciding.accept(one, actor=reviewer)
    with pytest.raises(ValidationError):
        deciding.settle(one, {}, actor=reviewer)
    deciding.settle(other, {"household.floor": str(other.pk)}, actor=reviewer, note="Ada foto.")
    home = visit.household
    home.refresh_from_db()
    visit.refresh_from_db()
    assert (home.floor, home.wall, visit.state) == ("ceramic", "brick", "done")
    for submission in (one, other):
        submission.refresh_from_db()
    # The wall is as both said.
    assert (one.state, other.state) == ("applied", "applied")
    assert FieldDecision.objects.get(field="household.floor").was_disputed


def test_keeping_the_registrys_own_value(make_visit, send):
    visit = make_visit()
    one = send(visit, {"/lantai": "cement"}).submission
    send(visit, {"/lantai": "ceramic"})
    deciding.settle(one, {"household.floor": KEEP}, actor=None)
    visit.household.refresh_from_db()
    assert visit.household.floor == "earth"
    assert set(visit.submissions.values_list("state", flat=True)) == {"rejected"}


def test_a_change_between_arrival_and_decision_is_noticed(make_visit, send):
    visit = make_visit()
    sent = send(visit, {"/lantai": "cement"}).submission
    registry.edit_household(
        visit.household, {"floor": "ceramic"}, as_of=dt.date(2026, 2, 1), actor=None
    )
    with pytest.raises(ValidationError):
        deciding.accept(sent, actor=None)
    rows = compare([sent], visit.household)
    visit.household.refresh_from_db()
    rows = compare([sent], visit.household)
    assert rows[0].is_disputed
    assert rows[0].voices[0].is_changed


def test_what_is_not_used_leaves_the_door_to_be_gone_to_again(make_visit, send):
    visit = make_visit()
    one = send(visit, {"/lantai": "cement"}).submission
    with pytest.raises(ValidationError):
        deciding.reject(one, actor=None, reason="salah")
    deciding.reject(one, actor=None, reason="Salah rumah, bukan keluarga ini.")
    visit.refresh_from_db()
    assert visit.state == "to_go"
    # Of two in conflict the other one stands by itself again.
    two, three = (send(visit, {"/lantai": code}).submission for code in ("cement", "ceramic"))
    deciding.reject(two, actor=None, reason="Salah rumah, bukan keluarga ini.")
    three.refresh_from_db()
    visit.refresh_from_db()
    assert (three.state, visit.state) == ("waiting", "sent")


def test_photos_hang_on_the_households_page_even_when_they_come_last(make_visit, send, make_user):
    visit, reviewer = make_visit(), make_user(Role.SECRETARIAT)
    first, second = photo(30), photo(50)
    files = [announced(first, "a.jpg"), announced(second, "b.jpg")]
    sent = send(visit, {"/foto": "b.jpg"}, attachments=files).submission
    receiving.store_part(sent.attachments.get(name="a.jpg"), 0, first)
    deciding.accept(sent, actor=reviewer)
    assert visit.household.photos.count() == 0
    receiving.store_part(sent.attachments.get(name="b.jpg"), 0, second)
    assert visit.household.photos.get().caption


def test_visits_follow_a_household_that_is_merged(make_visit, make_household, send):
    visit = make_visit()
    sent = send(visit, {"/lantai": "cement"}).submission
    survivor = make_household()
    merge_households(
        visit.household,
        survivor,
        picked=[],
        actor=None,
        reason="Keluarga yang sama, dua kali didata.",
    )
    visit.refresh_from_db()
    sent.refresh_from_db()
    assert visit.household == survivor
    assert sent.household == survivor
