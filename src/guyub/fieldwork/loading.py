"""Loading submissions that KoboToolbox or ODK gathered: each once, with a report of all that did not go in.

The worker does it, submission by submission, each in a transaction of its own. It may be killed at any
moment and simply begins anew: what is in already is recognised by its number.
"""

from __future__ import annotations

import logging
import mimetypes
import uuid
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.audit import services as audit
from guyub.fieldwork import whom
from guyub.fieldwork.bringing import on_disk
from guyub.fieldwork.checking import check_answers
from guyub.fieldwork.definition import Definition
from guyub.fieldwork.models import Form, FormVersion, Load, Round, Submission
from guyub.fieldwork.odk import NAMESPACE, Found
from guyub.fieldwork.odk_exports import Export, Wrong
from guyub.fieldwork.receiving import Announced, OtherContentError, keep_file, receive
from guyub.fieldwork.vocabulary import LoadState, Source
from guyub.imports.reading import UnreadableFileError
from guyub.longruns import running
from guyub.longruns.folder import LongRunFolder

log = logging.getLogger("guyub.fieldwork")

LARGEST = 200 * 1024 * 1024  # bytes
MOST_LINES = 2_000  # of a report
TELL_EVERY = 20
LOADED, KNOWN, REPLACED, FAILED, REMARK = "loaded", "known", "replaced", "failed", "remark"
LABELS = {
    LOADED: gettext_lazy("dimuat"), KNOWN: gettext_lazy("sudah ada"),
    REPLACED: gettext_lazy("mengganti kiriman lama"), FAILED: gettext_lazy("gagal"),
    REMARK: gettext_lazy("catatan"),
}  # fmt: skip
# Answers that can't be what was meant; what is only missing is for the reviewer to judge.
GRAVE = frozenset({"type", "shape", "unknown"})


@dataclass(frozen=True)
class Line:
    """One line of a report: what became of what, where it stands in the file, and why."""

    outcome: str
    file: str = ""
    sheet: str = ""
    row: int = 0
    column: str = ""
    message: str = ""

    @property
    def label(self) -> str:
        return str(LABELS[self.outcome])


@dataclass(frozen=True)
class Taken:
    """What became of one submission."""

    outcome: str
    submission: Submission | None = None
    remarks: tuple[str, ...] = ()


class Wordings:
    """The versions of a form, by what submissions call them; an unknown name means the newest."""

    def __init__(self, form: Form) -> None:
        self.versions = list(form.versions.order_by("-number"))
        self._definitions: dict[int, Definition] = {}

    @cached_property
    def _by_name(self) -> dict[str, FormVersion]:
        return {version.name: version for version in reversed(self.versions)}

    def version(self, name: str) -> FormVersion:
        return self._by_name.get(name, self.versions[0])

    def definition(self, name: str) -> Definition:
        version = self.version(name)
        if version.pk not in self._definitions:
            self._definitions[version.pk] = Definition.from_json(version.definition)
        return self._definitions[version.pk]


