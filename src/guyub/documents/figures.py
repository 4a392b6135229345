"""Tables, charts and maps from live data, for the whole regency or within one agency or area.

Every function returns blocks that state their source. Amounts are rupiah.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.areas.models import Area, Level
from guyub.beneficiaries.models import HELPED, Delivery, Enrolment
from guyub.documents import paper as p
from guyub.documents.paper import Block, Column, Drawing, Table, share, with_sum
from guyub.documents.sources import module_source, registry_source
from guyub.meetings.models import DecisionState, Meeting, MeetingState
from guyub.obstacles.models import UNSOLVED, Category, Obstacle, ObstacleState
from guyub.overlaps.models import CaseState, OverlapCase, Reckoning
from guyub.programs.models import Funding, SubActivity
from guyub.programs.queries import missions_for
from guyub.programs.vocabulary import FundingSource, HelpKind, Strategy
from guyub.proposals.models import Proposal
from guyub.proposals.vocabulary import OPEN_STATES, Outcome, ProposalKind
from guyub.registry import tallies
from guyub.registry.measures import MEASURES, Choice, Tally, total
from guyub.registry.models import Household
from guyub.registry.tilemap import build_map
from guyub.registry.vocabulary import Status
from guyub.reports.models import Report
from guyub.reports.queries import REPORTED
from guyub.targets import queries as targets
from guyub.targets.drawings import PLACES
from guyub.targets.models import Measure, PublishedFigure
from guyub.ui.charts import bars, yearly

PAST_YEARS = 6


# Official figures


def published(year: int) -> list[Block]:
    """Return what Statistics Indonesia published for the years up to ``year``, and the P0 chart."""
    found: dict[str, dict[tuple[str, int], PublishedFigure]] = defaultdict(dict)
    years = range(year - PAST_YEARS + 1, year + 1)
    for figure in PublishedFigure.objects.filter(year__in=years):
        found[figure.measure][figure.area_code, figure.year] = figure
    shown = [y for y in years if any((settings.REGENCY_CODE, y) in f for f in found.values())]
    rows, sources, doubtful = [], set(), False
    for measure in Measure:
        figures = [found[measure].get((settings.REGENCY_CODE, y)) for y in shown]
        if not any(figures):
            continue
        places = PLACES[measure]
        rows.append(
            [measure.label, *(p.written(f.value, p.DECIMAL, places) if f else "–" for f in figures)]
        )
        sources |= {f.source for f in figures if f}
        doubtful |= any(f is not None and not f.is_verified for f in figures)
    note = _("Sebagian angka belum dicocokkan dengan terbitannya.") if doubtful else ""
    blocks: list[Block] = [
        Table(
            _("Angka kemiskinan dan pembangunan %(regency)s") % {"regency": settings.REGENCY_NAME},
            [Column(_("Ukuran")), *(Column(str(y), p.YEAR) for y in shown)],
            rows,
            "; ".join(sorted(sources)) or "BPS",
            note=note,
        )
    ]
    p0 = found[Measure.P0]
    names = {c: n for c, n in targets.area_names().items() if any(k[0] == c for k in p0)}
    known = [y for y in years if any((c, y) in p0 for c in names)]
    if len(known) > 1:
        values = {key: f.value for key, f in p0.items()}
        chart = yearly(
            "p0",
            _("Persentase penduduk miskin"),
            [str(name) for name in names.values()],
            [(y, [values.get((c, y)) for c in names]) for y in known],
            year=_("Tahun"),
            table=[
                (str(y), *(p.written(values.get((c, y)), p.DECIMAL, 2) for c in names))
                for y in known
            ],
        )
        blocks.append(Drawing(chart, "; ".join(sorted({f.source for f in p0.values()}))))
    return blocks


def indicators(year: int, owner: str = "") -> list[Block]:
    """Return targets and realisation of the indicators in ``year``."""
    rows = []
    for row in targets.indicators(year=year, owner=owner):
        progress, places = row.progress, row.indicator.decimals
        if progress.target is None and progress.actual is None:
            continue
        rows.append(
            [
                row.indicator.name,
                row.indicator.unit,
                p.written(progress.target, p.DECIMAL, places),
                p.written(progress.actual, p.DECIMAL, places),
                progress.achievement,
                str(progress.standing_label),
            ]
        )
    return [
        Table(
            _("Target dan realisasi indikator tahun %(year)d") % {"year": year},
            [
                Column(_("Indikator")), Column(_("Satuan")), Column(_("Target"), p.YEAR),
                Column(_("Realisasi"), p.YEAR), Column(_("Capaian"), p.PERCENT), Column(_("Keadaan")),
            ],
            rows,
            module_source(_("Indikator")),
        )
    ]  # fmt: skip


# The registry


def welfare(tally: Tally, place: str) -> list[Block]:
    """Return households and people of a place by desil."""
    rows: list[list[Any]] = [
        [
            _("Desil %(n)d") % {"n": n} if n else _("Belum diketahui"),
            tally.households[n],
            tally.people[n],
            share(tally.households[n], tally.all_households),
        ]
        for n in [*range(1, 11), 0]
        if tally.households[n]
    ]
    rows = with_sum(rows, _("Semua"), (1, 2))
    if rows:
        rows[-1][3] = 100.0
    blocks: list[Block] = [
        Table(
            _("Keluarga menurut desil kesejahteraan di %(place)s") % {"place": place},
            [
                Column(_("Desil")), Column(_("Keluarga"), p.COUNT), Column(_("Jiwa"), p.COUNT),
                Column(_("Bagian keluarga"), p.PERCENT),
            ],
            rows,
            registry_source(),
            summed=True,
            note=_("Miskin ekstrem: %(n)s keluarga.")
            % {"n": p.written(tally.extreme_households, p.COUNT)},
        )
    ]  # fmt: skip
    if rows:
        chart = bars(
            "desil",
            _("Keluarga menurut desil di %(place)s") % {"place": place},
            [(row[0], row[1]) for row in rows[:-1]],
            label=_("Desil"),
            value=_("Keluarga"),
        )
        blocks.append(Drawing(chart, registry_source()))
    return blocks


def map_of_poor() -> list[Block]:
    """Return the map of the districts by households in desil 1 and 2, as on the first page."""
    by_district = tallies.tallies_by_district()
    if not by_district:
        return []
    picture = build_map(tallies.districts(), by_district, Choice(MEASURES[1]))
    title = _("Sebaran keluarga desil 1–2 menurut kecamatan")
    return [Drawing(picture.chart("peta", title), registry_source(), width=588)]


def welfare_by_area(areas: list[Area], known: dict[int, Tally], first: str) -> list[Block]:
    """Return the poor of each of ``areas``, those with most of desil 1 and 2 first."""
    rows: list[list[Any]] = []
    for area in areas:
        tally = known.get(area.pk, Tally())
        rows.append(
            [
                area.name,
                tally.all_households,
                tally.households[1],
                tally.poor_households,
                tally.poor_people,
                tally.extreme_households,
                share(tally.poor_households, tally.all_households),
            ]
        )
    rows.sort(key=lambda row: (-row[3], row[0]))
    rows = with_sum(rows, _("Semua"), (1, 2, 3, 4, 5))
    if rows:
        rows[-1][6] = share(rows[-1][3], rows[-1][1])
    return [
        Table(
            _("Keluarga miskin menurut %(area)s") % {"area": first.lower()},
            [
                Column(first), Column(_("Keluarga"), p.COUNT), Column(_("Desil 1"), p.COUNT),
                Column(_("Desil 1–2"), p.COUNT), Column(_("Jiwa desil 1–2"), p.COUNT),
                Column(_("Miskin ekstrem"), p.COUNT), Column(_("Bagian desil 1–2"), p.PERCENT),
            ],
            rows,
            registry_source(),
            summed=True,
        )
    ]  # fmt: skip


CONDITIONS: tuple[tuple[Any, Q], ...] = (
    (gettext_lazy("Tanpa jamban sendiri"), Q(sanitation__in=("shared", "public", "none"))),
    (
        gettext_lazy("Air minum dari sumber tak terlindung"),
        Q(water__in=("unprotected_well", "unprotected_spring", "surface", "rain")),
    ),
    (gettext_lazy("Lantai tanah atau bambu"), Q(floor__in=("earth", "bamboo"))),
    (gettext_lazy("Dinding bambu"), Q(wall="bamboo")),
    (
        gettext_lazy("Bukan pelanggan listrik bermeter"),
        Q(electricity__in=("none", "non_pln", "pln_no_meter")),
    ),
    (
        gettext_lazy("Rumah bukan milik sendiri"),
        Q(ownership__in=("rent", "rent_free", "official", "other")),
    ),
)


def within(area: Area | None) -> Q:
    """Return the condition for households in ``area``; everything for the regency."""
    if area is None or area.level == Level.REGENCY:
        return Q()
    return Q(village=area) if area.level == Level.VILLAGE else Q(district=area)


def housing(area: Area | None = None) -> list[Block]:
    """Return how many households lack basic services. One pass over the area's households."""
    poor = Q(desil__in=(1, 2))
    counted: dict[str, Any] = {"all": Count("pk"), "poor": Count("pk", filter=poor)}
    for number, (_label, condition) in enumerate(CONDITIONS):
        counted[f"a{number}"] = Count("pk", filter=condition)
        counted[f"p{number}"] = Count("pk", filter=condition & poor)
    sums = Household.objects.filter(within(area), status=Status.ACTIVE).aggregate(**counted)
    rows = [
        [
            str(label),
            sums[f"p{number}"],
            share(sums[f"p{number}"], sums["poor"]),
            sums[f"a{number}"],
            share(sums[f"a{number}"], sums["all"]),
        ]
        for number, (label, _condition) in enumerate(CONDITIONS)
    ]
    return [
        Table(
            _("Kekurangan layanan dasar dan keadaan rumah"),
            [
                Column(_("Keadaan")), Column(_("Keluarga desil 1–2"), p.COUNT),
                Column(_("Bagian"), p.PERCENT), Column(_("Semua keluarga"), p.COUNT),
                Column(_("Bagian"), p.PERCENT),
            ],
            rows if sums["all"] else [],
            registry_source(),
        )
    ]  # fmt: skip


