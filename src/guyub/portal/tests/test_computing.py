"""Working out a release while the worker lives, and after it died."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from guyub.access.roles import Role
from guyub.longruns.running import held
from guyub.portal import services, snapshot, tasks
from guyub.portal.computing import ComputingFolder, state_of
from guyub.portal.models import Release, ReleaseState
from guyub.portal.tests.conftest import HOMES

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(make_version: Any) -> Iterator[Release]:
    """A release that nobody has begun to work out."""
    release = services.prepare(make_version(dt.date(2025, 10, 1), HOMES), actor=None)
    yield release
    ComputingFolder(release).remove()


def page_of(client_for: Callable[..., Client], release: Release) -> str:
    page = client_for(Role.SECRETARIAT).get(reverse("portal:preview", args=[release.pk]))
    return page.content.decode()


def test_progress_is_shown_stage_by_stage(
    waiting: Release, client_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Menunggu giliran dikerjakan" in page_of(client_for, waiting)
    seen: list[tuple[str, int]] = []
    tell = ComputingFolder.tell

    def watched(folder: ComputingFolder, stage: str, done: int, total: int) -> None:
        tell(folder, stage, done, total)
        progress = state_of(waiting).progress
        seen.append((progress.stage, progress.percent))
        if progress.percent == 50:
            assert f'<progress value="{progress.percent}"' in page_of(client_for, waiting)

    monkeypatch.setattr(ComputingFolder, "tell", watched)
    services.compute(waiting)
    assert len({stage for stage, _percent in seen}) == 4
    assert any(0 < percent < 100 for _stage, percent in seen)
    assert not (waiting.folder / "computing").exists()


def test_a_release_of_a_dead_worker_is_taken_up_again(
    waiting: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[int] = []
    monkeypatch.setattr(type(tasks.work_out), "enqueue", lambda _task, pk: queued.append(pk))
    with held(ComputingFolder(waiting)) as mine:
        assert mine
        assert tasks.take_up_abandoned() == 0
    # The lock is gone with its process, however that ended.
    assert tasks.take_up_abandoned() == 1
    assert queued == [waiting.pk]
    tasks.work_out.func(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.state == ReleaseState.DRAFT
    assert tasks.take_up_abandoned() == 0


def test_a_silent_worker_is_told_and_the_release_can_be_started_again(
    waiting: Release, client_for: Any
) -> None:
    folder = ComputingFolder(waiting)
    folder.make()
    folder.tell("Menghitung", 1, 4)
    assert "Mulai lagi" not in page_of(client_for, waiting)
    past = time.time() - 600
    os.utime(folder.path / "progress.json", (past, past))
    page = page_of(client_for, waiting)
    assert "Perhitungan terhenti" in page
    assert "Mulai lagi" in page
    client = client_for(Role.SECRETARIAT)
    client.post(reverse("portal:prepare", args=[waiting.version_id]))
    again = Release.objects.get()
    assert again.pk != waiting.pk
    assert services.compute(again).state == ReleaseState.DRAFT


def test_a_release_that_was_never_begun_is_told(waiting: Release, client_for: Any) -> None:
    Release.objects.filter(pk=waiting.pk).update(
        created_at=waiting.created_at - dt.timedelta(minutes=5)
    )
    assert "Perhitungan belum dimulai" in page_of(client_for, waiting)


def test_a_release_that_is_worked_on_is_not_begun_twice(waiting: Release) -> None:
    with held(ComputingFolder(waiting)):
        with pytest.raises(ValidationError, match="sedang dihitung"):
            services.prepare(waiting.version, actor=None)
        assert services.compute(waiting).state == ReleaseState.COMPUTING
    assert services.compute(waiting).state == ReleaseState.DRAFT


def test_a_release_thrown_away_while_it_is_worked_out_leaves_nothing(
    waiting: Release,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    take = snapshot.take

    def interrupted(release: Release, **options: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            services.discard(Release.objects.get(pk=release.pk), actor=None)
        return take(release, **options)

    monkeypatch.setattr(snapshot, "take", interrupted)
    services.compute(waiting)
    assert not Release.objects.exists()


def test_an_error_is_told(
    waiting: Release, monkeypatch: pytest.MonkeyPatch, client_for: Any
) -> None:
    def fail(*_args: Any, **_options: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(snapshot, "take", fail)
    with pytest.raises(MemoryError):
        services.compute(waiting)
    page = page_of(client_for, waiting)
    assert "Perhitungan gagal" in page
    assert "Siapkan lagi" in page
