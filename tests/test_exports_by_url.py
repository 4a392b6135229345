"""Every address of Guyub that answers with a file, asked for while each text that people may write is one
that a spreadsheet would run.

The addresses are found by reading the views. Whoever adds one says in ``CASES`` how it is asked for.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pytest
from django.apps import apps
from django.db import models
from django.urls import reverse
from test_access_matrix import World, urls
from test_safe_exports import LURES, cells_of_csv, cells_of_xlsx
from view_reading import addresses, sources

from guyub.access.roles import Role
from guyub.audit import services as audit
from guyub.imports.tests.conftest import MAN, csv_bytes

LURE_LIST = [*LURES, '=cmd|" /C calc"!A0', "=1+1\r\nATTACH:http://a.test/x"]
MARK = re.compile(r"HYPERLINK|\+1|-1|@SUM|=1|cmd\|")
REASON = "Rapat koordinasi bulan ini"
GIVEN = {"reason": REASON, "alasan": REASON, "alasan_unduh": REASON}


@dataclass(frozen=True)
class Case:
    """How a file is asked for: further arguments, query and form; ``lured`` says that it shows names."""

    method: str = "get"
    role: str = Role.SECRETARIAT
    data: dict[str, Any] = field(default_factory=dict)
    query: str = ""
    kwargs: dict[str, Any] = field(default_factory=dict)
    lured: bool = True


def post(**options: Any) -> Case:
    return Case("post", **options)


def as_both(**options: Any) -> list[Case]:
    return [post(data={"format": kind}, **options) for kind in ("xlsx", "csv")]


def as_each(*endings: str, **options: Any) -> list[Case]:
    return [Case(kwargs={"ending": ending}, **options) for ending in endings]


QUESTION = "?topik=program&baris=sub"

CASES: dict[str, list[Case]] = {
    "allocation:export": [post()],
    "api:edition_download": as_each("xlsx", "docx"),
    "audit:export": [post(role=Role.AUDITOR)],
    "beneficiaries:batch_corrections": [post()],
    "beneficiaries:example": [Case(lured=False)],
    "beneficiaries:export": as_both(),
    "datasets:export": as_both(),
    "documents:agency_report": as_each("xlsx", "docx", "pdf"),
    "documents:area_report": as_each("xlsx", lured=False),
    "documents:build_file": as_each("xlsx", "csv", query=QUESTION),
    "documents:built_file": as_each("xlsx", "csv"),
    "documents:edition_file": as_each("xlsx", "docx"),
    "documents:program_report": as_each("xlsx", "docx"),
    "fieldwork:export": [post(data={"note": REASON})],
    "fieldwork:load_report": [Case()],
    "fieldwork:xform": [Case(lured=False)],
    "fieldwork:xlsform": [Case(lured=False)],
    "imports:corrections": [post()],
    "linking:export": [post(data={"full_numbers": "on"})],
    "meetings:calendar": [Case()],
    "meetings:mandate_letter": [Case()],
    "meetings:minutes_docx": [Case()],
    "meetings:minutes_pdf": [Case()],
    "obstacles:export": [Case()],
    "overlaps:coverage_export": [Case(query="?tahun=2026&per=wilayah", lured=False)],
    "overlaps:export": [post(query="?tahun=2026&temuan=dibantu")],
    "portal:download": [
        Case(kwargs={"dataset": dataset, "form": form}, lured=dataset != "keluarga-desil")
        for dataset in ("program-anggaran", "angka-kemiskinan", "keluarga-desil")
        for form in ("csv", "parquet")
    ],
    "privacy:copy": [post(), post(data={"format": "pdf"})],
    "programs:export": [Case()],
    "programs:template": [Case(lured=False)],
    "reconciliation:corrections": [post()],
    "registry:export": as_both(),
    "reports:download": [Case(query="?perangkat=dinsos&periode=2026-03-31")],
    "retention:certificate": [Case()],
    "sharing:take": [post(role=Role.AGENCY_OPERATOR)],
    "targets:download": [Case()],
    "targets:published_download": [Case()],
}
# Files that go out as somebody handed them in; test_hostile_files.py is about what is taken in.
HANDED_IN = {
    "beneficiaries:proof", "discussions:attachment", "fieldwork:attachment", "proposals:file",
    "registry:photo", "reports:attachment",
}  # fmt: skip
# Views that only name such a function, and answers to machines in which people write nothing.
NO_FILES = {
    "registry:delete_photo", "reports:detach", "discussions:stream", "operations:metrics",
    "exchange_keys", "fieldwork:worker", "fieldwork:manifest",
}  # fmt: skip

SIGNS = ("FileResponse(", "StreamingHttpResponse(", "Content-Disposition", "content_type=")


def answers_with_a_file(view: Callable[..., Any]) -> bool:
    def follows(module: str) -> bool:
        return not module.startswith(("guyub.access.", "guyub.audit."))

    return any(sign in source for source in sources(view, follows) for sign in SIGNS)


def test_every_address_that_answers_with_a_file_is_looked_at():
    found = addresses(answers_with_a_file)
    assert found - HANDED_IN - NO_FILES == set(CASES), "say in CASES how the file is asked for"
    assert found >= HANDED_IN | NO_FILES


# Texts that people write

# What only programs write, or what leads somewhere.
TECHNICAL = set(
    "area_code assets attribute body callback code column content_type digest email event field "
    "fingerprint format key kk mandate_code media_type message_id model new nik old online_url "
    "operation ours owner password phone prefix request sealed secret sender_id signature state "
    "subject_id subject_type theirs token topics url username variant website why evidence".split()
)
LEFT_ALONE = ("audit", "areas", "operations", "connections", "scorecard")
LEFT_MODELS = {"targeting.RuleVersion", "portal.ReleasedFile", "portal.ReleasedCell",
               "imports.RememberedMapping"}  # fmt: skip


def write_everywhere() -> int:
    """Put a lure into every text of every record that people may write; return how many."""
    lures, count = itertools.cycle(LURE_LIST), 0
    for model in apps.get_models():
        label = model._meta.app_label
        if not model.__module__.startswith("guyub.") or label in LEFT_ALONE:
            continue
        if model._meta.label in LEFT_MODELS or isinstance(
            model._meta.pk, models.CompositePrimaryKey
        ):
            continue
        fields = [
            one
            for one in model._meta.concrete_fields
            if type(one) in (models.CharField, models.TextField)
            and not one.choices
            and one.name not in TECHNICAL
        ]
        for row in model._default_manager.all() if fields else ():
            values = {}
            for one in fields:
                text = f"{next(lures)} {row.pk}"
                values[one.name] = text[: one.max_length] if one.max_length else text
            count += model._default_manager.filter(pk=row.pk).update(**values)
    return count


def lured_version(dataset: Any) -> None:
    """Put lures into the rows of a dataset's newest version."""
    from guyub.datasets.store import version_path

    dataset.refresh_from_db()
    path = version_path(dataset.code, dataset.current_version.number)
    part = path.with_suffix(".new")
    duckdb.execute(
        f"COPY (SELECT * REPLACE ('=1+1' AS name, '@SUM(A1)' AS address) FROM '{path}') TO '{part}' "
        "(FORMAT parquet)"
    )
    part.replace(path)