# Programs and money


def missions(year: int) -> list[Block]:
    """Return the missions of the medium-term plan that cover ``year``."""
    rows = [[str(m.number), m.text, f"{m.first_year}–{m.last_year}"] for m in missions_for(year)]
    if not rows:
        return []
    return [
        Table(
            _("Misi daerah"),
            [Column(_("Nomor"), p.YEAR), Column(_("Misi")), Column(_("Masa"), p.YEAR)],
            rows,
            module_source("RPJMD"),
        )
    ]


def parts_of(year: int, **narrowed: Any) -> QuerySet[SubActivity]:
    """Return the sub-activities of ``year`` that go on, with their budget."""
    return (
        SubActivity.objects.filter(year=year, is_cancelled=False, **narrowed)
        .select_related("agency")
        .annotate(budget=Sum("fundings__amount"))
    )


def latest_reports(parts: QuerySet[SubActivity]) -> dict[int, Report]:
    """Return the newest report that was handed in, by sub-activity."""
    rows = Report.objects.filter(sub_activity__in=parts.values("pk"), state__in=REPORTED)
    return {
        report.sub_activity_id: report
        for report in rows.order_by("period_end").defer("narrative", "explanation")
    }


def _money(title: str, first: str, groups: dict[str, list[int]]) -> Table:
    """Return a table of groups with [sub-activities, budget, realised]."""
    rows: list[list[Any]] = [
        [name, *sums, share(sums[2], sums[1])] for name, sums in groups.items()
    ]
    rows = with_sum(rows, _("Semua"), (1, 2, 3))
    if rows:
        rows[-1][4] = share(rows[-1][3], rows[-1][2])
    return Table(
        title,
        [
            Column(first), Column(_("Sub kegiatan"), p.COUNT), Column(_("Anggaran"), p.RUPIAH),
            Column(_("Realisasi"), p.RUPIAH), Column(_("Serapan"), p.PERCENT),
        ],
        rows,
        module_source(_("Program dan laporan kemajuan")),
        summed=True,
        note=_("Realisasi menurut laporan terakhir yang diajukan atau diterima."),
    )  # fmt: skip


