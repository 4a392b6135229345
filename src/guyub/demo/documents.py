"""Demo documents: last year's LP2KD with an edition, two built reports and a schedule."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from guyub.accounts.models import User
from guyub.documents import built, keeping, mailing, services
from guyub.documents.models import Document, Section
from guyub.documents.question import Question

# What the demo's secretariat wrote, by section; "%(year)d" is the year reported on.
TEXTS: dict[str, str] = {
    "pendahuluan.latar": "Laporan ini merangkum pelaksanaan penanggulangan kemiskinan tahun %(year)d: "
    "siapa yang miskin, program apa yang dijalankan, siapa yang terjangkau, dan apa yang belum.\n\n"
    "Seluruh angka diambil dari data bersama perangkat daerah di Guyub. Data contoh ini rekaan.",
    "pendahuluan.tujuan": "Memberi Bupati, DPRD, dan seluruh anggota TKPKD satu gambaran yang sama "
    "sebagai dasar menyusun program tahun berikutnya.",
    "pendahuluan.hukum": "- Undang-Undang Nomor 13 Tahun 2011 tentang Penanganan Fakir Miskin\n"
    "- Peraturan Menteri Dalam Negeri Nomor 53 Tahun 2020 tentang Tata Kerja dan Penyelarasan Kerja "
    "serta Pembinaan Kelembagaan dan Sumber Daya Manusia Tim Koordinasi Penanggulangan Kemiskinan\n"
    "- Instruksi Presiden Nomor 4 Tahun 2025 tentang Data Tunggal Sosial dan Ekonomi Nasional",
    "profil.resmi": "Persentase penduduk miskin menurun dalam beberapa tahun terakhir, tetapi masih di "
    "atas angka nasional.",
    "profil.wilayah": "Kecamatan dengan keluarga desil 1–2 terbanyak perlu didahulukan, tanpa "
    "mengabaikan kecamatan kecil yang bagian keluarga miskinnya tinggi.",
    "koordinasi.tkpkd": "TKPKD dipimpin Wakil Bupati; sekretariatnya di Bappedalitbang. Rapat koordinasi "
    "diadakan sedikitnya tiga bulan sekali.",
    "koordinasi.keterpaduan": "Program sejenis yang menyasar keluarga yang sama dibahas dalam rapat, lalu "
    "ditetapkan siapa yang memimpin.",
    "penutup.kesimpulan": "- Data acuan tunggal sudah dipakai semua perangkat daerah.\n"
    "- Masih ada keluarga desil 1–2 yang belum dibantu sama sekali.\n"
    "- Bantuan rangkap berkurang setelah kasusnya dibahas bersama.",
    "penutup.rekomendasi": "- Dahulukan keluarga desil 1–2 yang terlewat dalam penetapan penerima.\n"
    "- Selesaikan kasus tumpang tindih sebelum anggaran ditetapkan.",
}
AGENCY_TEXTS: dict[str, str] = {
    "perangkat.dinsospermasdes": "Penyaluran bantuan berjalan menurut data acuan. Kendala utama: pembaruan "
    "data keluarga yang pindah. Tahun depan verifikasi lapangan dimulai lebih awal.",
    "perangkat.dinperkim": "Perbaikan rumah dilaksanakan bersama desa. Keluarga tanpa bukti kepemilikan "
    "tanah dibantu melalui kerja sama dengan pemerintah desa.",
}


def make_documents(actors: dict[str, User], today: dt.date) -> Document:
    """Write the LP2KD of last year, issue an edition, build two reports and schedule one."""
    secretary = actors["sekretariat"]
    year = today.year - 1
    document = services.start_document(year, actor=secretary)
    writers = {
        "perangkat.dinsospermasdes": actors["operator"],
        "perangkat.dinperkim": actors["operator-perkim"],
    }
    known = {section.key: section for section in document.sections.all()}
    for key, text in TEXTS.items():
        services.write(
            known[key], text=text % {"year": year}, version=0, done=True, actor=secretary
        )
    for key, text in AGENCY_TEXTS.items():
        section = known.get(key) or _part_of(document, key, writers[key])
        services.write(section, text=text, version=0, done=False, actor=writers[key])
    services.ask_agencies(document, due_on=today + dt.timedelta(days=14), actor=secretary)
    figures = keeping.ask_for(keeping.of_document(document), actor=secretary)
    keeping.compute(figures.pk)
    edition = services.issue(document, note=_("Edisi untuk rapat koordinasi."), actor=secretary)
    services.make(edition.pk)
    # This year's has been started, so that its live figures show.
    services.start_document(today.year, actor=secretary)
    built.save(
        name=_("Keluarga desil 1–4 menurut kecamatan"),
        description=_("Bahan rapat koordinasi."),
        question=Question.read(
            {
                "subject": "keluarga",
                "rows": ["kecamatan"],
                "column": "desil",
                "filters": {"desil": ["1", "2", "3", "4"]},
            }
        ),
        sharing="all",
        actor=secretary,
    )
    shared = built.save(
        name=_("Anggaran menurut perangkat daerah dan strategi"),
        description="",
        question=Question.read(
            {
                "subject": "program",
                "rows": ["perangkat"],
                "column": "strategi",
                "measure": "anggaran",
                "filters": {"tahun": [str(today.year)]},
            }
        ),
        sharing="link",
        actor=actors["operator"],
    )
    mailing.schedule(
        values={
            "kind": "built",
            "built": shared,
            "rhythm": "monthly",
            "carriage": "attachment",
            "format": "xlsx",
        },
        recipients=[secretary, actors["bupati"]],
        actor=secretary,
    )
    return document


def _part_of(document: Document, key: str, writer: User) -> Section:
    """Add a part for an agency that has no program in the demo's last year."""
    count = document.sections.count()
    return Section.objects.create(
        document=document,
        key=key,
        position=count,
        title=str(writer.agency.name if writer.agency is not None else key),
        agency=writer.agency,
    )