@pytest.fixture
def world(make_user: Any, make_agency: Any, make_dataset: Any) -> World:
    """The records of the access matrix, with those that files need, and lures in all texts."""
    from guyub.allocation import services as allocation
    from guyub.beneficiaries.batches import take_file
    from guyub.beneficiaries.models import BatchKind
    from guyub.documents import keeping
    from guyub.documents import services as documents
    from guyub.documents.models import Figures
    from guyub.imports import services as imports
    from guyub.meetings.models import Invitation
    from guyub.overlaps import services as overlaps
    from guyub.portal import services as portal
    from guyub.portal.models import Release
    from guyub.privacy.models import RequestState
    from guyub.programs.models import SubActivity
    from guyub.sharing.models import Grant
    from guyub.targets.models import PublishedFigure

    made = World(make_user, make_agency, make_dataset)
    own = made.records["own"]
    secretary = own["scenario"].created_by
    SubActivity.objects.update(quota=9, desil_min=1, desil_max=4)
    own["scenario"] = allocation.create_scenario(2026, values={"name": "Uji"}, actor=secretary)
    own["batch"] = take_file(
        own["sub_activity"], BatchKind.ENROL_FILE, file_name="a.csv",
        chunks=[b"NIK;Catatan\n=1+1;@SUM(A1)\n12;-1+1\n"], actor=None,
    )  # fmt: skip
    allocation.start(own["scenario"], actor=secretary, at_once=True)
    found = allocation.work(own["scenario"].pk)
    assert found is not None
    assert found.state == "done", found.error
    overlaps.reckon(2026)
    PublishedFigure.objects.create(measure="p0", year=2024, value=10, source="BPS")
    Invitation.objects.filter(pk=own["invitation"].pk).update(reply="delegate")
    type(own["subject_request"]).objects.filter(pk=own["subject_request"].pk).update(
        state=RequestState.VERIFIED, verified_by=secretary
    )
    asked = own["asked_by"]
    Grant.objects.create(request=asked, columns=["name", "address"], ends_on=asked.wanted_until)
    lured_version(asked.dataset)
    lured_version(own["dataset"])
    for lure in LURE_LIST:
        audit.record("audit.export", actor=secretary, reason=lure)
    dataset = own["dataset"]
    rejected = ["=1+1", "@SUM(A1)", "-1+1", "L", "x", "y", "Lumbir", "Cirahab", "+1", "1", "2", "1"]
    own["run"] = imports.start(
        dataset, as_of=dt.date(2026, 2, 9), file_name="a.csv",
        chunks=[csv_bytes([MAN, rejected])], actor=None,
    )  # fmt: skip
    own["run"] = imports.work(imports.confirm_mapping(own["run"], own["run"].mapping, None).pk)
    assert write_everywhere() > 100
    own["edition"] = documents.issue(own["document"], note=LURES[0], actor=secretary)
    for figures in Figures.objects.all():
        keeping.compute(figures.pk)
    documents.make(own["edition"].pk)
    Release.objects.all().delete()
    version = own["dataset"].current_version
    own["release"] = portal.publish(
        portal.compute(portal.prepare(version, actor=secretary)), actor=secretary
    )
    return made


