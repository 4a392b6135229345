"""What users do while processes are killed, and whether it came out once and whole."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import random
import time
import uuid
from collections.abc import Iterator
from typing import Any, Protocol

from tests.faults.browser import PATIENCE, Browser, GaveUpError
from tests.faults.installation import DATABASE, WEB, WORKER
from tests.faults.scene import NAMES, VILLAGES, People, Scene


class Job(Protocol):
    """One kind of work. A task is what one round of it is about."""

    name: str
    # Whom to kill, by weight: who has no part in a job is killed now and then all the same.
    victims: dict[str, int]

    def prepare(self, number: int) -> Any:
        """Make ready what the job works on and return the task."""

    def run(self, browser: Browser, task: Any) -> None:
        """Do the task as a user would, to the end."""

    def check(self, task: Any) -> Iterator[str]:
        """Yield what is wrong with a task that a user was told is done."""


def photo(luck: random.Random) -> bytes:
    """Return a picture that no other task has."""
    from PIL import Image

    out = io.BytesIO()
    image = Image.frombytes("RGB", (96, 72), luck.randbytes(96 * 72 * 3)).resize((960, 720))
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


class Importing:
    """Upload a list, match its columns, approve, wait until it is applied."""

    name = "import"
    victims = {WEB: 3, WORKER: 5, DATABASE: 4}

    def __init__(self, scene: Scene, luck: random.Random, households: int = 120) -> None:
        self.scene, self.people = scene, People(luck, households)

    def prepare(self, number: int) -> dict[str, Any]:
        return {
            "as_of": dt.date(2024, 1, 1) + dt.timedelta(days=number),
            "file": f"daftar-{number}.csv",
            "content": self.people.next_version(),
            "niks": {row[0] for row in self.people.rows},
            "homes": len({row[1] for row in self.people.rows}),
        }

    def run(self, browser: Browser, task: dict[str, Any]) -> None:
        page = browser.get("/impor/baru/")
        form = page.form("")
        assert form is not None
        page = browser.send(
            page, form,
            {"dataset": str(self.scene.dataset.pk), "as_of": task["as_of"].isoformat(), "extent": "whole"},
            {"file": (task["file"], task["content"], "text/csv")},
        )  # fmt: skip
        address = page.path
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if (form := page.form("/kolom/")) is not None or (
                form := page.form("/terapkan/")
            ) is not None:
                page = browser.send(page, form)
            elif 'id="kemajuan"' in page.text:
                time.sleep(0.25)
                page = browser.get(address)
            elif 'href="?kolom=1"' in page.text:  # it failed and says so: try again
                page = browser.get(f"{address}?kolom=1")
            elif "Selesai" in page.text:
                return
            else:
                raise GaveUpError(f"{address}: neither done nor to be continued")
        raise GaveUpError(f"{address}: not done in {PATIENCE:.0f} s")

    def check(self, task: dict[str, Any]) -> Iterator[str]:
        import duckdb

        from guyub.access.sealing import unseal
        from guyub.datasets.models import Version
        from guyub.datasets.store import version_path
        from guyub.imports.models import ImportRun, State
        from guyub.registry.models import Listing, Person

        dataset = self.scene.dataset
        versions = list(Version.objects.filter(dataset=dataset, as_of=task["as_of"]))
        if len(versions) != 1:
            yield f"{len(versions)} versions of one list"
            return
        version = versions[0]
        if (version.people, version.households) != (len(task["niks"]), task["homes"]):
            yield f"a version of {version.people} people, not of {len(task['niks'])}"
        rows = duckdb.execute(f"SELECT nik FROM '{version_path('uji', version.number)}'").fetchall()
        if sorted(unseal(row[0]) for row in rows) != sorted(task["niks"]):
            yield "the version's file holds other people"
        done = ImportRun.objects.filter(file_name=task["file"], state=State.DONE)
        if sum(run.version_id is not None for run in done) != 1:
            yield f"{len(done)} runs that are done, one of which should have a version"
        dataset.refresh_from_db()
        if dataset.current_version_id != version.pk:
            return  # a later list has moved on from here
        known = Person.objects.filter(nik__in=task["niks"]).count()
        if known != len(task["niks"]):
            yield f"{known} people in the registry for {len(task['niks'])} on the list"
        listed = Listing.objects.filter(dataset=dataset, dropped_version=None).count()
        if listed != task["homes"]:
            yield f"{listed} listings for {task['homes']} households"


class Merging:
    """Merge two records of one household, with the people who stand in both."""

    name = "merge"
    victims = {WEB: 5, WORKER: 1, DATABASE: 4}
    reason = "Tercatat dua kali oleh dua perangkat daerah."

    def __init__(self, scene: Scene, luck: random.Random) -> None:
        self.scene, self.luck = scene, luck

    def prepare(self, number: int) -> dict[str, Any]:
        from guyub.areas.models import Area
        from guyub.registry.services import add_person, create_household

        village = Area.objects.get(code=self.luck.choice(VILLAGES))
        name = f"{self.luck.choice(NAMES)} {self.luck.choice(NAMES)}"
        homes, people = [], []
        for copy in (1, 2):
            home = create_household(
                household={"kk": f"330299010101{number:03d}{copy}", "village": village, "desil": copy},
                head={"nik": f"330299120385{number:03d}{copy}", "name": name, "sex": "M",
                      "birth_date": dt.date(1985, 3, 12)},
                as_of=dt.date(2026, 1, 5), actor=None,
            )  # fmt: skip
            for child in range(4):
                add_person(
                    home,
                    values={"nik": f"330298{child + 1:02d}0310{number:03d}{copy}", "name": f"{name} {child}",
                            "sex": "M", "relation": "child", "birth_date": dt.date(2010, 3, child + 1)},
                    as_of=dt.date(2026, 1, 5), actor=None,
                )  # fmt: skip
            homes.append(home.pk)
            people += home.members.values_list("pk", flat=True)
        return {"homes": homes, "people": people}

    def run(self, browser: Browser, task: dict[str, Any]) -> None:
        first, second = task["homes"]
        page = browser.get(f"/rekonsiliasi/gabung/keluarga/{first}/{second}/")
        form = page.form("")
        assert form is not None
        page = browser.send(page, form, {"reason": self.reason})
        # Sent again after it was done, the page says that they are one already.
        if "sudah digabung" not in page.text:
            raise GaveUpError(f"{page.path}: {page.status}, not merged")

    def check(self, task: dict[str, Any]) -> Iterator[str]:
        from guyub.reconciliation.models import Merge, MergedRow
        from guyub.registry.models import Household, Person

        merges = list(Merge.objects.filter(kind="h", loser_id__in=task["homes"], undone_at=None))
        if len(merges) != 1:
            yield f"{len(merges)} merges of one pair"
            return
        merge = merges[0]
        survivor = Household.objects.get(pk=merge.survivor_id)
        loser = Household.objects.get(pk=merge.loser_id)
        if loser.merged_into_id != survivor.pk or loser.status != "merged":
            yield "the duplicate is not marked as merged"
        if survivor.member_count != 5:
            yield f"{survivor.member_count} members of 5 counted"
        people = Person.objects.filter(pk__in=task["people"])
        if [person.household_id for person in people] != [survivor.pk] * 10:
            yield "somebody was left behind"
        if sum(person.merged_into_id is not None for person in people) != 5:
            yield "people who stood in both are not one"
        if merge.children.count() != 5 or not MergedRow.objects.filter(merge=merge).exists():
            yield "the journal of the merge is not whole"


class Reporting:
    """Save a progress report as a draft with a photo, then hand it in with another."""

    name = "report"
    victims = {WEB: 5, WORKER: 1, DATABASE: 4}

    def __init__(self, scene: Scene, luck: random.Random) -> None:
        self.scene, self.luck = scene, luck
        self.waiting: list[int] = []

    def prepare(self, number: int) -> dict[str, Any]:
        from guyub.programs.models import Activity, Program, SubActivity
        from guyub.reports.models import Report
        from guyub.reports.schedules import set_schedule

        if not self.waiting:
            program = Program.objects.create(agency=self.scene.agency, name=f"P{number}", year=2025)
            activity = Activity.objects.create(program=program, name=f"K{number}")
            record = SubActivity.objects.create(
                activity=activity, agency=self.scene.agency, year=2025, name=f"S{number}",
                strategy="expenditure", help_kind="house_repair",
                starts_on=dt.date(2025, 1, 1), ends_on=dt.date(2025, 12, 31),
            )  # fmt: skip
            set_schedule(record, frequency="monthly", grace_days=10, actor=None)
            self.waiting = list(
                Report.objects.filter(sub_activity=record)
                .order_by("-period_end")
                .values_list("pk", flat=True)
            )
        return {
            "report": self.waiting.pop(),
            "text": f"Kegiatan bulan ini nomor {number}.",
            "photos": [photo(self.luck), photo(self.luck)],
        }

    def run(self, browser: Browser, task: dict[str, Any]) -> None:
        address = f"/laporan/{task['report']}/isi/"
        values = {
            "physical": "12,5",
            "budget": "1000000",
            "reached": "7",
            "narrative": task["text"],
        }
        for step, picture in zip(("simpan", "ajukan"), task["photos"], strict=True):
            page = browser.get(address)
            for _attempt in range(5):
                form = page.form("")
                if form is None:
                    raise GaveUpError(f"{page.path}: no form")
                page = browser.send(
                    page, form, {**values, "langkah": step},
                    {"uploads": (f"{step}.jpg", picture, "image/jpeg")},
                )  # fmt: skip
                # A draft whose answer was lost is told to have been changed meanwhile: look, send again.
                if page.status != 422:
                    break
            else:
                raise GaveUpError(f"{page.path}: not taken")

    def check(self, task: dict[str, Any]) -> Iterator[str]:
        from django.core.files.base import ContentFile

        from guyub.audit.models import Event
        from guyub.registry.pictures import clean_jpeg
        from guyub.reports.models import Report, ReportEvent

        report = Report.objects.get(pk=task["report"])
        if (report.state, report.narrative, report.reached) != ("submitted", task["text"], 7):
            yield f"the report is {report.state} and says something else"
        handed_in = ReportEvent.objects.filter(report=report, step="submitted").count()
        noted = Event.objects.filter(
            action="reports.report.submit", subject_type="reports.report", subject_id=str(report.pk)
        ).count()
        if (handed_in, noted) != (1, 1):
            yield f"handed in {handed_in} times, noted {noted} times"
        kept = []
        for row in report.attachments.all():
            with row.file.open("rb") as file:
                kept.append(file.read())
        sent = [clean_jpeg(ContentFile(picture)).read() for picture in task["photos"]]
        if sorted(kept) != sorted(sent):
            yield f"{len(kept)} photos kept of 2, or others"


class Syncing:
    """Send what a phone collected on a visit: the answers, then each photo in pieces."""

    name = "sync"
    victims = {WEB: 5, WORKER: 1, DATABASE: 4}
    piece = 32 * 1024

    def __init__(self, scene: Scene, luck: random.Random) -> None:
        from guyub.fieldwork import services
        from guyub.fieldwork.tests.conftest import question, small_form

        self.scene, self.luck = scene, luck
        form = small_form()
        form["items"].append(question("halaman", "image"))
        self.round = services.create_round(
            services.keep_form(form, actor=None),
            {"title": "Verifikasi", "agency": scene.agency},
            actor=None,
        )

    def prepare(self, number: int) -> dict[str, Any]:
        from guyub.areas.models import Area
        from guyub.fieldwork import household_fields, services
        from guyub.registry.models import Household
        from guyub.registry.services import create_household

        home = create_household(
            household={"kk": f"33029701010{number:05d}", "floor": "earth",
                       "village": Area.objects.get(code=VILLAGES[0])},
            head={"nik": f"33029712038{number:05d}", "name": self.luck.choice(NAMES), "sex": "M"},
            as_of=dt.date(2026, 1, 5), actor=None,
        )  # fmt: skip
        services.add_households(self.round, Household.objects.filter(pk=home.pk), actor=None)
        self.round.refresh_from_db()
        if self.round.state != "open":
            services.open_round(self.round, actor=None)
        visit = self.round.visits.get(household=home)
        photos = [photo(self.luck), photo(self.luck)]
        names = ["foto.jpg", "halaman.jpg"]
        keys = [str(uuid.UUID(int=self.luck.getrandbits(128), version=4)) for _n in names]
        return {
            "visit": visit.pk,
            "files": dict(zip(keys, photos, strict=True)),
            "message": {
                "instance": str(uuid.UUID(int=self.luck.getrandbits(128), version=4)),
                "visit": str(visit.key),
                "form": self.round.form_version_id,
                "answers": {"/lantai": "cement", "/foto": names[0], "/halaman": names[1]},
                "seen": {"values": household_fields.values_of(home)},
                "files": [
                    {"key": key, "name": name, "media_type": "image/jpeg", "size": len(content),
                     "sha256": hashlib.sha256(content).hexdigest()}
                    for key, name, content in zip(keys, names, photos, strict=True)
                ],
            },
        }  # fmt: skip

    def run(self, browser: Browser, task: dict[str, Any]) -> None:
        browser.cookies = {"sessionid": self.scene.visitor}
        token = json.loads(browser.get("/lapangan/sesi/").text)["csrf"]
        stands = self._post(
            browser, token, "/lapangan/kirim/", json.dumps(task["message"]).encode()
        )
        if not stands["stored"]:
            raise GaveUpError("a submission is not stored")
        for file in stands["files"]:
            content, here = task["files"][file["key"]], file["arrived"]
            while here < len(content):
                address = f"/lapangan/lampiran/{file['key']}/?dari={here}"
                told = self._post(browser, token, address, content[here : here + self.piece])
                here = told["arrived"]

    def _post(self, browser: Browser, token: str, address: str, body: bytes) -> dict[str, Any]:
        page = browser.post(address, body, {"X-CSRFToken": token})
        if page.status >= 300:
            raise GaveUpError(f"{address}: {page.status} {page.text[:200]}")
        return dict(json.loads(page.text))

    def check(self, task: dict[str, Any]) -> Iterator[str]:
        from django.core.files.base import ContentFile

        from guyub.audit.models import Event
        from guyub.fieldwork.models import AttachmentPart, Submission
        from guyub.registry.pictures import clean_jpeg

        found = list(Submission.objects.filter(visit=task["visit"]))
        if [str(one.instance) for one in found] != [task["message"]["instance"]]:
            yield f"{len(found)} submissions of one visit"
            return
        submission = found[0]
        if submission.answers != task["message"]["answers"] or submission.state != "waiting":
            yield f"the submission is {submission.state} or says something else"
        noted = Event.objects.filter(
            action="fieldwork.submission.receive", subject_id=str(submission.pk)
        ).count()
        if noted != 1:
            yield f"received {noted} times by the audit log"
        kept = {}
        for row in submission.attachments.exclude(stored_at=None):
            with row.file.open("rb") as file:
                kept[str(row.key)] = file.read()
        sent = {
            key: clean_jpeg(ContentFile(content)).read() for key, content in task["files"].items()
        }
        if kept != sent:
            yield f"{len(kept)} photos kept of {len(sent)}, or others"
        if AttachmentPart.objects.filter(attachment__submission=submission).exists():
            yield "pieces of a whole photo are left"


def jobs(scene: Scene, luck: random.Random) -> list[Job]:
    return [
        Importing(scene, luck),
        Merging(scene, luck),
        Reporting(scene, luck),
        Syncing(scene, luck),
    ]
