from __future__ import annotations

import datetime as dt
import shutil

import pytest
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.operations import health, jobs, metrics, services, views
from guyub.operations.models import Backup, Sign

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def anew(monkeypatch, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(views, "_ready", None)


def make_job(**values):
    now = timezone.now()
    values.setdefault("status", TaskResultStatus.READY)
    values.setdefault("task_path", "guyub.reports.tasks.remind")
    values.setdefault("run_after", now)
    job = DBTaskResult.objects.create(
        args_kwargs={"args": [], "kwargs": {}}, backend_name="default", **values
    )
    if "enqueued_at" in values:
        DBTaskResult.objects.filter(pk=job.pk).update(enqueued_at=values["enqueued_at"])
    return job


def state(key):
    return {check.key: check for check in health.checks()}[key]


def all_well():
    jobs.beat(jobs.worker_name("uji"))
    services.note(health.CHAIN)
    services.note_daily([])
    Backup.objects.create(started_at=timezone.now(), size=5, file_name="x")


def test_a_process_that_lives_says_so():
    response = Client().get("/sehat/hidup")
    assert response.json() == {"status": "hidup"}


def test_ready_when_all_is_well():
    all_well()
    response = Client().get("/sehat/siap")
    assert response.status_code == 200
    told = response.json()
    assert told["status"] == "siap"
    assert set(told["checks"]) == {
        "database", "migrations", "folder", "worker", "queue", "failed", "daily", "chain", "backup",
    }  # fmt: skip
    assert set(told) == {"status", "checks", "seconds"}


def test_without_a_worker_pages_are_served_still():
    all_well()
    Sign.objects.filter(name__startswith=jobs.WORKER).update(
        at=timezone.now() - dt.timedelta(hours=1)
    )
    response = Client().get("/sehat/siap")
    assert (response.status_code, response.json()["status"]) == (200, "terganggu")


def test_not_ready_without_the_database_and_no_word_of_why(monkeypatch):
    class Away:
        vendor = "sqlite"

        def cursor(self):
            raise DatabaseError("password=rahasia host=10.0.0.1")

    monkeypatch.setattr(health, "connection", Away())
    response = Client().get("/sehat/siap")
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": "buruk", "folder": state("folder").state}
    assert b"rahasia" not in response.content


def test_not_ready_before_the_tables_are_up_to_date(monkeypatch):
    monkeypatch.setattr(health, "_migrated", False)
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda self, leaves: [1, 2])
    response = Client().get("/sehat/siap")
    assert (response.status_code, response.json()["checks"]["migrations"]) == (503, "buruk")


def test_not_ready_when_the_disk_is_full(monkeypatch):
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(health.shutil, "disk_usage", lambda path: usage._replace(free=1000))
    assert Client().get("/sehat/siap").status_code == 503


