"""Every address that takes a file, given files made to do harm: a clear answer, and nothing is kept.

The doors are found by reading the views. Whoever opens one says in ``doors`` how a file comes through it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import html
import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from test_hostile_files import CLOSE, HEAD, NO_PICTURES, NO_TABLES, OPEN, jpeg, workbook
from view_reading import addresses, sources

from guyub.access.roles import Role

MACROS = workbook(OPEN + HEAD + CLOSE, **{"xl__vbaProject.bin": b"macro"})
NO_DOCUMENTS = {
    **NO_PICTURES,
    "makro.xlsx": MACROS,
    "makro.xlsm": MACROS,
    "program.exe": b"MZ" + b"\0" * 500,
    "halaman.html": b"<!doctype html><script>alert(1)</script>",
    "potong.docx": MACROS[:700],
}
TODAY = dt.date(2026, 3, 2).isoformat()

# Over the API, for which a token is needed: the XML in guyub.fieldwork's test_odk.py and test_loading.py,
# the photos below.
ELSEWHERE = {"api:store_xml", "api:store_attachment", "api:store_part"}
# A message's body may be a file itself, unless it is read as JSON.
SIGN = re.compile(r"request\.FILES|UploadedFile|(?<!json\.loads\()request\.body")


def takes_a_file(view: Callable[..., Any]) -> bool:
    """Tell whether a view, or what pages share and it calls, takes a file from the request."""

    def follows(module: str) -> bool:
        return re.match(r"guyub\.\w+\.(\w*views|\w*pages|bulk|citizens|api)$", module) is not None

    return any(SIGN.search(source) for source in sources(view, follows))


@dataclass
class Door:
    """Where a file comes in: as what field, with what else, and which files must not get through."""

    name: str
    files: dict[str, bytes]
    kwargs: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    field: str = "file"
    query: str = ""
    client: str = Role.SECRETARIAT
    # For a file that is the message itself: which key each has been announced by.
    keys: dict[str, str] | None = None
    # What may stay all the same: the record that tells what was wrong with the file.
    keeps: frozenset[str] = frozenset()
    # Does the worker's part, where it is the worker that looks into the file.
    worker: Callable[[], bool] | None = None

    def send(self, client: Client, name: str, content: bytes) -> Any:
        if self.keys is not None:
            address = reverse(self.name, kwargs={"key": self.keys[name]}) + self.query
            return client.post(address, content, content_type="application/octet-stream")
        address = reverse(self.name, kwargs=self.kwargs or None) + self.query
        given = {**self.data, self.field: SimpleUploadedFile(name, content)}
        answer = client.post(address, given, follow=True)
        if self.worker is not None and self.worker():
            return client.get(answer.redirect_chain[-1][0])
        return answer


@pytest.fixture
def clients(client_for: Callable[..., Any]) -> dict[str, Any]:
    """Whoever stands before a door, by role; the empty one has no account."""
    found = {role: client_for(role) for role in (Role.SECRETARIAT, Role.AREA_OPERATOR)}
    for client in found.values():
        client.raise_request_exception = False
    return {**found, "": Client(raise_request_exception=False)}


def announced(home: Any, user: Any, files: dict[str, bytes]) -> dict[str, str]:
    """Have a visit's submission announce ``files`` as photos; return the keys that they come by."""
    from guyub.fieldwork import receiving, services
    from guyub.fieldwork.tests.conftest import small_form
    from guyub.registry.models import Household

    record = services.create_round(
        services.keep_form(small_form(), actor=None), {"title": "Verifikasi"}, actor=None
    )
    services.add_households(record, Household.objects.filter(pk=home.pk), actor=None)
    services.open_round(record, actor=None)
    keys = {name: str(uuid.uuid4()) for name in files}
    receiving.receive(
        instance=uuid.uuid4(), form_version=record.form_version, answers={}, source="app",
        visit=record.visits.get(), actor=user,
        attachments=[
            receiving.Announced(
                uuid.UUID(keys[name]), name, media_type="image/jpeg", size=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
            )
            for name, content in files.items()
        ],
    )  # fmt: skip
    return keys


