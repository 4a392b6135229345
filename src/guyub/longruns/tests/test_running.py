"""The contract of long runs, on a row that has only what the contract asks for."""

from __future__ import annotations

import time

import pytest
from django.core.exceptions import ValidationError

from guyub.longruns import resuming, running
from guyub.longruns.folder import CancelledRunError, LongRunFolder, Progress
from guyub.longruns.progress import shown


class Folder(LongRunFolder):
    place = "uji"


class Run:
    """A row: what would be saved is kept in ``saved``."""

    pk = 7

    def __init__(self, state="working"):
        self.state, self.error, self.finished_at = state, "", None
        self.saved: list[str] = []

    @property
    def is_open(self):
        return self.state == "working"

    def refresh_from_db(self):
        pass

    def save(self, update_fields):
        assert set(update_fields) == {"state", "error", "finished_at"}
        self.saved.append(self.state)


@pytest.fixture
def folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    made = Folder(7)
    made.make_empty()
    return made


def carry_out(do, run, folder, **values):
    running.carry_out(
        do,
        about="test run 7",
        refusals=(ValidationError, KeyError),
        cancelled=lambda: running.end(run, "cancelled", folder),
        failed=lambda error: running.end(run, "failed", folder, error),
        **values,
    )
    return run


def test_one_process_works_on_a_run_and_one_that_nobody_holds_is_abandoned(folder):
    run = Run()
    with running.held(folder) as mine, running.held(Folder(7)) as also:
        assert (mine, also) == (True, False)
        assert running.abandoned([run], Folder) == []
    assert running.abandoned([run], Folder) == [run]


@pytest.mark.django_db
class TestEnding:
    def test_a_stage_that_goes_well_ends_itself(self, folder):
        assert carry_out(lambda: None, Run(), folder).saved == []

    def test_what_is_refused_is_told_in_its_own_words(self, folder):
        def do():
            raise ValidationError(["Kolom kosong.", "Baris ganda."])

        run = carry_out(do, Run(), folder)
        assert (run.state, run.error) == ("failed", "Kolom kosong. Baris ganda.")
        assert run.finished_at is not None

    def test_the_text_of_any_other_error_goes_nowhere(self, folder, settings, caplog):
        settings.MODE = "production"

        def do():
            raise RuntimeError("3302011203850001")

        run = carry_out(do, Run(), folder)
        assert "Tidak ada yang berubah" in run.error
        assert "test run 7 failed" in caplog.text
        assert "33020112" not in run.error + caplog.text
        assert carry_out(do, Run(), folder, trouble="Gagal.").error == "Gagal."

    def test_scratch_is_emptied_and_the_rest_stays(self, folder):
        (folder.fresh_work() / "rows").write_text("dalam teks jelas")
        folder.report("stage", 1, 2)
        running.end(Run(), "failed", folder)
        assert not folder.work.exists()
        assert folder.progress() == Progress("stage", 1, 2)

    def test_without_a_process_a_cancelled_run_ends_at_once(self, folder):
        run = Run()
        running.cancel(run, folder, lambda: running.end(run, "cancelled", folder))
        assert run.saved == ["cancelled"]
        ended = Run("done")
        running.cancel(ended, folder, lambda: running.end(ended, "cancelled", folder))
        assert ended.saved == [], "it ended meanwhile"

    def test_a_process_at_work_ends_it_at_its_next_report(self, folder):
        run = Run()

        def do():
            folder.report("stage", 1, 3)
            running.cancel(run, Folder(7), lambda: pytest.fail("another process holds it"))
            assert run.saved == []
            folder.report("stage", 2, 3)
            pytest.fail("it was told to stop")

        with running.held(folder) as mine:
            assert mine
            carry_out(do, run, folder)
        assert run.saved == ["cancelled"]
        folder.clear_cancel()
        folder.report("stage", 3, 3)


def test_the_wish_to_cancel_stops_the_next_report_only_once_it_is_noted(folder):
    folder.ask_to_cancel()
    with pytest.raises(CancelledRunError):
        folder.report("apply", 2, 4)
    assert folder.progress().percent == 50


def test_a_run_is_shown_in_the_users_words(folder, monkeypatch):
    names = {"stage": "Membaca berkas"}
    assert shown(folder, names) == {
        "percent": 0, "stage": "Menunggu giliran", "rows": 0, "waiting": True, "cancelling": False,
    }  # fmt: skip
    folder.report("stage", 1200, 0)
    found = shown(folder, names, percent=12)
    assert (found["stage"], found["rows"], found["percent"]) == ("Membaca berkas", 1200, 12)
    assert not found["waiting"]
    later = time.time() + 31
    monkeypatch.setattr(time, "time", lambda: later)
    assert shown(folder, names)["waiting"]
    assert not shown(folder, names, silent_after=None)["waiting"]


def test_what_was_abandoned_is_queued_again(monkeypatch):
    queued = []

    class Task:
        @staticmethod
        def enqueue(pk):
            queued.append(pk)

    monkeypatch.setattr(resuming, "_resumers", [])
    resume = lambda: resuming.queue([Run(), Run()], Task)  # noqa: E731
    resuming.register(resume)
    resuming.register(resume)
    assert resuming.take_up_all() == 2
    assert queued == [7, 7]