def take(
    found: Found, wordings: Wordings, *, actor: Any, source: str, round: Round | None = None
) -> Taken:
    """Store one submission that was read.

    Raises:
        ValidationError: its answers can't be what was meant, or its number is taken by other answers.
    """
    definition = wordings.definition(found.version)
    problems = check_answers(definition, found.answers)
    grave = [
        str(problem) for problem in problems if problem.kind in GRAVE or problem.kind == "choice"
    ]
    if grave:
        raise ValidationError(grave[:5])
    remarks = [str(problem) for problem in problems]
    if found.unknown:
        names = ", ".join(path[1:] for path in found.unknown[:5])
        remarks.append(_("Tidak ada di formulir dan dilewati: %(names)s.") % {"names": names})
    who = whom.find(definition, found.answers, actor=actor, round=round)
    if who.sought and who.household is None:
        remarks.append(_("Nomor KK atau NIK ini tidak ditemukan di registri; kiriman belum terhubung ke keluarga."))  # fmt: skip
    files = [
        Announced(
            key=uuid.uuid5(NAMESPACE, f"{found.instance}/{name}"),
            name=name,
            media_type=(mimetypes.guess_type(name)[0] or "")[:80],
        )
        for name in found.files
    ]
    replaces = found.replaces if found.replaces != found.instance else None
    try:
        received = receive(
            instance=found.instance, form_version=wordings.version(found.version),
            answers=found.answers, source=source, actor=actor,
            round=round if who.visit is None else None, visit=who.visit, household=who.household,
            village=who.village, begun_at=found.begun_at, finished_at=found.finished_at,
            attachments=files, replaces=replaces,
        )  # fmt: skip
    except OtherContentError as error:
        # Only what was answered tells two apart; where it belongs may have become known meanwhile.
        if error.known is None or error.known.answers != found.answers:
            raise ValidationError(
                _("Kiriman bernomor ini sudah ada dengan isi lain. Yang lama tetap; periksa mana yang benar.")
            ) from error  # fmt: skip
        return Taken(KNOWN, error.known)
    if not received.is_new:
        return Taken(KNOWN, received.submission)
    if replaces is not None:
        earlier = received.submission.replaces
        if earlier is not None:
            remarks.insert(0, _("Suntingan dari %(earlier)s.") % {"earlier": earlier})
        else:
            remarks.insert(0, _("Suntingan dari kiriman yang tidak ada di Guyub."))
        return Taken(REPLACED, received.submission, tuple(remarks))
    return Taken(LOADED, received.submission, tuple(remarks))


# Loads in the worker


class _Folder(LongRunFolder):
    """Where the hold on a load lies."""

    def __init__(self, load_id: int) -> None:
        self.path = Path(settings.DATA_DIR) / "imports" / f"fieldwork-{load_id}"


@transaction.atomic
def start(form: Form, file: Any, *, actor: Any, round: Round | None = None) -> Load:
    """Take in a file with submissions and hand it to the worker.

    Raises:
        ValidationError: it is too large, or no file of submissions.
    """
    if file.size > LARGEST:
        raise ValidationError(
            _("Berkas lebih dari %(n)d MB. Ekspor per bulan.") % {"n": LARGEST >> 20}
        )
    name = PurePath(str(file.name).replace("\\", "/")).name[:150]
    wordings = Wordings(form)
    try:
        with on_disk(file) as path:
            Export(path, name, wordings.definition)
    except UnreadableFileError as error:
        raise ValidationError(str(error)) from error
    load = Load(form=form, round=round, file_name=name, agency=actor.agency, created_by=actor)
    file.seek(0)
    load.file.save("kiriman", ContentFile(file.read()), save=False)
    load.save()
    audit.record("fieldwork.load.start", actor=actor, subject=load, detail={"bytes": file.size})
    _hand_to_worker(load)
    return load


def _hand_to_worker(load: Load) -> None:
    from guyub.fieldwork.tasks import work_on_load

    transaction.on_commit(lambda: work_on_load.enqueue(load.pk))


def abandoned() -> list[Load]:
    """Return the loads that are said to be worked on while no process does."""
    return running.abandoned(Load.objects.filter(state=LoadState.RUNNING), _Folder)


def work(load_id: int) -> Load:
    """Load a file; does nothing when another process is at it, or when it is done."""
    folder = _Folder(load_id)
    with running.held(folder) as mine:
        load = Load.objects.select_related("form", "round", "created_by__agency").get(pk=load_id)
        if not mine or load.state != LoadState.RUNNING:
            return load
        job = _Job(load)
        try:
            with load.file.storage.open(str(load.file.name)) as file, on_disk(file) as path:
                job.run(path)
        except UnreadableFileError as error:
            job.end(LoadState.FAILED, str(error))
        except Exception:
            log.exception("load %s failed", load_id)
            job.end(LoadState.FAILED, _("Pemuatan berhenti karena kesalahan di sistem. Yang sudah dimuat tetap ada; unggah lagi untuk melanjutkan."))  # fmt: skip
        else:
            job.end(LoadState.DONE)
    folder.remove()
    return load


