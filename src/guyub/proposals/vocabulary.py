"""What a proposal may be, why it is made, how far it is, and how long each step may take."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ProposalKind(models.TextChoices):
    PROPOSE = "propose", _("Usulan")
    OBJECT = "object", _("Sanggahan")
    COMPLAINT = "complaint", _("Pengaduan")


class Reason(models.TextChoices):
    UNLISTED = "unlisted", _("Miskin, belum ada di daftar mana pun")
    NEW_FAMILY = "new_family", _("Keluarga baru (menikah, pecah KK, pindah masuk)")
    SHOCK = "shock", _("Jatuh miskin (sakit, bencana, kehilangan pekerjaan)")
    PROPOSE_OTHER = "propose_other", _("Usulan karena alasan lain")
    MOVED = "moved", _("Sudah pindah")
    DIED = "died", _("Semua anggotanya sudah meninggal")
    WELL_OFF = "well_off", _("Sudah mampu")
    NOT_FOUND = "not_found", _("Tidak dikenal di alamat itu")
    OBJECT_OTHER = "object_other", _("Sanggahan karena alasan lain")
    DATA_WRONG = "data_wrong", _("Data keluarga keliru")
    HELP_MISSING = "help_missing", _("Bantuan tidak diterima")
    HELP_UNFAIR = "help_unfair", _("Bantuan diterima yang tidak berhak")
    LEVY = "levy", _("Pungutan atau potongan bantuan")
    CONDUCT = "conduct", _("Perilaku petugas")
    COMPLAINT_OTHER = "complaint_other", _("Pengaduan lain")


REASONS: dict[str, tuple[Reason, ...]] = {
    ProposalKind.PROPOSE: (
        Reason.UNLISTED, Reason.NEW_FAMILY, Reason.SHOCK, Reason.PROPOSE_OTHER,
    ),
    ProposalKind.OBJECT: (
        Reason.MOVED, Reason.DIED, Reason.WELL_OFF, Reason.NOT_FOUND, Reason.OBJECT_OTHER,
    ),
    ProposalKind.COMPLAINT: (
        Reason.DATA_WRONG, Reason.HELP_MISSING, Reason.HELP_UNFAIR, Reason.LEVY, Reason.CONDUCT,
        Reason.COMPLAINT_OTHER,
    ),
}  # fmt: skip
# Complaints about those who serve the village: neither the village nor other agencies read them.
CONFIDENTIAL = (Reason.LEVY, Reason.CONDUCT)


def kind_of(reason: str) -> ProposalKind:
    """Return the kind that a reason belongs to."""
    return next(ProposalKind(kind) for kind, reasons in REASONS.items() if reason in reasons)


class ProposalState(models.TextChoices):
    SUBMITTED = "submitted", _("Baru masuk")
    DELIBERATED = "deliberated", _("Sudah dimusyawarahkan")
    VERIFIED = "verified", _("Sudah diverifikasi")
    DECIDED = "decided", _("Diputus")
    APPEALED = "appealed", _("Banding")
    FINAL = "final", _("Putusan akhir")
    ANSWERED = "answered", _("Dijawab")


class Outcome(models.TextChoices):
    ACCEPTED = "accepted", _("Diterima")
    REJECTED = "rejected", _("Ditolak")


class StepKind(models.TextChoices):
    SUBMITTED = "submitted", _("Diajukan")
    TURNED = "turned", _("Dijadikan usulan atau sanggahan")
    DELIBERATED = "deliberated", _("Musyawarah desa")
    VERIFIED = "verified", _("Verifikasi lapangan")
    DECIDED = "decided", _("Putusan")
    APPEALED = "appealed", _("Banding diajukan")
    APPEAL_DECIDED = "appeal_decided", _("Putusan banding")
    ANSWERED = "answered", _("Jawaban")


# Days from entering a state until the next step is due (after a decision: until it can no longer be
# appealed). Guyub's own choice; docs/proposals.md lists them.
STEP_DAYS: dict[str, int] = {
    ProposalState.SUBMITTED: 14,
    ProposalState.DELIBERATED: 14,
    ProposalState.VERIFIED: 10,
    ProposalState.DECIDED: 14,
    ProposalState.APPEALED: 14,
}
# States in which somebody has to do something.
OPEN_STATES = (
    ProposalState.SUBMITTED,
    ProposalState.DELIBERATED,
    ProposalState.VERIFIED,
    ProposalState.APPEALED,
)
