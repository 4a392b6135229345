"""Writing the LP2KD: starting a year, assigning parts, writing them, issuing editions."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from guyub.access.sealing import SealError
from guyub.audit import services as audit
from guyub.discussions.models import Kind
from guyub.discussions.people import people_of
from guyub.discussions.services import notify, settle
from guyub.documents import keeping, lp2kd
from guyub.documents.formats import MAKERS
from guyub.documents.models import (
    Document,
    Edition,
    EditionState,
    Figures,
    Section,
    SectionState,
    SectionText,
)
from guyub.documents.paper import Paper

log = logging.getLogger(__name__)

# What one person writes within this time is one entry of the history.
ONE_GO = dt.timedelta(minutes=10)
LONGEST = 20_000  # characters of one section
# A worker that is silent for longer has died.
SILENCE = dt.timedelta(minutes=5)


class OvertakenError(ValidationError):
    """Somebody else wrote the section meanwhile; ``section`` is as it now stands."""

    def __init__(self, section: Section) -> None:
        self.section = section
        when = timezone.localtime(section.written_at) if section.written_at else timezone.now()
        super().__init__(
            _(
                "%(who)s menyimpan bagian ini pada %(when)s, setelah Anda membukanya. "
                "Tulisan Anda belum disimpan. Bandingkan keduanya di bawah ini, lalu pilih."
            )
            % {"who": section.written_by, "when": date_format(when, "j F Y H.i")}
        )


@transaction.atomic
def start_document(year: int, *, actor: Any) -> Document:
    """Start the LP2KD of ``year`` with all its sections.

    Raises:
        ValidationError: there is one already, or the year is out of reach.
    """
    if not 2000 <= year <= timezone.localdate().year:
        raise ValidationError(
            {
                "year": _("Tahun pelaporan paling akhir %(year)d.")
                % {"year": timezone.localdate().year}
            }
        )
    if Document.objects.filter(year=year).exists():
        raise ValidationError({"year": _("LP2KD tahun ini sudah ada.")})
    document = Document.objects.create(
        year=year,
        title=_("Laporan Pelaksanaan Penanggulangan Kemiskinan Daerah"),
        created_by=actor,
    )
    _add_sections(document)
    audit.record("documents.document.start", actor=actor, subject=document, detail={"year": year})
    return document


def _add_sections(document: Document) -> int:
    """Add the sections of the plan that the document lacks, and put all in order."""
    known = {section.key: section for section in document.sections.all()}
    added = 0
    for position, (key, title, agency) in enumerate(lp2kd.section_plan(document.year)):
        section = known.get(key)
        if section is None:
            Section.objects.create(
                document=document, key=key, position=position, title=title, agency=agency
            )
            added += 1
        elif section.position != position:
            Section.objects.filter(pk=section.pk).update(position=position)
    return added


@transaction.atomic
def renew_sections(document: Document, *, actor: Any) -> int:
    """Add sections for agencies whose programs came after the document was started; return how many."""
    added = _add_sections(document)
    audit.record("documents.document.renew", actor=actor, subject=document, detail={"added": added})
    return added


def _section_url(section: Section) -> str:
    return reverse("documents:section", args=[section.pk])


@transaction.atomic
def assign(
    section: Section, *, title: str, agency: Any, due_on: dt.date | None, actor: Any
) -> Section:
    """Say who writes a section, until when, and what it is called; tell the agency's people."""
    section = Section.objects.select_for_update().get(pk=section.pk)
    is_new = agency is not None and (agency.pk != section.agency_id or due_on != section.due_on)
    former = section.agency
    section.title, section.agency, section.due_on = title.strip(), agency, due_on
    section.save(update_fields=["title", "agency", "due_on"])
    audit.record(
        "documents.section.assign",
        actor=actor,
        subject=section,
        detail={"agency": agency.code if agency is not None else "", "due_on": due_on},
    )
    if former is not None and (agency is None or agency.pk != former.pk):
        settle(_section_url(section), people_of([former]))
    if is_new:
        text = _("Tulislah bagian LP2KD %(year)d: %(title)s") % {
            "year": section.document.year,
            "title": section.title,
        }
        if due_on is not None:
            text += _(", paling lambat %(day)s") % {"day": date_format(due_on, "j F Y")}
        notify(people_of([agency]), Kind.TASK, text, _section_url(section))
    return section


@transaction.atomic
def ask_agencies(document: Document, *, due_on: dt.date, actor: Any) -> int:
    """Give every agency's own part the same due date and tell them; return how many were asked."""
    sections = list(document.sections.filter(agency__isnull=False).exclude(state=SectionState.DONE))
    for section in sections:
        if section.due_on != due_on:
            assign(section, title=section.title, agency=section.agency, due_on=due_on, actor=actor)
    return len(sections)


