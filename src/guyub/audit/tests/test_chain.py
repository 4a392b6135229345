"""The log can't be changed quietly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guyub.access.roles import Role
from guyub.audit import services
from guyub.audit.actions import LABELS
from guyub.audit.models import ChainHead, Event
from guyub.audit.queries import anchors_path, verify_chain


@pytest.fixture(autouse=True)
def _no_anchors():
    anchors_path().unlink(missing_ok=True)
    yield
    anchors_path().unlink(missing_ok=True)


@pytest.fixture
def chain(db):
    for number in range(12):
        services.record("registry.household.edit", reason=f"alasan {number}", detail={"n": number})


def tamper(sql: str, *parameters: object) -> None:
    """Do what someone with full power over the database could: switch the triggers off first."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER IF EXISTS audit_event_no_update")
            cursor.execute("DROP TRIGGER IF EXISTS audit_event_no_delete")
        else:
            cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        cursor.execute(sql, parameters)
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_event ENABLE TRIGGER USER")


def test_an_untouched_chain_is_sound(chain):
    verdict = verify_chain()
    assert verdict.is_sound
    assert verdict.checked == 12
    assert verify_chain(5).checked == 8


@pytest.mark.parametrize(
    "change", ["UPDATE audit_event SET reason = 'x'", "DELETE FROM audit_event"]
)
def test_the_database_refuses_changes(chain, change):
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)
    assert Event.objects.count() == 12


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no TRUNCATE")
def test_the_database_refuses_to_be_emptied(chain):
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("TRUNCATE audit_event")


def test_an_inserted_event_is_found_wherever_it_stands(chain):
    columns = [field.column for field in Event._meta.concrete_fields if not field.primary_key]
    copied = ", ".join(columns)
    tamper(
        f"INSERT INTO audit_event (sequence, {copied}) SELECT 13, {copied} FROM audit_event "
        "WHERE sequence = 12"
    )
    assert (verify_chain().fault, verify_chain().sequence) == ("broken", 13)
    # Even one that is sealed as it should be, had the key leaked, lies beyond the chain's head.
    last = Event.objects.get(sequence=12)
    forged = Event.objects.get(sequence=13)
    forged.previous_seal = last.seal
    forged.seal = services.seal_of(forged)
    tamper(
        "UPDATE audit_event SET previous_seal = %s, seal = %s WHERE sequence = 13",
        forged.previous_seal, forged.seal,
    )  # fmt: skip
    assert (verify_chain().fault, verify_chain().sequence) == ("added", 13)


def test_events_that_changed_places_are_found(chain):
    for sql in (
        "UPDATE audit_event SET sequence = 99 WHERE sequence = 4",
        "UPDATE audit_event SET sequence = 4 WHERE sequence = 5",
        "UPDATE audit_event SET sequence = 5 WHERE sequence = 99",
    ):
        tamper(sql)
    assert (verify_chain().fault, verify_chain().sequence) == ("broken", 4)


def test_a_log_emptied_with_its_head_is_found_though_nothing_was_anchored(chain, make_user):
    make_user(Role.AUDITOR)
    tamper("DELETE FROM audit_event")
    ChainHead.objects.all().delete()
    assert (verify_chain().fault, verify_chain().sequence) == ("cut", 1)


@pytest.mark.parametrize(
    ("sql", "fault", "sequence"),
    [
        ("UPDATE audit_event SET reason = 'lain' WHERE sequence = 4", "changed", 4),
        ("UPDATE audit_event SET actor_name = 'Orang lain' WHERE sequence = 12", "changed", 12),
        ("UPDATE audit_event SET seal = previous_seal WHERE sequence = 4", "changed", 4),
        ("UPDATE audit_event SET previous_seal = seal WHERE sequence = 4", "broken", 4),
        ("DELETE FROM audit_event WHERE sequence = 4", "gap", 4),
        ("DELETE FROM audit_event WHERE sequence = 1", "gap", 1),
        ("DELETE FROM audit_event WHERE sequence > 9", "cut", 10),
    ],
)
def test_tampering_is_found(chain, sql, fault, sequence):
    tamper(sql)
    verdict = verify_chain()
    assert (verdict.fault, verdict.sequence) == (fault, sequence)


def test_cutting_the_end_and_mending_the_head_contradicts_the_anchor(chain):
    services.drop_anchor()
    tamper("DELETE FROM audit_event WHERE sequence > 9")
    last = Event.objects.get(sequence=9)
    ChainHead.objects.update(sequence=9, seal=last.seal)
    verdict = verify_chain()
    assert (verdict.fault, verdict.sequence) == ("cut", 10)


def test_a_chain_rewritten_with_the_key_contradicts_the_anchor(chain):
    services.drop_anchor()
    tamper("DELETE FROM audit_event")
    ChainHead.objects.all().delete()
    for number in range(12):
        services.record("registry.household.edit", reason=f"palsu {number}")
    assert verify_chain().fault == "anchor"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 12), st.sampled_from(["reason", "actor_name", "action", "subject_id", "address"])
)
def test_any_changed_field_of_any_event_is_found(chain, sequence, column):
    with transaction.atomic():
        tamper(f"UPDATE audit_event SET {column} = 'diubah' WHERE sequence = %s", sequence)
        verdict = verify_chain()
        assert (verdict.fault, verdict.sequence) == ("changed", sequence)
        transaction.set_rollback(True)


def test_the_command_tells_and_exits(chain, capsys):
    call_command("audit", "verify")
    out = capsys.readouterr().out
    assert "Rantai utuh: 12 kejadian" in out
    assert Event.objects.get(sequence=12).seal in out
    tamper("UPDATE audit_event SET reason = 'lain' WHERE sequence = 4")
    with pytest.raises(SystemExit) as stop:
        call_command("audit", "verify")
    assert stop.value.code == 1
    assert "nomor 4" in capsys.readouterr().out


def test_an_event_rolls_back_with_its_write(db):
    with transaction.atomic():
        services.record("registry.household.edit")
        transaction.set_rollback(True)
    assert Event.objects.count() == 0
    services.record("registry.household.edit")
    assert Event.objects.get().sequence == 1


def test_every_action_in_the_source_has_a_label():
    source = Path(services.__file__).parent.parent
    found = set()
    for path in source.rglob("*.py"):
        if "tests" not in path.parts:
            found |= set(re.findall(r'record\(\s*"([a-z_.]+)"', path.read_text()))
    assert len(found) > 20
    assert found <= set(LABELS), found - set(LABELS)


def test_only_the_auditor_reads_the_log(chain, client_for, django_assert_max_num_queries):
    auditor = client_for(Role.AUDITOR)
    with django_assert_max_num_queries(8):
        page = auditor.get(reverse("audit:list")).content.decode()
    assert "Data keluarga diubah" in page
    assert "alasan 11" in page
    assert client_for(Role.SECRETARIAT).get(reverse("audit:list")).status_code == 403
    narrowed = auditor.get(reverse("audit:list"), {"alasan": "alasan 3"}).content.decode()
    assert "alasan 3" in narrowed
    assert "alasan 4" not in narrowed
    assert auditor.get(reverse("audit:detail", args=[3])).status_code == 200
    response = auditor.post(reverse("audit:verify"), follow=True)
    assert "rantai utuh" in response.content.decode()
    text = b"".join(
        auditor.post(
            reverse("audit:export"), {"alasan_unduh": "Pemeriksaan triwulan"}
        ).streaming_content
    ).decode()
    assert "alasan 7" in text
    assert Event.objects.filter(action="audit.export").count() == 1
