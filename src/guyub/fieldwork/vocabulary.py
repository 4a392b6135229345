"""The coded values of field work."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Purpose(models.TextChoices):
    """What a round is for."""

    VERIFICATION = "verify", _("Verifikasi data keluarga")
    CANDIDATES = "candidates", _("Verifikasi calon penerima")
    PROPOSALS = "proposals", _("Verifikasi usulan dan sanggahan")
    SURVEY = "survey", _("Survei")


class RoundState(models.TextChoices):
    DRAFT = "draft", _("Disiapkan")
    OPEN = "open", _("Berjalan")
    CLOSED = "closed", _("Ditutup")


class VisitState(models.TextChoices):
    TO_GO = "to_go", _("Belum dikunjungi")
    SENT = "sent", _("Menunggu tinjauan")
    CONFLICT = "conflict", _("Bentrok")
    DONE = "done", _("Selesai")
    CANCELLED = "cancelled", _("Tidak jadi")


# To go to, or to go to again.
OPEN_VISITS = (VisitState.TO_GO, VisitState.SENT, VisitState.CONFLICT)


class SubmissionState(models.TextChoices):
    WAITING = "waiting", _("Menunggu tinjauan")
    CONFLICT = "conflict", _("Bentrok")
    APPLIED = "applied", _("Diterapkan")
    REJECTED = "rejected", _("Tidak dipakai")
    # Its own sender sent it again, corrected, before anybody had decided.
    SUPERSEDED = "superseded", _("Diganti kiriman baru")


UNDECIDED = (SubmissionState.WAITING, SubmissionState.CONFLICT)


class Source(models.TextChoices):
    """How a submission came in."""

    APP = "app", _("Aplikasi lapangan")
    ODK = "odk", _("ODK Collect")
    KOBO = "kobo", _("KoboToolbox")
    FILE = "file", _("Berkas")
    API = "api", _("API")


class LoadState(models.TextChoices):
    """How far a file of submissions is."""

    RUNNING = "running", _("Sedang dimuat")
    DONE = "done", _("Selesai")
    FAILED = "failed", _("Berhenti")


class ConflictKind(models.TextChoices):
    TWICE = "twice", _("Dua kiriman untuk satu kunjungan")
    CHANGED = "changed", _("Data keluarga berubah sejak diunduh")