def texts_of_docx(content: bytes) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            part = archive.read(name).decode("utf-8", "replace")
            if name == "word/document.xml":
                # Fields are what Word runs; page numbers alone would be harmless, names in them not.
                for instruction in re.findall(r"<w:instrText[^>]*>([^<]*)<", part):
                    assert not MARK.search(instruction), instruction
                assert not re.search(r"DDE|INCLUDE(TEXT|PICTURE)", part)
                yield from re.findall(r"<w:t[^>]*>([^<]*)<", part)
            if name.endswith(".rels"):
                assert "a.test" not in part
            assert "vbaProject" not in name


def texts_of_calendar(content: bytes) -> Iterator[str]:
    lines = content.decode().replace("\r\n ", "").split("\r\n")
    for line in lines:
        assert not line.startswith("ATTACH"), line
        assert re.match(r"[A-Z-]+[:;]", line) or not line, line
        yield line


def texts_of_parquet(content: bytes, folder: Path) -> Iterator[str]:
    path = folder / "file.parquet"
    path.write_bytes(content)
    for row in duckdb.execute(f"SELECT * FROM '{path}'").fetchall():
        yield from (cell for cell in row if isinstance(cell, str))


def texts_of(content: bytes, folder: Path) -> Iterator[str]:
    """Yield the texts of a file, having looked at each place that somebody's program might run."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            is_word = "word/document.xml" in archive.namelist()
        yield from texts_of_docx(content) if is_word else cells_of_xlsx(content)
    elif content.startswith(b"%PDF"):
        bare = re.sub(rb"stream\r?\n.*?endstream", b"", content, flags=re.DOTALL)
        assert not re.search(rb"/(JavaScript|JS|Launch|OpenAction|EmbeddedFile)\b", bare)
        yield "=1"  # set as glyphs: there is no text to look at
    elif content.startswith(b"PAR1"):
        yield from texts_of_parquet(content, folder)
    elif content.startswith(b"BEGIN:VCALENDAR"):
        yield from texts_of_calendar(content)
    elif content.startswith(b"{"):
        json.loads(content)
        yield content.decode()
    elif content.startswith(b"<"):
        yield from ElementTree.fromstring(content).itertext()
    else:
        yield from cells_of_csv(content)


def test_no_file_runs_anything(world: World, tmp_path: Path):
    arguments = {url.name: url.arguments for url in urls()}
    wrong = []
    for name, cases in CASES.items():
        for case in cases:
            kwargs = world.kwargs(name, "own") | case.kwargs if arguments[name] else None
            address = reverse(name, kwargs=kwargs) + case.query
            client = world.clients[case.role]
            given = {**GIVEN, **case.data} if case.method == "post" else {}
            answer = getattr(client, case.method)(address, given)
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            if answer.status_code != 200 or answer["Content-Type"].startswith("text/html"):
                told = re.sub(r"<[^>]+>|\s+", " ", content.decode("utf-8", "replace"))[-300:]
                wrong.append(f"{address}: {answer.status_code} is no file {told}")
                continue
            try:
                texts = "\n".join(texts_of(content, tmp_path))
            except AssertionError as error:
                wrong.append(f"{address}: {error}")
                continue
            if case.lured and not MARK.search(texts):
                wrong.append(
                    f"{address}: none of the texts that were written is in it: {texts[:200]}"
                )
    assert not wrong, "\n".join(wrong)