@pytest.fixture
def doors(
    make_dataset: Any, make_sub_activity: Any, make_household: Any, make_user: Any, clients: Any
) -> list[Door]:
    from guyub.beneficiaries import services as beneficiaries
    from guyub.fieldwork.models import Form
    from guyub.proposals import services as proposals
    from guyub.reports.models import Report
    from guyub.reports.schedules import set_schedule

    secretary = make_user(Role.SECRETARIAT)
    home, other, third = make_household(), make_household(), make_household()
    dataset, record = make_dataset(), make_sub_activity()
    set_schedule(record, frequency="quarterly", grace_days=10, actor=None)
    report = Report.objects.earliest("period_end")
    candidate = beneficiaries.enrol(record, household=home, person=None, actor=None)
    enrolled = beneficiaries.enrol(record, household=other, person=None, actor=None)
    for stage in ("verified", "enrolled"):
        beneficiaries.move(enrolled, stage, actor=None)
    delivery = beneficiaries.record_delivery(
        enrolled, delivered_on=dt.date(2026, 1, 5), amount=1, actor=None
    )
    said = {"reason_kind": "shock", "reason": "Rumahnya roboh sejak hujan besar."}
    proposed = [
        proposals.submit(
            village=one.village, kind="propose", household=one, values=said, actor=secretary
        )
        for one in (home, third)
    ]
    proposals.deliberate(
        proposed[1], actor=secretary, happened_on=timezone.localdate(), agreed=True, text="Setuju semua.",
        minutes=[SimpleUploadedFile("a.jpg", jpeg())],
    )  # fmt: skip
    step = {
        "happened_on": timezone.localdate().isoformat(),
        "outcome": "accepted",
        "text": "Sesuai dengan keadaan rumahnya.",
    }
    help_ = {"delivered_on": TODAY, "amount": "5", "description": "Sembako"}
    tables, pictures, documents = NO_TABLES, NO_PICTURES, NO_DOCUMENTS
    return [
        Door("imports:new", tables, data={"dataset": dataset.pk, "as_of": TODAY, "extent": "whole"}),
        Door("linking:new", tables, data={"agency": dataset.owner_id}),
        Door("programs:upload", tables),
        Door("reports:workbook", tables),
        Door("targets:upload", tables),
        Door("targets:published_upload", tables),
        Door("targets:estimate_new", tables, data={"title": "Survei", "as_of": TODAY, "line": "500000"}),
        Door("beneficiaries:enrol_file", tables, {"pk": record.pk}, {"stage": "candidate"}),
        Door("beneficiaries:deliver_file", tables, {"pk": record.pk}),
        Door("registry:add_photo", pictures, {"pk": home.pk}, {"caption": "Depan"}),
        Door("beneficiaries:verify", pictures, {"pk": candidate.pk},
             {"hasil": "tidak", "reason": "Sudah pindah"}, "photo"),
        Door("beneficiaries:record_delivery", pictures, {"pk": enrolled.pk}, help_, "proof"),
        Door("beneficiaries:correct_delivery", pictures, {"pk": delivery.pk},
             {**help_, "reason": "Salah foto"}, "proof"),
        Door("proposals:new", pictures, data=said, field="photos", query=f"?keluarga={other.pk}"),
        Door("proposals:deliberate", documents, {"pk": proposed[0].pk}, step, "minutes"),
        Door("proposals:verify", pictures, {"pk": proposed[1].pk}, step, "photos"),
        Door("proposals:lodge", pictures, client="", field="photos",
             data={"reason_kind": "help_missing", "village": home.village_id,
                   "reason": "Bantuan sembako belum sampai."}),
        Door("reports:edit", documents, {"pk": report.pk}, {"version": 0, "langkah": "simpan"}, "uploads"),
        Door("discussions:write", documents,
             {"subject_type": "registry.household", "subject_id": str(home.pk)},
             {"pesan": "Lihat lampiran."}, "lampiran"),
        Door("fieldwork:part", pictures, query="?dari=0", client=Role.AREA_OPERATOR,
             keys=announced(home, clients[Role.AREA_OPERATOR].user, pictures)),
        Door("fieldwork:bring", tables, keeps=frozenset({"fieldwork.FormUpload"})),
        Door("fieldwork:load_submissions", tables, data={"form": Form.objects.get().pk},
             keeps=frozenset({"fieldwork.Load"}), worker=load_all),
    ]  # fmt: skip


def load_all() -> bool:
    """Load what was handed to the worker; tell whether there was anything."""
    from guyub.fieldwork import loading
    from guyub.fieldwork.models import Load

    waiting = list(Load.objects.filter(state="running"))
    for load in waiting:
        loading.work(load.pk)
    return bool(waiting)


