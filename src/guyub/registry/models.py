"""The registry of the poor: households, people, where each value came from and how it changed."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.access.masking import mask_number
from guyub.access.sealed_fields import SealedNumberField, SealedNumberIfAnyField
from guyub.areas.models import Area
from guyub.datasets.models import Dataset, Version
from guyub.registry import vocabulary as v

sixteen_digits = RegexValidator(r"^\d{16}$", _("Harus tepat 16 angka."))


class Channel(models.TextChoices):
    """How a value came in."""

    IMPORT = "import", _("Impor")
    MANUAL = "manual", _("Isian langsung")
    FIELD = "field", _("Kunjungan lapangan")


class Origin(models.Model):
    """Where a set of values came from: which dataset version or which person, and as of when.

    Every household and person points at the origin of its values (``origin``), with the exceptions
    by field name in ``origins``. One import makes one origin, as does one manual edit.
    """

    channel = models.CharField(_("cara masuk"), max_length=10, choices=Channel.choices)
    version = models.ForeignKey(
        Version, models.PROTECT, null=True, blank=True, related_name="origins"
    )
    dataset = models.ForeignKey(
        Dataset, models.PROTECT, null=True, blank=True, related_name="origins"
    )
    as_of = models.DateField(_("per tanggal"))
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    entered_at = models.DateTimeField(_("dimasukkan"), auto_now_add=True)
    note = models.CharField(_("keterangan"), max_length=250, blank=True)

    class Meta:
        verbose_name = _("asal data")

    def __str__(self) -> str:
        return str(self.dataset) if self.dataset is not None else str(self.get_channel_display())

    @property
    def short_name(self) -> str:
        """The dataset's code as agencies write it (*DTSEN*), or how the value came in."""
        return self.dataset.code.upper() if self.dataset is not None else str(self)


class Sourced(models.Model):
    """Something each of whose values has an origin."""

    origin = models.ForeignKey(Origin, models.PROTECT, related_name="+")
    # {"field": origin id} for the values that did not come with `origin`.
    origins = models.JSONField(default=dict, blank=True)
    status = models.CharField(
        _("status"), max_length=10, choices=v.Status.choices, default=v.Status.ACTIVE
    )
    # The record that this duplicate was merged into; never one that was itself merged.
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="duplicates",
        db_index=False,
    )
    created_at = models.DateTimeField(_("dibuat"), auto_now_add=True)
    updated_at = models.DateTimeField(_("diperbarui"), auto_now=True)

    class Meta:
        abstract = True

    def origin_id_of(self, field: str) -> int:
        """Return the id of the origin of the value of ``field``."""
        return int(self.origins.get(field, self.origin_id))


