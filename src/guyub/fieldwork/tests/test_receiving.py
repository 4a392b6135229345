"""Submissions are stored once, files whole, and what disagrees is seen."""

from __future__ import annotations

import hashlib
import io
import threading
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections
from PIL import Image

from guyub.access.roles import Role
from guyub.fieldwork import household_fields as fields
from guyub.fieldwork import receiving, services
from guyub.fieldwork.models import Attachment, AttachmentPart, Submission, Visit
from guyub.registry import services as registry
from guyub.registry.vocabulary import Status


def photo(size: int = 40) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((size, size), 80).convert("RGB").save(out, "JPEG", quality=90)
    return out.getvalue()


def announced(content: bytes, name: str = "foto.jpg") -> receiving.Announced:
    return receiving.Announced(
        key=uuid.uuid4(), name=name, path="/foto", media_type="image/jpeg",
        sha256=hashlib.sha256(content).hexdigest(), size=len(content),
    )  # fmt: skip


def test_the_same_message_again_is_the_same_submission(make_visit, send):
    visit, instance = make_visit(), uuid.uuid4()
    first = send(visit, {"/lantai": "cement"}, instance=instance)
    again = send(visit, {"/lantai": "cement"}, instance=instance)
    assert (first.is_new, again.is_new) == (True, False)
    assert first.submission.pk == again.submission.pk
    assert Submission.objects.count() == 1
    visit.refresh_from_db()
    assert (visit.state, first.submission.state) == ("sent", "waiting")


def test_a_taken_uuid_with_other_content_is_refused_and_nothing_is_lost(make_visit, send):
    visit, instance = make_visit(), uuid.uuid4()
    send(visit, {"/lantai": "cement"}, instance=instance)
    with pytest.raises(receiving.OtherContentError) as caught:
        send(visit, {"/lantai": "ceramic"}, instance=instance)
    assert caught.value.known.answers == {"/lantai": "cement"}
    assert Submission.objects.get().answers == {"/lantai": "cement"}


@pytest.mark.django_db(transaction=True)
def test_the_same_message_at_the_same_time_is_stored_once(make_visit, send):
    visit, instance = make_visit(), uuid.uuid4()
    barrier, outcomes = threading.Barrier(4), []

    def post() -> None:
        try:
            own = Visit.objects.select_related("household", "round__form_version").get(pk=visit.pk)
            barrier.wait(timeout=20)
            received = send(own, {"/lantai": "cement"}, instance=instance)
            outcomes.append((received.is_new, Submission.objects.count()))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=post) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == [(False, 1), (False, 1), (False, 1), (True, 1)]


def test_answers_are_sealed_in_the_database(make_visit, send):
    submission = send(make_visit(), {"/catatan": "Tukiman 3302011203850001"}).submission
    with connection.cursor() as cursor:
        cursor.execute("SELECT answers, seen FROM fieldwork_submission")
        kept = "".join(cursor.fetchone())
    assert "Tukiman" not in kept
    assert "3302011203850001" not in kept
    submission.refresh_from_db()
    assert submission.answers == {"/catatan": "Tukiman 3302011203850001"}
    assert submission.seen["values"]["household.floor"] == "earth"


def test_two_submissions_for_one_visit_are_both_kept_in_conflict(make_visit, send):
    visit = make_visit()
    one = send(visit, {"/lantai": "cement"}).submission
    other = send(visit, {"/lantai": "ceramic"}).submission
    visit.refresh_from_db()
    one.refresh_from_db()
    assert {one.state, other.state, visit.state} == {"conflict"}
    assert {one.conflict, other.conflict} == {"twice"}


def test_a_correction_by_its_own_sender_replaces_what_nobody_decided_yet(
    make_visit, send, make_user
):
    visit, officer = make_visit(), make_user(Role.AREA_OPERATOR)
    one = send(visit, {"/lantai": "cement"}, actor=officer).submission
    other = send(visit, {"/lantai": "earth"}, actor=officer, replaces=one.instance).submission
    one.refresh_from_db()
    visit.refresh_from_db()
    assert (one.state, other.state, visit.state) == ("superseded", "waiting", "sent")
    # Nobody replaces what another sent.
    third = send(visit, {"/lantai": "earth"}, replaces=other.instance).submission
    assert third.state == "conflict"


def test_what_was_changed_meanwhile_is_a_conflict_unless_it_says_the_same(make_visit, send):
    def change(visit, **values):
        registry.edit_household(
            visit.household, values, as_of=visit.round.created_at.date(), actor=None
        )

    visit = make_visit()
    seen = {"values": fields.values_of(visit.household)}
    change(visit, floor="ceramic")
    assert send(visit, {"/lantai": "cement"}, seen=seen).submission.conflict == "changed"
    visit = make_visit()
    seen = {"values": fields.values_of(visit.household)}
    change(visit, floor="cement", roof="zinc")
    assert send(visit, {"/lantai": "cement"}, seen=seen).submission.state == "waiting"


def test_what_comes_after_the_end_of_the_round_is_kept_as_late(make_visit, send):
    visit = make_visit()
    services.close_round(visit.round, actor=None)
    received = send(visit, {"/lantai": "cement"})
    assert received.submission.is_late
    assert received.submission.state == "waiting"


def test_a_file_arrives_in_pieces_and_goes_on_where_it_stopped(
    make_visit, send, django_capture_on_commit_callbacks
):
    content = photo(120)
    file = announced(content)
    submission = send(make_visit(), {"/foto": file.name}, attachments=[file]).submission
    attachment = submission.attachments.get()
    half = len(content) // 2
    assert receiving.store_part(attachment, 0, content[:half]) == half
    # Sent again, or from the wrong place: nothing changes, and the sender learns where to go on.
    assert receiving.store_part(attachment, 0, content[:half]) == half
    assert receiving.store_part(attachment, half + 5, content[half + 5 :]) == half
    pieces = [part.file.path for part in AttachmentPart.objects.all()]
    with django_capture_on_commit_callbacks(execute=True):
        assert receiving.store_part(attachment, half, content[half:]) == len(content)
    attachment.refresh_from_db()
    assert attachment.stored_at is not None
    assert not AttachmentPart.objects.exists()
    assert not any(attachment.file.storage.exists(piece) for piece in pieces)
    with attachment.file.open("rb") as kept:
        assert Image.open(kept).format == "JPEG"
    assert receiving.store_part(attachment, 0, content) == len(content)


def test_a_file_that_is_not_what_was_announced_begins_anew(make_visit, send):
    content = photo()
    file = announced(content)
    submission = send(make_visit(), {"/foto": file.name}, attachments=[file]).submission
    attachment = submission.attachments.get()
    receiving.store_part(attachment, 0, content[:100])
    with pytest.raises(ValidationError):
        receiving.store_part(attachment, 100, bytes(len(content) - 100))
    receiving.begin_anew(attachment)
    assert receiving.arrived(attachment) == 0
    assert receiving.store_part(attachment, 0, content) == len(content)
    assert Attachment.objects.get().stored_at is not None


def test_moved_households_are_not_visited(make_household, form_version):
    from guyub.registry.models import Household

    record = services.create_round(form_version, {"title": "Verifikasi"}, actor=None)
    make_household(status=Status.MOVED)
    home = make_household()
    assert services.add_households(record, Household.objects.all(), actor=None) == 1
    assert services.add_households(record, Household.objects.all(), actor=None) == 0
    assert record.visits.get().household == home