def stored() -> dict[str, Any]:
    """Return how many rows there are of everything, and which files."""
    counts: dict[str, Any] = {
        model._meta.label: model._default_manager.count()
        for model in apps.get_models()
        if model.__module__.startswith("guyub.")
        and model._meta.app_label not in ("audit", "operations")
    }
    root = Path(settings.DATA_DIR)
    counts["files"] = {
        path
        for name in ("media", "imports", "linking", "batches", "surveys")
        for path in (root / name).rglob("*")
        if path.is_file()
    } | set(root.glob("survey-*"))
    return counts


def told(page: str) -> Iterator[str]:
    """Yield what a page says is amiss."""
    for found in re.findall(
        r'<(\w+)[^>]*class="[^"]*(?:alert-error|errorlist|field-error|error)\b[^"]*"[^>]*>(.*?)</\1>',
        page, re.DOTALL,
    ):  # fmt: skip
        yield " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found[1])).split())


# What is amiss, and what to do about it.
WHAT = re.compile(
    r"rusak|tidak (?:bisa|dapat|terbaca|dikenal|lengkap)|bukan|kosong|lebih (?:dari|besar)|terlalu|makro"
    r"|sandi|tidak ada|kesalahan|tidak punya|kolom|hanya|harus|tidak berisi",
    re.IGNORECASE,
)
HOW = re.compile(
    r"unggah|simpan|pakai|kecilkan|bagi|pilih|hapus|unduh|tulis|gunakan|kirim|isi|potret|ambil|lepas|salin|periksa"
    r"|JPEG|XLSX|CSV|PDF",
    re.IGNORECASE,
)
FOREIGN = re.compile(
    r"\b(error|invalid|cannot|can't|file is|not a|failed|exception)\b", re.IGNORECASE
)


def test_no_door_lets_harm_in(
    doors: list[Door], clients: dict[str, Any], django_capture_on_commit_callbacks: Any
):
    found = addresses(takes_a_file) - ELSEWHERE
    assert found == {door.name for door in doors}, "say in doors how a file comes in"
    wrong, before = [], stored()
    for door in doors:
        for name, content in door.files.items():
            cache.clear()  # whoever has no account may not try so often
            # What is dropped once a refusal is final goes by then, too.
            with django_capture_on_commit_callbacks(execute=True):
                answer = door.send(clients[door.client], name, content)
            if answer.status_code >= 500:
                wrong.append(f"{door.name} breaks over {name}")
                continue
            page = answer.content.decode()
            is_page = answer["Content-Type"].startswith("text/html")
            texts = list(told(page)) if is_page else [json.loads(page)["detail"]]
            clear = [
                text for text in texts
                if WHAT.search(text) and HOW.search(text) and not FOREIGN.search(text)
            ]  # fmt: skip
            if not clear:
                wrong.append(f"{door.name} about {name} ({answer.status_code}): {texts}")
        after = stored()
        changed = {
            key: (before[key], after[key])
            for key in after
            if after[key] != before[key] and key not in door.keeps
        }
        if "files" in changed:
            changed["files"] = (before["files"] - after["files"], after["files"] - before["files"])
        if changed and not (door.keeps and set(changed) == {"files"}):
            wrong.append(f"{door.name} keeps something: {changed}")
        before = after
    assert not wrong, "\n".join(wrong)


def test_what_other_systems_hand_in_is_looked_at_as_well(make_agency: Any):
    from guyub.connections import services as connections
    from guyub.fieldwork import services
    from guyub.fieldwork.tests.conftest import small_form

    agency = make_agency()
    services.keep_form(small_form(), actor=None, agency=agency)
    _token, key = connections.make_token(
        agency=agency, name="Dasbor", purpose="Pemantauan", scopes=["fieldwork:write"],
        expires_at=timezone.now() + dt.timedelta(days=9), actor=None,
    )  # fmt: skip
    client = Client(headers={"Authorization": f"Bearer {key}"}, raise_request_exception=False)
    told = client.post(
        "/api/v1/fieldwork/forms/uji/submissions",
        {"_uuid": str(uuid.uuid4()), "lantai": "cement", "foto": "rumah.jpg"},
        content_type="application/json",
    ).json()
    door = f"/api/v1/fieldwork/attachments/{told['attachments'][0]['key']}"
    before = stored()
    for name, content in NO_PICTURES.items():
        for address in (door, f"{door}/parts?offset=0&size={len(content)}"):
            answer = client.post(address, {"file": SimpleUploadedFile(name, content)})
            assert answer.status_code == 422, (name, address, answer.content)
            text = str(answer.json())
            assert WHAT.search(text), text
            assert HOW.search(text), text
    kept = stored()
    del before["connections.TokenUse"], kept["connections.TokenUse"]
    assert kept == before