def money_by(year: int, key: str) -> list[Block]:
    """Return budget and realisation by ``strategy`` or ``agency``; by agency also as a chart."""
    parts = parts_of(year)
    reports = latest_reports(parts)
    groups: dict[str, list[int]] = {}
    for part in parts:
        name = str(Strategy(part.strategy).label) if key == "strategy" else str(part.agency)
        sums = groups.setdefault(name, [0, 0, 0])
        sums[0] += 1
        sums[1] += part.budget or 0  # type: ignore[attr-defined]
        sums[2] += (reports[part.pk].budget or 0) if part.pk in reports else 0
    groups = dict(sorted(groups.items(), key=lambda item: -item[1][1]))
    first = _("Strategi") if key == "strategy" else _("Perangkat daerah")
    title = _("Anggaran dan realisasi menurut %(what)s tahun %(year)d")
    table = _money(title % {"what": first.lower(), "year": year}, first, groups)
    if key == "strategy" or not groups:
        return [table]
    chart = bars(
        "anggaran",
        _("Anggaran menurut perangkat daerah (juta rupiah)"),
        [(name, round(sums[1] / 1e6)) for name, sums in list(groups.items())[:15]],
        label=first,
        value=_("Juta rupiah"),
    )
    return [table, Drawing(chart, module_source(_("Program")))]