def test_not_ready_when_the_folder_is_gone(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "tidak-ada"
    assert state("folder").state == health.BAD


def test_the_queue_is_as_old_as_its_oldest_job_that_could_run():
    now = timezone.now()
    make_job(enqueued_at=now - dt.timedelta(hours=2), run_after=now + dt.timedelta(hours=1))
    assert state("queue").state == health.GOOD
    make_job(enqueued_at=now - dt.timedelta(minutes=30), run_after=now - dt.timedelta(minutes=20))
    assert 1190 < health.queue_age().total_seconds() < 1210
    assert state("queue").state == health.WARN


def test_a_broken_chain_is_told(make_user):
    from guyub.audit import services as audit

    audit.record("audit.verify", actor=make_user(Role.AUDITOR))
    assert services.check_chain().is_sound
    assert state("chain").state == health.GOOD
    services.note(health.CHAIN, is_good=False, detail={"sequence": 4})
    assert state("chain").state == health.BAD
    assert "nomor 4" in state("chain").text


def test_old_backups_and_failed_ones_show(settings):
    assert state("backup").state == health.WARN
    settings.MODE = "production"
    assert state("backup").state == health.BAD
    made = Backup.objects.create(started_at=timezone.now() - dt.timedelta(hours=3), file_name="x")
    assert state("backup").state == health.GOOD
    Backup.objects.create(started_at=timezone.now(), failure="OSError")
    assert state("backup").state == health.WARN
    Backup.objects.filter(pk=made.pk).update(started_at=timezone.now() - dt.timedelta(days=4))
    assert state("backup").state == health.BAD


def test_jobs_of_a_dead_worker_are_queued_again_but_not_for_ever():
    alive = jobs.worker_name("hidup")
    jobs.beat(alive)
    mine = make_job(status=TaskResultStatus.RUNNING, worker_ids=[alive])
    lost = make_job(status=TaskResultStatus.RUNNING, worker_ids=["lain/1/mati"])
    thrice = make_job(status=TaskResultStatus.RUNNING, worker_ids=["a/1/x", "b/1/x", "c/1/x"])
    assert jobs.take_up_orphans() == 1
    for job in (mine, lost, thrice):
        job.refresh_from_db()
    assert [mine.status, lost.status, thrice.status] == ["RUNNING", "READY", "FAILED"]
    assert thrice.exception_class_path == jobs.LOST


def test_a_job_that_fails_keeps_no_text(monkeypatch):
    from guyub.reports import tasks

    def fail():
        raise ValueError("Sulastri 3302011203850001")

    monkeypatch.setattr(tasks, "send_reminders", fail)
    tasks.remind.enqueue()
    job = DBTaskResult.objects.get()
    # One job as the worker does it, without its loop, which closes the test's connection.
    Worker(
        queue_names=["default"], interval=0, batch=True, backend_name="default",
        startup_delay=False, max_tasks=1, worker_id="uji", excluded_queue_names=[],
    ).run_task(job)  # fmt: skip
    job.refresh_from_db()
    assert job.status == "FAILED"
    assert "ValueError" in job.traceback
    assert "reports/tasks.py" in job.traceback
    assert "Sulastri" not in job.traceback


def test_the_page_for_people(client_for, django_assert_max_num_queries):
    job = make_job(
        status=TaskResultStatus.FAILED, finished_at=timezone.now(), exception_class_path="x.Galat"
    )
    make_job()
    secretariat = client_for(Role.SECRETARIAT)
    with django_assert_max_num_queries(30):
        page = secretariat.get(reverse("operations:overview")).content.decode()
    assert "Pengingat laporan" in page
    assert "x.Galat" in page
    assert "Jalankan lagi" in page
    assert "Jalankan lagi" not in client_for(Role.AUDITOR).get("/sistem/").content.decode()
    secretariat.post(reverse("operations:retry", args=[job.pk]))
    job.refresh_from_db()
    assert job.status == "READY"
    assert Event.objects.filter(action="operations.job.retry").exists()
    again = secretariat.post(reverse("operations:retry", args=[job.pk]), follow=True)
    assert "sudah dijalankan lagi" in again.content.decode()


def test_figures(make_household, settings):
    make_household()
    make_job()
    Client().get("/masuk/login/")
    text = Client().get("/metrics").content.decode()
    assert 'guyub_queue_jobs{status="ready"} 1.0' in text
    assert "guyub_households_active 1.0" in text
    assert "guyub_database_size_bytes" in text
    assert 'guyub_request_duration_seconds_count{method="GET",route="account_login"}' in text
    assert 'guyub_responses_total{method="GET",route="account_login",status="200"}' in text
    assert 'guyub_check{check="worker"} 0.0' in text


@pytest.mark.parametrize(
    ("token", "meta", "shown", "may"),
    [
        ("", {"REMOTE_ADDR": "127.0.0.1"}, "", True),
        ("", {"REMOTE_ADDR": "10.0.0.7"}, "", False),
        # Through a proxy everybody comes from this machine.
        ("", {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "1.2.3.4"}, "", False),
        ("rahasia", {"REMOTE_ADDR": "127.0.0.1"}, "", False),
        ("rahasia", {"REMOTE_ADDR": "127.0.0.1"}, "Bearer salah", False),
        ("rahasia", {"REMOTE_ADDR": "10.0.0.7"}, "Bearer rahasia", True),
    ],
)
def test_who_may_read_the_figures(token, meta, shown, may, settings):
    settings.METRICS_TOKEN = token
    assert metrics.may_read(meta, shown) is may
    headers = {"Authorization": shown} if shown else {}
    status = Client().get("/metrics", headers=headers, **meta).status_code
    assert status == (200 if may else 404)


def test_probes_need_no_https_and_no_name(settings):
    settings.ALLOWED_HOSTS = ["guyub.contoh.test"]
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^sehat/", r"^metrics$"]
    assert Client().get("/sehat/hidup", headers={"Host": "10.0.0.5:8000"}).status_code == 200
    assert Client().get("/", headers={"Host": "10.0.0.5:8000"}).status_code == 400


def test_the_headline_is_as_bad_as_the_worst_row(client_for, monkeypatch):
    def stands(*states):
        found = [health.Check(f"c{n}", f"Bagian {n}", state, "") for n, state in enumerate(states)]
        monkeypatch.setattr(health, "checks", lambda: found)
        return client_for(Role.SECRETARIAT).get("/sistem/").content.decode()

    assert "Sistem berjalan baik." in stands(health.GOOD, health.GOOD)
    page = stands(health.GOOD, health.WARN)
    assert "Sistem berjalan baik." not in page
    assert "perlu perhatian: Bagian 1." in page
    assert "tidak berjalan. Buruk: Bagian 1." in stands(health.WARN, health.BAD)