class Household(Sourced):
    """A household (*keluarga*), known by its family card number where it has one."""

    kk = SealedNumberField(_("nomor KK"), blank=True, validators=[sixteen_digits])
    # Name of the head, kept here for lists; services keep it in step with the members.
    head_name = models.CharField(_("kepala keluarga"), max_length=150, blank=True)
    member_count = models.PositiveSmallIntegerField(_("jumlah anggota"), default=0)
    village = models.ForeignKey(
        Area, models.PROTECT, related_name="+", verbose_name=_("desa/kelurahan")
    )
    # The village's parent, so that district lists are one index range.
    district = models.ForeignKey(
        Area, models.PROTECT, related_name="+", verbose_name=_("kecamatan")
    )
    address = models.CharField(_("alamat"), max_length=250, blank=True)
    hamlet = models.CharField(_("dusun"), max_length=80, blank=True)
    rt = models.CharField(_("RT"), max_length=3, blank=True)
    rw = models.CharField(_("RW"), max_length=3, blank=True)
    floor = models.CharField(_("lantai"), max_length=20, choices=v.Floor.choices, blank=True)
    wall = models.CharField(_("dinding"), max_length=20, choices=v.Wall.choices, blank=True)
    roof = models.CharField(_("atap"), max_length=20, choices=v.Roof.choices, blank=True)
    sanitation = models.CharField(
        _("jamban"), max_length=20, choices=v.Sanitation.choices, blank=True
    )
    water = models.CharField(_("air minum"), max_length=20, choices=v.Water.choices, blank=True)
    electricity = models.CharField(
        _("listrik"), max_length=20, choices=v.Electricity.choices, blank=True
    )
    ownership = models.CharField(
        _("status rumah"), max_length=20, choices=v.Ownership.choices, blank=True
    )
    # Asset codes in alphabetical order, separated by commas.
    assets = models.CharField(_("aset"), max_length=200, blank=True)
    # Rupiah per person per month.
    expenditure = models.PositiveIntegerField(_("pengeluaran per kapita"), null=True, blank=True)
    # Welfare decile: 1 is the poorest tenth.
    desil = models.PositiveSmallIntegerField(
        _("desil"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    extreme_poor = models.BooleanField(_("miskin ekstrem"), null=True, blank=True)
    latitude = models.FloatField(
        _("lintang"),
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )
    longitude = models.FloatField(
        _("bujur"),
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )

    class Meta:
        verbose_name = _("keluarga")
        constraints = [
            models.UniqueConstraint(
                fields=["kk"], condition=~models.Q(kk=""), name="household_kk_unique"
            )
        ]
        indexes = [
            models.Index(fields=["village", "status", "desil", "id"], name="household_by_village"),
            models.Index(
                fields=["district", "status", "desil", "id"], name="household_by_district"
            ),
            models.Index(fields=["status", "desil", "id"], name="household_by_desil"),
            models.Index(
                fields=["merged_into"],
                condition=models.Q(merged_into__isnull=False),
                name="household_merged",
            ),
        ]

    def __str__(self) -> str:
        return self.head_name or _("Keluarga %(number)s") % {"number": self.pk}

    @property
    def area_code(self) -> str:
        return self.village.code

    @property
    def masked_kk(self) -> str:
        return mask_number(self.kk)

    @property
    def asset_list(self) -> list[str]:
        return [code for code in self.assets.split(",") if code]


class Person(Sourced):
    """A member of a household, known by NIK; a child who has none yet, by household, name and birth date."""

    household = models.ForeignKey(Household, models.PROTECT, related_name="members")
    nik = SealedNumberIfAnyField(_("NIK"), unique=True, validators=[sixteen_digits])
    name = models.CharField(_("nama"), max_length=150)
    sex = models.CharField(_("jenis kelamin"), max_length=1, choices=v.Sex.choices, blank=True)
    birth_date = models.DateField(_("tanggal lahir"), null=True, blank=True)
    birth_place = models.CharField(_("tempat lahir"), max_length=80, blank=True)
    relation = models.CharField(
        _("hubungan"), max_length=20, choices=v.Relation.choices, blank=True
    )
    disability = models.CharField(
        _("disabilitas"), max_length=20, choices=v.Disability.choices, blank=True
    )
    work = models.CharField(_("pekerjaan"), max_length=20, choices=v.Work.choices, blank=True)
    schooling = models.CharField(
        _("pendidikan"), max_length=20, choices=v.Schooling.choices, blank=True
    )
    health_insurance = models.CharField(
        _("jaminan kesehatan"), max_length=20, choices=v.HealthInsurance.choices, blank=True
    )

    class Meta:
        verbose_name = _("anggota keluarga")
        indexes = [
            models.Index(
                fields=["merged_into"],
                condition=models.Q(merged_into__isnull=False),
                name="person_merged",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def area_code(self) -> str:
        return self.household.area_code

    @property
    def masked_nik(self) -> str:
        return mask_number(self.nik)


# Values that come from a source and so have an origin and a history, in the order shown.
HOUSEHOLD_FIELDS = (
    "kk", "village", "address", "hamlet", "rt", "rw", "floor", "wall", "roof", "sanitation",
    "water", "electricity", "ownership", "assets", "expenditure", "desil", "extreme_poor",
    "latitude", "longitude", "status",
)  # fmt: skip
PERSON_FIELDS = (
    "nik", "name", "sex", "birth_date", "birth_place", "relation", "disability", "work",
    "schooling", "health_insurance", "status",
)  # fmt: skip


class Listing(models.Model):
    """A household stands on a dataset's list: since which version, and until which was it seen."""

    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="listings")
    household = models.ForeignKey(
        Household, models.CASCADE, related_name="listings", db_index=False
    )
    first_version = models.ForeignKey(Version, models.PROTECT, related_name="+", db_index=False)
    # Null while the household is on the newest version of the list.
    dropped_version = models.ForeignKey(
        Version, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["household", "dataset"], name="one_listing_per_dataset")
        ]


class SubjectKind(models.TextChoices):
    HOUSEHOLD = "h", _("Keluarga")
    PERSON = "p", _("Anggota")


class ValueChange(models.Model):
    """One value replaced by another: the history behind the present one.

    Where ``field`` is ``nik`` or ``kk``, both are sealed: read them with :func:`unseal`.
    """

    kind = models.CharField(max_length=1, choices=SubjectKind.choices)
    subject_id = models.BigIntegerField()
    # The household whose page shows the change (for a person: the one they lived in then).
    household_id = models.BigIntegerField(db_index=True)
    field = models.CharField(_("data"), max_length=30)
    old = models.TextField(_("semula"), blank=True)
    new = models.TextField(_("menjadi"), blank=True)
    old_origin = models.ForeignKey(
        Origin, models.PROTECT, null=True, related_name="+", db_index=False
    )
    new_origin = models.ForeignKey(Origin, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(_("waktu"))

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["kind", "subject_id"])]


class Move(models.Model):
    """A person went from one household to another."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="moves")
    from_household = models.ForeignKey(Household, models.PROTECT, related_name="departures")
    to_household = models.ForeignKey(Household, models.PROTECT, related_name="arrivals")
    moved_on = models.DateField(_("tanggal pindah"))
    reason = models.CharField(_("alasan"), max_length=250, blank=True)
    origin = models.ForeignKey(Origin, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-moved_on", "-id"]


def photo_path(photo: Any, file_name: str) -> str:
    """Name a stored photo by its household and a random part, never by what its sender called it."""
    return f"photos/{photo.household_id}/{uuid.uuid4().hex}.jpg"


class Photo(models.Model):
    """A picture of a house."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="photos")
    file = models.ImageField(_("foto"), upload_to=photo_path)
    caption = models.CharField(_("keterangan"), max_length=150, blank=True)
    taken_on = models.DateField(_("tanggal"), null=True, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-added_at"]


class Restriction(models.Model):
    """Whose data may not be handed on for now: of one person, or of a whole household.

    Read it through :mod:`guyub.registry.restriction` alone, which says what follows from it.
    """

    # Exactly one of the two.
    household = models.ForeignKey(
        Household, models.CASCADE, null=True, blank=True, related_name="restrictions"
    )
    person = models.ForeignKey(
        Person, models.CASCADE, null=True, blank=True, related_name="restrictions"
    )
    reason = models.CharField(_("alasan"), max_length=250)
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    placed_at = models.DateTimeField(_("dibatasi sejak"), auto_now_add=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    lifted_at = models.DateTimeField(_("dicabut"), null=True, blank=True)
    lift_reason = models.CharField(_("alasan pencabutan"), max_length=250, blank=True)

    class Meta:
        ordering = ["-placed_at", "-pk"]
        verbose_name = _("pembatasan pemrosesan")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(household=None) ^ models.Q(person=None),
                name="restriction_of_one",
            )
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} no. {self.pk}"

    @property
    def whole_household(self) -> bool:
        return self.household_id is not None


class AreaCount(models.Model):
    """Active households and people per village and desil: what aggregate pages read.

    ``desil`` 0 stands for unknown. Services and imports recount the villages they touch.
    """

    village = models.ForeignKey(Area, models.CASCADE, related_name="+")
    district = models.ForeignKey(Area, models.CASCADE, related_name="+", db_index=False)
    desil = models.PositiveSmallIntegerField()
    households = models.PositiveIntegerField(default=0)
    people = models.PositiveIntegerField(default=0)
    extreme_households = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["village", "desil"], name="area_count_village_desil")
        ]