def money_by_source(parts: QuerySet[SubActivity]) -> list[Block]:
    """Return the budget of ``parts`` by source of money."""
    sums = dict(
        Funding.objects.filter(sub_activity__in=parts.values("pk"))
        .order_by()
        .values_list("source")
        .annotate(total=Sum("amount"))
    )
    whole = sum(sums.values())
    rows: list[list[Any]] = [
        [s.label, sums[s.value], share(sums[s.value], whole)] for s in FundingSource if sums.get(s)
    ]
    rows = with_sum(rows, _("Semua"), (1,))
    if rows:
        rows[-1][2] = 100.0
    return [
        Table(
            _("Anggaran menurut sumber dana"),
            [
                Column(_("Sumber dana")), Column(_("Anggaran"), p.RUPIAH),
                Column(_("Bagian"), p.PERCENT),
            ],
            rows,
            module_source(_("Program")),
            summed=True,
        )
    ]  # fmt: skip


def helped_by_part(parts: QuerySet[SubActivity]) -> dict[int, int]:
    """Return the recipients that take a place of the quota, by sub-activity. Read from an index."""
    rows = Enrolment.objects.filter(sub_activity__in=parts.values("pk"), stage__in=HELPED)
    return dict(rows.order_by().values_list("sub_activity_id").annotate(n=Count("pk")))


def sub_activities(parts: QuerySet[SubActivity], title: str) -> list[Block]:
    """Return sub-activities with money, progress and recipients."""
    reports, helped = latest_reports(parts), helped_by_part(parts)
    rows = []
    for part in parts.order_by("code", "name", "pk"):
        report = reports.get(part.pk)
        budget = part.budget or 0  # type: ignore[attr-defined]
        rows.append(
            [
                part.name,
                budget,
                report.budget if report else None,
                share(report.budget, budget) if report and report.budget is not None else None,
                report.physical if report else None,
                part.quota,
                helped.get(part.pk, 0),
            ]
        )
    return [
        Table(
            title,
            [
                Column(_("Sub kegiatan")), Column(_("Anggaran"), p.RUPIAH),
                Column(_("Realisasi"), p.RUPIAH), Column(_("Serapan"), p.PERCENT),
                Column(_("Fisik"), p.PERCENT), Column(_("Kuota"), p.COUNT),
                Column(_("Penerima"), p.COUNT),
            ],
            with_sum(rows, _("Semua"), (1, 2, 6)),
            module_source(_("Program, laporan kemajuan, dan penerima")),
            summed=True,
        )
    ]  # fmt: skip


