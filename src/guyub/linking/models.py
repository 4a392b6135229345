"""Linking runs, the model they use, and the pairs that a person has looked at."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency
from guyub.datasets.models import Dataset, Version
from guyub.linking.linkage import Thresholds
from guyub.linking.model import first_chances
from guyub.registry.models import Person


class LinkModel(models.Model):
    """One version of what is known beforehand: chances of each level, and the thresholds.

    Versions are never changed; the newest is in force. Each run keeps the chances it counted itself.
    """

    chances = models.JSONField(default=first_chances)  # {comparison: {level: m}}
    accept = models.FloatField(_("diterima mulai bobot"), default=Thresholds.accept)
    review = models.FloatField(_("ditinjau mulai bobot"), default=Thresholds.review)
    margin = models.FloatField(_("jarak ke calon lain"), default=Thresholds.margin)
    note = models.CharField(_("alasan perubahan"), max_length=250, blank=True)
    # How many decisions the chances were learnt from.
    labels = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("dibuat"), auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("model pencocokan")

    def __str__(self) -> str:
        return _("Model %(number)s") % {"number": self.pk}

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(accept=self.accept, review=self.review, margin=self.margin)


class RunKind(models.TextChoices):
    LIST = "list", _("Daftar ke registri")
    DUPLICATES = "duplicates", _("Dugaan ganda dalam registri")


class RunState(models.TextChoices):
    MAPPING = "mapping", _("Menunggu pencocokan kolom")
    WORKING = "working", _("Sedang dicocokkan")
    DONE = "done", _("Selesai")
    FAILED = "failed", _("Gagal")
    CANCELLED = "cancelled", _("Dibatalkan")


class LinkRun(models.Model):
    """One linking. Its bulk data lies in ``<DATA_DIR>/linking/<id>/`` (:class:`RunFolder`)."""

    kind = models.CharField(max_length=12, choices=RunKind.choices, default=RunKind.LIST)
    title = models.CharField(_("nama daftar"), max_length=200)
    # Whose list it is; null for the registry's own duplicates.
    agency = models.ForeignKey(
        Agency, models.PROTECT, null=True, related_name="link_runs", verbose_name=_("pemilik")
    )
    dataset = models.ForeignKey(
        Dataset, models.PROTECT, null=True, blank=True, related_name="link_runs"
    )
    # Set where the rows come from a stored version and not from an uploaded file.
    version = models.ForeignKey(Version, models.PROTECT, null=True, blank=True, related_name="+")
    file_name = models.CharField(_("nama berkas"), max_length=250, blank=True)
    layout = models.JSONField(default=dict)
    mapping = models.JSONField(default=dict)  # {"column position": "field"}
    model = models.ForeignKey(LinkModel, models.PROTECT, null=True, related_name="runs")
    state = models.CharField(
        _("status"),
        max_length=10,
        choices=RunState.choices,
        default=RunState.MAPPING,
        db_index=True,
    )
    # Rows by stage, as the job left them; decisions come on top.
    counts = models.JSONField(default=dict)
    # The chances and Splink's settings as they were used.
    used = models.JSONField(default=dict)
    error = models.TextField(_("kesalahan"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("dimulai"), auto_now_add=True)
    finished_at = models.DateTimeField(_("selesai"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("pencocokan")

    def __str__(self) -> str:
        return self.title

    @property
    def owning_agency_id(self) -> int | None:
        return self.agency_id

    @property
    def is_working(self) -> bool:
        return self.state == RunState.WORKING

    @property
    def is_open(self) -> bool:
        return self.state in (RunState.MAPPING, RunState.WORKING)

    @property
    def is_done(self) -> bool:
        return self.state == RunState.DONE

    @property
    def finds_duplicates(self) -> bool:
        return self.kind == RunKind.DUPLICATES


class Verdict(models.TextChoices):
    SAME = "same", _("Orang yang sama")
    DIFFERENT = "different", _("Orang yang berbeda")


class Pair(models.Model):
    """A pair that a person shall judge, in the order of the queue: heaviest first.

    ``record`` is the row of the list (its number in the file), or a person when duplicates are sought.
    """

    run = models.ForeignKey(LinkRun, models.CASCADE, related_name="pairs", db_index=False)
    record = models.BigIntegerField()
    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    weight = models.FloatField(_("bobot"))
    # {comparison: [level value, weight]}
    weights = models.JSONField(default=dict)
    verdict = models.CharField(max_length=10, choices=Verdict.choices, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "record", "person"], name="one_pair_per_run")
        ]
        indexes = [models.Index(fields=["run", "verdict", "-weight", "id"], name="pair_queue")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.pk}"

    @property
    def owning_agency_id(self) -> int | None:
        return self.run.agency_id


class Decision(models.Model):
    """What a person said about a record and a person of the registry, kept for later runs.

    ``fingerprint`` stands for the record: a keyed hash of what the list says about somebody, or of the
    other person's number among duplicates, so that the table names nobody.
    """

    fingerprint = models.CharField(max_length=64)
    person = models.ForeignKey(Person, models.CASCADE, related_name="link_decisions")
    # The other person, when both are in the registry.
    other = models.ForeignKey(Person, models.CASCADE, null=True, related_name="+")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    weight = models.FloatField()
    weights = models.JSONField(default=dict)
    pair = models.ForeignKey(Pair, models.SET_NULL, null=True, related_name="+")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["-decided_at"]
        constraints = [
            models.UniqueConstraint(fields=["fingerprint", "person"], name="one_decision_per_pair")
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()}"


def current_model() -> LinkModel:
    """Return the model in force; the first is made when there is none."""
    return LinkModel.objects.first() or LinkModel.objects.create()


Weights = dict[str, list[Any]]
