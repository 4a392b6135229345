"""What the report builder can count: its subjects, with their dimensions, measures and who reads them.

No subject has a dimension that names or numbers a person or household.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, TruncMonth
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.access.permissions import Scope, scope_of
from guyub.agencies.models import Agency
from guyub.areas.models import Area, Level
from guyub.beneficiaries.models import Delivery, Enrolment, Stage
from guyub.obstacles.models import Category, Obstacle, ObstacleState, Severity
from guyub.programs.models import Funding, SubActivity
from guyub.programs.vocabulary import FundingSource, HelpKind, Strategy
from guyub.proposals import queries as proposals
from guyub.proposals.vocabulary import Outcome, ProposalKind, ProposalState
from guyub.registry import vocabulary as v
from guyub.registry.models import Household, Person
from guyub.registry.queries import villages_of
from guyub.reports.models import Report, ReportState, Timeliness
from guyub.reports.queries import REPORTED, timely

Labels = Callable[[], dict[Any, str]]


@dataclass(frozen=True)
class Dimension:
    """What rows, columns and filters can be. ``expression`` gives the value that is grouped by.

    ``labels`` names the values in the order in which they are shown; without it the value itself is
    shown and sorted, newest first. A dimension that ``is_long`` (villages, sub-activities) offers no
    filter.
    """

    key: str
    label: Any
    expression: Any
    labels: Labels | None = None
    is_long: bool = False

    def name(self, value: Any, labels: dict[Any, str]) -> str:
        if value is None or value == "":
            return str(_("Tidak diketahui"))
        if self.labels is not None:
            return str(labels.get(value, value))
        if isinstance(value, dt.date):
            return date_format(value, "F Y")
        if isinstance(value, bool):
            return str(_("Ya") if value else _("Tidak"))
        return str(value)


@dataclass(frozen=True)
class Measure:
    """What is reckoned: a count, a sum or a mean. ``kind`` says how it is written out.

    ``total`` is the aggregate; a mean is ``total`` over ``weight``, so that means of rows can be
    put together rightly.
    """

    key: str
    label: Any
    total: Any
    weight: Any = None
    kind: str = "count"
    # Whether the parts may be added up. Distinct things that stand in several parts may not.
    adds_up: bool = True

    @property
    def is_mean(self) -> bool:
        return self.weight is not None


@dataclass(frozen=True)
class Subject:
    key: str
    label: Any
    explained: Any
    permission: str
    rows: Callable[[Any], QuerySet[Any]]
    dimensions: Sequence[Dimension]
    measures: Sequence[Measure]
    source: Any
    from_registry: bool = False
    # Processor seconds that the dearest question takes for a million people in the registry, measured
    # (docs/benchmarks.md); none where it does not grow with the registry.
    cost: float = 0.0

    def dimension(self, key: str) -> Dimension | None:
        return next((d for d in self.dimensions if d.key == key), None)

    def measure(self, key: str) -> Measure | None:
        return next((m for m in self.measures if m.key == key), None)

    @property
    def filters(self) -> list[Dimension]:
        return [d for d in self.dimensions if not d.is_long and d.labels is not None]


def _choices(choices: Any) -> Labels:
    return lambda: {value: str(label) for value, label in choices.choices}


def _districts() -> dict[Any, str]:
    return dict(Area.objects.filter(level=Level.DISTRICT).values_list("pk", "name"))


def _villages() -> dict[Any, str]:
    rows = Area.objects.filter(level=Level.VILLAGE).order_by("parent__name", "name")
    return {pk: f"{name} ({of})" for pk, name, of in rows.values_list("pk", "name", "parent__name")}


def _agencies() -> dict[Any, str]:
    return {agency.pk: str(agency) for agency in Agency.objects.all()}


def _yes_no() -> dict[Any, str]:
    return {True: str(_("Ya")), False: str(_("Tidak"))}


def _desils() -> dict[Any, str]:
    return {n: _("Desil %(n)d") % {"n": n} for n in range(1, 11)}


def _years() -> dict[Any, str]:
    years = SubActivity.objects.order_by("-year").values_list("year", flat=True).distinct()
    return {year: str(year) for year in years}


def _sub_activities() -> dict[Any, str]:
    rows = SubActivity.objects.select_related("agency").order_by("-year", "name")
    return {part.pk: f"{part.name} ({part.agency}, {part.year})" for part in rows}


# Oldest years first: (key, label, from age, to age).
AGES = (
    ("0-4", gettext_lazy("0–4 tahun"), 0, 4),
    ("5-6", gettext_lazy("5–6 tahun"), 5, 6),
    ("7-12", gettext_lazy("7–12 tahun"), 7, 12),
    ("13-15", gettext_lazy("13–15 tahun"), 13, 15),
    ("16-18", gettext_lazy("16–18 tahun"), 16, 18),
    ("19-59", gettext_lazy("19–59 tahun"), 19, 59),
    ("60+", gettext_lazy("60 tahun ke atas"), 60, 200),
)


def _years_before(day: dt.date, years: int) -> dt.date:
    year = max(1, day.year - years)
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return day.replace(year=year, day=28)


def _age(today: dt.date | None = None) -> Case:
    """Return the age group. Who was born on or before the day ``n`` years ago is at least ``n``."""
    day = today or timezone.localdate()
    return Case(
        *(
            When(birth_date__lte=_years_before(day, low), then=Value(key))
            for key, _label, low, _high in reversed(AGES)
        ),
        default=Value(""),
    )


def _age_labels() -> dict[Any, str]:
    return {key: str(label) for key, label, _low, _high in AGES}


def _within_reach(user: Any, permission: str, path: str) -> Q:
    """Narrow rows to the area of a reader whose role reaches its own area alone."""
    if scope_of(user, permission) is not Scope.OWN_AREA:
        return Q()
    return Q(**{f"{path}__in": villages_of(user) or []})


def _households(user: Any) -> QuerySet[Any]:
    reach = _within_reach(user, "registry.view", "village_id")
    return Household.objects.filter(reach, status=v.Status.ACTIVE)


def _people(user: Any) -> QuerySet[Any]:
    reach = _within_reach(user, "registry.view", "household__village_id")
    return Person.objects.filter(reach, status=v.Status.ACTIVE, household__status=v.Status.ACTIVE)


def _enrolments(user: Any) -> QuerySet[Any]:
    reach = _within_reach(user, "beneficiaries.view", "household__village_id")
    return Enrolment.objects.filter(reach)


def _deliveries(user: Any) -> QuerySet[Any]:
    reach = _within_reach(user, "beneficiaries.view", "enrolment__household__village_id")
    return Delivery.objects.filter(reach)


def _parts(user: Any) -> QuerySet[Any]:
    budget = (
        Funding.objects.filter(sub_activity=OuterRef("pk"))
        .order_by()
        .values("sub_activity")
        .annotate(total=Sum("amount"))
        .values("total")
    )
    realised = (
        Report.objects.filter(sub_activity=OuterRef("pk"), state__in=REPORTED)
        .order_by("-period_end")
        .values("budget")[:1]
    )
    zero = {"output_field": BigIntegerField()}
    return SubActivity.objects.filter(is_cancelled=False).annotate(
        own_budget=Coalesce(Subquery(budget), 0, **zero),
        own_realised=Coalesce(Subquery(realised), 0, **zero),
    )


def _reports(user: Any) -> QuerySet[Any]:
    return Report.objects.filter(sub_activity__is_cancelled=False)


def _timeliness() -> Case:
    today = timezone.localdate()
    return Case(
        *(When(timely(kind, today), then=Value(kind.value)) for kind in Timeliness),
        default=Value(""),
    )


DISTRICT, VILLAGE = gettext_lazy("Kecamatan"), gettext_lazy("Desa/kelurahan")
COUNT = Count("pk")


def _coded(path: str, names: Sequence[tuple[str, Any, Any]]) -> list[Dimension]:
    return [
        Dimension(key, label, F(path + key), _choices(choices)) for key, label, choices in names
    ]


HOUSE = (
    ("floor", gettext_lazy("Lantai"), v.Floor),
    ("wall", gettext_lazy("Dinding"), v.Wall),
    ("roof", gettext_lazy("Atap"), v.Roof),
    ("sanitation", gettext_lazy("Jamban"), v.Sanitation),
    ("water", gettext_lazy("Air minum"), v.Water),
    ("electricity", gettext_lazy("Listrik"), v.Electricity),
    ("ownership", gettext_lazy("Status rumah"), v.Ownership),
)
PERSON = (
    ("sex", gettext_lazy("Jenis kelamin"), v.Sex),
    ("relation", gettext_lazy("Hubungan"), v.Relation),
    ("disability", gettext_lazy("Disabilitas"), v.Disability),
    ("work", gettext_lazy("Pekerjaan"), v.Work),
    ("schooling", gettext_lazy("Pendidikan"), v.Schooling),
    ("health_insurance", gettext_lazy("Jaminan kesehatan"), v.HealthInsurance),
)


def _places(path: str) -> list[Dimension]:
    return [
        Dimension("kecamatan", DISTRICT, F(f"{path}district_id"), _districts),
        Dimension("desa", VILLAGE, F(f"{path}village_id"), _villages, is_long=True),
        Dimension("desil", gettext_lazy("Desil"), F(f"{path}desil"), _desils),
    ]


def _program_parts(path: str) -> list[Dimension]:
    return [
        Dimension("tahun", gettext_lazy("Tahun"), F(f"{path}year"), _years),
        Dimension("perangkat", gettext_lazy("Perangkat daerah"), F(f"{path}agency_id"), _agencies),
        Dimension("bentuk", gettext_lazy("Bentuk bantuan"), F(f"{path}help_kind"), _choices(HelpKind)),
    ]  # fmt: skip


SUBJECTS: tuple[Subject, ...] = (
    Subject(
        "keluarga",
        gettext_lazy("Keluarga"),
        gettext_lazy("Keluarga aktif dalam registri: wilayah, desil, rumah, dan layanan dasar."),
        "registry.view_aggregates",
        _households,
        [
            *_places(""),
            Dimension("ekstrem", gettext_lazy("Miskin ekstrem"), F("extreme_poor"), _yes_no),
            *_coded("", HOUSE),
        ],
        [
            Measure("jumlah", gettext_lazy("Jumlah keluarga"), COUNT),
            Measure("anggota", gettext_lazy("Jumlah anggota"), Sum("member_count")),
            Measure("rata-anggota", gettext_lazy("Rata-rata anggota"), Sum("member_count"), COUNT, "decimal"),
            Measure("rata-pengeluaran", gettext_lazy("Rata-rata pengeluaran per kapita sebulan"), Sum("expenditure"), Count("expenditure"), "rupiah"),
        ],
        gettext_lazy("Registri"),
        True,
        cost=0.6,
    ),
    Subject(
        "jiwa",
        gettext_lazy("Penduduk"),
        gettext_lazy("Anggota keluarga aktif: umur, jenis kelamin, disabilitas, pekerjaan, pendidikan."),
        "registry.view_aggregates",
        _people,
        [
            *_places("household__"),
            Dimension("umur", gettext_lazy("Kelompok umur"), _age, _age_labels),
            *_coded("", PERSON),
        ],
        [Measure("jumlah", gettext_lazy("Jumlah jiwa"), COUNT)],
        gettext_lazy("Registri"),
        True,
        cost=1.8,
    ),
    Subject(
        "penerima",
        gettext_lazy("Penerima bantuan"),
        gettext_lazy("Keluarga dan orang yang terdaftar pada sub kegiatan, menurut tahap."),
        "beneficiaries.view_totals",
        _enrolments,
        [
            *_program_parts(""),
            Dimension("tahap", gettext_lazy("Tahap"), F("stage"), _choices(Stage)),
            Dimension("strategi", gettext_lazy("Strategi"), F("sub_activity__strategy"), _choices(Strategy)),
            *_places("household__"),
            Dimension("sub", gettext_lazy("Sub kegiatan"), F("sub_activity_id"), _sub_activities, is_long=True),
        ],
        [
            Measure("jumlah", gettext_lazy("Jumlah penerima"), COUNT),
            Measure("keluarga", gettext_lazy("Jumlah keluarga (masing-masing sekali)"), Count("household", distinct=True), adds_up=False),
        ],
        gettext_lazy("Penerima"),
        cost=0.9,
    ),
    Subject(
        "penyaluran",
        gettext_lazy("Penyaluran"),
        gettext_lazy("Bantuan yang diserahkan: berapa kali, berapa rupiah, bulan apa."),
        "beneficiaries.view_totals",
        _deliveries,
        [
            *_program_parts("sub_activity__"),
            Dimension("bulan", gettext_lazy("Bulan"), lambda: TruncMonth("delivered_on")),
            *_places("enrolment__household__"),
            Dimension("sub", gettext_lazy("Sub kegiatan"), F("sub_activity_id"), _sub_activities, is_long=True),
        ],
        [
            Measure("nilai", gettext_lazy("Nilai (rupiah)"), Sum("amount"), kind="rupiah"),
            Measure("jumlah", gettext_lazy("Banyaknya penyaluran"), COUNT),
            Measure("rata-nilai", gettext_lazy("Rata-rata nilai"), Sum("amount"), COUNT, "rupiah"),
        ],
        gettext_lazy("Penyaluran"),
        cost=0.8,
    ),
    Subject(
        "program",
        gettext_lazy("Program dan realisasi"),
        gettext_lazy("Sub kegiatan yang berjalan: anggaran, realisasi terakhir, dan kuota."),
        "programs.view",
        _parts,
        [
            *_program_parts(""),
            Dimension("strategi", gettext_lazy("Strategi"), F("strategy"), _choices(Strategy)),
            Dimension("sub", gettext_lazy("Sub kegiatan"), F("pk"), _sub_activities, is_long=True),
        ],
        [
            Measure("anggaran", gettext_lazy("Anggaran (rupiah)"), Sum("own_budget"), kind="rupiah"),
            Measure("realisasi", gettext_lazy("Realisasi (rupiah)"), Sum("own_realised"), kind="rupiah"),
            Measure("serapan", gettext_lazy("Serapan (%)"), Sum("own_realised") * 100, Sum("own_budget"), "percent"),
            Measure("jumlah", gettext_lazy("Jumlah sub kegiatan"), COUNT),
            Measure("kuota", gettext_lazy("Kuota"), Sum("quota")),
        ],
        gettext_lazy("Program dan laporan kemajuan"),
    ),
    Subject(
        "dana",
        gettext_lazy("Sumber dana"),
        gettext_lazy("Anggaran menurut sumber dana."),
        "programs.view",
        lambda user: Funding.objects.filter(sub_activity__is_cancelled=False),
        [
            *_program_parts("sub_activity__"),
            Dimension("sumber", gettext_lazy("Sumber dana"), F("source"), _choices(FundingSource)),
            Dimension("strategi", gettext_lazy("Strategi"), F("sub_activity__strategy"), _choices(Strategy)),
        ],
        [Measure("anggaran", gettext_lazy("Anggaran (rupiah)"), Sum("amount"), kind="rupiah")],
        gettext_lazy("Program"),
    ),
    Subject(
        "laporan",
        gettext_lazy("Laporan kemajuan"),
        gettext_lazy("Laporan sub kegiatan: keadaan, ketepatan waktu, kemajuan fisik."),
        "reports.view",
        _reports,
        [
            *_program_parts("sub_activity__"),
            Dimension("periode", gettext_lazy("Akhir periode"), lambda: TruncMonth("period_end")),
            Dimension("keadaan", gettext_lazy("Keadaan"), F("state"), _choices(ReportState)),
            Dimension("tepat", gettext_lazy("Ketepatan waktu"), _timeliness, _choices(Timeliness)),
        ],
        [
            Measure("jumlah", gettext_lazy("Jumlah laporan"), COUNT),
            Measure("rata-fisik", gettext_lazy("Rata-rata realisasi fisik (%)"), Sum("physical"), Count("physical"), "percent"),
        ],
        gettext_lazy("Laporan kemajuan"),
    ),
    Subject(
        "kendala",
        gettext_lazy("Kendala"),
        gettext_lazy("Kendala program: jenis, tingkat, keadaan, dan siapa yang dibutuhkan."),
        "obstacles.view",
        lambda user: Obstacle.objects.all(),
        [
            Dimension("jenis", gettext_lazy("Jenis"), F("category"), _choices(Category)),
            Dimension("tingkat", gettext_lazy("Tingkat"), F("severity"), _choices(Severity)),
            Dimension("keadaan", gettext_lazy("Keadaan"), F("state"), _choices(ObstacleState)),
            Dimension("dibutuhkan", gettext_lazy("Dibutuhkan dari"), F("needed_agency_id"), _agencies),
            Dimension("pelapor", gettext_lazy("Pelapor"), F("agency_id"), _agencies),
            Dimension("bulan", gettext_lazy("Bulan dilaporkan"), lambda: TruncMonth("reported_at")),
        ],
        [Measure("jumlah", gettext_lazy("Jumlah kendala"), COUNT)],
        gettext_lazy("Kendala"),
    ),
    Subject(
        "usul",
        gettext_lazy("Usul, sanggah, pengaduan"),
        gettext_lazy("Yang diajukan desa dan warga: jenis, keadaan, dan putusan."),
        "proposals.view",
        lambda user: proposals.visible_to(user).select_related(None),
        [
            Dimension("jenis", gettext_lazy("Jenis"), F("kind"), _choices(ProposalKind)),
            Dimension("keadaan", gettext_lazy("Keadaan"), F("state"), _choices(ProposalState)),
            Dimension("putusan", gettext_lazy("Putusan"), F("outcome"), _choices(Outcome)),
            Dimension("kecamatan", DISTRICT, F("village__parent_id"), _districts),
            Dimension("desa", VILLAGE, F("village_id"), _villages, is_long=True),
            Dimension("bulan", gettext_lazy("Bulan diajukan"), lambda: TruncMonth("submitted_at")),
        ],
        [Measure("jumlah", gettext_lazy("Jumlah usulan"), COUNT)],
        gettext_lazy("Usul-sanggah"),
    ),
)  # fmt: skip
BY_KEY = {subject.key: subject for subject in SUBJECTS}