# Recipients, coverage, overlap


def recipients(year: int, area: Area | None = None) -> list[Block]:
    """Return recipients and deliveries by kind of help."""
    place = {f"household__{k}": v for k, v in within(area).children}  # type: ignore[misc]
    enrolled = Enrolment.objects.filter(year=year, stage__in=HELPED, **place)
    counts = {
        kind: (n, homes)
        for kind, n, homes in enrolled.order_by()
        .values_list("help_kind")
        .annotate(n=Count("pk"), homes=Count("household", distinct=True))
    }
    at = {f"enrolment__{name}": value for name, value in place.items()}
    given = {
        kind: (times, rupiah)
        for kind, times, rupiah in Delivery.objects.filter(sub_activity__year=year, **at)
        .order_by()
        .values_list("sub_activity__help_kind")
        .annotate(times=Count("pk"), rupiah=Sum("amount"))
    }
    rows = [
        [kind.label, *counts.get(kind, (0, 0)), *given.get(kind, (0, 0))]
        for kind in HelpKind
        if kind in counts or kind in given
    ]
    rows.sort(key=lambda row: -row[1])
    rows = with_sum(rows, _("Semua"), (1, 3, 4))
    return [
        Table(
            _("Penerima bantuan tahun %(year)d menurut bentuk bantuan") % {"year": year},
            [
                Column(_("Bentuk bantuan")), Column(_("Penerima"), p.COUNT),
                Column(_("Keluarga"), p.COUNT), Column(_("Penyaluran"), p.COUNT),
                Column(_("Nilai"), p.RUPIAH),
            ],
            rows,
            module_source(_("Penerima dan penyaluran")),
            summed=True,
            note=_("Satu keluarga dapat menerima beberapa bentuk bantuan."),
        )
    ]  # fmt: skip


def coverage(year: int) -> list[Block]:
    """Return who is reached and who is missed, as overlap and gaps were last reckoned."""
    reckoning = Reckoning.objects.filter(year=year).first()
    rows: list[list[Any]] = []
    if reckoning is not None:
        sums = reckoning.totals
        whole, poorest = sums.get("households"), sums.get("poorest")
        rows = [
            [_("Keluarga dalam registri"), whole, None],
            [_("Keluarga yang dibantu"), sums.get("helped"), share(sums.get("helped"), whole)],
            [_("Dibantu rangkap"), sums.get("doubled"), share(sums.get("doubled"), whole)],
            [_("Dibantu di luar sasaran"), sums.get("outside"), share(sums.get("outside"), whole)],
            [_("Keluarga desil 1–2"), poorest, share(poorest, whole)],
            [
                _("Desil 1–2 yang belum dibantu"),
                sums.get("missed"),
                share(sums.get("missed"), poorest),
            ],
        ]
    return [
        Table(
            _("Keterjangkauan dan kesenjangan tahun %(year)d") % {"year": year},
            [Column(_("Keluarga")), Column(_("Jumlah"), p.COUNT), Column(_("Bagian"), p.PERCENT)],
            rows,
            module_source(_("Perhitungan tumpang tindih")),
            note=_("Baris terakhir dibandingkan dengan keluarga desil 1–2, lainnya dengan semua."),
        )
    ]


def overlaps(year: int) -> list[Block]:
    """Return the cases of overlap by what became of them."""
    counts: dict[tuple[str, str], int] = {}
    rows_of = OverlapCase.objects.filter(year=year).order_by().values_list("help_kind", "state")
    for kind, state, n in rows_of.annotate(n=Count("pk")):
        counts[kind, state] = n
    rows = [
        [kind.label, *(counts.get((kind, state), 0) for state in CaseState)]
        for kind in HelpKind
        if any((kind, state) in counts for state in CaseState)
    ]
    return [
        Table(
            _("Kasus tumpang tindih tahun %(year)d") % {"year": year},
            [
                Column(_("Bentuk bantuan")),
                *(Column(str(state.label), p.COUNT) for state in CaseState),
            ],
            with_sum(rows, _("Semua"), range(1, 1 + len(CaseState))),
            module_source(_("Tumpang tindih")),
            summed=True,
        )
    ]