@transaction.atomic
def write(section: Section, *, text: str, version: int, done: bool, actor: Any) -> Section:
    """Keep what somebody wrote, if nobody else wrote since they opened ``version``.

    Raises:
        OvertakenError: somebody did.
        ValidationError: the text is too long, or a section without text is called done.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > LONGEST:
        raise ValidationError(
            {"text": _("Paling panjang %(n)d huruf; tulisan ini %(length)d.") % {
                "n": LONGEST, "length": len(text)
            }}
        )  # fmt: skip
    if done and not text:
        raise ValidationError({"text": _("Bagian yang kosong tidak dapat ditandai selesai.")})
    section = (
        Section.objects.select_for_update(of=("self",))
        .select_related("written_by")
        .get(pk=section.pk)
    )
    state = SectionState.DONE if done else SectionState.DRAFT if text else SectionState.EMPTY
    if section.text == text and section.state == state:
        return section
    if section.version != version:
        raise OvertakenError(section)
    now = timezone.now()
    changed = section.text != text
    was = section.state
    section.text, section.state = text, state
    section.version += 1
    section.written_by, section.written_at = actor, now
    section.save(update_fields=["text", "state", "version", "written_by", "written_at"])
    if done:
        settle(_section_url(section))
    latest = section.texts.first()
    if changed and latest is not None and latest.by == actor and now - latest.started_at < ONE_GO:
        latest.text, latest.at = text, now
        latest.save(update_fields=["text", "at"])
        if was == state:
            return section
    elif changed:
        SectionText.objects.create(section=section, text=text, by=actor, started_at=now, at=now)
    audit.record(
        "documents.section.write",
        actor=actor,
        subject=section,
        detail={"key": section.key, "state": state, "length": len(text)},
    )
    return section


def digest_of(content: dict[str, Any]) -> str:
    """Return the SHA-256 of a paper in its one canonical form."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def issue(
    document: Document, *, note: str, actor: Any, trial: bool = False, anew: bool = False
) -> Edition:
    """Freeze the document as it stands now and have its files made; a trial gets no number.

    Its figures are those that are kept. Where there are none, or they are wanted ``anew``, the words are
    frozen and the edition waits until the worker has computed them.

    Raises:
        ValidationError: nothing is written yet, or a second edition does not say what changed.
    """
    document = Document.objects.select_for_update().get(pk=document.pk)
    last = document.editions.filter(number__isnull=False).first()
    number = None if trial else (last.number or 0) + 1 if last is not None else 1
    if not trial:
        if not document.sections.exclude(text="").exists():
            raise ValidationError(_("Belum ada bagian yang ditulis, jadi belum dapat diterbitkan."))
        if number != 1 and not note.strip():
            raise ValidationError({"note": _("Sebutkan apa yang berubah dari edisi sebelumnya.")})
    else:
        document.editions.filter(number=None).exclude(state=EditionState.WORKING).delete()
    kept = keeping.of_document(document)
    is_counting = anew or kept.computed_at is None
    name = _("Edisi %(n)d") % {"n": number} if number else _("Rancangan")
    paper = lp2kd.assemble(
        document,
        made_by=f"{actor} ({actor.get_role_display()})" if actor else "Guyub",
        edition=name,
        figures={} if is_counting else kept.content,
        blocks=lambda key: [] if is_counting else keeping.blocks_of(kept, key),
    )
    content = json.loads(json.dumps(paper.as_json()))
    # Which section each part is, until the figures are in it.
    keys = list(document.sections.order_by("position").values_list("key", flat=True))
    edition = Edition.objects.create(
        document=document,
        number=number,
        note=note.strip(),
        content={**content, "keys": keys} if is_counting else content,
        digest="" if is_counting else digest_of(content),
        language=kept.language,
        state=EditionState.COUNTING if is_counting else EditionState.WAITING,
        issued_by=actor,
        issued_at=timezone.now(),
    )
    if not trial:
        audit.record(
            "documents.edition.issue",
            actor=actor,
            subject=edition,
            detail={"year": document.year, "number": number, "sha256": edition.digest},
        )
    if is_counting:
        keeping.ask_for(kept, actor=actor)
    else:
        _queue(edition)
    return edition


def _queue(edition: Edition) -> None:
    from guyub.documents.tasks import make_files  # the task imports this module

    transaction.on_commit(lambda: make_files.enqueue(edition.pk))


def _waiting_for(figures: Figures) -> QuerySet[Edition]:
    kind, _colon, pk = figures.subject.partition(":")
    if kind != "document":
        return Edition.objects.none()
    return Edition.objects.select_for_update().filter(
        document_id=int(pk), language=figures.language, state=EditionState.COUNTING
    )


