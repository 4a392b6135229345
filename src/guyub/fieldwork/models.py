"""Forms, rounds of visits, what came back from the field and what was decided about it."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from guyub.access.sealed_fields import SealedJSONField
from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.beneficiaries.models import Enrolment
from guyub.fieldwork import member_fields
from guyub.fieldwork.catalogues import catalogue_of
from guyub.fieldwork.vocabulary import (
    ConflictKind,
    LoadState,
    Purpose,
    RoundState,
    Source,
    SubmissionState,
    VisitState,
)
from guyub.programs.models import SubActivity
from guyub.proposals.models import Proposal
from guyub.registry.models import Household, Person


def in_language(texts: dict[str, str], language: str | None = None) -> str:
    """Return the text in the language that is spoken now, else in the first one that there is."""
    wanted = language or get_language() or "id"
    return texts.get(wanted) or next((text for text in texts.values() if text), "")


class Form(models.Model):
    """A form, known to other tools by ``id_string``. What is asked stands in its versions."""

    id_string = models.CharField(_("kode formulir"), max_length=100, unique=True)
    # {language: text}, of the newest version.
    title = models.JSONField(_("judul"), default=dict)
    # Whose it is; without one, the secretariat's and everybody's to use.
    agency = models.ForeignKey(Agency, models.PROTECT, null=True, blank=True, related_name="+")
    is_built_in = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-is_built_in", "id_string"]
        verbose_name = _("formulir")

    def __str__(self) -> str:
        return in_language(self.title) or self.id_string

    @property
    def owning_agency_id(self) -> int | None:
        return self.agency_id


def form_file_path(version: FormVersion, file_name: str) -> str:
    """Name the stored XLSForm by a random part, never by what its sender called it."""
    return f"fieldwork/forms/{uuid.uuid4().hex}.xlsx"


class FormVersion(models.Model):
    """One wording of a form. It is never changed: another wording is another version.

    ``definition`` is as :mod:`guyub.fieldwork.definition` reads it.
    """

    form = models.ForeignKey(Form, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("versi"))
    # What the form's author calls the version.
    name = models.CharField(_("nama versi"), max_length=100, blank=True)
    definition = models.JSONField()
    # SHA-256 of the definition in canonical JSON, so that the same form is not kept twice.
    digest = models.CharField(max_length=64, editable=False)
    # The XLSForm that it was read from, where there was one.
    file = models.FileField(upload_to=form_file_path, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["form", "-number"]
        verbose_name = _("versi formulir")
        constraints = [
            models.UniqueConstraint(fields=["form", "number"], name="form_version_number_unique"),
            models.UniqueConstraint(fields=["form", "digest"], name="form_version_once"),
        ]

    def __str__(self) -> str:
        return gettext("%(form)s, versi %(number)s") % {"form": self.form, "number": self.number}

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise TypeError("A version of a form is never changed; make another.")
        super().save(*args, **options)

    @property
    def owning_agency_id(self) -> int | None:
        return self.form.agency_id


class Round(models.Model):
    """A round of visits with one version of a form (*putaran kunjungan*)."""

    title = models.CharField(_("judul"), max_length=150)
    purpose = models.CharField(
        _("tujuan"), max_length=12, choices=Purpose.choices, default=Purpose.VERIFICATION
    )
    note = models.TextField(_("petunjuk untuk petugas"), blank=True)
    form_version = models.ForeignKey(FormVersion, models.PROTECT, related_name="rounds")
    # Who runs and reviews it; without one, the secretariat.
    agency = models.ForeignKey(Agency, models.PROTECT, null=True, blank=True, related_name="+")
    # Whose candidates are checked, where the round is for that.
    sub_activity = models.ForeignKey(
        SubActivity, models.PROTECT, null=True, blank=True, related_name="+"
    )
    state = models.CharField(
        _("keadaan"), max_length=8, choices=RoundState.choices, default=RoundState.DRAFT
    )
    due_on = models.DateField(_("batas waktu"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("putaran kunjungan")

    def __str__(self) -> str:
        return self.title

    @property
    def owning_agency_id(self) -> int | None:
        return self.agency_id


class Visit(models.Model):
    """A door to knock at in a round: a household of the registry, or an address that is not in it yet.

    ``assignee`` goes there; without one, whoever has that area. ``key`` is its name on phones.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    round = models.ForeignKey(Round, models.PROTECT, related_name="visits")
    household = models.ForeignKey(
        Household, models.PROTECT, null=True, blank=True, related_name="visits"
    )
    village = models.ForeignKey(Area, models.PROTECT, related_name="+")
    # Of whom is not in the registry yet.
    name = models.CharField(_("nama"), max_length=150, blank=True)
    address = models.CharField(_("alamat"), max_length=250, blank=True)
    rt = models.CharField(_("RT"), max_length=3, blank=True)
    rw = models.CharField(_("RW"), max_length=3, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    # What is decided together with the visit.
    enrolment = models.ForeignKey(
        Enrolment, models.SET_NULL, null=True, blank=True, related_name="visits"
    )
    proposal = models.ForeignKey(
        Proposal, models.SET_NULL, null=True, blank=True, related_name="visits"
    )
    state = models.CharField(
        _("keadaan"), max_length=10, choices=VisitState.choices, default=VisitState.TO_GO
    )
    added_at = models.DateTimeField(default=timezone.now)
    # When something about it changed that phones should hear of.
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("kunjungan")
        constraints = [
            models.UniqueConstraint(
                fields=["round", "household"],
                condition=models.Q(household__isnull=False),
                name="visit_once_per_round",
            )
        ]
        indexes = [
            models.Index(fields=["village", "state"], name="visit_by_village"),
            models.Index(fields=["round", "state", "id"], name="visit_by_round"),
            models.Index(fields=["assignee", "state"], name="visit_by_assignee"),
        ]

    def __str__(self) -> str:
        return str(self.household) if self.household is not None else self.name or self.address

    @property
    def area_code(self) -> str:
        return self.village.code

    @property
    def owning_agency_id(self) -> int | None:
        return self.round.agency_id


class Submission(models.Model):
    """What somebody answered once. ``instance`` is the UUID that their device gave it.

    ``answers`` is ``{"/group/question": value}``, with a repeat as a list of the same; media are given
    by the name of their :class:`Attachment`. ``seen`` is what the device knew of the household:
    ``{"values": {field: value}, "members": {person's key: {field: value}}}``, as
    :mod:`guyub.fieldwork.household_fields` and :mod:`guyub.fieldwork.member_fields` write them. Both are sealed.
    """

    instance = models.UUIDField(unique=True)
    form_version = models.ForeignKey(FormVersion, models.PROTECT, related_name="submissions")
    round = models.ForeignKey(
        Round, models.PROTECT, null=True, blank=True, related_name="submissions"
    )
    visit = models.ForeignKey(
        Visit, models.PROTECT, null=True, blank=True, related_name="submissions"
    )
    household = models.ForeignKey(
        Household, models.PROTECT, null=True, blank=True, related_name="submissions"
    )
    village = models.ForeignKey(Area, models.PROTECT, null=True, blank=True, related_name="+")
    source = models.CharField(_("cara masuk"), max_length=5, choices=Source.choices)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    # By the clock of the device.
    begun_at = models.DateTimeField(_("dimulai"), null=True, blank=True)
    finished_at = models.DateTimeField(_("selesai diisi"), null=True, blank=True)
    received_at = models.DateTimeField(_("diterima"), default=timezone.now)
    answers = SealedJSONField()
    seen = SealedJSONField(default=dict)
    # Whom rows about members are about where a person said so: {number of the row: key of the person}.
    matches = models.JSONField(default=dict, blank=True)
    # SHA-256 of what was sent, in canonical JSON: tells a repeated message from another one.
    digest = models.CharField(max_length=64, editable=False)
    # It came after its round had been closed.
    is_late = models.BooleanField(default=False)
    replaces = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="replaced_by"
    )
    state = models.CharField(
        _("keadaan"),
        max_length=10,
        choices=SubmissionState.choices,
        default=SubmissionState.WAITING,
    )
    # Why it is in conflict; empty when it is not.
    conflict = models.CharField(max_length=8, choices=ConflictKind.choices, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.CharField(_("catatan"), max_length=500, blank=True)

    class Meta:
        ordering = ["-received_at", "-pk"]
        verbose_name = _("kiriman lapangan")
        indexes = [
            models.Index(fields=["round", "state", "-received_at"], name="submission_by_round"),
            models.Index(fields=["form_version", "-received_at"], name="submission_by_form"),
        ]

    def __str__(self) -> str:
        return gettext("Kiriman no. %(number)s") % {"number": self.pk}

    @property
    def area_code(self) -> str:
        return self.village.code if self.village is not None else ""

    @property
    def owning_agency_id(self) -> int | None:
        return self.round.agency_id if self.round is not None else self.form_version.form.agency_id


def attachment_path(attachment: Attachment, file_name: str) -> str:
    """Name a stored file by its submission and a random part, never by what its sender called it."""
    return f"fieldwork/{attachment.submission_id}/{uuid.uuid4().hex}"


class Attachment(models.Model):
    """A photo or other file that belongs to an answer. It is announced first and arrives by itself."""

    key = models.UUIDField(unique=True)
    submission = models.ForeignKey(Submission, models.CASCADE, related_name="attachments")
    # As the answer gives it.
    name = models.CharField(max_length=150)
    # The question that it answers.
    path = models.CharField(max_length=250, blank=True)
    media_type = models.CharField(max_length=80, blank=True)
    # Of the bytes as they are sent; empty where the sender did not say.
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveIntegerField(null=True, blank=True)
    file = models.FileField(upload_to=attachment_path, blank=True)
    stored_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("lampiran kiriman")
        constraints = [
            models.UniqueConstraint(fields=["submission", "name"], name="attachment_name_unique")
        ]

    @property
    def area_code(self) -> str:
        return self.submission.area_code

    @property
    def owning_agency_id(self) -> int | None:
        return self.submission.owning_agency_id

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")


def part_path(part: AttachmentPart, file_name: str) -> str:
    return f"fieldwork/parts/{part.attachment.key}/{uuid.uuid4().hex}"


class AttachmentPart(models.Model):
    """A piece of a file of which not all has arrived yet."""

    attachment = models.ForeignKey(Attachment, models.CASCADE, related_name="parts")
    offset = models.PositiveIntegerField()  # bytes
    size = models.PositiveIntegerField()
    file = models.FileField(upload_to=part_path)

    class Meta:
        ordering = ["offset"]
        constraints = [
            models.UniqueConstraint(fields=["attachment", "offset"], name="attachment_part_once")
        ]


class FieldDecision(models.Model):
    """What a person decided about one value of a household, or of a member, after a visit."""

    visit = models.ForeignKey(
        Visit, models.CASCADE, null=True, blank=True, related_name="decisions"
    )
    submission = models.ForeignKey(
        Submission, models.CASCADE, null=True, blank=True, related_name="decisions"
    )
    # Whose value it is, where it is a member's.
    person = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="field_decisions"
    )
    field = models.CharField(max_length=40)
    # A NIK stands here masked; the rest as stored in a value's history: before, and now.
    old = models.CharField(max_length=250, blank=True)
    new = models.CharField(max_length=250, blank=True)
    # There was something to choose between.
    was_disputed = models.BooleanField(default=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("keputusan atas isian")

    @property
    def label(self) -> str:
        if self.field == member_fields.ADDED:
            return gettext("anggota baru")
        known = catalogue_of(self.field).FIELDS.get(self.field)
        label = str(known.label) if known is not None else self.field
        return f"{self.person.name}: {label}" if self.person is not None else label

    @property
    def shown_old(self) -> str:
        return str(catalogue_of(self.field).shown(self.field, self.old))

    @property
    def shown_new(self) -> str:
        return str(catalogue_of(self.field).shown(self.field, self.new))


def upload_path(upload: FormUpload, file_name: str) -> str:
    return f"fieldwork/uploads/{uuid.uuid4().hex}"


class FormUpload(models.Model):
    """A form that somebody has brought and looks at before it is kept as a version."""

    file_name = models.CharField(max_length=150)
    file = models.FileField(upload_to=upload_path)
    agency = models.ForeignKey(Agency, models.CASCADE, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("formulir yang diunggah")

    def __str__(self) -> str:
        return self.file_name

    @property
    def owning_agency_id(self) -> int | None:
        return self.agency_id


def load_path(load: Load, file_name: str) -> str:
    return f"fieldwork/loads/{uuid.uuid4().hex}"


class Load(models.Model):
    """A file with submissions from KoboToolbox or ODK on its way in, and what became of each."""

    form = models.ForeignKey(Form, models.PROTECT, related_name="loads")
    round = models.ForeignKey(Round, models.PROTECT, null=True, blank=True, related_name="loads")
    # Dropped once all of it is in.
    file = models.FileField(upload_to=load_path, blank=True)
    file_name = models.CharField(max_length=150)
    state = models.CharField(
        _("keadaan"), max_length=8, choices=LoadState.choices, default=LoadState.RUNNING
    )
    total = models.PositiveIntegerField(null=True, blank=True)
    done = models.PositiveIntegerField(default=0)
    loaded = models.PositiveIntegerField(_("dimuat"), default=0)
    known = models.PositiveIntegerField(_("sudah ada"), default=0)
    replaced = models.PositiveIntegerField(_("mengganti kiriman lama"), default=0)
    failed = models.PositiveIntegerField(_("gagal"), default=0)
    # Lines of :class:`guyub.fieldwork.loading.Line`; they may quote answers, so they are sealed.
    report = SealedJSONField(default=list)
    error = models.CharField(max_length=500, blank=True)
    agency = models.ForeignKey(Agency, models.PROTECT, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("pemuatan kiriman")

    def __str__(self) -> str:
        return gettext("Pemuatan no. %(number)s") % {"number": self.pk}

    @property
    def owning_agency_id(self) -> int | None:
        return self.agency_id

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0