class _Job:
    """One load at work: its counts, its report, its photos."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.lines: list[Line] = []
        self.counts = dict.fromkeys((LOADED, KNOWN, REPLACED, FAILED), 0)
        self.done = 0
        self.total: int | None = None
        self.wordings = Wordings(load.form)

    def run(self, path: Path) -> None:
        export = Export(path, self.load.file_name, self.wordings.definition)
        items = list(export.submissions())
        self.total = len(items)
        for item in items:
            if isinstance(item, Wrong):
                # A heading is no submission: what is said of it is a remark.
                outcome = REMARK if item.row == 1 and item.column else FAILED
                self.note(outcome, item, item.column, item.message)
            else:
                self.one(item, export)
            self.done += 1
            if self.done % TELL_EVERY == 0:
                self.tell()

    def one(self, found: Found, export: Export) -> None:
        load = self.load
        source = Source.ODK if export.kind in ("xml", "zip") else Source.KOBO if export.kind == "json" else Source.FILE  # fmt: skip
        try:
            taken = take(
                found, self.wordings, actor=load.created_by, source=source, round=load.round
            )
        except ValidationError as error:
            for message in error.messages:
                self.lines.append(self.line(FAILED, found, "", message))
            self.counts[FAILED] += 1
            return
        outcome, submission = taken.outcome, taken.submission
        if (
            outcome == KNOWN
            and submission is not None
            and submission.received_at >= load.created_at
            and submission.sent_by_id == load.created_by_id
        ):
            # It went in before this load was interrupted.
            outcome = REPLACED if submission.replaces_id else LOADED
        self.counts[outcome] += 1
        if outcome == REPLACED and not taken.remarks:
            self.lines.append(self.line(REPLACED, found, "", _("Suntingan.")))
        for number, remark in enumerate(taken.remarks):
            kind = REPLACED if outcome == REPLACED and number == 0 else REMARK
            self.lines.append(self.line(kind, found, "", remark))
        if submission is not None:
            self.files(found, submission, export)

    def files(self, found: Found, submission: Submission, export: Export) -> None:
        for attachment in submission.attachments.filter(stored_at=None):
            content = export.media(found.files.get(attachment.name, ""))
            if content is None:
                continue
            try:
                keep_file(attachment, content)
            except ValidationError as error:
                message = f"{attachment.name}: {' '.join(error.messages)}"
                self.lines.append(self.line(REMARK, found, "", message))

    def line(self, outcome: str, item: Found | Wrong, column: str, message: str) -> Line:
        return Line(outcome, item.file, item.sheet, item.row, column, message[:500])

    def note(self, outcome: str, item: Found | Wrong, column: str, message: str) -> None:
        if outcome == FAILED:
            self.counts[FAILED] += 1
        self.lines.append(self.line(outcome, item, column, message))

    def tell(self) -> None:
        Load.objects.filter(pk=self.load.pk).update(done=self.done, total=self.total, **self.counts)

    @transaction.atomic
    def end(self, state: str, error: str = "") -> None:
        load = self.load
        storage, name = load.file.storage, str(load.file.name)
        load.state, load.error, load.finished_at = state, error[:500], timezone.now()
        load.done, load.total = self.done, self.total
        for key, count in self.counts.items():
            setattr(load, key, count)
        load.report = [asdict(line) for line in self.lines[:MOST_LINES]]
        load.file = ""
        load.save()
        audit.record(
            "fieldwork.load.finish", actor=load.created_by, subject=load, detail=self.counts
        )
        transaction.on_commit(lambda: storage.delete(name))


def lines_of(load: Load) -> list[Line]:
    """Return the report of a load, what failed first."""
    found = [Line(**content) for content in load.report]
    order = [FAILED, REPLACED, REMARK, KNOWN, LOADED]
    return sorted(found, key=lambda line: order.index(line.outcome))
