"""The LP2KD: its outline, and how a year's document is put together from text and live figures.

The yearly report on poverty reduction (*Laporan Pelaksanaan Penanggulangan Kemiskinan Daerah*) goes
back to Permendagri 53/2020. The chapters are those that regencies usually give it; the secretariat may
rename every part (see ``docs/documents.md``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.agencies.models import Agency
from guyub.documents import figures
from guyub.documents.models import Document, Section
from guyub.documents.paper import Block, Chapter, Paper, Part, Source
from guyub.registry import tallies

Blocks = Callable[[int], list[Block]]
BlocksOf = Callable[[str], list[Block]]


@dataclass(frozen=True)
class PartOutline:
    """A part: its key (for good), its usual title, what to write, and the figures that go with it."""

    key: str
    title: Any
    hint: Any
    blocks: tuple[Blocks, ...] = ()


@dataclass(frozen=True)
class ChapterOutline:
    key: str
    title: Any
    parts: Sequence[PartOutline]
    by_agency: bool = False  # one part for each agency with programs in the year


def _districts(year: int) -> list[Block]:
    return figures.welfare_by_area(
        tallies.districts(), tallies.tallies_by_district(), _("Kecamatan")
    )


OUTLINE: tuple[ChapterOutline, ...] = (
    ChapterOutline(
        "pendahuluan",
        gettext_lazy("Pendahuluan"),
        (
            PartOutline("latar", gettext_lazy("Latar belakang"), gettext_lazy("Mengapa laporan ini disusun dan keadaan umum tahun pelaporan.")),
            PartOutline("tujuan", gettext_lazy("Maksud dan tujuan"), gettext_lazy("Untuk siapa laporan ini dan keputusan apa yang hendak didukung.")),
            PartOutline("hukum", gettext_lazy("Landasan hukum"), gettext_lazy("Peraturan yang menjadi dasar; satu baris satu peraturan, diawali tanda hubung.")),
        ),
    ),
    ChapterOutline(
        "profil",
        gettext_lazy("Profil kemiskinan daerah"),
        (
            PartOutline("umum", gettext_lazy("Kondisi umum daerah"), gettext_lazy("Penduduk, wilayah, dan perekonomian secara ringkas.")),
            PartOutline("resmi", gettext_lazy("Angka kemiskinan resmi"), gettext_lazy("Perkembangan angka BPS dan perbandingannya dengan provinsi dan nasional."), (figures.published,)),
            PartOutline("kesejahteraan", gettext_lazy("Kesejahteraan keluarga menurut data acuan"), gettext_lazy("Siapa dan berapa keluarga pada desil terbawah."), (lambda year: figures.welfare(figures.regency_tally(), settings.REGENCY_NAME),)),
            PartOutline("wilayah", gettext_lazy("Sebaran menurut wilayah"), gettext_lazy("Kecamatan yang perlu didahulukan dan alasannya."), (lambda year: figures.map_of_poor(), _districts)),
            PartOutline("dasar", gettext_lazy("Layanan dasar dan keadaan rumah"), gettext_lazy("Kekurangan layanan dasar yang paling menonjol."), (lambda year: figures.housing(),)),
        ),
    ),
    ChapterOutline(
        "kebijakan",
        gettext_lazy("Kebijakan dan program"),
        (
            PartOutline("arah", gettext_lazy("Arah kebijakan dan strategi"), gettext_lazy("Misi daerah, strategi, dan kebijakan yang baru."), (figures.missions,)),
            PartOutline("anggaran", gettext_lazy("Program dan anggaran"), gettext_lazy("Besarnya anggaran dan perubahannya dibanding tahun lalu."), (lambda year: figures.money_by(year, "strategy"), lambda year: figures.money_by_source(figures.parts_of(year)), lambda year: figures.money_by(year, "agency"))),
        ),
    ),
    ChapterOutline(
        "koordinasi",
        gettext_lazy("Kelembagaan dan koordinasi"),
        (
            PartOutline("tkpkd", gettext_lazy("Tim koordinasi"), gettext_lazy("Susunan dan tugas TKPKD, sekretariat, dan kelompok kerja.")),
            PartOutline("rapat", gettext_lazy("Rapat koordinasi"), gettext_lazy("Keputusan penting dan tindak lanjutnya."), (figures.meetings,)),
            PartOutline("keterpaduan", gettext_lazy("Keterpaduan program"), gettext_lazy("Tumpang tindih yang ditemukan dan cara menyelesaikannya."), (figures.overlaps,)),
            PartOutline("usul", gettext_lazy("Usul, sanggah, dan pengaduan"), gettext_lazy("Apa yang disampaikan desa dan warga, dan bagaimana ditangani."), (figures.proposals,)),
        ),
    ),
    ChapterOutline(
        "capaian",
        gettext_lazy("Pelaksanaan dan capaian"),
        (
            PartOutline("penerima", gettext_lazy("Penerima bantuan"), gettext_lazy("Siapa yang terjangkau, siapa yang belum."), (figures.recipients, figures.coverage)),
            PartOutline("indikator", gettext_lazy("Capaian indikator"), gettext_lazy("Indikator yang belum tercapai dan sebabnya."), (figures.indicators,)),
            PartOutline("kendala", gettext_lazy("Kendala dan penyelesaian"), gettext_lazy("Kendala utama, langkah yang diambil, dan yang masih terbuka."), (figures.obstacles,)),
        ),
    ),
    ChapterOutline("perangkat", gettext_lazy("Pelaksanaan oleh perangkat daerah"), (), by_agency=True),
    ChapterOutline(
        "penutup",
        gettext_lazy("Penutup"),
        (
            PartOutline("kesimpulan", gettext_lazy("Kesimpulan"), gettext_lazy("Tiga sampai lima pokok yang harus diingat pembaca.")),
            PartOutline("rekomendasi", gettext_lazy("Rekomendasi"), gettext_lazy("Langkah tahun depan: apa, oleh siapa, sampai kapan.")),
        ),
    ),
)  # fmt: skip

PARTS = {f"{c.key}.{part.key}": part for c in OUTLINE for part in c.parts}
AGENCY_HINT = gettext_lazy(
    "Apa yang dikerjakan, hasilnya bagi warga miskin, kendala, dan rencana tahun berikutnya."
)


def section_plan(year: int) -> list[tuple[str, str, Agency | None]]:
    """Return the sections of a document of ``year`` as (key, title, agency), in order."""
    agencies = list(
        Agency.objects.filter(sub_activities__year=year, sub_activities__is_cancelled=False)
        .distinct()
        .order_by("name")
    )
    plan: list[tuple[str, str, Agency | None]] = []
    for chapter in OUTLINE:
        plan += [(f"{chapter.key}.{part.key}", str(part.title), None) for part in chapter.parts]
        if chapter.by_agency:
            plan += [(f"{chapter.key}.{agency.code}", agency.name, agency) for agency in agencies]
    return plan


def hint_of(section: Section) -> Any:
    """Return what to write in a section."""
    part = PARTS.get(section.key)
    return part.hint if part is not None else AGENCY_HINT


def has_figures(section: Section) -> bool:
    """Whether tables or charts go with a section."""
    part = PARTS.get(section.key)
    return bool(part.blocks) if part is not None else section.agency_id is not None


def blocks_of(section: Section, year: int) -> list[Block]:
    """Return the live figures that go with a section."""
    part = PARTS.get(section.key)
    if part is not None:
        return [block for make in part.blocks for block in make(year)]
    if section.agency is None:
        return []
    title = _("Sub kegiatan %(agency)s tahun %(year)d") % {"agency": section.agency, "year": year}
    return figures.sub_activities(figures.parts_of(year, agency=section.agency), title)


def chapter_title(key: str) -> str:
    return next((str(c.title) for c in OUTLINE if c.key == key), key)


def assemble(
    document: Document, *, made_by: str, edition: str, figures: dict[str, Any], blocks: BlocksOf
) -> Paper:
    """Put the document together from what is written and from figures that were kept.

    ``blocks`` gives those of a section by its key; ``figures`` says of what sources and when they are.
    """
    by_chapter: dict[str, list[Part]] = {}
    for section in document.sections.select_related("agency").order_by("position"):
        part = Part(
            section.title,
            section.text,
            blocks(section.key),
            str(section.agency.name) if section.agency is not None else "",
        )
        by_chapter.setdefault(section.key.partition(".")[0], []).append(part)
    return Paper(
        title=document.title,
        subtitle=_("Tahun %(year)d") % {"year": document.year},
        regency=settings.REGENCY_NAME,
        chapters=[
            Chapter(str(chapter.title), by_chapter[chapter.key])
            for chapter in OUTLINE
            if chapter.key in by_chapter
        ],
        sources=[Source(**source) for source in figures.get("sources", [])],
        reference=figures.get("reference", ""),
        made_at=figures.get("made_at", ""),
        made_by=made_by,
        edition=edition,
        is_long=True,
    )