class VersionCount(models.Model):
    """Households and people per district and desil in one dataset version: the trend over time."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="counts")
    district = models.ForeignKey(Area, models.CASCADE, related_name="+", db_index=False)
    desil = models.PositiveSmallIntegerField()
    households = models.PositiveIntegerField(default=0)
    people = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "district", "desil"], name="version_count_unique"
            )
        ]


class SearchKey(models.Model):
    """One spelling-tolerant key in use (see :mod:`guyub.registry.names`): the search vocabulary."""

    key = models.CharField(max_length=24, primary_key=True)


class SearchKeyVariant(models.Model):
    """A key with one letter left out. Two keys one slip apart share a variant (SymSpell)."""

    pk = models.CompositePrimaryKey("variant", "key")
    variant = models.CharField(max_length=24)
    key = models.CharField(max_length=24)


class PersonKey(models.Model):
    """A word of a person's name, by key."""

    pk = models.CompositePrimaryKey("key", "village_id", "person_id")
    key = models.CharField(max_length=24)
    village_id = models.BigIntegerField()
    person_id = models.BigIntegerField()


class AddressKey(models.Model):
    """A word of a household's address, by key."""

    pk = models.CompositePrimaryKey("key", "village_id", "household_id")
    key = models.CharField(max_length=24)
    village_id = models.BigIntegerField()
    household_id = models.BigIntegerField()