def fail_waiting(figures: Figures) -> int:
    """Say of the editions that wait for figures that these could not be computed; return how many."""
    return _waiting_for(figures).update(state=EditionState.FAILED)


def fill_waiting(figures: Figures) -> int:
    """Put figures that were just computed into the editions that wait for them; return how many."""
    filled = 0
    for edition in _waiting_for(figures):
        content = edition.content
        keys = iter(content.pop("keys"))
        for chapter in content["chapters"]:
            for part in chapter["parts"]:
                part["blocks"] = figures.content["blocks"].get(next(keys), [])
        content |= {name: figures.content[name] for name in ("sources", "reference", "made_at")}
        # Through a paper once, which numbers its tables.
        content = json.loads(json.dumps(Paper.from_json(content).as_json()))
        edition.content, edition.digest = content, digest_of(content)
        edition.state = EditionState.WAITING
        edition.save(update_fields=["content", "digest", "state"])
        audit.record("documents.edition.fill", subject=edition, detail={"sha256": edition.digest})
        _queue(edition)
        filled += 1
    return filled


def make(edition_id: int) -> Edition | None:
    """Make the files of an edition from what it froze. Doing it again changes nothing.

    ``None`` when there is nothing to do: it is gone, or another worker is at it.
    """
    now = timezone.now()
    free = Q(state=EditionState.WAITING) | Q(
        state=EditionState.WORKING, touched_at__lt=now - SILENCE
    )
    taken = Edition.objects.filter(free, pk=edition_id).update(
        state=EditionState.WORKING, touched_at=now, percent=5
    )
    if not taken:
        return None
    edition = Edition.objects.get(pk=edition_id)
    try:
        paper = Paper.from_json(edition.content)
        for number, (name, maker) in enumerate(MAKERS.items(), 1):
            with translation.override(edition.language):
                content = maker(paper)
            getattr(edition, name).save(f"lp2kd.{name}", ContentFile(content), save=False)
            edition.digests[name] = hashlib.sha256(content).hexdigest()
            edition.percent, edition.touched_at = 30 * number, timezone.now()
            edition.save(update_fields=[name, "digests", "percent", "touched_at"])
    except Exception:
        Edition.objects.filter(pk=edition_id).update(state=EditionState.FAILED)
        raise
    _finish(edition)
    return edition


@transaction.atomic
def _finish(edition: Edition) -> None:
    edition.state, edition.percent = EditionState.READY, 100
    edition.save(update_fields=["state", "percent"])
    audit.record("documents.edition.make", subject=edition, detail={"files": edition.digests})
    if edition.number and edition.issued_by is not None:
        text = _("%(name)s LP2KD %(year)d siap diunduh") % {
            "name": edition.name,
            "year": edition.document.year,
        }
        url = reverse("documents:document", args=[edition.document.year])
        notify([edition.issued_by], Kind.NEWS, text, url)


@transaction.atomic
def make_again(edition: Edition, *, actor: Any) -> Edition:
    """Have the files of an edition that failed made again, from the same frozen content."""
    is_counting = not edition.digest
    edition.state = EditionState.COUNTING if is_counting else EditionState.WAITING
    edition.percent = 0
    edition.save(update_fields=["state", "percent"])
    audit.record("documents.edition.retry", actor=actor, subject=edition)
    if is_counting:
        kept = keeping.of_document(edition.document, edition.language)
        keeping.ask_for(kept, actor=actor)
    else:
        _queue(edition)
    return edition


def abandoned() -> list[Edition]:
    """Return the editions whose worker died."""
    return list(
        Edition.objects.filter(state=EditionState.WORKING, touched_at__lt=timezone.now() - SILENCE)
    )


@transaction.atomic
def log_export(what: str, *, actor: Any, subject: Any = None, **detail: Any) -> None:
    """Note that somebody took a report away as a file."""
    audit.record(
        "documents.report.export", actor=actor, subject=subject, detail={"report": what, **detail}
    )


def content_of(edition: Edition, name: str) -> bytes | None:
    """Return a stored file; ``None`` when it is no longer what was issued, or is gone."""
    stored = getattr(edition, name)
    try:
        with stored.storage.open(stored.name, "rb") as file:
            content: bytes = file.read()
    except (SealError, OSError) as error:
        log.error(
            "file %s of edition %s cannot be read: %s", name, edition.pk, type(error).__name__
        )
        return None
    return content if hashlib.sha256(content).hexdigest() == edition.digests.get(name) else None


def file_name(edition: Edition, ending: str) -> str:
    """Return what a downloaded file is called."""
    kind = f"edisi-{edition.number}" if edition.number else "rancangan"
    place = settings.REGENCY_NAME.lower().replace(" ", "-")
    return f"LP2KD-{place}-{edition.document.year}-{kind}.{ending}"