# Working together


def meetings(year: int) -> list[Block]:
    """Return the year's coordination meetings with attendance and decisions."""
    rows = [
        [
            m.starts_at.date(),
            m.title,
            m.here,  # type: ignore[attr-defined]
            m.made,  # type: ignore[attr-defined]
            m.adopted,  # type: ignore[attr-defined]
        ]
        for m in Meeting.objects.filter(starts_at__year=year, state=MeetingState.CLOSED)
        .annotate(
            here=Count("attendances", distinct=True),
            made=Count("decisions", distinct=True),
            adopted=Count(
                "decisions", distinct=True, filter=Q(decisions__state=DecisionState.ADOPTED)
            ),
        )
        .order_by("starts_at")
    ]
    return [
        Table(
            _("Rapat koordinasi tahun %(year)d") % {"year": year},
            [
                Column(_("Tanggal"), p.DATE), Column(_("Rapat")), Column(_("Hadir"), p.COUNT),
                Column(_("Keputusan"), p.COUNT), Column(_("Berlaku"), p.COUNT),
            ],
            rows,
            module_source(_("Rapat")),
        )
    ]  # fmt: skip


def obstacles(year: int, **narrowed: Any) -> list[Block]:
    """Return the obstacles reported in ``year`` by kind, and how many are solved."""
    found = Obstacle.objects.filter(reported_at__year=year, **narrowed).order_by()
    counts = found.values_list("category").annotate(
        n=Count("pk"),
        solved=Count("pk", filter=Q(state=ObstacleState.SOLVED)),
        risen=Count("pk", filter=Q(state=ObstacleState.ESCALATED)),
        left=Count("pk", filter=Q(state__in=UNSOLVED)),
    )
    rows = [[str(Category(row[0]).label), *row[1:]] for row in counts]
    rows.sort(key=lambda row: (-row[1], row[0]))
    return [
        Table(
            _("Kendala yang dilaporkan tahun %(year)d") % {"year": year},
            [
                Column(_("Jenis")), Column(_("Dilaporkan"), p.COUNT), Column(_("Selesai"), p.COUNT),
                Column(_("Dibawa ke rapat"), p.COUNT), Column(_("Belum selesai"), p.COUNT),
            ],
            with_sum(rows, _("Semua"), (1, 2, 3, 4)),
            module_source(_("Kendala")),
            summed=True,
        )
    ]  # fmt: skip


def proposals(year: int, area: Area | None = None) -> list[Block]:
    """Return what villages proposed and citizens complained of, and what was decided."""
    found = Proposal.objects.filter(submitted_at__year=year).order_by()
    if area is not None and area.level == Level.VILLAGE:
        found = found.filter(village=area)
    elif area is not None and area.level == Level.DISTRICT:
        found = found.filter(village__parent=area)
    counts = found.values_list("kind").annotate(
        n=Count("pk"),
        open=Count("pk", filter=Q(state__in=OPEN_STATES)),
        accepted=Count("pk", filter=Q(outcome=Outcome.ACCEPTED)),
        rejected=Count("pk", filter=Q(outcome=Outcome.REJECTED)),
    )
    rows = [[str(ProposalKind(row[0]).label), *row[1:]] for row in counts]
    return [
        Table(
            _("Usulan, sanggahan, dan pengaduan tahun %(year)d") % {"year": year},
            [
                Column(_("Jenis")), Column(_("Masuk"), p.COUNT), Column(_("Dalam proses"), p.COUNT),
                Column(_("Diterima"), p.COUNT), Column(_("Ditolak"), p.COUNT),
            ],
            with_sum(rows, _("Semua"), (1, 2, 3, 4)),
            module_source(_("Usul-sanggah")),
            summed=True,
        )
    ]  # fmt: skip


def regency_tally() -> Tally:
    """Return the sums of the whole regency."""
    return total(tallies.tallies_by_district())
