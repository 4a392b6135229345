"""Documents: the yearly LP2KD with its editions, reports that people built, and what is mailed when."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.programs.models import Program


class Document(models.Model):
    """The LP2KD of one year, which people write until editions of it are issued."""

    year = models.PositiveSmallIntegerField(_("tahun"), unique=True)
    title = models.CharField(_("judul"), max_length=200)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("dibuat"), auto_now_add=True)

    class Meta:
        ordering = ["-year"]
        verbose_name = _("LP2KD")

    def __str__(self) -> str:
        return f"{self.title} {self.year}"


class SectionState(models.TextChoices):
    EMPTY = "empty", _("Belum ditulis")
    DRAFT = "draft", _("Rancangan")
    DONE = "done", _("Selesai")


class Section(models.Model):
    """A part of a document that somebody writes: the secretariat, or the agency it is assigned to.

    ``key`` ties it to the outline (:mod:`guyub.documents.lp2kd`).
    """

    document = models.ForeignKey(Document, models.CASCADE, related_name="sections")
    key = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField()
    title = models.CharField(_("judul"), max_length=200)
    # Who writes it; none means the secretariat.
    agency = models.ForeignKey(
        Agency,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("ditulis oleh"),
    )
    due_on = models.DateField(_("batas waktu"), null=True, blank=True)
    state = models.CharField(
        _("keadaan"), max_length=10, choices=SectionState.choices, default=SectionState.EMPTY
    )
    text = models.TextField(_("uraian"), blank=True)
    # Counts the changes, so that of two people who write at the same time one is told.
    version = models.PositiveIntegerField(default=0)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    written_at = models.DateTimeField(_("ditulis"), null=True)

    class Meta:
        ordering = ["position"]
        verbose_name = _("bagian LP2KD")
        constraints = [
            models.UniqueConstraint(fields=["document", "key"], name="section_once_a_document")
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def owning_agency_id(self) -> int | None:
        return self.agency_id

    @property
    def is_late(self) -> bool:
        return (
            self.state != SectionState.DONE
            and self.due_on is not None
            and self.due_on < timezone.localdate()
        )


class SectionText(models.Model):
    """What a section said, by whom; what one person writes in one go is one entry."""

    section = models.ForeignKey(Section, models.CASCADE, related_name="texts")
    text = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField()
    at = models.DateTimeField(_("waktu"))

    class Meta:
        ordering = ["-at", "-pk"]


class FiguresState(models.TextChoices):
    NONE = "none", _("Belum dihitung")
    WAITING = "waiting", _("Menunggu giliran")
    WORKING = "working", _("Sedang dihitung")
    READY = "ready", _("Siap")
    FAILED = "failed", _("Gagal")


class Figures(models.Model):
    """Tables and charts that take long, as the worker last computed them.

    ``content`` stays until newer ones stand: blocks by section for an LP2KD, a whole
    :class:`guyub.documents.paper.Paper` for the report of an area. The answer to a question lies in
    the cache; of one that has none, ``content`` says why.
    """

    # A worker that is silent for longer has died.
    SILENCE = dt.timedelta(minutes=5)
    # Waiting longer than this, nobody seems to be working.
    PATIENCE = dt.timedelta(minutes=3)

    # "document:12", "area:1", or "question:" and the fingerprint of a question and its reader's reach.
    subject = models.CharField(max_length=60)
    year = models.PositiveSmallIntegerField(_("tahun"))
    language = models.CharField(max_length=5)
    # For a question: what is asked, and by whom, whose permissions count.
    asked = models.JSONField(default=dict)
    content = models.JSONField(default=dict)
    state = models.CharField(
        _("keadaan"), max_length=10, choices=FiguresState.choices, default=FiguresState.NONE
    )
    percent = models.PositiveSmallIntegerField(default=0)
    # When it was asked for, or a worker last said that it is at it.
    touched_at = models.DateTimeField(default=timezone.now)
    computed_at = models.DateTimeField(_("dihitung"), null=True)
    seconds = models.FloatField(default=0)

    class Meta:
        verbose_name = _("angka laporan")
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "year", "language"], name="figures_once_a_language"
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.year}"

    @property
    def is_working(self) -> bool:
        return self.state in (FiguresState.WAITING, FiguresState.WORKING)

    @property
    def is_lost(self) -> bool:
        """Whether the worker that was at it has died, or none takes it up."""
        silent = timezone.now() - self.touched_at
        most = self.SILENCE if self.state == FiguresState.WORKING else self.PATIENCE
        return self.is_working and silent > most


class EditionState(models.TextChoices):
    COUNTING = "counting", _("Menunggu angka")
    WAITING = "waiting", _("Menunggu giliran")
    WORKING = "working", _("Sedang dibuat")
    READY = "ready", _("Siap")
    FAILED = "failed", _("Gagal")


def edition_path(edition: Any, name: str) -> str:
    """Name a stored file by its document and a random part."""
    ending = name.rpartition(".")[2]
    return f"documents/{edition.document_id}/{uuid.uuid4().hex}.{ending}"


class Edition(models.Model):
    """A document as it stood at one moment: its words, its figures, and the files made of them.

    ``number`` counts the issued editions of a document from 1; without one it is a trial print of a
    draft. ``content`` is the whole :class:`guyub.documents.paper.Paper`, ``digest`` its SHA-256;
    ``digests`` holds those of the files, by format.
    """

    document = models.ForeignKey(Document, models.PROTECT, related_name="editions")
    number = models.PositiveSmallIntegerField(_("edisi"), null=True)
    note = models.TextField(_("keterangan"), blank=True)
    content = models.JSONField()
    # Empty while its figures are being computed: its words are frozen, its figures are to come.
    digest = models.CharField(_("SHA-256"), max_length=64, blank=True)
    language = models.CharField(max_length=5, default="id")
    state = models.CharField(
        _("keadaan"), max_length=10, choices=EditionState.choices, default=EditionState.WAITING
    )
    percent = models.PositiveSmallIntegerField(default=0)
    # When a worker last said that it is at it.
    touched_at = models.DateTimeField(default=timezone.now)
    pdf = models.FileField(upload_to=edition_path, blank=True)
    docx = models.FileField(upload_to=edition_path, blank=True)
    xlsx = models.FileField(upload_to=edition_path, blank=True)
    digests = models.JSONField(default=dict)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    issued_at = models.DateTimeField(_("diterbitkan"))

    class Meta:
        ordering = ["-number", "-pk"]
        verbose_name = _("edisi LP2KD")
        constraints = [
            models.UniqueConstraint(
                fields=["document", "number"],
                condition=models.Q(number__isnull=False),
                name="edition_number_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.document} · {self.name}"

    @property
    def name(self) -> str:
        """*Edisi 2*, or what a draft is called."""
        return str(_("Edisi %(n)d") % {"n": self.number} if self.number else _("Rancangan"))

    @property
    def is_working(self) -> bool:
        return self.state in (EditionState.COUNTING, EditionState.WAITING, EditionState.WORKING)


class Sharing(models.TextChoices):
    """Who besides its author may open a built report. Its figures are always the reader's own."""

    PRIVATE = "private", _("Hanya saya")
    AGENCY = "agency", _("Perangkat daerah saya")
    LINK = "link", _("Siapa pun yang masuk dan punya tautannya")
    ALL = "all", _("Semua pengguna")


