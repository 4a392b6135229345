"""Reports about one agency, area or program, made when they are asked for. They hold sums, no names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from guyub.agencies.models import Agency
from guyub.areas.models import Area, Level
from guyub.beneficiaries.models import Enrolment, Stage
from guyub.documents import figures, sources
from guyub.documents import paper as p
from guyub.documents.paper import Block, Chapter, Column, Paper, Part, Table
from guyub.obstacles.models import UNSOLVED, Obstacle
from guyub.programs.models import Program
from guyub.registry import tallies
from guyub.registry.measures import Tally, total
from guyub.reports.queries import late_by_agency


def name_of(reader: Any) -> str:
    """Return how a report names whom it was made for; nobody when it is kept for all."""
    return f"{reader} ({reader.get_role_display()})" if reader is not None else ""


def _paper(
    title: str, subtitle: str, facts: list[tuple[str, str]], parts: list[Part], reader: Any
) -> Paper:
    return Paper(
        title=title,
        subtitle=subtitle,
        regency=settings.REGENCY_NAME,
        chapters=[Chapter("", [part for part in parts if part.blocks])],
        sources=sources.datasets(),
        reference=sources.reference_text(),
        made_at=sources.made_at(),
        made_by=name_of(reader),
        facts=facts,
    )


def _open_obstacles(narrowed: Q, title: str) -> list[Block]:
    rows = [
        [o.title, str(o.needed_agency), o.get_severity_display(), o.due_on, o.days_late or None]
        for o in Obstacle.objects.filter(narrowed, state__in=UNSOLVED)
        .select_related("needed_agency")
        .order_by("-severity", "due_on", "pk")[:40]
    ]
    return [
        Table(
            title,
            [
                Column(_("Kendala")), Column(_("Dibutuhkan dari")), Column(_("Tingkat"), p.YEAR),
                Column(_("Batas waktu"), p.DATE), Column(_("Hari terlambat"), p.COUNT),
            ],
            rows,
            sources.module_source(_("Kendala")),
            note=_("Paling banyak 40 baris."),
        )
    ]  # fmt: skip


def of_agency(agency: Agency, year: int, reader: Any) -> Paper:
    """Return the report of one agency in ``year``: money, progress, punctuality, indicators, obstacles."""
    parts = figures.parts_of(year, agency=agency)
    punctual = late_by_agency(year, agency_id=agency.pk)
    facts = [(_("Tahun"), str(year)), (_("Kepala"), agency.head_name or "–")]
    if punctual:
        facts.append(
            (
                _("Laporan tepat waktu"),
                _("%(n)d dari %(due)d") % {"n": punctual[0].on_time, "due": punctual[0].due},
            )
        )
    title = _("Sub kegiatan tahun %(year)d") % {"year": year}
    return _paper(
        _("Laporan perangkat daerah"),
        agency.name,
        facts,
        [
            Part(_("Program dan realisasi"), blocks=figures.sub_activities(parts, title)),
            Part(_("Sumber dana"), blocks=figures.money_by_source(parts)),
            Part(_("Indikator"), blocks=figures.indicators(year, owner=agency.code)),
            Part(
                _("Kendala"),
                blocks=_open_obstacles(
                    Q(needed_agency=agency) | Q(agency=agency), _("Kendala yang belum selesai")
                ),
            ),
        ],
        reader,
    )


def of_area(
    area: Area, year: int, reader: Any, tick: Callable[[int], None] = lambda percent: None
) -> Paper:
    """Return the report of the regency, a district or a village: the poor, services, help, proposals.

    ``tick`` is called with how far it is, in per cent.
    """
    if area.level == Level.VILLAGE:
        tally, children = tallies.tally_of_village(area), []
        known: dict[int, Tally] = {}
    elif area.level == Level.DISTRICT:
        children = list(Area.objects.filter(parent=area))
        known = tallies.tallies_by_village(area)
        tally = total(known)
    else:
        children, known = tallies.districts(), tallies.tallies_by_district()
        tally = total(known)
    first = _("Desa/kelurahan") if area.level == Level.DISTRICT else _("Kecamatan")
    facts = [
        (_("Kode wilayah"), area.code),
        (_("Tahun bantuan"), str(year)),
        (_("Keluarga"), p.written(tally.all_households, p.COUNT)),
        (_("Keluarga desil 1–2"), p.written(tally.poor_households, p.COUNT)),
        (_("Keluarga miskin ekstrem"), p.written(tally.extreme_households, p.COUNT)),
    ]
    if area.level == Level.VILLAGE and area.parent is not None:
        facts.insert(1, (_("Kecamatan"), area.parent.name))
    by_area = figures.welfare_by_area(children, known, first) if children else []
    near = Q(area=area) | Q(area__parent=area) if area.level != Level.REGENCY else Q()
    welfare = figures.welfare(tally, area.title)
    tick(20)
    housing = figures.housing(area)
    tick(55)
    helped = figures.recipients(year, area)
    tick(90)
    return _paper(
        _("Laporan wilayah"),
        area.title,
        facts,
        [
            Part(_("Kesejahteraan keluarga"), blocks=welfare),
            Part(_("Menurut wilayah"), blocks=by_area),
            Part(_("Layanan dasar dan keadaan rumah"), blocks=housing),
            Part(_("Bantuan"), blocks=helped),
            Part(_("Usul, sanggah, dan pengaduan"), blocks=figures.proposals(year, area)),
            Part(_("Kendala"), blocks=_open_obstacles(near, _("Kendala yang belum selesai"))),
        ],
        reader,
    )


def of_program(program: Program, year: int, reader: Any) -> Paper:
    """Return the report of one program: its sub-activities, money, recipients by stage, obstacles."""
    parts = figures.parts_of(program.year, activity__program=program)
    rows = (
        Enrolment.objects.filter(sub_activity__in=parts.values("pk"))
        .order_by()
        .values_list("stage")
        .annotate(n=Count("pk"))
    )
    by_stage = dict(rows)
    stages = [[s.label, by_stage[s.value]] for s in Stage if by_stage.get(s.value)]
    recipients = Table(
        _("Penerima menurut tahap"),
        [Column(_("Tahap")), Column(_("Penerima"), p.COUNT)],
        p.with_sum(stages, _("Semua"), (1,)),
        sources.module_source(_("Penerima")),
        summed=True,
    )
    title = _("Sub kegiatan tahun %(year)d") % {"year": program.year}
    return _paper(
        _("Laporan program"),
        program.name,
        [
            (_("Tahun"), str(program.year)),
            (_("Perangkat daerah"), program.agency.name),
            (_("Kode nomenklatur"), program.code or "–"),
            (_("Misi daerah"), str(program.mission) if program.mission else "–"),
        ],
        [
            Part(
                _("Kegiatan dan realisasi"),
                program.description,
                figures.sub_activities(parts, title),
            ),
            Part(_("Sumber dana"), blocks=figures.money_by_source(parts)),
            Part(_("Penerima"), blocks=[recipients]),
            Part(
                _("Kendala"),
                blocks=_open_obstacles(
                    Q(sub_activity__activity__program=program), _("Kendala yang belum selesai")
                ),
            ),
        ],
        reader,
    )