class BuiltReport(models.Model):
    """A report that somebody built: a question (see :mod:`guyub.documents.question`) with a name."""

    name = models.CharField(_("nama"), max_length=120)
    description = models.CharField(_("keterangan"), max_length=300, blank=True)
    question = models.JSONField()
    sharing = models.CharField(
        _("dibagikan kepada"), max_length=10, choices=Sharing.choices, default=Sharing.PRIVATE
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    # Of the owner when it was saved.
    agency = models.ForeignKey(Agency, models.PROTECT, null=True, blank=True, related_name="+")
    # Stands in its address, so that a report shared by link is found by those who have it alone.
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(_("dibuat"), auto_now_add=True)
    updated_at = models.DateTimeField(_("diubah"), auto_now=True)

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("laporan tersusun")

    def __str__(self) -> str:
        return self.name


class ReportKind(models.TextChoices):
    LP2KD = "lp2kd", _("LP2KD (edisi terbaru)")
    AGENCY = "agency", _("Laporan perangkat daerah")
    AREA = "area", _("Laporan wilayah")
    PROGRAM = "program", _("Laporan program")
    BUILT = "built", _("Laporan tersusun")


class Rhythm(models.TextChoices):
    WEEKLY = "weekly", _("Mingguan (Senin)")
    MONTHLY = "monthly", _("Bulanan (tanggal 1)")
    QUARTERLY = "quarterly", _("Triwulanan")


class Carriage(models.TextChoices):
    ATTACHMENT = "attachment", _("Lampiran")
    LINK = "link", _("Tautan (dibuka setelah masuk)")


class FileFormat(models.TextChoices):
    PDF = "pdf", "PDF"
    XLSX = "xlsx", "Excel"
    DOCX = "docx", "Word"


class Schedule(models.Model):
    """A report that is mailed to some users again and again."""

    kind = models.CharField(_("laporan"), max_length=10, choices=ReportKind.choices)
    agency = models.ForeignKey(Agency, models.CASCADE, null=True, blank=True, related_name="+")
    area = models.ForeignKey(Area, models.CASCADE, null=True, blank=True, related_name="+")
    program = models.ForeignKey(Program, models.CASCADE, null=True, blank=True, related_name="+")
    built = models.ForeignKey(
        BuiltReport, models.CASCADE, null=True, blank=True, related_name="schedules"
    )
    rhythm = models.CharField(
        _("jadwal"), max_length=10, choices=Rhythm.choices, default=Rhythm.MONTHLY
    )
    carriage = models.CharField(
        _("dikirim sebagai"), max_length=10, choices=Carriage.choices, default=Carriage.LINK
    )
    format = models.CharField(
        _("bentuk berkas"), max_length=5, choices=FileFormat.choices, default=FileFormat.PDF
    )
    recipients = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="report_schedules", verbose_name=_("penerima")
    )
    is_paused = models.BooleanField(_("dijeda"), default=False)
    # The day on which it goes out next.
    next_on = models.DateField(_("pengiriman berikutnya"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["next_on", "pk"]
        verbose_name = _("jadwal pengiriman laporan")
        indexes = [models.Index(fields=["is_paused", "next_on"], name="schedule_by_day")]

    def __str__(self) -> str:
        subject = (
            self.agency or (self.area.title if self.area else None) or self.program or self.built
        )
        label = self.get_kind_display()
        return f"{label}: {subject}" if subject is not None else str(label)


class DispatchState(models.TextChoices):
    WAITING = "waiting", _("Menunggu")
    SENT = "sent", _("Terkirim")
    FAILED = "failed", _("Gagal")
    DROPPED = "dropped", _("Tidak dikirim")


class Dispatch(models.Model):
    """One message of a schedule to one user for one day. There is never a second."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="dispatches")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    due_on = models.DateField(_("untuk tanggal"))
    state = models.CharField(
        _("keadaan"), max_length=10, choices=DispatchState.choices, default=DispatchState.WAITING
    )
    tries = models.PositiveSmallIntegerField(_("percobaan"), default=0)
    # Whoever sends it holds it until then; after that it was given up and another may.
    held_until = models.DateTimeField(null=True)
    error = models.CharField(_("sebab"), max_length=250, blank=True)
    sent_at = models.DateTimeField(_("terkirim"), null=True)

    class Meta:
        ordering = ["-due_on", "-pk"]
        verbose_name = _("pengiriman laporan")
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "user", "due_on"], name="dispatch_once_a_day"
            )
        ]
        indexes = [models.Index(fields=["state", "due_on"], name="dispatch_by_state")]
